"""Uncertainty of sealed months by a file of meters and factors, and of a year of them, by hand."""

import copy
from typing import Any

import pytest

from edge.calc.errors import StatementError
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.statement import compute
from edge.calc.statements.year import year_to_date
from tests.unit.edge.calc.small_works import KILN, STEELWORKS, kiln, month, steelworks
from tests.unit.edge.calc.smelter_month import statement

SCALE = {"point": "coal.total", "percent": "3", "means": "standard", "common": "scale-1"}
SCATTER = {"point": "coal.total", "percent": "4", "means": "standard"}
NCV = {"of": "fuel.bituminous.ncv", "percent": "2", "means": "expanded", "k": "2"}


def sealed(number: int = 6) -> dict[str, Any]:
    """A kiln's month of 219.30 t from coal and -24.00 t of substitute, as of another month too."""
    return {**month(kiln(), KILN), "month": f"2026-{number:02}", "closing": "final"}


def test_a_meter_and_a_factor_reach_the_line_and_no_figure_moves() -> None:
    """3 % and 4 % of 219.299… t are 6.579 and 8.772 t; with 1 % of the NCV 2.193 t: 11.183 t."""
    given = sealed()
    made = compute(with_accuracy(given, {"meter": [SCALE, SCATTER], "factor": [NCV]}))
    line = made["lines"][0]["uncertainty"]
    # √(6.57897² + 8.77196² + 2.19299²) = 11.18210
    assert (line["u_t"], line["expanded_percent"]) == ("11.19", "10.20")
    assert (line["random_t"], line["common_t"]) == ("9.05", {"scale-1": "6.58"})
    assert line["assessed"] == ["quantity", "ncv"]
    # 2 × 5 % of what was counted: no tier of the regulation (7.5 %) is met
    assert (line["activity"]["expanded_percent"], line["activity"]["mrr_tier"]) == ("10.00", "0")
    assert made["lines"][1]["uncertainty"]["not_assessed"] == ["purchased", "factor"]
    bare = compute(given)
    assert made["totals"] == bare["totals"]
    assert given == sealed()


def test_a_year_takes_random_parts_by_squares_and_common_ones_by_sums() -> None:
    """Four months alike: what is random only doubles, what is common is four times as much."""
    said = {"meter": [SCALE, SCATTER]}
    year = year_to_date([with_accuracy(sealed(n), said) for n in (3, 4, 5, 6)])
    line, total = year["lines"][0]["uncertainty"], year["uncertainty"]["totals"]["fuel_t"]
    # random 2 × 8.78 = 17.56, common 4 × 6.58 = 26.32 of printed parts; √ = 31.64; ÷ 877.20
    for found in (line, total):
        assert (found["random_t"], found["common_t"]) == ("17.56", {"scale-1": "26.32"})
        assert (found["u_t"], found["expanded_percent"]) == ("31.65", "7.22")
    # of one month 10 %, of four together 7.22 %: tier 1 (7.5 %) of the regulation, met by the year
    assert (line["activity"]["expanded_percent"], line["activity"]["mrr_tier"]) == ("7.22", "1")
    assert total["months"] == ["2026-03", "2026-04", "2026-05", "2026-06"]


def test_a_year_of_which_a_month_says_nothing_says_which() -> None:
    year = year_to_date([with_accuracy(sealed(5), {"meter": [SCALE]}), sealed(6)])
    assert year["uncertainty"]["totals"]["fuel_t"]["months"] == ["2026-05"]
    assert year["uncertainty"]["totals"]["fuel_t"]["of_t"] == "219.30"
    assert "uncertainty-incomplete" in year["flags"]
    assert "uncertainty" not in year_to_date([sealed(5), sealed(6)])


def test_one_meter_is_in_every_parameter_that_it_counted() -> None:
    given = copy.deepcopy(statement()["input"])
    frames = {"frames": {"point": "pg.metal", "rule": "totaliser", "class": "meter-direct"}}
    given["pfc"]["provenance"] = {"metal_t": frames}
    given["anode"] = {"gross_t": "469", "provenance": {"gross_t": frames}}
    metal = {"point": "pg.metal", "percent": "1", "means": "standard", "common": "metal scale"}
    lines = compute(with_accuracy(given, {"meter": [metal]}))["lines"]
    assert {line["category"]: line["uncertainty"]["assessed"] for line in lines} == {
        "anode": ["gross_t"], "pfc": ["metal_t"]
    }  # fmt: skip


def test_a_counter_that_stood_still_is_not_assessed_by_a_percentage() -> None:
    shown = STEELWORKS | {"rods.total": (1, 1)}
    said = {"meter": [{**SCALE, "point": "rods.total"}, {**SCALE, "point": "coal.bought"}]}
    made = compute(with_accuracy(month(steelworks(), shown), said))
    rods = next(line for line in made["lines"] if line["category"] == "process")
    assert "quantity" in rods["uncertainty"]["not_assessed"]


@pytest.mark.parametrize(
    ("accuracy", "says"),
    [
        ({"scale": []}, "scale: unknown key"),
        ({"meter": {}}, "meter: must be a list"),
        ({"meter": [{"percent": "1"}]}, r"meter\[0\].point: missing"),
        ({"meter": [{**SCALE, "absolute": "1"}]}, r"meter\[0\].absolute: give percent"),
        ({"factor": [{**NCV, "parameter": "ncv"}]}, r"factor\[0\].parameter: of says"),
    ],
)
def test_wrong_files_are_refused_by_key(accuracy: dict[str, Any], says: str) -> None:
    with pytest.raises(StatementError, match=says):
        with_accuracy(sealed(), accuracy)


def test_what_an_entry_itself_has_wrong_is_named_by_the_statement() -> None:
    bad = {**SCALE, "means": "guessed"}
    with pytest.raises(StatementError, match=r"fuel\[0\].uncertainty\[0\].means"):
        compute(with_accuracy(sealed(), {"meter": [bad]}))
