"""One meter over a period by statement format 1, and the integral of its flow beside it.

Archives that were sealed by it are made again by it; `counter_meter` is what is sealed now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.leaps import Leaps, most_per_hour
from edge.calc.folds.papers import Papers
from edge.calc.folds.totaliser import Totaliser
from edge.calc.inputs import Inputs
from evidence.counts import count_to_text

_HOUR_NS = 3600 * 10**9
_SECOND_NS = 10**9


@dataclass
class FlowIntegral:
    """Sum of flow × time, exact: count·ns; an interval stands for its earlier reading.

    Intervals longer than `longest_ns` are not integrated: nothing is assumed about silences. It
    may change between two feeds, when the flow is read at another interval.
    """

    longest_ns: int = 0
    total: int = 0
    covered_ns: int = 0
    _last: tuple[int, int] | None = None

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> None:
        """Advance by n ticks."""
        ticks, flows = ticks_ns[ok], counts[ok]
        if self._last is not None:
            ticks = np.concatenate([[self._last[0]], ticks])
            flows = np.concatenate([[self._last[1]], flows])
        if not ticks.size:
            return
        dt = np.diff(ticks)
        dt[(dt <= 0) | (dt > self.longest_ns)] = 0
        self.covered_ns += int(dt.sum())
        self.total += _product_sum(flows[:-1], dt)
        self._last = (int(ticks[-1]), int(flows[-1]))

    def snapshot(self) -> list[Any]:
        """The state as integers and lists; not the interval."""
        return [self.total, self.covered_ns, list(self._last) if self._last else None]

    def restore(self, snapshot: Sequence[Any]) -> None:
        """Take over the state of a snapshot."""
        self.total, self.covered_ns, last = snapshot
        self._last = (last[0], last[1]) if last else None


def _product_sum(flows: Int64, dt: Int64) -> int:
    """Sum of flow × time: in int64 where it cannot overflow, else in Python's integers."""
    if int(np.abs(flows).max(initial=0)) * int(dt.sum()) < 2**62:
        return int(flows @ dt)
    return sum(flow * time for flow, time in zip(flows.tolist(), dt.tolist(), strict=True))


class Meter:
    """The month's quantity of one totaliser.

    Attributes:
        plan: the point, what it counts and its factors.
        totaliser: counts it.
        integral: of its flow, or None.
        leaps: steps that it cannot have counted; None where nothing signed bounds its flow.
    """

    def __init__(self, plan: EntryMeter, totaliser: Totaliser | None = None) -> None:
        self.plan = plan
        self.point = plan.point
        self.totaliser = totaliser or Totaliser()
        self.integral = FlowIntegral() if plan.flow else None
        most = most_per_hour(plan)
        self.leaps = None if most is None else Leaps(most)

    def readers(
        self, inputs: Inputs
    ) -> Iterable[tuple[tuple[int, int], Totaliser | Leaps | FlowIntegral]]:
        """Folds to feed and their inputs, at the intervals of these inputs."""
        place = inputs.place(self.point.id)
        yield place, self.totaliser
        if self.leaps is not None:
            yield place, self.leaps
        if self.integral is not None and self.plan.flow is not None:
            place = inputs.place(self.plan.flow.id)
            self.integral.longest_ns = 2 * inputs.interval_ns(place[0])
            yield place, self.integral

    def correct(self, _: Papers) -> None:
        """Nothing that a person signs changes a count of format 1."""

    @property
    def asks_papers(self) -> bool:
        """Whether signed documents can explain something of this meter."""
        return self.leaps is not None and self.leaps.count > 0

    @property
    def quantity(self) -> Fraction | None:
        """Last minus first good reading in the statement's unit, None without any reading."""
        return self.totaliser.total * self.plan.amount if self.totaliser.first else None

    def flags(self, papers: Papers) -> list[str]:
        """Flags that the statement must carry for this meter."""
        if self.totaliser.first is None:
            return [f"no-reading:{self.point.id}"]
        drops = [f"totaliser-drop:{self.point.id}"] if self.totaliser.drop_count else []
        return drops + self._leapt(papers)[1]

    def _leapt(self, papers: Papers) -> tuple[dict[str, Any], list[str]]:
        return ({}, []) if self.leaps is None else self.leaps.told(self.plan, papers)

    def reading_map(self, papers: Papers) -> dict[str, Any]:
        """First and last reading with their ages from the period's edges, drops and leaps."""
        from_ns, to_ns = papers.period
        result: dict[str, Any] = {"point": self.point.id, "unit": self.point.quantity.unit}
        if self.totaliser.first is None or self.totaliser.last is None:
            return result
        decimals = self.point.decimals
        (first_ns, first), (last_ns, last) = self.totaliser.first, self.totaliser.last
        return {
            **result,
            "first": {
                "tick_ns": first_ns, "value": count_to_text(first, decimals),
                "after_start_s": exact_text(Fraction(first_ns - from_ns, _SECOND_NS)),
            },
            "last": {
                "tick_ns": last_ns, "value": count_to_text(last, decimals),
                "before_end_s": exact_text(Fraction(to_ns - last_ns, _SECOND_NS)),
            },
            "difference": count_to_text(self.totaliser.total, decimals),
            "drop_count": self.totaliser.drop_count,
            "drops": [
                {
                    "tick_ns": drop.tick_ns, "before": count_to_text(drop.before, decimals),
                    "after": count_to_text(drop.after, decimals),
                }
                for drop in self.totaliser.drops
            ],
            **self._leapt(papers)[0],
        }  # fmt: skip

    def checks(self, _: Papers) -> Sequence[dict[str, Any]]:
        """The integral of the flow beside the totaliser's difference; nothing without a flow."""
        if self.integral is None or self.plan.flow is None or self.quantity is None:
            return []
        integral = self.integral.total * self.plan.flow_amount / _HOUR_NS
        result = {
            "check": "integral of the flow against the totaliser",
            "point": self.point.id,
            "flow_point": self.plan.flow.id,
            "totaliser": exact_text(self.quantity),
            "integral": rounded_text(integral, 6),
            "covered_s": exact_text(Fraction(self.integral.covered_ns, _SECOND_NS)),
        }
        if self.quantity:
            difference = (integral - self.quantity) / self.quantity * 100
            result["difference_percent"] = rounded_text(difference, 2)
        return [result]
