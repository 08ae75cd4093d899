"""Screenings of sealed months: looked up at once, made one after another, never waited for.

What was made is kept in the state folder under the archive's hash; whoever asks for another one
has it made. Starts processes. `of` may be called by any thread.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from cloud.outputs.errors import OutputError
from cloud.outputs.maker import MADE_WITHIN_S, made_apart
from cloud.review.items import Row, archive_of
from cloud.screening.kept import Kept, decode, version
from evidence.errors import MalformedError

FOLDER = "screened"
#: sealed months of the plant before this one that it is held against
BESIDE = 2
#: a page of all plants asks for one of each: more than one collector has
WAITING_MAX = 4_096
#: of which the rows are kept in memory
READ_MAX = 4_096

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
        before: how many are made before it.
        failed: why it cannot be made, a sentence; "" while it may be.
    """

    kept: Kept | None
    before: int = 0
    failed: str = ""


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
        state_dir: they are kept in a folder of it.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER
        self._lock = Lock()
        self._wanted: OrderedDict[str, Wanted] = OrderedDict()
        self._failed: OrderedDict[str, str] = OrderedDict()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

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
        with self._lock:
            if wanted.name in self._failed:
                return Looked(None, failed=self._failed[wanted.name])
            if wanted.name in self._wanted or len(self._wanted) < WAITING_MAX:
                self._wanted[wanted.name] = wanted
                if soon:
                    self._wanted.move_to_end(wanted.name, last=False)
            names = list(self._wanted)
            before = names.index(wanted.name) if wanted.name in names else len(names)
            running = self._running
        if running is not None:
            loop, wake = running
            loop.call_soon_threadsafe(wake.set)
        return Looked(None, before)

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

    async def run(self) -> None:
        """Make what is wanted, one at a time, for ever; cancelled, its process ends with it."""
        wake = asyncio.Event()
        self._running = asyncio.get_running_loop(), wake
        while True:
            with self._lock:
                wanted = next(iter(self._wanted.values()), None)
            if wanted is None:
                await wake.wait()
                wake.clear()
            else:
                await self._make(wanted)

    async def _make(self, wanted: Wanted) -> None:
        failed = ""
        try:
            data = await made_apart(
                ("month", "screen", *map(str, wanted.paths)), MADE_WITHIN_S * len(wanted.paths)
            )
            await asyncio.to_thread(self._keep, wanted, data)
        except (OutputError, MalformedError, OSError) as error:
            failed = str(error)
            log.warning("%s is not screened: %s", wanted.paths[-1], error)
        with self._lock:
            self._wanted.pop(wanted.name, None)
            if failed:
                self._failed[wanted.name] = failed
            while len(self._failed) > WAITING_MAX:
                self._failed.popitem(last=False)

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


@lru_cache(READ_MAX)
def _bare(path: Path) -> Kept:
    """What is kept under a name stays the same; FileNotFoundError where nothing is."""
    return decode(path.read_bytes()).bare()
