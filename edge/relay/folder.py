"""The relay's folder: exported spools that a ferry or a person puts there. I/O: that folder.

A file is looked at when it has stopped growing, taken whole and deleted once all of it is on the
queue's disk: a kill between repeats it, which changes nothing. One that is no exported spool, or
of a stream that is not named, is kept aside as `.refused` for a person, and so is what is no
regular file: whoever may write here could make the relay read elsewhere, or wait for a pipe.

Where the folder lets nothing be deleted or renamed, no file is read a second time for that: days of
files would be read, and written to the queue, again and again.
"""

import asyncio
import contextlib
import io
import itertools
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.clock import Clock
from edge.errors import SpoolError
from edge.relay.intake import RelayIntake
from evidence.archive.export import ExportReader
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.relay")

LOOK_S = 1.0
BATCH = 64
FULL_WAIT_S = 30.0
#: a ferry that writes in place may pause: what cannot be read is given up when it is that old
GROWING_S = 30.0
REFUSED = ".refused"
NAME_BYTES_MAX = 255  # of Linux' file systems
#: bytes, and when its bytes and it itself were changed, nanoseconds
Stamp = tuple[int, int, int]


class RelayFolder:
    """Takes files in.

    Attributes:
        taken, refused: files since the start.
        aside: files that lie there as `.refused`, at the newest look.
        others: that do under any other name, as a ferry may give them, and are not taken.
        turns: grows as long as it goes on, within a large file too.
    """

    NAME = "folder"

    def __init__(
        self, folder: Path, intake: RelayIntake, clock: Clock, *, makes: bool = True
    ) -> None:
        """Look into `folder`, made first where it `makes` it: a share that is away is not."""
        self._folder, self._intake, self._clock = folder, intake, clock
        # path -> how it is, and since when (monotonic)
        self._seen: dict[Path, tuple[Stamp, float]] = {}
        # path -> why it is refused, "" for taken: it is to leave the folder, and is not read again
        self._ends: dict[Path, str] = {}
        self._is_made = not makes
        self.taken = self.refused = self.aside = self.others = self.turns = 0

    async def step(self) -> None:
        """Look once; a file that cannot be read blocks no other. OSError, SpoolError: try again."""
        failed: OSError | SpoolError | None = None
        now_s = self._clock.monotonic_ns() / 1e9
        if not self._is_made:  # once: later it may be a share that went
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            self._is_made = True
        files, self.aside, self.others = await asyncio.to_thread(_files, self._folder)
        self._seen = {path: seen for path, seen in self._seen.items() if path in files}
        self._ends = {path: end for path, end in self._ends.items() if path in files}
        for path, stamp in files.items():
            before, since_s = self._seen.get(path, (None, now_s))
            if before != stamp:
                self._seen[path] = stamp, now_s
                self._ends.pop(path, None)
            elif now_s >= since_s + LOOK_S:
                try:
                    await self._take(path, now_s - since_s)
                except (OSError, SpoolError) as error:  # of one stream's queue
                    failed = error
        if failed is not None:
            raise failed

    async def _take(self, path: Path, still_s: float) -> None:
        if path not in self._ends:
            end = await self._read(path, still_s)
            if end is None:
                return
            self._ends[path] = end
        await self._end(path, self._ends[path])

    async def _read(self, path: Path, still_s: float) -> str | None:
        """Why it is refused, "" once all of it is on disk; None: it is to be read later."""
        opened = await asyncio.to_thread(_opened, path)
        if opened is None:
            return "no regular file"
        with _Turning(opened, self) as file:
            try:
                export = await asyncio.to_thread(ExportReader, file)
                objects = (data for _, data in export.objects())
                full = 0
                while batch := await asyncio.to_thread(_some, objects):
                    self.turns += 1
                    outers = [outer for data in batch if (outer := self._intake.admit(data))]
                    if len(outers) < len(batch):
                        return "of a stream that RELAY.toml does not name"
                    now_s = self._clock.monotonic_ns() / 1e9
                    full += await self._intake.keep(outers, now_s, also_receipted=True)
            except EvidenceError as error:
                return str(error) if still_s >= GROWING_S else None
        if full:  # nothing of a file is lost: it waits until there is room
            later_s = self._clock.monotonic_ns() / 1e9 + FULL_WAIT_S
            self._seen[path] = self._seen[path][0], later_s
            return None
        span = export.span
        log.info(
            "%r: taken, seq %d to %d", path.name, span.first, span.last,
            extra=about(span.plant, span.stream),
        )  # fmt: skip
        return ""

    async def _end(self, path: Path, refused: str) -> None:
        """Out of the way, unless a ferry has put another file of its name there meanwhile."""
        with contextlib.suppress(FileNotFoundError):
            if await asyncio.to_thread(_stamp, path) != self._seen[path][0]:
                return
        if not refused:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            self.taken += 1
            return
        await asyncio.to_thread(path.replace, _aside(path))
        self.refused += 1
        log.error("%r: refused, kept as .refused: %s", path.name, refused)


class _Turning(io.BufferedReader):
    """A file whose reading goes on: to check one of gigabytes may take minutes."""

    def __init__(self, opened: int, folder: RelayFolder) -> None:
        super().__init__(io.FileIO(opened))
        self._folder = folder

    def read(self, size: int | None = -1, /) -> bytes:
        self._folder.turns += 1
        return super().read(size)


def _stamp(path: Path) -> Stamp:
    """By which another file of the same name is seen; OSError where there is none.

    Exports of as many frames are of one size, and a ferry may set the time of each.
    """
    status = path.lstat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _files(folder: Path) -> tuple[dict[Path, Stamp], int, int]:
    """How each name is that may be one of ours, in the order of their seqs.

    And how many were refused and lie there still, and how many have other names.

    OSError where there is no such folder any more, or it cannot be read: `glob` would say nothing.
    """
    paths, found = list(folder.iterdir()), {}
    ours = [path for path in paths if path.name.endswith(".tar")]
    for path in sorted(ours, key=lambda p: (len(p.name), p.name)):
        with contextlib.suppress(FileNotFoundError):  # taken away again
            found[path] = _stamp(path)
    aside = sum(path.name.endswith(REFUSED) for path in paths)
    return found, aside, len(paths) - len(ours) - aside


def _opened(path: Path) -> int | None:
    """Descriptor of a regular file; None for any other, which is not waited for nor followed."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)  # it was put there since
    return None


def _aside(path: Path) -> Path:
    """What a refused file is called; a name that is as long as names may be is cut."""
    stem = os.fsencode(path.stem)[: NAME_BYTES_MAX - len(REFUSED)]
    return path.with_name(os.fsdecode(stem) + REFUSED)


def _some(objects: Iterator[bytes]) -> list[bytes]:
    return list(itertools.islice(objects, BATCH))
