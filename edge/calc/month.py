"""A month folded from its frames: the full input of its statement.

Feed it the frames of one plant-local month in order; `result` gives the input `statement.compute`
takes, every number with its provenance. Quantities come from totalisers (last good minus first
good reading); the integral of a flow stands beside them as a check and is never the figure.
Memory is bounded, the list of effects aside.

Flags it can bring: no-reading:<point>, totaliser-drop:<point>, ticks-outside-month,
no-producing-time, indicator-needs-metal-by-potline.
Pure: no I/O, no clock.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Block
from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import PlantError
from edge.calc.inputs import Inputs, plant_points
from edge.calc.local_time import PlantDays, cut
from edge.calc.meter import FlowIntegral, Meter
from edge.calc.month_line import RATE_PLACES, MonthLine, aem
from edge.calc.plant import plant_factors, reading_configuration
from edge.calc.potline import Potline
from edge.calc.totaliser import Totaliser
from evidence.points import Point, exact
from evidence.quality import FIRST_BAD

#: the parts of a configuration the fold depends on
_READ = ("plant", "schedules", "points", "groups", "potlines", "statement")
_KG_A_TONNE, _KWH_A_MWH = 1000, 1000
_TONNES = {"t": Fraction(1), "kg": Fraction(1, 1000)}


class MonthFold:
    """One plant's month."""

    def __init__(self) -> None:
        self._config: Mapping[str, Any] | None = None
        self._bounds: tuple[int, int] | None = None
        self._outside = 0

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the plant's signed configuration; call it at every change of it.

        Raises:
            PlantError: it cannot be calculated with, or what the calculation reads of it
                (`_READ`) differs from before: that change within a month is not supported yet.
        """
        if self._config is not None:
            changed = [key for key in _READ if self._config.get(key) != config.get(key)]
            if changed:
                raise PlantError(
                    f"the configuration changed within the month ({' '.join(changed)}): "
                    "not supported yet"
                )
            return
        with reading_configuration():
            self._plant_id = str(config["plant"]["id"])
            self._days = PlantDays(config["plant"]["time_zone"])
            self._factors = plant_factors(config)
            self._points = plant_points(config)
            self._lines = [
                MonthLine(Potline(config, fields), dict(fields["anode_effect"]))
                for fields in config.get("potlines", ())
            ]
            self._meters = self._plan_meters(config)
            needed = [p for month_line in self._lines for p in month_line.line.point_ids]
            needed += [meter.point.id for meter in self._meters.values()]
            needed += [f.flow.id for f in self._factors.fuels if f.flow is not None]
            needed += [e.power.id for e in self._factors.electricity if e.power is not None]
            self._inputs = Inputs(config, needed)
            for month_line in self._lines:
                month_line.line.place(self._inputs)
            self._plan_folds()
            self._usable = [
                np.zeros(len(group["points"]), dtype=np.int64) for group in config["groups"]
            ]
        self._config = config

    def _plan_meters(self, config: Mapping[str, Any]) -> dict[str, Meter]:
        self._metal_id: str | None = None
        meters: dict[str, Meter] = {}
        if metal := config.get("statement", {}).get("metal"):
            point = self._points[metal["point"]]
            self._metal_id = point.id
            if point.quantity.unit not in _TONNES:
                raise PlantError(f"statement.metal: {point.id} must count kg or t")
            per_count = _TONNES[point.quantity.unit] / 10**point.decimals
            meters[point.id] = Meter(point, Fraction(per_count))
        for fuel in self._factors.fuels:
            meters[fuel.point.id] = Meter(fuel.point, fuel.amount)
        for energy in self._factors.electricity:
            meters[energy.point.id] = Meter(energy.point, energy.kwh / _KWH_A_MWH)
        return meters

    def _plan_folds(self) -> None:
        rates: list[tuple[Point, Point | None, Fraction]] = [
            *((f.point, f.flow, f.flow_amount) for f in self._factors.fuels),
            *((e.point, e.power, e.kw / _KWH_A_MWH) for e in self._factors.electricity),
        ]
        self._folds: list[tuple[tuple[int, int], Totaliser | FlowIntegral]] = [
            (self._inputs.place(point_id), meter.totaliser)
            for point_id, meter in self._meters.items()
        ]
        for point, flow, per_count_h in rates:
            if flow is not None:
                interval_ns = self._inputs.interval_ns(self._inputs.schedule_of(flow.id))
                integral = self._meters[point.id].check_with(flow, per_count_h, interval_ns)
                self._folds.append((self._inputs.place(flow.id), integral))

    def feed(self, blocks: Sequence[Block]) -> None:
        """All blocks of one frame (or tick), later than all before, of one month.

        Ticks outside the month of the very first tick are counted, flagged and not used.
        """
        if self._config is None:
            raise PlantError("no configuration yet: call configure first")
        inside = self._within_month([block for block in blocks if len(block.ticks_ns)])
        for block in inside:
            for group in block.groups:
                self._usable[group.group] += (group.quality < FIRST_BAD).sum(axis=1)
        decoded = self._inputs.decode(inside)
        for (schedule, row), fold in self._folds:
            if (readings := decoded.get(schedule)) is not None:
                fold.feed(readings.ticks_ns, readings.counts[row], readings.ok[row])
        aligned = self._inputs.align(decoded)
        for month_line in self._lines:
            month_line.feed(aligned)

    def _within_month(self, blocks: list[Block]) -> list[Block]:
        if not blocks:
            return []
        if self._bounds is None:
            first = min(int(block.ticks_ns[0]) for block in blocks)
            self._bounds = self._days.month_bounds(self._days.day(first).month)
        total = sum(len(block.ticks_ns) for block in blocks)
        _, late = cut(blocks, self._bounds[0])
        inside, _ = cut(late, self._bounds[1])
        self._outside += total - sum(len(block.ticks_ns) for block in inside)
        return inside

    def result(self, period_from_ns: int, period_to_ns: int, closing: str) -> dict[str, Any]:
        """The input of the month's statement for a period; feeding may go on afterwards.

        Args:
            period_from_ns: start of the period, UTC ns, inside the month.
            period_to_ns: its end (exclusive); the next month's first midnight when final.
            closing: "interim" or "final".
        """
        if self._config is None:
            raise PlantError("no configuration yet: call configure first")
        month = self._days.day(period_from_ns).month
        at_month_end = period_to_ns >= self._days.month_bounds(month)[1]
        period = (period_from_ns, period_to_ns)
        checks = [meter.check_map() for meter in self._meters.values()]
        source: dict[str, Any] = {
            "rule_set": self._factors.rules.id,
            "month": month,
            "plant": self._plant_id,
            "period": {"from": utc_text(period_from_ns), "to": utc_text(period_to_ns)},
            "closing": closing,
            **self._activity(),
            "potlines": [line.as_map(at_month_end=at_month_end) for line in self._lines],
            "totalisers": [meter.reading_map(*period) for meter in self._meters.values()],
            "checks": [check for check in checks if check is not None],
            "completeness": self._completeness(*period),
        }
        source["flags"] = sorted(self._flags(source))
        return source

    def _activity(self) -> dict[str, Any]:
        """The tables figures are made from; a quantity without any reading is left out."""
        statement = self._config.get("statement", {}) if self._config else {}
        result: dict[str, Any] = {"fuel": self._fuels(), "auxiliary": self._auxiliaries()}
        metal = self._meters[self._metal_id] if self._metal_id is not None else None
        if metal is None or metal.quantity is None:
            return result
        metal_text, provenance = exact_text(metal.quantity), _frames(metal.point)
        if anode := statement.get("anode"):
            gross = metal.quantity * exact(anode["gross_kg_per_t"]) / _KG_A_TONNE
            typed = {"typed": dict(anode), **provenance}
            result["anode"] = {"gross_t": exact_text(gross), "provenance": {"gross_t": typed}}
        result["pfc"] = {"metal_t": metal_text, "provenance": {"metal_t": provenance}}
        if indicator := self._indicator():
            result["pfc"]["indicator"] = indicator
        result["output"] = {"aluminium_t": metal_text, "provenance": {"aluminium_t": provenance}}
        return result

    def _fuels(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": fuel.kind.id,
                "quantity": exact_text(quantity),
                "provenance": {"quantity": _frames(fuel.point)},
            }
            for fuel in self._factors.fuels
            if (quantity := self._meters[fuel.point.id].quantity) is not None
        ]

    def _auxiliaries(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": "electricity",
                "quantity": exact_text(quantity),
                "provenance": {"quantity": _frames(energy.point)},
            }
            for energy in self._factors.electricity
            if (quantity := self._meters[energy.point.id].quantity) is not None
        ]

    def _indicator(self) -> dict[str, Any] | None:
        """Anode-effect minutes of all potlines together, if they share their coefficients."""
        producing_ns = sum(line.producing_ns() for line in self._lines)
        if not producing_ns or not self._one_technology():
            return None
        line = self._lines[0].line
        minutes = aem(sum(line.polarised_ns() for line in self._lines), producing_ns)
        frames = {"potline": " ".join(m.line.id for m in self._lines), "rule": "anode-effect"}
        return {
            "technology": line.technology,
            "edition": line.edition,
            "gwp": line.gwp,
            "aem_min_per_cell_day": rounded_text(minutes, RATE_PLACES),
            "provenance": {"aem_min_per_cell_day": {"frames": frames}},
        }

    def _one_technology(self) -> bool:
        kinds = {(m.line.technology, m.line.edition, m.line.gwp) for m in self._lines}
        return len(kinds) == 1

    def _completeness(self, from_ns: int, to_ns: int) -> dict[str, dict[str, Any]]:
        """Usable ticks of each read point against the ticks its schedule has in the period."""
        assert self._config is not None  # noqa: S101 - the caller checked
        result: dict[str, dict[str, Any]] = {}
        for group, usable in zip(self._config["groups"], self._usable, strict=True):
            if group["computed"]:
                continue
            step = int(self._config["schedules"][group["schedule"]]["interval_ns"])
            expected = -(-to_ns // step) - (-(-from_ns // step))
            for index, count in zip(group["points"], usable.tolist(), strict=True):
                entry: dict[str, Any] = {"usable": count, "expected": expected}
                if expected > 0:
                    entry["percent"] = rounded_text(Fraction(count * 100, expected), 2)
                result[self._config["points"][index]["id"]] = entry
        return result

    def _flags(self, source: Mapping[str, Any]) -> set[str]:
        flags = {flag for meter in self._meters.values() for flag in meter.flags()}
        if self._outside:
            flags.add("ticks-outside-month")
        if self._lines and not any(line.producing_ns() for line in self._lines):
            flags.add("no-producing-time")
        if self._lines and not self._one_technology():
            flags.add("indicator-needs-metal-by-potline")
        return flags


def _frames(point: Point) -> dict[str, Any]:
    return {"frames": {"point": point.id, "rule": "totaliser", "class": point.provenance.value}}


def utc_text(instant_ns: int) -> str:
    """An instant as ISO 8601 UTC, with as many decimals of a second as it has."""
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant_ns // 10**9)
    fraction = f"{instant_ns % 10**9:09}".rstrip("0")
    return f"{whole:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"
