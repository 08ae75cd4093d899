"""A mail server for tests: one thread a server, SMTP with STARTTLS and AUTH PLAIN (RFC 5321)."""

import base64
import contextlib
import datetime as dt
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOGIN = ("stackproof", "s3cret-mail-word")


def own_certificate(folder: Path) -> Path:
    """A key and its own certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "mail.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, form, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(encoding))
    return path


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it is given.

    Attributes:
        context: for STARTTLS; None without.
        mails: (was it encrypted, recipients, text).
        logins: user and password of each.
        refuses: recipients that it does not take.
        bye: what it says to QUIT.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.context = context
        self.mails: list[tuple[bool, list[str], str]] = []
        self.logins: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.bye = "221 bye"

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._encrypted, self._recipients = False, list[str]()
        # a client that does not know the certificate goes away
        with contextlib.suppress(ssl.SSLError):
            self._talk()
        self.connection.close()

    def _talk(self) -> None:
        self._say("220 mail.test")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            getattr(self, f"_{word.lower()}", self._fine)(line)
            if word == "QUIT":
                return

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _fine(self, _: str) -> None:
        self._say("250 ok")

    def _quit(self, _: str) -> None:
        self._say(self.server.bye)

    def _ehlo(self, _: str) -> None:
        offers = "250 AUTH PLAIN" if self._encrypted or not self.server.context else "250 STARTTLS"
        self._say("250-mail.test", offers)

    def _starttls(self, _: str) -> None:
        assert self.server.context is not None
        self._say("220 go on")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self._encrypted = True

    def _auth(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.server.logins.append((user, password))
        self._say("235 ok" if (user, password) == LOGIN else f"535 wrong: {password}")

    def _rcpt(self, line: str) -> None:
        recipient = line.partition("<")[2].partition(">")[0]
        if recipient in self.server.refuses:
            self._say(f"550 {recipient}: no such mailbox")
            return
        self._recipients.append(recipient)
        self._say("250 ok")

    def _data(self, _: str) -> None:
        self._say("354 go on")
        lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
        self.server.mails.append((self._encrypted, self._recipients, "\n".join(lines)))
        self._say("250 taken")


@contextlib.contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[MailServer]:
    """A running one; with a PEM file of key and certificate it offers STARTTLS alone."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with MailServer(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
