"""Live values against a plain per-tick transcription of what each of them means.

The transcription keeps lists of samples and recounts everything from the start of the day at
every tick, with fractions and no arrays; its anode effects come from their own small loop. It is
slow, obvious, and shares nothing with the calculation but the rounding rule.
"""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings

from edge.calc.folds.live import PlantCalc
from evidence.counts import round_half_away
from tests.property.calc.plant_stories import CONFIG, MIDNIGHT, MONTH_END, S, Series, stories

Value = int | None

FARADAY = Fraction("8.0537")
METAL = FARADAY * Fraction("93.7") / 100 / 24 / 1000  # t/h per kA and pot
ANODE = Fraction("471.5") / 1000 * Fraction("0.8482") * Fraction("0.976") * 44 / 12
RECORD = (Fraction("0.02") * 6630 + Fraction("0.0011") * 11_100) / 1000
GAS = Fraction("389.310") * Fraction("0.01532") * Fraction("0.99") * 44 / 12 / 10_000
SLOPE, FRACTION = Fraction("0.143"), Fraction("0.121")  # CWPB, IPCC 2006
GWP = (7380, 12_400)  # AR6
V_START, V_END, T_START, T_END, T_MERGE = 8000, 7000, 2 * S, 1 * S, 6 * S


class Pot:
    """One pot, sample by sample: when it is running, and what became known when."""

    def __init__(self) -> None:
        self.rise: list[tuple[int, int]] = []  # samples of an unconfirmed rise
        self.running = False
        self.ended_ns: int | None = None  # last effect's end, while a rise may still join it
        self.dip_ns: int | None = None
        self.last: tuple[int, int, bool] | None = None
        self.started: list[int] = []  # ticks at which an effect was confirmed
        self.polarised: list[tuple[int, int]] = []  # (tick it became known, ns)
        self.produced: list[tuple[int, int]] = []

    def see(self, tick: int, volts: int, producing: bool) -> None:
        before, self.last = self.last, (tick, volts, producing)
        if before is not None and tick - before[0] <= T_MERGE:
            if before[2]:
                self.produced.append((tick, tick - before[0]))
            if self.running and before[1] >= V_END:
                self.polarised.append((tick, tick - before[0]))
        elif before is not None:
            self._forget()
        if not producing:
            self._forget()
        elif self.running:
            self._look_for_the_end(tick, volts)
        else:
            self._look_for_a_rise(tick, volts)

    def _forget(self) -> None:
        self.rise, self.running, self.ended_ns, self.dip_ns = [], False, None, None

    def _look_for_the_end(self, tick: int, volts: int) -> None:
        if volts >= V_END:
            self.dip_ns = None
            return
        self.dip_ns = tick if self.dip_ns is None else self.dip_ns
        if tick - self.dip_ns >= T_END:
            self.running, self.ended_ns, self.dip_ns = False, self.dip_ns, None

    def _look_for_a_rise(self, tick: int, volts: int) -> None:
        if volts < V_START:
            self.rise = []
            return
        self.rise.append((tick, volts))
        first = self.rise[0][0]
        if tick - first < T_START:
            return
        joins = self.ended_ns is not None and first < self.ended_ns + T_MERGE
        if not joins:
            self.started.append(tick)
        if tick > first:
            self.polarised.append((tick, tick - first))
        self.rise, self.running, self.ended_ns = [], True, None


def counts_of(series: Series, group: int, row: int, factor: int) -> list[int | None]:
    """A point's counts, None where there is no value: rounding of floats as FORMAT.md says."""
    result: list[int | None] = []
    for raw, quality in zip(series.raw[group][row], series.quality[group][row], strict=True):
        number = float(raw)
        if quality >= 128 or not np.isfinite(number):
            result.append(None)
        else:
            scaled = number * factor
            result.append(int(np.sign(scaled) * np.floor(abs(scaled) + 0.5)))
    return result


def held(ticks: list[int], values: list[int | None], now: int, from_ns: int) -> int | None:
    """The latest slow reading of this month not after now and at most two intervals old."""
    past = [(t, v) for t, v in zip(ticks, values, strict=True) if from_ns <= t <= now]
    if not past or now - past[-1][0] > 10 * S:
        return None
    return past[-1][1]


