"""Ed25519 keys that nobody has: points of small order, and encodings that no key has.

Under a point of small order anybody signs anything: with the neutral point one signature fits all
messages. Here whole plants are signed so, or one of their keys signs so. The owner of a good key,
and nobody else, can give it away with an R of small order.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.keys import FileSigner, issue, key_id
from tests.attacks import edwards
from tests.attacks.by_keys import KNOWN, certificate, der, month
from tests.attacks.by_newer import private
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import DAYS, SINCE

NEUTRAL = edwards.encode(edwards.NEUTRAL)
ORDER_8 = edwards.encode(edwards.of_small_order()[1])
#: y = P + 1 is 1 again; x = 0 has no sign; a point of the curve that has y = 3, written as P + 3
NEUTRAL_AGAIN, SIGNED_NEUTRAL = (edwards.P + 1).to_bytes(32, "little"), b"\1" + bytes(30) + b"\x80"
LONG_3 = (edwards.P + 3).to_bytes(32, "little")
#: no x goes with y = 2
NO_POINT = b"\2" + bytes(31)


class Bare(FileSigner):
    """A public key of which there is no private one, or another one; `sign` is what follows."""

    def __init__(self, point: bytes) -> None:
        self.point = point
        self._public = ed25519.Ed25519PublicKey.from_public_bytes(point)

    @property
    def alg(self) -> int:
        return -19

    @property
    def kid(self) -> bytes:
        return key_id(self._public)

    @property
    def public_key(self) -> ed25519.Ed25519PublicKey:
        return self._public


class Nobodys(Bare):
    """Signs for a point of small order: R = rB, S = r, for the first r at which 8 divides h."""

    secret = 0

    def sign(self, message: bytes) -> bytes:
        """As anybody can."""
        for count in itertools.count():
            seed = count.to_bytes(32)
            r = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            h = edwards.challenge(r, self.point, message)
            if h % 8 == 0:
                s = (edwards.secret_of(seed) + h * self.secret) % edwards.ORDER
                return r + s.to_bytes(32, "little")
        raise AssertionError


class One(Bare):
    """Signs every message for the neutral point with the same 64 bytes: R = A, S = 0."""

    def sign(self, message: bytes) -> bytes:
        """As anybody can."""
        del message
        return NEUTRAL + bytes(32)


class Shifted(Nobodys):
    """A key and a point of order 8 added to it: its owner signs after eight attempts or so."""

    def __init__(self, seed: int) -> None:
        self.secret = edwards.secret_of(bytes([seed]) * 32)
        own = edwards.decode(private(seed).public_key().public_bytes_raw())
        torsion = edwards.decode(ORDER_8)
        assert own is not None
        assert torsion is not None
        super().__init__(edwards.encode(edwards.add(own, torsion)))


class Giving(Bare):
    """The owner of a key signs with R of small order: S = h·a shows the secret a to everybody."""

    def __init__(self, seed: int, r: bytes = NEUTRAL) -> None:
        self._secret, self._r = edwards.secret_of(bytes([seed]) * 32), r
        super().__init__(private(seed).public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """As its owner only can."""
        h = edwards.challenge(self._r, self.point, message)
        return self._r + (h * self._secret % edwards.ORDER).to_bytes(32, "little")


class Larger(FileSigner):
    """Adds the group's order to S: the same signature in other bytes, without the key."""

    def sign(self, message: bytes) -> bytes:
        """A second writing."""
        made = super().sign(message)
        s = int.from_bytes(made[32:], "little") + edwards.ORDER
        return made[:32] + s.to_bytes(32, "little")


def certified(
    role: str, name: str, key: FileSigner, by: FileSigner, root: x509.Certificate | None = None
) -> x509.Certificate:
    """A certificate that any of these keys signs; without a root's, its own."""
    issuer = private(99) if root is None else (private(99), root)
    made = issue(role, sm.PLANT, name, key.public_key, issuer=issuer, not_before=SINCE, days=DAYS)
    return x509.load_der_x509_certificate(der(made)[:-64] + by.sign(made.tbs_certificate_bytes))


def request_for(key: Bare, honest: bytes) -> bytes:
    """A certificate request (PEM) for another key than an honest one's, signed for that key."""
    request = x509.load_pem_x509_csr(honest)
    own = request.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    asked = request.tbs_certrequest_bytes.replace(own, key.point)
    der = request.public_bytes(Encoding.DER).replace(request.tbs_certrequest_bytes, asked)
    forged = x509.load_der_x509_csr(der[:-64] + key.sign(asked))
    assert forged.is_signature_valid  # says the library
    return forged.public_bytes(Encoding.PEM)


