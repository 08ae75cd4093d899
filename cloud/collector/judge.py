"""Decides about one object from a gateway: accept, repeat the receipt, put aside, refuse. Pure.

Go-back-N: only a stream's next seq is accepted. A lower one that is already held is a repetition
and gets its receipt again; a lower one with other bytes is a fork; a higher one is dropped, the
gateway will send it again in order. Nothing is believed before its signature is verified with the
key that counts at its place in the stream (`evidence.custody`), and nothing here raises on hostile
bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cloud.collector.identity import Certified
from cloud.collector.keyring import Keyring, Rotation
from cloud.collector.seen import Look, Seen, Span
from cloud.collector.topics import Sender
from cloud.database.state import StreamState
from evidence import cose
from evidence.configuration import decode_configuration
from evidence.cosignature import decode_cosignature, verify_cosigned, witness_name
from evidence.custody import GatewayKey, KeyFault, KeyRefusedError
from evidence.errors import (
    EvidenceError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    TYP_ROTATE,
    Gap,
    Header,
)
from evidence.log import Entry, Kind
from evidence.log_details import KIND_OF
from evidence.orders import decode_rotate
from evidence.receipt import CloseRequest, decode_close
from evidence.suites import PublicKey

#: configurations of one stream: each is remembered for as long as the stream lives
CONFIGS_MAX = 10_000

#: every reason `judge` refuses an object for (`intake` has a few more); the log repeats them
REASONS = frozenset(
    {
        "malformed",  # not an object FORMAT.md allows
        "identity",  # of another plant or gateway than its topic or header says
        "anchor",  # it saw more of this log than is here, or another one: receipts are withheld
        "cosignature",  # of a log that this collector never signed, or not by this gateway
        "rotate",  # hands over to a key that is not certified, revoked, or was in use before
        "signature",  # altered or forged
        "unsupported",  # a newer format or suite than this program knows
        # names another configuration than its stream's newest, is one too many, or is of a real
        # plant under a simulated clock
        "config",
        "time",  # a frame from before the one before it, or from no possible time
    }
)


class StreamView(Protocol):
    """What is held of a plant's streams."""

    def stream(self, stream: str) -> StreamState:
        """Where a stream stands."""

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, None when there is none."""

    def root_at(self, size: int) -> bytes | None:
        """Root of the log's first `size` entries, None when it never had that many."""

    def must_be_lower(self, stream: str, kid: bytes, sha256: bytes) -> bool:
        """An object under this key, due and with the higher s, is not the gateway's (ADR 0085)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Continues its stream: keep it and log its entry.

    Attributes:
        entry: for the log.
        t0_ns: of a frame, else 0.
        newest_ns: newest tick of a frame, else 0.
        readings: of a frame, else 0.
        anchor: (log size, root) that the gateway had seen, None before the first.
        gap: of a frame that tells of one.
        rotation: of a rotate object: the key that follows.
        config: of a configuration object.
        close: of a close object.
    """

    entry: Entry
    t0_ns: int = 0
    newest_ns: int = 0
    readings: int = 0
    anchor: tuple[int, bytes] | None = None
    gap: Gap | None = None
    rotation: Rotation | None = None
    config: Mapping[str, Any] | None = None
    close: CloseRequest | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Held already: success again, so its receipt goes out again."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Beyond the next seq: dropped and only counted.

    Attributes:
        seq: of the object.
        due: the stream's next seq.
        is_verified: its signature is good; False when its key may be certified by what is due.
        before: SHA-256 of the object that it names before it; b"" where no key that counts there,
            or may soon, has signed that.
    """

    seq: int
    due: int
    is_verified: bool = True
    before: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Aside:
    """Not accepted, but people are to see it: keep it aside and log the entry.

    A fork is well signed, but other than what is held there. Otherwise the verdict is the fault of
    the key it names.

    Attributes:
        entry: a REJECT; its verdict is "fork" or a `KeyFault`.
        sentence: for people.
    """

    entry: Entry
    sentence: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not believed.

    Attributes:
        reason: one word; of `judge`, one of `REASONS`.
        sentence: for the process log.
        seq: of an object that is well signed and names more of the log than is here; else None.
    """

    reason: str
    sentence: str
    seq: int | None = None


Verdict = Accepted | Duplicate | Ahead | Aside | Refused


class _RefusalError(Exception):
    """Carries a refusal out of the checks."""

    def __init__(self, reason: str, sentence: str, seq: int | None = None) -> None:
        super().__init__(sentence)
        self.refused = Refused(reason, sentence, seq)


