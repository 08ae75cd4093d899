"""Series that are the same at two plants: made of screenings, kept, told with its age.

The fingerprints of readings that each screening keeps are compared; no archive is read again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cloud.outputs.maker import MADE_WITHIN_S
from cloud.screening.kept import Kept, answered, plain
from cloud.screening.queue import Job, Queue, Turn
from edge.calc.screening.chance import any_of
from edge.calc.screening.prints import alike
from edge.calc.screening.questions.twins import told
from edge.calc.screening.screen import LEVEL, Answer, by_chance
from evidence.errors import MalformedError

FOLDER, FORMAT = "alike", 1
#: of a month that is compared again because more of it is screened
AGAIN_NS = 3_600 * 10**9
#: the strongest that are kept
KEPT_MAX = 500


@dataclass(frozen=True)
class Series:
    """What plants have in common in one month, and with each other's month before.

    Attributes:
        made_ns: when, by the collector's clock, UTC nanoseconds; 0 as the command writes it.
        digest: of the names of what it is made of.
        plants: how many were compared.
        out: pairs of plants that stand out among all pairs, the strongest first.
        more: how many more stand out.
    """

    made_ns: int
    digest: str
    plants: int
    out: Sequence[Answer]
    more: int


@dataclass(frozen=True)
class Seen:
    """How a month's comparison stands.

    Attributes:
        series: the newest; None before the first.
        turn: how the next one stands; None where nothing new is there to be made of.
    """

    series: Series | None
    turn: Turn | None = None


def series_of(screened: Sequence[tuple[str, Kept]]) -> Series:
    """Compare the fingerprints of a month's screenings with each other, and with earlier ones.

    Args:
        screened: name of the file and what it holds; plants' newest months are the month, and two
            earlier ones are not compared.
    """
    held = [
        ((one.plant, one.months[-1]), one.prints)
        for _, one in screened if one.prints is not None and one.months
    ]  # fmt: skip
    month = max((month for (_, month), _ in held), default="")
    pairs = len(held) * (len(held) - 1) / 2  # some are not compared: towards quiet
    found = list[Answer]()
    for one in alike([prints for _, prints in held]):
        first, other = held[one.first][0], held[one.other][0]
        if first[1] != month:
            first, other = other, first
            one = replace(one, here=one.there, there=one.here)
        if first[1] == month and first[0] != other[0]:
            found.append(by_chance(told(first, other, one), any_of(one.chance, pairs), LEVEL))
    out = sorted((a for a in found if a.stands_out), key=lambda a: (-a.strength, a.result.where))
    return Series(
        0, digest_of(name for name, _ in screened), len({plant for (plant, _), _ in held}),
        out[:KEPT_MAX],
        max(0, len(out) - KEPT_MAX),
    )  # fmt: skip


def digest_of(names: Iterable[str]) -> str:
    """Of what a comparison is made of, in any order."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def encode(series: Series) -> bytes:
    """As it is kept: JSON."""
    made = {**vars(series), "format": FORMAT, "out": [plain(one) for one in series.out]}
    return json.dumps(made, ensure_ascii=False).encode()


def decode(data: bytes) -> Series:
    """What `encode` made.

    Raises:
        MalformedError: it is something else.
    """
    try:
        made = json.loads(data)
        if made.pop("format") != FORMAT:
            raise MalformedError("a comparison of another format")
        for name in ("made_ns", "plants", "more"):
            made[name] = int(made[name])
        return Series(**made | {"out": [answered(one) for one in made["out"]]})
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise MalformedError(f"no comparison that can be read: {error!r}") from error


class Alikes:
    """Of all months of a collector.

    Args:
        state_dir: they are kept in a folder of it.
        queue: makes them.
    """

    def __init__(self, state_dir: Path, queue: Queue) -> None:
        self._folder, self._queue = state_dir / FOLDER, queue

    def of(
        self, month: str, screened: Callable[[], Sequence[Path]], wall_ns: Callable[[], int]
    ) -> Seen:
        """A month's comparison; where more is screened, it is made again, once an hour at most.

        Args:
            month: "YYYY-MM".
            screened: files of the month's screenings and of those of the month before, of all
                plants.
            wall_ns: the collector's clock.
        """
        series, files = self._read(month), screened()
        is_new = series is None or series.digest != digest_of(path.name for path in files)
        if len(files) < 2 or not is_new:
            return Seen(series)
        if series is not None and 0 <= wall_ns() - series.made_ns < AGAIN_NS:
            return Seen(series)
        job = Job(
            f"{FOLDER}/{month}", lambda: ("alike", *map(str, screened())), MADE_WITHIN_S,
            lambda data: self._keep(month, replace(decode(data), made_ns=wall_ns())),
        )  # fmt: skip
        return Seen(series, self._queue.ask(job, soon=False))

    def _read(self, month: str) -> Series | None:
        path = self._folder / f"{month}.json"
        try:
            return _held(path, path.stat().st_mtime_ns)
        except (FileNotFoundError, MalformedError):
            return None  # made anew

    def _keep(self, month: str, series: Series) -> None:
        """Whole or not at all."""
        self._folder.mkdir(exist_ok=True)
        part = self._folder / f".{month}.part"
        part.write_bytes(encode(series))
        part.replace(self._folder / f"{month}.json")


@lru_cache(64)
def _held(path: Path, _changed_ns: int) -> Series:
    return decode(path.read_bytes())
