"""Statements from input files: figures by hand, rounding, flags, and every wrong key named."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute
from tests.unit.edge.calc.plain import is_plain

RULES = "cets-ag-04.01-v01-2024"


def source(**tables: Any) -> dict[str, Any]:
    return {"rule_set": RULES, "month": "2026-06", **tables}


INDICATOR = {
    "technology": "PFPB-M", "edition": "ipcc-2019", "gwp": "ar5", "aem_min_per_cell_day": "0.1",
}  # fmt: skip


def test_a_whole_aluminium_month_by_hand() -> None:
    found = compute(
        source(
            fuel=[{"kind": "natural-gas", "quantity": "12.50"}],
            anode={"gross_t": "469.00"},
            pfc={"metal_t": "1000.00"},
            carbonate=[{"kind": "limestone", "quantity": "10"}],
            output={"aluminium_t": "1000.00"},
        )
    )
    # gas     12.5 × 389.310 × 0.01532 × 0.99 × 44/12 = 270.6268999…
    # anode   469 × (1 - 0.1518) × (1 - 0.02 - 0.004) × 44/12 = 1423.6143562…
    # pfc     1000 × (0.02 × 6630 + 0.0011 × 11100) ÷ 1000 = 144.81
    # lime    10 × 1 × 0.4400 = 4.40
    assert [line["emission_t"] for line in found["lines"]] == [
        "270.63",
        "1423.61",
        "144.81",
        "4.40",
    ]
    assert found["totals"] == {
        "fuel_t": "270.63", "anode_t": "1423.61", "pfc_co2e_t": "144.81", "carbonate_t": "4.40",
        "total_t": "1843.45",
    }  # fmt: skip
    assert found["intensity"] == "1.8435"  # 1.84345 rounds half up
    assert found["gases"] == {"co2_t": "1698.64", "cf4_kg": "20", "c2f6_kg": "1.1"}


def test_the_default_pfc_factor_is_0_1448_t_per_t() -> None:
    """0.14481 tCO2e/tAl by the printed defaults; a futures house's draft figure is 0.1454."""
    found = compute(source(pfc={"metal_t": "100000"}))
    assert found["totals"]["pfc_co2e_t"] == "14481.00"


def test_the_anode_default_agrees_with_the_drafts_1_424() -> None:
    """0.469 × (1 - 0.1518) × 0.976 × 44/12 = 1.4236; the 2024 draft's figure is 1.424."""
    found = compute(source(anode={"gross_t": "469"}))
    per_tonne = Decimal(found["totals"]["anode_t"]) / 1000
    assert per_tonne.quantize(Decimal("0.001"), ROUND_HALF_UP) == Decimal("1.424")


def test_shape_is_the_interface() -> None:
    found = compute(source(pfc={"metal_t": "1"}, output={"aluminium_t": "1"}))
    assert set(found) >= {
        "rule_set", "month", "lines", "totals", "units", "gases", "intensity", "flags", "pfc",
    }  # fmt: skip
    (line,) = found["lines"]
    assert set(line) == {
        "category", "kind", "quantity", "emission_t", "parameters", "uncertainty"
    }  # fmt: skip
    for parameter in line["parameters"].values():
        assert set(parameter) >= {"value", "unit", "basis", "confidence", "source"}
        assert parameter["basis"] in {"measured", "default", "calculated"}


def test_everything_is_plain() -> None:
    found = compute(
        source(
            fuel=[{"kind": "diesel", "quantity": Decimal("1.5")}],
            pfc={"metal_t": 7, "indicator": INDICATOR},
            output={"aluminium_t": 7},
        )
    )
    assert is_plain(found)


def test_pfc_stands_as_three_things_and_is_counted_once() -> None:
    found = compute(source(pfc={"metal_t": "1000", "indicator": INDICATOR}))
    pfc = found["pfc"]
    assert pfc["record"]["co2e_t"] == "144.81"
    assert pfc["indicator"]["cf4_kg"] == "10.4"
    assert [x["what"] for x in pfc["not_covered"]] == [
        "low-voltage (non-anode-effect) PFC", "start-up PFC",
    ]  # fmt: skip
    assert found["totals"]["total_t"] == "144.81"
    assert [line["category"] for line in found["lines"]] == ["pfc"]


