"""Months that a plant falsified and signed itself stand out; honest simulated months do not."""

from pathlib import Path

import numpy as np
import pytest

from edge.calc.blocks import Block, GroupBlock
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.quarters import Quarters
from edge.calc.screening.screen import screen
from evidence.recompute import month_bounds
from evidence.screen.reader import used_points
from evidence.screen.screened import DOCUMENTS_TWICE, screen_archives, twice
from simulators.month import make_month
from simulators.month_config import TIME_ZONE
from simulators.month_plant import MonthPlant
from simulators.month_plants import month_plant
from simulators.plants import load_any
from tests.fraud.bent_months import Bend, BentPlant, copy_day, hold_peaks, mark_peaks
from tests.fraud.works import Works, honest

HOUR_NS, MINUTE_NS = 3600 * 10**9, 60 * 10**9


def smelter(seed: int) -> MonthPlant:
    return month_plant(load_any("smelter-normal"), points=50, pots=12, seed=seed, interval_s=60)


@pytest.mark.parametrize(
    ("bend", "question", "days"),
    [(hold_peaks, "constant-values", 6),
     pytest.param(mark_peaks, "marks-at-load", 30, marks=pytest.mark.long),
     pytest.param(copy_day, "repeated-blocks", 12, marks=pytest.mark.long)],
)  # fmt: skip
def test_a_falsified_month_that_verifies(
    bend: Bend, question: str, days: int, tmp_path: Path
) -> None:
    made = make_month(
        BentPlant(smelter(3), "gas.flow", bend), month="2026-06", out=tmp_path, frame_s=900,
        days=days if days < 30 else None, say=lambda _: None,
    )  # fmt: skip
    with made.archive.open("rb") as file:
        screened = screen_archives([("june", file)])
    assert screened.verified
    top = screened.answers[0]
    assert (top.result.question, top.result.where) == (question, "gas.flow")
    assert top.stands_out


def test_a_report_that_two_plants_have() -> None:
    """The copy has the number and the values of the report of another plant."""
    one, other = Works("works-a"), Works("works-b")
    month, copied = honest(2026, 6, 1), honest(2026, 6, 2)
    copied.report = month.report
    for works, of in ((one, month), (other, copied)):
        works.month(of)
    alone = list(twice({"works-a": [one.standing()]}, {"works-a": ["2026-06"]}))
    found = list(
        twice(
            {"works-a": [one.standing()], "works-b": [other.standing()]},
            {"works-a": ["2026-06"], "works-b": ["2026-06"]},
        )
    )
    assert alone == []
    assert {(x.question, x.plant) for x in found} == {
        (DOCUMENTS_TWICE, "works-a"), (DOCUMENTS_TWICE, "works-b"),
    }  # fmt: skip
    assert {"S-REPORT-SEEN", "S-FILE-SEEN"} <= {x.statistic for x in found}
    answers = screen([], more=found)
    assert all(answer.stands_out for answer in answers)


def played(plant: MonthPlant, months: list[str]) -> list[ScreenedMonth]:
    """Months one after another of one plant, as its meters showed them; nothing is signed."""
    config = plant.configuration(bytes(32))
    source, found = plant.begin(month_bounds(TIME_ZONE, months[0])[0]), []
    for month in months:
        from_ns, to_ns = month_bounds(TIME_ZONE, month)
        quarters = Quarters(from_ns, to_ns)
        quarters.configure(config, list(used_points(config)))
        for at_ns in range(from_ns, to_ns, HOUR_NS):
            hour = source.hour()
            groups = tuple(
                GroupBlock(g, raw, quality)
                for g, (raw, quality) in enumerate(zip(hour.raw, hour.quality, strict=True))
            )
            ticks = at_ns + np.arange(60, dtype=np.int64) * MINUTE_NS
            quarters.feed([Block(0, ticks, groups)])
        nothing = {"input": {}, "output": {}}
        found.append(ScreenedMonth(plant.name, month, from_ns, to_ns, config, quarters, nothing))
    return found


@pytest.mark.long
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("scenario", "seeds"), [("smelter-normal", 20), ("kiln-normal", 12), ("steelworks-normal", 3)]
)
def test_honest_months_are_quiet(scenario: str, seeds: int) -> None:
    """105 plant-months, three of a plant beside each other: at 95 % fewer than 2.9 % are loud."""
    months, loud = ["2026-06", "2026-07", "2026-08"], []
    for seed in range(1, seeds + 1):
        plant = (
            smelter(seed)
            if scenario.startswith("smelter")
            else month_plant(load_any(scenario), points=None, pots=None, seed=seed, interval_s=60)
        )
        answers = screen(played(plant, months))
        loud += [(seed, x.result.month, x.result.question, x.result.where, x.result.statistic)
                 for x in answers if x.stands_out]  # fmt: skip
    assert loud == []
