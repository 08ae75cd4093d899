"""One document a person signed: an envelope, what it is about, what it says, its files. Pure.

A document stands outside the gateways' streams. Its bytes are those of the log's record entry;
whoever changes one letter makes another document. RECORDS.md "Documents".
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence import cbor, cose
from evidence.blocks import COMPRESSION_NONE, compress, content
from evidence.errors import MalformedError, UnsupportedError
from evidence.keys import Signer, key_id
from evidence.points import NAME_ID
from evidence.suites import PublicKey, suite_of

TYP_RECORD = "stackproof-record+cbor"
#: as `sub` of what the collector itself signs: the first persons of a plant
COLLECTOR = "collector"
VERSION = 1
ABOUT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
KIND = re.compile(r"[a-z][a-z-]{0,39}", re.ASCII)
FILES_MAX, FOLLOWS_MAX, FILE_NAME_MAX = 50, 100, 120
#: of one attached file
FILE_BYTES_MAX = 32 * 1024 * 1024
#: what an attached file may be; who takes one in looks at its bytes, not at its name
MEDIA_TYPES = ("application/pdf", "image/jpeg", "image/png", "text/csv",
               "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
               "application/toml")  # fmt: skip

#: C0, DEL and C1; line and paragraph separators; marks and overrides of direction; byte order mark
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_ALLOWED = {"version", "kind", "about", "body", "follows", "files"}
_LABELS = {cose.ALG, cose.KID, cose.TYP, cose.CWT_CLAIMS}


@dataclass(frozen=True)
class AttachedFile:
    """A file that belongs to a document, by its hash.

    Attributes:
        name: as it was given, 1 to `FILE_NAME_MAX` characters without "/".
        media_type: one of `MEDIA_TYPES`.
        size: bytes, 1 to `FILE_BYTES_MAX`.
        sha256: of its bytes.
    """

    name: str
    media_type: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """What a person signed.

    Attributes:
        plant: plant id.
        person: account id of the signer, or `COLLECTOR`.
        signed_s: when, seconds since 1970 by the signer's own clock: proves nothing.
        kind: what it is, a key of `kinds.KINDS`.
        about: id of the sample, source, meter or person it is about.
        body: text-keyed fields of the kind; numbers as decimal strings.
        follows: SHA-256 of the documents it decides about or corrects.
        files: what is attached.
    """

    plant: str
    person: str
    signed_s: int
    kind: str
    about: str
    body: Mapping[str, Any]
    follows: tuple[bytes, ...] = ()
    files: tuple[AttachedFile, ...] = field(default=())


def is_plain(text: str) -> bool:
    """True for text without characters that steer a terminal or turn a line about."""
    return _STEERING.search(text) is None


def encode_document(document: Document, signer: Signer) -> bytes:
    """Signed bytes of a document.

    Raises:
        MalformedError: a field is not as every document's must be.
        LimitError: larger than any reader takes.
    """
    return cose.sign(signer, *_parts(document))


def unsigned_document(document: Document, key: PublicKey) -> cose.Unsigned:
    """A document for a key that signs elsewhere; MalformedError as `encode_document`.

    It is not compressed, so that who signs it can read what it says with a few lines of code.
    """
    return cose.prepare(suite_of(key).alg, key_id(key), *_parts(document, COMPRESSION_NONE))


def decode_document(data: bytes, key: PublicKey) -> Document:
    """A verified document.

    Raises:
        SignatureError, UnknownSuiteError: not signed by this key.
        UnsupportedError: of a type, version or compression newer than this program.
        MalformedError, LimitError: not a document.
    """
    envelope = cose.parse(data)
    cose.verify(envelope, key)
    return _document(envelope)


def signed_by(data: bytes) -> tuple[str, bytes]:
    """(person, kid) that a document names, unverified: which key to verify it with.

    Raises:
        MalformedError, LimitError: not a signed object with the labels of a document.
    """
    envelope = cose.parse(data)
    _, person, _ = _claims(envelope)
    return person, envelope.kid


def unverified_document(data: bytes) -> Document:
    """A document whose signature was not looked at: for bytes known otherwise, or to show them.

    Raises:
        UnsupportedError, MalformedError, LimitError: as `decode_document`.
    """
    return _document(cose.parse(data))


def _parts(document: Document, method: int | None = None) -> tuple[dict[int, Any], bytes]:
    """Protected header (without alg and kid) and payload."""
    fields: dict[str, Any] = {
        "version": VERSION,
        "kind": document.kind,
        "about": document.about,
        "body": dict(document.body),
    }
    if document.follows:
        fields["follows"] = list(document.follows)
    if document.files:
        fields["files"] = [[f.name, f.media_type, f.size, f.sha256] for f in document.files]
    claims = {
        cose.CWT_ISS: document.plant,
        cose.CWT_SUB: document.person,
        cose.CWT_IAT: document.signed_s,
    }
    _check_claims(claims)
    _from_fields(fields, claims)
    return {cose.TYP: TYP_RECORD, cose.CWT_CLAIMS: claims}, compress(cbor.encode(fields), method)


def _document(envelope: cose.Envelope) -> Document:
    if envelope.typ != TYP_RECORD:
        raise UnsupportedError(f"document type {envelope.typ!r} is unknown to this program")
    _claims(envelope)
    return _from_fields(content(envelope.payload), envelope.header[cose.CWT_CLAIMS])


def _claims(envelope: cose.Envelope) -> tuple[str, str, int]:
    if set(envelope.header) != _LABELS:
        raise MalformedError("a document's header has the labels 1, 4, 15 and 16, and no others")
    return _check_claims(envelope.header[cose.CWT_CLAIMS])


def _check_claims(claims: Any) -> tuple[str, str, int]:
    wanted = {cose.CWT_ISS, cose.CWT_SUB, cose.CWT_IAT}
    if not isinstance(claims, dict) or set(claims) != wanted:
        raise MalformedError("a document says plant, person and time, and nothing else")
    plant, person, signed_s = (claims[label] for label in sorted(wanted))
    for name, value in (("plant", plant), ("person", person)):
        if not isinstance(value, str) or not NAME_ID.fullmatch(value):
            raise MalformedError(f"the document's {name} is no id")
    if type(signed_s) is not int or not 0 <= signed_s < 2**63:
        raise MalformedError("the document's time is no number of seconds")
    return plant, person, signed_s


def _from_fields(fields: Any, claims: Mapping[int, Any]) -> Document:
    if not isinstance(fields, dict) or type(fields.get("version")) is not int:
        raise MalformedError("a document has a version")
    if fields["version"] != VERSION:
        raise UnsupportedError(f"document version {fields['version']} is unknown to this program")
    if not set(fields) <= _ALLOWED or not _ALLOWED - {"follows", "files"} <= set(fields):
        raise MalformedError("a document has kind, about and body, maybe follows and files")
    for name, pattern in (("kind", KIND), ("about", ABOUT)):
        if not isinstance(fields[name], str) or not pattern.fullmatch(fields[name]):
            raise MalformedError(f"the document's {name} is no id")
    body = fields["body"]
    if not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
        raise MalformedError("the document's body must be a map of text keys")
    return Document(
        plant=_once(claims[cose.CWT_ISS]),
        person=_once(claims[cose.CWT_SUB]),
        signed_s=claims[cose.CWT_IAT],
        kind=_once(fields["kind"]),
        about=fields["about"],
        body={_once(name): body[name] for name in body},
        follows=_follows(fields),
        files=_files(fields),
    )


def _once(text: str) -> str:
    """The same text as all documents have it: a collector holds those of ten years."""
    return sys.intern(text) if type(text) is str else text


def _follows(fields: Mapping[str, Any]) -> tuple[bytes, ...]:
    if "follows" not in fields:
        return ()
    found = fields["follows"]
    if not isinstance(found, list) or not 1 <= len(found) <= FOLLOWS_MAX:
        raise MalformedError(f"a document follows 1 to {FOLLOWS_MAX} others, or none")
    if not all(isinstance(h, bytes) and len(h) == 32 for h in found):
        raise MalformedError("what a document follows is a list of SHA-256 hashes")
    if len(set(found)) != len(found):
        raise MalformedError("a document follows another one once")
    return tuple(found)


def _files(fields: Mapping[str, Any]) -> tuple[AttachedFile, ...]:
    if "files" not in fields:
        return ()
    found = fields["files"]
    if not isinstance(found, list) or not 1 <= len(found) <= FILES_MAX:
        raise MalformedError(f"a document has 1 to {FILES_MAX} files, or none")
    files = tuple(map(_file, found))
    if len({file.sha256 for file in files}) != len(files):
        raise MalformedError("a document has a file once")
    return files


def _file(row: Any) -> AttachedFile:
    if not isinstance(row, list) or len(row) != 4:
        raise MalformedError("a file is a name, a type, a size and a hash")
    name, media_type, size, sha256 = row
    if not isinstance(name, str) or not 1 <= len(name) <= FILE_NAME_MAX or "/" in name:
        raise MalformedError(f"a file's name has 1 to {FILE_NAME_MAX} characters and no slash")
    if not is_plain(name):
        raise MalformedError("a file's name must hold no control characters")
    if media_type not in MEDIA_TYPES:
        raise MalformedError(f"a file must be one of {', '.join(MEDIA_TYPES)}")
    if type(size) is not int or not 1 <= size <= FILE_BYTES_MAX:
        raise MalformedError(f"a file has 1 to {FILE_BYTES_MAX} bytes")
    if not isinstance(sha256, bytes) or len(sha256) != hashlib.sha256().digest_size:
        raise MalformedError("a file's hash is no SHA-256")
    return AttachedFile(name, media_type, size, sha256)
