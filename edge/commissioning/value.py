"""One sample as a person reads it: scaled, with unit, and judged as the agent judges it. Pure.

Scaling, rounding and verdicts are the agent's own functions, so what is shown here is what will be
signed. Only what needs several readings (stuck, spike, rate) cannot be said of one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.drivers.base import Sample
from edge.quality_rules import NO_AGE, Taken, TickRules
from evidence.counts import count_to_text, to_counts
from evidence.points import Point, Quantity, Role
from evidence.quality import Quality, sentence

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Shown:
    """A sample for people.

    Attributes:
        number: decimal text in the point's unit, rounded as it will be signed; None where the wire
            gave no number. A number that may not be used is shown all the same: see `quality`.
        unit: with its reference state, such as "Nm3/h (0C-101.325kPa, dry)".
        quality: the agent's verdict.
        name: of a state, what its number means; else "".
        source_ns: UTC nanoseconds that the source put on it; None when it puts none.
    """

    number: str | None
    unit: str
    quality: Quality
    name: str = ""
    source_ns: int | None = None

    @property
    def text(self) -> str:
        """Number and unit, or a stroke."""
        if self.number is None:
            return "-"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return self.number + unit + (f" ({self.name})" if self.name else "")

    @property
    def verdict(self) -> str:
        """Its quality's sentence."""
        return sentence(self.quality)

    def as_map(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "value": self.number,
            "unit": self.unit,
            "quality": int(self.quality),
            "verdict": self.verdict,
            "state": self.name or None,
            "source_ns": self.source_ns,
        }


def shown(point: Point, sample: Sample, now_ns: int) -> Shown:
    """What a sample says of a point.

    Args:
        point: its scaling, limits and states are used.
        sample: as a driver gave it.
        now_ns: UTC nanoseconds, to judge how old a source time is.
    """
    unit = unit_of(point.quantity)
    if sample.raw is None:
        return Shown(None, unit, sample.quality, source_ns=sample.source_ns)
    name = ""
    if point.role is Role.STATE:
        raw = int(np.frombuffer(sample.raw, dtype=point.dtype.numpy_name)[0])
        name = dict(point.states).get(raw, "")
    quality = _judged(point, sample.raw, sample, now_ns)
    return Shown(number_of(point, sample.raw), unit, quality, name, sample.source_ns)


def number_of(point: Point, raw: bytes) -> str | None:
    """Raw bytes of a point as decimal text in its unit; None when they have no count."""
    counts, valid = to_counts(np.frombuffer(raw, dtype=point.dtype.numpy_name), point)
    if not valid[0]:
        return None
    return count_to_text(int(counts[0]), 0 if point.role is Role.STATE else point.decimals)


def unit_of(quantity: Quantity) -> str:
    """The unit with what belongs to it."""
    more = [quantity.reference, quantity.moisture, quantity.heating, quantity.fuel_basis]
    said = ", ".join(text for text in more if text)
    return f"{quantity.unit} ({said})" if said else quantity.unit


def _judged(point: Point, raw: bytes, sample: Sample, now_ns: int) -> Quality:
    age_ms = NO_AGE if sample.source_ns is None else (now_ns - sample.source_ns) // NS_PER_MS
    taken = Taken(
        np.frombuffer(raw, dtype=point.dtype.numpy_name),
        np.array([sample.quality], dtype=np.uint8),
        np.array([age_ms], dtype=np.int64),
    )
    TickRules({0: [point]}).judge({0: taken})
    return Quality(int(taken.quality[0]))
