"""Steps of a totaliser that its meter cannot have counted: a new meter that starts higher. Pure.

A step upward is counted whatever it is. One that is more than could pass in the time between both
readings and an hour, by the limit that was signed, is told: with the replacement that a person
signed of that time, or as one that nobody explained. It moves no figure. Within an hour's flow a
new meter cannot be told from use. FIGURES.md section 2.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.papers import Papers
from evidence.counts import count_to_text
from evidence.points import exact

LEAPS_KEPT = 20  # as of drops
_SLACK_NS = 3_600 * 10**9  # registers that are renewed seldom rise by steps
_HOUR_NS = 3_600 * 10**9
_COUNT_MAX = 2**63 - 1


@dataclass(frozen=True)
class Leap:
    """Two readings, one after the other, that are too far apart; counts."""

    since_ns: int
    tick_ns: int
    before: int
    after: int


def most_per_hour(meter: EntryMeter) -> Fraction | None:
    """Counts that can pass a totaliser in an hour; None where nothing signed says it.

    Its own rate_per_s first, else the largest flow that the gauge beside it can show.
    """
    rate, flow = meter.point.rules.rate_per_s, meter.flow
    if rate is not None:
        return Fraction(exact(rate) * 3600 * 10**meter.point.decimals)
    if flow is None or flow.range_max is None:
        return None
    most = Fraction(exact(flow.range_max) * 10**flow.decimals * meter.flow_amount / meter.amount)
    return most if most > 0 else None


class Leaps:
    """The leaps of one totaliser over a period.

    Attributes:
        count: how many there are.
        kept: the first `LEAPS_KEPT`.
    """

    def __init__(self, most: Fraction) -> None:
        """`most`: counts an hour."""
        self._most = most
        self._last: tuple[int, int] | None = None
        self.count = 0
        self.kept: list[Leap] = []

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> None:
        """Take n readings, those that are ok."""
        ticks, values = ticks_ns[ok], counts[ok]
        if not ticks.size:
            return
        if self._last is not None:
            ticks = np.concatenate([[self._last[0]], ticks])
            values = np.concatenate([[self._last[1]], values])
        self._last = int(ticks[-1]), int(values[-1])
        steps = np.diff(values)
        # with the slack, every step may be as large as what passes in an hour
        for i in np.flatnonzero(steps > min(int(self._most), _COUNT_MAX)).tolist():
            leap = Leap(int(ticks[i]), int(ticks[i + 1]), int(values[i]), int(values[i + 1]))
            time_ns = leap.tick_ns - leap.since_ns + _SLACK_NS
            if (leap.after - leap.before) * _HOUR_NS > self._most * time_ns:
                self.count += 1
                self.kept += [leap] if len(self.kept) < LEAPS_KEPT else []

    def told(self, meter: EntryMeter, papers: Papers) -> tuple[dict[str, Any], list[str]]:
        """Fields of the totaliser in the input, and flags; nothing where there is no leap.

        Args:
            meter: of the totaliser.
            papers: of the plant; a replacement is about the point or its device.
        """
        if not self.count:
            return {}, []
        point = meter.point
        abouts = dict.fromkeys([point.id, *([point.device] if point.device else [])])
        listed = []
        for leap in self.kept:
            events = [
                paper.sha256
                for about in abouts
                for paper in papers.replacements(about, (leap.since_ns, leap.tick_ns))
            ]
            listed.append({
                "since_ns": leap.since_ns, "tick_ns": leap.tick_ns,
                "before": count_to_text(leap.before, point.decimals),
                "after": count_to_text(leap.after, point.decimals),
                "replacements": sorted(set(events)),
            })  # fmt: skip
        flags = [f"totaliser-leap:{point.id}"]
        if self.count > len(listed) or not all(leap["replacements"] for leap in listed):
            flags.append(f"leap-unexplained:{point.id}")
        return {"leap_count": self.count, "leaps": listed}, flags
