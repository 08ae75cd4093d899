"""One potline of the signed configuration: its pots, its rules, its coefficients, its detector.

The live calculation and the month fold both feed this; neither has a rule of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.effects.anode_effect import Activity, Detector, Effect
from edge.calc.effects.indicator import Indicator
from edge.calc.effects.pot import Rules
from edge.calc.effects.producing import over_pots
from edge.calc.errors import PlantError
from edge.calc.factors import rule_set
from edge.calc.inputs import Inputs, Readings, as_rows
from evidence.counts import count_to_text
from evidence.points import Point, exact

#: Pot states whose time is the denominator and whose effects are the numerator. Baking, start-up,
#: abnormal, bridged, stopped and unknown pots stand outside both: a start-up runs at 6–40 V for
#: hours on purpose. Whether "abnormal" belongs outside is plant practice, not a published rule.
PRODUCING_STATES = frozenset({"producing"})

_HOURS_A_DAY, _KG_A_TONNE, _MINUTES_A_DAY = 24, 1000, 1440
_CURRENT_KA = {"kA": Fraction(1), "A": Fraction(1, 1000)}


@dataclass(frozen=True)
class PotEffect:
    """An effect with the names of its pot and potline.

    Attributes:
        potline, pot: ids of the configuration.
        effect: times and sums in counts.
        decimals: of the voltage counts.
    """

    potline: str
    pot: str
    effect: Effect
    decimals: int

    def as_map(self) -> dict[str, Any]:
        """Plain values; voltages and the integral (V·s over target) as decimal strings."""
        e = self.effect
        return {
            "potline": self.potline, "pot": self.pot,
            "start_ns": e.start_ns, "end_ns": e.end_ns, "polarised_ns": e.polarised_ns,
            "integral_v_s": count_to_text(e.integral, self.decimals + 9),
            "v_max": count_to_text(e.v_max, self.decimals),
            "crossings": e.crossings, "flags": list(e.flags),
        }  # fmt: skip


@dataclass(frozen=True)
class LineTicks:
    """What the potline did at n ticks.

    Attributes:
        activity: from the detector.
        states: [state points][n] raw values; `Potline.state_of` says which is whose.
        states_ok: [state points][n] there is a usable one.
        at_work: [state points][n] it is a producing one.
        known: [pots][n] voltage and state of the pot are both usable.
        states_known: [pots][n] the state of the pot is usable.
        producing: [n] pots producing.
        current: [n] line current, counts.
        current_ok: [n] the current is usable.
    """

    activity: Activity
    states: Int64
    states_ok: Bool
    at_work: Bool
    known: Bool
    states_known: Bool
    producing: Int64
    current: Int64
    current_ok: Bool


class Potline:
    """One potline.

    Attributes:
        id: of the configuration.
        pots: pot ids in order.
        point_ids: every point the potline reads.
        decimals: of the voltage counts.
        detector: of its anode effects.
        interval_ns: between two samples of its voltages, by the configuration in force.
        state_of: each pot's state point, among those of the potline.
        state_names: of each state point, raw value -> name, in the configuration's order.
        metal_t_h: tonnes of metal an hour per (count of line current × producing pot).
        indicator: by which coefficients its indicator is made.
    """

    def __init__(
        self, config: Mapping[str, Any], fields: Mapping[str, Any], points: Mapping[str, Point]
    ) -> None:
        """Resolve the fields of a potline; `points` are all of the configuration, by id."""
        self.id: str = fields["id"]
        self.pots: list[str] = [pot["id"] for pot in fields["pots"]]
        if not self.pots:
            raise PlantError(f"potline {self.id}: has no pots")
        self._volt_ids: list[str] = [pot["voltage"] for pot in fields["pots"]]
        self._state_ids: list[str] = [pot["state"] for pot in fields["pots"]]
        # where pots share a state, it is looked at once
        place = {p: number for number, p in enumerate(dict.fromkeys(self._state_ids))}
        self._states_read = list(place)
        self.state_of = [place[p] for p in self._state_ids]
        self._pot_states = as_rows(self.state_of)
        self._current_id: str = fields["line_current"]
        self.point_ids = [*self._volt_ids, *self._state_ids, self._current_id]
        if missing := sorted({p for p in self.point_ids if p not in points}):
            raise PlantError(f"potline {self.id}: no such points: {' '.join(missing)}")
        self.decimals = self._voltage_decimals([points[p] for p in self._volt_ids])
        self._producing_values = self._producing([points[p] for p in self._states_read])
        self.state_names = [_names(points[p]) for p in self._states_read]
        self.interval_ns = int(config["schedules"][0]["interval_ns"])
        rules = Rules.from_config(fields["anode_effect"], self.decimals, self.interval_ns)
        self.detector = Detector(rules, len(self.pots))
        if not all(isinstance(name, str) for name in (self.id, *self.pots)):
            raise PlantError(f"potline {self.id}: ids must be text")
        self.indicator = self._indicator(fields, rule_set(config["plant"]["rule_set"]).tables)
        self.metal_t_h = self._metal_rate(
            points[self._current_id], fields["current_efficiency_percent"]
        )

    def _voltage_decimals(self, points: list[Point]) -> int:
        kinds = {(p.quantity.unit, p.decimals) for p in points}
        if len(kinds) != 1 or next(iter(kinds))[0] != "V":
            raise PlantError(f"potline {self.id}: pot voltages must all be in V, same decimals")
        return points[0].decimals

    def _producing(self, points: list[Point]) -> list[int]:
        if odd := [p.id for p in points if p.dtype.is_float or not p.counts_as_it_is]:
            raise PlantError(
                f"potline {self.id}: {odd[0]} is no state: its number is not its count"
            )
        values = {
            frozenset(raw for raw, name in p.states if name in PRODUCING_STATES) for p in points
        }
        if len(values) != 1 or not next(iter(values)):
            raise PlantError(
                f"potline {self.id}: pot states must all name the same raw values 'producing'"
            )
        return sorted(next(iter(values)))

    def _indicator(self, fields: Mapping[str, Any], tables: Sequence[str]) -> Indicator:
        try:
            return Indicator.from_config(fields, tables)
        except PlantError as error:
            raise PlantError(f"potline {self.id}: {error}") from error

    def _metal_rate(self, current: Point, efficiency_percent: str) -> Fraction:
        if current.quantity.unit not in _CURRENT_KA:
            raise PlantError(f"potline {self.id}: line_current must be in kA or A")
        efficiency = exact(efficiency_percent)
        if not 50 <= efficiency <= 100:  # percent: 0.945 would make 1 % of the metal
            raise PlantError(
                f"potline {self.id}: current_efficiency_percent {efficiency_percent!r} is not a "
                "percentage between 50 and 100"
            )
        faraday = rule_set("physics").row("aluminium.faraday").value  # kg/(kA·d)
        per_ka = faraday * efficiency / 100 / _HOURS_A_DAY / _KG_A_TONNE
        return Fraction(per_ka * _CURRENT_KA[current.quantity.unit] / 10**current.decimals)

    def cf4_now_kg_h(self) -> Fraction:
        """CF4 in kg an hour per (count of line current × running effect).

        The slope formula with AEM = running ÷ producing pots × 1,440 min/d; the producing pots
        cancel against the metal rate, so its time integral is the slope formula.
        """
        return self.indicator.cf4 * _MINUTES_A_DAY * self.metal_t_h

    def read_as(self, other: "Potline", inputs: Inputs) -> None:
        """Go on with the inputs and the interval of another configuration's same potline."""
        self.place(inputs)
        self.interval_ns = other.interval_ns
        self.detector.use(other.detector.rules)

    def place(self, inputs: Inputs) -> None:
        """Look up the rows of this potline's points; voltages must be on schedule 0."""
        if any(inputs.schedule_of(p) != 0 for p in self._volt_ids):
            raise PlantError(f"potline {self.id}: pot voltages must be read on schedule 0")
        self._volts = as_rows([inputs.row[p] for p in self._volt_ids])
        self._states = as_rows([inputs.row[p] for p in self._states_read])
        self._current = inputs.row[self._current_id]

    def feed(self, readings: Readings) -> LineTicks:
        """Advance by the ticks of `readings` (aligned to schedule 0)."""
        ok, states = readings.ok[self._states], readings.counts[self._states]
        states_ok = ok[self._pot_states]
        known = readings.ok[self._volts] & states_ok
        at_work = np.zeros_like(ok)
        for value in self._producing_values:
            at_work |= states == value
        at_work &= ok
        producing = at_work[self._pot_states]
        activity = self.detector.feed(
            readings.ticks_ns, readings.counts[self._volts], known, producing
        )
        return LineTicks(
            activity,
            states,
            ok,
            at_work,
            known,
            states_ok,
            over_pots(producing),
            readings.counts[self._current],
            readings.ok[self._current],
        )

    def named(self, effect: Effect) -> PotEffect:
        """An effect with its names."""
        return PotEffect(self.id, self.pots[effect.pot], effect, self.decimals)


def _names(state: Point) -> dict[int, str]:
    """Raw value -> name; the first, where one has several."""
    names: dict[int, str] = {}
    for raw, name in state.states:
        names.setdefault(raw, name)
    return names
