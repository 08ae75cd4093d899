"""The live calculation of one plant: from each tick's readings to computed points.

One fold for the edge (one tick a call) and the verifier (one frame a call): the counts are equal
to the last bit, whatever the calls. Everything is exact integers. A computed value is given only
when its inputs are usable at that tick, else NO_INPUT, never 0; what is counted over pots is
PARTIAL when some pots give nothing, and then speaks of the others alone. At the first tick of a
new plant-local month the whole state starts anew, so that a month's frames alone give the same.

Pure: no I/O, no clock; state leaves and comes back through `snapshot` and `restore`.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Block, Bool, Int64, UInt8
from edge.calc.decimal_text import rounded_text
from edge.calc.effects.anode_effect import Activity
from edge.calc.effects.pot import Effect
from edge.calc.effects.potline import LineTicks, PotEffect, Potline
from edge.calc.effects.producing import over_pots
from edge.calc.fixed import ratio, scale
from edge.calc.folds.live_points import (
    CO2E,
    ENERGY,
    ENERGY_DECIMALS,
    GAS,
    LINE_POINTS,
    computed_points,
)
from edge.calc.folds.live_rates import rate_values, rates
from edge.calc.folds.live_values import Values, given, total
from edge.calc.folds.plant import (
    PlantFactors,
    pfc_default_factor,
    plant_factors,
    reading_configuration,
)
from edge.calc.folds.totaliser import Totaliser
from edge.calc.inputs import Inputs, Readings, plant_points
from edge.calc.local_time import Day, PlantDays, by_day
from evidence.quality import FIRST_BAD, Quality

__all__ = ["Computed", "PlantCalc", "PotEffect", "computed_points"]

RECENT_EFFECTS = 64  # finished effects a potline keeps for the page and across restarts
_KWH_A_MWH = 1000
_MINUTE_NS, _HOUR_NS, _DAY_NS = 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9


@dataclass(frozen=True)
class Computed:
    """Computed counts at schedule 0's ticks.

    Attributes:
        ticks_ns: [n].
        counts: [C][n] in the order of `computed_points`, 0 where not given.
        quality: [C][n], GOOD, PARTIAL or NO_INPUT.
    """

    ticks_ns: Int64
    counts: Int64
    quality: UInt8


def _in_counts(name: str, factor: Fraction) -> Fraction:
    return Fraction(factor * 10 ** LINE_POINTS[name][2])


class _LiveLine:
    """Day sums, recent effects and computed values of one potline."""

    def __init__(self, line: Potline, factors: PlantFactors) -> None:
        self.line = line
        self.recent: deque[Effect] = deque(maxlen=RECENT_EFFECTS)
        self._effects = self._polarised_ns = self._producing_ns = 0
        self._current: int | None = None
        cf4, indicator = line.cf4_now_kg_h(), line.indicator
        per_running = {
            "cf4_now_kg_h": cf4,
            "c2f6_now_kg_h": cf4 * indicator.fraction,
            "pfc_indicator_tco2e_h": cf4 * indicator.co2e_t_per_kg,
        }
        per_producing = {
            "metal_t_h": line.metal_t_h,
            "pfc_record_tco2e_h": line.metal_t_h * pfc_default_factor(factors.rules),
        }
        if factors.anode_co2 is not None:
            per_producing["anode_co2_t_h"] = line.metal_t_h * factors.anode_co2
        self._per_running = {n: _in_counts(n, f) for n, f in per_running.items()}
        self._per_producing = {n: _in_counts(n, f) for n, f in per_producing.items()}

    def new_day(self) -> None:
        self._effects = self._polarised_ns = self._producing_ns = 0

    def new_month(self) -> None:
        self.new_day()
        self.recent.extend(self.line.detector.cut("month-cut"))

    def feed(self, readings: Readings) -> tuple[dict[str, Values], LineTicks]:
        """Advance; returns the potline's values by suffix."""
        ticks = self.line.feed(readings)
        self.recent.extend(ticks.activity.finished)
        running = over_pots(ticks.activity.running)
        values: dict[str, Values] = {
            "producing": (ticks.producing, _over_pots(ticks.states_known)),
            "effects_running": (running, _over_pots(ticks.known)),
        }
        values |= self._day_values(ticks.activity)
        if ticks.current_ok.any():
            self._current = int(ticks.current[ticks.current_ok][-1])
        current = given(ticks.current_ok)
        made_quality = np.maximum(values["producing"][1], current)
        made = ticks.current * ticks.producing
        for name, factor in self._per_producing.items():
            values[name] = (scale(made, factor), made_quality)
        burning_quality = np.maximum(values["effects_running"][1], current)
        burning = ticks.current * running
        for name, factor in self._per_running.items():
            values[name] = (scale(burning, factor), burning_quality)
        return values, ticks

    def cf4_kg(self, effect: Effect) -> Fraction | None:
        """CF4 of one effect by the slope formula at the newest line current; None without one.

        Attribution for the page: slope × polarised minutes × the pot's metal a day. The potline's
        indicator (`Potline.cf4_now_kg_h`) is what these add up to while the current stands still.
        """
        if self._current is None:
            return None
        return self.line.cf4_now_kg_h() * self._current * Fraction(effect.polarised_ns, _HOUR_NS)

    def _day_values(self, activity: Activity) -> dict[str, Values]:
        effects = np.cumsum(activity.started) + self._effects
        polarised = np.cumsum(activity.polarised_ns) + self._polarised_ns
        producing = np.cumsum(activity.producing_ns) + self._producing_ns
        if len(effects):
            self._effects = int(effects[-1])
            self._polarised_ns = int(polarised[-1])
            self._producing_ns = int(producing[-1])
        produced, any_effect = producing > 0, effects > 0
        below, count = np.maximum(producing, 1), np.maximum(effects, 1)
        return {
            "aef_day": (ratio(effects, below, _AEF), given(produced)),
            "aed_day": (ratio(polarised, count, _AED), given(any_effect)),
            "aem_day": (ratio(polarised, below, _AEM), given(produced)),
        }

    def snapshot(self) -> dict[str, Any]:
        return {
            "detector": self.line.detector.snapshot(),
            "day": [self._effects, self._polarised_ns, self._producing_ns],
            "recent": [effect.as_list() for effect in self.recent],
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.line.detector.restore(snapshot["detector"])
        self._effects, self._polarised_ns, self._producing_ns = snapshot["day"]
        self.recent.clear()
        self.recent.extend(map(Effect.from_list, snapshot["recent"]))


_AEF = _in_counts("aef_day", Fraction(_DAY_NS))
_AED = _in_counts("aed_day", Fraction(1, _MINUTE_NS))
_AEM = _in_counts("aem_day", Fraction(_DAY_NS, _MINUTE_NS))


class PlantCalc:
    """All computed points of one plant.

    Attributes:
        points: what `feed` gives, in order.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Resolve a signed configuration (with or without its computed points).

        Raises:
            PlantError: the configuration cannot be calculated with.
        """
        self.points = computed_points(config)
        with reading_configuration():
            self._days = PlantDays(config["plant"]["time_zone"])
            self._factors = plant_factors(config)
            points = plant_points(config)
            lines = [Potline(config, fields, points) for fields in config.get("potlines", ())]
            needed = [p for line in lines for p in line.point_ids]
            self._rates = rates(self._factors)
            flows = list(_fuel_flows(self._factors))
            needed += [point_id for point_id, _ in flows]
            needed += [point_id for rate in self._rates for point_id, _ in rate.flows]
            electricity = [entry.meters[0] for entry in self._factors.of("auxiliary")]
            needed += [meter.point.id for meter in electricity]
            self._inputs = Inputs(config, needed)
            for line in lines:
                line.place(self._inputs)
        self._lines = [_LiveLine(line, self._factors) for line in lines]
        self._energy = [Totaliser() for _ in electricity]
        self._kwh = [
            (self._inputs.row[meter.point.id], meter.amount * _KWH_A_MWH * 10**ENERGY_DECIMALS)
            for meter in electricity
        ]
        self._gas_flows = [
            (self._inputs.row[point_id], _in_counts("anode_co2_t_h", factor))
            for point_id, factor in flows
        ]
        self._names = [point.id for point in self.points]
        self._day: Day | None = None
        self._last_ns = 0

    def feed(self, blocks: Sequence[Block]) -> Computed:
        """All blocks of one tick or one frame, later than all before.

        Args:
            blocks: one a schedule; everything that was read in their span of time.

        Returns:
            The computed points at schedule 0's ticks (none when no block is of schedule 0).
        """
        parts = []
        for day, part in by_day(self._days, blocks):
            self._enter(day)
            parts.append(self._feed_day(part))
        if len(parts) == 1:
            return parts[0]
        return Computed(
            np.concatenate([np.empty(0, dtype=np.int64), *(p.ticks_ns for p in parts)]),
            np.concatenate([self._empty(np.int64), *(p.counts for p in parts)], axis=1),
            np.concatenate([self._empty(np.uint8), *(p.quality for p in parts)], axis=1),
        )

    def _empty(self, dtype: type[np.generic]) -> Any:  # noqa: ANN401 - int64 or uint8 array
        return np.empty((len(self.points), 0), dtype=dtype)

    def _enter(self, day: Day) -> None:
        """Reset what starts anew with a day or a month."""
        if day == self._day:
            return
        if self._day is not None:
            self._energy = [Totaliser() for _ in self._energy]
            for line in self._lines:
                if day.month == self._day.month:
                    line.new_day()
                else:
                    line.new_month()
            if day.month != self._day.month:
                self._inputs.reset()
        self._day = day

    def _feed_day(self, blocks: Sequence[Block]) -> Computed:
        readings = self._inputs.align(self._inputs.decode(blocks))
        n = len(readings.ticks_ns)
        if n:
            self._last_ns = int(readings.ticks_ns[-1])
        values: dict[str, Values] = {}
        counts = np.zeros((len(self.points), n), dtype=np.int64)
        quality = np.full((len(self.points), n), Quality.NO_INPUT, dtype=np.uint8)
        row = 0
        for live in self._lines:
            line_values, ticks = live.feed(readings)
            values |= {f"{live.line.id}.{name}": v for name, v in line_values.items()}
            row += len(line_values)
            pots = slice(row, row + len(live.line.pots))
            counts[pots], quality[pots] = ticks.activity.running, given(ticks.known)
            row += len(live.line.pots)
        values |= self._plant_values(readings, values)
        for index, name in enumerate(self._names):
            if name in values:
                counts[index], quality[index] = values[name]
        counts[quality >= FIRST_BAD] = 0
        return Computed(readings.ticks_ns, counts, quality)

    def _plant_values(self, readings: Readings, lines: Mapping[str, Values]) -> dict[str, Values]:
        values = rate_values(self._rates, readings, self._inputs.row)
        n = len(readings.ticks_ns)
        if GAS in self._names:
            flows = [
                (scale(readings.counts[row], factor), given(readings.ok[row]))
                for row, factor in self._gas_flows
            ]
            values[GAS] = total(flows, n)
        if CO2E in self._names and self._lines:
            # the sum of the counts the page shows beside it; the PFC indicator is never in it
            parts = [
                lines[f"{live.line.id}.{name}"]
                for live in self._lines
                for name in ("anode_co2_t_h", "pfc_record_tco2e_h")
            ]
            parts += [values[GAS]] if GAS in values else []
            values[CO2E] = total(parts, n)
        if ENERGY in self._names:
            parts = []
            for (row, factor), totaliser in zip(self._kwh, self._energy, strict=True):
                ok = readings.ok[row]
                risen = totaliser.feed(readings.ticks_ns, readings.counts[row], ok)
                parts.append((scale(risen, factor), given(ok)))
            values[ENERGY] = total(parts, n)
        return values

    def effects(self) -> list[PotEffect]:
        """Effects that run or wait to be merged, and the latest finished ones, by start."""
        found = [
            live.line.named(effect)
            for live in self._lines
            for effect in [*live.recent, *live.line.detector.open_effects(self._last_ns)]
        ]
        return sorted(found, key=lambda e: (e.effect.start_ns, e.potline, e.pot))

    def cf4_kg(self, named: PotEffect) -> str | None:
        """CF4 of one of `effects`, kg with three decimals; None before any line current."""
        (live,) = (live for live in self._lines if live.line.id == named.potline)
        mass = live.cf4_kg(named.effect)
        return None if mass is None else rounded_text(mass, 3)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as maps, lists, integers and strings."""
        return {
            "day": self._day.start_ns if self._day is not None else None,
            "last": self._last_ns,
            "inputs": self._inputs.snapshot(),
            "lines": [live.snapshot() for live in self._lines],
            "energy": [totaliser.snapshot() for totaliser in self._energy],
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot of the same configuration."""
        self._day = self._days.day(snapshot["day"]) if snapshot["day"] is not None else None
        self._last_ns = snapshot["last"]
        self._inputs.restore(snapshot["inputs"])
        for live, state in zip(self._lines, snapshot["lines"], strict=True):
            live.restore(state)
        for totaliser, state in zip(self._energy, snapshot["energy"], strict=True):
            totaliser.restore(state)


def _over_pots(known: Bool) -> UInt8:
    """Quality [n] of what is counted over pots, of which `known` [pots][n] give something."""
    if known.all():
        return np.full(known.shape[1], Quality.GOOD, dtype=np.uint8)
    partial = np.where(known.any(axis=0), np.uint8(Quality.PARTIAL), np.uint8(Quality.NO_INPUT))
    return np.where(known.all(axis=0), np.uint8(Quality.GOOD), partial)


def _fuel_flows(factors: PlantFactors) -> Iterator[tuple[str, Fraction]]:
    """(point, tCO2 an hour per count of it) of every flow of a fuel."""
    for entry in factors.of("fuel"):
        for meter in entry.meters:
            if meter.flow is not None:
                yield meter.flow.id, meter.sign * meter.flow_amount * entry.co2_per_unit
