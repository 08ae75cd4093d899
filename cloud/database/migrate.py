"""Copies a plant's evidence into a database: the same log, byte for byte.

Each transaction is signed by the collector as any other, so what was copied is whole whenever it is
broken off, and the next try goes on behind it. Roots are the log's own: receipts, archives and
notes that anybody keeps stay good.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select

from cloud.database.engine import Database
from cloud.database.folders import plants_in, signed_size
from cloud.database.objects import frame_times
from cloud.database.opening import find
from cloud.database.quarantine import is_kept
from cloud.database.reader import PlantReader
from cloud.database.schema import entry as entry_table
from cloud.database.schema import plant as plant_table
from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from cloud.errors import StoreError
from evidence.documents.document import unverified_document
from evidence.log import Entry, Kind, decode_entry, encode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.suites import PublicKey

#: entries, and bytes of objects, of one transaction
ENTRIES, BYTES = 512, 8 * 1024 * 1024
#: told of how many entries are done, and of how many
Progress = Callable[[int, int], None]


def not_copied(root: Path, database: Database) -> list[str]:
    """Plants of a slice's folder of which the database has less than was signed there, sorted.

    Args:
        root: `<evidence_dir>/<slice>`; may be absent.
        database: where they belong.

    Raises:
        StoreError: a checkpoint cannot be read, or the database refuses.
        OSError: the folder cannot be looked into.
    """
    found = list[str]()
    for plant, folder in plants_in(root).items():
        with database.reading() as connection:
            there = connection.scalar(
                select(func.count())
                .select_from(entry_table.join(plant_table))
                .where(plant_table.c.name == plant)
            )
        if (there or 0) < signed_size(folder):
            found.append(plant)
    return found


class Source(Protocol):
    """The evidence of a plant that no collector writes: of a folder, or of another database."""

    @property
    def plant(self) -> str:
        """Plant id."""

    @property
    def size(self) -> int:
        """Entries of the log."""

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` entries."""

    def entries(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """(index, verbatim entry), from `first` on."""

    def objects(self, stream: str, first: int) -> Iterator[bytes]:
        """Objects of a gateway, from seq `first` on."""

    def key_files(self) -> Mapping[str, bytes]:
        """Name -> bytes of certificates and orders."""

    def kept(self, entry: Entry) -> bytes:
        """The object that was put aside for a REJECT entry."""

    def document(self, sha256: bytes) -> bytes:
        """A document of a person."""

    def attached(self, document: bytes, sha256: bytes) -> bytes:
        """A file that is attached to a document, both by their SHA-256."""


class PlantRows:
    """The evidence of a plant in another database.

    Args:
        plant: plant id.
        database: where; whoever has this closes it.
        keys: of the collector, and of earlier ones.

    Raises:
        StoreError: it is not there, is less than was signed, or the database refuses.
    """

    def __init__(self, plant: str, database: Database, keys: Sequence[PublicKey]) -> None:
        found = find(database, plant, keys)
        if found is None:
            raise StoreError(f"{database.name}: no evidence of plant {plant}")
        self.plant = plant
        self._reader = PlantReader(
            plant, found.plant_id, database, lambda: found.committed, found.stream_ids
        )
        self.size = self._reader.size
        self.entries, self.key_files = self._reader.entries, self._reader.key_files
        self.document = self._reader.document

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` entries."""
        return self._reader.compact_range(size).root()

    def objects(self, stream: str, first: int) -> Iterator[bytes]:
        """Objects of a gateway, from seq `first` on."""
        return (one.data for one in self._reader.objects(stream, first))

    def kept(self, entry: Entry) -> bytes:
        """The object that was put aside for a REJECT entry."""
        found = self._reader.kept(entry.sha256)
        return b"" if found is None else found[1]

    def attached(self, document: bytes, sha256: bytes) -> bytes:
        """A file that is attached to a document, both by their SHA-256."""
        return b"".join(self._reader.attached(document, sha256))


def copy_plant(
    source: Source, writer: PlantWriter, store: EvidenceStore,
    progress: Progress = lambda _done, _total: None,
) -> int:  # fmt: skip
    """Copy what the database does not have yet; entries of the whole log.

    Args:
        source: its evidence, which no collector writes.
        writer: of the same plant in the database.
        store: commits it.
        progress: told after each transaction.

    Raises:
        StoreError: the source holds something else than was logged, or the database has another
            log of that plant, or refuses.
    """
    done, size = writer.state.size, source.size
    if done > size or writer.state.tree.root() != source.root_at(done):
        raise StoreError(
            f"{store}: plant {source.plant} has another log there than where it was, from one of "
            f"its first {done} entries on: name an empty database"
        )
    for name, data in source.key_files().items():
        writer.stage_key_file(name, data)
    streams = dict[str, Iterator[bytes]]()
    staged_bytes = 0
    for index, data in source.entries(done):
        staged_bytes += _stage(source, writer, streams, data)
        is_full = (index + 1) % ENTRIES == 0 or staged_bytes >= BYTES
        if is_full or index + 1 == size:
            _commit(store, writer)
            progress(index + 1, size)
            staged_bytes = 0
    if writer.is_dirty:
        _commit(store, writer)
    if writer.state.tree.root() != source.root_at(size):
        raise StoreError(f"{store}: plant {source.plant}: its log gives another root than before")
    return size


def _stage(
    source: Source, writer: PlantWriter, streams: dict[str, Iterator[bytes]], data: bytes
) -> int:
    """Stage an entry with what it speaks of; bytes of that."""
    entry = decode_entry(data)
    if encode_entry(entry) != data:
        raise StoreError(f"plant {source.plant}: a log entry is written in a way of its own")
    if entry.kind in OBJECT_KINDS:
        found = _next(source, writer, streams, entry)
        t0_ns, newest_ns = frame_times(found) if entry.kind is Kind.FRAME else (0, 0)
        writer.stage_as_logged(entry, found, t0_ns=t0_ns, newest_ns=newest_ns)
        return len(found)
    if entry.kind is Kind.RECORD:
        document = source.document(entry.sha256)
        files = {file.sha256 for file in unverified_document(document).files}
        for sha256 in files:
            writer.lay_files({sha256: source.attached(entry.sha256, sha256)})
        writer.add_document(entry.sha256, document, frozenset(files))
    elif is_kept(entry):
        writer.add_aside(entry.sha256, source.kept(entry))
    writer.stage_as_logged(entry)
    return len(data)


def _next(
    source: Source, writer: PlantWriter, streams: dict[str, Iterator[bytes]], entry: Entry
) -> bytes:
    """The object that an entry is of: each stream is read on from where the database stands."""
    if entry.stream not in streams:
        first = writer.stream(entry.stream).next_seq
        streams[entry.stream] = source.objects(entry.stream, first)
    found = next(streams[entry.stream], b"")
    if hashlib.sha256(found).digest() != entry.sha256:
        raise StoreError(
            f"{entry.stream} seq {entry.seq}: another object is there, or none: put the evidence "
            "back from a backup"
        )
    return found


def _commit(store: EvidenceStore, writer: PlantWriter) -> None:
    done, failed = store.commit()
    if writer not in done:
        why: Any = failed.get(writer.plant, "nothing was written")
        raise StoreError(f"{store}: plant {writer.plant}: {why}")
