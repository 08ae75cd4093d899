"""Decides about one object from a gateway: accept, repeat the receipt, quarantine, refuse. Pure.

Go-back-N: only a stream's next seq is accepted. A lower one that is already held is a repetition
and gets its receipt again; a lower one with other bytes is a fork; a higher one is dropped, the
gateway will send it again in order. Nothing is believed before its signature is verified with a
key enrolled for the gateway whose topic it came on, and nothing here raises on hostile bytes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cloud.collector.identity import Certified
from cloud.collector.topics import Sender
from cloud.store.state import StreamState
from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.errors import (
    EvidenceError,
    MalformedError,
    SignatureError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.frame import (
    TYP_CLOSE,
    TYP_CONFIG,
    TYP_COSIGNATURE,
    TYP_FRAME,
    Body,
    Header,
    decode_body,
    header_of,
)
from evidence.log import Entry, Kind
from evidence.receipt import CloseRequest, decode_close

KIND_OF = {
    TYP_FRAME: Kind.FRAME,
    TYP_CONFIG: Kind.CONFIG,
    TYP_COSIGNATURE: Kind.COSIGNATURE,
    TYP_CLOSE: Kind.PLANT_CLOSE,
}

#: every reason an object can be refused for; part of the log's vocabulary
REASONS = frozenset(
    {
        "malformed",  # not an object FORMAT.md allows
        "identity",  # of another plant or gateway than its topic or header says
        "unknown-key",  # no certificate of this gateway holds its key
        "signature",  # altered or forged
        "unsupported",  # a newer format or suite than this program knows
        "config",  # names a configuration that is not in its stream
        "time",  # a frame from before the one before it, or from no possible time
        "defect",  # this program failed on it: see the process log
    }
)


class StreamView(Protocol):
    """What is held of a plant's streams."""

    def stream(self, stream: str) -> StreamState:
        """Where a stream stands."""

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, None when there is none."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Continues its stream: keep it and log its entry.

    Attributes:
        entry: for the log.
        t0_ns: of a frame, else 0.
        newest_ns: newest tick of a frame, else 0.
        readings: of a frame, else 0.
        config: of a configuration object.
        close: of a close object.
    """

    entry: Entry
    t0_ns: int = 0
    newest_ns: int = 0
    readings: int = 0
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
    """

    seq: int
    due: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Well signed, but other than what is held there: quarantine it and log the entry."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Refused:
    """Not believed.

    Attributes:
        reason: one of `REASONS`.
        sentence: for the process log.
    """

    reason: str
    sentence: str


Verdict = Accepted | Duplicate | Ahead | Fork | Refused


class _RefusalError(Exception):
    """Carries a refusal out of the checks."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.refused = Refused(reason, sentence)


def judge(
    data: bytes,
    sender: Sender,
    keys: Mapping[tuple[str, bytes], Certified],
    view: StreamView,
    received_ns: int,
) -> Verdict:
    """Decide about one object.

    Args:
        data: what came.
        sender: whose `frames` topic it came on.
        keys: (gateway, key id) -> enrolled certificate of the plant.
        view: the plant's streams, with everything accepted so far.
        received_ns: collector's wall clock.
    """
    try:
        return _judge(data, sender, keys, view, received_ns)
    except _RefusalError as refusal:
        return refusal.refused
    except SignatureError as error:
        return Refused("signature", str(error))
    except (UnknownSuiteError, UnsupportedError) as error:
        return Refused("unsupported", str(error))
    except EvidenceError as error:
        return Refused("malformed", str(error))


def _judge(
    data: bytes,
    sender: Sender,
    keys: Mapping[tuple[str, bytes], Certified],
    view: StreamView,
    received_ns: int,
) -> Verdict:
    envelope = cose.parse(data)
    header = header_of(envelope)
    if (header.plant, header.stream) != (sender.plant, sender.gateway):
        sentence = f"of {header.plant}/{header.stream}, came as {sender.plant}/{sender.gateway}"
        raise _RefusalError("identity", sentence)
    stream, sha256 = view.stream(header.stream), hashlib.sha256(data).digest()
    held = view.hash_at(header.stream, header.seq) if header.seq < stream.next_seq else None
    if held == sha256:
        return Duplicate()
    certified = keys.get((sender.gateway, envelope.kid))
    if certified is None:
        sentence = f"no certificate of {sender.gateway} holds key {envelope.kid.hex()}"
        raise _RefusalError("unknown-key", sentence)
    cose.verify(envelope, certified.key)
    if header.seq > stream.next_seq:
        return Ahead(header.seq, stream.next_seq)
    entry = Entry(
        kind=KIND_OF[header.typ],
        received_ns=received_ns,
        epoch=0,
        stream=header.stream,
        seq=header.seq,
        sha256=sha256,
        length=len(data),
        certificate=certified.fingerprint,
    )
    if held is not None or header.prev != stream.head.hash:
        return Fork(_fork_entry(entry, header, held, stream))
    return _accept(entry, header, envelope.payload, stream)


def _fork_entry(entry: Entry, header: Header, held: bytes | None, stream: StreamState) -> Entry:
    """REJECT entry of an object that contradicts one that is held: at its seq, or before it."""
    contradicts = {"held": held} if held is not None else {"held_before": stream.head.hash}
    return replace(
        entry, kind=Kind.REJECT, verdict="fork", detail={**contradicts, "prev": header.prev}
    )


def _accept(entry: Entry, header: Header, payload: bytes, stream: StreamState) -> Accepted:
    is_frame = header.typ == TYP_FRAME
    if header.cfg not in stream.configs and (is_frame or header.cfg is not None):
        named = "none" if header.cfg is None else header.cfg.hex()[:12]
        raise _RefusalError("config", f"seq {header.seq} names configuration {named}: not held")
    if is_frame:
        return _accept_frame(entry, decode_body(payload), stream)
    if header.typ == TYP_CONFIG:
        return Accepted(entry, config=_config(header, payload))
    if header.typ == TYP_CLOSE:
        return Accepted(entry, close=_close(header, payload))
    return Accepted(entry)


def _accept_frame(entry: Entry, body: Body, stream: StreamState) -> Accepted:
    if body.t0_ns < max(stream.at_ns, 0):  # its ticks are not before it: `decode_body` saw to that
        sentence = f"t0 {body.t0_ns} is before the stream's {stream.at_ns}"
        raise _RefusalError("time", f"seq {entry.seq}: {sentence}")
    newest_ns = max((s.first_ns + s.step_ns * (s.ticks - 1) for s in body.sections), default=0)
    return Accepted(entry, body.t0_ns, newest_ns, body.readings)


def _config(header: Header, payload: bytes) -> Mapping[str, Any]:
    config = cbor.decode(decompress(payload))
    if not isinstance(config, dict):
        raise MalformedError("a configuration is a map")
    plant, gateway = config.get("plant"), config.get("gateway")
    if not (isinstance(plant, dict) and isinstance(gateway, dict)):
        raise MalformedError("a configuration names its plant and gateway")
    if (plant.get("id"), gateway.get("id")) != (header.plant, header.stream):
        sentence = f"configuration of {plant.get('id')}/{gateway.get('id')}"
        raise _RefusalError("identity", f"{sentence} in the stream of {header.stream}")
    return config


def _close(header: Header, payload: bytes) -> CloseRequest:
    close = decode_close(payload)
    if (close.plant, close.stream) != (header.plant, header.stream):
        sentence = f"close of {close.plant}/{close.stream} in the stream of {header.stream}"
        raise _RefusalError("identity", sentence)
    return close
