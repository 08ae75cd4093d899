"""A whole kiln line, step by step, with its ground truth (`TRUTH.md` has the schema).

Pure: no I/O, no clock.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import numpy as np

from simulators.amounts import kg, mass_ug
from simulators.fuels import PPM_PERCENT, fuel_of
from simulators.gas import Gas
from simulators.kiln import readings
from simulators.kiln.burning import Burning, Fed, Made
from simulators.kiln.feed_meter import FeedMeter
from simulators.kiln.figures import KilnScenario, MealFigures
from simulators.kiln.materials import RawMeal
from simulators.kiln.mill import Mill, Milled
from simulators.kiln.silos import Silos
from simulators.kiln.totals import Totals
from simulators.played import TruthLine
from simulators.served import Readings
from simulators.waves import SlowWave

TRUTH_FORMAT = 1


class Kiln:
    """A kiln line that is played from a scenario and a seed; at step 0 when it is made."""

    def __init__(
        self, scenario: KilnScenario, *, seed: int, record: Callable[[TruthLine], None]
    ) -> None:
        self.scenario = scenario
        self._record = record
        self.step_number = 0
        self._dt_s = float(scenario.step_s)
        self._totals_steps = max(1, round(scenario.totals_s / scenario.step_s))
        feed, coal, alternative, tape = np.random.SeedSequence(seed).spawn(4)
        meal, burning = scenario.meal, scenario.burning
        self._feed = self._wave(feed, meal.feed_least_t_h, meal.feed_most_t_h)
        self._coal = self._wave(coal, burning.kiln_coal_least_t_h, burning.kiln_coal_most_t_h)
        self._alternative = self._wave(
            alternative, burning.alternative_least_t_h, burning.alternative_most_t_h
        )
        self.alternative_fuel = fuel_of(scenario.alternative)
        self.burning = Burning(
            burning, meal=meal_of(meal), coal=fuel_of(scenario.coal),
            alternative=self.alternative_fuel, step_s=self._dt_s,
        )  # fmt: skip
        self.mill = Mill(scenario.mill, step_s=self._dt_s)
        self.silos = Silos(scenario.silos, local_start=scenario.local_start, seed=tape)
        self.feed_meter = FeedMeter(meal, step_s=self._dt_s)
        self.totals = Totals()
        self.flows = readings.Flows()
        self.stack = Gas()
        self._head(seed)
        self._advance()  # what is shown at step 0 is what the first step does
        self._record({"type": "totals", **self._now()})

    @property
    def step_s(self) -> Decimal:
        """Seconds a physical step."""
        return self.scenario.step_s

    @property
    def publish_steps(self) -> int:
        """Servers show every so manyeth step."""
        return self.scenario.publish_steps

    def step(self) -> None:
        """One physical step; the truth of it is recorded before it ends."""
        self.step_number += 1
        was = self.mill.state
        self._advance()
        if self.mill.state != was:
            self._record({"type": "mill", "t_s": self._t_s, "state": self.mill.state})
        for tape in self.silos.tapes(self._elapsed):
            self._record(
                {
                    "type": "tape", "t_s": self._t_s, "local": self._local, "silo": tape.silo,
                    "depth_m": f"{tape.depth_m:.2f}", "taped_t": f"{tape.taped_t:.1f}",
                    "clinker_kg": kg(tape.true_ug),
                }
            )  # fmt: skip
        if self.step_number % self._totals_steps == 0:
            self._record({"type": "totals", **self._now()})

    def finish(self) -> None:
        """The last line of the truth."""
        self._record({"type": "end", **self._now()})

    def readings(self) -> dict[str, Readings]:
        """What each device shows now, by device id."""
        return readings.readings_of(self)

    def _advance(self) -> None:
        """The flows of this step, and all that comes of them."""
        meal_t_h = self._feed.next()
        self.flows = flows = readings.Flows(
            meal_t_h=meal_t_h,
            kiln_coal_t_h=self._coal.next(),
            calciner_coal_t_h=self.burning.calciner_coal_t_h(),
            alternative_t_h=self._alternative.next(),
        )
        self.feed_meter.step(self.step_number, meal_t_h)
        meal_ug = mass_ug(meal_t_h, self._dt_s)
        fed = Fed(
            meal_ug=meal_ug,
            dust_ug=meal_ug * round(self.scenario.meal.dust_percent * 1000) // 100_000,
            kiln_coal_ug=mass_ug(flows.kiln_coal_t_h, self._dt_s),
            calciner_coal_ug=mass_ug(flows.calciner_coal_t_h, self._dt_s),
            alternative_ug=mass_ug(flows.alternative_t_h, self._dt_s),
        )
        made = self.burning.step(fed)
        milled = self.mill.step(self.step_number, made.gas)
        self.stack = milled.gas
        self._store(fed, made, milled)

    def _store(self, fed: Fed, made: Made, milled: Milled) -> None:
        despatched = self.silos.step(
            meal_ug=milled.meal_ug + fed.dust_ug - fed.meal_ug,
            clinker_ug=made.clinker_ug,
            despatch_ug=mass_ug(self.scenario.silos.despatch_t_h, self._dt_s),
        )
        self.totals.add(fed, made, milled, despatched_ug=despatched)

    def _wave(self, seed: np.random.SeedSequence, low: float, high: float) -> SlowWave:
        steps = round(self.scenario.meal.period_s / self._dt_s)
        return SlowWave(np.random.default_rng(seed), low=low, high=high, period_steps=steps)

    @property
    def _elapsed(self) -> timedelta:
        return timedelta(microseconds=int(self.step_number * self.scenario.step_s * 10**6))

    @property
    def _t_s(self) -> str:
        return str(self.step_number * self.scenario.step_s)

    @property
    def _local(self) -> str:
        return self.silos.local(self._elapsed).isoformat(timespec="seconds")

    def _head(self, seed: int) -> None:
        self._record(
            {
                "type": "scenario", "format": TRUTH_FORMAT, "scenario": self.scenario.name,
                "plant": "kiln", "seed": seed, "step_s": str(self.scenario.step_s),
                "local_start": self.scenario.local_start.isoformat(timespec="seconds"),
            }
        )  # fmt: skip
        self._record({"type": "mill", "t_s": "0.0", "state": self.mill.state})

    def _now(self) -> dict[str, object]:
        meter = self.feed_meter
        return {
            "t_s": self._t_s,
            "local": self._local,
            **self.totals.told(self.alternative_fuel),
            "meal_silo_kg": kg(self.silos.meal_ug),
            "clinker_silos_kg": [kg(ug) for ug in self.silos.clinker_ug],
            "meal_shown_kg": f"{meter.total_t * 1000:.3f}",
            "meal_meter_error_percent": f"{meter.error_percent:.6f}",
            "calciner_c": f"{self.burning.calciner_c:.3f}",
        }


def meal_of(figures: MealFigures) -> RawMeal:
    """The raw meal in parts per million."""
    caco3, dolomite, sio2, water = (
        round(percent * PPM_PERCENT)
        for percent in (
            figures.caco3_percent, figures.dolomite_percent, figures.sio2_percent,
            figures.water_percent,
        )
    )  # fmt: skip
    return RawMeal(caco3, dolomite, sio2, water)
