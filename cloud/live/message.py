"""The live message an edge publishes: strict, bounded parsing of untrusted JSON.

Live messages are unsigned and never evidence; they only feed the page until the signed frame of
the same instant arrives. Whoever may publish on the topic may send anything, so every field has
a type, a range and a bound, and whatever does not fit is a `LiveMessageError` with a short reason
that the hub counts. Pure: no I/O, no clock.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from evidence.points import NAME_ID, POINT_ID

VERSION = 1
PAYLOAD_BYTES_MAX = 1 << 20  # 5,000 points take about 300 KiB
VALUES_MAX = 10_000
EFFECTS_MAX = 1_000
FLAGS_MAX = 16
ALARMS_MAX = 16
TEXT_MAX = 64
INT_MAX = 2**63 - 1

DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,30})?")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_FLAG = re.compile(r"[A-Za-z0-9_.:-]{1,40}")


class LiveMessageError(Exception):
    """The payload is not a live message; `reason` is a short word for counting.

    Attributes:
        reason: "size", "json", "version", "identity", "field".
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LiveValue:
    """One point's newest value.

    Attributes:
        value: decimal text in the point's unit; None when there is no usable value.
        quality: quality code 0..255 (`evidence.quality`).
        source_ns: UTC ns the source put on it; None when it puts none.
    """

    value: str | None
    quality: int
    source_ns: int | None


