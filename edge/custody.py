"""Which of the collector's words are believed: receipts and close requests. Pure but for reading.

A receipt frees the spool when it speaks of the spool's own objects. Its checkpoint becomes the
stream's anchor only when it is proven to continue the log that the newest object names: whatever
the collector shows later must contain what this gateway has signed under. A proof that fails is
proof of two histories. Reads the spool, writes nothing.
"""

from dataclasses import dataclass

from edge.errors import NEW_DEVICE, ForkError, NotOursError, OthersError, TwoLogsError
from edge.identity import Addressee
from edge.spool_reader import SpoolReader, State
from evidence import checkpoint, cose
from evidence.errors import EvidenceError
from evidence.frame import place_of
from evidence.merkle import is_consistent
from evidence.receipt import CloseRequest, Receipt, decode_close_request, decode_receipt

Log = tuple[int, bytes]  # size, root


@dataclass(frozen=True)
class Judged:
    """A receipt that may be acted on.

    Attributes:
        receipt: what it says.
        log: size and root of its checkpoint.
        may_anchor: the log continues what the newest object names, and is newer.
        is_proven: that was shown by a proof, not taken on trust as the first log ever seen.
    """

    receipt: Receipt
    log: Log
    may_anchor: bool
    is_proven: bool


def encode_log(log: Log | None) -> bytes:
    """A log as the spool's state holds it, b"" for none."""
    return b"" if log is None else log[0].to_bytes(8, "big") + log[1]


def decode_log(value: bytes | None) -> Log | None:
    """Undo `encode_log`."""
    return (int.from_bytes(value[:8], "big"), value[8:]) if value else None


def log_of(spool: SpoolReader, key: State) -> Log | None:
    """The log that a state value names."""
    return decode_log(spool.get(key))


def judge_receipt(data: bytes, spool: SpoolReader, who: Addressee) -> Judged:
    """Check a receipt against the spool.

    Raises:
        TwoLogsError: the collector's log does not continue the one it showed before.
        ForkError: it is about objects this spool never made.
        NotOursError: not for this stream, or not signed by the pinned collector.
    """
    try:
        taken = decode_receipt(data, who.collector)
        note = checkpoint.verify(taken.checkpoint, who.collector)
    except EvidenceError as error:
        raise NotOursError(
            f"receipt refused: {error} (if the collector has a new key, name its new certificate "
            "under [uplink] collector)"
        ) from error
    _check_addressee(taken.plant, taken.stream, who)
    if note.plant != who.plant or note.size <= taken.log_index:
        raise NotOursError("receipt refused: its checkpoint does not cover its log entry")
    head = spool.head()
    if taken.seq >= head.next_seq:
        raise ForkError(
            taken.seq,
            f"the collector holds seq {taken.seq}, and this spool's newest is seq "
            f"{head.next_seq - 1}: the spool was lost, or set back to an earlier copy. If the "
            f"right one is still there, stop the agent and put it back. {NEW_DEVICE}",
        )
    known = spool.hash_at(taken.seq)
    if known is not None and known != taken.head:
        raise ForkError(
            taken.seq,
            f"the collector holds another object at seq {taken.seq} (fork): a second device signs "
            "with this key, or the spool was lost or set back to an earlier copy. If a second "
            f"device runs, stop the wrong one. {NEW_DEVICE}",
        )
    return _judge_log(taken, (note.size, note.root), spool)


def _judge_log(taken: Receipt, log: Log, spool: SpoolReader) -> Judged:
    """The log must continue what the object it speaks of names, and never have been longer."""
    base, held = log_of(spool, State.BASE), log_of(spool, State.ANCHOR)
    check_same_size(log, spool)
    is_new = taken.seq > spool.receipted_seq()
    if is_new and held is not None and log[0] < held[0]:
        raise TwoLogsError(log, held)
    start = _start_of(taken, spool) if is_new else base
    size = 0 if start is None else start[0]
    if taken.since != size:
        if is_new:
            raise NotOursError(
                f"receipt refused: it proves its log from {taken.since} entries on, and the "
                f"object at seq {taken.seq} names a log of {size}"
            )
        return Judged(taken, log, may_anchor=False, is_proven=False)  # of an older object
    if start is not None and not is_consistent(*start, *log, taken.path):
        raise TwoLogsError(log, start)
    # what was taken on trust gives way only to what is proven to continue something signed
    grows = held is None or (log[0] > held[0] and start is not None)
    return Judged(taken, log, may_anchor=grows and start == base, is_proven=start is not None)


def _start_of(taken: Receipt, spool: SpoolReader) -> Log | None:
    """The log that the object a receipt speaks of names: there the collector's proof begins."""
    for stored in spool.objects(taken.seq, 1):
        if stored.seq == taken.seq:
            return place_of(cose.parse(stored.data)).anchor
    raise NotOursError(f"receipt refused: seq {taken.seq} is not in this spool")


def check_same_size(log: Log, spool: SpoolReader) -> None:
    """A log has one root at one size (what is shorter needs a proof to be judged)."""
    for known in (log_of(spool, State.BASE), log_of(spool, State.ANCHOR)):
        if known is not None and log[0] == known[0] and log[1] != known[1]:
            raise TwoLogsError(log, known)


def judge_close_request(data: bytes, spool: SpoolReader, who: Addressee) -> CloseRequest:
    """Check a request to sign a month's close.

    Raises:
        TwoLogsError: of a log other than the one the collector showed before.
        NotOursError: not for this stream, not signed by the pinned collector, or not true of
            this spool.
    """
    try:
        request = decode_close_request(data, who.collector)
    except EvidenceError as error:
        raise NotOursError(f"close request refused: {error}") from error
    _check_addressee(request.plant, request.stream, who)
    if spool.get(State.TWO_LOGS):
        raise NotOursError("close request refused: the collector has shown two logs")
    known = spool.hash_at(request.seq)
    if known != request.head:
        found = "is unknown here" if known is None else "has another hash here"
        raise NotOursError(f"close request refused: seq {request.seq} {found}")
    # receipts newer than the request may have come first: its log may well be an older one
    check_same_size((request.log_size, request.log_root), spool)
    return request


def _check_addressee(plant: str, stream: str, who: Addressee) -> None:
    if (plant, stream) != (who.plant, who.gateway):
        raise OthersError(f"message for {plant}/{stream}, not for this gateway")
