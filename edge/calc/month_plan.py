"""What a month needs of one signed configuration: its meters, potlines and inputs, resolved.

A month may see several configurations; what is equal in two of them keeps its sums (`Meter` and
`MonthLine` compare what made them), what differs begins a new piece.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from edge.calc.errors import PlantError
from edge.calc.inputs import Inputs, plant_points
from edge.calc.local_time import PlantDays
from edge.calc.plant import PlantFactors, plant_factors
from edge.calc.potline import Potline
from evidence.points import Point, exact

_KWH_A_MWH = 1000
_TONNES = {"t": Fraction(1), "kg": Fraction(1, 1000)}


@dataclass(frozen=True)
class MeterPlan:
    """One totaliser of the statement section.

    Attributes:
        role: "metal", "fuel" or "electricity".
        kind: fuel kind id, else the role.
        point: the totaliser.
        amount: statement units (t, 10^4 Nm3, MWh) per count of it.
        flow: the point whose integral stands beside it, or None.
        flow_amount: statement units an hour per count of the flow.
        flow_interval_ns: nominal distance of the flow's readings.
    """

    role: str
    kind: str
    point: Point
    amount: Fraction
    flow: Point | None = None
    flow_amount: Fraction = Fraction(0)
    flow_interval_ns: int = 0


@dataclass(frozen=True)
class LinePlan:
    """One potline: a fresh `Potline` and everything it was made of, for comparison."""

    line: Potline
    fields: Mapping[str, Any]
    points: tuple[Point, ...]

    def same(self, other: "LinePlan") -> bool:
        """The other plan describes the same potline read in the same way."""
        return self.fields == other.fields and self.points == other.points


class MonthPlan:
    """One configuration, ready to be folded with.

    Attributes:
        config: the configuration.
        plant_id, days, factors: of the plant.
        meters, lines: what to fold.
        inputs: reads every point of them.
        anode: the typed anode consumption as the site file gives it, or None.
        gross_kg_per_t: its number.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.plant_id = str(config["plant"]["id"])
        self.days = PlantDays(config["plant"]["time_zone"])
        self.factors: PlantFactors = plant_factors(config)
        anode = config.get("statement", {}).get("anode")
        self.anode: Mapping[str, Any] | None = dict(anode) if anode else None
        self.gross_kg_per_t = exact(anode["gross_kg_per_t"]) if anode else None
        points = plant_points(config)
        self.lines = [_line_plan(config, fields, points) for fields in config.get("potlines", ())]
        self.meters = self._meters(points)
        needed = [p for plan in self.lines for p in plan.line.point_ids]
        needed += [meter.point.id for meter in self.meters]
        needed += [meter.flow.id for meter in self.meters if meter.flow is not None]
        self.inputs = Inputs(config, needed)
        self.meters = [self._timed(meter) for meter in self.meters]
        for plan in self.lines:
            plan.line.place(self.inputs)

    def _meters(self, points: Mapping[str, Point]) -> list[MeterPlan]:
        meters = []
        if metal := self.config.get("statement", {}).get("metal"):
            point = points[metal["point"]]
            if point.quantity.unit not in _TONNES:
                raise PlantError(f"statement.metal: {point.id} must count kg or t")
            amount = Fraction(_TONNES[point.quantity.unit] / 10**point.decimals)
            meters.append(MeterPlan("metal", "metal", point, amount))
        meters += [
            MeterPlan("fuel", f.kind.id, f.point, f.amount, f.flow, f.flow_amount)
            for f in self.factors.fuels
        ]
        meters += [
            MeterPlan(
                "electricity", "electricity", e.point, e.kwh / _KWH_A_MWH, e.power,
                e.kw / _KWH_A_MWH,
            )
            for e in self.factors.electricity
        ]  # fmt: skip
        return meters

    def _timed(self, meter: MeterPlan) -> MeterPlan:
        if meter.flow is None:
            return meter
        interval_ns = self.inputs.interval_ns(self.inputs.schedule_of(meter.flow.id))
        return replace(meter, flow_interval_ns=interval_ns)


def _line_plan(
    config: Mapping[str, Any], fields: Mapping[str, Any], points: Mapping[str, Point]
) -> LinePlan:
    line = Potline(config, fields, points)
    interval_ns = config["schedules"][0]["interval_ns"]
    made_of = {**fields, "interval_ns": interval_ns}
    return LinePlan(line, made_of, tuple(points[p] for p in line.point_ids))
