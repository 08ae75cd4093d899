"""A gateway or relay at the broker's door: its TLS key, the certificate in use. I/O: files.

The key and the first certificate are where the site file says. Renewed certificates go into
`state_dir`, which the agent may write. A renewal stands for the certificate that it was asked with,
and for no other: what people put in place of that one is used at once, whichever ends later. No
clock of this machine decides it. The key stays for as long as nobody makes another (`stackproof
edge enrol`). Files that are put in place of the ones before are taken up while it runs.
"""

import datetime as dt
import hashlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import NotOursError, SpoolError
from edge.site.config import Site
from edge.trouble import day_of
from evidence.broker_certificates import gateway_name, is_by, name_of, trouble_of
from evidence.errors import EvidenceError, KeyFileError
from evidence.keys import (
    Certificate,
    certificate_from_pem,
    certificate_to_pem,
    key_sha256,
    load_certificate,
    load_certificates,
    load_private,
    public_key,
)
from evidence.shown_life import Life

RENEWED = "broker.crt"
#: first line of a renewal: SHA-256 of the given certificate that it stands for; its own PEM follows
_STANDS_FOR = "in place of "
#: what the gateway's people do about a certificate
ASK = (
    "Ask for one with `stackproof edge enrol SITE.toml --out FILE`; at the collector `stackproof "
    "cloud broker requests` says what waits"
)

#: and about the broker's own
RENEW_BROKER = (
    "Have the broker's people give it another: at the collector stackproof cloud broker new, then "
    "broker config"
)


@dataclass(frozen=True)
class BrokerTls:
    """What a gateway or relay shows, and whom it believes.

    Attributes:
        name: `<plant>/<gateway>`; "" of a relay, whose name the certificate says.
        ca: certificates of those who certify the broker and its clients.
        key: private, its owner's alone.
        given: the certificate that the site or relay file names.
        renewed: where the agent keeps the newest one; a relay has none.
        ask: what people do about a certificate.
    """

    name: str
    ca: Path
    key: Path
    given: Path
    renewed: Path | None = None
    ask: str = ASK

    @classmethod
    def of(cls, site: Site) -> "BrokerTls | None":
        """Of a site whose url is mqtts or wss; None for any other."""
        tls = site.uplink.tls
        if tls is None:
            return None
        name = gateway_name(site.plant.id, site.gateway.id)
        return cls(name, tls.ca, tls.key, tls.certificate, site.gateway.state_dir / RENEWED)

    def certificate(self) -> Certificate:
        """The one in use.

        Raises:
            KeyFileError: no file, or none of this key; the sentence names it.
        """
        return self._in_use()[0]

    def _in_use(self) -> tuple[Certificate, Path]:
        own = key_sha256(load_private(self.key).public_key())
        found: list[tuple[Certificate, Path]] = []
        for path in filter(Path.exists, self._files()):
            try:
                certificate = load_certificate(path)
            except KeyFileError:
                if path == self.renewed and self.given.exists():
                    continue  # whatever has become of it, the given one may be good
                raise
            if key_sha256(public_key(certificate)) == own:
                found.append((certificate, path))
        if not found and not self.given.exists():
            raise KeyFileError(f"{self.given} is not there yet. {self.ask}")
        if not found:
            raise KeyFileError(f"{self.given} does not belong to {self.key}")
        for certificate, path in found:
            if self.name and (name := name_of(certificate)) != self.name:
                raise KeyFileError(f"{path} is for {name}; needed is one for {self.name}")
        return found[0]

    def _files(self) -> tuple[Path, ...]:
        """Where certificates may be, the one that counts first."""
        if self.renewed is None or not self.renewed.exists():
            return (self.given,)
        stands = self._mark() in _read(self.renewed).splitlines()[:1]
        return (self.renewed, self.given) if stands else (self.given, self.renewed)

    def _mark(self) -> bytes:
        """First line of a renewal of the certificate that is given now, there or not."""
        data = b""
        if self.given.exists():
            data = certificate_to_pem(load_certificate(self.given))
        return f"{_STANDS_FOR}{hashlib.sha256(data).hexdigest()}".encode()

    def context(self) -> ssl.SSLContext:
        """What `believing` says, our certificate shown; KeyFileError likewise."""
        context = believing(self.ca)
        self.show(context)
        return context

    def show(self, context: ssl.SSLContext) -> None:
        """Connections that begin from now on show the certificate in use; errors as above."""
        present(context, self._in_use()[1], self.key)

    def take(self, pem: bytes, now_ns: int) -> Certificate | None:
        """Keep a certificate that came over the broker, in place of the one before.

        None: it was not made after the one in use. One that is valid now (UTC ns) comes before one
        that is not: who certified by a clock that was ahead locks nobody out, and is put right.

        Raises:
            NotOursError: it is not of our key and name, or not by a CA of ours.
            SpoolError: the disk refused.
        """
        try:
            made, before = certificate_from_pem(pem), self.certificate()
            is_ours = name_of(made) == self.name and key_sha256(public_key(made)) == key_sha256(
                public_key(before)
            )
            cas = load_certificates(self.ca)
        except EvidenceError as error:
            raise NotOursError(f"no broker certificate of ours: {error}") from error
        if not is_ours or not any(is_by(made, ca) for ca in cas):
            raise NotOursError("a broker certificate for another key or name, or by a stranger")
        now = dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC)
        if _worth(made, now) <= _worth(before, now):
            return None  # one that was retained: by the clock of those who certify, of both
        if self.renewed is not None:
            _replace(self.renewed, self._mark() + b"\n" + certificate_to_pem(made))
        return made

    def trouble(self, now_ns: int) -> str:
        """What a person must know now, and do; "" for nothing."""
        try:
            load_certificates(self.ca)
        except EvidenceError as error:
            return f"no broker can be believed: {error}"
        try:
            why = trouble_of(self.certificate(), dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC))
        except EvidenceError as error:
            said = str(error).removesuffix(f". {self.ask}")
            return f"there is no broker certificate to show: {said}. {self.ask}"
        return f"the certificate for the broker: {why}. {self.ask}" if why else ""

    def fingerprint(self) -> bytes:
        """Of everything that `context` reads; KeyFileError as there."""
        files = (self.ca, self._in_use()[1], self.key)
        return hashlib.sha256(b"".join(map(_read, files))).digest()


