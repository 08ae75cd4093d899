"""Which key may sign which object of a stream. Pure; collector and verifier share it.

A stream has one key at a time. It changes by a rotate object or a replace order only, ends by a
revoke, and counts only while a certificate of it is valid at the collector's time of receipt. A
rotate object by a key that is not good there hands over nothing, also where the order that ends
that key came later: what a thief has handed over is the thief's. FORMAT.md "Keys".
"""

import datetime as dt
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509

from evidence.errors import EvidenceError, MalformedError
from evidence.keys import key_sha256, public_key
from evidence.orders import Order, Replace, Revoke
from evidence.suites import PublicKey

#: keys of one gateway: rotated every day, a certificate's whole life
KEYS_MAX = 1_000


class KeyFault(StrEnum):
    """Why a key does not count for an object; also a verdict of the log's reject entries."""

    UNKNOWN = "unknown-key"
    REVOKED = "revoked"
    CHANGED = "key-change"
    EXPIRED = "expired"


class KeyRefusedError(EvidenceError):
    """The key an object names does not count at its place.

    Attributes:
        fault: why.
    """

    def __init__(self, fault: KeyFault, sentence: str) -> None:
        """Say why, and in one sentence what it is about."""
        super().__init__(sentence)
        self.fault = fault


@dataclass(frozen=True)
class GatewayKey:
    """A gateway's key.

    Attributes:
        key: public key.
        sha256: its `key_sha256`.
        valid_ns: (first, last) UTC nanoseconds in which a certificate of it is valid, both
            included; ascending and apart from each other.
    """

    key: PublicKey
    sha256: bytes
    valid_ns: list[tuple[int, int]] = field(default_factory=list)

    @property
    def kid(self) -> bytes:
        """The key id."""
        return self.sha256[:8]

    def is_valid_at(self, at_ns: int) -> bool:
        """True when a certificate of it is valid at this instant."""
        at = bisect_right(self.valid_ns, at_ns, key=lambda span: span[0])
        return at > 0 and at_ns <= self.valid_ns[at - 1][1]

    def renew(self, first_ns: int, last_ns: int) -> None:
        """Another certificate of it is valid from `first_ns` to `last_ns`."""
        if first_ns > last_ns:
            return
        begin = bisect_left(self.valid_ns, first_ns, key=lambda span: span[1])
        end = bisect_right(self.valid_ns, last_ns, key=lambda span: span[0])
        met = self.valid_ns[begin:end]
        if met:
            first_ns, last_ns = min(first_ns, met[0][0]), max(last_ns, met[-1][1])
        self.valid_ns[begin:end] = [(first_ns, last_ns)]


@dataclass(frozen=True)
class Change:
    """From the object after `seq` on, another key signs.

    Attributes:
        seq: last object of the old key: the rotate object itself, or where a lost device ended.
        old: `key_sha256` of the key that ends, b"" when not said.
        new: of the key that follows.
        by_order: True for a replace order, False for a rotate object.
    """

    seq: int
    old: bytes
    new: bytes
    by_order: bool