def test_without_an_indicator_there_is_none_but_not_covered_stays() -> None:
    pfc = compute(source(pfc={"metal_t": "1"}))["pfc"]
    assert "indicator" not in pfc
    assert len(pfc["not_covered"]) == 2


@given(metal=st.decimals(0, 10**5, places=3), aem=st.decimals(0, 20, places=12))
def test_the_indicator_is_what_calc_eval_says(metal: Decimal, aem: Decimal) -> None:
    found = compute(
        source(
            pfc={
                "metal_t": f"{metal:f}",
                "indicator": {**INDICATOR, "aem_min_per_cell_day": f"{aem:f}"},
            }
        )
    )["pfc"]["indicator"]
    again = evaluate(
        "pfc.slope",
        {
            key: found[key]
            for key in ("metal_t", "aem_min_per_cell_day", "technology", "edition", "gwp")
        },
    )
    for key in ("cf4_kg", "c2f6_kg", "co2e_t"):
        assert found[key] == again[key]


def test_lines_are_rounded_then_summed() -> None:
    """Three lines of 0.005 make 0.03, not 0.02: each rounds half up before the sum."""
    third = [{"kind": "limestone", "quantity": "0.0125", "purity_percent": "90.90909090909"}] * 3
    found = compute(source(carbonate=third))
    assert [line["emission_t"] for line in found["lines"]] == ["0.00"] * 3
    third = [{"kind": "limestone", "quantity": "0.0125", "purity_percent": "91"}] * 3
    found = compute(source(carbonate=third))  # 0.0125 × 0.91 × 0.44 = 0.005005
    assert [line["emission_t"] for line in found["lines"]] == ["0.01"] * 3
    assert found["totals"] == {"carbonate_t": "0.03", "total_t": "0.03"}


@pytest.mark.parametrize(
    ("kind", "quantity", "expected"),
    [
        ("sodium-carbonate", "50", "20.75"),  # 20.745; half to even would print 20.74
        ("lithium-carbonate", "10", "5.96"),  # 5.955
        ("magnesium-carbonate", "2.5", "1.31"),  # 1.305
        ("magnesium-carbonate", "2.4999", "1.30"),  # 1.30494…
    ],
)
def test_an_exact_half_goes_up(kind: str, quantity: str, expected: str) -> None:
    found = compute(source(carbonate=[{"kind": kind, "quantity": quantity}]))
    assert found["lines"][0]["emission_t"] == expected


def test_no_intermediate_rounding() -> None:
    """NCV × CC is not rounded: 389.310 × 0.01532 = 5.9642292, not 5.96."""
    found = compute(source(fuel=[{"kind": "natural-gas", "quantity": "1000"}]))
    assert found["totals"]["fuel_t"] == "21650.15"  # with 5.96 it would be 21634.80


@pytest.mark.parametrize(
    ("table", "quantity", "flag"),
    [
        ({"opening": "10", "purchased": "100", "closing": "20", "output": "5"}, "85", None),
        ({"purchased": "1.5"}, "1.5", None),
        ({"opening": "1", "output": "3"}, "-2", "net-output"),
    ],
)
def test_stock_balance(table: dict[str, str], quantity: str, flag: str | None) -> None:
    found = compute(source(fuel=[{"kind": "coke", **table}]))
    (line,) = found["lines"]
    assert line["quantity"] == quantity
    assert line["parameters"]["quantity"]["basis"] == "calculated"
    assert ("net-output" in found["flags"]) == (flag is not None)
    assert ("stock-incomplete" in found["flags"]) == (not {"opening", "closing"} <= set(table))


