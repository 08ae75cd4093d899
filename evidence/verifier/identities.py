"""Step 3: certificates. Who may sign what, and whether the root is the one you trust."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evidence.archive import paths
from evidence.certify import objection_to
from evidence.custody import StreamKeys, validity_ns
from evidence.documents.certified import PersonsList
from evidence.errors import EvidenceError, LimitError, MalformedError, UnknownSuiteError
from evidence.findings import Report, said
from evidence.keys import (
    Trusted,
    certificate_from_pem,
    certificate_to_pem,
    identity,
    is_issued_by,
    key_sha256,
    public_key,
)
from evidence.orders import Order
from evidence.suites import PublicKey
from evidence.verifier.opened import Opened


@dataclass(frozen=True)
class Rotated:
    """A rotate object under data/keys that is well signed.

    Attributes:
        path: where it stands.
        old, new: `key_sha256` of the key that signed it, and of the one it hands over to.
    """

    path: str
    old: bytes
    new: bytes


@dataclass(frozen=True)
class Brought:
    """An order by the root that the reviewer brought, and that the archive lacks.

    Attributes:
        name: of its file.
        order: what it says.
        new: `key_sha256` of a replace's new key, b"" of a revoke.
        is_moot: other orders end its key there or earlier.
    """

    name: str
    order: Order
    new: bytes
    is_moot: bool


@dataclass
class Identities:
    """Keys of the archive, by role.

    Attributes:
        plant: plant id, from the root's certificate.
        root: the root's certificate, None when it cannot be used.
        collector: the collector's key, None when missing or bad.
        collector_valid_ns: (first, last) UTC nanoseconds in which collector.crt is valid.
        others_valid_ns: the same of each other certificate of the collector, with its key; None
            for a key of an unknown suite.
        earlier: keys that the collector had before; gateways have cosigned under them.
        streams: gateway id -> its certified keys and where each of them counts.
        orders: SHA-256 of an order's bytes -> the order; signed by the root.
        brought: orders that the reviewer brought and the archive lacks.
        lists: by which the root vouches for persons, that the reviewer brought.
        newest: (stream, key) -> newest seq of what the key signed here.
        newer: SHA-256 of each order that is newer than this program: what it says is not decided.
        rotates: gateway id -> seq -> the rotate objects under data/keys.
        foreign: files and gateway ids whose key is of a suite unknown to this program; what such
            a key signed cannot be decided.
    """

    plant: str = ""
    root: x509.Certificate | None = None
    collector: PublicKey | None = None
    collector_valid_ns: tuple[int, int] = (0, -1)
    others_valid_ns: list[tuple[PublicKey | None, tuple[int, int]]] = field(default_factory=list)
    earlier: list[PublicKey] = field(default_factory=list)
    streams: dict[str, StreamKeys] = field(default_factory=dict)
    orders: dict[bytes, Order] = field(default_factory=dict)
    brought: list[Brought] = field(default_factory=list)
    lists: list[PersonsList] = field(default_factory=list)
    newest: dict[tuple[str, bytes], int] = field(default_factory=dict)
    newer: set[bytes] = field(default_factory=set)
    rotates: dict[str, dict[int, Rotated]] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    def keys_of(self, gateway: str) -> StreamKeys:
        """The keys of a gateway; none at all for one that nobody certified."""
        return self.streams.setdefault(gateway, StreamKeys())

    def note(self, stream: str, key: bytes, seq: int) -> None:
        """This key has signed the object at `seq`, whether it may or not."""
        self.newest[stream, key] = max(seq, self.newest.get((stream, key), seq))

    def all_orders(self) -> Iterator[tuple[str, Order]]:
        """Every order that counts, with its place: the archive's, and those that it lacks."""
        yield from ((paths.order(sha256), order) for sha256, order in self.orders.items())
        yield from ((one.name, one.order) for one in self.brought)

    def is_foreign(self, gateway: str) -> bool:
        """True when a key of this gateway is of a suite unknown to this program."""
        return gateway in self.foreign or paths.ROOT_CERTIFICATE in self.foreign

    def may_close(self, at_ns: int) -> bool:
        """True when a certificate of the collector's key was valid, or of its key before that.

        A renewed certificate begins when it is issued; a month that was closed before may be
        sealed again later.
        """
        first, _ = self.collector_valid_ns
        spans = [self.collector_valid_ns]
        spans += [ns for key, ns in self.others_valid_ns if at_ns < first or key == self.collector]
        return any(begin <= at_ns <= end for begin, end in spans)

    def certify(self, certificate: x509.Certificate, gateway: str) -> bytes:
        """Take in a gateway's certificate; the `key_sha256` of its key.

        Raises:
            UnknownSuiteError: no suite for its key; the gateway is foreign from now on.
            MalformedError: it is not of this gateway, or not issued by the plant's root.
        """
        if self.root is None:
            raise MalformedError("the plant's root did not issue this certificate")
        if why := objection_to(certificate, "gateway", self.plant, gateway, root=self.root):
            raise MalformedError(why)
        try:
            return self.keys_of(gateway).certify(certificate).sha256
        except UnknownSuiteError:
            self.foreign.add(gateway)
            raise


