"""Where a plant's log and streams stand: plain values, and how one more entry moves them. Pure.

The state follows from the log's entries and the objects alone. `LogState.with_entry` is the only
way it moves, for an entry just taken and for one read again at start, so the two cannot differ.
A snapshot of it is written now and then, so that a start reads the last entries and not all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cloud.store.index import Place
from cloud.store.logged import LoggedHashes
from cloud.store.objects import HOUR_NS
from cloud.store.quarantine import is_kept
from cloud.store.tree import grow
from evidence import cbor
from evidence.chain import ZERO_HASH, Head
from evidence.errors import MalformedError, UnsupportedError
from evidence.log import Entry, Kind
from evidence.merkle import CompactRange, leaf_hash
from evidence.records import HEAD_BYTES

SNAPSHOT_VERSION = 4

_NOTHING: MappingProxyType[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where one stream stands.

    Attributes:
        next_seq: the only seq that continues it.
        last: place of its newest object, None before the first.
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
        """Where its next object goes: into the frame's hour, never an earlier one.

        Args:
            entry: the object's log entry.
            log_index: the entry's index.
            t0_ns: of the frame; not looked at for other kinds.
            newest_ns: the frame's newest tick, 0 without any; not looked at for other kinds.
        """
        at_ns, through_ns = self.at_ns, self.through_ns
        if entry.kind is Kind.FRAME:
            at_ns, through_ns = max(at_ns, t0_ns), max(through_ns, newest_ns)
        hour = at_ns // HOUR_NS
        offset = self.last.end if self.last is not None and self.last.hour == hour else 0
        return Place(
            hour, offset, entry.length, entry.kind, entry.sha256, log_index, entry.received_ns,
            at_ns, through_ns,
        )  # fmt: skip

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
        entries_bytes: length of the entries file.
        received_ns: of the newest entry; the next one's is not before it.
        enrolled: SHA-256 of every certificate (DER) an ENROL entry names.
        orders: SHA-256 of every order about keys that was logged.
        kept: SHA-256 of every object that was put aside -> index of its log entry.
        records: SHA-256 of every document of a person -> index of its log entry, in their order.
        streams: gateway id -> its stream.
    """

    tree: CompactRange = field(default_factory=CompactRange)
    entries_bytes: int = 0
    received_ns: int = 0
    enrolled: frozenset[bytes] = frozenset()
    orders: frozenset[bytes] = frozenset()
    kept: Mapping[bytes, int] = field(default_factory=lambda: _NOTHING)
    streams: Mapping[str, StreamState] = field(default_factory=lambda: _NOTHING)
    records: LoggedHashes = field(default_factory=LoggedHashes)

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.tree.size

    def stream(self, stream: str) -> StreamState:
        """A stream; one without objects when it is new."""
        return self.streams.get(stream, StreamState())

    def is_before(self, snapshot: "LogState") -> bool:
        """A snapshot is of this log and of a later day; one of another plant has its certificates.

        A snapshot gets its name last: no commit, whole or not, leaves less than it speaks of.
        """
        return snapshot.size > self.size and snapshot.enrolled >= self.enrolled

    def with_entry(
        self, entry: Entry, data: bytes, place: Place | None
    ) -> tuple["LogState", bytes]:
        """After one more entry.

        Args:
            entry: the entry.
            data: its encoded bytes.
            place: of its object, for `OBJECT_KINDS`.

        Returns:
            The state, and the bytes the tree's file gains.
        """
        tree, nodes = grow(self.tree, leaf_hash(data))
        streams, enrolled = self.streams, self.enrolled
        orders, kept, records = self.orders, self.kept, self.records
        if place is not None:
            moved = self.stream(entry.stream).with_object(place)
            streams = MappingProxyType({**streams, entry.stream: moved})
        elif entry.kind is Kind.ENROL:
            enrolled |= {entry.detail.get("certificate_sha256", entry.sha256)}
        elif entry.kind in (Kind.REVOKE, Kind.REPLACE):
            orders |= {entry.sha256}
        elif entry.kind is Kind.RECORD:
            records = records.adding(entry.sha256, self.size)
        elif is_kept(entry):
            kept = MappingProxyType({**kept, entry.sha256: self.size})
        end = self.entries_bytes + HEAD_BYTES + len(data)
        received_ns = entry.received_ns
        state = LogState(tree, end, received_ns, enrolled, orders, kept, streams, records)
        return state, nodes


def encode_snapshot(state: LogState) -> bytes:
    """CBOR of a state."""
    return cbor.encode(
        [
            SNAPSHOT_VERSION, state.size, list(state.tree.hashes), state.entries_bytes,
            state.received_ns, sorted(state.enrolled), sorted(state.orders),
            sorted([index, sha256] for sha256, index in state.kept.items()),
            {name: _encode_stream(stream) for name, stream in state.streams.items()},
            [[index, sha256] for sha256, index in state.records.items()],
        ]
    )  # fmt: skip


def decode_snapshot(data: bytes) -> LogState:
    """The state of `encode_snapshot`'s bytes.

    Raises:
        UnsupportedError: they are of another version of this program.
        MalformedError: they are anything else.
    """
    value = cbor.decode(data)
    try:
        if value[0] != SNAPSHOT_VERSION:
            raise UnsupportedError(f"snapshot version {value[0]} unknown to this program")
        _, size, hashes, entries_bytes, received_ns, enrolled, orders, *rest = value
        kept, streams, records = rest
        return LogState(
            CompactRange(size, tuple(hashes)), entries_bytes, received_ns,
            frozenset(enrolled), frozenset(orders),
            MappingProxyType({sha256: index for index, sha256 in kept}),
            MappingProxyType({name: _decode_stream(s) for name, s in streams.items()}),
            _logged(records),
        )  # fmt: skip
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise MalformedError(f"not a snapshot: {error}") from error


def _logged(rows: Any) -> LoggedHashes:  # noqa: ANN401 - whatever the CBOR held
    found = LoggedHashes()
    for index, sha256 in rows:
        found = found.adding(sha256, index)
    return found


def _encode_stream(stream: StreamState) -> list[Any]:
    place = stream.last
    if place is None:
        raise ValueError("a stream without objects has no snapshot")
    last = [
        place.hour, place.offset, place.length, int(place.kind), place.sha256, place.log_index,
        place.received_ns, place.at_ns, place.through_ns,
    ]  # fmt: skip
    configs = sorted(([seq, sha256] for sha256, seq in stream.configs.items()))
    return [stream.next_seq, last, configs, stream.close_seq]


def _decode_stream(value: Any) -> StreamState:  # noqa: ANN401 - whatever the CBOR held
    next_seq, last, configs, close_seq = value
    hour, offset, length, kind, *rest = last
    place = Place(hour, offset, length, Kind(kind), *rest)
    known = MappingProxyType({sha256: seq for seq, sha256 in configs})
    return replace(StreamState(next_seq, place, known), close_seq=close_seq)
