"""Checks a plant's evidence as it lies on disk, beside a running collector or without one.

Index, tree, root and state are made again from the log's entries and the objects, and compared
with the stored ones; every difference is a finding. Reads only, takes no lock, and needs no more
memory for a year than for a day. What it reads was under a signed checkpoint when it began: only
ever appended to, so nothing changes under it. Behind that it looks only when nobody writes there.

It does not verify what gateways signed: the log holds the hash of every object, and the collector
verified it then. `stackproof verify` does it again on a sealed month.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from cloud.errors import DamagedLogError
from cloud.store.aside import Waiting, shown_more, tails, waiting
from cloud.store.fsck_beside import BesideCheck
from cloud.store.fsck_findings import Fault, Finding, Findings
from cloud.store.fsck_log import LogCheck
from cloud.store.fsck_streams import StreamCheck
from cloud.store.layout import PlantFolder
from cloud.store.record_file import read_at, size_of
from cloud.store.recovery import entries_give, read_signed, read_unnamed
from cloud.store.state import LogState, decode_snapshot, encode_snapshot
from cloud.store.tree import grow
from evidence.checkpoint import Checkpoint
from evidence.errors import EvidenceError, UnsupportedError
from evidence.keys import Certificate
from evidence.log import Entry, decode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.merkle import leaf_hash
from evidence.records import HEAD_BYTES, encode_record, read_records
from evidence.suites import PublicKey

#: entries done, entries in all (None when unknown)
Progress = Callable[[int, int | None], None]

_PROGRESS_EVERY = 512
#: a running collector may be writing the file that was the checkpoint a moment ago
CHECKPOINT_TRIES = 3


@dataclass(frozen=True)
class Checked:
    """What a check looked at, and what it found.

    Attributes:
        plant: plant id.
        findings: every difference.
        signed: entries of the newest signed checkpoint, None without one.
        entries: of the log that were read.
        objects: accepted by them.
        object_bytes: of the objects that are there as logged.
        root: of the tree over the entries, made again; hex.
        beyond: what stands behind the checkpoint was looked at too (no collector was writing).
        waiting: what starts have set aside; it is no finding.
    """

    plant: str
    findings: Sequence[Finding]
    signed: int | None
    entries: int
    objects: int
    object_bytes: int
    root: str
    beyond: bool
    waiting: Waiting


@dataclass(frozen=True)
class Trusted:
    """What is believed without being found in the plant's folder.

    Attributes:
        root: the plant's root certificate; None believes the one in keys/.
        keys: of the collector; those of collectors certified in keys/ are believed too.
    """

    root: Certificate | None = None
    keys: Sequence[PublicKey] = ()


def check_plant(
    plant: str,
    root: Path,
    trusted: Trusted,
    *,
    is_quiet: Callable[[], bool],
    progress: Progress = lambda _done, _total: None,
    first: int = 0,
) -> Checked:
    """Check everything of a plant.

    Args:
        plant: plant id.
        root: its folder.
        trusted: whose checkpoints are believed.
        is_quiet: True while no collector has written since the check began; without that only
            what is under the checkpoint is looked at.
        progress: told now and then.
        first: objects of log entries before this one are believed, as looked at just before.

    Raises:
        OSError: a file cannot be read.
    """
    return _PlantCheck(plant, PlantFolder(root), trusted, first).run(is_quiet, progress)


class _PlantCheck:
    def __init__(self, plant: str, folder: PlantFolder, trusted: Trusted, first: int) -> None:
        self._plant, self._folder, self._first = plant, folder, first
        self._found = Findings()
        self._beside = BesideCheck(plant, folder, trusted.root, self._found)
        # before the checkpoint: it is written after it, so it speaks of no more entries
        self._stored_state = read_at(folder.snapshot, 0, size_of(folder.snapshot))
        self._snapshot = self._decode_snapshot()
        self._keys = [*trusted.keys, *self._beside.collectors]
        self._signed = self._checkpoint(self._keys)
        self._log = LogCheck(folder, self._signed, self._found)
        self._streams: dict[str, StreamCheck] = {}
        self._state = LogState()
        self._has_unread = False

    def _checkpoint(self, keys: Sequence[PublicKey]) -> Checkpoint | None:
        name = self._name_of(self._folder.checkpoint)
        for tries in range(CHECKPOINT_TRIES, 0, -1):
            try:
                signed, _ = read_signed(self._plant, self._folder, keys)
                break
            except DamagedLogError as error:
                if tries > 1:
                    continue
                reason = str(error).removeprefix(f"{self._folder.checkpoint}: ")
                what = f"is not believed, so nothing says how many log entries there were: {reason}"
                self._found.add(Fault.CHECKPOINT, name, what)
                return None
        if signed is None and size_of(self._folder.entries):
            what = "is missing: nothing says how many log entries there were"
            self._found.add(Fault.CHECKPOINT_MISSING, name, what)
        return signed

    def _decode_snapshot(self) -> LogState | None:
        if not self._stored_state:
            return None
        try:
            (data,) = read_records(self._stored_state)
            return decode_snapshot(data)
        except UnsupportedError:  # before an upgrade, or of the backup of then: starts read past it
            return None
        except (EvidenceError, ValueError) as error:
            self._tell_state(f"is no snapshot of the log's state ({error})")
            return None

    def run(self, is_quiet: Callable[[], bool], progress: Progress) -> Checked:
        total = None if self._signed is None else self._signed.size
        for index, offset, data in self._log.entries():
            nodes = self._skip(index, offset) if data is None else self._follow(index, data)
            self._log.compare(index, offset, nodes, self._state.entries_bytes)
            self._compare_snapshot()
            if index % _PROGRESS_EVERY == 0:
                progress(index, total)
        state = self._state
        progress(state.size, total)
        self._log.finish(state.tree)
        snapshot = self._snapshot
        whole = not self._has_unread and (total is None or state.size == total)
        if whole and snapshot is not None and snapshot.size > state.size:
            self._tell_snapshot(snapshot)
        findings = deepcopy(self._found.all())
        beyond = is_quiet()
        if beyond:
            if whole:  # otherwise files of the entries that cannot be read are there
                self._look_beyond()
            beyond = is_quiet()  # what a collector was writing meanwhile is no finding
        return Checked(
            self._plant, self._found.all() if beyond else findings, total, state.size,
            sum(stream.next_seq for stream in state.streams.values()),
            sum(check.bytes for check in self._streams.values()),
            state.tree.root().hex(), beyond, waiting(self._folder, state),
        )  # fmt: skip

    # -- one entry --------------------------------------------------------------------------------

    def _skip(self, index: int, offset: int) -> bytes:
        """Go over an entry that is not whole, by what tree and offsets say of it."""
        end = self._log.stored_end(index, offset) or offset
        return self._move(self._log.stored_leaf(index), end)

    def _move(self, leaf: bytes, end: int) -> bytes:
        self._has_unread = True
        tree, nodes = grow(self._state.tree, leaf)
        self._state = replace(self._state, tree=tree, entries_bytes=end)
        return nodes

    def _follow(self, index: int, data: bytes) -> bytes:
        """Move the state over one entry; the bytes its tree gains."""
        try:
            entry = decode_entry(data)
        except EvidenceError as error:
            self._tell_entry(Fault.ENTRY_DAMAGED, index, f"is none this program reads ({error})")
            return self._move(leaf_hash(data), self._state.entries_bytes + HEAD_BYTES + len(data))
        if entry.received_ns < self._state.received_ns:
            self._tell_entry(Fault.ENTRY_ORDER, index, "was received before the one before it")
        place = None
        if entry.kind in OBJECT_KINDS:
            jumped = self._jump(index, entry)
            stream = self._state.stream(entry.stream)
            place = self._stream(entry.stream).take(entry, index, stream, jumped=jumped)
        self._beside.take(entry, index)
        self._state, nodes = self._state.with_entry(entry, data, place)
        return nodes

    def _jump(self, index: int, entry: Entry) -> bool:
        """Where an entry's seq is not the next one, what follows is checked from it on."""
        stream = self._state.stream(entry.stream)
        if entry.seq == stream.next_seq:
            return False
        if not self._has_unread:  # otherwise it is an unread entry that is missing, and told
            what = f"accepts {entry.stream} seq {entry.seq} where {stream.next_seq} is next"
            self._tell_entry(Fault.ENTRY_ORDER, index, what)
        moved = {**self._state.streams, entry.stream: replace(stream, next_seq=entry.seq or 0)}
        self._state = replace(self._state, streams=MappingProxyType(moved))
        return True

    def _stream(self, name: str) -> StreamCheck:
        if name not in self._streams:
            self._streams[name] = StreamCheck(name, self._folder, self._found, self._first)
        return self._streams[name]

    def _compare_snapshot(self) -> None:
        state, snapshot = self._state, self._snapshot
        if snapshot is None or snapshot.size != state.size or self._has_unread:
            return
        if any(check.lost for check in self._streams.values()):
            return  # it is not known where what is lost stood
        if self._stored_state != encode_record(encode_snapshot(state)):
            self._tell_state(f"is not the state after the first {state.size} log entries")

    # -- behind the checkpoint --------------------------------------------------------------------

    def _look_beyond(self) -> None:
        """Nobody writes: whatever stands behind the newest signed entry is left from a crash."""
        state = self._state
        self._beside.finish()
        if self._signed and (older := shown_more(tails(self._folder, state), self._settled())):
            name = self._name_of(self._folder.checkpoint)
            self._found.add(Fault.CHECKPOINT_OLDER, name, f"is of before: {older}")
        if self._log.look_beyond(state.size, state.entries_bytes):
            return  # index and objects are those of entries that the next start sees to
        for name in {*state.streams, *self._folder.streams()}:
            self._stream(name).finish(state.stream(name))

    def _settled(self) -> int:
        """Entries that the next start goes on from: the power went, and a name did not last."""
        newer = read_unnamed(self._plant, self._folder, self._keys, self._signed)
        there = (one.size for one, _ in newer if entries_give(self._folder, self._state, one))
        return max([self._state.size, *there])

    # -- findings ---------------------------------------------------------------------------------

    def _tell_state(self, what: str) -> None:
        self._found.add(Fault.STATE, self._name_of(self._folder.snapshot), what)

    def _tell_snapshot(self, snapshot: LogState) -> None:
        """It speaks of more than the checkpoint: one of the two is not of this log.

        Without it the next start would cut what lies behind the checkpoint, and had receipts.
        """
        size = self._state.size
        if self._signed is None or not self._state.is_before(snapshot):
            self._tell_state(f"speaks of {snapshot.size} log entries, there are {size}")
            return
        newer = read_unnamed(self._plant, self._folder, self._keys, self._signed)
        if not any(one.size >= snapshot.size for one, _ in newer):  # the power went: a start's
            what = f"speaks of {size} log entries, {snapshot.size} were committed: it is of before"
            self._found.add(Fault.CHECKPOINT_OLDER, self._name_of(self._folder.checkpoint), what)

    def _tell_entry(self, fault: Fault, index: int, what: str) -> None:
        name = self._name_of(self._folder.entries)
        self._found.add(fault, name, f"log entry {index} {what}", index=index)

    def _name_of(self, path: Path) -> str:
        return str(path.relative_to(self._folder.root))
