"""Uncertainty in a statement: by hand, by Monte Carlo, never in a figure, never silently zero."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import isclose, sqrt
from typing import Any

import numpy as np
import pytest

from edge.calc.errors import StatementError
from edge.calc.factors import rule_set
from edge.calc.statements.aluminium import anode_line, carbonate_line, pfc_part
from edge.calc.statements.factor_line import clinker_line, material_line, substitute_line
from edge.calc.statements.fuel_line import fuel_line
from edge.calc.statements.line import Line
from edge.calc.statements.line_uncertainty import sensitivity
from edge.calc.statements.statement import compute
from edge.calc.statements.statement_table import Table

STEEL, CEMENT, ALUMINIUM = (f"cets-ag-0{n}.01-v01-2024" for n in (3, 2, 4))


def stated(parameter: str, percent: str = "", **other: str) -> dict[str, str]:
    """One entry; expanded by 2 unless it says otherwise."""
    entry = {"parameter": parameter, "means": "expanded", **other}
    if entry["means"] == "expanded":
        entry.setdefault("k", "2")
    return {**entry, "percent": percent} if percent else entry


#: coal by stock, coke, and steel sold, over one weighbridge
MONTH: dict[str, Any] = {
    "rule_set": STEEL, "month": "2026-06",
    "fuel": [
        {
            "kind": "anthracite", "ncv": "25", "carbon_content": "0.0275", "unit": "bf-1",
            "opening": "1200", "purchased": "34000", "closing": "1000",
            "uncertainty": [
                stated("opening", absolute="80"), stated("closing", absolute="60"),
                stated("purchased", "2", means="limits", common="weighbridge"),
                stated("purchased", "0.1", means="standard"),
                stated("ncv", "1.2", common="laboratory"),
                stated("carbon_content", "1.6", common="laboratory"),
            ],
        },
        {
            "kind": "coke", "quantity": "5000", "ncv": "28", "carbon_content": "0.029",
            "uncertainty": [
                stated("quantity", "2", means="limits", common="weighbridge"),
                stated("ncv", "1.2", common="laboratory"), stated("carbon_content", "2"),
            ],
        },
    ],
    "product": [{
        "product": "crude-steel", "quantity": "90000",
        "uncertainty": [
            stated("quantity", "2", means="limits", common="weighbridge"),
            {"parameter": "factor", "means": "convention"},
        ],
    }],
}  # fmt: skip


def changed(month: Mapping[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy with one place changed."""
    result = copy.deepcopy(dict(month))
    place: Any = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return result


def bare(month: Mapping[str, Any]) -> dict[str, Any]:
    """The month with nothing said of uncertainty."""
    return {
        key: [{k: v for k, v in table.items() if k != "uncertainty"} for table in value]
        if isinstance(value, list)
        else value
        for key, value in month.items()
    }


def test_no_figure_moves_and_without_it_no_byte() -> None:
    without, with_it = compute(bare(MONTH)), compute(MONTH)
    assert "uncertainty" not in without
    assert [line["uncertainty"] for line in without["lines"]] == [{}, {}, {}]
    for line in with_it["lines"]:
        line["uncertainty"] = {}
    del with_it["uncertainty"]
    assert with_it == without


def test_the_month_by_hand() -> None:
    """Pocket calculator: coal 34,200 t × 0.6875 tC/t × 44/12 = 86,212.50 t.

    A tonne of coal is 2.5208333 t: opening 40 t -> 100.833, closing 30 t -> 75.625, purchased 0.1 %
    -> 85.708, so random 152.4218. Weighbridge 34,000 × 0.02 ÷ √3 = 392.598 t -> 989.6746;
    laboratory 86,212.5 × (0.006 + 0.008) = 1206.975. Together the root of their squares, 1568.2719.
    """
    coal = compute(MONTH)["lines"][0]
    found = coal["uncertainty"]
    assert coal["emission_t"] == "86212.50"
    assert found["random_t"] == "152.43"
    assert found["common_t"] == {"laboratory": "1206.98", "weighbridge": "989.68"}
    assert (found["u_t"], found["expanded_t"], found["k"]) == ("1568.28", "3136.55", "2")
    assert (found["u_percent"], found["expanded_percent"]) == ("1.82", "3.64")  # 1.8191, 3.6382
    assert found["assessed"] == ["opening", "purchased", "closing", "ncv", "carbon_content"]
    assert found["not_assessed"] == found["by_convention"] == []
    # what was counted: √(152.4218² + 989.6746²) × 2 ÷ 86,212.5 = 2.3230 %
    activity = found["activity"]
    assert activity["expanded_percent"] == "2.33"
    assert (activity["mrr_tier"], activity["mrr_threshold_percent"]) == ("3", "2.5")
    assert activity["mrr_row"] == "steel.mass-balance.tier_3"


