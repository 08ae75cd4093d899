"""Sites without a way back: objects come as a file of exported spool, receipts go home as a file.

What is in such a file is judged as if it had come over MQTT, in the same thread, by the same rules;
the same file again changes nothing. Call from the event loop's thread.
"""

import asyncio
import errno
import itertools
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from cloud.collector.intake import Intake
from cloud.collector.judge import Accepted, Ahead, Aside, Duplicate, Refused, Verdict
from cloud.collector.service import Collector
from cloud.collector.topics import Sender
from cloud.errors import StoreError
from evidence.archive.export import ExportReader, Span, write_receipts
from evidence.errors import EvidenceError, KeyFileError

#: objects between two commits, and seconds after which whoever else waits for the collector's
#: thread has a turn: a configuration of 20,000 points takes half of one
BATCH, TURN_S = 64, 0.25


@dataclass
class Imported:
    """What became of a file.

    Attributes:
        plant, stream, first, last: what it held.
        accepted: objects that are new, on disk now.
        held: objects that were held already.
        next_seq: the stream's next seq now.
        missing: [from, to]: seqs that must come before this file's can be taken; None otherwise.
        refused: {seq, reason, sentence} of the first object that was not taken; None otherwise.
            What follows it was not looked at. Reason "damaged-file": from about there on the
            file's objects cannot be read or do not follow one another.
    """

    plant: str
    stream: str
    first: int
    last: int
    accepted: int = 0
    held: int = 0
    next_seq: int = 0
    missing: Sequence[int] | None = None
    refused: Mapping[str, Any] | None = None


class OneWayDesk:
    """Takes exported spools in and gives receipts out, of the running collector's plants.

    Args:
        collector: it runs.
        intake: what it decides with.
        folder: where a file stands while it is taken in.
    """

    def __init__(self, collector: Collector, intake: Intake, folder: Path) -> None:
        self._collector, self._intake, self._folder = collector, intake, folder

    def incoming(self) -> BinaryIO:
        """A file to put an exported spool into; it is gone when it is closed. OSError: disk."""
        return TemporaryFile(dir=self._folder)

    def put(self, file: BinaryIO, data: bytes) -> None:
        """Add to a file of `incoming`; any thread.

        OSError where as much as it has would not be free any more: its objects are written once
        more, as evidence, and a file that is none (8 GiB of nothing) leaves room for all plants'.
        """
        if shutil.disk_usage(self._folder).free < file.tell() + 2 * len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(data)

    async def take(self, file: BinaryIO) -> Mapping[str, Any]:
        """Take in an exported spool; JSON-ready `Imported`.

        Raises:
            MalformedError, LimitError, ChainError: it is none, or was altered, and nothing of it
                was taken.
            LookupError: of a plant this collector does not hold.
            StoreError: the disk refused; what was accepted before stays.
        """
        export = await asyncio.to_thread(ExportReader, file)
        span = export.span
        store = self._intake.plant(span.plant)
        found = Imported(span.plant, span.stream, span.first, span.last)
        objects = (data for _, data in export.objects())
        seq = span.first
        while True:
            try:
                batch = await asyncio.to_thread(_some, objects)
            except EvidenceError as error:
                if seq == span.first:
                    raise
                found.refused = {"seq": seq, "reason": "damaged-file", "sentence": str(error)}
                break
            if not batch:
                break
            verdicts = await self._judged(span, batch)
            _note(found, verdicts, seq)
            if len(verdicts) < len(batch) or found.missing or found.refused:
                break
            seq += len(batch)
        found.next_seq = store.reader.head(span.stream).next_seq
        return asdict(found)

    async def receipts(self, plant: str) -> tuple[bytes, Mapping[str, str]]:
        """A receipt file of a plant's streams, each by its newest object; b"" where there is none.

        Returns:
            The file, and gateway -> why its receipt is withheld.

        Raises:
            LookupError: no such plant.
            StoreError: it is not served.
        """
        streams = self._intake.plant(plant).reader.streams()

        def work() -> tuple[bytes, Mapping[str, str]]:
            given, withheld = [], {}
            for stream in streams:
                try:
                    given.append(self._intake.receipt(Sender(plant, stream)))
                except (StoreError, OSError, KeyFileError) as error:
                    withheld[stream] = str(error)
            return write_receipts(given), withheld

        return await asyncio.wrap_future(self._collector.submit(work))

    async def _judged(self, span: Span, batch: Sequence[bytes]) -> list[Verdict]:
        """Verdicts up to the first object that does not continue the stream; they are on disk."""
        sender, judged = Sender(span.plant, span.stream), list[Verdict]()

        def work() -> list[Verdict]:
            verdicts, began_s = list[Verdict](), time.monotonic()
            for data in batch[len(judged) :]:
                verdicts.append(self._intake.take(sender, data, time.monotonic()))
                is_late = time.monotonic() - began_s >= TURN_S
                if is_late or not isinstance(verdicts[-1], Accepted | Duplicate):
                    break
            self._collector.commit_for(span.plant)
            return verdicts

        while len(judged) < len(batch):
            judged += await asyncio.wrap_future(self._collector.submit(work))
            if not isinstance(judged[-1], Accepted | Duplicate):
                break
        return judged


def _some(objects: Iterator[bytes]) -> list[bytes]:
    return list(itertools.islice(objects, BATCH))


def _note(found: Imported, verdicts: Sequence[Verdict], first: int) -> None:
    for seq, verdict in enumerate(verdicts, first):
        if isinstance(verdict, Accepted):
            found.accepted += 1
        elif isinstance(verdict, Duplicate):
            found.held += 1
        elif isinstance(verdict, Ahead):
            found.missing = [verdict.due, seq - 1]
        else:
            found.refused = {"seq": seq, **_why(verdict)}


def _why(verdict: Aside | Refused) -> dict[str, str]:
    reason = verdict.entry.verdict if isinstance(verdict, Aside) else verdict.reason
    return {"reason": reason, "sentence": verdict.sentence}
