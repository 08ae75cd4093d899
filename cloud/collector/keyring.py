"""The keys of one plant: who is certified, what was ordered, which key signs where. Pure.

Everything in it follows from certificates, the root's orders, rotate objects and the first log
entry of each stream, so it is made again from these whenever a commit failed. Which key counts is
`evidence.custody`'s rule; whether an order may be taken in at all is decided here.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloud.collector.identity import Certified, PlantIdentity, certified_by
from cloud.database.state import StreamState
from evidence import cose
from evidence.custody import StreamKeys
from evidence.errors import MalformedError
from evidence.frame import TYP_ROTATE, place_of
from evidence.keys import Certificate, certificate_from_der
from evidence.orders import Order, Replace, Revoke, decode_order, decode_rotate
from evidence.suites import PublicKey


@dataclass(frozen=True)
class SignedOrder:
    """A verified order and its bytes.

    Attributes:
        order: what it says.
        data: as signed by the root.
        sha256: of `data`.
        certified: of a replace: the new key.
    """

    order: Order
    data: bytes
    sha256: bytes
    certified: Certified | None = None


@dataclass(frozen=True)
class Rotation:
    """A rotate object of a stream that the log has accepted.

    Attributes:
        stream, seq: where it stands.
        old: key id of the key that signed it.
        certified: the key that follows.
    """

    stream: str
    seq: int
    old: bytes
    certified: Certified


@dataclass(frozen=True)
class KeyFacts:
    """What keys follow from.

    Attributes:
        certificates: of gateways.
        orders: the root's.
        rotations: in every stream, in order of seq.
        first: stream -> `key_sha256` of the key that signed its first object.
    """

    certificates: tuple[Certified, ...] = ()
    orders: tuple[SignedOrder, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    first: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """What a keyring holds: streams by gateway, certificates and orders by SHA-256."""

    streams: dict[str, StreamKeys] = field(default_factory=dict)
    certificates: dict[bytes, Certified] = field(default_factory=dict)
    orders: dict[bytes, SignedOrder] = field(default_factory=dict)


class Keyring:
    """The keys of a plant's gateways.

    Args:
        identity: of the plant.
        collectors: keys that sign or have signed its log; None for the identity's own.

    Attributes:
        root: the root's certificate.
        root_key: its key.
        collectors: as given.
    """

    def __init__(
        self, identity: PlantIdentity, collectors: Sequence[PublicKey] | None = None
    ) -> None:
        self.collectors = collectors or (identity.collector.key,)
        self.plant = identity.plant
        self.root: Certificate = identity.root.certificate
        self.root_key: PublicKey = identity.root.key
        self._known = _Known()

    # -- what is known: any thread ----------------------------------------------------------------

    @property
    def certificates(self) -> tuple[Certified, ...]:
        """Certificates of all gateways."""
        return tuple(self._known.certificates.values())

    @property
    def orders(self) -> tuple[SignedOrder, ...]:
        """Orders taken in."""
        return tuple(self._known.orders.values())

    @property
    def gateways(self) -> frozenset[str]:
        """Gateways that have a certificate."""
        return frozenset(certified.name for certified in self.certificates)

    def of(self, stream: str) -> StreamKeys:
        """The keys of one stream; without any when nobody is certified for it."""
        return self._known.streams.get(stream) or StreamKeys()

    def certificates_of(self, stream: str) -> list[Certified]:
        """Certificates of one gateway."""
        return [certified for certified in self.certificates if certified.name == stream]

    # -- what changes it: the collector's thread --------------------------------------------------

    def load(self, facts: KeyFacts) -> None:
        """Make everything again from what is known; others see the old keys until it is made."""
        made = copy.copy(self)
        made._known = _Known()
        for certified in facts.certificates:
            made.certify(certified)
        for stream, sha256 in facts.first.items():
            made.begin(stream, sha256)
        for rotation in facts.rotations:
            made.rotate(rotation)
        for order in facts.orders:
            made.apply(order)
        self._known = made._known

    def certify(self, certified: Certified) -> None:
        """A certificate of a gateway counts from now on."""
        certificates = self._known.certificates
        if certified.certificate_sha256 not in certificates:
            self._keys(certified.name).certify(certified.certificate)
            certificates[certified.certificate_sha256] = certified

    def begin(self, stream: str, sha256: bytes) -> None:
        """The stream's first object is signed by this key."""
        self._keys(stream).begin(sha256)

    def rotate(self, rotation: Rotation) -> None:
        """A rotate object was accepted: the next object is signed by its key."""
        self.certify(rotation.certified)
        keys = self._keys(rotation.stream)
        old = keys.find(rotation.old)
        keys.rotate(
            rotation.seq, old.sha256 if old is not None else b"", rotation.certified.fingerprint
        )

    def apply(self, signed: SignedOrder) -> None:
        """An order counts from now on."""
        if signed.certified is not None:
            self.certify(signed.certified)
        new = signed.certified.fingerprint if signed.certified is not None else b""
        self._keys(signed.order.stream).apply(signed.order, new)
        self._known.orders[signed.sha256] = signed

    def _keys(self, stream: str) -> StreamKeys:
        return self._known.streams.setdefault(stream, StreamKeys())

    # -- what may be taken in ---------------------------------------------------------------------

    def read_certificate(self, certificate: Certificate, stream: str = "") -> Certified:
        """A gateway's certificate of this plant; `stream` names the gateway it must be of.

        Raises:
            EvidenceError: it does not count.
        """
        certified = certified_by(self.root, certificate, "gateway", self.plant, stream)
        if why := self.of(certified.name).objection_to(certified.fingerprint):
            raise MalformedError(why)
        return certified

    def read_order(self, data: bytes) -> SignedOrder:
        """The order of a file's bytes.

        Raises:
            EvidenceError: not an order of this plant's root, or its certificate does not count.
        """
        order = decode_order(data, self.root_key)
        if order.plant != self.plant:
            raise MalformedError(f"is an order of plant {order.plant}, not of {self.plant}")
        certified = None
        if isinstance(order, Replace):
            certified = self.read_certificate(certificate_from_der(order.certificate), order.stream)
        return SignedOrder(order, data, hashlib.sha256(data).digest(), certified)

    def read_rotation(self, data: bytes) -> Rotation:
        """The rotate object of a file's bytes, which the log has accepted.

        Raises:
            EvidenceError: not one, or its certificate does not count.
        """
        envelope = cose.parse(data)
        header = place_of(envelope)
        if header.typ != TYP_ROTATE:
            raise MalformedError(f"{header.typ!r} is neither an order nor a rotate object")
        certified = self.read_certificate(decode_rotate(envelope.payload), header.stream)
        return Rotation(header.stream, header.seq, envelope.kid, certified)

    def next_key(self, stream: str, seq: int, certificate: Certificate) -> Certified:
        """The key a rotate object at `seq` hands over to.

        Raises:
            EvidenceError: not certified by the root for this gateway, revoked after `seq`, or in
                use before: a stream that could go back and forth between its keys would never
                end to grow what must be known of it.
        """
        certified = self.read_certificate(certificate, stream)
        if self.of(stream).was_used(certified.fingerprint):
            raise MalformedError(f"key {certified.fingerprint[:8].hex()} was in use before")
        through = self.of(stream).revoked.get(certified.fingerprint)
        if through is not None and through <= seq:
            raise MalformedError(f"key {certified.fingerprint[:8].hex()} is revoked")
        return certified

    def objection(self, signed: SignedOrder, stream: StreamState) -> str:
        """Why an order that is new cannot be taken in, "" when it can.

        Args:
            signed: the order.
            stream: where its stream stands.
        """
        if isinstance(signed.order, Revoke):
            return ""
        order, newest = signed.order, stream.next_seq - 1
        if newest < 0:
            return f"stream {order.stream} has no object yet: enrol the new key's certificate"
        if (order.seq, order.head) != (newest, stream.head.hash):
            return (
                f"it continues after seq {order.seq} {order.head.hex()}, but the stream's newest "
                f"object here is seq {newest} {stream.head.hash.hex()}: sign a new order with these"
            )
        if order.through_ns != stream.through_ns:
            return f"through_ns is {order.through_ns}, but the newest tick is {stream.through_ns}"
        return self._objection_to_keys(order, signed.certified, self.of(order.stream))

    def _objection_to_keys(
        self, order: Replace, certified: Certified | None, keys: StreamKeys
    ) -> str:
        in_use = keys.current(order.seq + 1)
        if in_use != order.old:
            named = "none" if in_use is None else in_use.hex()
            return f"it replaces key {order.old.hex()}, but the key in use is {named}"
        if certified is None or certified.fingerprint == order.old:
            return "it replaces the key by itself"
        if certified.fingerprint in keys.revoked:
            return f"its new key {certified.fingerprint[:8].hex()} is revoked"
        return keys.objection_to(certified.fingerprint)