def test_what_lines_have_in_common_is_added_before_it_is_squared() -> None:
    """Coke 14,886.67 t, steel 3330 t taken off: 989.6746 + 171.8964 - 38.4515 = 1123.1195."""
    totals = compute(MONTH)["uncertainty"]["totals"]
    assert totals["total_t"]["common_t"] == {"laboratory": "1296.30", "weighbridge": "1123.12"}
    assert totals["product_t"]["common_t"] == {"weighbridge": "38.46"}
    assert totals["total_t"]["of_t"] == compute(MONTH)["totals"]["total_t"]
    assert totals["total_t"]["assessed_percent"] == "100.00"
    assert compute(MONTH)["uncertainty"]["units"]["bf-1"]["total_t"]["u_t"] == "1568.28"
    alone = changed(MONTH, "product", 0, "uncertainty", 0, "common", to="other scale")
    found = compute(alone)["uncertainty"]["totals"]["total_t"]["common_t"]
    assert found["other scale"] == "-38.46"


DRAWS = 400_000


def drawn(*, one_weighbridge: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The month's total in t, `DRAWS` times: written out, nothing of edge.calc (JCGM 101, 5)."""
    rng = np.random.default_rng(20261127)
    normal = lambda: rng.standard_normal(DRAWS)  # noqa: E731 - a name for each fresh draw
    scales = [0.02 * rng.uniform(-1, 1, DRAWS) for _ in range(3)]
    if one_weighbridge:
        scales = [scales[0]] * 3
    laboratory = normal()
    coal_t = (
        1200 + 40 * normal() + 34000 * (1 + scales[0] + 0.001 * normal()) - (1000 + 30 * normal())
    )
    coal = coal_t * 25 * (1 + 0.006 * laboratory) * 0.0275 * (1 + 0.008 * laboratory)
    coke = 5000 * (1 + scales[1]) * 28 * (1 + 0.006 * laboratory) * 0.029 * (1 + 0.01 * normal())
    return (coal + coke) * 44 / 12 - 90000 * (1 + scales[2]) * 0.037


def test_monte_carlo_agrees() -> None:
    """Standard deviations scatter by 1 ÷ √(2 N) of themselves: five of it, and printed rounding.

    What first order leaves out is of the order of the square of the relative uncertainties, 2e-4 of
    the mean and less of the deviation. k = 2 covers 95 % or more: half of it is a uniform error.
    """
    total = compute(MONTH)["uncertainty"]["totals"]["total_t"]
    values = drawn(one_weighbridge=True)
    tolerance = 5 / sqrt(2 * DRAWS) + 2e-4
    assert isclose(values.std(ddof=1), float(total["u_t"]), rel_tol=tolerance)
    assert isclose(values.mean(), float(total["of_t"]), rel_tol=2e-4)
    inside = np.abs(values - float(total["of_t"])) <= float(total["expanded_t"])
    assert inside.mean() > 0.95


def test_monte_carlo_tells_the_weighbridge_from_three() -> None:
    """The same check fails for a budget that forgets what the three lines have in common."""
    total = compute(MONTH)["uncertainty"]["totals"]["total_t"]
    apart = drawn(one_weighbridge=False).std(ddof=1)
    assert not isclose(apart, float(total["u_t"]), rel_tol=5 / sqrt(2 * DRAWS) + 2e-4)


def test_what_is_missing_is_said_and_never_zero() -> None:
    month = changed(MONTH, "fuel", 1, "uncertainty", to=[])
    month["fuel"][0]["uncertainty"] = [stated("ncv", "1.2")]
    found = compute(month)
    coal, coke, steel = (line["uncertainty"] for line in found["lines"])
    assert coal["not_assessed"] == ["opening", "purchased", "closing", "carbon_content"]
    assert "activity" not in coal
    assert coke == {"assessed": [], "not_assessed": ["quantity", "ncv", "carbon_content"]}
    assert steel["not_assessed"] == []
    fuel = found["uncertainty"]["totals"]["fuel_t"]
    # 86,212.50 t in part and 14,886.67 t not at all of 101,099.17 t
    assert fuel["assessed_percent"] == "0.00"
    assert (fuel["partly_assessed_percent"], fuel["not_assessed_percent"]) == ("85.27", "14.73")
    assert fuel["of_t"] == "86212.50"
    assert fuel["u_percent"] == "0.60"  # of what was assessed
    assert "uncertainty-incomplete" in found["flags"]
    assert "uncertainty-incomplete" not in compute(MONTH)["flags"]


def test_conventions_alone_are_no_uncertainty() -> None:
    month = bare(MONTH)
    month["product"][0]["uncertainty"] = [{"parameter": "factor", "means": "convention"}]
    found = compute(month)
    steel = found["lines"][2]["uncertainty"]
    assert (steel["by_convention"], steel["not_assessed"]) == (["factor"], ["quantity"])
    assert "u_t" not in steel
    totals = found["uncertainty"]["totals"]["product_t"]
    assert "u_t" not in totals
    assert totals["not_assessed_percent"] == "100.00"


@pytest.mark.parametrize(
    ("rules", "table", "percent", "tier"),
    [
        (CEMENT, {"clinker": {"kind": "portland", "quantity": "9"}}, "2.5", "2"),
        (CEMENT, {"clinker": {"kind": "portland", "quantity": "9"}}, "2.51", "1"),
        (CEMENT, {"clinker": {"kind": "portland", "quantity": "9"}}, "5.01", "0"),
        (CEMENT, {"fuel": [{"kind": "bituminous", "quantity": "9"}]}, "7.5", "1"),
        (ALUMINIUM, {"fuel": [{"kind": "natural-gas", "quantity": "9"}]}, "1.5", "4"),
        (ALUMINIUM, {"pfc": {"metal_t": "9"}}, "1.5", "2"),
        (ALUMINIUM, {"carbonate": [{"kind": "limestone", "quantity": "9"}]}, "7.6", "0"),
        (CEMENT, {"substitute": [{"kind": "carbide-slag", "quantity": "9"}]}, "1", None),
    ],
)
def test_tiers_of_the_eu(rules: str, table: dict[str, Any], percent: str, tier: str | None) -> None:
    """(EU) 2018/2066 Annex II Table 1; exactly at a threshold is within it."""
    ((_, given),) = table.items()
    row = given[0] if isinstance(given, list) else given
    name = "metal_t" if "metal_t" in row else "quantity"
    row["uncertainty"] = [stated(name, percent)]
    (line,) = compute({"rule_set": rules, "month": "2026-06", **table})["lines"]
    activity = line["uncertainty"]["activity"]
    assert activity.get("mrr_tier") == tier
    assert activity["expanded_percent"] == f"{float(percent):.2f}"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"means": "standard"}, r"fuel\[1\]\.uncertainty\[0\]\.parameter: missing"),
        ({"parameter": "ncv"}, r"uncertainty\[0\]\.means: missing"),
        ({"parameter": "ncv", "means": "about"}, "'about' unknown; known: standard expanded lim"),
        (stated("ncv"), "percent: give exactly one of percent and absolute"),
        (stated("ncv", "1", absolute="1"), "give exactly one"),
        (stated("ncv", "0"), "percent: 0 must be above zero"),
        (stated("ncv", "101"), "percent: 101 is above 100 %"),
        ({"parameter": "ncv", "means": "expanded", "percent": "1"}, "k: missing: by what was it"),
        (stated("ncv", "1", means="limits", k="2"), "k: only expanded has it"),
        (stated("ncv", "1", dof="2.5"), "dof: must be a whole number"),
        (stated("ncv", "1", sigma="1"), r"uncertainty\[0\]\.sigma: unknown key"),
        (stated("sulfur", "1"), r"the line has no 'sulfur'; it has: quantity ncv carbon_content"),
        (stated("ncv", means="convention", percent="1"), "percent: a convention has none"),
        (stated("quantity", means="convention"), "quantity is no convention"),
    ],
)
def test_refusals(entry: dict[str, str], sentence: str) -> None:
    with pytest.raises(StatementError, match=sentence):
        compute(changed(MONTH, "fuel", 1, "uncertainty", to=[entry]))


