"""The exported spool: a piece of one gateway's stream as a file, and the file of receipts back.

For sites without a way back: the file is carried to the collector, the receipts to the gateway.
Container and bag are those of the archive, so the same bytes come of the same objects; there is no
seal, since every object is signed and chained by itself. Streaming both ways: one object is held
at a time. Does I/O only on the files it is given. FORMAT.md "Exported spool".

Signatures are not checked here: whoever takes the objects in has the keys and the log to judge by.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evidence import cose
from evidence.archive import paths, ustar
from evidence.archive.bag import (
    BAG_INFO,
    BAGIT,
    CHUNK,
    DECLARATION,
    MANIFEST,
    TAG_FILES,
    TAG_MANIFEST,
    manifest,
    parse_manifest,
)
from evidence.chain import ZERO_HASH, Head, follow
from evidence.errors import ChainError, LimitError, MalformedError
from evidence.frame import Header, place_of
from evidence.keys import certificate_from_pem, certificate_to_pem, identity
from evidence.records import HEAD_BYTES, MAGIC, encode_record, read_records, records_in

OBJECTS = "data/objects.seg"
OBJECTS_BYTES_MAX = ustar.SIZE_MAX
SMALL_BYTES_MAX = 64 * 1024  # every file but the objects
CERTIFICATES_MAX = 100
RECEIPTS_BYTES_MAX = 16 * 1024 * 1024

_ID = r"[a-z0-9-]{1,40}"
_SEQ = r"0|[1-9][0-9]{0,18}"
_INFO = re.compile(
    rf"Bag-Software-Agent: stackproof\n"
    rf"External-Identifier: (?P<name>[a-z0-9-]+)\n"
    rf"Stackproof-Plant: (?P<plant>{_ID})\n"
    rf"Stackproof-Stream: (?P<stream>{_ID})\n"
    rf"Stackproof-First: (?P<first>{_SEQ})\n"
    rf"Stackproof-Last: (?P<last>{_SEQ})\n"
    rf"Payload-Oxum: (?P<octets>{_SEQ})\.(?P<files>{_SEQ})\n"
)


@dataclass(frozen=True)
class Span:
    """Which objects a file holds.

    Attributes:
        plant, stream: whose: plant id and gateway id.
        first, last: their seqs, both included.
    """

    plant: str
    stream: str
    first: int
    last: int

    @property
    def name(self) -> str:
        """The bag's name, its top folder."""
        return f"{self.plant}-{self.stream}-{self.first}-{self.last}"


def write_export(
    target: BinaryIO,
    span: Span,
    certificates: Sequence[x509.Certificate],
    objects: Iterable[bytes],
    *,
    object_bytes: int,
) -> None:
    """Write the file.

    Args:
        target: where to.
        span: what `objects` are.
        certificates: of the gateway's keys that signed them, 1 to `CERTIFICATES_MAX`.
        objects: every object of the span in order of seq, verbatim.
        object_bytes: how many bytes they are together; the size stands before them in the file.

    Raises:
        LimitError: more than one file can hold; take a shorter span.
        ValueError: the objects are not `object_bytes` bytes.
    """
    octets = object_bytes + HEAD_BYTES * (span.last - span.first + 1)
    if octets > OBJECTS_BYTES_MAX:
        raise LimitError(f"{octets} bytes; one file holds {OBJECTS_BYTES_MAX}: take fewer objects")
    if not 1 <= len(certificates) <= CERTIFICATES_MAX:
        raise ValueError(f"an export holds 1 to {CERTIFICATES_MAX} certificates")
    keys = {_certificate_path(span.stream, c): certificate_to_pem(c) for c in certificates}
    info = _info(span, octets + sum(map(len, keys.values())), len(keys) + 1)
    writer = ustar.Writer(target)

    def put(path: str, data: bytes) -> str:
        writer.add(f"{span.name}/{path}", len(data), [data])
        return hashlib.sha256(data).hexdigest()

    tags = {BAG_INFO: put(BAG_INFO, info), BAGIT: put(BAGIT, DECLARATION)}
    payload = {path: put(path, keys[path]) for path in sorted(keys)}
    digest = hashlib.sha256()
    writer.add(f"{span.name}/{OBJECTS}", octets, _hashed(map(encode_record, objects), digest))
    payload[OBJECTS] = digest.hexdigest()
    tags[MANIFEST] = put(MANIFEST, manifest(payload))
    put(TAG_MANIFEST, manifest(tags))
    writer.finish()


def _certificate_path(stream: str, certificate: x509.Certificate) -> str:
    return paths.gateway_certificate(stream, certificate.fingerprint(hashes.SHA256()))


def _info(span: Span, octets: int, files: int) -> bytes:
    fields = {
        "Bag-Software-Agent": "stackproof",
        "External-Identifier": span.name,
        "Stackproof-Plant": span.plant,
        "Stackproof-Stream": span.stream,
        "Stackproof-First": span.first,
        "Stackproof-Last": span.last,
        "Payload-Oxum": f"{octets}.{files}",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items()).encode()


