"""A line of aluminium pots in series: alumina, anode effects, metal, tapping, start-up.

What is modelled: the alumina of each pot as a mass balance (feeder in, Faraday out); an anode
effect starts when it falls below critical and ends when the controller's quench feed has brought
it back; voltage = reversal + resistance × current + a term for alumina + noise, and 20..40 V with
flicker during an effect; metal by Faraday's law times current efficiency; tapping; one pot in
start-up and one bridged. What is not: temperature, bath chemistry, the metal an effect costs.

Pure: steps are counted, randomness is seeded, events go to the caller. No I/O, no clock.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simulators.faraday import ALUMINA_KG_KG, METAL_KG_KAH
from simulators.scenario import Scenario
from simulators.tapping import Mask, Tapping
from simulators.waves import BlockNoise, Floats, SlowWave

#: Pot states as the pot gateway's profile names them.
PRODUCING, START_UP, BRIDGED = 1, 3, 5

_DAY_S = 86400.0

#: How strongly the feeder pulls alumina back to its set point, feeds a relative deviation.
_FEEDER_GAIN = 4.0

#: Seconds in which the line's current follows a change of its load to two thirds.
_CURRENT_LAG_S = 1.0

#: A step so long ago that every pot has rested since.
_LONG_AGO = -(2**40)


@dataclass(frozen=True)
class Happening:
    """Something the ground truth must hold.

    Attributes:
        kind: effect-start, effect-end, state or tap.
        step: the physical step at which it is first so.
        pot: 0-based index.
        figures: what else belongs to it, by name.
    """

    kind: str
    step: int
    pot: int
    figures: dict[str, float | int] = field(default_factory=dict)


@dataclass
class Effect:
    """A running anode effect.

    Attributes:
        number: counts from 1 in the order of starts.
        start_step: first step above the threshold.
        peak_v: greatest voltage so far.
    """

    number: int
    start_step: int
    peak_v: float = 0.0


class Potline:
    """All pots of one line; every array has one element a pot."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        pots: int,
        seed: np.random.SeedSequence,
        happened: Callable[[Happening], None],
    ) -> None:
        self._figures = scenario
        self._dt_s = float(scenario.step_s)
        self._happened = happened
        pot_seed, noise_seed, flicker_seed, event_seed, hot_seed = seed.spawn(5)
        self._rng = np.random.default_rng(event_seed)
        self._noise = BlockNoise(np.random.default_rng(noise_seed), pots, kind="normal")
        self._flicker = BlockNoise(np.random.default_rng(flicker_seed), pots, kind="uniform")
        line, hot = scenario.line, scenario.start_up
        self._sigma_v: Floats = (
            np.random.default_rng(pot_seed).uniform(line.noise_least_mv, line.noise_most_mv, pots)
            * 1e-3
        )
        self._hot = SlowWave(
            np.random.default_rng(hot_seed),
            low=hot.least_v,
            high=hot.most_v,
            period_steps=round(hot.period_s / self._dt_s),
        )
        self.step_number = 0
        self.current_ka = line.current_ka
        self._dip = 0.0
        self._place_pots(pots)
        self._arm_effects(pots)
        self.tapping = Tapping(
            scenario.tap,
            producing=self._producing,
            step_s=self._dt_s,
            metal_kg_s=self._metal_kg_s(line.current_ka),
        )
        self.voltage_v: Floats = np.zeros(pots)
        self._volts()

    def _place_pots(self, pots: int) -> None:
        self.state: npt.NDArray[np.uint8] = np.full(pots, PRODUCING, dtype=np.uint8)
        self.start_up_pot, self.bridged_pot = pots // 3, 2 * pots // 3
        self.state[self.start_up_pot] = START_UP
        self.state[self.bridged_pot] = BRIDGED
        self._producing: Mask = self.state == PRODUCING
        alumina = self._figures.alumina
        self._percent_kg = 100.0 / alumina.bath_kg
        self.alumina_kg: Floats = np.full(pots, alumina.set_percent / self._percent_kg)
        self.fed_kg: Floats = np.zeros(pots)
        self.metal_kg: Floats = np.zeros(pots)

    def _arm_effects(self, pots: int) -> None:
        self.effects: dict[int, Effect] = {}
        self.effects_started = 0
        self._in_effect: Mask = np.zeros(pots, dtype=bool)
        self._blocked: Mask = np.zeros(pots, dtype=bool)
        # The order in which a rhythm goes through the pots: those that rested longest first.
        self._end_step: npt.NDArray[np.int64] = _LONG_AGO + self._rng.permutation(pots)
        self._answer_step: npt.NDArray[np.int64] = np.zeros(pots, dtype=np.int64)
        self._quench_kg_s: Floats = np.zeros(pots)
        self._plateau_v: Floats = np.zeros(pots)
        self._after_v: Floats = np.zeros(pots)
        random = self._figures.blockage.per_pot_day > 0
        self._next_blockage = self._gap_steps() if random else 0

    @property
    def line_voltage_v(self) -> float:
        """Voltage over the whole line: all pots and the busbars between them."""
        pots_v = math.fsum(self.voltage_v.tolist())
        return pots_v + self.voltage_v.size * self._figures.line.busbar_v

    def step(self, deviation: float) -> None:
        """One physical step; `deviation` is the slow part of the current's, a fraction."""
        self.step_number += 1
        self._current(deviation)
        self._masses()
        if self.step_number >= self._next_blockage:
            self._next_blockage = self.step_number + self._gap_steps()
            self._block()
        self._start_effects()
        self._end_effects()
        taps = self.tapping.step(self.step_number, producing=self._producing, busy=self._in_effect)
        for pot, kg in taps:
            self._happened(Happening("tap", self.step_number, pot, {"metal_kg": kg}))
        self._end_start_up()
        self._volts()

    def _metal_kg_s(self, current_ka: float) -> float:
        return METAL_KG_KAH * current_ka * self._figures.line.current_efficiency / 3600.0

    def _current(self, deviation: float) -> None:
        line = self._figures.line
        wanted = min(line.effect_dip_most, line.effect_dip * len(self.effects))
        self._dip += (wanted - self._dip) * min(1.0, self._dt_s / _CURRENT_LAG_S)
        self.current_ka = line.current_ka * (1.0 + deviation) * (1.0 - self._dip)

    def _masses(self) -> None:
        """The mass balance of one step: feeder or quench in, Faraday's law out."""
        made_kg = self._metal_kg_s(self.current_ka) * self._dt_s
        set_kg = self._figures.alumina.set_percent / self._percent_kg
        wanted = 1.0 + _FEEDER_GAIN * (1.0 - self.alumina_kg / set_kg)
        feed = made_kg * ALUMINA_KG_KG * np.minimum(np.maximum(wanted, 0.0), 2.0)
        quenching = self._in_effect & (self.step_number >= self._answer_step)
        feed = np.where(self._blocked, self._quench_kg_s * self._dt_s * quenching, feed)
        feed *= self._producing
        made = made_kg * self._producing
        self.fed_kg += feed
        self.alumina_kg += feed - made * ALUMINA_KG_KG
        self.metal_kg += made
        self.tapping.held_kg += made

    def _block(self) -> None:
        """A feeder hole blocks; the quench will break it open again."""
        figures = self._figures.blockage
        rested = self.step_number - self._end_step >= round(figures.rest_s / self._dt_s)
        ready = np.flatnonzero(self._producing & ~self._blocked & rested)
        if not ready.size:
            return
        random = figures.per_pot_day > 0
        pot = self._rng.choice(ready) if random else ready[np.argmin(self._end_step[ready])]
        self._blocked[pot] = True

    def _gap_steps(self) -> int:
        figures = self._figures.blockage
        if figures.per_pot_day > 0:
            mean_s = _DAY_S / (figures.per_pot_day * max(1, int(self._producing.sum())))
            gap_s = float(self._rng.standard_exponential()) * mean_s
        else:
            gap_s = float(self._rng.uniform(figures.gap_least_s, figures.gap_most_s))
        return max(1, round(gap_s / self._dt_s))

    def _start_effects(self) -> None:
        critical_kg = self._figures.alumina.critical_percent / self._percent_kg
        starved = self._producing & ~self._in_effect & (self.alumina_kg < critical_kg)
        if not starved.any():
            return
        effect = self._figures.effect
        nominal_kg_s = self._metal_kg_s(self._figures.line.current_ka) * ALUMINA_KG_KG
        for pot in np.flatnonzero(starved).tolist():
            spread = self._rng.uniform(1.0 - effect.quench_spread, 1.0 + effect.quench_spread)
            self._quench_kg_s[pot] = nominal_kg_s * effect.quench_feed * spread
            self._plateau_v[pot] = self._rng.uniform(effect.plateau_least_v, effect.plateau_most_v)
            self._answer_step[pot] = self.step_number + round(effect.answer_s / self._dt_s)
            self._in_effect[pot] = self._blocked[pot] = True
            self.effects_started += 1
            self.effects[pot] = Effect(self.effects_started, self.step_number)
            number: dict[str, float | int] = {"effect": self.effects_started}
            self._happened(Happening("effect-start", self.step_number, pot, number))

    def _end_effects(self) -> None:
        quenched_kg = self._figures.effect.quenched_percent / self._percent_kg
        for pot in [p for p in self.effects if self.alumina_kg[p] >= quenched_kg]:
            effect = self.effects.pop(pot)
            self._in_effect[pot] = self._blocked[pot] = False
            self._end_step[pot] = self.step_number
            self._after_v[pot] = self._figures.effect.after_v
            figures: dict[str, float | int] = {
                "effect": effect.number, "start_step": effect.start_step, "peak_v": effect.peak_v
            }  # fmt: skip
            self._happened(Happening("effect-end", self.step_number, pot, figures))

    def _end_start_up(self) -> None:
        pot, figures = self.start_up_pot, self._figures.start_up
        end_s = figures.hot_s + figures.settle_s
        if self.state[pot] == START_UP and self.step_number * self._dt_s >= end_s:
            self.state[pot] = PRODUCING
            self._producing = self.state == PRODUCING
            self._happened(Happening("state", self.step_number, pot, {"state": PRODUCING}))

    def _volts(self) -> None:
        """Voltages of this step, from all that the step has changed."""
        line, alumina = self._figures.line, self._figures.alumina
        noise = self._noise.next() * self._sigma_v
        ohmic_v = (line.pot_v - line.reversal_v) * self.current_ka / line.current_ka
        away = self.alumina_kg * self._percent_kg - alumina.best_percent
        well = line.reversal_v + ohmic_v + alumina.away_v * away * away
        well += self._after_v + self.tapping.dip_v + noise
        self._after_v *= 1.0 - min(1.0, self._dt_s / self._figures.effect.after_s)
        bad = self._plateau_v + self._figures.effect.flicker_v * self._flicker.next()
        self.voltage_v = np.where(self._in_effect, bad, well)
        self.voltage_v[self.bridged_pot] = 0.05 * noise[self.bridged_pot]
        if self.state[self.start_up_pot] == START_UP:
            self.voltage_v[self.start_up_pot] = self._hot_v() + noise[self.start_up_pot]
        for pot, effect in self.effects.items():
            effect.peak_v = max(effect.peak_v, float(self.voltage_v[pot]))

    def _hot_v(self) -> float:
        figures = self._figures.start_up
        hot_v = self._hot.next()
        return figures.settled_v if self.step_number * self._dt_s >= figures.hot_s else hot_v
