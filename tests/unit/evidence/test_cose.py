"""The signed envelope: what is signed, by hand (RFC 9052 §4.4), and what is refused."""

import hashlib
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from evidence import cbor, cose
from evidence.errors import LimitError, MalformedError, SignatureError, UnknownSuiteError
from evidence.keys import FileSigner
from evidence.suites import SUITES, has_two_ways

ED = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
EC_PRIVATE = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
EC = FileSigner(EC_PRIVATE)
SIGNERS = {"ed25519": ED, "p256": EC}
HEADER = {cose.TYP: "test+cbor"}


def by_hand(alg: int, kid: bytes, payload: bytes, typ: str = "test+cbor") -> tuple[bytes, bytes]:
    """(protected header, bytes to be signed), put together byte by byte."""
    number = bytes([0x20 + (-1 - alg)]) if alg >= -24 else None
    assert number is not None
    protected = b"\xa3" + b"\x01" + number + b"\x04\x48" + kid
    protected += b"\x10" + bytes([0x60 + len(typ)]) + typ.encode()
    assert len(protected) < 256
    signed = b"\x84\x6aSignature1" + b"\x58" + bytes([len(protected)]) + protected
    signed += b"\x40" + bytes([0x40 + len(payload)]) + payload
    return protected, signed


@pytest.mark.parametrize("kind", SIGNERS)
def test_the_bytes_are_those_of_rfc_9052(kind: str) -> None:
    signer = SIGNERS[kind]
    data = cose.sign(signer, HEADER, b"hello")
    protected, signed = by_hand(signer.alg, signer.kid, b"hello")
    envelope = cose.parse(data)
    assert envelope.protected == protected
    head = b"\xd2\x84\x58" + bytes([len(protected)]) + protected + b"\xa0\x45hello\x58\x40"
    assert data == head + envelope.signature
    if kind == "ed25519":  # deterministic: RFC 8032
        private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        assert envelope.signature == private.sign(signed)
    else:
        r, s = (
            int.from_bytes(part, "big")
            for part in (envelope.signature[:32], envelope.signature[32:])
        )
        der = ec.ECDSA(hashes.SHA256())
        from_dss = cose_der(r, s)
        EC_PRIVATE.public_key().verify(from_dss, signed, der)


def cose_der(r: int, s: int) -> bytes:
    """DER of an ECDSA signature, by hand."""

    def integer(value: int) -> bytes:
        body = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(body)]) + body

    body = integer(r) + integer(s)
    assert decode_dss_signature(b"\x30" + bytes([len(body)]) + body) == (r, s)
    return b"\x30" + bytes([len(body)]) + body


@pytest.mark.parametrize("kind", SIGNERS)
def test_what_was_signed_verifies_and_is_read_back(kind: str) -> None:
    signer = SIGNERS[kind]
    envelope = cose.parse(cose.sign(signer, HEADER, b"payload"))
    cose.verify(envelope, signer.public_key)
    assert (envelope.payload, envelope.typ, envelope.kid) == (b"payload", "test+cbor", signer.kid)
    assert envelope.alg == {"ed25519": -19, "p256": -9}[kind]


@pytest.mark.parametrize("kind", SIGNERS)
def test_no_bit_of_an_object_can_change(kind: str) -> None:
    signer = SIGNERS[kind]
    data = cose.sign(signer, HEADER, b"payload")
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises((MalformedError, SignatureError, UnknownSuiteError)):
                cose.verify(cose.parse(bytes(changed)), signer.public_key)


@pytest.mark.parametrize("kind", SIGNERS)
def test_no_cut_object_is_read(kind: str) -> None:
    data = cose.sign(SIGNERS[kind], HEADER, b"payload")
    for length in range(len(data)):
        with pytest.raises(MalformedError):
            cose.parse(data[:length])
    with pytest.raises(MalformedError):
        cose.parse(data + b"\0")


def raw(protected: Any, unprotected: Any, payload: Any, signature: Any = bytes(64)) -> bytes:
    """An envelope of any parts, by another encoder."""
    return b"\xd2" + cbor2.dumps([protected, unprotected, payload, signature], canonical=True)


