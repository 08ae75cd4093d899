"""What a month needs of one signed configuration: its entries, potlines and inputs, resolved.

A month may see several configurations; what is equal in two of them keeps its sums (`EntryPlan` and
`LinePlan` compare what made them), what differs begins a new piece. Compared are the maps as they
were signed, so that nobody has to know which spellings mean the same. The interval at which points
are read is no part of that: counting goes on over a change of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.calc.effects.potline import Potline
from edge.calc.folds.entries import Entry
from edge.calc.folds.plant import PlantFactors, plant_factors
from edge.calc.inputs import Inputs, plant_points
from edge.calc.local_time import PlantDays
from evidence.points import exact

#: what of it stands in the statement
TYPED_ANODE = ("gross_kg_per_t", "source")


@dataclass(frozen=True)
class EntryPlan:
    """One entry of the statement section and the maps of all points it names, for comparison."""

    entry: Entry
    points: tuple[Mapping[str, Any], ...]

    def same(self, other: "EntryPlan") -> bool:
        """The other plan describes the same entry by the same points."""
        return (self.entry.table, self.entry.fields, self.points) == (
            other.entry.table, other.entry.fields, other.points
        )  # fmt: skip


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
        entries, lines: what to fold.
        inputs: reads every point of them.
        anode: the typed anode consumption as the site file gives it, or None.
        gross_kg_per_t: its number.
        anode_source: what the anodes' analyses are about, "" for none.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.plant_id = str(config["plant"]["id"])
        self.days = PlantDays(config["plant"]["time_zone"])
        self.factors: PlantFactors = plant_factors(config)
        anode = config.get("statement", {}).get("anode")
        typed = {key: anode[key] for key in TYPED_ANODE} if anode else None
        self.anode: Mapping[str, Any] | None = typed
        self.gross_kg_per_t = exact(anode["gross_kg_per_t"]) if anode else None
        self.anode_source = str(anode.get("about", "")) if anode else ""
        maps = {point["id"]: point for point in config["points"]}
        potlines = config.get("potlines", ())
        points = plant_points(config) if potlines else {}
        self.lines = []
        for fields in potlines:
            line = Potline(config, fields, points)
            self.lines.append(LinePlan(line, fields, tuple(maps[p] for p in line.point_ids)))
        needed = [p for line_plan in self.lines for p in line_plan.line.point_ids]
        self.entries = []
        for entry in self.factors.entries:
            named = [m.point for m in entry.read] + [m.flow for m in entry.read if m.flow]
            plan = EntryPlan(entry, tuple(maps[point.id] for point in named))
            self.entries.append(plan)
            needed += [point.id for point in named]
        self.inputs = Inputs(config, needed)
        for line_plan in self.lines:
            line_plan.line.place(self.inputs)
