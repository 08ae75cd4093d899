"""A writer of signed frames made for the vectors alone: FORMAT.md sections 1 to 4 in plain Python.

It uses nothing of the program, writes whatever it is told, wrong things too, and signs with fixed
keys (P-256 by RFC 6979, so that the same vectors come out each time).
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECOND = 10**9
T0 = 1_781_499_580 * SECOND
BOOT = bytes(range(16))
FRAME = "stackproof-frame+cbor"
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(int.from_bytes(bytes(range(1, 33))), ec.SECP256R1())
Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

#: RFC 8746 tag -> format of struct
NUMBERS = {64: "B", 69: "H", 70: "I", 71: "Q", 72: "b", 77: "h", 78: "i", 79: "q", 85: "f", 86: "d"}
LAG = 78


def spki(key: Key) -> bytes:
    """The public key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def cbor(value: Any) -> bytes:
    """Deterministic CBOR."""
    return cbor2.dumps(value, canonical=True)


def raw_signature(key: Key, data: bytes) -> bytes:
    """64 bytes."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    der = key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


def header(key: Key = ED25519, **changes: Any) -> dict[int, Any]:
    """The header of seq 7 of stream edge-1; a change of None takes a label out."""
    alg = -19 if isinstance(key, ed25519.Ed25519PrivateKey) else -9
    labels: dict[str, Any] = {
        "alg": alg, "kid": hashlib.sha256(spki(key)).digest()[:8], "typ": FRAME,
        "claims": {1: "p1", 2: "edge-1", 6: T0 // SECOND + 3}, "seq": 7, "prev": bytes(range(32)),
        "anchor": None, "cfg": bytes(range(32, 64)),
    }  # fmt: skip
    places = {
        "alg": 1, "kid": 4, "typ": 16, "claims": 15, "seq": -65537, "prev": -65538,
        "anchor": -65539, "cfg": -65540, "extra": -65541,
    }  # fmt: skip
    return {places[k]: v for k, v in (labels | changes).items() if v is not None}


def signed(payload: bytes, key: Key = ED25519, protected: bytes | None = None) -> list[Any]:
    """The four parts of an object."""
    protected = cbor(header(key)) if protected is None else protected
    data = cbor(["Signature1", protected, b"", payload])
    return [protected, {}, payload, raw_signature(key, data)]


def cose(parts: Sequence[Any]) -> bytes:
    """The object's bytes."""
    return b"\xd2" + cbor(list(parts))


def block(rows: Sequence[Sequence[int | float]], dtype: int, filter_: int) -> bytes:
    """Numbers as a block, floats as their bits if they are given as such."""
    code = NUMBERS[dtype]
    size = struct.calcsize(code)
    words = [[_bits(n, code, size) for n in row] for row in rows]
    mask = (1 << 8 * size) - 1
    if filter_ == 0:
        return b"".join(w.to_bytes(size, "little") for row in words for w in row)
    steps = []
    for row in words:
        for before, now in zip([0, *row], row, strict=False):
            if filter_ == 2:
                steps.append(before ^ now)
                continue
            step = (now - before) & mask
            signed_step = step - (mask + 1) if step > mask >> 1 else step
            steps.append(((signed_step << 1) ^ (signed_step >> (8 * size - 1))) & mask)
    return bytes(step >> 8 * plane & 255 for plane in range(size) for step in steps)


def _bits(number: int | float, code: str, size: int) -> int:
    """A number as an unsigned word; ints of float types are bits already."""
    if code in "fd" and isinstance(number, int):
        return number
    return int.from_bytes(struct.pack(f"<{code}", number), "little")


def group(
    rows: Sequence[Sequence[int | float]],
    dtype: int = 69,
    filter_: int = 0,
    *,
    index: int = 0,
    runs: Sequence[int] = (),
    source: Sequence[Sequence[int]] | None = None,
) -> list[Any]:
    """One group of a section."""
    times = b"" if source is None else block(source, LAG, 1)
    data = block(rows, dtype, filter_)
    return [index, dtype, filter_, len(rows), data, list(runs), times]


def section(
    groups: Sequence[Any],
    ticks: int = 3,
    *,
    schedule: int = 0,
    first: int = T0,
    step: int = SECOND,
    lag: Sequence[Sequence[int]] = ((5, 5, 6),),
) -> list[Any]:
    """One section; as many devices as rows of lag."""
    devices = list(range(len(lag)))
    return [schedule, first, step, ticks, list(groups), devices, block(lag, LAG, 1)]


def body(sections: Sequence[Any], **changes: Any) -> dict[int, Any]:
    """A frame's body."""
    fields: dict[str, Any] = {
        "version": 1, "t0": T0, "clock": ["ntp", 1, 0, bytes(16)], "flags": 8,
        "sections": list(sections), "gap": None, "events": None, "extra": None,
    }  # fmt: skip
    fields |= changes
    labels = dict(zip(fields, (1, 2, 3, 4, 5, 6, 7, 8), strict=True))
    return {labels[name]: value for name, value in fields.items() if value is not None}
