"""Where a plant's log and streams stand: plain values, and how one more entry moves them. Pure.

`LogState.with_entry` is the only way they move: for an entry just staged, and for marked ones read
again when a plant is opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from cloud.database.logged import LoggedHashes
from cloud.database.quarantine import is_kept
from evidence.chain import ZERO_HASH, Head
from evidence.log import Entry, Kind
from evidence.merkle import CompactRange

_NOTHING: MappingProxyType[Any, Any] = MappingProxyType({})


class Mark(IntEnum):
    """Entries that a plant's state knows by their hash; a column of `entry`."""

    NONE = 0
    ENROLLED = 1
    ORDER = 2
    RECORD = 3
    ASIDE = 4


def mark_of(entry: Entry) -> tuple[Mark, bytes]:
    """How the state knows an entry, and by which hash."""
    if entry.kind is Kind.ENROL:
        return Mark.ENROLLED, entry.detail.get("certificate_sha256", entry.sha256)
    if entry.kind in (Kind.REVOKE, Kind.REPLACE):
        return Mark.ORDER, entry.sha256
    if entry.kind is Kind.RECORD:
        return Mark.RECORD, entry.sha256
    return (Mark.ASIDE if is_kept(entry) else Mark.NONE), entry.sha256


@dataclass(frozen=True, slots=True)
class Place:
    """One object of a stream without its bytes.

    Attributes:
        kind: of its log entry.
        sha256: of the object.
        length: its bytes.
        log_index: of its log entry.
        received_ns: of its log entry.
        at_ns: t0 of the frame, or of the frame before it, 0 before the first.
        through_ns: newest tick of the stream so far, 0 before the first.
    """

    kind: Kind
    sha256: bytes
    length: int
    log_index: int
    received_ns: int
    at_ns: int
    through_ns: int


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where one stream stands.

    Attributes:
        next_seq: the only seq that continues it.
        last: its newest object, None before the first.
        configs: SHA-256 of each signed configuration -> seq, oldest first.
        close_seq: seq of its newest close object, None before the first.
    """

    next_seq: int = 0
    last: Place | None = None
    configs: MappingProxyType[bytes, int] = field(default_factory=lambda: _NOTHING)
    close_seq: int | None = None

    @property
    def head(self) -> Head:
        """For `evidence.chain.follow`."""
        return Head(self.next_seq, self.last.sha256 if self.last else ZERO_HASH)

    @property
    def newest_config(self) -> bytes | None:
        """SHA-256 of its newest configuration, None before the first."""
        return next(reversed(self.configs), None)

    @property
    def at_ns(self) -> int:
        """t0 of its newest frame, 0 before the first."""
        return self.last.at_ns if self.last else 0

    @property
    def through_ns(self) -> int:
        """Its newest tick, 0 before the first."""
        return self.last.through_ns if self.last else 0

    def next_place(self, entry: Entry, log_index: int, *, t0_ns: int, newest_ns: int) -> Place:
        """Its next object; the times are looked at for frames only and never go backwards."""
        at_ns, through_ns = self.at_ns, self.through_ns
        if entry.kind is Kind.FRAME:
            at_ns, through_ns = max(at_ns, t0_ns), max(through_ns, newest_ns)
        return Place(
            entry.kind, entry.sha256, entry.length, log_index, entry.received_ns, at_ns, through_ns
        )

    def with_object(self, place: Place) -> "StreamState":
        """After one more object."""
        configs, close_seq = self.configs, self.close_seq
        if place.kind is Kind.CONFIG:
            configs = MappingProxyType({**configs, place.sha256: self.next_seq})
        elif place.kind is Kind.PLANT_CLOSE:
            close_seq = self.next_seq
        return StreamState(self.next_seq + 1, place, configs, close_seq)


@dataclass(frozen=True, slots=True)
class LogState:
    """Where a plant's log stands.

    Attributes:
        tree: its Merkle tree; `tree.size` is the number of entries.
        received_ns: of the newest entry; the next one's is not before it.
        enrolled: SHA-256 of every certificate (DER) an ENROL entry names.
        orders: SHA-256 of every order about keys that was logged.
        kept: SHA-256 of every object that was put aside -> index of its log entry.
        records: SHA-256 of every document of a person -> index of its log entry, in their order.
        streams: gateway id -> its stream.
    """

    tree: CompactRange = field(default_factory=CompactRange)
    received_ns: int = 0
    enrolled: frozenset[bytes] = frozenset()
    orders: frozenset[bytes] = frozenset()
    kept: Mapping[bytes, int] = field(default_factory=lambda: _NOTHING)
    records: LoggedHashes = field(default_factory=LoggedHashes)
    streams: Mapping[str, StreamState] = field(default_factory=lambda: _NOTHING)

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.tree.size

    def stream(self, stream: str) -> StreamState:
        """A stream; one without objects when it is new."""
        return self.streams.get(stream, StreamState())

    def with_entry(self, entry: Entry, leaf: bytes, place: Place | None) -> "LogState":
        """After one more entry.

        Args:
            entry: the entry.
            leaf: its leaf hash.
            place: of its object, for `OBJECT_KINDS`.
        """
        state = replace(self, tree=self.tree.append(leaf), received_ns=entry.received_ns)
        if place is not None:
            moved = self.stream(entry.stream).with_object(place)
            return replace(state, streams=MappingProxyType({**self.streams, entry.stream: moved}))
        return state.with_mark(*mark_of(entry), self.size)

    def with_mark(self, mark: Mark, sha256: bytes, index: int) -> "LogState":
        """Knowing the entry of that index by its hash."""
        match mark:
            case Mark.ENROLLED:
                return replace(self, enrolled=self.enrolled | {sha256})
            case Mark.ORDER:
                return replace(self, orders=self.orders | {sha256})
            case Mark.RECORD:
                return replace(self, records=self.records.adding(sha256, index))
            case Mark.ASIDE:
                return replace(self, kept=MappingProxyType({**self.kept, sha256: index}))
        return self


@dataclass(frozen=True, slots=True)
class Committed:
    """What a plant's newest commit left.

    Attributes:
        state: of log and streams.
        checkpoint: signed note of it; "" before the first commit.
    """

    state: LogState
    checkpoint: str
