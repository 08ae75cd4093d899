"""Builds the sealed archive of a closed month from what the collector's store holds.

Streaming: objects and entries are taken one at a time and staged on disk, so memory does not grow
with the month. Deterministic: the same contents and the same seals give the same bytes.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evidence import cbor
from evidence.archive import paths
from evidence.archive.bag import BagWriter, Room, Seals
from evidence.keys import certificate_to_pem
from evidence.merkle import CompactRange
from evidence.records import encode_record


@dataclass(frozen=True)
class Object:
    """One signed object on its way into the archive.

    Attributes:
        stream: gateway id.
        hour: UTC hour it is filed under, "YYYY-MM-DD/HH"; never goes back within a stream.
        data: its bytes, verbatim.
    """

    stream: str
    hour: str
    data: bytes


@dataclass(frozen=True)
class Records:
    """What persons signed.

    Attributes:
        documents: verbatim.
        proofs: SHA-256 of a document from before the log's piece here -> `encode_proof` of it.
        files: (SHA-256, pieces of its bytes) of each attached file.
    """

    documents: Iterable[bytes] = ()
    proofs: Mapping[bytes, bytes] = field(default_factory=dict)
    files: Iterable[tuple[bytes, Iterable[bytes]]] = ()


@dataclass(frozen=True)
class Contents:
    """Everything that goes into an archive.

    Attributes:
        plant, month, closing: what it is the archive of.
        statement: bytes of statement.json.
        rules: name -> file, of the rule set and its tables.
        objects: every object of the period, by stream and seq.
        configs: SHA-256 -> signed configuration that a frame names, or the one before it.
        root, collector: certificates.
        gateways: (gateway id, certificate).
        earlier: certificates of the collector's earlier keys: gateways cosigned under them.
        log_range: the log before the first entry below.
        log_entries: entries from there to the checkpoint, in order.
        checkpoint: signed note.
        receipts: stream -> newest receipt.
        closed_on: date of closing, "YYYY-MM-DD", by the plant's time zone.
        closes: stream -> the gateway's signed close object, where there is one.
        orders: orders of the plant so far, and rotate objects of earlier months, verbatim.
        replaces: hex SHA-256 of the statement of the final close this one amends, or "".
        records: documents of persons: of the log entries below, and of before what these need.
    """

    plant: str
    month: str
    closing: str
    statement: bytes
    rules: Mapping[str, bytes]
    objects: Iterable[Object]
    configs: Mapping[bytes, bytes]
    root: x509.Certificate
    collector: x509.Certificate
    gateways: Iterable[tuple[str, x509.Certificate]]
    log_range: CompactRange
    log_entries: Iterable[bytes]
    checkpoint: str
    closed_on: str
    receipts: Mapping[str, bytes] = field(default_factory=dict)
    closes: Mapping[str, bytes] = field(default_factory=dict)
    orders: Iterable[bytes] = ()
    replaces: str = ""
    earlier: Iterable[x509.Certificate] = ()
    records: Records = field(default_factory=Records)

    @property
    def name(self) -> str:
        """The bag's name."""
        return f"{self.plant}-{self.month}"


def build_archive(
    contents: Contents,
    target: BinaryIO,
    *,
    staging: Path,
    seal: Seals,
    room: Room = lambda _: None,
) -> None:
    """Write the archive.

    Args:
        contents: what goes in; its iterables are consumed.
        target: where to.
        staging: an empty folder on the same disk, as large as the archive; the caller removes it.
        seal: given the SHA-256 of the tag manifest, the files under "seal/" (the collector's
            seal at least; see `evidence.archive.bag.seal`).
        room: told, before more is staged, how many bytes that makes; it may raise.
    """
    bag = BagWriter(staging, room)
    _add_objects(bag, contents.objects)
    for sha256, data in contents.configs.items():
        bag.add(paths.config(sha256), [data])
    bag.add(paths.ROOT_CERTIFICATE, [certificate_to_pem(contents.root)])
    bag.add(paths.COLLECTOR_CERTIFICATE, [certificate_to_pem(contents.collector)])
    for certificate in contents.earlier:
        path = paths.earlier_collector(certificate.fingerprint(hashes.SHA256()))
        bag.add(path, [certificate_to_pem(certificate)])
    for gateway, certificate in contents.gateways:
        path = paths.gateway_certificate(gateway, certificate.fingerprint(hashes.SHA256()))
        bag.add(path, [certificate_to_pem(certificate)])
    for data in contents.orders:
        bag.add(paths.order(hashlib.sha256(data).digest()), [data])
    tree = [contents.log_range.size, list(contents.log_range.hashes)]
    bag.add(paths.LOG_RANGE, [cbor.encode(tree)])
    bag.add(paths.LOG_ENTRIES, map(encode_record, contents.log_entries))
    bag.add(paths.LOG_CHECKPOINT, [contents.checkpoint.encode()])
    for stream, data in contents.receipts.items():
        bag.add(paths.receipt(stream), [data])
    for name, data in contents.rules.items():
        bag.add(paths.rules(name), [data])
    _add_records(bag, contents.records)
    for path, text in spec_texts().items():
        bag.add(path, [text])
    bag.add(paths.STATEMENT, [contents.statement])
    info = {
        "Bag-Software-Agent": "stackproof",
        "Bagging-Date": contents.closed_on,
        "External-Identifier": f"{contents.name} {contents.closing}",
    }
    if contents.replaces:
        info["Replaces"] = contents.replaces
    closes = {paths.close(stream): data for stream, data in contents.closes.items()}
    bag.pack(target, contents.name, info, lambda digest: {**closes, **seal(digest)})


def encode_proof(index: int, entry: bytes, path: Sequence[bytes]) -> bytes:
    """The file that says where in the log an earlier document is, and leads to the checkpoint."""
    return cbor.encode([index, entry, list(path)])


def spec_texts() -> dict[str, bytes]:
    """Path -> the texts that say what the bytes and the figures are, as shipped."""
    texts = (paths.FORMAT_TEXT, paths.FIGURES_TEXT, paths.RECORDS_TEXT)
    folder = resources.files("evidence")
    return {path: folder.joinpath(path.rpartition("/")[2]).read_bytes() for path in texts}


def _add_objects(bag: BagWriter, objects: Iterable[Object]) -> None:
    for (stream, hour), group in itertools.groupby(objects, lambda o: (o.stream, o.hour)):
        bag.add(paths.frames(stream, hour), _records(group))


def _add_records(bag: BagWriter, records: Records) -> None:
    for data in records.documents:
        bag.add(paths.record(hashlib.sha256(data).digest()), [data])
    for sha256, proof in records.proofs.items():
        bag.add(paths.record_proof(sha256), [proof])
    for sha256, pieces in records.files:
        bag.add(paths.record_file(sha256), pieces)


def _records(group: Iterable[Object]) -> Iterator[bytes]:
    for item in group:
        yield encode_record(item.data)
