"""A key in a token that may be away when a program starts, and may hang.

Of the gateway, and of the broker's CA. Whoever waits for a signature is the thread that commits
readings, or the one that tells brokers who was revoked. So the token is asked on a thread of its
own, for a bounded time, and not again before it has answered; and a gateway that comes back from a
power cut before its token does reads on meanwhile.
"""

import functools
import threading
from collections.abc import Callable
from pathlib import Path

from evidence.errors import KeyFileError, TokenAwayError
from evidence.keys import Signer, key_id, load_certificate, public_key
from evidence.signers import PKCS11, open_signer
from evidence.suites import PublicKey, suite_of

#: how long a signature may take; a smart card needs half a second
SIGN_S = 2.0


class TokenKey:
    """A signer of a certified key, opened when it is to sign; one thread at a time."""

    def __init__(
        self, key: PublicKey, opener: Callable[[], Signer], opened: Signer | None = None
    ) -> None:
        """Prepare.

        Args:
            key: as certified.
            opener: opens the token.
            opened: what it gave, when the token is there.
        """
        self._key, self._opener, self._opened = key, opener, opened
        self._refused = ""
        self._call: threading.Thread | None = None

    @property
    def alg(self) -> int:
        """COSE algorithm number."""
        return suite_of(self._key).alg

    @property
    def kid(self) -> bytes:
        """Key id, 8 bytes."""
        return key_id(self._key)

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._key

    def sign(self, message: bytes) -> bytes:
        """Signature over the message.

        Raises:
            TokenAwayError: the token is not there, or has not answered for `SIGN_S`.
            KeyFileError: it refuses, or holds another key.
        """
        if self._call is not None and self._call.is_alive():
            raise TokenAwayError("its token still does not answer")
        made: list[bytes | Exception] = []

        def ask() -> None:
            try:
                made.append(self._sign(message))
            except Exception as error:  # noqa: BLE001 - raised below, where somebody waits for it
                made.append(error)

        # a call that hangs in a vendor's library cannot be ended: nothing may wait for it at exit
        self._call = threading.Thread(target=ask, name="token", daemon=True)
        self._call.start()
        self._call.join(SIGN_S)
        if not made:
            raise TokenAwayError(f"its token has not answered for {SIGN_S:g} s")
        if isinstance(made[0], Exception):
            raise made[0]
        return made[0]

    def _sign(self, message: bytes) -> bytes:
        if self._refused:
            raise KeyFileError(self._refused)
        if self._opened is None:
            self._opened = self._open()
        return self._opened.sign(message)

    def _open(self) -> Signer:
        """The token's key; what refuses is not asked again, as three wrong PINs lock a token."""
        try:
            signer = self._opener()
        except TokenAwayError:
            raise
        except KeyFileError as error:
            self._refused = f"{error}; not tried again until the program starts anew"
            raise KeyFileError(self._refused) from error
        if signer.kid != self.kid:
            self._refused = "its token holds another key than the certificate's"
            raise KeyFileError(self._refused)
        return signer


def patient_signer(
    reference: str, folder: Path, certificate: Path, tell_away: Callable[[TokenAwayError], None]
) -> Signer:
    """A certified key by its reference; of one in a token what can wait for it.

    Args:
        reference: file:PATH or pkcs11:URI.
        folder: what a relative PATH is below.
        certificate: of the key, which a token that is away cannot show.
        tell_away: told why there is none yet; what it raises goes on.

    Raises:
        KeyFileError: there is no such key, or no certificate.
    """
    if not reference.startswith(PKCS11):
        return open_signer(reference, folder)
    opener = functools.partial(open_signer, reference, folder)
    try:
        opened = opener()
    except TokenAwayError as error:
        tell_away(error)
        return TokenKey(public_key(load_certificate(certificate)), opener)
    return TokenKey(opened.public_key, opener, opened)
