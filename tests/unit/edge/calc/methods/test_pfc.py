"""Slope and overvoltage methods against the published worked examples, and their traps."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate


def slope(**changes: object) -> dict[str, object]:
    inputs: dict[str, object] = {
        "metal_t": "1000", "aem_min_per_cell_day": "0.25", "technology": "CWPB",
        "edition": "ipcc-2006", "gwp": "ar5",
    }  # fmt: skip
    return evaluate("pfc.slope", {**inputs, **changes})


def overvoltage(**changes: object) -> dict[str, object]:
    inputs: dict[str, object] = {
        "metal_t": "1000", "aeo_mv": "5", "current_efficiency_percent": "95",
        "technology": "CWPB", "edition": "ipcc-2006", "gwp": "sar",
    }  # fmt: skip
    return evaluate("pfc.overvoltage", {**inputs, **changes})


def test_slope_example_of_the_ghg_protocol_workbook() -> None:
    """GHG Protocol/IAI Aluminium Sector GHG Workbook v2.0, Worksheet 8, "Ex: VSS".

    1000 t, 10 AE-min/cell-day: 920 kg CF4, 48.76 kg C2F6, 6428.59 t CO2e (SAR).
    """
    found = slope(aem_min_per_cell_day="10", technology="VSS", gwp="sar")
    assert (found["cf4_kg"], found["c2f6_kg"]) == ("920", "48.76")
    assert round(Decimal(str(found["co2e_t"])), 2) == Decimal("6428.59")


def test_overvoltage_example_of_the_ghg_protocol_workbook() -> None:
    """Same worksheet, "Ex: CWPB": 1000 t, 5 mV, 95 %: 61.0526 kg, 7.38737 kg, 464.806 t."""
    found = overvoltage()
    assert round(Decimal(str(found["cf4_kg"])), 4) == Decimal("61.0526")
    assert round(Decimal(str(found["c2f6_kg"])), 5) == Decimal("7.38737")
    assert round(Decimal(str(found["co2e_t"])), 3) == Decimal("464.806")


def test_current_efficiency_as_a_fraction_is_refused() -> None:
    """The workbook shows 0.95 (a percent cell); taken literally it is a hundred times too much."""
    with pytest.raises(InputError, match=r"current_efficiency_percent: 0\.95 is below 50"):
        overvoltage(current_efficiency_percent="0.95")


@pytest.mark.parametrize(
    ("technology", "edition", "aem", "cf4", "c2f6"),
    [
        # hand: slope × AEM × 1000 t, then × fraction
        ("CWPB", "ipcc-2006", "0.25", "35.75", "4.32575"),
        ("SWPB", "ipcc-2006", "0.25", "68", "17.136"),
        ("HSS", "ipcc-2006", "1", "99", "8.415"),
        ("PFPB-L", "ipcc-2019", "0.1", "12.2", "1.1834"),
        ("PFPB-M", "ipcc-2019", "0.1", "10.4", "0.5928"),
        ("SWPB", "ipcc-2019", "1", "233", "65.24"),
        ("VSS", "ipcc-2019", "2", "116", "9.976"),
        ("HSS", "ipcc-2019", "0.5", "82.5", "6.3525"),
        ("PFPB-M", "cets-04.01", "1", "143", "14.3"),
        ("CWPB", "ndrc-2013", "0.5", "71.5", "7.15"),
    ],
)
def test_slope_by_hand(technology: str, edition: str, aem: str, cf4: str, c2f6: str) -> None:
    found = slope(technology=technology, edition=edition, aem_min_per_cell_day=aem)
    assert (found["cf4_kg"], found["c2f6_kg"]) == (cf4, c2f6)


@pytest.mark.parametrize(
    ("gwp", "co2e"),
    [
        # 35.75 × GWP_CF4 + 4.32575 × GWP_C2F6, ÷ 1000
        ("sar", "272.1719"),
        ("ar4", "316.96665"),
        ("ar5", "285.038325"),
        ("ar6", "317.4743"),
    ],
)
def test_co2e_by_gwp_set(gwp: str, co2e: str) -> None:
    assert slope(gwp=gwp)["co2e_t"] == co2e


def test_indicator_of_the_plants_page() -> None:
    """Slope gives 0.111 tCO2e/tAl at AEM 0.1 with 0.143 and ratio 0.1... 1.66 at AEM 1.5."""
    low = slope(metal_t="1", aem_min_per_cell_day="0.1", edition="cets-04.01", technology="CWPB")
    high = slope(metal_t="1", aem_min_per_cell_day="1.5", edition="cets-04.01", technology="CWPB")
    assert round(Decimal(str(low["co2e_t"])), 3) == Decimal("0.111")
    assert round(Decimal(str(high["co2e_t"])), 2) == Decimal("1.66")


def test_one_minute_in_a_460_ka_pot() -> None:
    """Reference value: 0.364 kg (PFPB M) and 0.501 kg (CWPB) of CF4 an AE-minute at 94.5 %."""
    metal_t = Fraction("8.0537") * 460 * Fraction("0.945") / 1000  # of one pot in one day
    for technology, kg in (("PFPB-M", "0.364"), ("CWPB", "0.501")):
        found = slope(
            metal_t=f"{float(metal_t):.6f}",
            aem_min_per_cell_day="1",
            technology=technology,
            edition="ipcc-2019",
        )
        assert round(Decimal(str(found["cf4_kg"])), 3) == Decimal(kg)


@given(
    metal=st.decimals(0, 10**6, places=3),
    aem=st.decimals(0, 1440, places=6),
    slope_text=st.sampled_from(["CWPB", "SWPB", "VSS", "HSS"]),
)
def test_slope_equals_a_naive_transcription(metal: Decimal, aem: Decimal, slope_text: str) -> None:
    table = {
        "CWPB": ("0.143", "0.121"), "SWPB": ("0.272", "0.252"),
        "VSS": ("0.092", "0.053"), "HSS": ("0.099", "0.085"),
    }  # fmt: skip
    s, f = (Fraction(x) for x in table[slope_text])
    cf4 = s * Fraction(aem) * Fraction(metal)
    co2e = (cf4 * 7390 + cf4 * f * 12200) / 1000
    found = slope(metal_t=metal, aem_min_per_cell_day=aem, technology=slope_text, gwp="ar4")
    assert Fraction(str(found["cf4_kg"])) == cf4
    assert Fraction(str(found["c2f6_kg"])) == cf4 * f
    assert Fraction(str(found["co2e_t"])) == co2e


def test_a_site_brings_its_own_coefficients() -> None:
    found = slope(edition="site", slope="0.2", c2f6_fraction="0.05", technology="PFPB-M")
    assert (found["cf4_kg"], found["c2f6_kg"]) == ("50", "2.5")
    parameters = found["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["slope"]["basis"] == "measured"
    assert parameters["gwp_cf4"]["basis"] == "default"


def test_a_site_without_coefficients_is_refused_naming_both() -> None:
    with pytest.raises(InputError) as caught:
        slope(edition="site")
    assert [p.partition(":")[0] for p in caught.value.problems] == ["slope", "c2f6_fraction"]


def test_own_coefficients_outside_edition_site_are_refused() -> None:
    with pytest.raises(InputError, match="slope: only edition site"):
        slope(slope="0.2")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"technology": "PFPB-MW"}, "technology"),
        ({"technology": "PFPB-M"}, "technology"),  # ipcc-2006 has no point-feed row
        ({"edition": "ipcc-1996"}, "edition"),
        ({"gwp": "ar7"}, "gwp"),
        ({"metal_t": "-1"}, "metal_t"),
        ({"aem_min_per_cell_day": "1441"}, "aem_min_per_cell_day"),
        ({"aem_min_per_cell_day": 0.1}, "aem_min_per_cell_day"),
        ({"aed_min": "2"}, "aed_min"),
    ],
)
def test_wrong_inputs_are_named(change: dict[str, object], key: str) -> None:
    with pytest.raises(InputError, match=key):
        slope(**change)


def test_overvoltage_has_no_soderberg_coefficients() -> None:
    with pytest.raises(InputError, match="no overvoltage coefficient for VSS"):
        overvoltage(technology="VSS")


def test_overvoltage_and_slope_need_not_agree() -> None:
    """60 s a day at 25 V, target 4.2 V: AEO 14.4 mV; 0.177 kg/t against 0.143 by slope."""
    aeo_mv = (25 - Fraction("4.2")) * 1000 * 60 / 86_400
    assert round(float(aeo_mv), 1) == 14.4
    over = overvoltage(metal_t="1", aeo_mv="14.444444", current_efficiency_percent="94.5")
    by_slope = slope(metal_t="1", aem_min_per_cell_day="1")
    assert round(Decimal(str(over["cf4_kg"])), 3) == Decimal("0.177")
    assert by_slope["cf4_kg"] == "0.143"


def test_unconfirmed_coefficients_say_so() -> None:
    parameters = slope(technology="PFPB-M", edition="ipcc-2019")["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["slope"]["confidence"] == "single-source"
    assert parameters["slope"]["row"] == "slope.PFPB-M.cf4"
    assert parameters["gwp_cf4"]["confidence"] == "confirmed"
