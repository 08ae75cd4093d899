"""Step 3: certificates. Who may sign what, and whether the root is the one you trust."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evidence.archive import paths
from evidence.errors import EvidenceError, LimitError, MalformedError, UnknownSuiteError
from evidence.findings import Report
from evidence.keys import (
    certificate_from_pem,
    certificate_to_pem,
    identity,
    is_issued_by,
    key_id,
    key_sha256,
    public_key,
)
from evidence.suites import PublicKey
from evidence.verifier.opened import Opened


@dataclass
class Identities:
    """Keys of the archive, by role.

    Attributes:
        plant: plant id, from the root's certificate.
        collector: the collector's key, None when missing or bad.
        gateways: (gateway id, key id) -> key.
        foreign: certificates whose key is of a suite unknown to this program, by path; what
            such a key signed cannot be decided.
    """

    plant: str = ""
    collector: PublicKey | None = None
    gateways: dict[tuple[str, bytes], PublicKey] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    def is_foreign(self, gateway: str) -> bool:
        """True when a key of this gateway is of a suite unknown to this program."""
        matches = map(paths.GATEWAY_CERTIFICATE.fullmatch, self.foreign)
        return any(match is not None and match[1] == gateway for match in matches)


def check_identities(archive: Opened, report: Report, trust: frozenset[bytes] | None) -> Identities:
    """Read every certificate and check that the plant's root issued it.

    Args:
        archive: a sound container.
        report: takes the findings and the identity line.
        trust: fingerprints of the keys the reviewer trusts, or None to leave identity open.
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
        report.add("E-CERTIFICATE", paths.ROOT_CERTIFICATE, f"{error}.")
        return found
    if role != "root" or not is_issued_by(root, root):
        sentence = "This is not a plant's self-signed root certificate."
        report.add("E-CERTIFICATE", paths.ROOT_CERTIFICATE, sentence)
    _compare_with_trust(report, fingerprint, trust)
    for path in archive.paths():
        match = paths.GATEWAY_CERTIFICATE.fullmatch(path)
        if match:
            key = _issued(archive, path, report, root, found, role="gateway", name=match[1])
            if key is not None:
                found.gateways[match[1], key_id(key)] = key
                der = certificate_from_pem(archive.read(path)).fingerprint(hashes.SHA256())
                if der.hex()[:16] != match[2]:
                    sentence = "It is not the certificate its name says."
                    report.add("E-CERTIFICATE", path, sentence)
    path = paths.COLLECTOR_CERTIFICATE
    found.collector = _issued(archive, path, report, root, found, role="collector", name="")
    return found


def _foreign_root(
    archive: Opened,
    report: Report,
    found: Identities,
    trust: frozenset[bytes] | None,
    error: EvidenceError,
) -> Identities:
    """A root of an unknown suite: nobody's certificate can be checked, so nobody's signature."""
    report.add("C-SUITE", paths.ROOT_CERTIFICATE, f"{error}.")
    report.identity = "not checked; the root key is of a crypto suite this program does not know"
    if trust is not None:
        sentence = "The root key is of an unknown suite, so not one of the keys you trust."
        report.add("E-TRUST", paths.ROOT_CERTIFICATE, sentence)
    found.foreign = {path for path in archive.paths() if path.startswith("data/keys/")}
    return found


def _compare_with_trust(report: Report, fingerprint: bytes, trust: frozenset[bytes] | None) -> None:
    shown = fingerprint.hex()
    if trust is None:
        report.identity = f"not checked; the archive's root key has SHA-256 {shown}"
        report.not_checked.append(
            "Identity: without --trust anybody's key passes. Compare the root key's SHA-256 with "
            "one you got from the plant by another way."
        )
    elif fingerprint in trust:
        report.identity = f"root key {shown} is trusted"
    else:
        report.identity = f"root key {shown} is NOT among the trusted keys"
        sentence = (
            f"The root key {shown} is not among the keys you trust: not this plant's archive."
        )
        report.add("E-TRUST", paths.ROOT_CERTIFICATE, sentence)


def _certificate(archive: Opened, path: str, report: Report) -> x509.Certificate | None:
    try:
        data = archive.read(path)
        certificate = certificate_from_pem(data)
    except (MalformedError, LimitError) as error:
        report.add("E-CERTIFICATE", path, f"{error}.")
        return None
    if certificate_to_pem(certificate) != data:
        sentence = "There is something beside the certificate, or it is in another PEM form."
        report.add("E-CERTIFICATE", path, sentence)
        return None
    return certificate


def _issued(
    archive: Opened,
    path: str,
    report: Report,
    root: x509.Certificate,
    found: Identities,
    *,
    role: str,
    name: str,
) -> PublicKey | None:
    """The key of a certificate of the plant, of this role and name ("": any name)."""
    certificate = _certificate(archive, path, report)
    if certificate is None:
        return None
    try:
        has_role, of_plant, has_name = identity(certificate)
    except MalformedError as error:
        report.add("E-CERTIFICATE", path, f"{error}.")
        return None
    if (has_role, of_plant) != (role, found.plant) or name not in ("", has_name):
        sentence = f"It is for {has_role} {of_plant}/{has_name}, not what its name says."
        report.add("E-CERTIFICATE", path, sentence)
        return None
    if not is_issued_by(certificate, root):
        report.add("E-CERTIFICATE", path, "The plant's root did not issue this certificate.")
        return None
    try:
        return public_key(certificate)
    except UnknownSuiteError as error:
        found.foreign.add(path)
        report.add("C-SUITE", path, f"{error}.")
    except MalformedError as error:
        report.add("E-CERTIFICATE", path, f"{error}.")
    return None
