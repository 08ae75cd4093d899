"""A frame: the signed batch of one gateway's readings. FORMAT.md "Frame". Pure: no clock, no I/O.

`Body` is what a frame says, `encode_body` and `decode_body` are its payload, `Header` is its place
in the gateway's stream. Everything signed that goes up (frame, config, cosignature, close, rotate)
has the same header and stands in the same chain, told apart by `typ`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.groups import (
    CodedGroup,
    Group,
    check_ms,
    decode_group,
    decode_ms,
    encode_group,
    encode_ms,
    is_uint,
)
from evidence.keys import Signer
from evidence.meter_settings import KIND, check_event

TYP_FRAME = "stackproof-frame+cbor"
TYP_CONFIG = "stackproof-config+cbor"
TYP_COSIGNATURE = "stackproof-cosignature+cbor"
TYP_CLOSE = "stackproof-close+cbor"
TYP_ROTATE = "stackproof-rotate+cbor"
UP_TYPES = frozenset({TYP_FRAME, TYP_CONFIG, TYP_COSIGNATURE, TYP_CLOSE, TYP_ROTATE})

# private header labels (RFC 9052 §1.4: below -65536)
SEQ, PREV, ANCHOR, CFG = -65537, -65538, -65539, -65540

FRAME_VERSION = 1
POINTS_MAX = 20_000
TICKS_MAX = 4_096
GAP_REASON_MAX = 200  # characters: the log repeats it
#: arrays and maps of a body, beside one for each byte of payload: two a group, a thousand events
FEW_NESTED = 2_048
NO_SOURCE_TIME = -(2**31)
NO_LAG = -(2**31)
SIMULATED = "simulated"
CLOCK_SOURCES = ("ntp", "ptp", "free", SIMULATED)

FLAG_BACKFILL, FLAG_LATE, FLAG_MANUAL, FLAG_SIMULATED = 1, 2, 4, 8
FLAGS_MAX = 15  # all of them

# body map keys
_VERSION, _T0, _CLOCK, _FLAGS, _SECTIONS, _GAP, _EVENTS = 1, 2, 3, 4, 5, 6, 7


@dataclass(frozen=True)
class Header:
    """A signed object's place in its stream.

    Attributes:
        typ: one of `UP_TYPES`.
        plant, stream: plant id and gateway id.
        iat_s: seconds since 1970, UTC, by the gateway's clock, when it was signed.
        seq: 0, 1, 2, ... without a hole.
        prev: SHA-256 of the previous object of the stream; zeros at seq 0.
        anchor: (size, root) of the newest log checkpoint the gateway held, or None.
        cfg: SHA-256 of the signed configuration in force, or None before the first.
    """

    typ: str
    plant: str
    stream: str
    iat_s: int
    seq: int
    prev: bytes
    anchor: tuple[int, bytes] | None = None
    cfg: bytes | None = None


@dataclass(frozen=True)
class _Ticks:
    """The ticks of one schedule in a frame: first, first + step, ... (`ticks` of them).

    Attributes:
        schedule: index into the configuration's schedules.
        first_ns: UTC nanoseconds of the first tick.
        step_ns: interval.
        ticks: how many.
    """

    schedule: int
    first_ns: int
    step_ns: int
    ticks: int

    @property
    def last_ns(self) -> int:
        """The newest tick."""
        return self.first_ns + self.step_ns * (self.ticks - 1)

    def ticks_ns(self) -> npt.NDArray[np.int64]:
        """All tick times, int64 [ticks]."""
        return np.int64(self.first_ns) + np.arange(self.ticks, dtype=np.int64) * self.step_ns


@dataclass(frozen=True)
class Section(_Ticks):
    """What was read at the ticks of one schedule.

    Attributes:
        groups: all point groups of the schedule.
        lag_ms: int32 [devices of the schedule][ticks]: gateway time of the device's readings minus
            tick time, when the answer was complete; NO_LAG where none came.
        devices: indices of those devices in the configuration.
    """

    groups: tuple[Group, ...]
    lag_ms: npt.NDArray[np.int32]
    devices: tuple[int, ...]


@dataclass(frozen=True)
class CodedSection(_Ticks):
    """A section as a frame holds it: checked, but decoded only when asked for; see `Section`."""

    groups: tuple[CodedGroup, ...]
    lag: bytes
    devices: tuple[int, ...]

    @cached_property
    def lag_ms(self) -> npt.NDArray[np.int32]:
        """See `Section`."""
        return decode_ms(self.lag, len(self.devices), self.ticks)


@dataclass(frozen=True)
class Clock:
    """What the gateway knew of its clock when it closed the frame.

    Attributes:
        source: one of `CLOCK_SOURCES`.
        error_ms: estimated error, milliseconds, or None when unknown.
        monotonic_ns: the machine's monotonic clock.
        boot_id: 16 bytes, new at every boot.
    """

    source: str
    error_ms: int | None
    monotonic_ns: int
    boot_id: bytes


@dataclass(frozen=True)
class Gap:
    """A stretch of time without readings, said by the gateway itself.

    Attributes:
        from_ns: last committed tick before, or the start of the gap.
        to_ns: first tick after; later than `from_ns`.
        reason: "restart", "clock-step", "spool-full", "stopped", ...
    """

    from_ns: int
    to_ns: int
    reason: str


@dataclass(frozen=True)
class Body:
    """What a frame says.

    Attributes:
        t0_ns: earliest instant it speaks of, UTC nanoseconds; decides the month it belongs to.
        clock: clock state.
        flags: FLAG_* bits.
        sections: one a schedule that ticked; none in a heartbeat.
        gap: time without readings before this frame, if any.
        events: maps with text keys, at least {"kind", "at_ns"}.
    """

    t0_ns: int
    clock: Clock
    flags: int = 0
    sections: tuple[Section | CodedSection, ...] = ()
    gap: Gap | None = None
    events: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def is_simulated(self) -> bool:
        """Its flags or its clock say that it is of no real plant."""
        return bool(self.flags & FLAG_SIMULATED) or self.clock.source == SIMULATED

    @cached_property
    def readings(self) -> int:
        """How many readings it holds, computed points and bad ones included."""
        return sum(g.rows * s.ticks for s in self.sections for g in s.groups)


def sign_object(signer: Signer, header: Header, payload: bytes) -> bytes:
    """A signed object of a stream."""
    claims = {cose.CWT_ISS: header.plant, cose.CWT_SUB: header.stream, cose.CWT_IAT: header.iat_s}
    protected: dict[int, Any] = {
        cose.TYP: header.typ,
        cose.CWT_CLAIMS: claims,
        SEQ: header.seq,
        PREV: header.prev,
    }
    if header.anchor is not None:
        protected[ANCHOR] = list(header.anchor)
    if header.cfg is not None:
        protected[CFG] = header.cfg
    return cose.sign(signer, protected, payload)


def header_of(envelope: cose.Envelope) -> Header:
    """The stream header of a parsed envelope.

    Raises:
        MalformedError: it has none.
        UnsupportedError: the object is of a type newer than this program.
    """
    header = place_of(envelope)
    if header.typ not in UP_TYPES:
        raise UnsupportedError(f"object type {header.typ!r} unknown to this program")
    return header


def place_of(envelope: cose.Envelope) -> Header:
    """As `header_of`, of an object of any type: a newer one has its place in the chain too."""
    labels = envelope.header
    known = {cose.ALG, cose.KID, cose.TYP, cose.CWT_CLAIMS, SEQ, PREV, ANCHOR, CFG}
    if not set(labels) <= known:
        raise MalformedError("unknown label in the protected header")
    claims = labels.get(cose.CWT_CLAIMS)
    if not isinstance(claims, dict) or set(claims) != {cose.CWT_ISS, cose.CWT_SUB, cose.CWT_IAT}:
        raise MalformedError("CWT claims must be issuer, subject and issue time")
    plant, stream, iat = (claims[k] for k in (cose.CWT_ISS, cose.CWT_SUB, cose.CWT_IAT))
    seq, prev, cfg = labels.get(SEQ), labels.get(PREV), labels.get(CFG)
    if not (isinstance(plant, str) and isinstance(stream, str) and is_uint(iat) and is_uint(seq)):
        raise MalformedError("plant, stream, issue time or seq missing or of the wrong type")
    if not _hash(prev) or not (CFG not in labels or _hash(cfg)):
        raise MalformedError("prev and cfg must be SHA-256 hashes")
    anchor = _anchor(labels[ANCHOR]) if ANCHOR in labels else None
    return Header(envelope.typ, plant, stream, iat, seq, prev, anchor, cfg)


def _anchor(value: Any) -> tuple[int, bytes]:
    if isinstance(value, list) and len(value) == 2 and is_uint(value[0]) and _hash(value[1]):
        return value[0], value[1]
    raise MalformedError("anchor must be [log size, root]")


def encode_body(body: Body) -> bytes:
    """The payload of a frame: one compression byte and compressed CBOR."""
    fields: dict[int, Any] = {
        _VERSION: FRAME_VERSION,
        _T0: body.t0_ns,
        _CLOCK: [
            body.clock.source, body.clock.error_ms, body.clock.monotonic_ns, body.clock.boot_id
        ],
        _FLAGS: body.flags,
        _SECTIONS: [_encode_section(section) for section in body.sections],
    }  # fmt: skip
    if body.gap is not None:
        fields[_GAP] = [body.gap.from_ns, body.gap.to_ns, body.gap.reason]
    if body.events:
        fields[_EVENTS] = [dict(event) for event in body.events]
    return compress(cbor.encode(fields))


def decode_body(payload: bytes) -> Body:
    """The body of a frame's payload.

    Raises:
        MalformedError, LimitError: not a frame body.
        UnsupportedError: a newer frame version, compression or filter.
    """
    fields = content(payload, FEW_NESTED + len(payload))
    if not isinstance(fields, dict):
        raise MalformedError("frame body must be a map")
    if not is_uint(fields.get(_VERSION)):
        raise MalformedError("frame body has no version")
    if fields[_VERSION] != FRAME_VERSION:
        raise UnsupportedError(f"frame version {fields[_VERSION]} unknown to this program")
    known = {_VERSION, _T0, _CLOCK, _FLAGS, _SECTIONS, _GAP, _EVENTS}
    if not set(fields) <= known:
        raise MalformedError("frame body has unknown fields")
    if not _int(fields.get(_T0)) or fields[_T0] < 0 or not is_uint(fields.get(_FLAGS)):
        raise MalformedError("frame t0 or flags missing, or t0 before 1970")
    if fields[_FLAGS] > FLAGS_MAX:
        raise MalformedError(f"frame flags {fields[_FLAGS]}: only 1, 2, 4 and 8 are flags")
    sections = _decode_sections(fields.get(_SECTIONS), fields[_T0])
    return Body(
        t0_ns=fields[_T0],
        clock=_decode_clock(fields.get(_CLOCK)),
        flags=fields[_FLAGS],
        sections=sections,
        gap=_decode_gap(fields[_GAP], fields[_T0], sections) if _GAP in fields else None,
        events=_decode_events(fields[_EVENTS]) if _EVENTS in fields else (),
    )


def _encode_section(section: Section | CodedSection) -> list[Any]:
    groups = [encode_group(group) for group in section.groups]
    return [
        section.schedule, section.first_ns, section.step_ns, section.ticks, groups,
        list(section.devices), encode_ms(section.lag_ms),
    ]  # fmt: skip


def _decode_sections(value: Any, t0_ns: int) -> tuple[CodedSection, ...]:
    if not isinstance(value, list):
        raise MalformedError("frame sections missing")
    sections = tuple(_decode_section(section) for section in value)
    if any(a.schedule >= b.schedule for a, b in itertools.pairwise(sections)):
        raise MalformedError("frame sections are not in the order of their schedules")
    if any(section.first_ns < t0_ns for section in sections):
        raise MalformedError("frame t0 is after a tick")
    return sections


def _decode_section(value: Any) -> CodedSection:
    if not isinstance(value, list) or len(value) != 7:
        raise MalformedError("a section has seven parts")
    schedule, first, step, ticks, groups, devices, lag = value
    numbers = is_uint(schedule) and _int(first) and _int(step) and is_uint(ticks)
    if not numbers or step <= 0:
        raise MalformedError("section numbers misformed")
    if not 0 < ticks <= TICKS_MAX:
        raise LimitError(f"section of {ticks} ticks; 1 to {TICKS_MAX} are allowed")
    if first + step * ticks >= 2**63:
        raise MalformedError("section reaches beyond representable time")
    if not (isinstance(groups, list) and isinstance(devices, list) and isinstance(lag, bytes)):
        raise MalformedError("section parts misformed")
    if not all(is_uint(d) for d in devices) or len(set(devices)) != len(devices):
        raise MalformedError("device indices misformed, or one stands twice")
    rows = sum(g[3] for g in groups if isinstance(g, list) and len(g) == 7 and is_uint(g[3]))
    if rows > POINTS_MAX or len(devices) > POINTS_MAX:
        raise LimitError(f"section of {rows} points; the limit is {POINTS_MAX}")
    check_ms(lag, len(devices), ticks)
    return CodedSection(
        schedule, first, step, ticks,
        tuple(decode_group(group, ticks) for group in groups), lag, tuple(devices),
    )  # fmt: skip


def _decode_clock(value: Any) -> Clock:
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedError("clock state has four parts")
    source, error, monotonic, boot = value
    if source not in CLOCK_SOURCES or not (error is None or is_uint(error)) or not _int(monotonic):
        raise MalformedError("clock state misformed")
    if not isinstance(boot, bytes) or len(boot) != 16:
        raise MalformedError("boot id must be 16 bytes")
    return Clock(source, error, monotonic, boot)


def _decode_gap(value: Any, t0_ns: int, sections: Sequence[CodedSection]) -> Gap:
    if not isinstance(value, list) or len(value) != 3:
        raise MalformedError("a gap has three parts")
    start, stop, reason = value
    if not (_int(start) and _int(stop) and isinstance(reason, str) and start < stop):
        raise MalformedError("gap misformed")
    if not 1 <= len(reason) <= GAP_REASON_MAX:
        raise MalformedError(f"the reason of a gap has 1 to {GAP_REASON_MAX} characters")
    if stop > min((section.first_ns for section in sections), default=t0_ns):
        raise MalformedError("a gap ends after the first tick of the frame that tells of it")
    return Gap(start, stop, reason)


def _decode_events(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise MalformedError("frame events misformed")
    for event in value:
        if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
            raise MalformedError("a frame event must be a map with a kind")
        if not _int(event.get("at_ns")):
            raise MalformedError("a frame event needs at_ns")
        if event["kind"] == KIND:
            check_event(event)
    return tuple(value)


def _int(value: Any) -> TypeGuard[int]:
    return type(value) is int and -(2**63) <= value < 2**63


def _hash(value: Any) -> TypeGuard[bytes]:
    return isinstance(value, bytes) and len(value) == 32
