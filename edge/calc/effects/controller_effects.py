"""Anode effects as a pot controller reports them, against those made from its pots' voltages.

A controller keeps its own table: pot, start, duration, highest voltage. It decides by its own
thresholds, averages and clock, which nobody signed; what it saw and the voltage did not, and the
reverse, is a finding, not a correction. How near is near is told by whoever asks: no published text
gives a tolerance. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.instants import utc_text

_NS = 10**9


@dataclass(frozen=True)
class ReportedEffect:
    """One anode effect, whoever reports it.

    Attributes:
        pot: id in the potline.
        start_ns, end_ns: UTC; no end while it runs.
        durations_ns: what may be called its duration: of a controller the one it tells, of the
            voltage the polarised time and the time from start to end.
        v_max: highest voltage, V; None where the controller tells none.
        flags: of the voltage's: known less well with "gap", "hole" and the like.
    """

    pot: str
    start_ns: int
    end_ns: int | None
    durations_ns: tuple[int, ...]
    v_max: Fraction | None = None
    flags: tuple[str, ...] = ()

    def is_near(self, other: "ReportedEffect", tolerance_ns: int) -> bool:
        """Both have a moment in common, or come so near to one."""
        return not (
            (self.end_ns is not None and self.end_ns + tolerance_ns < other.start_ns)
            or (other.end_ns is not None and other.end_ns + tolerance_ns < self.start_ns)
        )


@dataclass(frozen=True)
class Tolerance:
    """How far both may differ before it is a finding; seconds and volts, not below 0."""

    time_s: Fraction
    volts: Fraction

    @property
    def time_ns(self) -> int:
        """Of times, rounded down."""
        return int(self.time_s * _NS)


@dataclass(frozen=True)
class Pair:
    """The same effect, as both report it. Differences are controller − voltage."""

    controller: ReportedEffect
    voltage: ReportedEffect

    @property
    def start_ns(self) -> int:
        """Difference of the starts."""
        return self.controller.start_ns - self.voltage.start_ns

    @property
    def duration_ns(self) -> int:
        """Difference of the durations, to that of the voltage's which is nearer."""
        (told,) = self.controller.durations_ns
        return min((told - own for own in self.voltage.durations_ns), key=abs)

    @property
    def volts(self) -> Fraction | None:
        """Difference of the highest voltages."""
        if self.controller.v_max is None or self.voltage.v_max is None:
            return None
        return self.controller.v_max - self.voltage.v_max


@dataclass(frozen=True)
class Matching:
    """What both saw, and what only one did; each in order of start, then of pot.

    Attributes:
        outside_period: rows of the controller that touch no moment of the period; not looked at.
    """

    pairs: tuple[Pair, ...]
    only_controller: tuple[ReportedEffect, ...]
    only_voltage: tuple[ReportedEffect, ...]
    outside_period: int = 0

    @property
    def clock_ns(self) -> int | None:
        """The median difference of the starts: how far the controller's clock is ahead."""
        return int(median(pair.start_ns for pair in self.pairs)) if self.pairs else None

    def findings(self, tolerance: Tolerance) -> list[dict[str, str]]:
        """{code, pot, at, sentence} of everything that does not agree, by time."""
        found = [
            *(_only("controller", "voltage", effect) for effect in self.only_controller),
            *(_only("voltage", "controller", effect) for effect in self.only_voltage),
            *(finding for pair in self.pairs for finding in _differences(pair, tolerance)),
        ]
        return sorted(found, key=lambda finding: (finding["at"], finding["pot"], finding["code"]))

    def as_map(self, tolerance: Tolerance) -> dict[str, Any]:
        """Counts, the controller's clock, and the findings; strings and integers."""
        result: dict[str, Any] = {
            "matched": len(self.pairs), "only_controller": len(self.only_controller),
            "only_voltage": len(self.only_voltage), "outside_period": self.outside_period,
            "findings": self.findings(tolerance),
        }  # fmt: skip
        if self.clock_ns is not None:
            result["controller_clock_ahead_s"] = _seconds(self.clock_ns)
        return result


