"""Writes one plant's evidence: stage entries and objects; the store commits them with others'.

One thread writes; `reader` gives everyone else what is committed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, insert, select

from cloud.database.engine import Database
from cloud.database.lease import Lease
from cloud.database.opening import Found, find
from cloud.database.put import put_once
from cloud.database.quarantine import is_kept, room_for
from cloud.database.reader import PlantReader
from cloud.database.schema import (
    aside,
    attached,
    document,
    entry,
    file_chunk,
    key_file,
    stored,
    stream,
    tile,
)
from cloud.database.state import Committed, LogState, StreamState, mark_of
from cloud.database.tiles import completed
from cloud.errors import StoreError
from evidence import cose
from evidence.checkpoint import Checkpoint, sign
from evidence.keys import Signer
from evidence.log import Entry, Kind, encode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.merkle import leaf_hash
from evidence.points import NAME_ID
from evidence.suites import PublicKey, lower

#: objects of a stream after which it is known how its signatures are written
LOWER_MANY = 32
#: roots remembered: objects in turn name the same one, and a gateway has few under way at a time
ROOTS_MAX = 16
#: bytes of a file in one row
CHUNK_BYTES = 1024 * 1024


class PlantWriter:
    """The writer of one plant's evidence.

    Args:
        found: the plant as it stands.
        database: where.
        lease: of its unit; its epoch goes into every entry.
        signer: the collector's key.
        keys: public halves: the collector's own first, then its earlier ones.
    """

    def __init__(
        self, found: Found, database: Database, lease: Lease, signer: Signer,
        keys: Sequence[PublicKey],
    ) -> None:  # fmt: skip
        self.plant, self.lease = found.plant, lease
        self._plant_id, self._database = found.plant_id, database
        self._signer, self._keys = signer, keys
        self._stream_ids = dict(found.stream_ids)
        self._committed = found.committed
        self._state = self._committed.state
        self._note = ""
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._objects: list[tuple[str, dict[str, Any]]] = []
        self._new_ids: dict[str, int] = {}
        self._leaves: list[bytes] = []
        self._hashes: dict[tuple[str, int], bytes] = {}
        self._roots: dict[int, bytes] = {}
        self._lower: dict[str, bytes] = {}  # streams that have been found to write the lower s
        self._higher: dict[str, int] = {}  # seq of their newest object with the higher one
        self._named: dict[str, tuple[int, bytes]] = {}  # objects that their next ones name
        #: a commit's outcome is not known: the state must be read again before anything is written
        self.is_stale = False
        self.reader = PlantReader(
            self.plant, self._plant_id, database, lambda: self._committed, self._stream_ids
        )

    # -- what is staged: the writer's thread only -------------------------------------------------

    @property
    def state(self) -> LogState:
        """With everything staged."""
        return self._state

    @property
    def is_dirty(self) -> bool:
        """Something is staged."""
        return self._state is not self._committed.state or bool(self._rows)

    def stream(self, stream: str) -> StreamState:
        """A stream with everything staged."""
        return self._state.stream(stream)

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, staged ones included; None when there is none."""
        return self._hashes.get((stream, seq)) or self.reader.hash_at(stream, seq)

    def root_at(self, size: int) -> bytes | None:
        """Root of the committed log's first `size` entries; None when it never had that many."""
        if size > self.reader.size:
            return None
        if size not in self._roots:
            if len(self._roots) == ROOTS_MAX:
                self._roots.clear()
            self._roots[size] = self.reader.compact_range(size).root()
        return self._roots[size]

    def note_named(self, stream: str, seq: int, sha256: bytes) -> None:
        """A well-signed object that came too early says which one is before it."""
        if sha256 and seq == self.stream(stream).next_seq + 1:
            self._named[stream] = seq - 1, sha256

    def must_be_lower(self, stream: str, kid: bytes, sha256: bytes) -> bool:
        """Of an object with the higher s that is due: it was written anew without its key.

        The stream's newest `LOWER_MANY` objects are under this key, and each has the lower s.
        Agents of before wrote either: of so many not one is by chance. One that goes on with what
        a newer agent signed names its own object in the next one.
        """
        due = self.stream(stream).next_seq
        is_named = self._named.get(stream) == (due, sha256)
        is_either = is_named or due - self._higher.get(stream, -LOWER_MANY) < LOWER_MANY
        if not is_either and self._has_lower(stream, kid):
            return True
        self._lower.pop(stream, None)
        self._higher[stream] = due
        return False

    def _has_lower(self, stream: str, kid: bytes) -> bool:
        if self._lower.get(stream) == kid:
            return True
        newest = self.reader.head(stream).next_seq
        if newest < LOWER_MANY:
            return False
        objects = self.reader.objects(stream, newest - LOWER_MANY, newest)
        envelopes = [cose.parse(held.data) for held in objects]
        if not all(e.kid == kid and e.signature == lower(e.signature) for e in envelopes):
            return False
        self._lower[stream] = kid
        return True

    def stage(self, entry: Entry) -> int:
        """Log an entry that has no object, with the next commit; its index.

        `received_ns` is moved up when it lies before the newest entry's; `epoch` is set.
        """
        if entry.kind in OBJECT_KINDS or entry.kind is Kind.RECORD:
            raise ValueError(f"an entry of kind {entry.kind.name} needs its object")
        return self._stage(entry, b"", t0_ns=0, newest_ns=0)

    def stage_object(self, entry: Entry, data: bytes, *, t0_ns: int = 0, newest_ns: int = 0) -> int:
        """Keep an object and log its entry, with the next commit; the entry's index.

        Args:
            entry: of `OBJECT_KINDS`, the stream's next seq; otherwise as for `stage`.
            data: the object, verbatim.
            t0_ns: of a frame.
            newest_ns: newest tick of a frame, 0 without any.
        """
        if self._committed.state.size == 0:
            raise StoreError("its certificates are not kept yet, and come before any object")
        if entry.kind not in OBJECT_KINDS or entry.seq != self.stream(entry.stream).next_seq:
            raise ValueError(f"{entry.stream} seq {entry.seq} is not the next object of its stream")
        return self._stage(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)

    def stage_as_logged(
        self, entry: Entry, data: bytes = b"", *, t0_ns: int = 0, newest_ns: int = 0
    ) -> int:
        """Log an entry of another store as it stands there, with its object; the entry's index."""
        return self._put(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)

    def _stage(self, logged: Entry, data: bytes, *, t0_ns: int, newest_ns: int) -> int:
        received_ns = max(logged.received_ns, self._state.received_ns)
        logged = replace(logged, received_ns=received_ns, epoch=self.lease.epoch)
        return self._put(logged, data, t0_ns=t0_ns, newest_ns=newest_ns)

    def _put(self, logged: Entry, data: bytes, *, t0_ns: int, newest_ns: int) -> int:
        before, received_ns = self._state, logged.received_ns
        encoded = encode_entry(logged)
        leaf, number = leaf_hash(encoded), before.size
        place = None
        if data:
            now = before.stream(logged.stream)
            place = now.next_place(logged, number, t0_ns=t0_ns, newest_ns=newest_ns)
            self._hashes[logged.stream, now.next_seq] = logged.sha256
            row = {
                "seq": now.next_seq, "kind": int(place.kind), "at_ns": place.at_ns,
                "through_ns": place.through_ns, "received_ns": received_ns, "log_number": number,
                "length": len(data), "sha256": logged.sha256, "data": data,
            }  # fmt: skip
            self._objects.append((logged.stream, row))
        mark, sha256 = mark_of(logged)
        self._add(entry, number=number, mark=int(mark), sha256=sha256, data=encoded)
        self._state = before.with_entry(logged, leaf, place)
        self._leaves.append(leaf)
        self._add_tiles()
        return number

    def _add(self, table: Table, **row: Any) -> None:  # noqa: ANN401 - a row's columns
        self._rows.setdefault(table, []).append({"plant_id": self._plant_id, **row})

    def _add_tiles(self) -> None:
        new = {(row["level"], row["number"]): row["hashes"] for row in self._rows.get(tile, ())}

        def get(level: int, number: int) -> bytes | None:
            return new.get((level, number)) or self.reader.tree.tile(level, number)

        for level, number, hashes in completed(self._state.size, self._leaf_hashes, get):
            new[level, number] = hashes
            self._add(tile, level=level, number=number, hashes=hashes)

    def _leaf_hashes(self, first: int, stop: int) -> Sequence[bytes]:
        held = self._committed.state.size
        old = self.reader.tree.leaves(first, min(stop, held)) if first < held else []
        return [*old, *self._leaves[max(first - held, 0) : stop - held]]

    def stage_key_file(self, name: str, data: bytes) -> None:
        """Keep a certificate, or a rotate object, with the next commit.

        The entry that speaks of it is staged apart.
        """
        self._add(key_file, name=name, data=data)

    def stage_order(self, entry: Entry, data: bytes) -> int:
        """Keep an order of the root and log it, with the next commit; the entry's index.

        Args:
            entry: of kind REVOKE or REPLACE.
            data: the order, verbatim.
        """
        self.stage_key_file(f"order-{entry.sha256.hex()}.cose", data)
        return self.stage(entry)

    @property
    def notes(self) -> Sequence[str]:
        """What was not as a clean stop leaves it: a database brings itself in order."""
        return ()

    def require_there(self) -> None:
        """Nothing to look at: each commit looks for itself."""

    def key_file(self, name: str) -> str:
        """Where a certificate or order is kept beside the log, for people."""
        return f"{self._database.name}: {name} of plant {self.plant}"

    def lay_files(self, files: Mapping[bytes, bytes]) -> frozenset[bytes]:
        """Keep files that a document will have, so that its commit only names them. Any thread.

        Args:
            files: SHA-256 -> bytes.

        Returns:
            Their SHA-256, for `stage_record` or `unlay`.

        Raises:
            StoreError: the database refuses; nothing is left of them.
        """
        with self._database.writing() as connection:
            for sha256, data in files.items():
                pieces = range(0, max(len(data), 1), CHUNK_BYTES)
                rows = [
                    {
                        "plant_id": self._plant_id, "sha256": sha256, "number": n,
                        "data": data[at : at + CHUNK_BYTES],
                    }
                    for n, at in enumerate(pieces)
                ]  # fmt: skip
                put_once(connection, file_chunk, rows)
        return frozenset(files)

    def unlay(self, laid: frozenset[bytes]) -> None:
        """Remove files that no document has. StoreError."""
        named = exists().where(
            attached.c.plant_id == self._plant_id, attached.c.file == file_chunk.c.sha256
        )
        with self._database.writing() as connection:
            connection.execute(
                delete(file_chunk)
                .where(file_chunk.c.plant_id == self._plant_id, file_chunk.c.sha256.in_(laid))
                .where(~named)
            )

    def stage_record(self, entry: Entry, data: bytes, files: frozenset[bytes]) -> int:
        """Keep a document of a person with its files, and log it, with the next commit.

        Args:
            entry: of kind RECORD.
            data: the document, verbatim.
            files: what is attached, as `lay_files` left it.

        Returns:
            The entry's index.
        """
        if entry.kind is not Kind.RECORD or entry.sha256 in self._state.records:
            raise ValueError(f"document {entry.sha256.hex()} is logged already, or is none")
        self.add_document(entry.sha256, data, files)
        return self._stage(entry, b"", t0_ns=0, newest_ns=0)

    def add_document(self, sha256: bytes, data: bytes, files: frozenset[bytes]) -> None:
        """Keep a document and name its files, with the next commit; its entry is staged apart."""
        for file in sorted(files):
            self._add(attached, document=sha256, file=file)
        self._add(document, sha256=sha256, data=data)

    def add_aside(self, sha256: bytes, data: bytes) -> None:
        """Keep an object aside, with the next commit; its entry is staged apart."""
        self._add(aside, sha256=sha256, data=data)

    def stage_kept(self, entry: Entry, data: bytes) -> bool:
        """Put an object aside and log its REJECT entry, with the next commit.

        Args:
            entry: with a verdict of `quarantine.KEPT_VERDICTS`; names stream, seq and hash of
                the object.
            data: the object, verbatim.

        Returns:
            False when it was logged before, or there is no room for more of its sort.
        """
        if not is_kept(entry) or not NAME_ID.fullmatch(entry.stream):
            raise ValueError(f"{entry.verdict!r} of {entry.stream!r} is not kept aside")
        kept = self._state.kept
        if entry.sha256 in kept or len(kept) >= room_for(entry):
            return False
        self.add_aside(entry.sha256, data)
        self.stage(entry)
        return True

    # -- the steps of a commit: the store's -------------------------------------------------------

    def sign(self) -> None:
        """Sign the checkpoint of what is staged; KeyFileError where the key refuses."""
        tree = self._state.tree
        note = Checkpoint(self.plant, tree.size, tree.root())
        self._note = sign(note, self._signer, self._keys[0])

    def moved(self) -> tuple[bool, dict[str, Any]]:
        """Its checkpoint is a first one, and how the row moves from the one that is known here."""
        known = self._committed
        row = {
            "of": self._plant_id, "old_size": known.state.size, "old_note": known.checkpoint,
            "size": self._state.size, "note": self._note,
        }  # fmt: skip
        return known.state.size == 0, row

    def add_streams(self, connection: Connection) -> None:
        """Give new streams their rows; StoreError or SQLAlchemyError where that fails."""
        names = {name for name, _ in self._objects} - {*self._stream_ids}
        new = insert(stream).returning(stream.c.id)
        for name in sorted(names):
            row = {"plant_id": self._plant_id, "name": name}
            self._new_ids[name] = connection.execute(new, row).scalar_one()

    def rows(self) -> Mapping[Table, list[dict[str, Any]]]:
        """Everything else that is staged, after `add_streams`."""
        ids = {**self._stream_ids, **self._new_ids}
        objects = [{"stream_id": ids[name], **row} for name, row in self._objects]
        return {stored: objects, **self._rows} if objects else self._rows

    def require_files(self, connection: Connection) -> None:
        """None was taken away between `lay_files` and now; StoreError."""
        files = {row["file"] for row in self._rows.get(attached, ())}
        for sha256 in files:
            there = select(file_chunk.c.number).where(
                file_chunk.c.plant_id == self._plant_id, file_chunk.c.sha256 == sha256
            )
            if connection.execute(there.limit(1)).first() is None:
                raise StoreError(f"file {sha256.hex()} is not kept any more: send it again")

    def settle(self) -> None:
        """What was staged is committed."""
        self._stream_ids.update(self._new_ids)
        self._committed = Committed(self._state, self._note)
        self.is_stale = False
        self._clear()

    def drop(self) -> None:
        """Forget what is staged. Its gateways get no receipt and send it again."""
        self._state = self._committed.state
        self._clear()

    def read_again(self) -> bool:
        """Take the state from the database, after a commit whose outcome is not known.

        Returns:
            False where it is what was known here; then what is staged stays staged.

        Raises:
            StoreError: it is away, or less is there than was signed.
        """
        found = find(self._database, self.plant, self._keys)
        if found is None:
            raise StoreError(f"plant {self.plant}: is not in {self._database.name}")
        self.is_stale = False
        if found.committed.checkpoint == self._committed.checkpoint:
            return False
        self._stream_ids.update(found.stream_ids)
        self._committed = found.committed
        self._roots.clear()
        self.reader.tree.forget()
        self.drop()
        return True

    def _clear(self) -> None:
        self._rows.clear()
        self._objects.clear()
        self._new_ids.clear()
        self._leaves.clear()
        self._hashes.clear()
