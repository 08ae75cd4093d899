"""What can go wrong with a simulated device: the table of kinds, and one fault as it is asked for.

Pure. `stackproof sim list --faults` prints the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

#: Where a fault acts: on the values shown, on their words, on answers, on links, on the device's
#: own clock, or on how it is set.
VALUE, WORDS, ANSWER = "value", "words", "answer"
LINK, CLOCK, SETTING = "link", "clock", "setting"
OF_A_POINT = frozenset({VALUE, WORDS})

CLOCK_S_MAX = 315_360_000  # ten years


class FaultError(Exception):
    """A fault that cannot be; the sentence says which key, why, and what may stand there."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        acts_on: VALUE, WORDS, ANSWER, LINK, CLOCK or SETTING.
        help: one line.
        by: what BY of the help is when nothing is said; None: there is none.
        is_lasting: it happens once and is not undone, so it has no end.
    """

    acts_on: str
    help: str
    by: Decimal | None = None
    is_lasting: bool = False


KINDS: Mapping[str, Kind] = {
    "drop": Kind(ANSWER, "questions are heard and not answered"),
    "delay": Kind(ANSWER, "each answer takes BY seconds, one after another", Decimal("0.3")),
    "late": Kind(
        ANSWER, "each answer comes BY seconds later, also when more is asked meanwhile", Decimal(3)
    ),
    "wrong-length": Kind(ANSWER, "each answer lacks its last register"),
    "exception": Kind(ANSWER, "each question is answered with exception BY", Decimal(4)),
    "busy": Kind(ANSWER, "each question is answered with exception 6, device busy"),
    "half-open": Kind(
        LINK, "connections open at that moment are never answered again; new ones are",
        is_lasting=True,
    ),
    "swap-words": Kind(WORDS, "the words of longer values stand in reverse order"),
    "stuck": Kind(VALUE, "values stay as they are at that moment"),
    "drift": Kind(VALUE, "gauges go off by a further BY of themselves a minute", Decimal("0.01")),
    "spike": Kind(VALUE, "gauges show BY times their value", Decimal(10)),
    "nan": Kind(VALUE, "values are NaN, or what the profile says means no value"),
    "counter-reset": Kind(VALUE, "totalisers begin again at 0", is_lasting=True),
    "clock-jump": Kind(
        CLOCK, "the device's own clock is BY seconds ahead, and the times it sends", Decimal(-3600)
    ),
    "certificate": Kind(
        LINK, "a secured OPC UA server comes back with another certificate", is_lasting=True
    ),
    "ct-ratio": Kind(
        SETTING, "the current transformer's ratio is set to BY times what it was; readings follow",
        Decimal("0.5"), is_lasting=True,
    ),
    "k-factor": Kind(
        SETTING, "the K-factor (pulses a volume) is set to BY times what it was; readings follow",
        Decimal(2), is_lasting=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault of one device.

    Attributes:
        kind: a key of `KINDS`.
        device: its id.
        point: a register's name; None: all of the device that it can befall.
        at_s: seconds after the start.
        for_s: how long; None: to the end.
        by: as the kind's help says.
    """

    kind: str
    device: str
    point: str | None
    at_s: Decimal
    for_s: Decimal | None
    by: Decimal | None


def fault_of(told: Mapping[str, str]) -> Fault:
    """A fault from its keys, each value a text.

    Args:
        told: kind and on (DEVICE or DEVICE.POINT), at and for in seconds, by.

    Raises:
        FaultError: it cannot be.
    """
    for key in told:
        if key not in ("at", "for", "kind", "on", "by"):
            raise FaultError(f"{key}: unknown; a fault has at, for, kind, on, by")
    for key in ("kind", "on"):
        if not told.get(key):
            raise FaultError(f"{key} is missing")
    kind = KINDS.get(told["kind"])
    if kind is None:
        raise FaultError(f"kind: {told['kind']!r} is none of {' '.join(KINDS)}")
    device, _, point = told["on"].partition(".")
    for_s = _seconds("for", told["for"]) if "for" in told else None
    if for_s is not None and (kind.is_lasting or not for_s):
        why = "happens once and is not undone" if kind.is_lasting else "must last"
        raise FaultError(f"for: {told['kind']} {why}")
    if point and kind.acts_on not in OF_A_POINT:
        raise FaultError(f"on: {told['kind']} befalls a whole device, not the point {point!r}")
    at_s = _seconds("at", told.get("at", "0"))
    by = _by(told["kind"], kind, told.get("by"))
    return Fault(told["kind"], device, point or None, at_s, for_s, by)


def fault_of_text(text: str) -> Fault:
    """A fault from "at=20 for=10 kind=stuck on=ac-1.power"; FaultError as `fault_of`."""
    told: dict[str, str] = {}
    for part in text.split():
        key, equals, value = part.partition("=")
        if not equals or key in told:
            raise FaultError(f"{part!r} is not KEY=VALUE, each key once")
        told[key] = value
    return fault_of(told)


def _by(name: str, kind: Kind, text: str | None) -> Decimal | None:
    if text is None:
        return kind.by
    if kind.by is None:
        raise FaultError(f"by: {name} takes none")
    by = _number("by", text)
    if name == "exception" and by not in range(1, 256):
        raise FaultError(f"by: {text} is no exception code 1..255")
    if name in {"delay", "late"} and not 0 < by <= 3600:
        raise FaultError(f"by: {text} is not in 0..3600 seconds")
    if name == "clock-jump" and not 0 < abs(by) <= CLOCK_S_MAX:
        raise FaultError(f"by: {text} is not in -{CLOCK_S_MAX}..{CLOCK_S_MAX} seconds, or is 0")
    if kind.acts_on == SETTING and not (0 < by <= 1000 and by != 1):
        raise FaultError(f"by: {text} is not in 0..1000, or is 1")
    return by


def _seconds(key: str, text: str) -> Decimal:
    value = _number(key, text)
    if value < 0:
        raise FaultError(f"{key}: {text} is less than zero")
    return value


def _number(key: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise FaultError(f"{key}: {text!r} is no number")
    return value
