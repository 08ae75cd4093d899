"""Checks a stream's segments and index against the log's entries, one object at a time. Reads only.

Where an object stands follows from its entry and from the object before it; the stored index is
compared with that and believed only where it alone can say where to go on after damage.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from cloud.store.fsck_findings import Fault, Findings
from cloud.store.index import PLACE_BYTES, Place, decode_place, encode_place
from cloud.store.layout import PlantFolder
from cloud.store.objects import HOUR_NS
from cloud.store.record_file import read_at, record_at, size_of, whole_records
from cloud.store.recovery import frame_times
from cloud.store.state import StreamState
from evidence.errors import EvidenceError
from evidence.log import Entry, Kind

#: 2262-04-11, where nanoseconds of 64 bits end
HOUR_MAX = 2**63 // HOUR_NS


class StreamCheck:
    """One stream's objects, in the order of the log.

    Args:
        name: gateway id.
        folder: the plant's files.
        findings: where to note differences.
        first: objects of log entries before this one are where the index says, unread.

    Attributes:
        bytes: of the objects found whole.
        lost: objects that are not there, or not as logged.
    """

    def __init__(self, name: str, folder: PlantFolder, findings: Findings, first: int = 0) -> None:
        self._name, self._folder, self._findings = name, folder, findings
        self._first = first
        self._index = str(folder.index(name).relative_to(folder.root))
        self.bytes = 0
        self.lost = 0

    def take(self, entry: Entry, log_index: int, stream: StreamState, *, jumped: bool) -> Place:
        """Find the object of the next entry and compare its index record.

        Args:
            entry: of an object of this stream.
            log_index: the entry's index.
            stream: the stream before it, made again from the entries before.
            jumped: entries between may be missing, and their objects there.

        Returns:
            Where it stands; where it should stand when it is not there.
        """
        seq = stream.next_seq
        stored = read_at(self._folder.index(self._name), seq * PLACE_BYTES, PLACE_BYTES)
        hint = _hint(stored, entry)
        place = self._find(entry, log_index, stream, hint)
        if place is None:
            self.lost += 1
            place = hint or self._supposed(entry, log_index, stream)
            self._tell_lost(entry, log_index, place)
        else:
            self.bytes += entry.length
            if stored != encode_place(place):
                what = "is cut" if len(stored) < PLACE_BYTES else "is not what log and object give"
                self._findings.add(
                    Fault.INDEX, self._index,
                    f"the index record of seq {seq} at byte {seq * PLACE_BYTES} {what}",
                    stream=self._name, seq=seq, offset=seq * PLACE_BYTES,
                )  # fmt: skip
        if not jumped:
            self._leave(stream.last, place)
        return place

    def _find(
        self, entry: Entry, log_index: int, stream: StreamState, hint: Place | None
    ) -> Place | None:
        if log_index < self._first and hint is not None:
            return hint
        for hour, offset in self._candidates(stream, hint):
            data = record_at(self._folder.segment(self._name, hour), offset, entry.length)
            if data is None or hashlib.sha256(data).digest() != entry.sha256:
                continue
            try:
                t0_ns, newest_ns = frame_times(data) if entry.kind is Kind.FRAME else (0, 0)
            except EvidenceError:  # of a newer format, say: the bytes are those that were logged
                return hint
            place = stream.next_place(entry, log_index, t0_ns=t0_ns, newest_ns=newest_ns)
            if (place.hour, place.offset) != (hour, offset):
                self._findings.add(
                    Fault.OBJECT_MISPLACED, self._file(hour),
                    f"the object at byte {offset}, seq {entry.seq}, belongs to byte {place.offset} "
                    f"of {self._file(place.hour)}",
                    stream=self._name, seq=entry.seq or 0, offset=offset,
                )  # fmt: skip
                place = replace(place, hour=hour, offset=offset)
            return place
        return None

    def _candidates(self, stream: StreamState, hint: Place | None) -> Iterator[tuple[int, int]]:
        """Behind the object before, at the start of the next segment, where the index says."""
        after = -1
        if stream.last is not None:
            after = stream.last.hour
            yield after, stream.last.end
        following = self._next_hour(after)
        if following is not None:
            yield following, 0
        if hint is not None:
            yield hint.hour, hint.offset

    def _next_hour(self, after: int) -> int | None:
        for hour in self._folder.hours(self._name, after):
            if size_of(self._folder.segment(self._name, hour)):
                return hour
        return None

    def _supposed(self, entry: Entry, log_index: int, stream: StreamState) -> Place:
        """Where an object that is not there most likely stood."""
        place = stream.next_place(entry, log_index, t0_ns=stream.at_ns, newest_ns=0)
        following = self._next_hour(place.hour)
        if (
            following is None
            or size_of(self._folder.segment(self._name, place.hour)) > place.offset
        ):
            return place
        return replace(place, hour=following, offset=0)

    def _tell_lost(self, entry: Entry, log_index: int, place: Place) -> None:
        path, file = self._folder.segment(self._name, place.hour), self._file(place.hour)
        of = f"of {self._name} seq {entry.seq}, which log entry {log_index} accepted"
        fault, what = Fault.OBJECT_ALTERED, f"the bytes at {place.offset} are not the object {of}"
        if not path.exists():
            fault, what = Fault.SEGMENT_MISSING, f"the file is gone, and with it the object {of}"
        elif size_of(path) < place.end:
            fault = Fault.OBJECT_MISSING
            what = f"the file ends at byte {size_of(path)}, inside or before the object {of}"
        self._findings.add(
            fault, file, what,
            stream=self._name, seq=entry.seq or 0, index=log_index, offset=place.offset,
        )  # fmt: skip

    def _leave(self, last: Place | None, place: Place) -> None:
        """What stands in closed segments behind their last object was never logged."""
        if last is not None and last.hour == place.hour:
            return
        if last is not None:
            self._too_long(last.hour, last.end)
        for hour in self._folder.hours(self._name, -1 if last is None else last.hour):
            if hour >= place.hour:
                break
            self._too_long(hour, 0)

    def _too_long(self, hour: int, end: int) -> None:
        extra = size_of(self._folder.segment(self._name, hour)) - end
        if extra > 0:
            self._findings.add(
                Fault.SEGMENT_LONGER, self._file(hour),
                f"{extra} bytes from byte {end} on have no log entry, and later objects do",
                stream=self._name, offset=end,
            )  # fmt: skip

    def finish(self, stream: StreamState) -> None:
        """Tell what stands behind the newest object. Only where no collector is writing it."""
        last = stream.last
        hours = list(self._folder.hours(self._name, -1 if last is None else last.hour))
        ends = [] if last is None else [(last.hour, last.end)]
        for hour, end in [*ends, *((hour, 0) for hour in hours)]:
            self._tell_tail(hour, end)
        extra = size_of(self._folder.index(self._name)) - stream.next_seq * PLACE_BYTES
        if extra > 0:
            self._findings.add(
                Fault.INDEX, self._index, f"{extra} bytes too many: they index no logged object",
                stream=self._name, offset=stream.next_seq * PLACE_BYTES,
            )  # fmt: skip

    def _tell_tail(self, hour: int, end: int) -> None:
        path, file, at = self._folder.segment(self._name, hour), self._file(hour), end
        for record in whole_records(path, end):
            at = record.end
            self._findings.add(
                Fault.OBJECT_UNLOGGED, file,
                f"the object at byte {record.offset} has no log entry: a commit did not finish",
                stream=self._name, offset=record.offset,
            )  # fmt: skip
        torn = size_of(path) - at
        if torn > 0:
            self._findings.add(
                Fault.TORN_TAIL, file, f"{torn} bytes from byte {at} on are no whole record",
                stream=self._name, offset=at,
            )  # fmt: skip

    def _file(self, hour: int) -> str:
        return str(self._folder.segment(self._name, hour).relative_to(self._folder.root))


def _hint(stored: bytes, entry: Entry) -> Place | None:
    """The stored index record, where it is whole and of the entry's object."""
    try:
        place = decode_place(stored)
    except EvidenceError:
        return None
    wanted = (entry.kind, entry.sha256, entry.length)
    usable = (place.kind, place.sha256, place.length) == wanted and place.hour <= HOUR_MAX
    return place if usable else None