class StreamKeys:
    """The keys of one stream and where each of them counts.

    Attributes:
        changes: in order of seq, also those that do not count; at one seq a replace order follows
            a rotate object.
        revoked: key_sha256 -> seq of its last good object, -1 for none.
    """

    def __init__(self) -> None:
        """Begin with no key at all."""
        self.changes: list[Change] = []
        self.revoked: dict[bytes, int] = {}
        self._keys: dict[bytes, GatewayKey] = {}
        self._changed: set[Change] = set()  # all of `changes`
        self._continued: list[int] = []  # ascending: after these seqs a new device goes on
        # as far as it was asked for: after 0, 1, 2, … of `changes`, the key in use
        self._in_use: list[bytes | None] = [None]
        self._had: dict[bytes, int] = {}  # keys in use so far -> after how many changes at first

    def certify(self, certificate: x509.Certificate) -> GatewayKey:
        """Take in a certificate that the root has issued for this gateway (the caller checked).

        Raises:
            UnknownSuiteError: no suite for its key.
            MalformedError: its key cannot be read, its key id is that of another key, or it is one
                key too many.
        """
        key = public_key(certificate)
        sha256 = key_sha256(key)
        if why := self.objection_to(sha256):
            raise MalformedError(why)
        known = self._keys.setdefault(sha256[:8], GatewayKey(key, sha256))
        known.renew(*validity_ns(certificate))
        return known

    def objection_to(self, sha256: bytes) -> str:
        """Why a certificate of this key cannot be taken in, "" when it can."""
        known = self._keys.get(sha256[:8])
        if known is None:
            is_full = len(self._keys) >= KEYS_MAX
            return f"this gateway has {KEYS_MAX} keys already" if is_full else ""
        if known.sha256 != sha256:
            return f"two keys of this gateway have one key id, {known.kid.hex()}"
        return ""

    def begin(self, sha256: bytes) -> None:
        """This key signed the first object that is known of the stream."""
        self._in_use, self._had = [sha256], {sha256: 0}

    def rotate(self, seq: int, old: bytes, new: bytes) -> None:
        """The rotate object at `seq`, signed by `old`, hands over to `new`."""
        self._change(Change(seq, old, new, by_order=False))

    def apply(self, order: Order, new: bytes = b"") -> None:
        """Take in an order for this stream; `new` is the key of a replace's certificate."""
        if isinstance(order, Revoke):
            self._revoke(order.key, -1 if order.through is None else order.through)
        elif isinstance(order, Replace):
            self._revoke(order.old, order.seq)
            insort(self._continued, order.seq)
            self._change(Change(order.seq, order.old, new, by_order=True))

    def _revoke(self, sha256: bytes, through: int) -> None:
        self.revoked[sha256] = min(through, self.revoked.get(sha256, through))
        self._forget(0)

    def _change(self, change: Change) -> None:
        if change not in self._changed:
            self._changed.add(change)
            self._forget(bisect_left(self.changes, _place(change), key=_place))
            self.changes.insert(bisect_right(self.changes, _place(change), key=_place), change)

    def _forget(self, count: int) -> None:
        """What follows the first `count` changes is to be found again."""
        if len(self._in_use) > count + 1:
            del self._in_use[count + 1 :]
            self._had = {key: after for key, after in self._had.items() if after <= count}

    def find(self, kid: bytes) -> GatewayKey | None:
        """The certified key of a key id, whether it counts or not."""
        return self._keys.get(kid)

    def current(self, seq: int) -> bytes | None:
        """`key_sha256` of the key in use at `seq`; None before the first object is known."""
        return self._after(bisect_left(self.changes, (seq, False), key=_place))

    def undone_by(self, order: Order) -> Change | None:
        """The first rotate object in the stream that hands over nothing once this order counts."""
        if not isinstance(order, Revoke):
            return None
        through = -1 if order.through is None else order.through
        after = (c for c in self.changes if c.old == order.key and c.seq > through)
        return next((c for c in after if not c.by_order), None)

    def hands_over(self, seq: int, old: bytes, new: bytes) -> bool:
        """True when a rotate object at `seq`, signed by `old`, makes `new` the stream's key."""
        at = bisect_left(self.changes, (seq, False), key=_place)
        return self._counts(Change(seq, old, new, by_order=False), at)

    def _counts(self, rotate: Change, at: int) -> bool:
        """By the key in use after the first `at` changes, not revoked, to one it never had."""
        is_in_use = self._after(at) in (rotate.old, None) or not rotate.old
        is_good = rotate.seq <= self.revoked.get(rotate.old, rotate.seq)
        return is_in_use and is_good and self._had.get(rotate.new, at + 1) > at

    def _after(self, count: int) -> bytes | None:
        """The key in use after the first `count` changes."""
        while len(self._in_use) <= count:
            at = len(self._in_use) - 1
            change, key, end = self.changes[at], self._in_use[at], at + 1
            if change.by_order:
                end = bisect_right(self.changes, _place(change), key=_place)
                key = that_holds(self.changes[at:end]) or key
            elif self._counts(change, at):
                key = change.new
            self._in_use += [key] * (end - at)
            if key is not None:
                self._had.setdefault(key, end)
        return self._in_use[count]

    def was_replaced(self, seqs: range) -> bool:
        """True when a new device goes on after one of these seqs."""
        at = bisect_left(self._continued, seqs.start)
        return at < len(self._continued) and self._continued[at] in seqs

    def was_used(self, sha256: bytes) -> bool:
        """True for the stream's first key and for every key that came into use."""
        self._after(len(self.changes))
        return sha256 in self._had

    def check(self, seq: int, kid: bytes, received_ns: int | None) -> GatewayKey:
        """The key that an object must verify with.

        Args:
            seq: of the object.
            kid: the key id it names.
            received_ns: when the collector took it; None leaves certificates' dates aside.

        Raises:
            KeyRefusedError: the key is not certified, not the one in use there, revoked for this
                seq, or had no valid certificate.
        """
        named = self._keys.get(kid)
        if named is None:
            sentence = f"no certificate of this gateway holds key {kid.hex()}"
            raise KeyRefusedError(KeyFault.UNKNOWN, sentence)
        through = self.revoked.get(named.sha256)
        if through is not None and seq > through:
            until = f"after seq {through}" if through >= 0 else "for all objects"
            raise KeyRefusedError(KeyFault.REVOKED, f"key {kid.hex()} is revoked {until}")
        current = self.current(seq)
        if current is not None and current != named.sha256:
            sentence = f"key {kid.hex()} signs where key {current[:8].hex()} is in use"
            raise KeyRefusedError(KeyFault.CHANGED, sentence)
        if received_ns is not None and not named.is_valid_at(received_ns):
            sentence = f"no certificate of key {kid.hex()} was valid when the object was received"
            raise KeyRefusedError(KeyFault.EXPIRED, sentence)
        return named


def _place(change: Change) -> tuple[int, bool]:
    return change.seq, change.by_order


def that_holds(orders: Sequence[Change]) -> bytes | None:
    """Of all replaces of one seq, the key that none of them replaces; None when they contradict.

    A device that never signed may have been replaced too; orders come in any order.
    """
    replaced = {order.old for order in orders}
    last = [order.new for order in orders if order.new not in replaced]
    return last[0] if len(last) == 1 and len(replaced) == len(orders) else None


def validity_ns(certificate: x509.Certificate) -> tuple[int, int]:
    """(first, last) UTC nanoseconds in which it is valid.

    Its root's dates do not count: what people trust is the root's key, which writes those dates
    itself, and a root that is certified again under its key must not end what was good.
    """
    return _ns(certificate.not_valid_before_utc), _ns(certificate.not_valid_after_utc)


def _ns(at: dt.datetime) -> int:
    return round(at.timestamp()) * 1_000_000_000
