"""The bag: BagIt 1.0 (RFC 8493) with SHA-256, built deterministically. Writes under a folder.

Same files, same bytes: no dates but the ones given, sorted manifests, one container form. BagIt
is fixity, not authenticity; the seal over the tag manifest is what nobody can remake.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from evidence import cose
from evidence.archive import ustar
from evidence.errors import LimitError, MalformedError
from evidence.keys import Signer
from evidence.suites import PublicKey

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAG_FILES = (BAG_INFO, BAGIT, MANIFEST)  # sorted: what the tag manifest lists

#: RFC 9995 COSE Hash Envelope: payload hash algorithm (SHA-256 = -16), preimage content type
_HASH_ALG, _PREIMAGE_TYPE, _SHA256 = 258, 259, -16

#: larger than what a verification calculates with at a time: the C library keeps as much memory at
#: hand as the largest piece that was given back, and need not fetch the rest anew every time
CHUNK = 4 * 1024 * 1024

#: a line of a manifest; paths are those of a ustar header
_LINE = re.compile(rb"([0-9a-f]{64})  ([\x20-\x7e]{1,255})\n")

Seals = Callable[[bytes], Mapping[str, bytes]]
Room = Callable[[int], None]


class Sealed(Enum):
    """What a seal is over: (typ, content type)."""

    BAG = ("stackproof-seal+cose", "text/plain")  # the tag manifest
    STAMP = ("stackproof-stamp+cose", "application/timestamp-reply")  # the time stamp response


class BagWriter:
    """Stages payload files under a folder, then packs them as a sealed container."""

    def __init__(self, staging: Path, room: Room = lambda _: None) -> None:
        """Stage under `staging`, which must be empty or absent; `room` as of `build_archive`."""
        staging.mkdir(parents=True, exist_ok=True)
        if any(staging.iterdir()):
            raise ValueError(f"{staging} is not empty")
        self._staging, self._room, self._staged = staging, room, 0
        self._files: dict[str, tuple[int, str]] = {}

    def add(self, path: str, chunks: Iterable[bytes]) -> str:
        """Stage one payload file ("data/…"); its SHA-256 in hex."""
        if not path.startswith("data/") or path in self._files:
            raise ValueError(f"{path!r} is not a new payload path")
        return self._stage(path, chunks)

    def _stage(self, path: str, chunks: Iterable[bytes]) -> str:
        target = self._staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with target.open("wb") as file:
            for chunk in chunks:
                self._staged += len(chunk)
                self._room(self._staged)
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._files[path] = size, digest.hexdigest()
        return digest.hexdigest()

    def pack(self, target: BinaryIO, name: str, info: Mapping[str, str], seals: Seals) -> None:
        """Write the container.

        Args:
            target: where to.
            name: the bag's name, its top folder.
            info: bag-info.txt fields, in order.
            seals: given the SHA-256 of the tag manifest, the files to put under "seal/".
        """
        payload = {path: entry for path, entry in self._files.items() if path.startswith("data/")}
        octets = sum(size for size, _ in payload.values())
        lines = {**info, "Payload-Oxum": f"{octets}.{len(payload)}"}
        self._stage(BAGIT, [DECLARATION])
        self._stage(BAG_INFO, ["".join(f"{k}: {v}\n" for k, v in lines.items()).encode()])
        self._stage(MANIFEST, [manifest({p: h for p, (_, h) in payload.items()})])
        tags = {path: self._files[path][1] for path in TAG_FILES}
        tag_digest = self._stage(TAG_MANIFEST, [manifest(tags)])
        for path, data in seals(bytes.fromhex(tag_digest)).items():
            self._stage(path, [data])
        writer = ustar.Writer(target)
        for path in sorted(self._files):
            writer.add(f"{name}/{path}", self._files[path][0], self._chunks(path))
        writer.finish()

    def _chunks(self, path: str) -> Iterator[bytes]:
        with (self._staging / path).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def manifest(hashes: Mapping[str, str]) -> bytes:
    """Manifest bytes: "<hash>  <path>" a line, sorted by path."""
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode("ascii")


def parse_manifest(data: bytes) -> dict[str, str]:
    """Path -> hash; bytes that `manifest` would not have written are refused.

    Raises:
        MalformedError: not in that form.
        LimitError: more lines than an archive has files.
    """
    if data.count(b"\n") > ustar.FILES_MAX:
        raise LimitError(f"manifest of more than {ustar.FILES_MAX} lines")
    hashes: dict[str, str] = {}
    at, before = 0, ""
    while at < len(data):
        line = _LINE.match(data, at)
        path = line[2].decode("ascii") if line else ""
        if line is None or path <= before:
            raise MalformedError("manifest is not in the one allowed form")
        hashes[path], before, at = line[1].decode("ascii"), path, line.end()
    return hashes


def seal(sha256: bytes, signer: Signer, over: Sealed = Sealed.BAG) -> bytes:
    """A seal: a COSE Hash Envelope over the file of this SHA-256."""
    typ, content = over.value
    labels = {cose.TYP: typ, _HASH_ALG: _SHA256, _PREIMAGE_TYPE: content}
    return cose.sign(signer, labels, sha256)


def check_seal(data: bytes, sha256: bytes, key: PublicKey, over: Sealed = Sealed.BAG) -> None:
    """Verify a seal over the file of this SHA-256.

    Raises:
        MalformedError: not such a seal, or over another file.
        SignatureError, UnknownSuiteError: not signed by this key.
    """
    envelope = cose.parse(data)
    cose.verify(envelope, key)
    wanted = {cose.ALG, cose.KID, cose.TYP, _HASH_ALG, _PREIMAGE_TYPE}
    typ, content = over.value
    if set(envelope.header) != wanted or envelope.typ != typ:
        raise MalformedError(f"not a {typ}")
    if envelope.header[_PREIMAGE_TYPE] != content:
        raise MalformedError(f"the seal is not over {content}")
    if envelope.header[_HASH_ALG] != _SHA256 or envelope.payload != sha256:
        raise MalformedError("the seal is over other bytes than these")
