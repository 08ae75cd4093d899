"""The ways to people elsewhere: a webhook (HTTP) and mail (SMTP). Blocking network I/O.

A secret is read from its file when it is used, stands in no log and no error. Chat services let in
whoever knows the whole of a webhook's address, so neither does that.
"""

import contextlib
import hashlib
import hmac
import http.client
import io
import json
import logging
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from cloud.alarms.notices import Notice
from cloud.answers import UntilEnd, opener
from cloud.errors import CloudError

log = logging.getLogger("stackproof.cloud.alarms")

#: seconds for an answer, and for a whole mail
ANSWER_S, MAIL_S = 10.0, 60.0
SECRET_BYTES_MAX = 4_096
SIGNATURE = "Stackproof-Signature"


class NotSentError(CloudError):
    """A message did not get through; it may be tried again."""


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """For the log."""

    def send(self, notice: Notice, now_s: int) -> None:
        """Send it; NotSentError when it did not get through."""


@dataclass(frozen=True)
class Webhook:
    """Posts JSON, signed: `Stackproof-Signature: t=SECONDS,v1=HEX`.

    HEX is HMAC-SHA-256, by the secret's bytes, of "SECONDS." and the body; SECONDS since 1970 let
    the receiver refuse what is old.

    Attributes:
        url: http or https; never shown.
        secret: file with the secret; its last line end does not count.
    """

    url: str = field(repr=False)
    secret: Path
    name: str = "webhook"

    def send(self, notice: Notice, now_s: int) -> None:
        """Post it; any answer of 200 to 299 is taken for a yes."""
        body = json.dumps(notice.as_map(), ensure_ascii=False).encode()
        head = {
            "Content-Type": "application/json",
            SIGNATURE: signature(secret_in(self.secret), body, now_s),
        }
        request = urllib.request.Request(self.url, body, head)  # noqa: S310 - CLOUD.toml's reader allows http and https only
        try:
            with opener().open(request, timeout=ANSWER_S):
                pass
        except urllib.error.HTTPError as error:  # its text may repeat the address, a secret too
            raise NotSentError(f"webhook: it answers {error.code}") from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None)
            why = why or type(error).__name__
            raise NotSentError(f"webhook: {why}") from None


def signature(secret: bytes, body: bytes, now_s: int) -> str:
    """The header's value."""
    mac = hmac.new(secret, f"{now_s}.".encode() + body, hashlib.sha256)
    return f"t={now_s},v1={mac.hexdigest()}"


@dataclass(frozen=True)
class Mail:
    """Sends mail by SMTP, encrypted by STARTTLS unless the server is this machine's.

    Attributes:
        host, port: of the server.
        is_tls: STARTTLS, with a certificate that is checked.
        authority: file with who issued it, None for the machine's own list.
        user: account there, "" for none.
        password: file with its password.
        sender, recipients: addresses.
    """

    host: str
    port: int
    is_tls: bool
    authority: Path | None
    user: str
    password: Path | None
    sender: str
    recipients: tuple[str, ...]
    name: str = field(default="mail")

    def send(self, notice: Notice, now_s: int) -> None:
        """Hand it to the server; a mailbox that is refused is logged where others have it."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.recipients)
        message["Subject"] = notice.subject()
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is away on holiday to it
        message.set_content(notice.text())
        try:
            with _TimedMail(self.host, self.port, timeout=ANSWER_S) as server:
                if self.is_tls:
                    server.starttls(context=ssl.create_default_context(cafile=self.authority))
                if self.user and self.password is not None:
                    server.login(self.user, secret_in(self.password).decode())
                refused = server.send_message(message)
        except smtplib.SMTPAuthenticationError:  # its text may repeat what was sent
            raise NotSentError("mail: the server refuses user and password") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotSentError(f"mail: {error}") from error
        if refused:  # again would be once more for those who have it
            log.error("mail: refused for %s; the others have it", ", ".join(refused))


class _TimedMail(smtplib.SMTP):
    """A mail server whose replies, all of them, come within `MAIL_S`, or none any more."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._end_s = time.monotonic() + MAIL_S
        super().__init__(host, port, timeout=timeout)  # it connects, and hears a reply

    def getreply(self) -> tuple[int, bytes]:
        """Code and text."""
        if self.file is None and self.sock is not None:  # a new connection, or TLS over it
            came = self.sock.makefile("rb", buffering=0)
            self.file = io.BufferedReader(UntilEnd(self.sock, came, self._end_s))
        return super().getreply()

    def __exit__(self, *_: object) -> None:
        """What it says to QUIT changes nothing of what it took: sent again, all have it twice."""
        with contextlib.suppress(OSError):
            self.docmd("QUIT")
        self.close()


def secret_in(path: Path) -> bytes:
    """What stands in a file of a secret; NotSentError names the file and no more."""
    try:
        with path.open("rb") as file:
            secret = file.read(SECRET_BYTES_MAX).rstrip(b"\r\n")
    except OSError as error:
        raise NotSentError(f"{path.name} cannot be read: {error.strerror}") from error
    if not secret:
        raise NotSentError(f"{path.name} is empty")
    return secret
