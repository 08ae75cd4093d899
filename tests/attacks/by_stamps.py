"""Time stamp responses that two readers could take for two things, put together from RFC 3161.

No signature in them is good: without `--tsa` nobody's is looked at.
"""

import datetime as dt
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.archive import paths
from tests.attacks.by_newer import private
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm

SEAL = sm.unpack(sm.honest())[paths.SEAL]
SHA256 = bytes.fromhex("300b0609608648016503040201")
SHA512 = bytes.fromhex("300b0609608648016503040203")
ED25519 = bytes.fromhex("300506032b6570")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
POLICY = bytes.fromhex("06042a030401")
AFTER = "20260701000000Z"  # the month was closed in June


def tlv(tag: int, *parts: bytes) -> bytes:
    """One DER value."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 128 + len(size)]) + size + body


def number(value: int) -> bytes:
    return tlv(2, bytes([value]))


def certificate(subject: str, serial: int = 7) -> bytes:
    """Of a time stamp authority that nobody knows; all have one issuer."""
    name = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (subject, "Root")]
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name[0]).issuer_name(name[1]).serial_number(serial)
    )
    made = made.public_key(private(80).public_key()).not_valid_before(start)
    signed = made.not_valid_after(start + dt.timedelta(days=999)).sign(private(81), None)
    return signed.public_bytes(Encoding.DER)


CERTIFICATE = certificate("Time")
ISSUER = x509.load_der_x509_certificate(CERTIFICATE).issuer.public_bytes()


def signer(signed: Sequence[bytes] = (), unsigned: Sequence[bytes] = ()) -> bytes:
    """Its one signer, with these attributes."""
    before = [tlv(0xA0, *signed)] if signed else []
    after = [tlv(0xA1, *unsigned)] if unsigned else []
    return tlv(
        0x30, number(1), tlv(0x30, ISSUER, number(7)), SHA256, *before, ED25519,
        tlv(4, bytes(64)), *after,
    )  # fmt: skip


SIGNER = signer()
#: RFC 5652 §11.1 and §11.2: attributes of content type and digest, in DER's order
ATTRIBUTES = (
    tlv(0x30, bytes.fromhex("06092a864886f70d010903"), tlv(0x31, TST_INFO)),
    tlv(0x30, bytes.fromhex("06092a864886f70d010904"), tlv(0x31, tlv(4, bytes(32)))),
)


TWO_VALUES = tlv(
    0x30, bytes.fromhex("06092a864886f70d010904"), tlv(0x31, tlv(4, b"\2"), tlv(4, b"\1"))
)


def tst_info(version: int = 1, at: str = AFTER) -> bytes:
    """What a stamp over the honest seal says."""
    imprint = tlv(0x30, SHA256, tlv(4, sm.sha256(SEAL)))
    return tlv(0x30, number(version), POLICY, imprint, number(9), tlv(0x18, at.encode()))


def response(
    *,
    status: int = 0,
    version: int = 1,
    at: str = AFTER,
    after: bytes = b"",
    certificates: Sequence[bytes] = (CERTIFICATE,),
    signers: Sequence[bytes] = (SIGNER,),
    algorithms: Sequence[bytes] = (SHA256,),
) -> bytes:
    """A response over the honest seal; `after` stands behind the TSTInfo."""
    content = tlv(0x30, TST_INFO, tlv(0xA0, tlv(4, tst_info(version, at) + after)))
    held = tlv(0xA0, *certificates) if certificates else b""
    data = tlv(0x30, number(3), tlv(0x31, *algorithms), content, held, tlv(0x31, *signers))
    return tlv(0x30, tlv(0x30, number(status)), tlv(0x30, SIGNED_DATA, tlv(0xA0, data)))


def stamped(made: bytes) -> Callable[[], bytes]:
    """The honest archive with this response, sealed by the collector as it came."""
    return lambda: sm.repack(sm.unpack(sm.honest()) | sm.stamped(made), manifest=False)


def _others() -> list[bytes]:
    """The signer's certificate and two of other length, in DER's order."""
    return sorted([CERTIFICATE, certificate("Another time", 8), certificate("T", 9)])


#: (name, who and why, response, codes)
_STAMPS: list[tuple[str, str, bytes, set[str]]] = [
    ("an honest one", "An authority stamped the seal: no tampering.", response(), set()),
    ("granted with changes", "The authority stamped something like what was asked for.",
     response(status=1), {"E-TIMESTAMP"}),
    ("refused", "The authority refused.", response(status=2), {"E-TIMESTAMP"}),
    ("of a newer version", "The authority answers in a form of tomorrow.",
     response(version=2), {"E-TIMESTAMP"}),
    ("without a certificate", "Nothing says who stamped it.",
     response(certificates=[]), {"E-TIMESTAMP"}),
    ("without a signer", "Nobody has signed it.", response(signers=[]), {"E-TIMESTAMP"}),
    ("of two signers", "A second signer is put beside the first.",
     response(signers=[SIGNER, SIGNER]), {"E-TIMESTAMP"}),
    ("two certificates of one signer", "A stranger plants a certificate with a better name.",
     response(certificates=sorted([CERTIFICATE, certificate("Time of the nation")])),
     {"E-TIMESTAMP"}),
    ("certificates in another order", "An authority sends them as in their chain: no tampering.",
     response(certificates=_others()[::-1]), set()),
    ("two digest algorithms in another order", "Likewise, and nothing is signed by the second.",
     response(algorithms=[SHA512, SHA256]), set()),
    ("a certificate of its signer planted last", "A stranger's stands behind the authority's.",
     response(certificates=[*_others(), certificate("Time of the nation")]), {"E-TIMESTAMP"}),
    ("signed attributes", "An authority signs attributes, as it has to: no tampering.",
     response(signers=[signer(ATTRIBUTES)]), set()),
    ("signed attributes in another order", "Two readers hash two orders of what is signed.",
     response(signers=[signer(ATTRIBUTES[::-1])]), {"E-TIMESTAMP"}),
    ("unsigned attributes in another order", "Bits that nobody signed say one thing or another.",
     response(signers=[signer(ATTRIBUTES, ATTRIBUTES[::-1])]), {"E-TIMESTAMP"}),
    ("values of an attribute in another order", "Two readers hash two orders of what is signed.",
     response(signers=[signer([TWO_VALUES])]), {"E-TIMESTAMP"}),
    ("bytes behind what it says", "Something is hidden behind the TSTInfo.",
     response(after=b"\x05\x00"), {"E-TIMESTAMP"}),
    ("of the year 0", "A time that no calendar has.",
     response(at="00000101000000Z"), {"E-TIMESTAMP"}),
    ("of month 13", "A time that no calendar has.",
     response(at="20261301000000Z"), {"E-TIMESTAMP"}),
    ("from before the close", "A stamp is dated before what it stamps.",
     response(at="20260601000000Z"), {"W-CLOCK"}),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"stamps: {name}", story, stamped(made), *codes) for name, story, made, codes in _STAMPS
]