def broker_ends(shown: Mapping[str, int] | None, now_ns: int) -> str:
    """What people must do while the broker's own certificate is near its end, or past it.

    Args:
        shown: fields of the `Life` that it showed last; None for not known.
        now_ns: wall clock.

    Returns:
        "" while there is nothing to do.
    """
    if shown is None or not (life := Life(**shown)).ends_soon(now_ns):
        return ""
    days, day = life.left_days(now_ns), day_of(life.ends_ns)
    what = f"ends on {day}, in {days} days" if days >= 0 else f"ended on {day}, as far as is known"
    return f"the broker's certificate {what}: nothing is delivered after that. {RENEW_BROKER}"


def shown_lines(shown: Mapping[str, int] | None, now_ns: int) -> list[str]:
    """The same for people who have nothing to do; no line for what is not known."""
    if shown is None:
        return []
    life = Life(**shown)
    days = life.left_days(now_ns)
    return [f"broker's certificate: until {day_of(life.ends_ns)}, {days} days left"]


class Shown:
    """What connections show, kept to what the files say while the program runs.

    Attributes:
        tls: the files.
        context: of every connection that begins.
        lacks: why none can begin, "" when one can.
    """

    def __init__(self, tls: BrokerTls) -> None:
        """Read them, if they are there: until then nobody is believed and nothing is shown."""
        self.tls, self.lacks = tls, ""
        self.context, self._read = _strict(), b""
        try:
            self.look()
        except KeyFileError as error:
            self.lacks = str(error)

    def look(self) -> bool:
        """Take up files that were replaced: True, connections that begin now show the new ones.

        A CA that is no longer in its file is believed until the next start: OpenSSL adds only.

        Raises:
            KeyFileError: they do not belong together, yet; what was shown before is shown on.
        """
        found = self.tls.fingerprint()
        if found == self._read:
            return False
        self.tls.context()  # all of it is right, or nothing of it is taken up
        self.context.load_verify_locations(self.tls.ca)
        self.tls.show(self.context)
        self._read, self.lacks = found, ""
        return True


class ClosedUnlessShaken(ssl.SSLSocket):
    """Closed there and then where the handshake fails: paho leaves that to Python's garbage."""

    def do_handshake(self, block: bool = False) -> None:
        """As above it; whatever it raises, nothing stays open."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def believing(ca: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's name and chain checked; nothing switches any of it off.

    Raises:
        KeyFileError: the file is missing, or holds no certificates.
    """
    load_certificates(ca)
    context = _strict()
    context.load_verify_locations(ca)
    return context


def _strict() -> ssl.SSLContext:
    """Names and chains are checked; nobody is believed yet, none of the system's authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = ClosedUnlessShaken
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show this certificate from now on; KeyFileError when TLS does not take the two files."""
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise KeyFileError(f"{certificate}: TLS does not take it: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error


def _worth(certificate: Certificate, now: dt.datetime) -> tuple[bool, dt.datetime]:
    begins = certificate.not_valid_before_utc
    return begins <= now <= certificate.not_valid_after_utc, begins


def _replace(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise SpoolError(f"{path} cannot be written: {error.strerror}") from error
