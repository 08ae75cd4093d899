"""Readings of a smelter's simulated month, an hour at a time for all points at once.

What is modelled is what matters to size and speed of evidence: transmitters with slow wander and a
little noise, floats whose last digits never stand still, counters that follow a flow, pots that
run into an anode effect now and then, a station that does not answer for some seconds. It is not
the plant of `simulators.plant`, which takes every physical step. It goes by seconds whatever the
interval of reading is: who reads once a minute sees every sixtieth of the same values. Sums and
products only, so that one seed gives one month on every processor. Pure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evidence.quality import Quality
from simulators.faraday import METAL_KG_KAH
from simulators.month_plant import HOUR_S, Hour, Raw
from simulators.month_smelter import DEVICES, Mix
from simulators.played import TruthLine
from simulators.scenario import Scenario

_DAY_HOURS = 24
_WANDER_S = 600
_EFFECT_LEAST_S, _EFFECT_MOST_S = 40, 180
#: anode effects a pot-day for a scenario that has them by rhythm, to show them all the time
_EFFECTS_POT_DAY = 0.2

Floats = npt.NDArray[np.float32]


class Signals:
    """Everything the plant's meters show, hour after hour."""

    def __init__(self, scenario: Scenario, mix: Mix, seed: int, interval_s: int = 1) -> None:
        self._scenario, self._mix, self._interval_s = scenario, mix, interval_s
        self._hours, self._effects_told = 0, 0
        self._truth: list[TruthLine] = []
        self._rng = np.random.default_rng(seed)
        rows = mix.narrow + mix.wide + mix.floats + mix.counters
        line = scenario.line
        draw = self._rng.uniform
        self._noise: Floats = np.concatenate([
            draw(0.4, 2.0, mix.narrow),  # of 4,096 steps
            draw(2.0, 12.0, mix.wide),  # of 27,648 steps
            draw(line.noise_least_mv, line.noise_most_mv, mix.pots) / 1000,
            draw(0.0005, 0.005, mix.floats - mix.pots),  # fractions of the value
            np.zeros(mix.counters),
        ]).astype(np.float32)  # fmt: skip
        self._low, self._high = self._ranges(rows)
        self._anchor = self._turn()
        self._totals = draw(1e6, 1e8, mix.counters)
        self._start = self._totals[:3].copy()

    def _ranges(self, rows: int) -> tuple[Floats, Floats]:
        """Between which values each row wanders."""
        mix, figures = self._mix, self._scenario
        low, high = np.empty(rows, dtype=np.float32), np.empty(rows, dtype=np.float32)
        at = 0
        for count, full in ((mix.narrow, 4096), (mix.wide, 27648)):
            middle = self._rng.uniform(0.2 * full, 0.8 * full, count)
            low[at : at + count], high[at : at + count] = middle - full / 50, middle + full / 50
            at += count
        pots, line = slice(at, at + mix.pots), figures.line
        low[pots], high[pots] = line.pot_v - 0.05, line.pot_v + 0.05
        at += mix.pots
        volts = (line.pot_v + line.busbar_v) * mix.pots
        others = [
            (line.current_ka * (1 - line.variation), line.current_ka * (1 + line.variation)),
            (volts * 0.99, volts * 1.01),
            (figures.gas.flow_least_nm3_h, figures.gas.flow_most_nm3_h),
            (figures.electricity.power_least_kw, figures.electricity.power_most_kw),
        ]
        middles = self._rng.uniform(1, 100, mix.floats - mix.pots - len(others))
        others += [(0.9 * m, 1.1 * m) for m in middles.tolist()]
        for number, (least, most) in enumerate(others):
            low[at + number], high[at + number] = least, most
        at += len(others)
        rates = self._rng.uniform(0.1, 20, rows - at)  # units a second
        low[at:], high[at:] = 0.8 * rates, 1.2 * rates
        return low, high

    def _turn(self) -> Floats:
        return self._rng.uniform(self._low, self._high).astype(np.float32)

    def hour(self) -> Hour:
        """The next hour."""
        mix = self._mix
        values = self._wander()
        ends = np.cumsum([mix.narrow, mix.wide, mix.floats])
        narrow, wide, floats, rates = np.split(values, ends)
        noise = self._rng.standard_normal((int(ends[-1]), HOUR_S), dtype=np.float32)
        noise *= self._noise[: int(ends[-1]), None]
        narrow += noise[: mix.narrow]
        wide += noise[mix.narrow : mix.narrow + mix.wide]
        floats[: mix.pots] += noise[ends[1] : ends[1] + mix.pots]
        floats[mix.pots :] *= 1 + noise[ends[1] + mix.pots :]
        self._effects(floats[: mix.pots])
        raw: tuple[Raw, ...] = (
            np.clip(np.rint(narrow), 0, 4095).astype("<u2"),
            np.clip(np.rint(wide), 0, 27648).astype("<i2"),
            floats.astype("<f4"),
            self._counters(floats, rates),
            np.ones((mix.states, HOUR_S), dtype="<u1"),
        )
        lag = self._rng.integers(20, 60, (DEVICES, HOUR_S), dtype=np.int32)
        read, quality = slice(None, None, self._interval_s), self._silence(raw)
        self._hours += 1
        if self._hours % _DAY_HOURS == 0:
            self._truth.append({"type": "totals", **self._told()})
        truth, self._truth = tuple(self._truth), []
        return Hour(
            tuple(np.ascontiguousarray(group[:, read]) for group in raw),
            tuple(np.ascontiguousarray(group[:, read]) for group in quality),
            np.ascontiguousarray(lag[:, read]),
            truth,
        )

    def finish(self) -> Sequence[TruthLine]:
        """The last line of the truth."""
        return [{"type": "end", **self._told()}]

    def _told(self) -> dict[str, object]:
        """Since the start, by the flows behind the counters and not by the counters."""
        names = ("metal_made_kg", "gas_volume_nm3", "ac_energy_kwh")
        moved = (self._totals[:3] - self._start).tolist()
        totals = {name: f"{value:.3f}" for name, value in zip(names, moved, strict=True)}
        return {"t_s": str(self._hours * HOUR_S), **totals, "effects": self._effects_told}

    def _wander(self) -> Floats:
        """Straight lines between a value every ten minutes."""
        part = (np.arange(_WANDER_S, dtype=np.float32) / _WANDER_S)[None, :]
        pieces = []
        for _ in range(HOUR_S // _WANDER_S):
            begin, self._anchor = self._anchor, self._turn()
            pieces.append(begin[:, None] + (self._anchor - begin)[:, None] * part)
        return np.concatenate(pieces, axis=1)

    def _effects(self, volts: Floats) -> None:
        """Anode effects, each within its hour."""
        rate = self._scenario.blockage.per_pot_day or _EFFECTS_POT_DAY
        figures = self._scenario.effect
        starts = self._rng.random(len(volts)) < rate / 24
        for pot in np.flatnonzero(starts).tolist():
            length = int(self._rng.integers(_EFFECT_LEAST_S, _EFFECT_MOST_S))
            first = int(self._rng.integers(0, HOUR_S - length))
            plateau = self._rng.uniform(figures.plateau_least_v, figures.plateau_most_v)
            flicker = self._rng.uniform(-figures.flicker_v, figures.flicker_v, length)
            volts[pot, first : first + length] = plateau + flicker
            self._effects_told += 1
            self._truth.append({
                "type": "effect", "t_s": str(self._hours * HOUR_S + first),
                "pot": f"{pot + 1:03}", "duration_s": str(length),
            })  # fmt: skip

    def _counters(self, floats: Floats, rates: Floats) -> Raw:
        """Metal follows the current, gas and energy their flows, the others their rates."""
        line = self._scenario.line
        current, _, gas, power = floats[self._mix.pots : self._mix.pots + 4]
        metal = METAL_KG_KAH * line.current_efficiency * self._mix.pots / HOUR_S
        rates[0], rates[1], rates[2] = current * metal, gas / HOUR_S, power / HOUR_S
        shown = np.cumsum(rates, axis=1, dtype=np.float64) + self._totals[:, None]
        self._totals = shown[:, -1]
        return (shown % 2**32).astype("<u4")

    def _silence(self, raw: tuple[Raw, ...]) -> tuple[npt.NDArray[np.uint8], ...]:
        """All good, but for one station's transmitters that do not answer for some seconds."""
        quality = tuple(np.zeros(group.shape, dtype=np.uint8) for group in raw)
        station = int(self._rng.integers(0, DEVICES))
        rows = slice(station, None, DEVICES)
        first, length = int(self._rng.integers(0, HOUR_S - 30)), int(self._rng.integers(1, 30))
        quality[0][rows, first : first + length] = Quality.NO_ANSWER
        raw[0][rows, first : first + length] = 0
        return quality