def test_a_net_output_is_a_negative_emission() -> None:
    found = compute(source(fuel=[{"kind": "coke", "opening": "0", "output": "1"}]))
    # -1 × 28.435 × 0.02942 × 0.98 × 44/12 = -3.00602…
    assert found["totals"] == {"fuel_t": "-3.01", "total_t": "-3.01"}


def test_own_parameters_are_used_as_given_and_marked() -> None:
    found = compute(
        source(
            fuel=[
                {"kind": "natural-gas", "quantity": "1", "ncv": "380.1234567",
                 "oxidation_percent": "100"},
            ],
            pfc={"metal_t": "1000", "cf4_kg_t": "0.034", "c2f6_kg_t": "0.0034", "gwp": "sar"},
        )
    )  # fmt: skip
    fuel, pfc = found["lines"]
    assert fuel["parameters"]["ncv"]["value"] == "380.1234567"
    assert fuel["parameters"]["ncv"]["basis"] == "measured"
    assert fuel["parameters"]["carbon_content"]["basis"] == "default"
    # 34 × 6.5 + 3.4 × 9.2 = 252.28 t, the NDRC 2013 form
    assert pfc["emission_t"] == "252.28"
    assert found["pfc"]["record"]["gwp"] == "sar"


def test_net_anode() -> None:
    found = compute(source(anode={"net_t": "400", "sulfur_percent": "1.5", "ash_percent": "0.5"}))
    # 400 × 0.98 × 44/12 = 1437.33
    assert found["totals"]["anode_t"] == "1437.33"
    assert set(found["lines"][0]["parameters"]) == {"net_t", "sulfur_percent", "ash_percent"}


def test_the_reference_form_of_net_anode_per_tonne() -> None:
    """NDRC form: NC 0.42 t/t, S 2 %, A 0.4 % gives 1.50304 t/t."""
    found = compute(source(anode={"net_t": "420"}))
    assert found["totals"]["anode_t"] == "1503.04"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("CaCO3", "44.00"), ("MgCO3", "52.20"), ("Na2CO3", "41.49"), ("NaHCO3", "52.37"),
        ("FeCO3", "37.99"), ("MnCO3", "38.29"), ("BaCO3", "22.30"), ("Li2CO3", "59.55"),
        ("K2CO3", "31.84"), ("SrCO3", "29.80"), ("CaMg(CO3)2", "47.73"),
    ],
)  # fmt: skip
def test_carbonates(kind: str, expected: str) -> None:
    found = compute(source(carbonate=[{"kind": kind, "quantity": "100"}]))
    assert found["totals"]["carbonate_t"] == expected


def test_auxiliary_electricity_is_reported_and_not_counted() -> None:
    found = compute(
        source(pfc={"metal_t": "10"}, auxiliary=[{"kind": "electricity", "quantity": "140.5"}])
    )
    (entry,) = found["auxiliary"]
    assert (entry["kind"], entry["in_total"]) == ("electricity", False)
    assert (entry["quantity"]["value"], entry["quantity"]["unit"]) == ("140.5", "MWh")
    assert found["totals"]["total_t"] == "1.45"


def test_units_have_their_own_totals() -> None:
    found = compute(
        source(
            fuel=[
                {"kind": "diesel", "quantity": "10", "unit": "casting"},
                {"kind": "diesel", "quantity": "20", "unit": "anode-shop"},
                {"kind": "diesel", "quantity": "30"},
            ],
            carbonate=[{"kind": "limestone", "quantity": "1", "unit": "casting"}],
        )
    )
    assert found["units"] == {
        "anode-shop": {"fuel_t": "61.92", "total_t": "61.92"},
        "casting": {"fuel_t": "30.96", "carbonate_t": "0.44", "total_t": "31.40"},
    }
    assert found["totals"]["total_t"] == "186.20"  # 30.96 + 61.92 + 92.88 + 0.44


def test_totals_that_do_not_apply_are_absent() -> None:
    assert compute(source())["totals"] == {"total_t": "0.00"}
    assert compute(source(fuel=[], carbonate=[]))["lines"] == []


