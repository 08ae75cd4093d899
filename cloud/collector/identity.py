"""Who a plant's keys belong to: certificates read, checked against the plant's root, and kept.

File I/O: reads certificate files. A certificate counts when the plant's root issued it for this
plant and the right role; a gateway can have several (a new key beside the old one).
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import EvidenceError, MalformedError
from evidence.keys import (
    certificate_from_pem,
    certificate_to_pem,
    identity,
    is_issued_by,
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
        certificate_sha256: SHA-256 of the certificate's DER bytes.
        length: bytes of the DER form.
        pem: the certificate.
    """

    role: str
    name: str
    key: PublicKey
    fingerprint: bytes
    certificate_sha256: bytes
    length: int
    pem: bytes

    @property
    def file_name(self) -> str:
        """Its name in a plant's `keys/` folder."""
        return f"{self.role}-{self.name}-{self.fingerprint.hex()[:16]}.crt"


@dataclass(frozen=True)
class PlantIdentity:
    """All keys of one plant.

    Attributes:
        plant: plant id.
        root: the plant's root.
        collector: the collector's certificate from that root.
        gateways: gateway certificates from that root.
    """

    plant: str
    root: Certified
    collector: Certified
    gateways: tuple[Certified, ...]

    def certified(self) -> tuple[Certified, ...]:
        """All of them, root first."""
        return (self.root, self.collector, *self.gateways)

    def gateway_keys(self) -> Mapping[tuple[str, bytes], Certified]:
        """(gateway id, key id) -> its certificate."""
        return {(c.name, c.fingerprint[:8]): c for c in self.gateways}


def read_root(path: Path, plant: str) -> Certified:
    """A plant's self-signed root certificate.

    Raises:
        EvidenceError: the sentence names the file and says what is wrong.
    """
    return _read(path, path, "root", plant)


def read_issued(path: Path, root: Path, role: str, plant: str) -> Certified:
    """A certificate of a role that the plant's root issued; EvidenceError as for `read_root`."""
    return _read(path, root, role, plant)


def _read(path: Path, root: Path, role: str, plant: str) -> Certified:
    certificate = load_certificate(path)
    try:
        has_role, of_plant, name = identity(certificate)
        if (has_role, of_plant) != (role, plant):
            raise MalformedError(f"is a {has_role} of {of_plant}, not a {role} of {plant}")
        if not is_issued_by(certificate, load_certificate(root)):
            raise MalformedError(f"was not issued by {root}")
        key = public_key(certificate)
    except EvidenceError as error:
        raise MalformedError(f"{path}: {error}") from error
    pem = certificate_to_pem(certificate)
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    return Certified(
        role=role,
        name=name,
        key=key,
        fingerprint=key_sha256(key),
        certificate_sha256=hashlib.sha256(der).digest(),
        length=len(der),
        pem=pem,
    )


def collector_keys(own: PublicKey, folder: Path) -> Sequence[PublicKey]:
    """The collector's key and, from a plant's `keys/` folder, those of earlier collectors.

    Raises:
        EvidenceError: a certificate in the folder is damaged.
    """
    keys = [own]
    for path in sorted(folder.glob("collector-*.crt")):
        try:
            key = public_key(certificate_from_pem(path.read_bytes()))
        except EvidenceError as error:
            raise MalformedError(f"{path}: {error}") from error
        if key_sha256(key) not in {key_sha256(k) for k in keys}:
            keys.append(key)
    return keys
