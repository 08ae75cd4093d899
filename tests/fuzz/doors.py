"""A door is a parser that takes bytes from outside, with bytes it takes and what it may raise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutating import Mutate

SENTENCE_MAX = 20_000

Call = Callable[[bytes], object]


@dataclass(frozen=True)
class Door:
    """One parser.

    Attributes:
        name: unique.
        covers: "module.function" of every parser that is reached through it.
        seeds: valid bytes, given a folder of its own to work in.
        open: the parser, given the same folder.
        mutate: what a hostile sender makes of valid bytes.
        errors: the errors of ours that it may raise; any other is a defect.
        weight: how many examples of other doors one of this door takes as long as.
    """

    name: str
    covers: Sequence[str]
    seeds: Callable[[Path], Sequence[bytes]]
    open: Callable[[Path], Call]
    mutate: Mutate
    errors: tuple[type[Exception], ...]
    weight: int = 1


def knock(door: Door, call: Call, data: bytes) -> bool:
    """Whether the door takes the bytes; what is not one of its errors escapes."""
    try:
        call(data)
    except door.errors as error:
        sentence = str(error)  # it stands in a log: of bounded length, whatever the bytes were
        if not 0 < len(sentence) <= SENTENCE_MAX:
            raise AssertionError(
                f"{door.name}: a sentence of {len(sentence)} characters"
            ) from error
        return False
    return True


def example(door: Door, seeds: Sequence[bytes], choose: Random) -> bytes:
    """One hostile input; of ten, about one comes by no valid bytes at all."""
    if not choose.randint(0, 9):
        return choose.randbytes(choose.choice([0, 1, 2, 12, 100, 700]))
    return door.mutate(choose.choice(seeds), choose)


def pure(
    name: str, call: Call, seeds: Sequence[bytes], mutate: Mutate,
    errors: tuple[type[Exception], ...], *covers: str, weight: int = 1,
) -> Door:  # fmt: skip
    """A door that needs no folder."""
    return Door(name, covers, lambda _: seeds, lambda _: call, mutate, errors, weight)


def file_door(
    name: str, call: Callable[[Path], object], seeds: Callable[[Path], Sequence[bytes]],
    mutate: Mutate, errors: tuple[type[Exception], ...], *covers: str, file: str = "some.pem",
    weight: int = 2,
) -> Door:  # fmt: skip
    """A door that reads a file; the bytes are put where it looks."""

    def opened(folder: Path) -> Call:
        path = folder / file

        def read(data: bytes) -> object:
            path.write_bytes(data)
            path.chmod(0o600)
            return call(path)

        return read

    return Door(name, covers, seeds, opened, mutate, errors, weight)
