"""Factors of what laboratories and persons wrote: every expected value is worked out by hand."""

from fractions import Fraction

import pytest

from edge.calc.factors import Kind
from edge.calc.folds.paper_factors import factors_of
from edge.calc.folds.papers import Paper
from tests.unit.edge.calc.folds.paper_examples import (
    DAY,
    FROM,
    TO,
    composed,
    paper,
    papers,
    parameter,
    result,
    taken,
)

COAL, GAS = Kind("bituminous", "烟煤", "t", "solid"), Kind("gas", "", "10^4 Nm3", "gas")
WET = ("total-moisture 10 % ar", "moisture 2 %")


def made(kind: Kind, table: str, *given: Paper) -> tuple[dict[str, str], list[str]]:
    """Factors by name, and flags; any other fuel has 0.02 tC/GJ and 20 GJ a unit."""

    def carbon(own: object) -> Fraction:
        assert isinstance(own, dict)
        return Fraction(own.get("ncv", 20)) * Fraction(own.get("carbon_content", "0.02"))

    found, flags = factors_of(papers(*given), "coal", table, kind, carbon)
    return {name: factor.text for name, factor in found.items()}, flags


ONE = taken("a")
#: what is there -> what it makes
FACTORS: dict[str, tuple[Kind, str, list[Paper], dict[str, str]]] = {
    "as received": (COAL, "fuel", [ONE, result("a", "ncv 23.5 MJ/kg ar")], {"ncv": "23.5"}),
    "J/g": (COAL, "fuel", [ONE, result("a", "ncv 23500 J/g ar")], {"ncv": "23.5"}),
    # (24 + 0.023 x 2) x 90 / 98 - 0.023 x 10: the example of coal.ncv_ar
    "air-dried": (COAL, "fuel", [ONE, result("a", "ncv 24 GJ/t ad", *WET)],
                  {"ncv": "21.853061224489796"}),
    "both, one is as received": (
        COAL, "fuel",
        [ONE, result("a", "ncv 24 GJ/t ad", "ncv 21.9 GJ/t ar", "ncv 25 GJ/t d", *WET)],
        {"ncv": "21.9"}),
    # 0.60 x 90 / 98: the example of coal.c_ar; ncv stands beside it no more
    "carbon": (COAL, "fuel", [ONE, result("a", "carbon 60 % ad", "ncv 24 GJ/t ad", *WET)],
               {"carbon_ar": "0.551020408163265"}),
    "in two reports": (COAL, "fuel", [ONE, result("a", "ncv 24 GJ/t ad"), result("a", *WET)],
                       {"ncv": "21.853061224489796"}),
    "gas": (GAS, "fuel", [ONE, result("a", "ncv 38.5 MJ/Nm3", "carbon_content 15.3 kgC/GJ")],
            {"ncv": "385", "carbon_content": "0.0153"}),
    # (20 x 300 + 26 x 100) / 400
    "by mass": (COAL, "fuel",
                [taken("a", t="300"), taken("b", t="100"), result("a", "ncv 20 GJ/t ar"),
                 result("b", "ncv 26 GJ/t ar")], {"ncv": "21.5"}),
    # (20 + 21 + 21) / 3, no sample says how much it stands for
    "equal": (COAL, "fuel",
              [taken("a"), taken("b"), taken("c"), result("a", "ncv 20 GJ/t ar"),
               result("b", "ncv 21 GJ/t ar"), result("c", "ncv 21 GJ/t ar")],
              {"ncv": "20.666666666666667"}),
    # days give ncv, their composite carbon_content; each is taken where it is
    "composed": (COAL, "fuel",
                 [taken("a", t="10"), taken("b", t="30"), composed("m", "a", "b"),
                  result("a", "ncv 20 GJ/t ar"), result("b", "ncv 24 GJ/t ar"),
                  result("m", "carbon_content 0.026 tC/GJ")],
                 {"ncv": "23", "carbon_content": "0.026"}),
    # m stands for the 40 t of a and b, c for 10: (22 x 40 + 27 x 10) / 50
    "composed of both": (COAL, "fuel",
                         [taken("a", t="10"), taken("b", t="30"), taken("c", t="10"),
                          composed("m", "a", "b"), result("a", "ncv 20 GJ/t ar"),
                          result("c", "ncv 27 GJ/t ar"), result("m", "ncv 22 GJ/t ar")],
                         {"ncv": "23"}),
    "another month's": (COAL, "fuel",
                        [taken("a"), taken("b", day=31), taken("c", day=0),
                         result("a", "ncv 20 GJ/t ar"), result("b", "ncv 30 GJ/t ar"),
                         result("c", "ncv 30 GJ/t ar")], {"ncv": "20"}),
    "another source's": (COAL, "fuel", [taken("a", source="coke"), result("a", "ncv 20 GJ/t ar")],
                         {}),
    "typed": (COAL, "fuel", [parameter("ncv 22 GJ/t ar"), parameter("carbon_content 26 tC/TJ")],
              {"ncv": "22", "carbon_content": "0.026"}),
    "samples before what is typed": (
        COAL, "fuel", [ONE, result("a", "ncv 20 GJ/t ar"), parameter("ncv 22 GJ/t ar")],
        {"ncv": "20"}),
    "typed of half the month": (COAL, "fuel", [parameter("ncv 22 GJ/t ar", to_ns=TO - DAY)], {}),
    "anode": (Kind("", ""), "anode",
              [ONE, result("a", "sulfur_percent 1.9 %", "ash_percent 0.3 %")],
              {"sulfur_percent": "1.9", "ash_percent": "0.3"}),
    "factor": (Kind("electrode", ""), "process", [ONE, result("a", "factor 3590 kgCO2/t")],
               {"factor": "3.59"}),
    "not approved": (COAL, "fuel", [ONE, result("a", "ncv 20 GJ/t ar", approved=False)], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", FACTORS)
def test_factors_by_hand(case: str) -> None:
    kind, table, given, expected = FACTORS[case]
    assert made(kind, table, *given) == (expected, [])


UNUSABLE: dict[str, tuple[Kind, list[Paper], str]] = {
    "no basis": (COAL, [ONE, result("a", "ncv 20 GJ/t")], "ncv"),
    "dry": (COAL, [ONE, result("a", "ncv 20 GJ/t d")], "ncv"),
    "basis of a gas": (GAS, [ONE, result("a", "ncv 385 GJ/10^4 Nm3 ar")], "ncv"),
    "a moisture is missing": (COAL, [ONE, result("a", "ncv 24 GJ/t ad", WET[0])], "ncv"),
    "moistures exchanged": (
        COAL, [ONE, result("a", "ncv 24 GJ/t ad", "total-moisture 2 % ar",
                           "moisture 10 % ad")], "ncv"),
    "moisture of another basis": (
        COAL, [ONE, result("a", "ncv 24 GJ/t ad", WET[0], "moisture 2 % ar")], "ncv"),
    "kilocalories": (COAL, [ONE, result("a", "ncv 5600 kcal/kg ar")], "ncv"),
    "GJ for MJ": (COAL, [ONE, result("a", "ncv 23500 GJ/t ar")], "ncv"),
    # 60 GJ/t x 0.02 tC/GJ: 1.2 t of carbon in a tonne
    "more carbon than it weighs": (COAL, [ONE, result("a", "ncv 60 GJ/t ar")], "ncv"),
    "carbon in percent called t": (COAL, [ONE, result("a", "carbon 60 tC/t ar")], "carbon"),
    "nothing": (COAL, [ONE, result("a", "ncv 0 GJ/t ar")], "ncv"),
    "twice": (COAL, [ONE, result("a", "ncv 20 GJ/t ar"), result("a", "ncv 21 GJ/t ar")], "ncv"),
    "taken twice": (COAL, [ONE, taken("a", t="9"), result("a", "ncv 20 GJ/t ar")], "ncv"),
    "taken of another month too": (
        COAL, [ONE, taken("a", day=40), result("a", "ncv 20 GJ/t ar")], "ncv"),
    "one of two says its mass": (
        COAL, [taken("a", t="300"), taken("b"), result("a", "ncv 20 GJ/t ar"),
               result("b", "ncv 26 GJ/t ar")], "ncv"),
    "mass of nothing": (COAL, [taken("a", t="0"), result("a", "ncv 20 GJ/t ar")], "ncv"),
    "composed of itself": (COAL, [composed("m", "m"), result("m", "ncv 20 GJ/t ar")], "ncv"),
    "typed twice": (COAL, [parameter("ncv 22 GJ/t ar"), parameter("ncv 22 GJ/t ar")], "ncv"),
    "typed air-dried": (COAL, [parameter("ncv 22 GJ/t ad")], "ncv"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_contradicts_itself_makes_no_factor(case: str) -> None:
    kind, given, name = UNUSABLE[case]
    assert made(kind, "fuel", *given) == ({}, [f"not-usable:coal.{name}"])


def test_a_factor_names_its_papers_and_how_they_were_weighed() -> None:
    day, month = taken("a", t="10"), composed("m", "a")
    report = result("m", "ncv 20 GJ/t ar")
    given = papers(day, month, report, result("a", "ash 9 %"))
    found, _ = factors_of(given, "coal", "fuel", COAL, lambda _: Fraction(0))
    assert found["ncv"].provenance == {
        "documents": {"about": "coal", "rule": "samples", "weights": "mass",
                      "sha256": sorted(p.sha256 for p in (day, month, report))},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("waiting", "is_waiting"),
    [
        (result("a", "ash 9 %", approved=False), True),
        (result("b", "ash 9 %", approved=False), False),  # of no sample of coal
        (paper("invoice", "coal", {"from_ns": TO, "to_ns": TO + DAY}, approved=False), False),
        (paper("count", "coal", {"from_ns": TO - 1, "to_ns": TO + DAY}, approved=False), True),
        (paper("stock-take", "coal", {"at_ns": FROM}, approved=False), True),
        (paper("stock-take", "coal", {"at_ns": FROM + 5 * DAY}, approved=False), False),
        (paper("stock-take", "coke", {"at_ns": FROM}, approved=False), False),
    ],
)
def test_what_waits_for_a_second_person(waiting: Paper, is_waiting: bool) -> None:
    assert papers(ONE, waiting).is_waiting("coal") is is_waiting
