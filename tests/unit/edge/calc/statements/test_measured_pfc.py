"""A smelter's month by measured anode effects: IPCC, border adjustment, 40 CFR 98 F, site's own."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import StatementError, UnknownRuleSetError
from edge.calc.factors import other_statement_rule_sets, rule_set, statement_rule_sets
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute, month_rules, output_key

RULES = ("eu-cbam-2025-aluminium", "ipcc-2006-aluminium", "ipcc-2019-aluminium", "us-40cfr98-f")
SLOPE = {"metal_t": "1000", "technology": "CWPB", "aem_min_per_cell_day": "0.1", "gwp": "ar5"}
OVER = {"metal_t": "1000", "technology": "CWPB", "aeo_mv": "5", "gwp": "ar5",
        "current_efficiency_percent": "95"}  # fmt: skip


def month(rule_set: str, pfc: object, **more: object) -> dict[str, Any]:
    return compute({"rule_set": rule_set, "month": "2026-06", "pfc": pfc, **more})


def refused(rule_set: str, pfc: object, **more: object) -> str:
    with pytest.raises(StatementError) as caught:
        month(rule_set, pfc, **more)
    return "; ".join(caught.value.problems)


@pytest.mark.parametrize(
    ("rule_set", "changes", "co2e"),
    [
        # by hand: 1000 t × slope × 0.1 × (GWP_CF4 + fraction × GWP_C2F6) ÷ 1000
        ("ipcc-2006", {}, "114.02"),  # 14.3 × (6.63 + 0.121 × 11.1)
        ("ipcc-2006", {"gwp": "sar"}, "108.87"),  # 14.3 × (6.5 + 0.121 × 9.2)
        ("ipcc-2006", {"technology": "SWPB"}, "256.42"),  # 27.2 × (6.63 + 0.252 × 11.1)
        ("ipcc-2019", {"technology": "SWPB"}, "226.90"),  # 23.3 × (6.63 + 0.280 × 11.1)
        ("ipcc-2019", {"technology": "PFPB-M"}, "75.53"),  # 10.4 × (6.63 + 0.057 × 11.1)
        ("eu-cbam-2025", {"technology": "PFPB-L"}, "94.02"),  # 12.2 × (6.63 + 0.097 × 11.1)
        ("us-40cfr98-f", {"technology": "VSS"}, "66.41"),  # 9.2 × (6.63 + 0.053 × 11.1)
        ("us-40cfr98-f", {"gwp": "ar4"}, "126.79"),  # 14.3 × (7.39 + 0.121 × 12.2)
    ],
)
def test_by_slope(rule_set: str, changes: Mapping[str, str], co2e: str) -> None:
    found = month(rule_set, {**SLOPE, **changes})
    assert found["totals"]["pfc_co2e_t"] == found["pfc"]["record"]["co2e_t"] == co2e
    assert found["pfc"]["record"]["method"] == "slope"
    assert [entry["what"] for entry in found["pfc"]["not_covered"]]


@pytest.mark.parametrize("rule_set", ["ipcc-2006", "ipcc-2019", "eu-cbam-2025", "us-40cfr98-f"])
@pytest.mark.parametrize(("pfc", "method"), [(SLOPE, "pfc.slope"), (OVER, "pfc.overvoltage")])
def test_a_line_is_what_the_method_makes(rule_set: str, pfc: dict[str, str], method: str) -> None:
    """Two ways in the program, one figure; the published examples of the methods hold for both."""
    edition = "ipcc-2006" if rule_set in {"ipcc-2006", "us-40cfr98-f"} else "ipcc-2019"
    alone = evaluate(method, {**pfc, "edition": edition})
    record = month(rule_set, pfc)["pfc"]["record"]
    assert {key: record[key] for key in ("cf4_kg", "c2f6_kg")} == {
        key: alone[key] for key in ("cf4_kg", "c2f6_kg")
    }
    assert record["co2e_t"] == str(round(Decimal(alone["co2e_t"]), 2))


def test_potlines_are_lines_and_their_sum_the_record() -> None:
    """Both examples of the GHG Protocol workbook's worksheet 8, as two potlines of one month."""
    first = {"unit": "line-1", "metal_t": "1000", "technology": "VSS", "gwp": "sar",
             "aem_min_per_cell_day": "10"}  # fmt: skip
    second = {**OVER, "gwp": "sar", "unit": "line-2"}
    found = month("ipcc-2006", [first, second], output={"aluminium_t": "2000"})
    assert [line["emission_t"] for line in found["lines"]] == ["6428.59", "464.81"]
    assert found["units"]["line-1"]["pfc_co2e_t"] == "6428.59"
    record = found["pfc"]["record"]
    assert (record["co2e_t"], record["method"], record["metal_t"]) == (
        "6893.40", "slope overvoltage", "2000",
    )  # fmt: skip
    assert [line["unit"] for line in record["potlines"]] == ["line-1", "line-2"]
    exact = 920 + Fraction("1.16") * 5 / 95 * 1000
    assert abs(Fraction(found["gases"]["cf4_kg"]) - exact) < Fraction(1, 10**14)
    assert found["intensity"] == "3.4467"
    assert "no-anode" in found["flags"]


