"""Screenings of sealed months: looked up at once, made one after another, never waited for.

What was made is kept in the state folder under the archive's hash; whoever asks for another one
has it made. `of` and `alike` may be called by any thread.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cloud.outputs.maker import MADE_WITHIN_S
from cloud.review.items import Row, archive_of
from cloud.screening.alike import Alikes, Seen
from cloud.screening.kept import Kept, decode, version
from cloud.screening.queue import Job, Queue, Turn
from evidence.errors import MalformedError

FOLDER = "screened"
#: sealed months of the plant before this one that it is held against
BESIDE = 2
#: of which the rows are kept in memory
READ_MAX = 4_096
#: of what is made
NO_TURN = Turn(0)

log = logging.getLogger("stackproof.cloud.screening")


@dataclass(frozen=True)
class Wanted:
    """Archives that are screened together: the plant's earlier ones, then the month's own.

    Attributes:
        name: of the file that it is kept in.
        own: SHA-256 of the month's archive, hex.
        paths: of the archives.
    """

    name: str
    own: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Looked:
    """How a month's screening stands.

    Attributes:
        kept: it, without the series of plots; None while it is not made.
        turn: how it stands while it is not made.
    """

    kept: Kept | None
    turn: Turn = NO_TURN


def wanted_of(rows: Sequence[Row], month: str) -> Wanted | None:
    """What a month's screening is made of.

    Args:
        rows: a plant's months.
        month: "YYYY-MM".

    Returns:
        None for a month without an archive that stands.
    """
    found = {str(row["month"]): archive_of(row) for row in rows if str(row["month"]) <= month}
    held = [one for name, one in sorted(found.items()) if one is not None]
    if found.get(month) is None:
        return None
    beside = held[-1 - BESIDE :]
    hashes = [str(one["sha256"]) for one in beside]
    of = hashlib.sha256("\n".join((version(), *hashes)).encode()).hexdigest()[:16]
    paths = tuple(Path(str(one["archive"])) for one in beside)
    return Wanted(f"{hashes[-1]}-{of}.json", hashes[-1], paths)


class Screenings:
    """Of all archives of a collector.

    Args:
        state_dir: they are kept in folders of it.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER
        self._queue = Queue()
        self._alikes = Alikes(state_dir, self._queue)
        self.run = self._queue.run

    def of(self, rows: Sequence[Row], month: str, *, soon: bool = True) -> Looked | None:
        """A month's screening; one that is not made yet is made from now on.

        Args:
            rows: the plant's months.
            month: "YYYY-MM".
            soon: before those that others wait for.

        Returns:
            None for a month without an archive that stands.
        """
        wanted = wanted_of(rows, month)
        if wanted is None:
            return None
        if (kept := self._read(wanted)) is not None:
            return Looked(kept)
        job = Job(
            wanted.name, lambda: ("screen", *map(str, wanted.paths)),
            MADE_WITHIN_S * len(wanted.paths), lambda data: self._keep(wanted, data),
        )  # fmt: skip
        return Looked(None, self._queue.ask(job, soon=soon))

    def alike(
        self, month: str, plants: Callable[[], Sequence[Sequence[Row]]],
        wall_ns: Callable[[], int],
    ) -> Seen:  # fmt: skip
        """Series of a month that are the same at another plant, then or the month before.

        Args:
            month: "YYYY-MM", "" where no plant has one yet.
            plants: months of every plant of the collector, also of those that who asks cannot see.
            wall_ns: the collector's clock.
        """
        return self._alikes.of(month, lambda: self._made(plants(), month), wall_ns)

    def _made(self, plants: Sequence[Sequence[Row]], month: str) -> list[Path]:
        if len(plants) < 2 or not month:
            return []
        months = (month, _before(month))
        found = (wanted_of(rows, one) for one in months for rows in plants)
        paths = (self._folder / one.name for one in found if one is not None)
        return [path for path in paths if path.exists()]

    def _read(self, wanted: Wanted) -> Kept | None:
        try:
            return _bare(self._folder / wanted.name)
        except FileNotFoundError:
            return None
        except MalformedError as error:
            log.warning("%s is made again: %s", wanted.name, error)
            return None

    def whole(self, rows: Sequence[Row], month: str) -> Kept | None:
        """With the series of its plots; None where nothing is kept. Reads the disk."""
        wanted = wanted_of(rows, month)
        if wanted is None:
            return None
        try:
            return decode((self._folder / wanted.name).read_bytes())
        except FileNotFoundError:
            return None

    def _keep(self, wanted: Wanted, data: bytes) -> None:
        """Whole or not at all; what was made of the archive before goes."""
        decode(data)
        self._folder.mkdir(exist_ok=True)
        part = self._folder / f".{wanted.own}.part"
        part.write_bytes(data)
        part.replace(self._folder / wanted.name)
        for old in self._folder.glob(f"{wanted.own}-*.json"):
            if old.name != wanted.name:
                old.unlink(missing_ok=True)


def _before(month: str) -> str:
    """The month before one, both "YYYY-MM"."""
    year, number = map(int, month.split("-"))
    return f"{year}-{number - 1:02}" if number > 1 else f"{year - 1}-12"


@lru_cache(READ_MAX)
def _bare(path: Path) -> Kept:
    """What is kept under a name stays the same; FileNotFoundError where nothing is."""
    return decode(path.read_bytes()).bare()
