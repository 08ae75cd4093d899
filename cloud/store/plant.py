"""Writes one plant's evidence: stage entries and objects, commit them, go back if the disk refuses.

One thread writes; `reader` gives everyone else what is committed.

Order of a commit (`cloud.store.slice` drives it, for many plants at once):
objects, keys, kept objects, documents → sync → index, entries, tree, new checkpoint beside the old
→ sync → checkpoint in place.
A receipt may be signed after the last step, never before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.disk import Disk, Pending, lay, unnamed
from cloud.store.index import PLACE_BYTES, encode_place
from cloud.store.layout import PlantFolder
from cloud.store.quarantine import is_kept, room_for
from cloud.store.reader import OFFSET, Committed, PlantReader
from cloud.store.record_file import read_at
from cloud.store.recovery import cut_to, recover
from cloud.store.state import LogState, StreamState, encode_snapshot
from cloud.store.tree import file_bytes
from evidence import checkpoint, cose
from evidence.keys import Signer
from evidence.log import Entry, Kind, encode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.points import NAME_ID
from evidence.records import encode_record
from evidence.suites import PublicKey, lower

#: entries between two snapshots: bounds what a start after a crash reads again
SNAPSHOT_EVERY = 256
#: objects of a stream after which it is known how its signatures are written
LOWER_MANY = 32
#: SHA-256 of a file -> where its bytes wait for the commit that names it
Laid = Mapping[bytes, Path]
#: roots remembered: objects in turn name the same one, and a gateway has few under way at a time
ROOTS_MAX = 16


def unlay(laid: Laid) -> None:
    """Remove what waits no more; what a commit took has another name by now. OSError."""
    for beside in laid.values():
        beside.unlink(missing_ok=True)


class PlantStore:
    """The writer of one plant's evidence.

    Args:
        plant: plant id.
        root: the plant's folder.
        disk: writes and syncs; shared by the plants of a slice.
        signer: the collector's key.
        keys: public halves: the collector's own first, then its earlier ones.
        epoch: lease epoch, goes into every entry.

    Attributes:
        recovery: what the start found.

    Raises:
        DamagedLogError: less is on disk than was signed.
        OSError: the disk refuses.
    """

    def __init__(
        self, plant: str, root: Path, disk: Disk, *,
        signer: Signer, keys: Sequence[PublicKey], epoch: int,
    ) -> None:  # fmt: skip
        self.plant, self._disk = plant, disk
        self._signer, self._key, self._epoch = signer, keys[0], epoch
        self._folder = PlantFolder(root)
        self._objects, self._log = Pending(), Pending()
        self._committed, self.recovery = recover(plant, self._folder, disk, keys)
        self._state = self._committed.state
        self._note = self._committed.checkpoint
        self._snapshot_size = self._state.size - self.recovery.replayed
        self._torn = False
        self._hashes: dict[tuple[str, int], bytes] = {}
        self._beside: dict[Path, bytes] = {}
        self._laid: dict[Path, Path] = {}
        self._laying = count()
        self._roots: dict[int, bytes] = {}
        self._lower: dict[str, bytes] = {}  # streams that have been found to write the lower s
        self._higher: dict[str, int] = {}  # seq of their newest object with the higher one
        self._named: dict[str, tuple[int, bytes]] = {}  # objects that their next ones name
        self.reader = PlantReader(plant, self._folder, lambda: self._committed)
        if self.recovery.unnamed:
            disk.must_last([self._folder.entries, *self.recovery.segments])
            disk.replace(self._folder.checkpoint, self._note.encode(), often=True)
            disk.sync()
            disk.publish()

    # -- what is staged: the writer's thread only -------------------------------------------------

    @property
    def state(self) -> LogState:
        """With everything staged."""
        return self._state

    @property
    def is_dirty(self) -> bool:
        """Something is staged."""
        return self._state is not self._committed.state

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
        seqs = range(newest - 1, newest - LOWER_MANY - 1, -1)
        if newest < LOWER_MANY or not all(self._is_lower(stream, seq, kid) for seq in seqs):
            return False
        self._lower[stream] = kid
        return True

    def _is_lower(self, stream: str, seq: int, kid: bytes) -> bool:
        (held,) = self.reader.objects(stream, seq, seq + 1)
        envelope = cose.parse(held.data)
        return envelope.kid == kid and envelope.signature == lower(envelope.signature)

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
            # so that a start that finds objects and no log knows the log was lost
            raise StoreError("its certificates are not on disk yet, and come before any object")
        if entry.kind not in OBJECT_KINDS or entry.seq != self.stream(entry.stream).next_seq:
            raise ValueError(f"{entry.stream} seq {entry.seq} is not the next object of its stream")
        return self._stage(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)

    def _stage(self, entry: Entry, data: bytes, *, t0_ns: int, newest_ns: int) -> int:
        before, folder = self._state, self._folder
        received_ns = max(entry.received_ns, before.received_ns)
        entry = replace(entry, received_ns=received_ns, epoch=self._epoch)
        leaf = encode_entry(entry)
        place = None
        if data:
            stream, seq = before.stream(entry.stream), entry.seq or 0
            place = stream.next_place(entry, before.size, t0_ns=t0_ns, newest_ns=newest_ns)
            segment, index = folder.segment(entry.stream, place.hour), folder.index(entry.stream)
            self._objects.add(segment, place.offset, encode_record(data))
            self._log.add(index, seq * PLACE_BYTES, encode_place(place), lasting=False)
            self._hashes[entry.stream, seq] = entry.sha256
        self._state, nodes = before.with_entry(entry, leaf, place)
        self._log.add(folder.entries, before.entries_bytes, encode_record(leaf))
        self._log.add(folder.tree, file_bytes(before.size), nodes, lasting=False)
        end = OFFSET.pack(self._state.entries_bytes)
        self._log.add(folder.offsets, before.size * OFFSET.size, end, lasting=False)
        return before.size

    @property
    def notes(self) -> Sequence[str]:
        """What was not as a clean stop leaves it."""
        return self.recovery.notes

    def unlay(self, laid: Laid) -> None:
        """Remove files that wait no more. OSError."""
        unlay(laid)

    def key_file(self, name: str) -> Path:
        """Where a certificate or order is kept beside the log."""
        return self._folder.keys / name

    def stage_key_file(self, name: str, data: bytes) -> None:
        """Keep a certificate, or a rotate object, in keys/ with the next commit.

        The entry that speaks of it is staged apart.
        """
        self._beside[self.key_file(name)] = data

    def stage_order(self, entry: Entry, data: bytes) -> int:
        """Keep an order of the root in keys/ and log it, with the next commit; the entry's index.

        Args:
            entry: of kind REVOKE or REPLACE.
            data: the order, verbatim.
        """
        self._beside[self._folder.order(entry.sha256)] = data
        return self.stage(entry)

    def lay_files(
        self, files: Mapping[bytes, bytes], held_by: Callable[[bytes], Sequence[bytes]]
    ) -> Laid:
        """Write files that a document will have, so that its commit only names them. Any thread.

        Args:
            files: SHA-256 -> bytes.
            held_by: SHA-256 of a file -> documents that have it: one copy is enough.

        Raises:
            OSError: the disk refuses; nothing is left of them.
        """
        laid = dict[bytes, Path]()
        try:
            for sha256, held in files.items():
                beside = self._folder.records / f"{next(self._laying)}-{sha256.hex()}.new"
                laid[sha256] = beside
                documents = held_by(sha256)
                like = self.reader.attached_path(documents[0], sha256) if documents else None
                lay(beside, held, like)
        except OSError:
            unlay(laid)
            raise
        return laid

    def stage_record(self, entry: Entry, data: bytes, files: Laid) -> int:
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
        for sha256, beside in files.items():
            self._laid[self._folder.attached(entry.sha256, sha256)] = beside
        self._beside[self._folder.record(entry.sha256)] = data
        return self._stage(entry, b"", t0_ns=0, newest_ns=0)

    def stage_kept(self, entry: Entry, data: bytes) -> bool:
        """Put an object aside and log its REJECT entry, with the next commit.

        Args:
            entry: with a verdict of `cloud.store.quarantine.KEPT_VERDICTS`; names stream, seq and
                hash of the object.
            data: the object, verbatim.

        Returns:
            False when it was logged before, or there is no room for more of its sort.
        """
        if not is_kept(entry) or not NAME_ID.fullmatch(entry.stream):
            raise ValueError(f"{entry.verdict!r} of {entry.stream!r} is not kept aside")
        kept = self._state.kept
        if entry.sha256 in kept or len(kept) >= room_for(entry):
            return False
        self._beside[self._folder.kept(entry)] = data
        self.stage(entry)
        return True

    # -- the steps of a commit --------------------------------------------------------------------

    def require_there(self) -> None:
        """Before anything is written: the folder is as this store left it.

        A backup in place of a lost one would be written on behind its end, and spoiled.

        Raises:
            StoreError: it is away, or another is in its place.
            OSError: it cannot be looked at.
        """
        found = read_at(self._folder.checkpoint, 0, checkpoint.TEXT_BYTES_MAX)
        # the newest note is not committed where a commit failed and could not be undone
        if found not in (self._committed.checkpoint.encode(), self._note.encode()):
            raise StoreError(
                f"{self._folder.root}: is not as this collector left it: it was taken away, or "
                "another was put in its place. Nothing is written there: put it back, or start "
                "the collector again to go on with what is there"
            )

    def write_objects(self) -> None:
        """First step: objects into segments, keys, kept objects and documents beside (unsynced).

        The latter get their names when the disk publishes, which is before the log's turn: what
        the log speaks of is there.
        """
        if self._torn:
            self.undo()
        for path, data in self._beside.items():
            self._disk.replace(path, data)
        for path, beside in self._laid.items():
            self._disk.adopt(beside, path)
        self._objects.write(self._disk)

    def write_log(self) -> None:
        """Second step: index, entries, tree, and the new checkpoint beside the old one."""
        self._log.write(self._disk)
        state = self._state
        note = checkpoint.Checkpoint(self.plant, state.size, state.tree.root())
        self._note = checkpoint.sign(note, self._signer, self._key)
        self._disk.replace(self._folder.checkpoint, self._note.encode(), often=True)
        if state.size - self._snapshot_size >= SNAPSHOT_EVERY:
            self._write_snapshot()

    def write_snapshot(self) -> None:
        """For a clean stop: what the next start needs, so that it reads no entry again.

        Takes effect with the disk's next `sync` and `publish`; nothing may be staged.
        """
        if self._state.size != self._snapshot_size:
            self._write_snapshot()

    def _write_snapshot(self) -> None:
        folder, state = self._folder, self._state
        indices = [folder.index(name) for name in state.streams]
        self._disk.must_last([folder.offsets, folder.tree, *indices])
        self._disk.replace(folder.snapshot, encode_record(encode_snapshot(state)))
        self._snapshot_size = state.size

    def settle(self) -> None:
        """Last step, after the checkpoint is in place: what was staged is committed."""
        self._committed = Committed(self._state, self._note)
        self._clear()

    def undo(self) -> None:
        """Cut the files back to what is committed; what is staged stays staged."""
        self._torn = True
        self._restore_checkpoint()
        cut_to(self._folder, self._committed.state)
        if self._snapshot_size > self._committed.state.size:
            self._snapshot_size = 0  # the next commit writes one
        for path in self._beside:  # they can be large, and the disk may be full
            self._disk.remove(unnamed(path))
        self._torn = False

    def _restore_checkpoint(self) -> None:
        """Nobody has seen the new checkpoint; left in place it would speak of what is cut."""
        path, note = self._folder.checkpoint, self._committed.checkpoint
        if read_at(path, 0, checkpoint.TEXT_BYTES_MAX) == note.encode():
            return  # a snapshot gets its name after it: that one is of before, too
        if self._snapshot_size > self._committed.state.size:
            self._disk.remove(self._folder.snapshot)  # it speaks of what is cut
        if note:
            self._disk.replace(path, note.encode())
            self._disk.sync(self._folder.root)
            self._disk.publish()
        else:
            self._disk.remove(path)
        self._disk.sync(self._folder.root)  # before anything it speaks of is cut

    def drop(self) -> None:
        """Forget what is staged. Its gateways get no receipt and send it again."""
        self._state = self._committed.state
        self._clear()

    def _clear(self) -> None:
        self._objects.clear()
        self._log.clear()
        self._hashes.clear()
        self._beside.clear()
        self._laid.clear()
