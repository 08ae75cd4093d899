"""cwt and pycose take what we sign, in all four algorithms, and we take what cwt signs."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cbor, cose
from evidence.errors import SignatureError
from evidence.keys import FileSigner
from tests.attacks import by_keys
from tests.interop.conftest import Ask
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import SEED_BYTES

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

READ = "read_cose.py"


def case(data: bytes, by: FileSigner) -> dict[str, Any]:
    """A question about an object and the key to check it with."""
    key = by.public_key
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers = key.public_numbers()
        x, y = (n.to_bytes(32).hex() for n in (numbers.x, numbers.y))
        return {"object": data.hex(), "key": {"x": x, "y": y}}
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"object": data.hex(), "key": {"x": raw.hex(), "y": None}}


def signed_as(alg: int, by: FileSigner, like: bytes) -> bytes:
    """An object with another's header and payload, under this algorithm's number."""
    old = cose.parse(like)
    protected = cbor.encode({**old.header, cose.ALG: alg, cose.KID: by.kid})
    signature = by.sign(cbor.encode(["Signature1", protected, b"", old.payload]))
    return b"\xd2" + cbor.encode([protected, {}, old.payload, signature])


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def objects() -> list[tuple[bytes, FileSigner]]:
    """Every kind of object we sign, and a frame in each algorithm."""
    month, who, p256 = sm.month(), sm.keys(), sm.keys(p256=True).gateway
    made = [(data, who.gateway) for data in (*month.objects, month.close)]
    made += [
        (month.receipt, who.collector),
        (sm.unpack(sm.honest())["seal/seal.cose"], who.collector),
    ]
    made += [(by_keys.revoke(3), who.root), (by_keys.replacement(2, bytes(32)), who.root)]
    frame = month.objects[1]
    made += [(signed_as(alg, who.gateway, frame), who.gateway) for alg in (-19, -8)]
    return made + [(signed_as(alg, p256, frame), p256) for alg in (-9, -7)]


def test_cwt_and_pycose_read_what_we_sign(ask: Ask) -> None:
    ours = objects()
    answers = ask(READ, [case(data, by) for data, by in ours])
    for (data, by), said in zip(ours, answers, strict=True):
        envelope = cose.parse(data)
        cose.verify(envelope, by.public_key)
        assert said == {"cwt": envelope.payload.hex(), "pycose": envelope.payload.hex()}


def test_all_three_refuse_a_flipped_signature_and_another_key(ask: Ask) -> None:
    bad = [(flipped(data), by) for data, by in objects()]
    bad += [(data, sm.signer(90)) for data, by in objects() if by is sm.keys().gateway]
    answers = ask(READ, [case(data, by) for data, by in bad])
    for (data, by), said in zip(bad, answers, strict=True):
        with pytest.raises(SignatureError):
            cose.verify(cose.parse(data), by.public_key)
        assert all(word.startswith("refused: ") for word in said.values()), said


def test_we_read_what_cwt_signs(ask: Ask) -> None:
    """Ed25519 signs without a random number: the same bytes as ours, to the last one."""
    ours, key = sm.month().objects[1], sm.keys().gateway
    envelope = cose.parse(ours)
    raw = key.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    wish = {
        "alg": key.alg, "d": (bytes([2]) * SEED_BYTES).hex(), "x": raw.hex(),
        "header": envelope.protected.hex(), "payload": envelope.payload.hex(),
    }  # fmt: skip
    (said,) = ask(READ, [{"sign": wish}])
    assert bytes.fromhex(said["cwt"]) == ours
