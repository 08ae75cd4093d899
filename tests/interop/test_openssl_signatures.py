"""OpenSSL's commands verify every kind of signature we make, in both suites, and no changed one.

Certificates and stream objects: tests/unit/evidence/test_openssl.py. Time stamps, whose authority
is `openssl ts`: test_timestamp.py there.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest

from evidence import checkpoint, cose
from evidence.archive import bag
from evidence.cosignature import cosign
from evidence.inclusion_receipt import encode_inclusion
from evidence.keys import certificate_to_pem
from evidence.merkle import inclusion_path, leaf_hash, root_of
from evidence.orders import Revoke, encode_order
from evidence.receipt import decode_receipt, encode_receipt
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.test_cose import cose_der
from tests.unit.evidence.test_openssl import openssl, signed_bytes

pytestmark = pytest.mark.needs("openssl")

Signed = tuple[str, str, bytes, bytes]  # what, whose, the bytes that are signed, signature
HASH = bytes(range(32))
AT_S = 1_781_500_000


def of_object(what: str, role: str, data: bytes) -> Signed:
    envelope = cose.parse(data)
    return what, role, signed_bytes(envelope), envelope.signature


def blob(note: str) -> bytes:
    """Key id and signature of a note's last line."""
    return base64.b64decode(note.splitlines()[-1].rpartition(" ")[2])


def everything(p256: bool) -> Iterator[Signed]:
    """One of each kind; the bytes that are signed are put together here, after the standards."""
    who = sm.keys(p256=p256)
    held = decode_receipt(sm.month().receipt, sm.keys().collector.public_key)
    order = Revoke(sm.PLANT, sm.STREAM, HASH, 7, "stolen")
    yield of_object("receipt", "collector", encode_receipt(held, who.collector))
    yield of_object("seal", "collector", bag.seal(HASH, who.collector))
    yield of_object("order", "root", encode_order(order, who.root))

    entries = sm.month().entries
    leaves = [leaf_hash(entry) for entry in entries]
    size, root, path = len(leaves), root_of(leaves), inclusion_path(leaves, 2)
    made = encode_inclusion(sm.PLANT, entries[2], 2, size, path, signer=who.collector)
    protected, _, _, signature = cbor2.loads(made).value
    structure = cbor2.dumps(["Signature1", protected, b"", root])  # RFC 9052 §4.4
    yield "receipt of inclusion", "collector", structure, signature

    signed_note = checkpoint.Checkpoint(sm.PLANT, size, root)
    note = checkpoint.sign(signed_note, who.collector, who.collector.public_key)
    body = note.partition("\n\n")[0] + "\n"
    yield "checkpoint", "collector", body.encode(), blob(note)[4:]
    name = f"stackproof/{sm.PLANT}/{sm.STREAM}"
    seen = cosign(note, name, AT_S, who.gateway, who.gateway.public_key)
    text = f"cosignature/v1\ntime {AT_S}\n{body}"  # C2SP tlog-cosignature
    yield "cosignature", "gateway", text.encode(), blob(seen)[12:]


@pytest.mark.parametrize("p256", [False, True])
def test_openssl_verifies_what_we_sign(tmp_path: Path, p256: bool) -> None:
    message, sig = tmp_path / "message", tmp_path / "signature"
    for what, role, data, signature in everything(p256):
        certificate, key = tmp_path / "c.crt", tmp_path / "key.pem"
        certificate.write_bytes(certificate_to_pem(sm.keys(p256=p256).certificates[role]))
        key.write_text(openssl("x509", "-in", certificate, "-pubkey", "-noout"))
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        sig.write_bytes(cose_der(r, s) if p256 else signature)
        how = ["-rawin", "-digest", "sha256"] if p256 else ["-rawin"]
        for change, wanted in ((b"", "Successfully"), (b"x", "Failure")):
            message.write_bytes(data + change)
            said = openssl(
                "pkeyutl", "-verify", "-pubin", "-inkey", key, *how, "-in", message, "-sigfile", sig
            )
            assert wanted in said, (what, said)