def header(**other: Any) -> bytes:
    labels = {1: -19, 4: ED.kid, 16: "test+cbor"}
    labels |= {int(key[1:]): value for key, value in other.items()}
    return cbor2.dumps({k: v for k, v in labels.items() if v is not None}, canonical=True)


REFUSED = {
    "unprotected not empty": raw(header(), {1: -19}, b""),
    "unprotected is an array": raw(header(), [], b""),
    "unprotected is null": raw(header(), None, b""),
    "payload detached": raw(header(), {}, None),
    "payload is text": raw(header(), {}, "x"),
    "payload is a map": raw(header(), {}, {}),
    "signature is null": raw(header(), {}, b"", None),
    "protected is a map": raw({1: -19}, {}, b""),
    "protected is empty": raw(b"", {}, b""),
    "protected is an array": raw(b"\x80", {}, b""),
    "protected has trailing bytes": raw(header() + b"\0", {}, b""),
    "no alg": raw(header(_1=None), {}, b""),
    "alg is text": raw(header(_1="EdDSA"), {}, b""),
    "alg is true": raw(header(_1=True), {}, b""),
    "no kid": raw(header(_4=None), {}, b""),
    "kid is text": raw(header(_4="12345678"), {}, b""),
    "kid of 7 bytes": raw(header(_4=bytes(7)), {}, b""),
    "kid of 9 bytes": raw(header(_4=bytes(9)), {}, b""),
    "no typ": raw(header(_16=None), {}, b""),
    "typ is a number": raw(header(_16=60), {}, b""),
    "three parts": b"\xd2" + cbor2.dumps([header(), {}, b""]),
    "five parts": b"\xd2" + cbor2.dumps([header(), {}, b"", b"", b""]),
    "a map": b"\xd2\xa0",
    "no tag": cbor2.dumps([header(), {}, b"", bytes(64)]),
    "tag of another COSE message": b"\xd1" + raw(header(), {}, b"")[1:],
    "tag 18 not in shortest form": b"\xd8\x12" + raw(header(), {}, b"")[1:],
    "tag 18 twice": b"\xd2" + raw(header(), {}, b""),
    "nothing": b"",
    "text": b"-----BEGIN",
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_envelope_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        cose.parse(REFUSED[name])


def test_an_envelope_has_a_limit() -> None:
    most = cose.OBJECT_BYTES_MAX - len(cose.sign(ED, HEADER, bytes(70_000))) + 70_000
    assert cose.parse(cose.sign(ED, HEADER, bytes(most)))
    with pytest.raises(LimitError):
        cose.sign(ED, HEADER, bytes(most + 1))
    with pytest.raises(LimitError):
        cose.parse(b"\xd2" + bytes(cose.OBJECT_BYTES_MAX))


class Claiming(FileSigner):
    """Signs with its key and claims any algorithm."""

    claimed = 0

    @property
    def alg(self) -> int:
        """What is claimed."""
        return self.claimed


def claiming(signer: FileSigner, alg: int) -> bytes:
    forged = Claiming.__new__(Claiming)
    forged.__dict__.update(vars(signer))
    forged.claimed = alg
    return cose.sign(forged, HEADER, b"x")


@pytest.mark.parametrize(("kind", "alg"), [("ed25519", -8), ("p256", -7)])
def test_the_older_numbers_are_read(kind: str, alg: int) -> None:
    signer = SIGNERS[kind]
    cose.verify(cose.parse(claiming(signer, alg)), signer.public_key)
    assert not SUITES[alg].written


@pytest.mark.parametrize(
    ("kind", "alg"), [("ed25519", -9), ("ed25519", -7), ("p256", -19), ("p256", -8)]
)
def test_an_algorithm_that_does_not_fit_the_key_is_no_signature(kind: str, alg: int) -> None:
    signer = SIGNERS[kind]
    with pytest.raises(SignatureError, match="does not fit"):
        cose.verify(cose.parse(claiming(signer, alg)), signer.public_key)


@pytest.mark.parametrize("alg", [0, 1, -1, 5, -16, -20, -35, -36, -37, -39, -48, -65_000, 2**63])
def test_an_algorithm_nobody_knows_is_undecided(alg: int) -> None:
    with pytest.raises(UnknownSuiteError):
        cose.verify(cose.parse(claiming(ED, alg)), ED.public_key)


def test_another_key_does_not_verify() -> None:
    other = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
    envelope = cose.parse(cose.sign(ED, HEADER, b"x"))
    with pytest.raises(SignatureError, match="another key"):
        cose.verify(envelope, other.public_key)


def test_a_key_id_alone_proves_nothing() -> None:
    """The right key id over another key's signature."""
    other = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
    forged = Claiming.__new__(Claiming)
    forged.__dict__.update(vars(other))
    forged.__dict__["_kid"] = ED.kid
    forged.claimed = -19
    with pytest.raises(SignatureError, match="does not verify"):
        cose.verify(cose.parse(cose.sign(forged, HEADER, b"x")), ED.public_key)


def test_the_signature_covers_header_and_payload_apart() -> None:
    """Bytes moved from the payload's end to another payload are another object."""
    envelope = cose.parse(cose.sign(ED, HEADER, b"ab"))
    for payload in (b"a", b"abc", b"ba"):
        moved = raw(envelope.protected, {}, payload, envelope.signature)
        with pytest.raises(SignatureError):
            cose.verify(cose.parse(moved), ED.public_key)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
@pytest.mark.parametrize("kind", SIGNERS)
def test_a_signature_of_another_length_is_none(kind: str, length: int) -> None:
    signer = SIGNERS[kind]
    envelope = cose.parse(cose.sign(signer, HEADER, b"x"))
    forged = raw(envelope.protected, {}, b"x", bytes(length))
    with pytest.raises(SignatureError):
        cose.verify(cose.parse(forged), signer.public_key)


@pytest.mark.parametrize("number", [0, 1, 2**256 - 1])
def test_p256_numbers_out_of_range_are_no_signature(number: int) -> None:
    envelope = cose.parse(cose.sign(EC, HEADER, b"x"))
    part = number.to_bytes(32, "big")
    for signature in (part + part, part + envelope.signature[32:], envelope.signature[:32] + part):
        forged = raw(envelope.protected, {}, b"x", signature)
        with pytest.raises(SignatureError):
            cose.verify(cose.parse(forged), EC.public_key)


def test_of_two_p256_signatures_the_lower_is_written_and_both_are_read() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2
    for n in range(20):
        data = cose.sign(EC, HEADER, b"%d" % n)
        s = int.from_bytes(data[-32:], "big")
        assert 0 < s <= order // 2
        cose.verify(cose.parse(data[:-32] + (order - s).to_bytes(32, "big")), EC.public_key)


def test_what_anybody_can_write_of_a_p256_object_without_its_key() -> None:
    """With n-s in place of s; n as SEC 2, 2.4.2 gives it. Verified apart from this program."""
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    data = cose.sign(EC, HEADER, b"hello")
    other = data[:-32] + (n - int.from_bytes(data[-32:], "big")).to_bytes(32, "big")
    _, signed = by_hand(EC.alg, EC.kid, b"hello")
    r, s = (int.from_bytes(part, "big") for part in (other[-64:-32], other[-32:]))
    EC_PRIVATE.public_key().verify(cose_der(r, s), signed, ec.ECDSA(hashes.SHA256()))
    assert cose.rewritten_sha256(cose.parse(data)) == hashlib.sha256(other).digest()
    assert cose.rewritten_sha256(cose.parse(other)) == hashlib.sha256(data).digest()
    assert (has_two_ways(EC.public_key), has_two_ways(ED.public_key)) == (True, False)


def test_labels_are_the_registered_ones() -> None:
    """RFC 9052 §3.1 alg, kid; RFC 9597 claims; RFC 9596 typ; RFC 8392 §4 iss, sub, iat."""
    assert (cose.ALG, cose.KID, cose.CWT_CLAIMS, cose.TYP) == (1, 4, 15, 16)
    assert (cose.CWT_ISS, cose.CWT_SUB, cose.CWT_IAT) == (1, 2, 6)


def test_the_object_is_kept_verbatim() -> None:
    data = cose.sign(ED, HEADER, b"x")
    assert cose.parse(data).data == data
    assert cbor.decode(cose.parse(data).protected) == {1: -19, 4: ED.kid, 16: "test+cbor"}