def _hashed(chunks: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


class ExportReader:
    """A file of exported objects, every byte of its container and bag checked.

    Attributes:
        span: what it holds.
        certificates: of the gateway; whether the plant's root issued them is for the caller.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Check the whole file once, its objects' bytes only against the manifest.

        Args:
            file: open for reading, seekable; stays the caller's.

        Raises:
            MalformedError, LimitError: not such a file, or altered.
        """
        self._file = file
        members = ustar.members(file)
        top = members[0].name.partition("/")[0] if members else ""
        self._members: dict[str, ustar.Member] = {}
        for member in members:
            folder, _, path = member.name.partition("/")
            if folder != top or not path:
                raise MalformedError(f"{member.name}: not in the folder {top!r} of this export")
            self._members[path] = member
        self._check_bag()
        self.span = self._read_span(top)
        self.certificates = tuple(self._read_certificates())

    def objects(self) -> Iterator[tuple[Header, bytes]]:
        """Every object with its header, in order; one is held at a time.

        Raises:
            MalformedError, LimitError: not the objects the file says it holds.
            ChainError: they do not follow one another.
        """
        span, head = self.span, None
        for data in records_in(self._chunks(OBJECTS)):
            header = place_of(cose.parse(data))
            if (header.plant, header.stream) != (span.plant, span.stream):
                raise MalformedError(
                    f"seq {header.seq} is of {header.plant}/{header.stream}, "
                    f"not of {span.plant}/{span.stream}"
                )
            if head is None:
                head = Head(span.first, header.prev if span.first else ZERO_HASH)
            if head.next_seq > span.last:
                raise ChainError(f"objects go on after seq {span.last}")
            head = follow(head, header, hashlib.sha256(data).digest())
            yield header, data
        if head is None or head.next_seq != span.last + 1:
            raise ChainError(f"objects end before seq {span.last}")

    def _check_bag(self) -> None:
        """Exactly the files of this format, each with the hash its manifest says."""
        for path in (*TAG_FILES, TAG_MANIFEST, OBJECTS):
            if path not in self._members:
                raise MalformedError(f"{path} is missing: not an exported spool")
        tags = parse_manifest(self._small(TAG_MANIFEST))
        listed = parse_manifest(self._small(MANIFEST))
        if set(tags) != set(TAG_FILES):
            raise MalformedError(f"{TAG_MANIFEST} lists other files than the format's")
        if {*tags, *listed, TAG_MANIFEST} != set(self._members) or set(tags) & set(listed):
            raise MalformedError("the files are not those the manifest lists")
        for path, wanted in {**tags, **listed}.items():
            digest = hashlib.sha256()
            for chunk in self._chunks(path):
                digest.update(chunk)
            if digest.hexdigest() != wanted:
                raise MalformedError(f"{path}: its bytes are not those the manifest names")
        if self._small(BAGIT) != DECLARATION:
            raise MalformedError(f"{BAGIT} is not the declaration of BagIt 1.0")

    def _read_span(self, top: str) -> Span:
        data = self._small(BAG_INFO)
        found = _INFO.fullmatch(data.decode("ascii", "replace"))
        if found is None:
            raise MalformedError(f"{BAG_INFO} is not that of an exported spool")
        span = Span(
            found["plant"], found["stream"], first=int(found["first"]), last=int(found["last"])
        )
        payload = [m.size for path, m in self._members.items() if path.startswith("data/")]
        if data != _info(span, sum(payload), len(payload)) or span.name != top:
            raise MalformedError(f"{BAG_INFO} does not describe this file")
        if span.last < span.first:
            raise MalformedError(f"{BAG_INFO}: seq {span.last} is before {span.first}")
        return span

    def _read_certificates(self) -> Iterator[x509.Certificate]:
        files = sorted(path for path in self._members if path.startswith("data/"))
        files.remove(OBJECTS)
        if not 1 <= len(files) <= CERTIFICATES_MAX:
            raise LimitError(f"{len(files)} certificates; 1 to {CERTIFICATES_MAX} are allowed")
        for path in files:
            pem = self._small(path)
            certificate = certificate_from_pem(pem)
            if certificate_to_pem(certificate) != pem:
                raise MalformedError(f"{path}: not in the one PEM form")
            if path != _certificate_path(self.span.stream, certificate):
                raise MalformedError(f"{path}: unknown file, or not the certificate it names")
            if identity(certificate) != ("gateway", self.span.plant, self.span.stream):
                raise MalformedError(f"{path}: is not this gateway's certificate")
            yield certificate

    def _small(self, path: str) -> bytes:
        if self._members[path].size > SMALL_BYTES_MAX:
            raise LimitError(f"{path}: larger than {SMALL_BYTES_MAX} bytes")
        return b"".join(self._chunks(path))

    def _chunks(self, path: str) -> Iterator[bytes]:
        member = self._members[path]
        at, end = member.offset, member.offset + member.size
        while at < end:
            self._file.seek(at)  # others may read the file between two chunks
            chunk = self._file.read(min(CHUNK, end - at))
            if not chunk:
                raise MalformedError(f"{path}: the file was cut while it was read")
            at += len(chunk)
            yield chunk


def write_receipts(receipts: Iterable[bytes]) -> bytes:
    """Bytes of a receipt file: a record for each signed receipt, verbatim."""
    return b"".join(map(encode_record, receipts))


def read_receipts(data: bytes) -> list[bytes]:
    """The signed receipts of a receipt file, not verified: one bare, or a record file of them.

    Raises:
        MalformedError: empty, or not whole records.
        LimitError: larger than `RECEIPTS_BYTES_MAX`.
    """
    if len(data) > RECEIPTS_BYTES_MAX:
        raise LimitError(f"receipt file of {len(data)} bytes; {RECEIPTS_BYTES_MAX} are allowed")
    if not data:
        raise MalformedError("the receipt file is empty")
    return list(read_records(data)) if data.startswith(MAGIC) else [data]
