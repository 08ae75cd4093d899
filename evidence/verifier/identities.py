"""Step 3: certificates. Who may sign what, and whether the root is the one you trust."""

from dataclasses import dataclass, field

from cryptography import x509

from evidence.archive import paths
from evidence.errors import LimitError, MalformedError
from evidence.findings import Report
from evidence.keys import (
    certificate_from_pem,
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
    """

    plant: str = ""
    collector: PublicKey | None = None
    gateways: dict[tuple[str, bytes], PublicKey] = field(default_factory=dict)


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
            key = _issued(archive, path, report, root, ("gateway", found.plant, match[1]))
            if key is not None:
                found.gateways[match[1], key_id(key)] = key
    found.collector = _issued(
        archive, paths.COLLECTOR_CERTIFICATE, report, root, ("collector", found.plant, None)
    )
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
        return certificate_from_pem(archive.read(path))
    except (MalformedError, LimitError) as error:
        report.add("E-CERTIFICATE", path, f"{error}.")
        return None


def _issued(
    archive: Opened,
    path: str,
    report: Report,
    root: x509.Certificate,
    wanted: tuple[str, str, str | None],
) -> PublicKey | None:
    """The key of a certificate of the wanted role, plant and name (None: any name)."""
    certificate = _certificate(archive, path, report)
    if certificate is None:
        return None
    try:
        role, plant, name = identity(certificate)
        key = public_key(certificate)
    except MalformedError as error:
        report.add("E-CERTIFICATE", path, f"{error}.")
        return None
    if (role, plant) != wanted[:2] or wanted[2] not in (None, name):
        report.add(
            "E-CERTIFICATE", path, f"It is for {role} {plant}/{name}, not what its name says."
        )
        return None
    if not is_issued_by(certificate, root):
        report.add("E-CERTIFICATE", path, "The plant's root did not issue this certificate.")
        return None
    return key