def judge(
    data: bytes, sender: Sender, keyring: Keyring, view: StreamView, received_ns: int, *,
    seen: Seen | None = None,
) -> Verdict:  # fmt: skip
    """Decide about one object.

    Args:
        data: what came.
        sender: whose `frames` topic it came on.
        keyring: the plant's keys.
        view: the plant's streams, with everything accepted so far.
        received_ns: collector's wall clock, not before the log's newest entry.
        seen: what was seen of it ahead; the verdict is the same without.
    """
    try:
        return _judge(Look(data, seen), sender, keyring, view, received_ns)
    except _RefusalError as refusal:
        return refusal.refused
    except SignatureError as error:
        return Refused("signature", str(error))
    except (UnknownSuiteError, UnsupportedError) as error:
        return Refused("unsupported", str(error))
    except EvidenceError as error:
        return Refused("malformed", str(error))


def _judge(
    look: Look, sender: Sender, keyring: Keyring, view: StreamView, received_ns: int
) -> Verdict:
    header = look.header
    if (header.plant, header.stream) != (sender.plant, sender.gateway):
        sentence = f"of {header.plant}/{header.stream}, came as {sender.plant}/{sender.gateway}"
        raise _RefusalError("identity", sentence)
    stream, sha256 = view.stream(header.stream), look.sha256
    held = view.hash_at(header.stream, header.seq) if header.seq < stream.next_seq else None
    if held == sha256 or (held is not None and cose.rewritten_sha256(look.envelope) == held):
        return Duplicate()
    entry = Entry(
        kind=KIND_OF[header.typ],
        received_ns=received_ns,
        epoch=0,
        stream=header.stream,
        seq=header.seq,
        sha256=sha256,
        length=look.length,
    )
    try:
        key = keyring.of(header.stream).check(header.seq, look.kid, received_ns)
    except KeyRefusedError as error:
        return _without_key(look, entry, error, keyring, stream)
    look.verify(key)
    entry = replace(entry, certificate=key.sha256)
    if held is not None:
        return _fork(entry, header, {"held": held})
    _check_anchor(header, view)
    if header.seq > stream.next_seq:
        return Ahead(header.seq, stream.next_seq, before=header.prev)
    if header.prev != stream.head.hash:
        return _fork(entry, header, {"held_before": stream.head.hash})
    _check_way(look, key, view)
    _check_config(header, stream, keyring)
    accepted = _accept(entry, look, stream)
    if header.typ == TYP_COSIGNATURE:
        _check_cosignature(header, look.envelope.payload, key.key, keyring, view)
    elif header.typ == TYP_ROTATE:
        certified = _next_key(keyring, header, look.envelope.payload)
        rotation = Rotation(header.stream, header.seq, look.kid, certified)
        accepted = replace(accepted, rotation=rotation)
    return replace(accepted, anchor=header.anchor)


def _without_key(
    look: Look,
    entry: Entry,
    error: KeyRefusedError,
    keyring: Keyring,
    stream: StreamState,
) -> Verdict:
    """An object whose key does not count at its place."""
    keys, seq = keyring.of(entry.stream), entry.seq or 0
    named = keys.find(look.kid)
    if named is not None:
        look.verify(named)
        entry = replace(entry, certificate=named.sha256)
    is_enrolled = entry.stream in keyring.gateways
    if seq > stream.next_seq and is_enrolled and error.fault is not KeyFault.REVOKED:
        # what hands over to its key may still be on the way, or wait for being named
        is_next = named is not None and not keys.was_used(named.sha256)
        before = look.header.prev if is_next else b""
        return Ahead(seq, stream.next_seq, is_verified=False, before=before)
    detail = {"kid": look.kid}
    return Aside(
        replace(entry, kind=Kind.REJECT, verdict=str(error.fault), detail=detail),
        f"seq {seq}: {error}",
    )


def _check_anchor(header: Header, view: StreamView) -> None:
    """A gateway that was shown more of the log than is here proves that the log lost something."""
    if header.anchor is not None:
        _check_log(header, *header.anchor, view)


def _check_cosignature(
    header: Header, payload: bytes, witness: PublicKey, keyring: Keyring, view: StreamView
) -> None:
    """What a gateway cosigned must be a checkpoint of this collector, and of the log here."""
    note, name = decode_cosignature(payload), witness_name(header.plant, header.stream)
    sentence = f"seq {header.seq} cosigns what is not a checkpoint of this log, or not as {name}"
    try:
        seen = verify_cosigned(note, name, witness, keyring.collectors).checkpoint
    except SignatureError as error:
        raise _RefusalError("cosignature", sentence) from error
    if seen.plant != header.plant:
        raise _RefusalError("cosignature", sentence)
    _check_log(header, seen.size, seen.root, view)


