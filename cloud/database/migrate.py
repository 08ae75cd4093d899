"""Copies a plant's evidence from a folder into a database: the same log, byte for byte.

Each transaction is signed by the collector as any other, so what was copied is whole whenever it is
broken off, and the next try goes on behind it. Roots are the log's own: receipts, archives and
notes that anybody keeps stay good.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from cloud.errors import StoreError
from cloud.store.objects import StoredObject
from cloud.store.quarantine import is_kept
from cloud.store.reader import PlantReader
from evidence.documents.document import unverified_document
from evidence.log import Entry, Kind, decode_entry, encode_entry
from evidence.log_details import OBJECT_KINDS

#: entries, and bytes of objects, of one transaction
ENTRIES, BYTES = 512, 8 * 1024 * 1024
#: told of how many entries are done, and of how many
Progress = Callable[[int, int], None]


def copy_plant(
    reader: PlantReader, writer: PlantWriter, store: EvidenceStore,
    progress: Progress = lambda _done, _total: None,
) -> int:  # fmt: skip
    """Copy what the database does not have yet; entries of the whole log.

    Args:
        reader: of its folder, which no collector writes.
        writer: of the same plant in the database.
        store: commits it.
        progress: told after each transaction.

    Raises:
        StoreError: the folder holds something else than was committed, or the database has another
            log of that plant, or refuses.
    """
    done, size = writer.state.size, reader.size
    if done > size or writer.state.tree.root() != reader.compact_range(done).root():
        raise StoreError(
            f"{store}: plant {reader.plant} has another log there than in its folder, from one of "
            f"its first {done} entries on: name an empty database"
        )
    for name, data in reader.key_files().items():
        writer.stage_key_file(name, data)
    streams = _Streams(reader, writer)
    staged_bytes = 0
    for index, data in reader.entries(done, size):
        staged_bytes += _stage(reader, writer, streams, data)
        is_full = (index + 1) % ENTRIES == 0 or staged_bytes >= BYTES
        if is_full or index + 1 == size:
            _commit(store, writer)
            progress(index + 1, size)
            staged_bytes = 0
    if writer.is_dirty:
        _commit(store, writer)
    if writer.state.tree.root() != reader.compact_range(size).root():
        raise StoreError(f"{store}: plant {reader.plant}: its log gives another root than before")
    return size


class _Streams:
    """Reads each stream's objects in order, on from where the database stands."""

    def __init__(self, reader: PlantReader, writer: PlantWriter) -> None:
        self._reader, self._writer = reader, writer
        self._held: dict[str, Iterator[StoredObject]] = {}

    def next(self, entry: Entry) -> StoredObject:
        """The object that an entry is of."""
        if entry.stream not in self._held:
            first = self._writer.stream(entry.stream).next_seq
            self._held[entry.stream] = self._reader.objects(entry.stream, first)
        found = next(self._held[entry.stream], None)
        if found is None or found.seq != entry.seq or found.sha256 != entry.sha256:
            raise StoreError(f"{entry.stream} seq {entry.seq}: its folder has another object there")
        return found


def _stage(reader: PlantReader, writer: PlantWriter, streams: _Streams, data: bytes) -> int:
    """Stage an entry with what it speaks of; bytes of that."""
    entry = decode_entry(data)
    if encode_entry(entry) != data:
        raise StoreError(f"plant {reader.plant}: a log entry is written in a way of its own")
    if entry.kind in OBJECT_KINDS:
        found = streams.next(entry)
        writer.stage_as_logged(entry, found.data, t0_ns=found.at_ns, newest_ns=found.through_ns)
        return len(found.data)
    if entry.kind is Kind.RECORD:
        document = reader.document(entry.sha256)
        files = {file.sha256 for file in unverified_document(document).files}
        for sha256 in files:
            writer.lay_files({sha256: b"".join(reader.attached(entry.sha256, sha256))})
        writer.add_document(entry.sha256, document, frozenset(files))
    elif is_kept(entry) and (kept := reader.kept(entry.sha256)) is not None:
        writer.add_aside(entry.sha256, kept[1])
    writer.stage_as_logged(entry)
    return len(data)


def _commit(store: EvidenceStore, writer: PlantWriter) -> None:
    done, failed = store.commit()
    if writer not in done:
        why: Any = failed.get(writer.plant, "nothing was written")
        raise StoreError(f"{store}: plant {writer.plant}: {why}")