def test_own_coefficients_are_typed_with_their_source() -> None:
    own = {"slope": "0.0987", "c2f6_fraction": "0.061", "source": "2026-03, report 17"}
    found = month("eu-cbam-2025", {**SLOPE, "technology": "PFPB-MW", **own})
    line = found["lines"][0]
    assert line["emission_t"] == "72.12"  # 9.87 × (6.63 + 0.061 × 11.1) = 72.1211…
    assert line["parameters"]["slope"]["source"] == "typed: 2026-03, report 17"
    assert {"typed:pfc.slope", "typed:pfc.c2f6_fraction"} <= set(found["flags"])
    duct = month(
        "eu-cbam-2025",
        {**SLOPE, "technology": "PFPB-MW", **own, "collection_efficiency_percent": "98"},
    )
    assert duct["lines"][0]["emission_t"] == "73.59"  # ÷ 0.98: (EU) 2025/2547 Annex II Eq. 20


@pytest.mark.parametrize(
    ("pfc", "is_due"),
    [
        ({**SLOPE, "aem_min_per_cell_day": "0.2"}, True),
        ({**SLOPE, "aem_min_per_cell_day": "0.199"}, False),
        ({**OVER, "aeo_mv": "1.4"}, True),
        ({**OVER, "aeo_mv": "1.39"}, False),
        ({**SLOPE, "aem_min_per_cell_day": "5", "slope": "0.1", "c2f6_fraction": "0.1",
          "source": "own"}, False),
    ],
)  # fmt: skip
def test_part_98_has_defaults_for_lines_below_its_limits_only(
    pfc: dict[str, str], *, is_due: bool
) -> None:
    """40 CFR 98.64(a): less than 0.2 AE-min/cell-day, or less than 1.4 mV."""
    assert ("site-coefficients-due:pfc" in month("us-40cfr98-f", pfc)["flags"]) == is_due
    assert "site-coefficients-due:pfc" not in month("ipcc-2006", pfc)["flags"]


def test_carbon_by_the_rule_sets_own_equations() -> None:
    """Eq. F-5 to F-8 and 4.21 to 4.24 through the statement: figures of test_electrodes."""
    carbon = {
        "anode": {"net_t": "420"},
        "paste": {"metal_t": "1", "paste_t": "0.55", "technology": "VSS", "paste": "dry"},
        "baking": {"green_t": "1055", "baked_t": "1000", "furnace": "other"},
    }
    for name in ("ipcc-2006", "ipcc-2019", "us-40cfr98-f"):
        found = month(name, SLOPE, **carbon)
        emissions = {line["kind"]: line["emission_t"] for line in found["lines"]}
        assert emissions["prebaked-anode"] == "1503.04"
        assert emissions["soderberg-paste"] == "1.93"
        assert emissions["anode-baking"] == "234.85"  # 182.325 + 52.525
        assert found["totals"]["anode_t"] == "1739.82"
        assert "no-anode" not in found["flags"]
    tar = {"green_t": "1060", "baked_t": "1000", "furnace": "riedhammer"}
    riedhammer = month("us-40cfr98-f", SLOPE, baking=tar)
    # (1060 × 0.99 - 1000) × 44/12 + 52.525 = 181.1333… + 52.525
    assert riedhammer["lines"][0]["emission_t"] == "233.66"


def test_the_border_adjustment_balances_the_anodes_carbon() -> None:
    """(EU) 2025/2547 Annex II Eq. 12: f = 3.664; what the anode holds is the plant's analysis."""
    analysed = {"net_t": "420", "sulfur_percent": "2", "ash_percent": "0.4"}
    found = month("eu-cbam-2025", SLOPE, anode=analysed)
    assert found["lines"][0]["emission_t"] == "1501.95"  # 420 × 0.976 × 3.664 = 1501.94688
    said = refused("eu-cbam-2025", SLOPE, anode={"net_t": "420"})
    assert "anode.sulfur_percent: missing: eu-cbam-2025-aluminium has no default" in said
    paste = {"metal_t": "1", "paste_t": "0.55", "technology": "VSS", "paste": "dry"}
    assert "has no such equation" in refused("eu-cbam-2025", SLOPE, paste=paste)


