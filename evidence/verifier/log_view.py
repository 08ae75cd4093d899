"""What the log says, held compactly: a month's entries in columns, not in objects. Pure.

A month of one gateway has 260,000 entries and more; each takes about 140 bytes here, hash tree
included. Objects are looked up by stream and seq, roots by size.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence import cbor, merkle
from evidence.errors import LimitError
from evidence.log import Entry, Kind

#: gateways of a plant, and keys of all of them, in one archive's piece of the log
STREAMS_MAX, KEYS_MAX = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log says of one accepted object.

    Attributes:
        index: of its entry.
        received_ns: when the collector took it, UTC nanoseconds by the collector's clock.
        sha256, length: of the whole object.
        key_sha256: of the key that verified it.
        kind: of its entry.
        gap_sha256: over the CBOR of the detail of the gap entry directly after its own, None
            when there is none.
    """

    index: int
    received_ns: int
    sha256: bytes
    length: int
    key_sha256: bytes | None
    kind: Kind
    gap_sha256: bytes | None


class _Stream:
    """Where the accepted objects of one stream stand in the columns, in ascending order of seq."""

    def __init__(self) -> None:
        self.seqs = array("Q")
        self.rows = array("I")

    def find(self, seq: int) -> int | None:
        at = bisect_left(self.seqs, seq)
        if at < len(self.seqs) and self.seqs[at] == seq:
            return self.rows[at]
        return None


@dataclass
class LogView:
    """What the log says about this month.

    Attributes:
        tree: the log's tree, from before the first entry in the archive to the last.
        size: entries up to the checkpoint.
        root: the checkpoint's root.
        close: detail of the month-close entry, None when there is none.
        statement_sha256: what that entry closes.
        finals: month -> statement of its newest final close before that entry, as far as is here.
        closed_ns: when, UTC nanoseconds by the collector's clock; 0 when it does not.
        undecided: True when an entry, or the checkpoint's key, is newer than this program.
        whole: True when all its entries could be read.
    """

    tree: merkle.Tree = field(default_factory=merkle.Tree)
    size: int = 0
    root: bytes = b""
    close: dict[str, Any] | None = None
    statement_sha256: bytes = b""
    closed_ns: int = 0
    finals: dict[str, bytes] = field(default_factory=dict)
    undecided: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        self._received = array("Q")  # of every entry
        self._streams: dict[str, _Stream] = {}
        # of every accepted object, a row each
        self._entry = array("I")
        self._sha256 = bytearray()
        self._length = array("Q")
        self._key = array("I")
        self._keys: list[bytes | None] = []
        self._key_number: dict[bytes | None, int] = {}
        self._kind = array("B")
        self._gaps: dict[int, bytes] = {}

    def go_on(self) -> None:
        """Another entry follows: what closes the month, "YYYY-MM", is the last one."""
        if self.close is not None and self.close.get("closing") == "final":
            self.finals[str(self.close.get("month"))[:7]] = self.statement_sha256
        self.close = None

    def add(self, data: bytes, received_ns: int) -> None:
        """Take the next entry's bytes into the tree; `received_ns` as the log stands there."""
        self.tree.append(merkle.leaf_hash(data))
        self._received.append(received_ns)

    def accept(self, entry: Entry) -> bool:
        """Take the acceptance the entry added next will be; False when it does not ascend.

        Raises:
            LimitError: it is of one stream or one key too many.
        """
        if entry.seq is None:
            raise ValueError("the entry accepts no object")
        stream = self._streams.get(entry.stream)
        if stream is None:
            if len(self._streams) == STREAMS_MAX:
                raise LimitError(f"it accepts objects of more than {STREAMS_MAX} gateways")
            stream = self._streams[entry.stream] = _Stream()
        if stream.seqs and entry.seq <= stream.seqs[-1]:
            return False
        number = self._key_number.setdefault(entry.certificate, len(self._keys))
        if number == len(self._keys):
            if number == KEYS_MAX:
                raise LimitError(f"it accepts objects under more than {KEYS_MAX} keys")
            self._keys.append(entry.certificate)
        row = len(self._entry)
        stream.seqs.append(entry.seq)
        stream.rows.append(row)
        self._entry.append(len(self._received))
        self._sha256 += entry.sha256
        self._length.append(entry.length)
        self._key.append(number)
        self._kind.append(entry.kind)
        return True

    def accept_gap(self, entry: Entry) -> bool:
        """Take a gap entry; False when it does not stand directly after its frame's."""
        row = len(self._entry) - 1
        if row < 0 or self._entry[row] != len(self._received) - 1 or entry.seq is None:
            return False
        stream = self._streams.get(entry.stream)
        if stream is None or stream.find(entry.seq) != row:
            return False
        of = (self._logged(row).sha256, self._length[row], self._keys[self._key[row]])
        if of != (entry.sha256, entry.length, entry.certificate):
            return False
        self._gaps[row] = gap_sha256(entry.detail)
        return True

    def streams(self) -> dict[str, int]:
        """Gateway id -> how many objects of it are accepted here."""
        return {name: len(stream.rows) for name, stream in self._streams.items()}

    def entry(self, stream: str, seq: int) -> Logged | None:
        """What the log says of the object at a place, None when it accepted none there."""
        found = self._streams.get(stream)
        row = found.find(seq) if found is not None else None
        return None if row is None else self._logged(row)

    def _logged(self, row: int) -> Logged:
        number = self._entry[row]
        return Logged(
            self.tree.start.size + number,
            self._received[number],
            bytes(self._sha256[32 * row : 32 * row + 32]),
            self._length[row],
            self._keys[self._key[row]],
            Kind(self._kind[row]),
            self._gaps.get(row),
        )

    def received_at(self, index: int) -> int | None:
        """When the entry of this index was received; None when it is not in the archive."""
        number = index - self.tree.start.size
        return self._received[number] if 0 <= number < len(self._received) else None


def gap_sha256(told: Mapping[str, Any]) -> bytes:
    """What stands for a gap here: its words may be long, and a month may have many."""
    return hashlib.sha256(cbor.encode(dict(told))).digest()
