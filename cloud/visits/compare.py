"""The face of a meter against the signed readings of its minute. Pure.

A face is read off by hand somewhere in a minute, and shows as many digits as it has. So it may be
anything between the lowest and the highest reading of that minute, the readings just before and
just after it included, and beside that one step of the face's last digit and one of the signed
reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.decimal_text import exact_text
from evidence.documents.visit import AGREES, DIFFERS, NO_READING
from evidence.drill.readings import MINUTE_NS, Place, Reading


@dataclass(frozen=True)
class Compared:
    """What became of a face value.

    Attributes:
        result: `AGREES`, `DIFFERS` or `NO_READING`.
        reading: the usable one nearest to the middle of the minute; None with `NO_READING`.
        low, high: of the usable readings that count, decimal strings.
        allowed: how far the face may be from the reading in its direction, decimal string.
        difference: face less reading, decimal string with its sign.
        quality: code of the reading; without one the worst of the minute, None where none was read.
    """

    result: str
    reading: Reading | None
    low: str
    high: str
    allowed: str
    difference: str
    quality: int | None


def reach_ns(place: Place) -> int:
    """How far before and after the minute a reading still counts: one interval of its schedule."""
    return place.interval_ns


def compare(face: str, minute_ns: int, readings: Sequence[Reading], place: Place) -> Compared:
    """A face value against signed readings.

    Args:
        face: decimal string as it stood on the meter, in the point's unit.
        minute_ns: first instant of the minute, UTC.
        readings: of the point, at least those within `reach_ns` of the minute, in order.
        place: of the point, in the configuration then.
    """
    end_ns, reach = minute_ns + MINUTE_NS, reach_ns(place)
    near = [one for one in readings if minute_ns - reach <= one.tick_ns < end_ns + reach]
    inside = [one for one in near if minute_ns <= one.tick_ns < end_ns]
    usable = [one for one in near if one.count is not None]
    is_there = any(one.count is not None for one in inside) or reach > MINUTE_NS
    if not usable or not is_there:
        worst = max((one.quality for one in inside), default=None)
        return Compared(NO_READING, None, "", "", "", "", worst)
    values = {_exact(one) for one in usable}
    nearest = min(usable, key=lambda one: abs(one.tick_ns - minute_ns - MINUTE_NS // 2))
    difference = Fraction(face) - _exact(nearest)
    moved = max(values) - _exact(nearest) if difference > 0 else _exact(nearest) - min(values)
    allowed = moved + step_of(face) + resolution(place)
    return Compared(
        AGREES if abs(difference) <= allowed else DIFFERS, nearest, exact_text(min(values)),
        exact_text(max(values)), exact_text(allowed), exact_text(difference), nearest.quality,
    )  # fmt: skip


def step_of(face: str) -> Fraction:
    """One step of the last digit that was written."""
    _, _, decimals = face.partition(".")
    return Fraction(1, 10 ** len(decimals))


def resolution(place: Place) -> Fraction:
    """One step of the signed reading: of the number on the wire, or of its decimals if larger."""
    point = place.point
    decimals = Fraction(1, 10**point.decimals)
    return decimals if point.dtype.is_float else max(decimals, abs(point.scaling.factor))


def _exact(one: Reading) -> Fraction:
    return Fraction(one.count or 0, 10**one.decimals)
