"""The indicator by pot: parts by hand, and that they always add up to the potline's figure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.effects.attribution import apportioned, attribute
from edge.calc.effects.pfc_event import EffectEvent, OvervoltageModel, PfcEventModel, SlopeModel
from edge.calc.errors import InputError
from edge.calc.registry import evaluate
from tests.unit.edge.calc.smelter_month import statement

DAY_S = 86_400


@dataclass(frozen=True)
class Squared:
    """No published model: twice as long is four times as much."""

    id: str = "squared/1"
    source: str = "made up for a test"
    confidence: str = "unverified"

    def cf4_kg(self, event: EffectEvent) -> Fraction:
        return event.polarised_s**2 * event.metal_t_day


def test_parts_by_hand() -> None:
    """25 t a cell-day: 0.104 × 10 min × 25 = 26 kg, and 0.104 × 10/3 × 25 = 8.667 kg."""
    found = attribute(statement()).as_map()
    assert [pot["cf4_kg"] for pot in found["pots"]] == ["26.000000", "8.666667", "0.000000"]
    assert found["indicator"]["cf4_kg"] == "34.666667"
    assert [pot.get("aem_min_per_cell_day") for pot in found["pots"]] == [
        "0.333333", "0.333333", None,
    ]  # fmt: skip
    assert [pot["effects"] for pot in found["pots"]] == [2, 1, 0]
    assert found["record"]["co2e_t"] == "144.81", "the record stands beside it, whole"


@pytest.mark.parametrize(
    ("model", "expected", "alone"),
    [
        # 400² + 200² to 200²: five to one of 34.666667
        (Squared(), ["28.888889", "5.777778"], "6000000.000000"),
        (SlopeModel(Fraction("0.104"), "", "confirmed"), ["26.000000", "8.666667"], "34.666667"),
        # V·s over target: 400 × 20.8 + 200 × 10.8 = 10480, and 200 × 30.8 = 6160
        (OvervoltageModel(Fraction("1.16"), Fraction(94), "", "confirmed"),
         ["21.833333", "12.833333"], "59.416864"),
    ],
)  # fmt: skip
def test_a_model_of_single_effects_is_scaled_to_the_figure(
    model: PfcEventModel, expected: list[str], alone: str
) -> None:
    found = attribute(statement(), model).as_map()
    shown = [Fraction(pot["cf4_kg"]) for pot in found["pots"]]
    for part, wanted in zip(shown, [*expected, "0"], strict=True):
        assert abs(part - Fraction(wanted)) <= Fraction(1, 10**6)
    assert sum(shown) == Fraction(found["indicator"]["cf4_kg"])
    assert found["model_cf4_kg"] == alone


def test_the_models_sum_is_the_methods_formula_where_all_pots_make_the_same() -> None:
    """40 cell-days, 1000 t: AEM 1/3; AEO = 16640 V·s ÷ (40 × 86400 s) = 4.8148 mV."""
    events = [
        EffectEvent(Fraction(s), Fraction(v), Fraction(30), Fraction(25))
        for s, v in ((400, 8320), (200, 2160), (200, 6160))
    ]
    slope = SlopeModel(Fraction("0.143"), "", "confirmed")
    overvoltage = OvervoltageModel(Fraction("1.16"), Fraction(95), "", "confirmed")
    by_slope = evaluate("pfc.slope", {
        "metal_t": "1000", "aem_min_per_cell_day": "0.333333333333333", "technology": "CWPB",
        "edition": "ipcc-2006", "gwp": "ar5",
    })  # fmt: skip
    aeo_mv = Fraction(16_640_000, 40 * DAY_S)
    by_overvoltage = evaluate("pfc.overvoltage", {
        "metal_t": "1000", "aeo_mv": f"{float(aeo_mv):.12f}", "technology": "CWPB",
        "current_efficiency_percent": "95", "edition": "ipcc-2006", "gwp": "ar5",
    })  # fmt: skip
    for model, method in ((slope, by_slope), (overvoltage, by_overvoltage)):
        total = sum(model.cf4_kg(event) for event in events)
        assert float(total) == pytest.approx(float(method["cf4_kg"]), rel=1e-10)


def test_an_effect_below_target_on_balance_emits_nothing() -> None:
    event = EffectEvent(Fraction(3), Fraction(-100), Fraction(9), Fraction(3))
    assert OvervoltageModel(Fraction(1), Fraction(95), "", "confirmed").cf4_kg(event) == 0


def test_a_potline_in_pieces_is_one() -> None:
    found = statement()
    found["input"]["potlines"].append({
        "id": "line-1", "effects": [], "effect_count": 0,
        "pots": [{"id": "02", "effects": 1, "polarised_s": "200", "producing_s": "86400"}],
    })  # fmt: skip
    pots = attribute(found).as_map()["pots"]
    assert [(pot["pot"], pot["effects"], pot["polarised_s"]) for pot in pots] == [
        ("01", 2, "600.000"), ("02", 2, "400.000"), ("03", 0, "0.000"),
    ]  # fmt: skip


def test_a_month_without_effects_gives_everybody_nothing() -> None:
    found = statement()
    for pot in found["input"]["potlines"][0]["pots"]:
        pot |= {"polarised_s": "0", "effects": 0}
    assert {pot["cf4_kg"] for pot in attribute(found).as_map()["pots"]} == {"0.000000"}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["output"]["pfc"].pop("indicator"), lambda s: s.pop("output"),
        lambda s: s["input"].update(potlines=[1]), lambda s: s["input"].pop("potlines"),
        lambda s: s["input"]["potlines"][0]["pots"][0].update(polarised_s="long"),
    ],
)  # fmt: skip
def test_what_is_no_statement_of_a_smelter(change: Any) -> None:
    found = statement()
    change(found)
    with pytest.raises(InputError, match="not that of a smelter's month"):
        attribute(found)


def test_a_model_needs_every_effect() -> None:
    found = statement()
    found["input"]["potlines"][0]["effects"].pop()
    with pytest.raises(InputError, match="not all of its effects are listed"):
        attribute(found, Squared())
    assert attribute(found).as_map()["pots"][0]["cf4_kg"] == "26.000000"


@settings(deadline=None)
@given(shares=st.lists(st.fractions(0, 1000, max_denominator=997), max_size=30))
def test_printed_parts_add_up_to_the_printed_total(shares: list[Fraction]) -> None:
    texts = apportioned(shares, 3)
    total = sum(shares, Fraction(0))
    assert abs(sum(map(Fraction, texts)) - total) <= Fraction(1, 2000)
    for text, share in zip(texts, shares, strict=True):
        assert abs(Fraction(text) - share) < Fraction(1, 1000)
