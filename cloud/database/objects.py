"""What the store gives out: one signed object with its place. Plain values, no I/O."""

from dataclasses import dataclass

from evidence import cose
from evidence.frame import decode_body
from evidence.log import Kind

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One signed object of a stream, as it stands in evidence.

    Attributes:
        seq: its number in the stream.
        kind: FRAME, CONFIG, ROTATE, COSIGNATURE or PLANT_CLOSE.
        at_ns: t0 of the frame; of the frame before it for anything else, 0 before the first frame.
            Never goes backwards within a stream.
        through_ns: newest tick of the stream up to and including this object; 0 before the first.
        log_index: index of its log entry.
        sha256: of `data`.
        data: the verbatim COSE_Sign1.
    """

    seq: int
    kind: Kind
    at_ns: int
    through_ns: int
    log_index: int
    sha256: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry that is on disk and under a signed checkpoint.

    Attributes:
        index: of the entry in the log.
        checkpoint: signed note of the tree that ends with this entry (size = index + 1).
        root: that tree's root.
    """

    index: int
    checkpoint: str
    root: bytes


def frame_times(data: bytes) -> tuple[int, int]:
    """(t0, newest tick) of a frame's bytes in nanoseconds; newest is 0 without any tick."""
    body = decode_body(cose.parse(data).payload)
    return body.t0_ns, max((section.last_ns for section in body.sections), default=0)
