"""TLS with the broker: who is believed, what is shown; nothing switches that off. I/O: files.

The twin of `edge.broker_tls`; the rooms do not know each other.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import EvidenceError
from evidence.keys import (
    key_sha256,
    load_certificate,
    load_certificates,
    load_private,
    public_key,
)


class ClosedUnlessShaken(ssl.SSLSocket):
    """Closed there and then where the handshake fails: paho leaves that to Python's garbage."""

    def do_handshake(self, block: bool = False) -> None:
        """As above it; whatever it raises, nothing stays open."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of one side.

    Attributes:
        ca: certificates of those who certify the broker.
        certificate: of the key.
        key: private, its owner's alone.
    """

    ca: Path
    certificate: Path
    key: Path

    def problems(self) -> Iterator[tuple[str, str]]:
        """(key of the configuration, what is wrong with its file)."""
        try:
            load_certificates(self.ca)
        except EvidenceError as error:
            yield "ca", str(error)
        try:
            key = load_private(self.key).public_key()
        except EvidenceError as error:
            yield "key", str(error)
            return
        try:
            if key_sha256(public_key(load_certificate(self.certificate))) != key_sha256(key):
                yield "certificate", f"{self.certificate} does not belong to {self.key}"
        except EvidenceError as error:
            yield "certificate", str(error)

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the server's name and chain checked, our certificate shown."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(self.ca))
        context.sslsocket_class = ClosedUnlessShaken
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # Python's own from 3.13 on
        context.load_cert_chain(self.certificate, self.key)
        return context
