"""The relay's folder: exported spools that a ferry or a person puts there. I/O: that folder.

A file is looked at when it has stopped growing, taken whole and deleted once all of it is on the
queue's disk: a kill between repeats it, which changes nothing. One that is no exported spool, or
of a stream that is not named, is kept aside as `.refused` for a person.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

from edge.clock import Clock
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


class RelayFolder:
    """Takes files in.

    Attributes:
        taken, refused: files since the start.
        turns: grows as long as it goes on, within a large file too.
    """

    NAME = "folder"

    def __init__(self, folder: Path, intake: RelayIntake, clock: Clock) -> None:
        self._folder, self._intake, self._clock = folder, intake, clock
        # path -> size, mtime, and since when they are so (monotonic)
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self.taken = self.refused = self.turns = 0

    async def step(self) -> None:
        """Look once; a file that cannot be read blocks no other. OSError, SpoolError: try again."""
        failed: OSError | None = None
        now_s = self._clock.monotonic_ns() / 1e9
        files = await asyncio.to_thread(_files, self._folder)
        self._seen = {path: seen for path, seen in self._seen.items() if path in files}
        for path, (size, mtime_ns) in files.items():
            before = self._seen.get(path)
            if before is None or before[:2] != (size, mtime_ns):
                self._seen[path] = size, mtime_ns, now_s
            elif now_s >= before[2] + LOOK_S:
                try:
                    await self._take(path, now_s - before[2])
                except OSError as error:
                    failed = error
        if failed is not None:
            raise failed

    async def _take(self, path: Path, still_s: float) -> None:
        with path.open("rb") as file:
            try:
                export = await asyncio.to_thread(ExportReader, file)
                objects = (data for _, data in export.objects())
                full = 0
                while batch := await asyncio.to_thread(_some, objects):
                    self.turns += 1
                    outers = [outer for data in batch if (outer := self._intake.admit(data))]
                    if len(outers) < len(batch):
                        await self._refuse(path, "of a stream that RELAY.toml does not name")
                        return
                    now_s = self._clock.monotonic_ns() / 1e9
                    full += await self._intake.keep(outers, now_s, also_receipted=True)
            except EvidenceError as error:
                if still_s >= GROWING_S:
                    await self._refuse(path, str(error))
                return
        if full:  # nothing of a file is lost: it waits until there is room
            size, mtime_ns, _ = self._seen[path]
            self._seen[path] = size, mtime_ns, self._clock.monotonic_ns() / 1e9 + FULL_WAIT_S
            return
        await asyncio.to_thread(path.unlink, missing_ok=True)
        self.taken += 1
        span = export.span
        log.info(
            "%s: taken, seq %d to %d", path.name, span.first, span.last,
            extra=about(span.plant, span.stream),
        )  # fmt: skip

    async def _refuse(self, path: Path, reason: str) -> None:
        self.refused += 1
        await asyncio.to_thread(path.replace, path.with_suffix(".refused"))
        log.error("%s: refused, kept as .refused: %s", path.name, reason)


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of each file that may be one of ours, in the order of their names' seqs."""
    found = {}
    for path in sorted(folder.glob("*.tar"), key=lambda p: (len(p.name), p.name)):
        status = path.stat()
        found[path] = status.st_size, status.st_mtime_ns
    return found


def _some(objects: Iterator[bytes]) -> list[bytes]:
    return list(itertools.islice(objects, BATCH))