def plant(root: FileSigner, gateway: FileSigner, collector: FileSigner) -> sm.Keys:
    """A plant of these keys, with its certificates."""
    own = sm.keys().certificates["root"]
    if root is not sm.keys().root:
        own = certified("root", sm.PLANT, root, root)
    return sm.Keys(root, gateway, collector, {
        "root": own, "gateway": certified("gateway", sm.STREAM, gateway, root, own),
        "collector": certified("collector", "collector", collector, root, own),
    })  # fmt: skip


def sealed(who: sm.Keys) -> bytes:
    """The honest month of this plant, all agreed."""
    stream = sm.items(sm.configuration(who.collector))
    made = sm.make_month(stream, who=who)
    given: Mapping[str, Any] = {
        "root": who.certificates["root"], "collector": who.certificates["collector"],
        "gateways": [(sm.STREAM, who.certificates["gateway"])],
        "checkpoint": sm.log_note(made.entries, who.collector),
    }  # fmt: skip
    return sm.repack(sm.unpack(sm.build(sm.contents(made, **given))), by=who.collector)


def of(**other: FileSigner) -> Callable[[], bytes]:
    """The honest plant's month with other keys for some of its roles."""
    own = {"root": sm.keys().root, "gateway": sm.keys().gateway, "collector": sm.keys().collector}
    return lambda: sealed(plant(**(own | other)))


WITHOUT_ROOT = {"E-CERTIFICATE", "E-CHECKPOINT", "E-SIG-UNKNOWN-KEY", "E-SEAL", "E-CLOSE"}
WITHOUT_GATEWAY = {"E-CERTIFICATE", "E-SIG-UNKNOWN-KEY", "E-CLOSE"}
WITHOUT_COLLECTOR = {"E-CERTIFICATE", "E-CHECKPOINT", "E-SEAL", "E-CLOSE"}
BADLY_SIGNED = {"E-CHECKPOINT", "E-SEAL", "E-RECEIPT", "E-CLOSE"}

#: (name, story, build, codes)
_KINDS: list[tuple[str, str, Callable[[], bytes], set[str]]] = [
    ("every key is the neutral point", "One signature of 64 bytes fits all; nobody has a key.",
     of(root=One(NEUTRAL), gateway=One(NEUTRAL), collector=One(NEUTRAL)), WITHOUT_ROOT),
    ("every key is of order 8", "Anybody signs in the plant's name, and the plant denies it.",
     of(root=Nobodys(ORDER_8), gateway=Nobodys(ORDER_8), collector=Nobodys(ORDER_8)), WITHOUT_ROOT),
    ("a gateway's key of order 8", "A works has a key certified under which anybody can sign.",
     of(gateway=Nobodys(ORDER_8)), WITHOUT_GATEWAY),
    ("a gateway's key of y = p + 1", "The neutral point in bytes that a list may not have.",
     of(gateway=Nobodys(NEUTRAL_AGAIN)), WITHOUT_GATEWAY),
    ("a gateway's key of x = 0 with a sign", "The neutral point in bytes that a list may not have.",
     of(gateway=Nobodys(SIGNED_NEUTRAL)), WITHOUT_GATEWAY),
    ("a collector's key of order 8", "The operator has a key under which anybody can seal.",
     of(collector=Nobodys(ORDER_8)), WITHOUT_COLLECTOR),
    ("a certified key in a second form", "One key is certified under two hashes, to be ended once.",
     month(certificates=[KNOWN, certificate(Bare(LONG_3))]), {"E-CERTIFICATE"}),
    ("a certified key that is no point", "A certificate holds 32 bytes that no key has.",
     month(certificates=[KNOWN, certificate(Bare(NO_POINT))]), {"E-CERTIFICATE"}),
    ("a collector that gives its key away", "The operator signs so that all can sign from now on.",
     of(collector=Giving(3)), BADLY_SIGNED),
    ("a gateway that gives its key away", "A works signs so that all can sign from now on.",
     of(gateway=Giving(2)), {"E-SIG-BAD", "E-INPUT", "E-CLOSE"}),
    ("a root that gives its key away", "A works certifies so that all can certify from now on.",
     of(root=Giving(1)), WITHOUT_ROOT),
    ("S not below the group's order", "Anybody writes the collector's signatures anew.",
     of(collector=Larger(private(3))), BADLY_SIGNED),
    ("honest keys with a part of small order", "Somebody adds a point of order 8 to their keys.",
     of(gateway=Shifted(2), collector=Shifted(3)), set()),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"points: {name}", story, build, *codes) for name, story, build, codes in _KINDS
]
