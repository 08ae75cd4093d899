"""Reads keys from folders: the operator's, where new ones are put, and the one beside the log.

File I/O: reads only. What an operator's folder offers and does not count is told in a sentence and
left alone; what stands beside the log has been checked before, so damage to it is an error.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cloud.collector.identity import Certified, PlantIdentity
from cloud.collector.keyring import KeyFacts, Keyring, Rotation, SignedOrder
from cloud.database.writer import PlantWriter
from cloud.errors import DamagedLogError
from evidence.errors import EvidenceError, MalformedError
from evidence.keys import PEM_BYTES_MAX, certificate_from_pem, is_issued_by
from evidence.log import decode_entry
from evidence.orders import is_order

#: certificates and orders in an operator's folder
FILES_MAX = 1_000
#: a replace holds a certificate
ORDER_BYTES_MAX = PEM_BYTES_MAX + 4_096


@dataclass(frozen=True)
class Offered:
    """What an operator's folder holds.

    Attributes:
        certificates: of gateways, with the name of the file.
        orders: the root's, with the name of the file.
        problems: a sentence for each file that does not count.
    """

    certificates: tuple[tuple[str, Certified], ...] = ()
    orders: tuple[tuple[str, SignedOrder], ...] = ()
    problems: tuple[str, ...] = ()


def read_offered(folder: Path | None, identity: PlantIdentity, keyring: Keyring) -> Offered:
    """Read an operator's folder: `*.crt` are certificates, `*.cose` orders; others are not read.

    The plant's own root and collector certificates may lie there too.
    """
    if folder is None:
        return Offered()
    problems: list[str] = []
    certificates: list[tuple[str, Certified]] = []
    orders: list[tuple[str, SignedOrder]] = []
    for path in _files(folder, problems):
        try:
            data = _read(path)
            if path.suffix == ".cose":
                orders.append((path.name, keyring.read_order(data)))
                continue
            certificate = certificate_from_pem(data)
            if certificate in (identity.root.certificate, identity.collector.certificate):
                continue
            certificates.append((path.name, keyring.read_certificate(certificate)))
        except EvidenceError as error:
            problems.append(f"{path}: {error}")
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror}")
    return Offered(tuple(certificates), tuple(orders), tuple(problems))


def _files(folder: Path, problems: list[str]) -> list[Path]:
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix in (".crt", ".cose"))
    except OSError as error:
        problems.append(f"{folder}: cannot be read: {error.strerror}")
        return []
    if len(found) > FILES_MAX:
        problems.append(f"{folder}: {len(found)} files; only the first {FILES_MAX} are read")
    return found[:FILES_MAX]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(ORDER_BYTES_MAX + 1)
    if len(data) > ORDER_BYTES_MAX:
        raise MalformedError(f"more than {ORDER_BYTES_MAX} bytes: neither certificate nor order")
    return data


def read_kept(store: PlantWriter, keyring: Keyring) -> KeyFacts:
    """What stands beside a plant's log and is borne out by it.

    Raises:
        DamagedLogError: a certificate is damaged, or an order that the log names is missing.
    """
    certificates: list[Certified] = []
    orders: list[SignedOrder] = []
    rotations: list[Rotation] = []
    for name, data in store.reader.key_files().items():
        try:
            if name.startswith("gateway-"):
                certificate = certificate_from_pem(data)
                if is_issued_by(certificate, keyring.root):  # an earlier root's do not count
                    certificates.append(keyring.read_certificate(certificate))
            elif name.endswith(".cose") and is_order(data):
                if hashlib.sha256(data).digest() in store.state.orders:
                    orders.append(keyring.read_order(data))
            elif name.endswith(".cose"):
                rotation = keyring.read_rotation(data)
                if store.hash_at(rotation.stream, rotation.seq) == hashlib.sha256(data).digest():
                    rotations.append(rotation)
        except EvidenceError as error:
            raise DamagedLogError(f"{store.key_file(name)}: {error}") from error
    for sha256 in store.state.orders - {signed.sha256 for signed in orders}:
        raise DamagedLogError(
            f"{store.key_file(f'order-{sha256.hex()}.cose')}: the log names this order, and it is "
            "not there. Put it back: without it nobody knows which keys count"
        )
    return KeyFacts(tuple(certificates), tuple(orders), tuple(rotations), _firsts(store))


def _firsts(store: PlantWriter) -> dict[str, bytes]:
    """Stream -> key of its first object, from the log."""
    found = {}
    for stream in store.reader.streams():
        index = store.reader.log_index(stream, 0)
        _, data = next(store.reader.entries(index, index + 1))
        if (key := decode_entry(data).certificate) is not None:
            found[stream] = key
    return found
