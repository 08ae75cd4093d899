"""The worked example of FORMAT.md: one frame, its log entry and the checkpoint over it."""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence import checkpoint, merkle
from evidence.blocks import COMPRESSION_NONE, compress, decompress
from evidence.frame import (
    FLAG_SIMULATED,
    TYP_FRAME,
    Body,
    Clock,
    Header,
    Section,
    encode_body,
    sign_object,
)
from evidence.groups import Group
from evidence.keys import FileSigner, key_sha256
from evidence.log import Entry, Kind, encode_entry
from evidence.points import Dtype
from evidence.quality import Quality
from evidence.records import encode_record

SECOND = 10**9
T0 = 1_781_499_580 * SECOND
SIGNER = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def example() -> dict[str, bytes | str]:
    """Name -> bytes (or text) of everything the example shows, in its order."""
    raw = np.array([[10, 12, 11], [7, 7, 7]], dtype="<u2")
    quality = np.zeros((2, 3), dtype=np.uint8)
    quality[1, 1:] = Quality.NO_ANSWER
    lag = np.array([[5, 5, 6]], dtype="<i4")
    section = Section(0, T0, SECOND, 3, (Group(0, Dtype.U16, raw, quality),), lag, (0,))
    frame = Body(T0, Clock("ntp", 1, 0, bytes(16)), FLAG_SIMULATED, (section,))
    body = decompress(encode_body(frame))
    header = Header(TYP_FRAME, "p1", "edge-1", T0 // SECOND + 3, 0, bytes(32))
    data = sign_object(SIGNER, header, compress(body, COMPRESSION_NONE))
    digest, key = hashlib.sha256(data).digest(), SIGNER.public_key
    entry = encode_entry(
        Entry(
            kind=Kind.FRAME, received_ns=T0 + 4 * SECOND, epoch=1, stream="edge-1", seq=0,
            sha256=digest, length=len(data), certificate=key_sha256(key),
        )
    )  # fmt: skip
    root = merkle.leaf_hash(entry)
    return {
        "key hash": key_sha256(key),
        "body": body,
        "object": data,
        "SHA-256 of the object": digest,
        "head of its record": encode_record(data)[: -len(data)],
        "log entry": entry,
        "leaf hash, here also the root": root,
        "checkpoint": checkpoint.sign(checkpoint.Checkpoint("p1", 1, root), SIGNER, key),
    }