def test_intensity_needs_an_output() -> None:
    assert "intensity" not in compute(source(pfc={"metal_t": "1"}))
    assert "intensity" not in compute(source(output={"aluminium_t": "0"}))


def test_every_unconfirmed_row_is_flagged_once() -> None:
    found = compute(
        source(
            fuel=[{"kind": "bituminous", "quantity": "1"}] * 2,
            pfc={"metal_t": "1", "indicator": INDICATOR},
        )
    )
    assert found["flags"] == [
        "no-anode",
        "unconfirmed:fuel.bituminous.carbon_content",
        "unconfirmed:fuel.bituminous.ncv",
        "unconfirmed:fuel.solid.oxidation_percent",
        "unconfirmed:pfc.c2f6_kg_t",
        "unconfirmed:pfc.cf4_kg_t",
        "unconfirmed:slope.PFPB-M.c2f6_fraction",
        "unconfirmed:slope.PFPB-M.cf4",
    ]


def test_confirmed_and_own_values_are_not_flagged() -> None:
    found = compute(
        source(fuel=[{"kind": "natural-gas", "quantity": "1", "oxidation_percent": "99"}])
    )
    assert found["flags"] == ["no-anode", "no-pfc"]


def test_typed_figures_are_flagged_and_not_called_measured() -> None:
    typed = {"typed": {"gross_kg_per_t": "469", "source": "site file"}}
    found = compute(source(anode={"gross_t": "4.69", "provenance": {"gross_t": typed}}))
    parameter = found["lines"][0]["parameters"]["gross_t"]
    assert (parameter["basis"], parameter["source"]) == ("calculated", "typed: site file")
    assert parameter["provenance"] == typed
    assert "typed:anode.gross_t" in found["flags"]


def test_frame_provenance_is_carried() -> None:
    frames = {"frames": {"point": "gas.volume", "rule": "totaliser"}}
    found = compute(
        source(fuel=[{"kind": "diesel", "quantity": "1", "provenance": {"quantity": frames}}])
    )
    parameter = found["lines"][0]["parameters"]["quantity"]
    assert parameter["basis"] == "measured"
    assert parameter["provenance"] == frames
    assert "gas.volume" in parameter["source"]


def test_flags_period_and_closing_of_the_input_are_carried() -> None:
    found = compute(
        source(
            plant="p1",
            period={"from": "2026-06-01", "to": "2026-06-02"},
            closing="interim",
            flags=["totaliser-drop:gas.volume"],
        )
    )
    assert found["flags"] == ["no-anode", "no-pfc", "totaliser-drop:gas.volume"]
    assert (found["plant"], found["closing"]) == ("p1", "interim")
    assert found["period"] == {"from": "2026-06-01", "to": "2026-06-02"}


QUANTITY = st.decimals(0, 10**6, places=4)


@given(
    fuels=st.lists(
        st.tuples(st.sampled_from(["coke", "diesel", "natural-gas", "lng"]), QUANTITY), max_size=6
    ),
    metal=QUANTITY,
    order=st.randoms(use_true_random=False),
)
def test_totals_recompute_from_their_own_lines_in_any_order(
    fuels: list[tuple[str, Decimal]], metal: Decimal, order: Any
) -> None:
    rows = [{"kind": kind, "quantity": f"{quantity:f}"} for kind, quantity in fuels]
    found = compute(source(fuel=rows, pfc={"metal_t": f"{metal:f}"}))
    total = sum((Decimal(line["emission_t"]) for line in found["lines"]), Decimal(0))
    assert Decimal(found["totals"]["total_t"]) == total
    order.shuffle(rows)
    assert compute(source(fuel=rows, pfc={"metal_t": f"{metal:f}"}))["totals"] == found["totals"]


def test_the_same_input_gives_the_same_statement() -> None:
    given_input = source(fuel=[{"kind": "coke", "quantity": "1.5"}], pfc={"metal_t": "2"})
    assert compute(given_input) == compute(given_input)
