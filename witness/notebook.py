"""Notes of one plant's log, as a witness keeps them: text files that only grow. Disk I/O.

`PLANT.note` holds every note that was cosigned, oldest first, each with the witness's line: a note
file of FORMAT.md §9. `PLANT.refused` holds, as they came, notes that did not continue it.
"""

import fcntl
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence.checkpoint import Checkpoint, verify_any
from evidence.errors import EvidenceError, KeyFileError
from evidence.kept import FILE_BYTES_MAX, notes_in
from evidence.key_files import read_small
from evidence.suites import PublicKey
from witness.errors import WitnessConfigError

#: of one file; the verifier takes twice as many
NOTES_MAX = 5_000


class Notebook:
    """Notes kept of one plant.

    Attributes:
        notes: file of what was cosigned.
        refused: file of what was not.
    """

    def __init__(self, folder: Path, plant: str) -> None:
        self.notes, self.refused = folder / f"{plant}.note", folder / f"{plant}.refused"

    def last(self, collectors: Iterable[PublicKey]) -> Checkpoint | None:
        """The newest checkpoint that was cosigned; None before the first.

        Raises:
            KeyFileError: the file was changed, or the collector's key for it is not named.
        """
        held = read_notes(self.notes)
        if not held:
            return None
        try:
            return verify_any(held[-1], collectors)
        except EvidenceError as error:
            raise KeyFileError(
                f"{self.notes}: its last note is by none of the collector's keys you named: {error}"
            ) from error

    def keep(self, signed: str) -> None:
        """Add a note; on disk when this returns.

        A full file is put away under the next number, and the new one begins with its last note.
        """
        held = read_notes(self.notes)
        if len(held) >= NOTES_MAX:
            numbers = itertools.count(1)
            away = (self.notes.with_suffix(f".{number}.note") for number in numbers)
            _put(self.notes, held[-1] + signed, next(one for one in away if not one.exists()))
        else:
            _put(self.notes, "".join(held) + signed)

    def refuse(self, note: str) -> None:
        """Add a note that does not continue the last, once."""
        held = read_notes(self.refused)
        if note not in held and len(held) < NOTES_MAX:
            _put(self.refused, "".join(held) + note)


def read_notes(path: Path) -> list[str]:
    """The notes of a file, oldest first; [] where there is none yet.

    Raises:
        KeyFileError: it holds anything else.
    """
    if not path.exists():
        return []
    try:
        return list(notes_in(read_small(path, FILE_BYTES_MAX)))
    except KeyFileError:
        raise
    except EvidenceError as error:
        raise KeyFileError(f"{path}: {error}: restore it, it is what shows a fork") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Makes the folder, and holds it for this program.

    Raises:
        WitnessConfigError: it cannot be made, or another witness writes there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise WitnessConfigError(f"{folder}: cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WitnessConfigError(f"{folder}: another witness runs with it") from error
        yield


def _put(path: Path, text: str, before: Path | None = None) -> None:
    """Put a whole file in its place, so that no cut leaves half a note.

    Args:
        path: of the file.
        text: all of it.
        before: keeps what the file was, under this name.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            before.hardlink_to(path)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error
