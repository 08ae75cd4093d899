"""Checkpoints are C2SP signed notes: proved against a note that was published elsewhere.

The published note and keys are those of golang.org/x/mod/sumdb/note, note_test.go.
"""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from evidence.checkpoint import TEXT_BYTES_MAX, Checkpoint, sign, verify
from evidence.errors import MalformedError, SignatureError, UnknownSuiteError
from evidence.keys import FileSigner

PRIVATE_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)

SEED = base64.b64decode(PRIVATE_KEY.split("+", 4)[4])[1:]
ED = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(SEED))
EC = FileSigner(ec.derive_private_key(7, ec.SECP256R1()))
OTHER = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
ROOT = bytes(range(32))
ROOT_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NOTE = sign(Checkpoint("p1", 7, ROOT), ED, ED.public_key)


def note_by_hand(name: str, text: str) -> str:
    """C2SP signed-note with the published key, put together here."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    key_id = hashlib.sha256(
        name.encode() + b"\n\x01" + private.public_key().public_bytes_raw()
    ).digest()[:4]
    blob = base64.b64encode(key_id + private.sign(text.encode())).decode()
    return f"{text}\n\u2014 {name} {blob}\n"


def test_the_hand_made_note_is_the_published_one() -> None:
    assert note_by_hand("PeterNeumann", TEXT) == f"{TEXT}\n\u2014 PeterNeumann {SIGNATURE}\n"
    assert base64.b64decode(SIGNATURE)[:4].hex() == VERIFIER_KEY.split("+")[1]


def test_a_checkpoint_is_such_a_note() -> None:
    text = f"stackproof/p1\n7\n{ROOT_TEXT}\n"
    assert note_by_hand("stackproof/p1", text) == NOTE
    assert verify(NOTE, ED.public_key) == Checkpoint("p1", 7, ROOT)


def test_a_p256_log_signs_with_an_unassigned_type() -> None:
    note = sign(Checkpoint("p1", 7, ROOT), EC, EC.public_key)
    spki = EC.public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = hashlib.sha256(b"stackproof/p1\n\xffESP256" + spki).digest()[:4]
    blob = base64.b64decode(note.rpartition(" ")[2])
    assert blob[:4] == key_id
    assert len(blob) == 4 + 64
    assert verify(note, EC.public_key).size == 7
    with pytest.raises(SignatureError):
        verify(note, ED.public_key)


@pytest.mark.parametrize("size", [0, 1, 2**62, 9_999_999_999_999_999_999])
def test_sizes_read_back(size: int) -> None:
    assert verify(sign(Checkpoint("p", size, ROOT), ED, ED.public_key), ED.public_key).size == size


def test_no_bit_of_a_checkpoint_can_change() -> None:
    data = NOTE.encode()
    for at in range(len(data)):
        for bit in range(8):
            spoilt = bytearray(data)
            spoilt[at] ^= 1 << bit
            try:
                text = bytes(spoilt).decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises((MalformedError, SignatureError)):
                verify(text, ED.public_key)


def test_no_cut_checkpoint_is_one() -> None:
    for length in range(len(NOTE)):
        with pytest.raises((MalformedError, SignatureError)):
            verify(NOTE[:length], ED.public_key)


def test_another_logs_key_does_not_verify() -> None:
    with pytest.raises(SignatureError, match="no signature of its log's key"):
        verify(NOTE, OTHER.public_key)


def test_the_key_belongs_to_the_name_of_its_log() -> None:
    """The same key's signature under another plant's name is not looked at."""
    text = f"stackproof/p2\n7\n{ROOT_TEXT}\n"
    note = note_by_hand("stackproof/p1", text)
    with pytest.raises(SignatureError):
        verify(note, ED.public_key)


def test_a_curve_without_a_suite_is_undecided() -> None:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    text = f"stackproof/p1\n7\n{ROOT_TEXT}\n"
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = hashlib.sha256(b"stackproof/p1\n\xffESP256" + spki).digest()[:4]
    blob = base64.b64encode(key_id + bytes(64)).decode()
    with pytest.raises(UnknownSuiteError):
        verify(f"{text}\n\u2014 stackproof/p1 {blob}\n", key)


def signed(body: str) -> str:
    """The body under a good signature, whatever it says."""
    return note_by_hand("stackproof/p1", body)


@pytest.mark.parametrize(
    "body",
    [
        "", "\n", "x\n7\n" + ROOT_TEXT + "\n", f"other/p1\n7\n{ROOT_TEXT}\n",
        f"stackproof/p1\n07\n{ROOT_TEXT}\n", f"stackproof/p1\n+7\n{ROOT_TEXT}\n",
        f"stackproof/p1\n-7\n{ROOT_TEXT}\n", f"stackproof/p1\n7 \n{ROOT_TEXT}\n",
        f"stackproof/p1\n٧\n{ROOT_TEXT}\n", f"stackproof/p1\n\n{ROOT_TEXT}\n",
        f"stackproof/p1\n0x7\n{ROOT_TEXT}\n", f"stackproof/p1\n{'9' * 20}\n{ROOT_TEXT}\n",
        f"stackproof/p1\n{'9' * 3000}\n{ROOT_TEXT}\n", "stackproof/p1\n7\n\n",
        f"stackproof/p1\n7\n{ROOT_TEXT[:-1]}\n", f"stackproof/p1\n7\n{ROOT_TEXT[:-4]}\n",
        f"stackproof/p1\n7\n{ROOT_TEXT[:-2]}i=\n", f"stackproof/p1\n7\n {ROOT_TEXT}\n",
        f"stackproof/p1\n7\n{ROOT_TEXT.replace('A', '-')}\n",
        f"stackproof/p1\n7\n{ROOT_TEXT}\nextension\n", f"stackproof/p1\r\n7\r\n{ROOT_TEXT}\r\n",
    ],
)  # fmt: skip
def test_a_body_of_another_form_is_no_checkpoint(body: str) -> None:
    with pytest.raises((MalformedError, SignatureError)):
        verify(signed(body), ED.public_key)


LINE = NOTE.splitlines()[-1]
BODY = NOTE.rpartition("\u2014")[0]


@pytest.mark.parametrize(
    "lines",
    [
        "", "\n", LINE, f"{LINE}\n\n", f"\n{LINE}\n", f"{LINE} x\n", f"{LINE}\nx\n", f" {LINE}\n",
        f"-- w AAAAAAAA\n{LINE}\n",
        LINE.replace("\u2014", "-") + "\n", LINE.replace(" ", "  ") + "\n",
        LINE.replace(" ", "\u00a0") + "\n", f"\u2014 w !!!!\n{LINE}\n", f"\u2014 w AAAA\n{LINE}\n",
    ],
)  # fmt: skip
def test_signature_lines_of_another_form_are_refused(lines: str) -> None:
    with pytest.raises((MalformedError, SignatureError)):
        verify(BODY + lines, ED.public_key)


def test_other_signatures_may_stand_before_and_after() -> None:
    witness = "\u2014 witness.example/w " + base64.b64encode(bytes(76)).decode()
    same_name = "\u2014 stackproof/p1 " + base64.b64encode(bytes(68)).decode()
    for text in (f"{witness}\n{LINE}\n", f"{LINE}\n{witness}\n", f"{same_name}\n{LINE}\n"):
        assert verify(BODY + text, ED.public_key).size == 7


def test_a_bad_signature_of_the_right_key_is_not_passed_over() -> None:
    blob = base64.b64decode(LINE.rpartition(" ")[2])
    bad = "\u2014 stackproof/p1 " + base64.b64encode(blob[:4] + b"\t" * 64).decode()
    with pytest.raises(SignatureError, match="does not verify"):
        verify(f"{BODY}{bad}\n{LINE}\n", ED.public_key)


def test_a_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedError, match="too long"):
        verify(NOTE + "x" * TEXT_BYTES_MAX, ED.public_key)
