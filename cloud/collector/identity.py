"""Who a plant's keys belong to: certificates read, checked against the plant's root, and kept.

File I/O: reads certificate files. A certificate counts when the plant's root issued it for this
plant and the right role; a gateway can have several (a new key beside the old one).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud.errors import DamagedLogError
from evidence.certify import objection_to
from evidence.errors import EvidenceError, MalformedError
from evidence.keys import (
    Certificate,
    certificate_from_pem,
    certificate_to_der,
    certificate_to_pem,
    identity,
    key_sha256,
    load_certificate,
    public_key,
)
from evidence.suites import PublicKey


@dataclass(frozen=True)
class Certified:
    """One certificate and its key.

    Attributes:
        role: "root", "gateway" or "collector".
        name: gateway id, collector name, or the plant id for a root.
        key: public key.
        fingerprint: `key_sha256` of the key.
        certificate: as issued.
    """

    role: str
    name: str
    key: PublicKey
    fingerprint: bytes
    certificate: Certificate

    @property
    def der(self) -> bytes:
        """The certificate's DER bytes."""
        return certificate_to_der(self.certificate)

    @property
    def certificate_sha256(self) -> bytes:
        """SHA-256 of the certificate's DER bytes: a key can have several certificates."""
        return hashlib.sha256(self.der).digest()

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return certificate_to_pem(self.certificate)

    @property
    def file_name(self) -> str:
        """Its name in a plant's `keys/` folder."""
        return f"{self.role}-{self.name}-{self.certificate_sha256.hex()[:16]}.crt"


@dataclass(frozen=True)
class PlantIdentity:
    """All keys of one plant that CLOUD.toml names.

    Attributes:
        plant: plant id.
        root: the plant's root.
        collector: the collector's certificate from that root.
        gateways: gateway certificates from that root.
        key_folder: where the operator puts further certificates and orders, None for nowhere.
    """

    plant: str
    root: Certified
    collector: Certified
    gateways: tuple[Certified, ...]
    key_folder: Path | None = None

    def certified(self) -> tuple[Certified, ...]:
        """All of them, root first."""
        return (self.root, self.collector, *self.gateways)


def read_root(path: Path, plant: str) -> Certified:
    """A plant's self-signed root certificate.

    Raises:
        EvidenceError: the sentence names the file and says what is wrong.
    """
    return _read(path, path, "root", plant)


def read_issued(path: Path, root: Path, role: str, plant: str) -> Certified:
    """A certificate of a role that the plant's root issued; EvidenceError as for `read_root`."""
    return _read(path, root, role, plant)


def certified_by(
    root: Certificate, certificate: Certificate, role: str, plant: str, name: str = ""
) -> Certified:
    """A certificate that is what it must be.

    Args:
        root: of the plant.
        certificate: any.
        role: it must have.
        plant: it must be of.
        name: it must have; "" for any.

    Raises:
        MalformedError: it is of another, or not issued by this root.
        UnknownSuiteError: no suite for its key.
    """
    if why := objection_to(certificate, role, plant, name, root=root):
        raise MalformedError(f"{why}; needed is one of {role} {plant}/{name or '…'}")
    key = public_key(certificate)
    return Certified(role, identity(certificate)[2], key, key_sha256(key), certificate)


def _read(path: Path, root: Path, role: str, plant: str) -> Certified:
    certificate = load_certificate(path)
    try:
        return certified_by(load_certificate(root), certificate, role, plant)
    except EvidenceError as error:
        raise MalformedError(f"{path}: {error}") from error


def collector_keys(plant: PlantIdentity, kept: Mapping[str, bytes]) -> Sequence[PublicKey]:
    """The collector's key and, of what is kept beside a plant's log, those of earlier collectors.

    Whoever can write there could otherwise sign the log that the next start believes: what the
    plant's root has not certified as its collector does not count, as in `cloud.database.fsck`.

    Raises:
        DamagedLogError: a certificate among them is damaged.
    """
    keys = {plant.collector.fingerprint: plant.collector.key}
    for name, data in sorted(kept.items()):
        if not (name.startswith("collector-") and name.endswith(".crt")):
            continue
        try:
            certificate = certificate_from_pem(data)
            root = plant.root.certificate
            if not objection_to(certificate, "collector", plant.plant, root=root):
                key = public_key(certificate)
                keys.setdefault(key_sha256(key), key)
        except EvidenceError as error:
            raise DamagedLogError(f"plant {plant.plant}: keys/{name}: {error}") from error
    return tuple(keys.values())