@pytest.mark.parametrize(
    ("month", "sentence"),
    [
        (changed(MONTH, "fuel", 0, "uncertainty", to=[stated("quantity", "1")]), "made of others"),
        (changed(MONTH, "fuel", 0, "opening", to="0"), "opening is 0"),
        (
            changed(MONTH, "product", 0, "uncertainty", 0, "parameter", to="factor"),
            "factor: a convention, and uncertain besides",
        ),
        (changed(MONTH, "fuel", 0, "uncertainty", to="1 %"), r"fuel\[0\]\.uncertainty: must be a"),
        ({**MONTH, "output": {"uncertainty": []}}, "output.uncertainty: unknown key"),
    ],
)
def test_refusals_by_line(month: dict[str, Any], sentence: str) -> None:
    if month["fuel"][0]["opening"] == "0":
        month["fuel"][0]["uncertainty"] = [stated("opening", "1")]
    with pytest.raises(StatementError, match=sentence):
        compute(month)


def lines() -> list[Line]:
    """One of each kind, with all its keys given."""
    stock = {"opening": "10", "purchased": "100", "closing": "7", "output": "1"}
    early = {
        "from": "2026-05-30T16:00",
        "to": "2026-07-01T00:00",
        "start_metered": "3",
        "meter": "m",
    }
    read = {"first": "5", "first_at": "2026-06-01T00:00", "last": "90", "last_at": early["to"]}
    late = {**read, "first_at": early["from"], "start_metered": "2", "meter": "m"}
    silos = {"despatched": "70", "used": "20", "closing": "8", "opening": "9"}
    own = {"ncv": "28", "carbon_content": "0.029"}
    problems: list[str] = []

    def table(**fields: Any) -> Table:
        return Table("line", fields, problems, "2026-06")

    cement, steel, aluminium = rule_set(CEMENT), rule_set(STEEL), rule_set(ALUMINIUM)
    pfc = pfc_part(table(metal_t="1000"), aluminium)
    made = [
        fuel_line(table(kind="coke", **own, **stock, recorded="99", recorded_by="a"), cement),
        fuel_line(table(kind="coke", **stock, period=early), cement),
        fuel_line(table(kind="coke", quantity="50", carbon_ar="0.8", period=early), cement),
        fuel_line(table(kind="coke", readings=read), cement),
        fuel_line(table(kind="coke", readings=late), cement),
        material_line(table(material="electrode", recorded="9", recorded_by="ledger"), steel),
        clinker_line(table(kind="portland", quantity="100", raw_meal_t="150"), cement),
        clinker_line(table(kind="portland", **silos), cement),
        substitute_line(table(kind="carbide-slag", quantity="10"), cement),
        anode_line(table(gross_t="100", loss_percent="1.5"), aluminium),
        anode_line(table(net_t="100"), aluminium),
        carbonate_line(table(kind="limestone", quantity="3", purity_percent="98"), aluminium),
        pfc.line if pfc is not None else None,
    ]
    assert problems == []
    return [line for line in made if line is not None]


@pytest.mark.parametrize(
    "line", lines(), ids=lambda line: "-".join([line.category, *line.parameters])[:60]
)
def test_every_line_is_straight_in_each_parameter(line: Line) -> None:
    """So a difference over any step is the sensitivity, and the model makes the emission itself."""
    assert line.model is not None
    assert line.model.emission(line.parameters) == line.emission
    for name, parameter in line.parameters.items():
        slope = sensitivity(line, name, parameter)
        assert (slope != 0) is (name in line.model.inputs)
        for step in (Fraction(-1, 7), Fraction(1000)):
            moved = {**line.parameters, name: replace(parameter, value=parameter.value + step)}
            assert line.model.emission(moved) - line.emission == slope * step
