"""What a month needs of one signed configuration: its meters, potlines and inputs, resolved.

A month may see several configurations; what is equal in two of them keeps its sums (`Meter` and
`MonthLine` compare what made them), what differs begins a new piece. Compared are the maps as they
were signed, so that nobody has to know which spellings mean the same. The interval at which points
are read is no part of that: counting goes on over a change of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
        fields: maps of the entry, of its point and of its flow, for comparison.
    """

    role: str
    kind: str
    point: Point
    amount: Fraction
    flow: Point | None = None
    flow_amount: Fraction = Fraction(0)
    fields: tuple[Mapping[str, Any] | None, ...] = ()


@dataclass(frozen=True)
class LinePlan:
    """One potline: a fresh `Potline` and everything it was made of, for comparison."""

    line: Potline
    fields: Mapping[str, Any]
    points: tuple[Mapping[str, Any], ...]

    def same(self, other: "LinePlan") -> bool:
        """The other plan describes the same potline by the same points."""
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
        points, maps = plant_points(config), {point["id"]: point for point in config["points"]}
        self.lines = []
        for fields in config.get("potlines", ()):
            line = Potline(config, fields, points)
            self.lines.append(LinePlan(line, fields, tuple(maps[p] for p in line.point_ids)))
        self.meters = self._meters(points, maps)
        needed = [p for plan in self.lines for p in plan.line.point_ids]
        needed += [meter.point.id for meter in self.meters]
        needed += [meter.flow.id for meter in self.meters if meter.flow is not None]
        self.inputs = Inputs(config, needed)
        for plan in self.lines:
            plan.line.place(self.inputs)

    def _meters(
        self, points: Mapping[str, Point], maps: Mapping[str, Mapping[str, Any]]
    ) -> list[MeterPlan]:
        statement, meters = self.config.get("statement", {}), []
        if metal := statement.get("metal"):
            point = points[metal["point"]]
            if point.quantity.unit not in _TONNES:
                raise PlantError(f"statement.metal: {point.id} must count kg or t")
            amount = Fraction(_TONNES[point.quantity.unit] / 10**point.decimals)
            meters.append(
                MeterPlan("metal", "metal", point, amount, fields=(metal, maps[point.id]))
            )
        for entry, f in zip(statement.get("fuels", ()), self.factors.fuels, strict=True):
            fields = entry, maps[f.point.id], maps[f.flow.id] if f.flow else None
            meters.append(
                MeterPlan("fuel", f.kind.id, f.point, f.amount, f.flow, f.flow_amount, fields)
            )
        for entry, e in zip(statement.get("auxiliary", ()), self.factors.electricity, strict=True):
            fields = entry, maps[e.point.id], maps[e.power.id] if e.power else None
            amounts = e.kwh / _KWH_A_MWH, e.power, e.kw / _KWH_A_MWH
            meters.append(MeterPlan("electricity", "electricity", e.point, *amounts, fields))
        return meters