def test_uncertainty_of_minutes_reaches_the_total() -> None:
    """By hand: 6 % at k 1.96 of 114.02… t are u = 3.4904 t, told rounded up."""
    entry = {"parameter": "slope", "percent": "6", "means": "expanded", "k": "1.96"}
    found = month("ipcc-2006", {**SLOPE, "uncertainty": [entry]})
    assert found["lines"][0]["uncertainty"]["u_t"] == "3.50"
    assert "uncertainty-incomplete" in found["flags"]


@pytest.mark.parametrize(
    ("rule_set", "changes", "reason"),
    [
        ("ipcc-2006", {"technology": "PFPB-M"}, "pfc.technology: ipcc-2006-aluminium has no slope"),
        ("ipcc-2019", {"technology": "PFPB-MW"}, "it has: CWPB HSS PFPB-L PFPB-M SWPB VSS"),
        ("ipcc-2006", {"gwp": None}, "pfc.gwp: missing: ipcc-2006-aluminium prescribes none"),
        ("ipcc-2006", {"metal_t": None}, "pfc.metal_t: missing"),
        ("ipcc-2006", {"technology": None}, "pfc.technology: missing"),
        ("ipcc-2006", {"aem_min_per_cell_day": None}, "give exactly one of"),
        ("ipcc-2006", {"aeo_mv": "5"}, "give exactly one of"),
        ("ipcc-2006", {"aem_min_per_cell_day": "1441"}, "1441 is above 1440"),
        ("ipcc-2006", {"current_efficiency_percent": "95"}, "has no meaning beside aem"),
        ("ipcc-2006", {"slope": "0.1"}, "pfc.c2f6_fraction: missing"),
        ("ipcc-2006", {"slope": "0.1", "c2f6_fraction": "0.1"}, "pfc.source: missing"),
        ("ipcc-2006", {"overvoltage": "1"}, "pfc.overvoltage: has no meaning with slope"),
        ("ipcc-2006", {"cf4_kg_t": "0.02"}, "pfc.cf4_kg_t: unknown key"),
    ],
)
def test_what_is_wrong_is_named(
    rule_set: str, changes: Mapping[str, str | None], reason: str
) -> None:
    given_ = {key: value for key, value in {**SLOPE, **changes}.items() if value is not None}
    assert reason in refused(rule_set, given_)


@pytest.mark.parametrize(
    ("efficiency", "reason"),
    [("0.95", "0.95 is below 50 %: 95, not 0.95"), (None, "missing beside aeo_mv")],
)
def test_efficiency_is_percent(efficiency: str | None, reason: str) -> None:
    pfc = {key: value for key, value in OVER.items() if key != "current_efficiency_percent"}
    pfc |= {"current_efficiency_percent": efficiency} if efficiency else {}
    assert reason in refused("ipcc-2006", pfc)


def test_what_the_rule_set_does_not_count_is_refused() -> None:
    said = refused("ipcc-2006", SLOPE, clinker={"quantity": "1"})
    assert "clinker: ipcc-2006-aluminium (aluminium) has none; it has fuel anode paste" in said


def test_no_plants_month_is_sealed_by_them() -> None:
    smelters = [n for n in other_statement_rule_sets() if rule_set(n).sector == "aluminium"]
    assert tuple(smelters) == RULES
    assert not set(RULES) & set(statement_rule_sets())
    assert output_key("ipcc-2006") == "aluminium_t"
    for name in (*RULES, "ipcc-2006"):
        with pytest.raises(UnknownRuleSetError, match="no plant's month is sealed"):
            month_rules(name)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=6))
def test_potlines_together_or_apart_in_any_order(tonnes: list[int]) -> None:
    """The total is the sum of the lines, and does not know in which order they were given."""
    tables = [{**SLOPE, "metal_t": str(metal), "unit": f"l-{i}"} for i, metal in enumerate(tonnes)]
    there, back = (month("ipcc-2019", each)["totals"] for each in (tables, tables[::-1]))
    alone = [Decimal(month("ipcc-2019", each)["totals"]["total_t"]) for each in tables]
    assert there == back
    assert Decimal(there["total_t"]) == sum(alone)
