"""A year's statement, difference rates, position, footprint, inventory and embedded emissions."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from edge.calc.errors import InputError, StatementError
from edge.calc.statements.annual import annual_statement
from edge.calc.statements.embedded import embedded
from edge.calc.statements.footprint import footprint
from edge.calc.statements.inventory import SUBCATEGORIES, inventory
from edge.calc.statements.line import COUNTS
from edge.calc.statements.position import Year, position, whole_year
from edge.calc.statements.statement import compute
from edge.calc.statements.year import year_to_date

STEEL, METAL = "cets-ag-03.01-v01-2024", "cets-ag-04.01-v01-2024"
Pair = tuple[dict[str, Any], dict[str, Any]]


def steel(month: str, coal: str, ncv: str, carbon: str = "0.02749", **more: Any) -> dict[str, Any]:
    fuel = {"kind": "anthracite", "quantity": coal, "ncv": ncv, "carbon_content": carbon}
    read = {"quantity": {"frames": {"point": f"{month}.belt", "rule": "totaliser"}}}
    return {"rule_set": STEEL, "month": month, "fuel": [{**fuel, "provenance": read}],
            "output": {"crude_steel_t": "100"}, **more}  # fmt: skip


def smelter(month: str, indicator: bool = True, **more: Any) -> dict[str, Any]:
    effects = {"aem_min_per_cell_day": "0.1", "technology": "PFPB-L", "edition": "ipcc-2019",
               "gwp": "ar5"}  # fmt: skip
    return {"rule_set": METAL, "month": month,
            "anode": {"net_t": "400", "sulfur_percent": "2", "ash_percent": "0.4"},
            "pfc": {"metal_t": "1000", **({"indicator": effects} if indicator else {})},
            "output": {"aluminium_t": "1000"}, **more}  # fmt: skip


def made(*sources: dict[str, Any]) -> list[Pair]:
    return [(source, compute(source)) for source in sources]


def twelve() -> list[Pair]:
    return made(*(steel(f"2026-{n:02}", f"{1000 + n}.{n:02}", f"2{n % 5}.123")
                  for n in range(1, 13)))  # fmt: skip


def test_a_year_gives_back_its_emission_by_its_means() -> None:
    """Σ quantity × mean NCV × mean carbon × 44/12, in decimals: apart by rounding only."""
    sources = [
        steel(month, quantity, ncv, carbon)
        for month, quantity, ncv, carbon in [
            ("2026-01", "100", "25", "0.02700"), ("2026-02", "300", "20", "0.02900"),
        ]
    ]  # fmt: skip
    (line,) = year_to_date(sources)["lines"]
    # NCV (2500 + 6000) ÷ 400; carbon (2500 × 0.027 + 6000 × 0.029) ÷ 8500, not ÷ 400: 0.02850
    assert line["factors"]["ncv"]["value"] == "21.25"
    assert line["factors"]["carbon_content"]["value"] == "0.0284118"
    mean = Decimal(400) * Decimal("21.25") * Decimal("0.0284118") * 44 / 12
    assert abs(mean - Decimal(line["emission_t"])) < Decimal("0.02")
    # 2500 × 0.027 × 44/12 = 247.5; 6000 × 0.029 × 44/12 = 638
    figures = annual_statement(made(*sources))["figures"]
    assert [figures[f"fuel.anthracite.{name}"] for name in ("quantity", "emission_t", "ncv")] == [
        "400", "885.50", "21.25",
    ]  # fmt: skip


def test_twelve_months_are_summed_to_the_cent_and_the_threshold_is_told() -> None:
    months = twelve()
    found = annual_statement(months)
    naive = Decimal(0)
    for source, _ in months:  # as a person would: each printed month, half up to the hundredth
        (fuel,) = source["fuel"]
        exact = Decimal(fuel["quantity"]) * Decimal(fuel["ncv"]) * Decimal("0.02749") * 44 / 12
        naive += exact.quantize(Decimal("0.01"), "ROUND_HALF_UP")
    assert Decimal(found["totals"]["total_t"]) == naive
    assert (found["months_lacking"], found["is_whole"]) == ([], True)
    assert naive > 26_000
    assert (found["key_entity"]["state"], found["key_entity"]["confidence"]) == (
        "reached", "confirmed"
    )  # fmt: skip
    part = annual_statement(months[:3])
    assert part["months_lacking"] == [f"2026-{n:02}" for n in range(4, 13)]
    assert (part["is_whole"], part["key_entity"]["state"]) == (False, "not-yet")


def test_a_year_with_an_interim_month_is_not_below_the_threshold_yet() -> None:
    months = made(*(steel(f"2026-{n:02}", "1", "25") for n in range(1, 12)),
                  steel("2026-12", "1", "25", closing="interim"))  # fmt: skip
    assert annual_statement(months)["key_entity"]["state"] == "not-yet"


def test_a_month_that_covers_nothing_yet_is_not_projected() -> None:
    at = "2026-01-01T00:00:00+08:00"
    begun = steel("2026-01", "1", "25", closing="interim", period={"from": at, "to": at})
    months = made(begun)
    with pytest.raises(InputError, match="no time yet"):
        whole_year(annual_statement(months), [begun])


def test_difference_rates_are_the_platforms() -> None:
    """|figure - annual| ÷ |annual|, the exact rate against the threshold."""
    months = made(steel("2026-01", "100", "25.500"))  # 257.0315 t, printed 257.03
    reported = {
        "annual": {"total_t": "256", "fuel": {"anthracite": {"quantity": "100"}}},
        "verified": {"total_t": "257.29", "fuel.anthracite.ncv": "25.5"},
        "threshold_percent": "0.5",
    }
    rows = {row["figure"]: row for row in annual_statement(months, reported)["differences"]}
    assert rows["total_t"]["rate_percent"] == "0.40"  # 1.03 ÷ 256
    assert rows["total_t"]["state"] == "within"
    assert rows["total_t"]["verified"]["rate_percent"] == "0.50"  # 1.29 ÷ 256 = 0.5039: above
    assert rows["total_t"]["verified"]["state"] == "above"
    assert rows["fuel.anthracite.quantity"]["rate_percent"] == "0.00"
    assert rows["fuel.anthracite.ncv"]["verified"]["rate_percent"] == "0.00"
    unjudged = annual_statement(months, {"annual": {"total_t": "256"}})["differences"]
    assert unjudged[0]["state"] == "no-threshold"


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        ({"annual": {"fuel.diesel.ncv": "1"}}, "fuel.diesel.ncv: the months have no such figure"),
        ({"annual": {"total_t": "1,5"}}, "annual.total_t: "),
        ({"anual": {}}, "anual: unknown"),
        ({"annual": "1"}, "annual: must be a table"),
    ],
)
def test_what_was_reported_wrong_is_named(reported: dict[str, Any], said: str) -> None:
    with pytest.raises(StatementError, match=said.replace(".", r"\.")):
        annual_statement(made(steel("2026-01", "1", "25")), reported)


#: a project's own example, as of allowance.project: 90000 t against 60000 × 1.6 = 96000 t
BENCHMARK = Year(
    "2025", Fraction(90_000), Fraction(60_000), benchmark_t_t=Fraction("1.6"), price=Fraction(60)
)


def test_a_benchmark_leaves_a_surplus_and_its_worth() -> None:
    found = position(BENCHMARK)
    told = (
        "allowance_t",
        "balance_t",
        "balance_percent",
        "state",
        "intensity",
        "worth",
        "currency",
    )
    assert [found[key] for key in told] == [
        "96000.00", "6000.00", "6.67", "surplus", "1.5000", "360000.00", "CNY"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "emission", "balance", "worth"),
    [
        ({"output": "+5%"}, "94500.00", "6300.00", "378000.00"),  # both rise with the output
        ({"intensity": "+10%"}, "99000.00", "-3000.00", "-180000.00"),  # 60000 × 1.65
        ({"price": "80.5"}, "90000.00", "6000.00", "483000.00"),
        ({"output": "50000", "intensity": "1.7", "price": "-50%"}, "85000.00", "-5000.00",
         "-150000.00"),
    ],
)  # fmt: skip
def test_what_if(changes: dict[str, str], emission: str, balance: str, worth: str) -> None:
    found = position(BENCHMARK, changes)
    then = found["what_if"]
    assert (then["emission_t"], then["balance_t"], then["worth"]) == (emission, balance, worth)
    apart = Decimal(balance) - Decimal(found["balance_t"])
    assert Decimal(then["difference"]["balance_t"]) == apart


def test_a_price_that_nobody_gave_before_makes_no_difference_of_worth() -> None:
    then = position(replace(BENCHMARK, price=None), {"price": "80"})["what_if"]
    assert (then["worth"], then["difference"].keys() & {"worth"}) == ("480000.00", set())


def test_an_inventory_has_a_place_for_every_category() -> None:
    assert SUBCATEGORIES.keys() == COUNTS.keys()


def test_a_fixed_allowance_does_not_move_with_the_output() -> None:
    fixed = replace(BENCHMARK, benchmark_t_t=None, allowance_t=Fraction(91_000))
    assert position(fixed, {"output": "+10%"})["what_if"]["balance_t"] == "-8000.00"


def test_what_rows_say_of_2024_and_2025_is_told_with_its_confidence() -> None:
    verified = position(Year("2024", Fraction("90000.5"), held_t=Fraction(90_000)))
    assert (verified["state"], verified["allowance_t"]) == ("even", "90000.50")
    assert verified["basis"]["confidence"] == "confirmed"
    assert verified["still_to_hold_t"] == "0.50"
    before = position(replace(BENCHMARK, verified_before_t=Fraction(100_000)))["preallocated"]
    assert (before["t"], before["confidence"]) == ("70000.00", "unverified")


@pytest.mark.parametrize(
    ("year", "changes", "said"),
    [
        (Year("2026", Fraction(1)), {}, "2026's is in no source"),
        (replace(BENCHMARK, output_t=None), {}, "per tonne of output"),
        (replace(BENCHMARK, allowance_t=Fraction(1)), {}, "not both"),
        (replace(BENCHMARK, currency="yuan"), {}, "no code like CNY"),
        (replace(BENCHMARK, price=Fraction(-1)), {}, "price: below zero"),
        (BENCHMARK, {"weather": "+1%"}, "weather: no such change"),
        (BENCHMARK, {"output": "+5"}, "is no change"),
        (BENCHMARK, {"output": "-101%"}, "is no change"),
        (replace(BENCHMARK, price=None), {"price": "+5%"}, "there is none to change"),
        (Year("2024", Fraction(1)), {"output": "+5%"}, "cannot be changed"),
    ],
)
def test_what_cannot_be_told_is_said(year: Year, changes: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        position(year, changes)
    assert said in str(caught.value.problems)


def test_a_footprint_is_by_unit_and_meter_and_adds_up() -> None:
    month = steel("2026-01", "100", "25.5", product=[
        {"product": "crude-steel", "quantity": "1000", "unit": "bof-1"}])  # fmt: skip
    outputs = [output for _, output in made(month, steel("2026-02", "10", "25"))]
    found = footprint(outputs)
    units = {unit["unit"]: unit for unit in found["units"]}
    assert units["bof-1"]["emission_t"] == "-37.00"  # 1000 × 0.037, carbon that leaves
    assert [row["points"] for row in units[""]["sources"]] == [["2026-01.belt"], ["2026-02.belt"]]
    assert units[""]["sources"][0]["months"] == ["2026-01"]
    assert sum(Decimal(unit["emission_t"]) for unit in found["units"]) == Decimal(found["total_t"])
    # gross 257.03 + 25.20 + 37
    assert [units[name]["percent"] for name in ("", "bof-1")] == ["88.41", "11.59"]


def test_an_inventory_weighs_gases_by_the_set_that_is_asked() -> None:
    electricity = {"auxiliary": [{"kind": "electricity", "quantity": "13500"}]}
    months = made(smelter("2026-01", **electricity))
    year, outputs = annual_statement(months), [output for _, output in months]
    found = inventory(
        year, outputs, "ar6", {"electricity_factor": "0.5", "electricity_source": "x"}
    )
    # 1000 t × 0.02 and 0.0011 kg/t; AR6: 20 kg × 7380 + 1.1 kg × 12400 = 147.6 + 13.64
    gases = {gas["gas"]: gas["co2e_t"] for gas in found["category_1"]["gases"]}
    assert (gases["cf4"], gases["c2f6"]) == ("147.60", "13.64")
    anode = Decimal(outputs[0]["totals"]["anode_t"])
    assert Decimal(found["category_1"]["total_t"]) == anode + Decimal("161.24")
    assert found["sealed_total_t"] == year["totals"]["total_t"] != found["category_1"]["total_t"]
    assert found["category_2"]["co2_t"] == "6750.00"
    assert found["biogenic"] == {"co2_t": None, "state": "not-answered"}
    assert inventory(year, outputs, "ar5")["category_2"]["state"] == "no-factor"
    flags = ["no-anode", "no-producing-time", "missing:fuel.ncv"]  # a default is no gap
    assert inventory({**year, "flags": flags}, outputs, "ar5")["left_out"] == ["no-anode"]
    with_base = inventory(year, outputs, "ar5", {"base_year": "2024", "base_year_t": "1000"})
    assert with_base["base_year"]["state"] == "given"
    for asked, said in [({"electricity_factor": "0.5"}, "needs its source"),
                        ({"base_year": "2024", "base_year_t": "x"}, "base_year_t")]:  # fmt: skip
        with pytest.raises(InputError, match=said):
            inventory(year, outputs, "ar5", asked)
    with pytest.raises(InputError, match="no set"):
        inventory(year, outputs, "ar9")


def test_embedded_emissions_are_by_the_eus_rules_where_the_month_can_be_read_by_them() -> None:
    electricity = {"auxiliary": [{"kind": "electricity", "quantity": "13500"}]}
    months = made(smelter("2026-01", **electricity), smelter("2026-02", indicator=False))
    found = embedded(months, {"electricity_factor": "0.5", "electricity_source": "x"})
    assert [row["by"] for row in found["months"]] == ["cbam", "sealed"]
    assert "without minutes" in found["months"][1]["reason"]
    total = sum(Decimal(row["emission_t"]) for row in found["months"])
    assert Decimal(found["direct"]["t_t"]) == (total / 2000).quantize(Decimal("0.0001"))
    assert found["indirect"] == {"state": "not-measured", "months": ["2026-01"]}
    one = embedded(months[:1], {"electricity_factor": "0.5", "electricity_source": "x"})
    assert (one["indirect"]["mwh_t"], one["indirect"]["t_t"]) == ("13.5000", "6.7500")
    assert one["direct"]["state"] == "told"
    unmade = embedded(made(smelter("2026-01", output={})))
    assert unmade["direct"] == {"state": "no-output", "months": ["2026-01"]}


def test_what_was_bought_in_is_named_and_what_is_left_out_makes_it_partial() -> None:
    bought = [
        {"material": "pig-iron", "quantity": "50"}, {"material": "scrap", "quantity": "9"}
    ]  # fmt: skip
    works = steel("2026-01", "100", "25.5", process=bought)
    found = embedded(made(works))
    assert found["precursors"] == [{"kind": "pig-iron", "quantity": "50", "unit": "t"}]
    assert found["shares"] == {
        "actual_percent": "96.64",
        "default_percent": "3.36",
    }  # 257.03 of 265.96
    del works["fuel"]
    partial = embedded(made(works))["direct"]
    assert (partial["state"], partial["left_out"]) == ("partial", ["fuel"])
