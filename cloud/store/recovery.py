"""Finds out, at start, how far a plant's evidence reaches, and cuts what lies beyond.

What the newest checkpoint speaks of is the truth. From the newest snapshot on (or from nothing) its
entries are read again: one counts when it is whole and its object is whole on disk. What lies
behind is cut, whole or not: whoever can write here could have put it there, and this start would
sign it. No crash leaves a receipt for it, and who sent it sends it again; for the case that it was
no crash, what is signed of it is set aside first (`cloud.store.aside`). Index, tree and offsets are
written anew.

What was signed must still be there: a log shorter than its checkpoint, with another root, or with
no checkpoint at all is `DamagedLogError`. So is one whose checkpoint is older than what else is
there. Then nothing is cut and nothing is appended.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path

from cloud.errors import DamagedLogError, StoreError
from cloud.store.aside import remove_logged, set_aside, shown_more, tails
from cloud.store.disk import Disk, Pending, cut, unnamed
from cloud.store.index import PLACE_BYTES, IndexFile, Place, encode_place
from cloud.store.layout import PlantFolder
from cloud.store.reader import OFFSET, Committed
from cloud.store.record_file import read_at, record_at, size_of, whole_records
from cloud.store.state import LogState, StreamState, decode_snapshot
from cloud.store.tree import TreeFile, file_bytes
from evidence import checkpoint, cose
from evidence.checkpoint import TEXT_BYTES_MAX, Checkpoint
from evidence.errors import EvidenceError
from evidence.frame import decode_body
from evidence.log import Entry, Kind, decode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.merkle import leaf_hash
from evidence.records import read_records
from evidence.suites import PublicKey

_WRITE_EVERY = 1024
_OLDER = "but the checkpoint speaks of"
_NOT_THERE = "log entries were signed and are not there: a commit failed, or they were taken away"


@dataclass
class Recovery:
    """What a start found.

    Attributes:
        notes: one sentence for each thing that was not as a clean stop leaves it.
        replayed: entries read again after the snapshot.
        segments: files of the objects read again.
        unnamed: the newest checkpoint has not got its name yet: sync all, then give it that.
    """

    notes: list[str] = field(default_factory=list)
    replayed: int = 0
    segments: set[Path] = field(default_factory=set)
    unnamed: bool = False


def recover(
    plant: str, folder: PlantFolder, disk: Disk, keys: Sequence[PublicKey]
) -> tuple[Committed, Recovery]:
    """Bring a plant's folder to the newest state that is whole.

    Args:
        plant: plant id.
        folder: its files; an absent or empty one is a new plant.
        disk: rebuilds what can be rebuilt.
        keys: keys a checkpoint may be signed with (the collector's, newest first).

    Raises:
        DamagedLogError: less is there than was signed, or other than it.
    """
    signed, note = read_signed(plant, folder, keys)
    snapshot, why = _snapshot(folder)
    left = None if why else snapshot
    problem, found = "", Recovery()
    starts = [LogState()] if left is None else [left, LogState()]
    newer = read_unnamed(plant, folder, keys, signed)
    is_there = any(entries_give(folder, starts[0], one) for one, _ in newer)
    newest_first = [*newer, *([] if is_there else [(signed, note)])]
    # both from the snapshot first: one that a failed commit left beside would have all read again
    for start, (wanted, text) in product(starts, newest_first):
        size = None if wanted is None else wanted.size
        if left is not None and size is not None and left.size > size:
            problem = f"{left.size} log entries were committed, {_OLDER} {size}"
            continue
        found = Recovery([why] if why else [])
        replay = _Replay(folder, disk, start, found)
        replay.run(size)
        problem = _contradiction(folder, replay.state, wanted, snapshot)
        if not problem and wanted and snapshot and replay.state.is_before(snapshot):
            problem = f"{snapshot.size} log entries were committed, {_OLDER} {size}"
        if not problem:
            found.unnamed = wanted is not signed
            if newer and not found.unnamed:
                found.notes.append(f"log/checkpoint.new: {newer[0][0].size} {_NOT_THERE}")
            return _begin(folder, disk, replay.state if wanted else LogState(), text, found)
    seen = "; ".join(found.notes)
    raise DamagedLogError(
        f"{folder.root}: {problem}{f' ({seen})' if seen else ''}. Nothing was cut; restore this "
        "plant from a backup"
    )


def entries_give(folder: PlantFolder, start: LogState, signed: Checkpoint) -> bool:
    """All entries of a checkpoint are there. Then their objects were: those are synced before."""
    tree = start.tree
    more = max(0, signed.size - start.size)
    for record in islice(whole_records(folder.entries, start.entries_bytes), more):
        tree = tree.append(leaf_hash(record.data))
    return (tree.size, tree.root()) == (signed.size, signed.root)


def _begin(
    folder: PlantFolder, disk: Disk, state: LogState, note: str, found: Recovery
) -> tuple[Committed, Recovery]:
    """Cut what lies behind a state, when what is signed of it is set aside.

    Raises:
        DamagedLogError: more lies there than one commit can leave, by its entries or its objects.
        StoreError: the disk refuses to have it set aside; nothing was cut.
    """
    behind, older = tails(folder, state), ""
    count = sum(1 for _ in whole_records(folder.entries, state.entries_bytes))
    if count and found.unnamed:  # a name lasts before the next commit's entries are written
        older = f"{count} entries lie behind the one beside it, of {state.size}"
    if older := older or shown_more(behind, state.size):
        raise DamagedLogError(
            f"{folder.root}: the checkpoint is older than the log: {older}. Nothing was cut; put "
            "the newest checkpoint back, or restore this plant from a backup"
        )
    if count:
        what = f"{count} whole entries that no checkpoint speaks of"
        found.notes.append(f"{folder.entries.relative_to(folder.root)}: {what}, are cut")
    if not found.unnamed:  # otherwise what it speaks of is not synced yet
        found.notes += remove_logged(folder, state)
    found.notes += set_aside(folder, state, behind)
    disk.forget()  # files made of entries that go may go, too; a snapshot has the others last
    found.replayed = min(found.replayed, state.size)
    found.notes += cut_to(folder, state)
    _clear_up(folder)
    return Committed(state, note), found


def read_unnamed(
    plant: str, folder: PlantFolder, keys: Sequence[PublicKey], signed: Checkpoint | None
) -> list[tuple[Checkpoint, str]]:
    """A newer checkpoint that a commit signed, but whose name did not last: one, or none.

    Its entries were synced with it, and it may have been told.
    """
    beside = unnamed(folder.checkpoint)
    try:
        found, text = _verified(plant, beside, read_at(beside, 0, TEXT_BYTES_MAX + 1), keys)
    except DamagedLogError:  # half written, so nobody was told
        return []
    if signed is None:  # a first commit's, which has certificates alone: later there is another
        return [] if folder.streams() else [(found, text)]
    return [(found, text)] if found.size > signed.size else []


def read_signed(
    plant: str, folder: PlantFolder, keys: Sequence[PublicKey]
) -> tuple[Checkpoint | None, str]:
    """The newest checkpoint, None where there is none."""
    data = read_at(folder.checkpoint, 0, TEXT_BYTES_MAX + 1)
    return _verified(plant, folder.checkpoint, data, keys) if data else (None, "")


def _verified(
    plant: str, path: Path, data: bytes, keys: Sequence[PublicKey]
) -> tuple[Checkpoint, str]:
    problem: Exception | None = None
    for key in keys:
        try:
            text = data.decode()
            found = checkpoint.verify(text, key)
        except (EvidenceError, UnicodeDecodeError) as error:
            problem = error
            continue
        if found.plant != plant:
            raise DamagedLogError(f"{path}: is of plant {found.plant}, not {plant}")
        return found, text
    raise DamagedLogError(
        f"{path}: {problem or 'there is no key to check it with'}. It is not signed "
        "by a collector key of this plant; put that collector's certificate into keys/, or "
        "restore this plant from a backup"
    )


def replay_signed(folder: PlantFolder, disk: Disk, size: int) -> LogState:
    """Make index, offsets and tree again from the first `size` entries and their objects.

    Nothing of the old ones is believed: remove them first. Ends early at an entry that is not
    whole with its object.
    """
    replay = _Replay(folder, disk, LogState(), Recovery())
    replay.run(size)
    return replay.state


def left_state(folder: PlantFolder) -> LogState | None:
    """What the last clean stop left, where the files bear it out; None otherwise. Reads only."""
    state, why = _snapshot(folder)
    return None if why else state


def _snapshot(folder: PlantFolder) -> tuple[LogState | None, str]:
    """The snapshot, None where there is none; and why it is not borne out by the files, or ""."""
    if not folder.snapshot.exists():
        return None, ""
    state: LogState | None = None
    try:
        (data,) = read_records(folder.snapshot.read_bytes())
        state = decode_snapshot(data)
        for path, size in _lengths(folder, state):
            if size_of(path) < size:
                return state, f"{path.relative_to(folder.root)}: cut short; everything is read"
        for name, stream in state.streams.items():
            if IndexFile(folder.index(name)).place(stream.next_seq - 1) != stream.last:
                return state, f"index of {name} differs from the snapshot; everything is read"
        if TreeFile(folder.tree).compact_range(state.size) != state.tree:
            return state, "the tree differs from the snapshot; everything is read"
    except (EvidenceError, StoreError, ValueError) as error:
        return state, f"{folder.snapshot}: not usable ({error}); everything is read"
    return state, ""


def _lengths(folder: PlantFolder, state: LogState) -> list[tuple[Path, int]]:
    """Files of a state with the length they have at least."""
    streams = [(name, s, s.last) for name, s in state.streams.items() if s.last is not None]
    return [
        (folder.entries, state.entries_bytes),
        (folder.offsets, state.size * OFFSET.size),
        (folder.tree, file_bytes(state.size)),
        *((folder.index(name), s.next_seq * PLACE_BYTES) for name, s, _ in streams),
        *((folder.segment(name, last.hour), last.end) for name, _, last in streams),
    ]


def _contradiction(
    folder: PlantFolder,
    state: LogState,
    signed: Checkpoint | None,
    snapshot: LogState | None,
) -> str:
    """What was signed and is not there, "" when all is there."""
    if signed is not None:
        if state.size < signed.size:
            return (
                f"the checkpoint speaks of {signed.size} log entries, but only {state.size} are "
                "there whole, with their objects"
            )
        if TreeFile(folder.tree).compact_range(signed.size).root() != signed.root:
            return f"the first {signed.size} log entries do not give the signed root"
        return ""
    if snapshot is not None:
        return f"{snapshot.size} log entries were committed, but there is no checkpoint"
    beside = [*folder.records.glob("*.cose"), *folder.quarantine.glob("*.cose")]
    if folder.streams() or state.records or state.kept or beside:
        return "there is evidence, but no checkpoint"
    return ""


def cut_to(folder: PlantFolder, state: LogState) -> list[str]:
    """Cut every file to what the state says; a sentence for each that was longer.

    Whole segments beyond it are removed: their objects have no log entry.
    """
    notes = []
    for path, length in _lengths(folder, state):
        if gone := cut(path, length):
            notes.append(f"{path.relative_to(folder.root)}: {gone} bytes cut")
    for name in folder.streams():
        last = state.stream(name).last
        for hour in list(folder.hours(name, -1 if last is None else last.hour)):
            path = folder.segment(name, hour)
            if gone := size_of(path):
                notes.append(f"{path.relative_to(folder.root)}: {gone} bytes without entry removed")
            path.unlink()
        if last is None:
            folder.index(name).unlink(missing_ok=True)
    return notes


def _clear_up(folder: PlantFolder) -> None:
    """Remove what a commit that never finished left half written beside the log."""
    for beside in (folder.keys, folder.quarantine, folder.records):
        for leftover in beside.glob("*.new"):
            leftover.unlink()


class _Replay:
    """Reads entries and objects again from a state on and rebuilds what follows from them."""

    def __init__(self, folder: PlantFolder, disk: Disk, start: LogState, found: Recovery) -> None:
        self.state = start
        self._folder, self._disk, self._found = folder, disk, found
        self._pending = Pending()

    def run(self, size: int | None = None) -> None:
        """Move the state to the last entry that is whole with its object, or to `size` entries."""
        for record in whole_records(self._folder.entries, self.state.entries_bytes):
            if self.state.size == size or not self._take(record.data):
                break
            if self._found.replayed % _WRITE_EVERY == 0:
                self._write()
        self._write()

    def _take(self, data: bytes) -> bool:
        try:
            entry = decode_entry(data)
            place = self._place(entry) if entry.kind in OBJECT_KINDS else None
        except EvidenceError as error:
            self._note(self._folder.entries, f"entry {self.state.size}: {error}")
            return False
        if entry.kind in OBJECT_KINDS and place is None:
            where = f"object {entry.stream} seq {entry.seq} of entry {self.state.size}"
            self._note(self._folder.entries, f"{where} is not whole on disk")
            return False
        self._step(entry, data, place)
        return True

    def _step(self, entry: Entry, data: bytes, place: Place | None) -> None:
        before, add = self.state, self._pending.add
        self.state, nodes = before.with_entry(entry, data, place)
        self._found.replayed += 1
        add(self._folder.tree, file_bytes(before.size), nodes)
        end = OFFSET.pack(self.state.entries_bytes)
        add(self._folder.offsets, before.size * OFFSET.size, end)
        if place is not None:
            at = before.stream(entry.stream).next_seq * PLACE_BYTES
            add(self._folder.index(entry.stream), at, encode_place(place))
            self._found.segments.add(self._folder.segment(entry.stream, place.hour))

    def _write(self) -> None:
        self._pending.write(self._disk)
        self._pending.clear()

    def _place(self, entry: Entry) -> Place | None:
        """Where the entry's object stands, None when it is not there whole."""
        stream = self.state.stream(entry.stream)
        if entry.seq != stream.next_seq:
            return None
        for hour, offset in self._candidates(entry.stream, stream):
            data = record_at(self._folder.segment(entry.stream, hour), offset, entry.length)
            if data is None or hashlib.sha256(data).digest() != entry.sha256:
                continue
            indexed = self._indexed(entry, stream)
            if indexed is not None and (indexed.hour, indexed.offset) == (hour, offset):
                return indexed
            t0_ns, newest_ns = frame_times(data) if entry.kind is Kind.FRAME else (0, 0)
            place = stream.next_place(entry, self.state.size, t0_ns=t0_ns, newest_ns=newest_ns)
            return place if (place.hour, place.offset) == (hour, offset) else None
        return None

    def _candidates(self, name: str, stream: StreamState) -> Iterator[tuple[int, int]]:
        """Where a stream's next object can stand: behind the last one, or in the next hour."""
        after = -1
        if stream.last is not None:
            after = stream.last.hour
            yield after, stream.last.end
        for hour in self._folder.hours(name, after):
            if size_of(self._folder.segment(name, hour)):
                yield hour, 0
                return

    def _indexed(self, entry: Entry, stream: StreamState) -> Place | None:
        """The index's own record of the object, so that its body need not be decoded."""
        try:
            place = IndexFile(self._folder.index(entry.stream)).place(stream.next_seq)
        except StoreError:
            return None
        wanted = (entry.kind, entry.sha256, entry.length, entry.received_ns, self.state.size)
        found = (place.kind, place.sha256, place.length, place.received_ns, place.log_index)
        return place if found == wanted else None

    def _note(self, path: Path, sentence: str) -> None:
        self._found.notes.append(f"{path.relative_to(self._folder.root)}: {sentence}")


def frame_times(data: bytes) -> tuple[int, int]:
    """(t0, newest tick) of a frame's bytes in nanoseconds; newest is 0 without any tick."""
    body = decode_body(cose.parse(data).payload)
    return body.t0_ns, max((section.last_ns for section in body.sections), default=0)