def _check_log(header: Header, size: int, root: bytes, view: StreamView) -> None:
    ours = view.root_at(size)
    if ours == root:
        return
    lacks = "has fewer entries" if ours is None else "is another log"
    raise _RefusalError(
        "anchor",
        f"seq {header.seq}: the gateway was shown a log of {size} entries that the collector had "
        f"signed; the log here {lacks}. It was set back or replaced: restore the newest backup. "
        "Until then the gateway keeps its readings",
        header.seq if ours is None else None,
    )


def _check_config(header: Header, stream: StreamState, keyring: Keyring) -> None:
    """An object names the stream's newest configuration; a new device may not know it yet."""
    newest = stream.newest_config
    if header.cfg is None and header.typ != TYP_FRAME:
        since = -1 if newest is None else stream.configs[newest]
        if newest is None or keyring.of(header.stream).was_replaced(range(since, header.seq)):
            return
    if header.cfg is None or header.cfg != newest:
        named, held = ("none" if c is None else c.hex()[:12] for c in (header.cfg, newest))
        sentence = f"seq {header.seq} names configuration {named}; in force is {held}"
        raise _RefusalError("config", sentence)


def _check_way(look: Look, key: GatewayKey, view: StreamView) -> None:
    """Taken in, it would be another object than the one that the gateway's next one names."""
    seq, stream = look.header.seq, look.header.stream
    if look.is_higher(key) and view.must_be_lower(stream, look.kid, look.sha256):
        sentence = (
            f"seq {seq}: its signature was written anew on the way, without the key, or by an "
            "agent of before: then it is taken once the next one has come"
        )
        raise _RefusalError("signature", sentence)


def _fork(entry: Entry, header: Header, contradicts: Mapping[str, bytes]) -> Aside:
    """An object that contradicts one that is held: at its seq, or before it."""
    detail = {**contradicts, "prev": header.prev}
    return Aside(
        replace(entry, kind=Kind.REJECT, verdict="fork", detail=detail),
        f"seq {entry.seq}: the gateway's key has signed two different objects for one place",
    )


def _next_key(keyring: Keyring, header: Header, payload: bytes) -> Certified:
    try:
        return keyring.next_key(header.stream, header.seq, decode_rotate(payload))
    except (UnknownSuiteError, UnsupportedError):
        raise
    except EvidenceError as error:
        sentence = f"seq {header.seq} hands over to no key that counts: {error}"
        raise _RefusalError("rotate", sentence) from error


def _accept(entry: Entry, look: Look, stream: StreamState) -> Accepted:
    header = look.header
    if header.typ == TYP_FRAME:
        return _accept_frame(entry, look.span, stream)
    if header.typ == TYP_CONFIG:
        if len(stream.configs) >= CONFIGS_MAX:
            sentence = f"seq {header.seq}: the stream has {CONFIGS_MAX} configurations already"
            raise _RefusalError("config", sentence)
        return Accepted(entry, config=_config(header, look.envelope.payload))
    if header.typ == TYP_CLOSE:
        return Accepted(entry, close=_close(header, look.envelope.payload))
    return Accepted(entry)


def _accept_frame(entry: Entry, span: Span, stream: StreamState) -> Accepted:
    if span.t0_ns < stream.at_ns:  # its ticks are not before it: `decode_body` saw to that
        sentence = f"t0 {span.t0_ns} is before the stream's {stream.at_ns}"
        raise _RefusalError("time", f"seq {entry.seq}: {sentence}")
    if span.first_ns is not None and span.first_ns <= stream.through_ns:
        sentence = f"its first tick {span.first_ns} is not after the stream's {stream.through_ns}"
        raise _RefusalError("time", f"seq {entry.seq}: {sentence}")
    return Accepted(entry, span.t0_ns, span.newest_ns, span.readings, gap=span.gap)


def _config(header: Header, payload: bytes) -> Mapping[str, Any]:
    config = decode_configuration(payload)
    plant, gateway = config["plant"]["id"], config["gateway"]["id"]
    if (plant, gateway) != (header.plant, header.stream):
        sentence = f"configuration of {plant}/{gateway} in the stream of {header.stream}"
        raise _RefusalError("identity", sentence)
    return config


def _close(header: Header, payload: bytes) -> CloseRequest:
    close = decode_close(payload)
    if (close.plant, close.stream) != (header.plant, header.stream):
        sentence = f"close of {close.plant}/{close.stream} in the stream of {header.stream}"
        raise _RefusalError("identity", sentence)
    return close