@dataclass(frozen=True, slots=True)
class LiveEffect:
    """One anode effect, running (end_ns None) or over.

    Attributes:
        potline, pot: ids of the signed configuration.
        start_ns, end_ns: UTC ns.
        polarised_ns: time above the threshold, ns.
        v_max: highest voltage, decimal text, V.
        cf4_kg: indicator mass by the slope method, decimal text, kg; None when not computed.
        integral_v_s: voltage over target × time, decimal text, V·s; None of edges that do not say.
        flags: words of the calculation about this effect, e.g. "ended-by-gap".
    """

    potline: str
    pot: str
    start_ns: int
    end_ns: int | None
    polarised_ns: int
    v_max: str
    cf4_kg: str | None
    integral_v_s: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spool:
    """What waits at the edge.

    Attributes:
        frames: how many are not yet receipted.
        bytes: of the spool file's used pages.
        oldest_ns: UTC ns of the oldest unsent reading; None when nothing waits.
        head_seq: newest closed frame; -1 when there is none yet.
        receipted_seq: newest frame the collector has receipted; -1 when there is none yet.
    """

    frames: int
    bytes: int
    oldest_ns: int | None
    head_seq: int
    receipted_seq: int


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One whole live message.

    Attributes:
        tick_ns: instant the values belong to, UTC ns, by the gateway's clock.
        sent_ns: when the gateway published, UTC ns, by its clock.
        cfg: hex SHA-256 of the signed configuration the values were read under; zeros while it
            waits to be signed.
        seq: seq the frame with these readings will have.
        clock_source, clock_error_ms: where the gateway's time comes from and its bound, if known.
        alarms: names of the alarms that stand at the gateway.
    """

    tick_ns: int
    sent_ns: int
    cfg: str
    seq: int
    spool: Spool
    clock_source: str
    clock_error_ms: int | None
    values: Mapping[str, LiveValue]
    effects: tuple[LiveEffect, ...]
    alarms: tuple[str, ...]


def parse_live(payload: bytes, plant: str, gateway: str) -> LiveMessage:
    """Parse one payload received on the live topic of `plant` and `gateway`.

    Raises:
        LiveMessageError: anything at all is wrong with it; nothing else is raised.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise LiveMessageError("size", f"{len(payload)} bytes; at most {PAYLOAD_BYTES_MAX}")
    try:
        message = json.loads(
            payload.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        raise LiveMessageError("json", f"not JSON: {error}") from error
    if not isinstance(message, dict) or message.get("v") != VERSION:
        raise LiveMessageError("version", f"not a live message of version {VERSION}")
    if message.get("plant") != plant or message.get("gateway") != gateway:
        raise LiveMessageError("identity", "plant or gateway differ from the topic's")
    clock = _mapping(message, "clock")
    return LiveMessage(
        tick_ns=_int(message, "tick_ns"),
        sent_ns=_int(message, "sent_ns"),
        cfg=_text(message, "cfg", _HEX64),
        seq=_int(message, "seq"),
        spool=_spool(_mapping(message, "spool")),
        clock_source=_text(clock, "source", None),
        clock_error_ms=_int_or_none(clock, "error_ms"),
        values=_values(_mapping(message, "values")),
        effects=_effects(message.get("effects")),
        alarms=_alarms(message.get("alarms", [])),
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _field(name: str, why: str) -> LiveMessageError:
    return LiveMessageError("field", f"{name} {why}")


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _field(name, "is not an object")
    return value


def _checked_int(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value <= INT_MAX:  # bool is no number here
        raise _field(name, f"is not an integer in 0..{INT_MAX}")
    return value


def _int(parent: Mapping[str, Any], name: str) -> int:
    return _checked_int(parent.get(name), name)


def _int_or_none(parent: Mapping[str, Any], name: str) -> int | None:
    value = parent.get(name)
    return None if value is None else _checked_int(value, name)


def _seq(parent: Mapping[str, Any], name: str) -> int:
    """A seq, or -1 when there is none yet."""
    return -1 if parent.get(name) in (None, -1) else _int(parent, name)


def _text(parent: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise _field(name, f"is not a text of at most {TEXT_MAX} characters")
    if pattern is not None and not pattern.fullmatch(value):
        raise _field(name, f"does not match {pattern.pattern}")
    return value


def _decimal(value: object, name: str) -> str:
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        raise _field(name, "is not a decimal text")
    return value


def _spool(fields: Mapping[str, Any]) -> Spool:
    return Spool(
        frames=_int(fields, "frames"),
        bytes=_int(fields, "bytes"),
        oldest_ns=_int_or_none(fields, "oldest_ns"),
        head_seq=_seq(fields, "head_seq"),
        receipted_seq=_seq(fields, "receipted_seq"),
    )


def _values(rows: Mapping[str, Any]) -> dict[str, LiveValue]:
    if len(rows) > VALUES_MAX:
        raise _field("values", f"has {len(rows)} entries; at most {VALUES_MAX}")
    return {point: _value(point, row) for point, row in rows.items()}


def _value(point: str, row: object) -> LiveValue:
    if not POINT_ID.fullmatch(point):
        raise _field("values", "has a key that is no point id")
    if not isinstance(row, list) or len(row) != 3:
        raise _field(point, "is not [value, quality, source_ns]")
    value, quality, source_ns = row
    if type(quality) is not int or not 0 <= quality <= 255:
        raise _field(point, "has a quality outside 0..255")
    return LiveValue(
        value=None if value is None else _decimal(value, point),
        quality=quality,
        source_ns=None if source_ns is None else _checked_int(source_ns, point),
    )


def _effects(rows: object) -> tuple[LiveEffect, ...]:
    if not isinstance(rows, list) or len(rows) > EFFECTS_MAX:
        raise _field("effects", f"is not a list of at most {EFFECTS_MAX}")
    return tuple(_effect(row) for row in rows)


def _effect(row: object) -> LiveEffect:
    if not isinstance(row, dict):
        raise _field("effects", "has an entry that is no object")
    flags = row.get("flags")
    if not isinstance(flags, list) or len(flags) > FLAGS_MAX:
        raise _field("flags", f"is not a list of at most {FLAGS_MAX}")
    if not all(isinstance(flag, str) and _FLAG.fullmatch(flag) for flag in flags):
        raise _field("flags", "has an entry that is no flag word")
    cf4_kg, over = row.get("cf4_kg"), row.get("integral_v_s")
    effect = LiveEffect(
        potline=_text(row, "potline", NAME_ID),
        pot=_text(row, "pot", NAME_ID),
        start_ns=_int(row, "start_ns"),
        end_ns=_int_or_none(row, "end_ns"),
        polarised_ns=_int(row, "polarised_ns"),
        v_max=_decimal(row.get("v_max"), "v_max"),
        cf4_kg=None if cf4_kg is None else _decimal(cf4_kg, "cf4_kg"),
        integral_v_s=None if over is None else _decimal(over, "integral_v_s"),
        flags=tuple(flags),
    )
    if effect.end_ns is not None and effect.end_ns < effect.start_ns:
        raise _field("end_ns", "is before start_ns")
    return effect


def _alarms(names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or len(names) > ALARMS_MAX:
        raise _field("alarms", f"is not a list of at most {ALARMS_MAX}")
    if not all(isinstance(name, str) and NAME_ID.fullmatch(name) for name in names):
        raise _field("alarms", "has an entry that is no name of an alarm")
    return tuple(names)