def match_effects(
    controller: Sequence[ReportedEffect],
    voltage: Sequence[ReportedEffect],
    tolerance: Tolerance,
    period: tuple[int, int],
) -> Matching:
    """Pair the effects of one potline one to one, those with the nearest starts first.

    Args:
        controller: of the period or more, in any order.
        voltage: all of the period, in any order.
        tolerance: two of the same pot can be the same when they come so near to each other.
        period: UTC ns from and to (exclusive); rows of the controller beyond it are left out.
    """
    window = ReportedEffect("", period[0], period[1] - 1, ())
    inside = sorted((e for e in controller if e.is_near(window, 0)), key=_order)
    ours = sorted(voltage, key=_order)
    near = sorted(
        (abs(told.start_ns - own.start_ns), i, k)
        for i, own, k, told in _near(ours, inside, tolerance.time_ns)
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, k in near:
        if i not in pairs and k not in taken:
            pairs[i] = k
            taken.add(k)
    return Matching(
        tuple(Pair(inside[pairs[i]], ours[i]) for i in sorted(pairs)),
        tuple(effect for k, effect in enumerate(inside) if k not in taken),
        tuple(effect for i, effect in enumerate(ours) if i not in pairs),
        len(controller) - len(inside),
    )


def _near(
    voltage: Sequence[ReportedEffect], controller: Sequence[ReportedEffect], tolerance_ns: int
) -> Iterator[tuple[int, ReportedEffect, int, ReportedEffect]]:
    """Pairs of one pot that can be the same, with their numbers."""
    by_pot: dict[str, list[tuple[int, ReportedEffect]]] = defaultdict(list)
    for k, told in enumerate(controller):
        by_pot[told.pot].append((k, told))
    for i, own in enumerate(voltage):
        for k, told in by_pot.get(own.pot, ()):
            if own.is_near(told, tolerance_ns):
                yield i, own, k, told


def _order(effect: ReportedEffect) -> tuple[int, str, int, tuple[int, ...], Fraction]:
    """By start, then by pot; what is left decides where two are alike in both."""
    end_ns = -1 if effect.end_ns is None else effect.end_ns
    volts = Fraction(-1) if effect.v_max is None else effect.v_max
    return effect.start_ns, effect.pot, end_ns, effect.durations_ns, volts


def _only(who: str, other: str, effect: ReportedEffect) -> dict[str, str]:
    lasting = f"{_seconds(effect.durations_ns[0])} s" if effect.durations_ns else "not told"
    flags = f" (known less well: {' '.join(effect.flags)})" if effect.flags else ""
    sentence = (
        f"The {who} has an anode effect of {lasting}{flags}; by the {other} there is none near it."
    )
    return _finding(f"effect-only-{who}", effect, sentence)


def _differences(pair: Pair, tolerance: Tolerance) -> Iterator[dict[str, str]]:
    """What differs further than the tolerance in two that are the same."""
    seen = pair.voltage
    for name, difference_ns in (("start", pair.start_ns), ("duration", pair.duration_ns)):
        if name == "duration" and seen.end_ns is None:
            continue  # it still runs
        if abs(difference_ns) > tolerance.time_ns:
            sentence = f"The controller's {name} is {_seconds(difference_ns)} s off the voltage's."
            yield _finding(f"effect-{name}-differs", seen, sentence)
    if pair.volts is not None and abs(pair.volts) > tolerance.volts:
        sentence = f"The controller's highest voltage is {exact_text(pair.volts)} V off."
        yield _finding("effect-v-max-differs", seen, sentence)


def _finding(code: str, effect: ReportedEffect, sentence: str) -> dict[str, str]:
    at = utc_text(effect.start_ns)
    return {"code": code, "pot": effect.pot, "at": at, "sentence": sentence}


def _seconds(time_ns: int) -> str:
    return exact_text(Fraction(time_ns, _NS))