def check_identities(
    archive: Opened, report: Report, trust: frozenset[Trusted] | None
) -> Identities:
    """Read every certificate and check that the plant's root issued it.

    Args:
        archive: a sound container.
        report: takes the findings and the identity line.
        trust: root keys the reviewer trusts, or None to leave identity open.
    """
    found = Identities()
    root = _certificate(archive, paths.ROOT_CERTIFICATE, report)
    if root is None:
        return found
    try:
        role, found.plant, _ = identity(root)
        fingerprint = key_sha256(public_key(root))
    except UnknownSuiteError as error:
        return _foreign_root(archive, report, found, trust, error)
    except MalformedError as error:
        report.add("E-CERTIFICATE", paths.ROOT_CERTIFICATE, said(error))
        return found
    if role != "root" or not is_issued_by(root, root):
        sentence = "This is not a plant's self-signed root certificate."
        report.add("E-CERTIFICATE", paths.ROOT_CERTIFICATE, sentence)
    found.root = root
    _compare_with_trust(report, found.plant, fingerprint, trust)
    for path in archive.paths():
        match = paths.GATEWAY_CERTIFICATE.fullmatch(path)
        if match:
            _gateway(archive, path, match, report, found)
        elif match := paths.EARLIER_COLLECTOR.fullmatch(path):
            _collector(archive, path, report, found, match[1])
    _collector(archive, paths.COLLECTOR_CERTIFICATE, report, found)
    return found


def _foreign_root(
    archive: Opened,
    report: Report,
    found: Identities,
    trust: frozenset[Trusted] | None,
    error: EvidenceError,
) -> Identities:
    """A root of an unknown suite: nobody's certificate can be checked, so nobody's signature."""
    report.add("C-SUITE", paths.ROOT_CERTIFICATE, said(error))
    report.identity = "not checked; the root key is of a crypto suite this program does not know"
    if trust is not None:
        report.trusted = False
        sentence = "The root key is of an unknown suite, so not one of the keys you trust."
        report.add("E-TRUST", paths.ROOT_CERTIFICATE, sentence)
    found.foreign = {path for path in archive.paths() if path.startswith("data/keys/")}
    return found


def _compare_with_trust(
    report: Report, plant: str, fingerprint: bytes, trust: frozenset[Trusted] | None
) -> None:
    shown = report.root_sha256 = fingerprint.hex()
    report.trusted = None
    if trust is not None:
        report.trusted = not trust.isdisjoint({fingerprint, (plant, fingerprint)})
    if trust is None:
        report.identity = f"not checked; the archive's root key has SHA-256 {shown}"
        report.not_checked.append(
            "Identity: without --trust anybody's key passes. Compare the root key's SHA-256 with "
            "one you got from the plant by another way."
        )
    elif report.trusted:
        report.identity = f"root key {shown} is trusted"
    else:
        report.identity = f"root key {shown} is NOT among the trusted keys"
        sentence = (
            f"The root key {shown} is not among the keys you trust: not this plant's archive."
        )
        if fingerprint in {one[1] for one in trust if isinstance(one, tuple)}:
            report.identity = f"root key {shown} is NOT trusted for this plant"
            sentence = f"The root key {shown} is one you trust for another plant than {plant}."
        report.add("E-TRUST", paths.ROOT_CERTIFICATE, sentence)


def _certificate(archive: Opened, path: str, report: Report) -> x509.Certificate | None:
    try:
        data = archive.read(path)
        certificate = certificate_from_pem(data)
    except (MalformedError, LimitError) as error:
        report.add("E-CERTIFICATE", path, said(error))
        return None
    if certificate_to_pem(certificate) != data:
        sentence = "There is something beside the certificate, or it is in another PEM form."
        report.add("E-CERTIFICATE", path, sentence)
        return None
    return certificate


def _gateway(
    archive: Opened, path: str, name: re.Match[str], report: Report, found: Identities
) -> None:
    certificate = _certificate(archive, path, report)
    if certificate is None:
        return
    try:
        found.certify(certificate, name[1])
        if certificate.fingerprint(hashes.SHA256()).hex()[:16] != name[2]:
            raise MalformedError("it is not the certificate its name says")
    except UnknownSuiteError as error:
        found.foreign.add(path)
        report.add("C-SUITE", path, said(error))
    except EvidenceError as error:
        report.add("E-CERTIFICATE", path, said(error))


def _collector(
    archive: Opened, path: str, report: Report, found: Identities, earlier: str = ""
) -> None:
    """Take in the collector's certificate, or one of an earlier key that its name says."""
    certificate = _certificate(archive, path, report)
    if certificate is None or found.root is None:
        return
    try:
        if why := objection_to(certificate, "collector", found.plant, root=found.root):
            raise MalformedError(why)
        valid = validity_ns(certificate)
        if not earlier:
            found.collector_valid_ns, found.collector = valid, public_key(certificate)
            return
        if certificate.fingerprint(hashes.SHA256()).hex()[:16] != earlier:
            raise MalformedError("it is not the certificate its name says")
        found.others_valid_ns.append((None, valid))
        found.earlier.append(public_key(certificate))
        found.others_valid_ns[-1] = found.earlier[-1], valid
    except UnknownSuiteError as error:
        found.foreign.add(path)
        report.add("C-SUITE", path, said(error))
    except EvidenceError as error:
        report.add("E-CERTIFICATE", path, said(error))
