"""What the relay reads of bytes it does not believe: whose an object is, which is receipted. Pure.

No signature of a gateway is checked here: the relay has no key to check it by, and the collector
has. A receipt is checked, since it lets the relay forget.
"""

import hashlib
from dataclasses import dataclass

from edge.errors import NotOursError, OthersError
from edge.relay.config import RelayStream
from edge.spool_reader import SEQ_MAX
from evidence import cose
from evidence.errors import EvidenceError, LimitError
from evidence.frame import place_of
from evidence.receipt import Receipt, decode_receipt


@dataclass(frozen=True, slots=True)
class Outer:
    """One object as far as the relay reads it.

    Attributes:
        plant, gateway: whose it says it is.
        seq: which it says it is.
        sha256: of its bytes.
        data: its bytes.
    """

    plant: str
    gateway: str
    seq: int
    sha256: bytes
    data: bytes


def read_outer(data: bytes) -> Outer:
    """The outer frame of an object; MalformedError or LimitError when it has none."""
    header = place_of(cose.parse(data))
    if header.seq > SEQ_MAX:
        raise LimitError("a seq of more than 63 bits")
    return Outer(header.plant, header.stream, header.seq, hashlib.sha256(data).digest(), data)


def judge_relayed(data: bytes, stream: RelayStream) -> Receipt:
    """A receipt of this stream's collector.

    Raises:
        OthersError: of another stream.
        NotOursError: not signed by the pinned collector, or no receipt.
    """
    try:
        receipt = decode_receipt(data, stream.collector)
    except EvidenceError as error:
        raise NotOursError(f"{stream.name}: receipt refused: {error}") from error
    if (receipt.plant, receipt.stream) != (stream.plant, stream.gateway):
        raise OthersError(f"{stream.name}: receipt of another stream")
    if receipt.seq > SEQ_MAX:
        raise NotOursError(f"{stream.name}: receipt refused: a seq of more than 63 bits")
    return receipt
