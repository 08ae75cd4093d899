"""Anodes, paste and baking by 40 CFR 98 and NDRC 2013: by hand, and against another program."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

masses = st.decimals(0, 100_000, places=2)
shares = st.decimals("0.1", 1, places=3)


def co2(name: str, **inputs: object) -> Fraction:
    return Fraction(evaluate(f"aluminium.{name}", inputs)["emission_t"])


def near(found: Fraction, theirs: Fraction) -> bool:
    return abs(found - theirs) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("rules", "inputs", "tonnes"),
    [
        # NAC × 0.976 × 44/12, by a pocket calculator
        ("ndrc-2013-aluminium", {}, "1.50304"),
        ("us-40cfr98-f", {"net_anode_t_t": "0.42"}, "1.50304"),
        ("us-40cfr98-f", {"net_anode_t_t": "0.398"}, "1.424309333"),
        ("us-40cfr98-f", {"net_anode_t_t": "0.4", "sulfur_percent": "0", "ash_percent": "0"},
         "1.466666667"),
        ("ndrc-2013-aluminium", {"sulfur_percent": "50", "ash_percent": "50"}, "0"),
    ],
)  # fmt: skip
def test_anodes_by_hand(rules: str, inputs: dict[str, str], tonnes: str) -> None:
    found = co2("prebaked_anodes", rule_set=rules, metal_t="1", **inputs)
    assert round(found, 9) == Fraction(tonnes)


def test_theory_is_the_least_an_anode_can_give() -> None:
    """2 Al2O3 + 3 C = 4 Al + 3 CO2: 0.334 tC/t, 1.224 tCO2/t; no smelter is below."""
    carbon = 3 * Fraction("12.011") / (4 * Fraction("26.982"))
    assert round(float(carbon), 3) == 0.334
    assert co2("prebaked_anodes", rule_set="ndrc-2013-aluminium", metal_t="1") > carbon * 44 / 12


def amee_soderberg(metal: Fraction, paste: Fraction, csm: Fraction, binder: Fraction) -> Fraction:
    """soderberg/default.js of mamhoff/datasets, in kilograms, with its defaults."""
    pitch = Fraction("0.6") + Fraction("0.2") + Fraction("3.3")
    coke = Fraction("1.9") + Fraction("0.2")
    carbon = (
        metal * paste
        - csm * metal
        - binder / 100 * paste * metal * pitch / 100
        - (100 - binder) / 100 * paste * metal * coke / 100
        - metal * Fraction("0.01")
    )
    return carbon * 44 / 12


@given(masses, shares, st.sampled_from(["VSS", "HSS"]), st.sampled_from(["dry", "wet"]))
def test_paste_as_another_program_has_it(
    metal: Decimal, share: Decimal, technology: str, paste: str
) -> None:
    csm = {"VSS": Fraction("0.0005"), "HSS": Fraction("0.004")}[technology]
    binder = {"dry": Fraction(24), "wet": Fraction(27)}[paste]
    found = co2("soderberg_paste", metal_t=metal, paste_t_t=share, technology=technology,
                paste=paste)  # fmt: skip
    assert near(found, amee_soderberg(Fraction(metal), Fraction(share), csm, binder))


def amee_baking(green: Fraction, baked: Fraction, tar: Fraction) -> tuple[Fraction, Fraction]:
    """prebake/pitchCooking/default.js of mamhoff/datasets, green and baked anodes as loads."""
    pitch = green - Fraction("0.5") * green / 100 - baked - tar
    packing = Fraction("0.015") * baked * (100 - Fraction("2.0") - Fraction("2.5")) / 100
    return pitch * 44 / 12, packing * 44 / 12


@given(masses, st.sampled_from(["riedhammer", "other"]))
def test_baking_as_another_program_has_it(baked: Decimal, furnace: str) -> None:
    """1.055 is the program's own default of green over baked weight."""
    green = baked * Decimal("1.055")
    tar = Fraction("0.005") * Fraction(green) if furnace == "riedhammer" else Fraction(0)
    inputs = {"green_t": green, "baked_t": baked, "furnace": furnace}
    found = evaluate("aluminium.anode_baking", inputs)
    pitch, packing = amee_baking(Fraction(green), Fraction(baked), tar)
    assert near(Fraction(found["pitch_t"]), pitch)
    assert near(Fraction(found["packing_t"]), packing)
    assert near(Fraction(found["emission_t"]), pitch + packing)


def test_the_baking_example() -> None:
    found = evaluate(
        "aluminium.anode_baking", {"green_t": "1055", "baked_t": "1000", "furnace": "other"}
    )
    assert (found["pitch_t"], found["packing_t"]) == ("182.325", "52.525")


def test_missing_data_count_by_metal() -> None:
    found = co2("missing_carbon_data", prebake_metal_t="1000", soderberg_metal_t="100")
    assert found == 1770


def test_defaults_are_told_as_such() -> None:
    found = evaluate("aluminium.prebaked_anodes", {"rule_set": "us-40cfr98-f", "metal_t": "1",
                                                   "net_anode_t_t": "0.42"})  # fmt: skip
    basis = {name: entry["basis"] for name, entry in found["parameters"].items()}
    assert basis == {
        "net_anode_t_t": "measured", "sulfur_percent": "default", "ash_percent": "default",
    }  # fmt: skip


PASTE = {"metal_t": "1", "paste_t_t": "0.5", "technology": "VSS", "paste": "dry"}
BAKING = {"green_t": "1000", "baked_t": "900", "furnace": "other"}


@pytest.mark.parametrize(
    ("name", "inputs", "said"),
    [
        ("prebaked_anodes", {"rule_set": "us-40cfr98-f", "metal_t": "1"},
         "net_anode_t_t: missing, us-40cfr98-f has no default"),
        ("prebaked_anodes", {"rule_set": "ipcc-2006", "metal_t": "1"}, "rule_set: 'ipcc-2006'"),
        ("prebaked_anodes", {"rule_set": "ndrc-2013-aluminium", "metal_t": "1",
                             "sulfur_percent": "60", "ash_percent": "41"},
         "sulfur_percent: with ash_percent more than the whole"),
        ("soderberg_paste", {**PASTE, "technology": "CWPB"}, "technology: 'CWPB' unknown"),
        ("soderberg_paste", {**PASTE, "paste": "moist"}, "paste: 'moist' unknown"),
        ("soderberg_paste", {**PASTE, "paste_t_t": "0.005"}, "paste_t_t: less carbon than leaves"),
        ("anode_baking", {**BAKING, "furnace": "ring"}, "furnace: 'ring' unknown"),
        ("anode_baking", {**BAKING, "baked_t": "999"}, "baked_t: more than green_t"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(name: str, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(f"aluminium.{name}", inputs)
