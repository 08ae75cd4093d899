"""COSE receipts of inclusion (RFC 9942): "this entry is in the log", for anybody's tools. Pure.

    18([ << {1: alg, 4: kid, 15: {1: "stackproof/<plant>", 2: stream or plant}, 395: 1} >>,
         {396: {-1: [ << [tree size, leaf index, [* path]] >> ]}},
         nil,                                  ; detached: the root, made again from the entry
         signature ])

395 is the verifiable data structure (1 = RFC9162_SHA256), 396 its proofs (-1 = inclusion), both of
RFC 9942 §5; issuer and subject are those RFC 9943 asks of a receipt. The signature is over the
root, so it proves nothing before entry and path have led to it, and it does not bind index and
size: whoever needs those compares the root with that of a checkpoint. Nothing in an archive needs
these receipts: its verifier has the whole log. Custody is another receipt (`evidence.receipt`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evidence import cbor
from evidence.checkpoint import ORIGIN_PREFIX
from evidence.errors import LimitError, MalformedError, SignatureError
from evidence.keys import Signer, key_id
from evidence.log import decode_entry
from evidence.merkle import leaf_hash, root_by_path
from evidence.suites import PublicKey, suite

#: header labels
ALG, KID, CWT_CLAIMS, VDS, VDP = 1, 4, 15, 395, 396
RFC9162_SHA256, INCLUSION = 1, -1

#: a tree of 2^63 leaves has no longer path
PATH_MAX = 63
BYTES_MAX = 8 * 1024

_TAG_18 = b"\xd2"


@dataclass(frozen=True)
class Inclusion:
    """What a receipt of inclusion proves, once it is verified.

    Attributes:
        plant: whose log.
        root: root of a tree with the entry in it, 32 bytes; this is what the log's key signed.
        size, index: of tree and entry (from 0), as the receipt says. Proved only by a checkpoint
            with this root: paths of different trees can have one shape.
    """

    plant: str
    root: bytes
    size: int
    index: int


def encode_inclusion(
    plant: str, entry: bytes, index: int, size: int, path: Sequence[bytes],
    *, signer: Signer, alg: int | None = None,
) -> bytes:  # fmt: skip
    """A signed receipt that an entry is in the plant's log.

    Args:
        plant: plant id.
        entry: the entry's bytes, as in the log.
        index: of it, from 0.
        size: entries of the tree that `path` belongs to, at most the newest checkpoint's.
        path: audit path (RFC 9162 §2.1.3.1), from the leaf up.
        signer: the collector's key.
        alg: number to write in place of the signer's: -8 (Ed25519) or -7 (P-256) for readers
            older than RFC 9864. The signature is made in the same way.

    Raises:
        ValueError: the path is not one of that place, or the key is not of `alg`'s kind.
    """
    root = root_by_path(leaf_hash(entry), index, size, path)
    if root is None:
        raise ValueError(f"a path of {len(path)} hashes is none of leaf {index} of {size}")
    number = signer.alg if alg is None else alg
    if suite(number).verify is not suite(signer.alg).verify:
        raise ValueError(f"a key of algorithm {signer.alg} does not sign by {number}")
    protected = cbor.encode(
        {ALG: number, KID: signer.kid, CWT_CLAIMS: _claims(plant, entry), VDS: RFC9162_SHA256}
    )
    proof = cbor.encode([size, index, list(path)])
    signature = signer.sign(_to_be_signed(protected, root))
    return _TAG_18 + cbor.encode([protected, {VDP: {INCLUSION: [proof]}}, None, signature])


def verify_inclusion(data: bytes, entry: bytes, key: PublicKey) -> Inclusion:
    """What a receipt proves about an entry.

    Args:
        data: the receipt.
        entry: the bytes it is to be about.
        key: the log's, that is the collector's.

    Raises:
        MalformedError: not a receipt of the form above, or about another entry's plant or stream.
        SignatureError: not signed by this key over the root that entry and path lead to; an entry
            that is not in the tree shows as this.
        UnknownSuiteError: the algorithm is not in the table.
        LimitError, UnsupportedError: too large; an entry of a newer format.
    """
    protected, proof, signature = _parts(data)
    header = _protected(protected)
    index, size, path = _proof(proof)
    root = root_by_path(leaf_hash(entry), index, size, path)
    if root is None:
        raise MalformedError(f"the path is none of leaf {index} in a tree of {size}")
    chosen = suite(header[ALG])
    if not chosen.fits(key) or header[KID] != key_id(key):
        raise SignatureError("the receipt names another key")
    chosen.verify(key, signature, _to_be_signed(protected, root))
    plant = _plant(header[CWT_CLAIMS])
    if header[CWT_CLAIMS] != _claims(plant, entry):
        raise MalformedError("the receipt names another stream than the entry")
    return Inclusion(plant, root, size, index)


def _claims(plant: str, entry: bytes) -> dict[int, str]:
    """Issuer: the log's name, as in its checkpoints. Subject: what the entry is about."""
    return {1: f"{ORIGIN_PREFIX}{plant}", 2: decode_entry(entry).stream or plant}


def _plant(claims: Any) -> str:
    issuer = claims.get(1) if isinstance(claims, dict) else None
    if not isinstance(issuer, str) or not issuer.startswith(ORIGIN_PREFIX):
        raise MalformedError("the receipt's issuer is not a plant's log")
    return issuer.removeprefix(ORIGIN_PREFIX)


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, proof and signature."""
    if len(data) > BYTES_MAX:
        raise LimitError(f"receipt of {len(data)} bytes; the limit is {BYTES_MAX}")
    if data[:1] != _TAG_18:
        raise MalformedError("not a COSE_Sign1 (tag 18 missing)")
    match cbor.decode(data[1:]):
        case [bytes() as protected, {396: {-1: [bytes() as proof]}} as outer, None, bytes() as sig]:
            if outer == {VDP: {INCLUSION: [proof]}}:
                return protected, proof, sig
    raise MalformedError("not a receipt with one inclusion proof and a detached payload")


def _protected(data: bytes) -> dict[int, Any]:
    header = cbor.decode(data)
    if not isinstance(header, dict) or set(header) != {ALG, KID, CWT_CLAIMS, VDS}:
        raise MalformedError("a receipt's protected header has alg, kid, claims and vds")
    if type(header[ALG]) is not int or type(header[KID]) is not bytes:
        raise MalformedError("alg or kid of the receipt is of the wrong type")
    if type(header[VDS]) is not int or header[VDS] != RFC9162_SHA256:
        raise MalformedError("the receipt is of another verifiable data structure")
    return header


def _proof(data: bytes) -> tuple[int, int, list[bytes]]:
    match cbor.decode(data):
        case [int() as size, int() as index, list() as path] if not (
            type(size) is bool or type(index) is bool
        ):
            if len(path) > PATH_MAX or any(type(h) is not bytes or len(h) != 32 for h in path):
                raise MalformedError("a path is at most 63 hashes of 32 bytes")
            return index, size, path
    raise MalformedError("an inclusion proof is [tree size, leaf index, path]")


def _to_be_signed(protected: bytes, root: bytes) -> bytes:
    """Sig_structure of RFC 9052 §4.4, as of any COSE_Sign1."""
    return cbor.encode(["Signature1", protected, b"", root])
