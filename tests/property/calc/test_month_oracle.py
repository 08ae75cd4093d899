"""The month's input against plain sums over the readings; statements against plain formulas.

Nothing here uses the fold's parts: readings are decoded with Python numbers, sums run over lists,
the statement is written out again with fractions.
"""

import json
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import assume, given, settings

from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute
from tests.property.calc.plant_stories import CONFIG, MONTH_END, S, Series, stories

Reading = tuple[int, Fraction]
POINTS = {
    # point: (schedule, group, row, counts a unit)
    "v01": (0, 0, 0, 1000), "v02": (0, 0, 1, 1000), "s01": (0, 1, 0, 1), "s02": (0, 1, 1, 1),
    "i": (0, 2, 0, 1000), "metal": (0, 2, 1, 1000), "gas": (1, 3, 0, 1), "energy": (1, 3, 1, None),
    "flow": (1, 4, 0, 10),
}  # fmt: skip


def readings(series: Series, point: str) -> list[Reading]:
    """The good readings of a point, rounded to its decimals, in its own unit."""
    schedule, group, row, step = POINTS[point]
    result = []
    rows = zip(
        series.ticks[schedule].tolist(), series.raw[group][row], series.quality[group][row],
        strict=True,
    )  # fmt: skip
    for tick, raw, quality in rows:
        value = float(raw)
        if quality >= 128 or not np.isfinite(value):
            continue
        if step is None:
            result.append((tick, Fraction(int(raw))))
            continue
        scaled = value * step
        count = int(np.sign(scaled) * np.floor(abs(scaled) + 0.5))
        result.append((tick, Fraction(count, step)))
    return result


def rise(found: list[Reading]) -> Fraction:
    return sum((max(b[1] - a[1], Fraction(0)) for a, b in pairwise(found)), Fraction(0))


def integral(found: list[Reading], longest_ns: int) -> Fraction:
    """Unit-hours: each reading stands until the next, silences left out."""
    return sum(
        (a[1] * (b[0] - a[0]) for a, b in pairwise(found) if b[0] - a[0] <= longest_ns),
        Fraction(0),
    ) / (3600 * S)


def fold(series: Series, edges: list[int]) -> dict[str, Any]:
    month = MonthFold(1)
    month.configure(CONFIG)
    for first, last in pairwise(edges):
        month.feed(series.between(first, last))
    return month.result(edges[0], edges[-1], "interim")


def one_month(story: tuple[Series, list[int]]) -> tuple[Series, list[int]]:
    series, edges = story
    assume(not edges[0] < MONTH_END < edges[-1])
    return series, edges


@settings(max_examples=80, deadline=None)
@given(story=stories())
def test_quantities(story: tuple[Series, list[int]]) -> None:
    series, edges = one_month(story)
    source = fold(series, edges)
    metal, gas, energy = (readings(series, p) for p in ("metal", "gas", "energy"))
    if metal:
        assert Fraction(source["pfc"]["metal_t"]) == rise(metal)
        assert Fraction(source["output"]["aluminium_t"]) == rise(metal)
        assert Fraction(source["anode"]["gross_t"]) == rise(metal) * Fraction("471.5") / 1000
    assert ("pfc" in source) == bool(metal)
    assert [Fraction(f["quantity"]) for f in source["fuel"]] == (
        [rise(gas) / 10_000] if gas else []
    )
    assert [Fraction(a["quantity"]) for a in source["auxiliary"]] == (
        [rise(energy)] if energy else []
    )


