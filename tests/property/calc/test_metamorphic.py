"""What must follow when the input is changed in a known way: shifts, order, scale, idle pots."""

import copy
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.effects.anode_effect import Detector
from edge.calc.effects.pot import Effect, Rules
from edge.calc.folds.live import PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute
from tests.property.calc.plant_stories import CONFIG, MIDNIGHT, S, Series, make_series

RULES = Rules(
    v_start=8000, v_end=7000, target=4200, t_start_ns=2 * S, t_end_ns=S, t_merge_ns=6 * S,
    hole_ns=S * 3 // 2,
)  # fmt: skip
SEEDS = st.integers(0, 2**32 - 1)
START = MIDNIGHT + 3600 * S


def pots(seed: int, count: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voltages around the thresholds, usability and production of some pots."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.choice([4200, 7500, 8000, 25_000], (count, n // 4 + 1)), 4, axis=1)
    return levels[:, :n], rng.random((count, n)) > 0.1, rng.random((count, n)) > 0.05


def detect(
    seed: int, *, shift_ns: int = 0, order: list[int] | None = None, lift: int = 0,
    rules: Rules = RULES,
) -> list[Effect]:  # fmt: skip
    """Effects of four pots over 80 s, with the series changed as asked."""
    volts, usable, producing = pots(seed, 4, 80)
    rows = order if order is not None else [0, 1, 2, 3]
    detector = Detector(rules, len(rows))
    ticks = np.arange(80, dtype=np.int64) * S + shift_ns
    activity = detector.feed(ticks, volts[rows] + lift, usable[rows], producing[rows])
    return [*activity.finished, *detector.open_effects(int(ticks[-1]))]


def shifted(effect: Effect, by_ns: int) -> Effect:
    end_ns = effect.end_ns + by_ns if effect.end_ns is not None else None
    return replace(effect, start_ns=effect.start_ns + by_ns, end_ns=end_ns)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, shift_ns=st.integers(0, 2**60))
def test_moving_time_moves_the_effects(seed: int, shift_ns: int) -> None:
    assert detect(seed, shift_ns=shift_ns) == [shifted(e, shift_ns) for e in detect(seed)]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, order=st.permutations([0, 1, 2, 3]))
def test_reordering_pots_reorders_the_effects(seed: int, order: list[int]) -> None:
    found = {
        (order[e.pot], e.start_ns): replace(e, pot=order[e.pot]) for e in detect(seed, order=order)
    }
    assert found == {(e.pot, e.start_ns): e for e in detect(seed)}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, lift=st.integers(0, 3000))
def test_lifting_voltages_and_thresholds_together_changes_only_the_peak(
    seed: int, lift: int
) -> None:
    rules = replace(
        RULES, v_start=RULES.v_start + lift, v_end=RULES.v_end + lift, target=RULES.target + lift
    )
    found = detect(seed, lift=lift, rules=rules)
    assert found == [replace(e, v_max=e.v_max + lift) for e in detect(seed)]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, less=st.integers(1, 1000))
def test_a_lower_target_adds_exactly_its_share_of_the_integral(seed: int, less: int) -> None:
    lower = detect(seed, rules=replace(RULES, target=RULES.target - less))
    for effect, before in zip(lower, detect(seed), strict=True):
        assert effect.integral == before.integral + less * before.polarised_ns


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_a_longer_start_time_never_finds_more(seed: int) -> None:
    counts = [
        sum(e.crossings for e in detect(seed, rules=replace(RULES, t_start_ns=t * S)))
        for t in range(5)
    ]
    assert counts == sorted(counts, reverse=True)


def fold(series: Series, config: Any) -> dict[str, Any]:
    month = MonthFold()
    month.configure(config)
    end_ns = START + 60 * S
    month.feed(series.between(START, end_ns))
    return month.result(START, end_ns, "interim")


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, kg_per_t=st.integers(1, 600))
def test_anode_co2_is_linear_in_the_typed_consumption(seed: int, kg_per_t: int) -> None:
    series = make_series(seed, 60, START)
    config = copy.deepcopy(CONFIG)
    config["statement"]["anode"]["gross_kg_per_t"] = f"{kg_per_t}.5"
    before, after = fold(series, CONFIG), fold(series, config)
    if "anode" not in before:
        return
    ratio = Fraction(f"{kg_per_t}.5") / Fraction("471.5")
    assert Fraction(after["anode"]["gross_t"]) == Fraction(before["anode"]["gross_t"]) * ratio
    assert after["potlines"] == before["potlines"]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_other_thresholds_change_effects_and_nothing_else_of_the_month(seed: int) -> None:
    series = make_series(seed, 60, START)
    config = copy.deepcopy(CONFIG)
    config["potlines"][0]["anode_effect"] |= {"v_start_v": "7.2", "t_start_s": "1"}
    before, after = fold(series, CONFIG), fold(series, config)
    for source in (before, after):
        source.pop("potlines")
        source.get("pfc", {}).pop("indicator", None)
    assert before == after


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_indicator_never_moves_the_total(seed: int) -> None:
    source = fold(make_series(seed, 60, START), CONFIG)
    with_it = compute(source)
    source.get("pfc", {}).pop("indicator", None)
    without = compute(source)
    assert with_it["totals"] == without["totals"]
    assert with_it["gases"] == without["gases"]
    assert with_it["lines"] == without["lines"]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_live_state_stays_small(seed: int) -> None:
    """Ten times the readings leave a state of the same size (recent effects are bounded)."""
    calc = PlantCalc(CONFIG)
    series = make_series(seed, 600, START)
    calc.feed(series.between(START, START + 60 * S))
    early = len(str(calc.snapshot()["inputs"])) + len(calc.snapshot()["lines"][0]["detector"])
    calc.feed(series.between(START + 60 * S, START + 600 * S))
    late = len(str(calc.snapshot()["inputs"])) + len(calc.snapshot()["lines"][0]["detector"])
    assert late <= early + 64


@settings(max_examples=60, deadline=None)
@given(
    metal=st.decimals(0, 10**6, places=3), aem=st.decimals(0, 100, places=6),
    times=st.integers(1, 14),
)  # fmt: skip
def test_the_slope_method_is_linear_in_minutes_and_metal(
    metal: Decimal, aem: Decimal, times: int
) -> None:
    def cf4(metal_t: Decimal, minutes: Decimal) -> Fraction:
        found = evaluate("pfc.slope", {
            "metal_t": metal_t, "aem_min_per_cell_day": minutes, "technology": "PFPB-L",
            "edition": "ipcc-2019", "gwp": "ar5",
        })  # fmt: skip
        return Fraction(found["cf4_kg"])

    assert cf4(metal, aem * times) == cf4(metal, aem) * times == cf4(metal * times, aem)
