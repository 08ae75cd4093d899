"""Cosignatures: the bytes by C2SP's text, both signatures, and every refusal."""

import base64
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cbor, checkpoint
from evidence.blocks import compress
from evidence.checkpoint import Checkpoint
from evidence.cosignature import Cosigned, cosign, decode_cosignature, verify_cosigned, witness_name
from evidence.errors import EvidenceError, MalformedError, SignatureError
from evidence.keys import FileSigner
from tests.unit.evidence.small_plant import Keys, keys

SEEN = Checkpoint("p1", 12, bytes(range(32)))
NAME, AT_S = "stackproof/p1/edge-1", 1_781_499_600
BODY = f"stackproof/p1\n12\n{base64.b64encode(SEEN.root).decode()}\n"
BOTH = pytest.mark.parametrize("who", [keys(), keys(p256=True)], ids=["ed25519", "p256"])


def key_id(by: FileSigner, name: str = NAME) -> bytes:
    """C2SP signed-note: SHA-256(name, newline, type, key); 04 or ff and an identifier."""
    key = by.public_key
    if by.alg == -19:
        material = b"\x04" + key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        material = b"\xffESP256-cosignature" + spki
    return hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]


def line(by: FileSigner, *, name: str = NAME, at_s: int = AT_S, body: str = BODY) -> str:
    """C2SP tlog-cosignature v1, put together here."""
    signature = by.sign(f"cosignature/v1\ntime {at_s}\n{body}".encode())
    blob = key_id(by, name) + at_s.to_bytes(8, "big") + signature
    return f"— {name} {base64.b64encode(blob).decode()}\n"


def note(who: Keys) -> str:
    return checkpoint.sign(SEEN, who.collector, who.collector.public_key)


def verified(text: str, who: Keys, name: str = NAME) -> Cosigned:
    return verify_cosigned(text, name, who.gateway.public_key, [who.collector.public_key])


def test_a_gateways_name_as_a_witness() -> None:
    assert witness_name("p1", "edge-1") == NAME


def test_an_ed25519_cosignature_is_that_of_the_text() -> None:
    who = keys()
    made = cosign(note(who), NAME, AT_S, who.gateway, who.gateway.public_key)
    assert made == note(who) + line(who.gateway)


@BOTH
def test_a_cosignature_put_together_by_hand_is_read(who: Keys) -> None:
    assert verified(note(who) + line(who.gateway), who) == Cosigned(SEEN, AT_S)


@BOTH
def test_a_made_one_reads_back_beside_other_lines(who: Keys) -> None:
    other = line(keys(70).gateway, name="example.org/witness")
    made = cosign(note(who) + other, NAME, AT_S, who.gateway, who.gateway.public_key)
    assert verified(made, who) == Cosigned(SEEN, AT_S)
    assert checkpoint.verify(made, who.collector.public_key) == SEEN


@BOTH
def test_what_is_not_signed_by_both_is_refused(who: Keys) -> None:
    own, stranger = note(who), keys(70, p256=who.gateway.alg == -9)
    texts = {
        "no line": own,
        "of another key": own + line(stranger.gateway),
        "under another name": own + line(who.gateway, name="stackproof/p1/edge-2"),
        "of another time": own + line(who.gateway).replace(
            base64.b64encode(key_id(who.gateway) + AT_S.to_bytes(8, "big"))[:8].decode(), "AAAAAAAA"
        ),
        "of another body": own + line(who.gateway, body=BODY.replace("12", "13")),
        "of another log": note(stranger) + line(who.gateway),
        "no log at all": BODY + "\n" + line(who.gateway),
    }  # fmt: skip
    for told, text in texts.items():
        with pytest.raises(SignatureError):
            pytest.fail(f"{told}: {verified(text, who)}")


def test_no_letter_of_a_cosigned_note_can_change() -> None:
    """Only ASCII letters and digits: what stands between them is the form's, tested below."""
    who = keys()
    text = note(who) + line(who.gateway)
    for at, letter in enumerate(text):
        if letter.isascii() and letter.isalnum():
            changed = text[:at] + ("A" if letter != "A" else "B") + text[at + 1 :]
            with pytest.raises(EvidenceError):
                verified(changed, who)


def test_a_line_without_a_signature_is_misformed() -> None:
    who = keys()
    blob = base64.b64encode(key_id(who.gateway) + bytes(8)).decode()
    with pytest.raises(MalformedError, match="cosignature line misformed"):
        verified(f"{note(who)}— {NAME} {blob}\n", who)


@pytest.mark.parametrize("text", ["", "x", BODY, BODY + "\n— x\n", "\n\n\n"])
def test_what_is_no_checkpoint_is_not_cosigned(text: str) -> None:
    who = keys()
    with pytest.raises(MalformedError):
        cosign(text, NAME, AT_S, who.gateway, who.gateway.public_key)


def test_the_payload_is_the_note_and_nothing_else() -> None:
    assert decode_cosignature(compress(cbor.encode({"checkpoint": "text"}))) == "text"
    spoilt: list[Any] = [{}, [], None, "x", {"checkpoint": b"x"}, {"checkpoint": "x", "more": 1}]
    for fields in spoilt:
        with pytest.raises(MalformedError):
            decode_cosignature(compress(cbor.encode(fields)))