def transcribe(series: Series) -> dict[int, dict[str, Value]]:
    """Every computed value of every tick."""
    fast, slow = series.ticks[0].tolist(), series.ticks[1].tolist()
    volts = [counts_of(series, 0, pot, 1000) for pot in range(2)]
    states = [counts_of(series, 1, pot, 1) for pot in range(2)]
    current = counts_of(series, 2, 0, 1000)
    energy, flow = counts_of(series, 3, 1, 10), counts_of(series, 4, 0, 10)
    result = {}
    pots, month_ns = [Pot(), Pot()], 0
    day_energy: list[int] = []
    for j, tick in enumerate(fast):
        day_ns = MIDNIGHT + (tick - MIDNIGHT) // (86_400 * S) * 86_400 * S
        if tick >= MONTH_END > (fast[j - 1] if j else tick):
            pots, month_ns = [Pot(), Pot()], MONTH_END
        if j and fast[j - 1] < day_ns:
            day_energy = []
        known = []
        for pot in range(2):
            v, s = volts[pot][j], states[pot][j]
            known.append(v is not None and s is not None)
            if v is not None and s is not None:
                pots[pot].see(tick, v, s == 1)
        meter = held(slow, energy, tick, month_ns)
        if meter is not None:
            day_energy.append(meter)
        values = of_the_line(pots, known, [states[pot][j] for pot in range(2)], current[j], day_ns)
        gas = held(slow, flow, tick, month_ns)
        values["plant.gas_co2_t_h"] = to_count(None if gas is None else gas * GAS / 10)
        parts = [
            values[k] for k in ("l.anode_co2_t_h", "l.pfc_record_tco2e_h", "plant.gas_co2_t_h")
        ]
        given_parts = [p for p in parts if p is not None]
        values["plant.co2e_t_h"] = sum(given_parts) if len(given_parts) == 3 else None
        rise = sum(max(b - a, 0) for a, b in pairwise(day_energy))
        values["plant.energy_day_kwh"] = None if meter is None else rise * 100 * 1000
        result[tick] = values
    return result


def to_count(value: Fraction | None, decimals: int = 6) -> Value:
    return None if value is None else round_half_away(value * 10**decimals)


def of_the_line(
    pots: list[Pot], known: list[bool], states: list[int | None], current: int | None, day_ns: int
) -> dict[str, Value]:
    producing = sum(s == 1 for s in states) if None not in states else None
    running = sum(p.running for p in pots)
    effects = sum(t >= day_ns for p in pots for t in p.started)
    polarised = sum(ns for p in pots for t, ns in p.polarised if t >= day_ns)
    produced = sum(ns for p in pots for t, ns in p.produced if t >= day_ns)
    days, minutes = Fraction(produced, 86_400 * S), Fraction(polarised, 60 * S)
    amps = None if current is None else Fraction(current, 1000)
    metal = None if amps is None or producing is None else METAL * amps * producing
    burning = None if amps is None or not all(known) else amps * running
    cf4 = None if burning is None else SLOPE * 1440 * METAL * burning
    co2e = None if cf4 is None else cf4 * (GWP[0] + FRACTION * GWP[1]) / 1000
    values: dict[str, Value] = {
        "l.producing": producing,
        "l.effects_running": running if all(known) else None,
        "l.aef_day": to_count(effects / days if days else None, 4),
        "l.aed_day": to_count(minutes / effects if effects else None, 4),
        "l.aem_day": to_count(minutes / days if days else None, 4),
        "l.metal_t_h": to_count(metal),
        "l.cf4_now_kg_h": to_count(cf4),
        "l.c2f6_now_kg_h": to_count(None if cf4 is None else cf4 * FRACTION),
        "l.pfc_indicator_tco2e_h": to_count(co2e),
        "l.pfc_record_tco2e_h": to_count(None if metal is None else metal * RECORD),
        "l.anode_co2_t_h": to_count(None if metal is None else metal * ANODE),
    }
    for name, pot, pot_known in zip(("01", "02"), pots, known, strict=True):
        values[f"l.pot-{name}.effect"] = int(pot.running) if pot_known else None
    return values


@settings(max_examples=60, deadline=None)
@given(story=stories())
def test_every_live_value_of_every_tick(story: tuple[Series, list[int]]) -> None:
    series, edges = story
    calc = PlantCalc(CONFIG)
    ids = [point.id for point in calc.points]
    expected: dict[int, dict[str, Any]] = transcribe(series)
    seen = []
    for first, last in pairwise(edges):
        computed = calc.feed(series.between(first, last))
        for column, tick in enumerate(computed.ticks_ns.tolist()):
            found = {
                point_id: int(computed.counts[row, column])
                if computed.quality[row, column] == 0 else None
                for row, point_id in enumerate(ids)
            }  # fmt: skip
            assert found == expected[tick]
            seen.append(tick)
    assert seen == list(expected)
