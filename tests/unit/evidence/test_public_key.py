"""Public keys, written out and read again."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

from evidence.errors import MalformedError, UnknownSuiteError
from evidence.keys import generate, spki
from evidence.public_key import load_key


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_key_is_read_again_from_what_was_written_of_it(kind: str) -> None:
    key = generate(kind).public_key()
    assert load_key(spki(key)) == key


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        spki(ed25519.Ed25519PrivateKey.generate().public_key())[:-1],
        x25519.X25519PrivateKey.generate().public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    ],
    ids=["nothing", "cut", "short", "no signatures"],
)  # fmt: skip
def test_what_is_no_key_of_evidence_is_malformed(data: bytes) -> None:
    with pytest.raises((MalformedError, UnknownSuiteError)):
        load_key(data)
