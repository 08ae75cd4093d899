"""A key in a token that is away, hangs, refuses or is another."""

import threading

import pytest

from evidence import token_key
from evidence.errors import KeyFileError, TokenAwayError
from evidence.keys import FileSigner, Signer, generate
from evidence.token_key import TokenKey


class Token:
    """What `open_signer` gives, or raises."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.error: Exception | None = None
        self.opened = 0

    def open(self) -> Signer:
        self.opened += 1
        if self.error is not None:
            raise self.error
        return self.signer


class Hanging(FileSigner):
    """Answers when it is told to."""

    answers = threading.Event()

    def sign(self, message: bytes) -> bytes:
        self.answers.wait(10)
        return super().sign(message)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_token_that_comes_later_signs_then(kind: str) -> None:
    signer = FileSigner(generate(kind))
    token = Token(signer)
    key = TokenKey(signer.public_key, token.open)
    assert (key.alg, key.kid, key.public_key) == (signer.alg, signer.kid, signer.public_key)
    token.error = TokenAwayError("not in the slot")
    for _ in range(5):
        with pytest.raises(TokenAwayError, match="not in the slot"):
            key.sign(b"m")
    token.error = None
    if kind == "ed25519":
        assert key.sign(b"m") == signer.sign(b"m")
    assert key.sign(b"m")
    assert token.opened == 6, "opened once when it was there"


def test_a_token_that_refuses_is_asked_once() -> None:
    """Three wrong PINs lock most tokens."""
    signer = FileSigner(generate())
    token = Token(signer)
    token.error = KeyFileError("PIN is wrong")
    key = TokenKey(signer.public_key, token.open)
    for _ in range(4):
        with pytest.raises(KeyFileError, match="PIN is wrong; not tried again"):
            key.sign(b"m")
    assert token.opened == 1


def test_a_token_with_another_key_does_not_sign() -> None:
    token = Token(FileSigner(generate()))
    key = TokenKey(FileSigner(generate()).public_key, token.open)
    for _ in range(2):
        with pytest.raises(KeyFileError, match="another key"):
            key.sign(b"m")


def test_a_token_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for once, is not asked again before it has answered, and signs on after."""
    monkeypatch.setattr(token_key, "SIGN_S", 0.05)
    hanging = Hanging(generate())
    key = TokenKey(hanging.public_key, lambda: hanging, hanging)
    Hanging.answers.clear()
    before = threading.active_count()
    with pytest.raises(TokenAwayError, match="not answered"):
        key.sign(b"m")
    for _ in range(3):
        with pytest.raises(TokenAwayError, match="still"):
            key.sign(b"m")
    assert threading.active_count() == before + 1
    Hanging.answers.set()
    for thread in threading.enumerate():
        if thread.name == "token":
            thread.join(5)
    assert key.sign(b"m") == FileSigner.sign(hanging, b"m")


def test_what_breaks_inside_is_not_taken_for_silence() -> None:
    token = Token(FileSigner(generate()))
    token.error = ZeroDivisionError("a defect")
    with pytest.raises(ZeroDivisionError):
        TokenKey(token.signer.public_key, token.open).sign(b"m")
