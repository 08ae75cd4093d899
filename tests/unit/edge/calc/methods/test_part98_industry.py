"""Cement and steel by 40 CFR 98 H and Q, against a naive transcription of the rule's words."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate, methods

#: equation -> what goes in, what comes out, as 98.176 names them
EQUATIONS = {
    "taconite": (("greenball", "solid_fuel", "liquid_fuel", "gas"), ("pellets", "residue")),
    "bof": (("iron", "scrap", "flux", "carbonaceous"), ("steel", "slag", "residue")),
    "coke": (("coal",), ("coke", "residue")),
    "sinter": (("feed", "gas"), ("sinter", "residue")),
    "eaf": (("scrap", "iron", "flux", "electrode", "carbonaceous"), ("steel", "slag", "residue")),
    "decarburization": (("steel_charged",), ("steel", "residue")),
    "dri": (("ore", "gas", "carbonaceous"), ("iron", "nonmetallic", "residue")),
}
PERCENT = st.integers(0, 5000).map(lambda n: f"{Decimal(n).scaleb(-2):f}")
OXIDE = st.integers(100, 5000).map(lambda n: f"{Decimal(n).scaleb(-2):f}")  # below 1 % refused
TONNES = st.integers(0, 10**7).map(lambda n: f"{Decimal(n).scaleb(-2):f}")
SHARE = st.integers(0, 1000).map(lambda n: f"{Decimal(n).scaleb(-3):f}")


def close(text: str, exact: Fraction) -> bool:
    return abs(Fraction(text) - exact) <= Fraction(1, 10**14)


@given(TONNES, OXIDE, PERCENT, st.integers(0, 100), st.integers(0, 100))
def test_h_2_to_h_4_are_what_the_rule_writes(
    tons: str, cao: str, mgo: str, cao_share: int, mgo_share: int
) -> None:
    """Weight fractions and short tons as the rule has them, not percent and tonnes."""
    not_cao, not_mgo = (
        f"{Decimal(part) * share / 100:f}" for part, share in ((cao, cao_share), (mgo, mgo_share))
    )
    analysis = {"cao_percent": cao, "mgo_percent": mgo, "cao_noncarbonate_percent": not_cao,
                "mgo_noncarbonate_percent": not_mgo}  # fmt: skip
    fraction = {key: Fraction(value) / 100 for key, value in analysis.items()}
    factor = (fraction["cao_percent"] - fraction["cao_noncarbonate_percent"]) * Fraction("0.785")
    factor += (fraction["mgo_percent"] - fraction["mgo_noncarbonate_percent"]) * Fraction("1.092")
    for what in ("clinker", "dust"):
        found = evaluate(f"cement.part98_{what}", {f"{what}_short_ton": tons, **analysis})
        assert close(found["factor"], factor)
        assert close(found["emission_t"], Fraction(tons) * factor * 2000 / 2205)


@given(TONNES, PERCENT)
def test_h_5_is_what_the_rule_writes(tons: str, percent: str) -> None:
    given_ = {"raw_material_short_ton": tons, "carbon_percent": percent}
    found = evaluate("cement.part98_organic", given_)
    assert close(
        found["emission_t"], Fraction(tons) * Fraction(percent) / 100 * 44 / 12 * 2000 / 2205
    )


@given(st.sampled_from(sorted(EQUATIONS)), st.data())
def test_q_1_to_q_7_are_carbon_in_less_carbon_out(equation: str, data: st.DataObject) -> None:
    ins, outs = EQUATIONS[equation]
    values: dict[str, str] = {}
    carbon = Fraction(0)
    for sign, names in ((1, (*ins, "other_in")), (-1, (*outs, "other_out"))):
        for name in names:
            if name in {ins[0], outs[0]} or data.draw(st.booleans()):
                values[f"{name}_t"], values[f"{name}_carbon"] = data.draw(TONNES), data.draw(SHARE)
                carbon += sign * Fraction(values[f"{name}_t"]) * Fraction(values[f"{name}_carbon"])
    found = evaluate(f"steel.part98_{equation}", values)
    assert close(found["emission_t"], Fraction(44, 12) * carbon)


def test_each_equation_takes_just_its_own_materials() -> None:
    for equation, (ins, outs) in EQUATIONS.items():
        names = (*ins, "other_in", *outs, "other_out")
        asked = methods()[f"steel.part98_{equation}"].inputs
        assert set(asked) == {f"{name}_{what}" for name in names for what in ("t", "carbon")}


def test_short_tons_are_not_tonnes() -> None:
    """The same clinker in tonnes has a tenth more: 1 t is 2205/2000 short tons."""
    analysis = {"cao_percent": "65", "mgo_percent": "1", "cao_noncarbonate_percent": "0",
                "mgo_noncarbonate_percent": "0"}  # fmt: skip
    tons = evaluate("cement.part98_clinker", {"clinker_short_ton": "1.1025", **analysis})
    assert tons["emission_t"] == tons["factor"] == "0.52117"


def test_temperatures_of_a_cubic_foot_are_apart() -> None:
    inputs = {"gas_scf": "1000000", "molar_mass_kg_kmol": "16.04"}
    at = {
        t: Fraction(evaluate("steel.part98_gas", {**inputs, "standard_temperature": t})["gas_t"])
        for t in ("60F", "68F")
    }
    assert round(at["60F"] / at["68F"] - 1, 4) == Fraction("0.0154")


CLINKER = {"clinker_short_ton": "1", "cao_percent": "65", "mgo_percent": "1",
           "cao_noncarbonate_percent": "0", "mgo_noncarbonate_percent": "0"}  # fmt: skip
EAF = {"scrap_t": "1", "scrap_carbon": "0.01", "steel_t": "1", "steel_carbon": "0"}


@pytest.mark.parametrize(
    ("method", "inputs", "said"),
    [
        ("cement.part98_clinker", {**CLINKER, "cao_noncarbonate_percent": "66"},
         "cao_noncarbonate_percent: more than cao_percent itself (of clinker)"),
        ("cement.part98_clinker", {**CLINKER, "mgo_percent": "36"},
         "cao_percent: with mgo_percent more than the whole (of clinker)"),
        ("cement.part98_clinker", {**CLINKER, "cao_percent": "0.65", "mgo_percent": "0.01"},
         "cao_percent: below 1 %: a percentage, not a weight fraction"),
        ("cement.part98_dust", {"dust_t": "1"}, "dust_t: not an input of cement.part98_dust"),
        ("steel.part98_eaf", {**EAF, "flux_t": "1"}, "flux_t: has no meaning without flux_carbon"),
        ("steel.part98_eaf", {**EAF, "scrap_carbon": "4"}, "scrap_carbon: 4 is above 1 tC/t"),
        ("steel.part98_gas",
         {"gas_scf": "1", "molar_mass_kg_kmol": "16", "standard_temperature": "0C"},
         "standard_temperature: '0C' unknown; known: 68F 60F"),
        ("steel.ipcc_tier1", {"rule_set": "ipcc-2006-steel", "kind": "lead", "produced_t": "1"},
         "kind: ipcc-2006-steel has no 'lead'"),
        ("combustion.net_energy",
         {"rule_set": "cets-ag-03.01-v01-2024", "kind": "coke", "quantity": "1"},
         "counts no fuels by net heat and t CO2/TJ"),
        ("combustion.fuel", {"rule_set": "ipcc-2006-defaults", "kind": "coke", "quantity": "1"},
         "counts fuels by net-energy, not carbon"),
        ("combustion.net_energy",
         {"rule_set": "ipcc-2006-defaults", "kind": "natural-gas", "quantity": "1"},
         "ncv: missing: ipcc-2006-defaults has no default for natural-gas per 10^4 Nm3"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(method: str, inputs: Mapping[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        evaluate(method, inputs)
    assert any(said in problem for problem in caught.value.problems), caught.value.problems
