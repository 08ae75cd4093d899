"""Reads one plant's committed evidence. Any thread, any number of them; never waits for a writer.

Each call looks at the state that was committed when it began. What is committed is only ever
appended to, so what a call reads does not change under it.
"""

import contextlib
import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud.errors import AlteredEvidenceError
from cloud.store.index import IndexFile, Place
from cloud.store.layout import PlantFolder
from cloud.store.objects import StoredObject
from cloud.store.record_file import read_at, record_at, whole_records
from cloud.store.state import LogState
from cloud.store.tree import TreeFile
from evidence.chain import Head
from evidence.errors import MalformedError
from evidence.log import Entry, decode_entry
from evidence.merkle import CompactRange
from evidence.records import read_records

OFFSET = struct.Struct("<Q")
_SPAN_BYTES_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Committed:
    """What a plant's newest commit left on disk.

    Attributes:
        state: of log and streams.
        checkpoint: signed note of it; "" before the first commit.
    """

    state: LogState
    checkpoint: str


class PlantReader:
    """The committed evidence of one plant.

    Args:
        plant: plant id.
        folder: its files.
        committed: gives what is committed now.

    Attributes:
        on_altered: told of each read that finds other bytes than were committed.
    """

    def __init__(self, plant: str, folder: PlantFolder, committed: Callable[[], Committed]) -> None:
        self.plant = plant
        self._folder = folder
        self._committed = committed
        self._tree = TreeFile(folder.tree)
        self.on_altered: Callable[[AlteredEvidenceError], None] = lambda _: None

    @property
    def committed(self) -> Committed:
        """State and checkpoint of the newest commit, together."""
        return self._committed()

    @property
    def state(self) -> LogState:
        """The committed state."""
        return self._committed().state

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.state.size

    @property
    def checkpoint(self) -> str:
        """Newest signed note; "" before the first commit."""
        return self._committed().checkpoint

    def streams(self) -> Sequence[str]:
        """Gateway ids that have at least one object, sorted."""
        return sorted(self.state.streams)

    def head(self, stream: str) -> Head:
        """Where a stream stands; a fresh `Head` when it has no object."""
        return self.state.stream(stream).head

    def newest_ns(self, stream: str) -> int:
        """Newest tick of a stream, 0 before the first; known without reading any object."""
        return self.state.stream(stream).through_ns

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, None when there is none."""
        if not 0 <= seq < self.state.stream(stream).next_seq:
            return None
        return self._index(stream).place(seq).sha256

    def log_index(self, stream: str, seq: int) -> int:
        """Index of the log entry of an object that is held."""
        return self._index(stream).place(seq).log_index

    def configs(self, stream: str) -> Mapping[bytes, int]:
        """SHA-256 of every signed configuration of a stream -> its seq, oldest first."""
        return self.state.stream(stream).configs

    def span(self, stream: str, from_ns: int, to_ns: int) -> tuple[int, int]:
        """Seqs (first, stop) of the objects with from_ns <= at_ns < to_ns, stop exclusive.

        Objects before the stream's first frame go with that frame. Empty: first == stop.
        """
        index, count = self._index(stream), self.state.stream(stream).next_seq
        first, stop = index.first_at(from_ns, count), index.first_at(to_ns, count)
        if first == stop:
            return first, first
        before_frames = first == index.first_at(1, count)
        return (0 if before_frames else first), stop

    def objects(
        self, stream: str, first: int = 0, stop: int | None = None
    ) -> Iterator[StoredObject]:
        """Objects first..stop-1 (to the head when None), in order, each checked by its hash.

        Raises:
            StoreError: the disk holds something else than was committed.
        """
        state = self.state.stream(stream)
        last = state.next_seq if stop is None else min(stop, state.next_seq)
        seq = max(first, 0)
        with self._telling():
            for places in _runs(self._index(stream).places(seq, max(seq, last))):
                for place, data in self._read_run(stream, places):
                    yield StoredObject(
                        seq, place.kind, place.at_ns, place.through_ns, place.log_index,
                        place.sha256, data,
                    )  # fmt: skip
                    seq += 1

    def entries(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(index, verbatim entry) of the log, first..stop-1 (to the end when None)."""
        state = self.state
        last = state.size if stop is None else min(stop, state.size)
        index = max(first, 0)
        if index >= last:
            return
        with self._telling():
            start, end = self._entry_end(index - 1), self._entry_end(last - 1)
            for record in whole_records(self._folder.entries, start, end):
                yield index, record.data
                index += 1
            self._require_whole(index, last)

    def _require_whole(self, index: int, last: int) -> None:
        if index != last:
            raise AlteredEvidenceError(self._folder.entries, f"entry {index} is damaged")

    def compact_range(self, size: int) -> CompactRange:
        """The tree of the first `size` entries as the hashes it grows from."""
        return self._tree.compact_range(self._within(size))

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Audit path of one entry in the tree of the first `size` entries (RFC 6962)."""
        return self._tree.inclusion_path(index, self._within(size))

    def consistency_path(self, old: int, size: int) -> list[bytes]:
        """Proof that the tree of `old` entries is a prefix of that of `size` (RFC 6962)."""
        return self._tree.consistency_path(old, self._within(size))

    def key_files(self) -> Mapping[str, bytes]:
        """Name -> bytes of certificates (.crt, PEM) and orders (.cose) kept beside the log.

        What the log does not name yet may be among them.
        """
        return {
            path.name: path.read_bytes()
            for path in sorted(self._folder.keys.glob("*"))
            if path.suffix in (".crt", ".cose")
        }

    def kept(self, sha256: bytes) -> tuple[Entry, bytes] | None:
        """A REJECT entry and the object that was put aside for it, None when there is none.

        Raises:
            StoreError: the disk holds something else than was put aside.
        """
        index = self.state.kept.get(sha256)
        if index is None:
            return None
        ((_, data),) = self.entries(index, index + 1)
        entry = decode_entry(data)
        path = self._folder.kept(entry)
        found = read_at(path, 0, entry.length + 1)
        with self._telling():
            if hashlib.sha256(found).digest() != sha256:
                raise AlteredEvidenceError(path, "missing, or not the object that was put aside")
        return entry, found

    @property
    def records(self) -> Mapping[bytes, int]:
        """SHA-256 of every document of a person -> index of its log entry, in the log's order."""
        return self.state.records

    def document(self, sha256: bytes) -> bytes:
        """A document of `records`, verbatim; StoreError when it is not there as it was logged."""
        with self._telling():
            return b"".join(_whole(self._folder.record(sha256), sha256))

    def attached(self, record: bytes, sha256: bytes) -> Iterator[bytes]:
        """Pieces of a file that is attached to a document, both by their SHA-256.

        Raises:
            StoreError: it is not there as it was signed for; after its last piece if altered.
        """
        with self._telling():
            yield from _whole(self._folder.attached(record, sha256), sha256)

    def attached_path(self, record: bytes, sha256: bytes) -> Path | None:
        """Where an attached file stands; None when it is not there as it was signed for."""
        path = self._folder.attached(record, sha256)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").digest()
        except OSError:
            return None
        return path if found == sha256 else None

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except AlteredEvidenceError as error:
            self.on_altered(error)
            raise

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"no tree of {size} entries in a log of {self.size}")
        return size

    def _index(self, stream: str) -> IndexFile:
        return IndexFile(self._folder.index(stream))

    def _entry_end(self, index: int) -> int:
        if index < 0:
            return 0
        data = read_at(self._folder.offsets, index * OFFSET.size, OFFSET.size)
        if len(data) != OFFSET.size:
            raise AlteredEvidenceError(self._folder.offsets, f"cut before entry {index}")
        (end,) = OFFSET.unpack(data)
        return int(end)

    def _read_run(self, stream: str, places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        path = self._folder.segment(stream, places[0].hour)
        start, end = places[0].offset, places[-1].end
        try:
            found = list(read_records(read_at(path, start, end - start)))
        except MalformedError as error:
            what = f"between bytes {start} and {end}: {error}"
            raise AlteredEvidenceError(path, what) from error
        if len(found) != len(places):
            what = f"{len(found)} objects where the index has {len(places)}"
            raise AlteredEvidenceError(path, what)
        for place, data in zip(places, found, strict=True):
            _check(path, place, data)
            yield place, data


def read_object(folder: PlantFolder, stream: str, place: Place) -> bytes:
    """The object at a place, checked by its hash; StoreError when it is not there."""
    path = folder.segment(stream, place.hour)
    data = record_at(path, place.offset, place.length)
    if data is None:
        what = f"no whole object of {place.length} bytes at {place.offset}"
        raise AlteredEvidenceError(path, what)
    _check(path, place, data)
    return data


def _whole(path: Path, sha256: bytes) -> Iterator[bytes]:
    found, at = hashlib.sha256(), 0
    while piece := read_at(path, at, _SPAN_BYTES_MAX):
        found.update(piece)
        at += len(piece)
        yield piece
    if found.digest() != sha256:
        what = "missing, or altered: put it back from a backup of the plant's folder"
        raise AlteredEvidenceError(path, what)


def _check(path: Path, place: Place, data: bytes) -> None:
    if hashlib.sha256(data).digest() != place.sha256:
        what = f"the object at byte {place.offset} is not the one indexed"
        raise AlteredEvidenceError(path, what)


def _runs(places: Iterator[Place]) -> Iterator[list[Place]]:
    """Places that follow one another in one segment, a bounded number of bytes at a time."""
    run: list[Place] = []
    for place in places:
        if run and (
            place.hour != run[0].hour
            or place.offset != run[-1].end
            or place.end - run[0].offset > _SPAN_BYTES_MAX
        ):
            yield run
            run = []
        run.append(place)
    if run:
        yield run
