"""One meter over a period: its totaliser, and the integral of its flow as the check beside it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.blocks import Bool, Int64
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.month_plan import MeterPlan
from edge.calc.totaliser import Totaliser
from evidence.counts import count_to_text

_HOUR_NS = 3600 * 10**9
_SECOND_NS = 10**9


@dataclass
class FlowIntegral:
    """Sum of flow × time, exact: count·ns; an interval stands for its earlier reading.

    Intervals longer than `longest_ns` are not integrated: nothing is assumed about silences.
    """

    longest_ns: int
    total: int = 0
    covered_ns: int = 0
    _last: tuple[int, int] | None = None

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> None:
        """Advance by n ticks."""
        readings = zip(ticks_ns[ok].tolist(), counts[ok].tolist(), strict=True)
        for tick_ns, count in readings:
            if self._last is not None:
                dt_ns = tick_ns - self._last[0]
                if 0 < dt_ns <= self.longest_ns:
                    self.total += self._last[1] * dt_ns
                    self.covered_ns += dt_ns
            self._last = (tick_ns, count)


class Meter:
    """The month's quantity of one totaliser.

    Attributes:
        plan: the point, its role and factors.
        totaliser: counts it.
        integral: of its flow, or None.
    """

    def __init__(self, plan: MeterPlan) -> None:
        self.plan = plan
        self.point = plan.point
        self.totaliser = Totaliser()
        self.integral = FlowIntegral(2 * plan.flow_interval_ns) if plan.flow else None

    @property
    def quantity(self) -> Fraction | None:
        """Last minus first good reading in the statement's unit, None without any reading."""
        return self.totaliser.total * self.plan.amount if self.totaliser.first else None

    def flags(self) -> list[str]:
        """What the statement must say about this meter."""
        if self.totaliser.first is None:
            return [f"no-reading:{self.point.id}"]
        return [f"totaliser-drop:{self.point.id}"] if self.totaliser.drop_count else []

    def reading_map(self, from_ns: int, to_ns: int) -> dict[str, Any]:
        """First and last reading with their ages from the period's edges, and the drops."""
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
        }  # fmt: skip

    def check_map(self) -> dict[str, Any] | None:
        """The integral of the flow beside the totaliser's difference; None without a flow."""
        if self.integral is None or self.plan.flow is None or self.quantity is None:
            return None
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
        return result