@settings(max_examples=80, deadline=None)
@given(story=stories())
def test_ages_checks_and_flags(story: tuple[Series, list[int]]) -> None:
    series, edges = one_month(story)
    source = fold(series, edges)
    gas, flow = readings(series, "gas"), readings(series, "flow")
    drops = [(b[0], a[1], b[1]) for a, b in pairwise(gas) if b[1] < a[1]]
    (entry,) = [t for t in source["totalisers"] if t["point"] == "gas"]
    if not gas:
        assert "no-reading:gas" in source["flags"]
        assert entry == {"point": "gas", "unit": "Nm3"}
        return
    assert entry["first"]["tick_ns"] == gas[0][0]
    assert Fraction(entry["first"]["after_start_s"]) * S == gas[0][0] - edges[0]
    assert Fraction(entry["last"]["before_end_s"]) * S == edges[-1] - gas[-1][0]
    assert entry["drop_count"] == len(drops)
    assert [
        (d["tick_ns"], Fraction(d["before"]), Fraction(d["after"])) for d in entry["drops"]
    ] == (drops)
    assert ("totaliser-drop:gas" in source["flags"]) == bool(drops)
    (check,) = source["checks"]
    expected = integral(flow, 10 * S) / 10_000
    assert abs(Fraction(check["integral"]) - expected) <= Fraction(1, 2 * 10**6)


@settings(max_examples=80, deadline=None)
@given(story=stories())
def test_completeness(story: tuple[Series, list[int]]) -> None:
    series, edges = one_month(story)
    found = fold(series, edges)["completeness"]
    for point, (schedule, group, row, _) in POINTS.items():
        step = (S, 5 * S)[schedule]
        grid = sum(1 for t in range(edges[0], edges[-1], S) if t % step == 0)
        is_number = np.isfinite(series.raw[group][row].astype(np.float64))
        usable = int(((series.quality[group][row] < 128) & is_number).sum())
        assert found[point]["usable"] == usable
        assert found[point]["expected"] == grid


@settings(max_examples=80, deadline=None)
@given(story=stories())
def test_the_statement_written_out_again(story: tuple[Series, list[int]]) -> None:
    series, edges = one_month(story)
    source = fold(series, edges)
    found = compute(source)
    metal, gas = readings(series, "metal"), readings(series, "gas")
    lines = {line["category"]: Fraction(line["emission_t"]) for line in found["lines"]}
    expected: dict[str, Fraction] = {}
    if gas:
        factor = Fraction("389.310") * Fraction("0.01532") * Fraction("0.99") * 44 / 12
        expected["fuel"] = rise(gas) / 10_000 * factor
    if metal:
        anode = Fraction("471.5") / 1000 * Fraction("0.8482") * Fraction("0.976") * 44 / 12
        expected["anode"] = rise(metal) * anode
        expected["pfc"] = rise(metal) * Fraction("0.14481")
    assert set(lines) == set(expected)
    for category, value in expected.items():
        assert abs(lines[category] - value) <= Fraction(1, 200)  # half of 0.01
        assert (lines[category] * 100).denominator == 1
    assert Fraction(found["totals"]["total_t"]) == sum(lines.values())
    read_back = json.loads(json.dumps(source, sort_keys=True))
    assert compute(read_back) == found  # the order of keys in a file means nothing


@settings(max_examples=80, deadline=None)
@given(story=stories())
def test_potline_sums_agree_with_each_other(story: tuple[Series, list[int]]) -> None:
    """Effects, pots and potline totals are three views of the same time."""
    series, edges = one_month(story)
    (line,) = fold(series, edges)["potlines"]
    effects, pots = line["effects"], line["pots"]
    assert line["effect_count"] == len(effects) == sum(p["effects"] for p in pots)
    polarised = Fraction(sum(e["polarised_ns"] for e in effects), S)
    assert Fraction(line["polarised_s"]) == polarised
    assert sum(Fraction(p["polarised_s"]) for p in pots) == polarised
    produced = Fraction(line["producing_pot_s"])
    assert sum(Fraction(p["producing_s"]) for p in pots) == produced
    assert Fraction(line["over_target_v_s"]) == sum(Fraction(e["integral_v_s"]) for e in effects)
    if not produced:
        return
    rates = {k: Fraction(v) for k, v in line.items() if k.startswith("ae") and isinstance(v, str)}
    tolerance = Fraction(1, 10**11)
    assert abs(rates["aem_min_per_cell_day"] - polarised / 60 / (produced / 86_400)) < tolerance
    if effects:
        product = rates["aef_per_cell_day"] * rates["aed_min"]
        assert abs(product - rates["aem_min_per_cell_day"]) < Fraction(1, 10**6)
    else:
        assert "aed_min" not in rates
