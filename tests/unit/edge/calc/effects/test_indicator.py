"""Coefficients of a potline's indicator: an edition's, or the site's own with their source."""

from collections.abc import Mapping
from fractions import Fraction

import pytest

from edge.calc.effects.indicator import Indicator
from edge.calc.errors import PlantError
from edge.calc.statements.statement import compute

OWN = {
    "edition": "site", "gwp": "ar5", "slope": "0.05", "c2f6_fraction": "0.1",
    "source": "measured 2026-03, report 17",
}  # fmt: skip
TABLES = ("ipcc-2006", "ipcc-2019")


def of(fields: Mapping[str, str], technology: str = "PFPB-M") -> Indicator:
    return Indicator.from_config({"technology": technology, "indicator": fields}, TABLES)


def test_coefficients_of_an_edition() -> None:
    """(EU) 2025/2547 Annex II Table 2: 0.104 and 0.057; AR5 6630 and 11100."""
    found = of({"edition": "ipcc-2019", "gwp": "ar5"})
    assert (found.cf4, found.fraction) == (Fraction("0.104"), Fraction("0.057"))
    assert found.co2e_t_per_kg == (6630 + Fraction("0.057") * 11_100) / 1000


def test_coefficients_of_the_site() -> None:
    found = of(OWN, "PFPB-MW")
    assert (found.cf4, found.fraction) == (Fraction("0.05"), Fraction("0.1"))
    assert found.co2e_t_per_kg == Fraction("7.74")


def test_potlines_share_an_indicator_where_it_is_signed_alike() -> None:
    """As everywhere in a configuration, another spelling is another thing (FIGURES.md §1)."""
    assert of(OWN) == of(dict(OWN))
    assert of(OWN) != of({**OWN, "slope": "5e-2"})
    assert of(OWN) != of({**OWN, "source": "measured 2026-09, report 18"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slope": None}, "edition site needs slope"),
        ({"c2f6_fraction": None, "source": None}, "needs c2f6_fraction source"),
        ({"edition": "ipcc-2019"}, "only edition site takes slope c2f6_fraction source"),
        ({"slope": "0"}, "not above 0 and at most 10"),
        ({"slope": "10.1"}, "not above 0 and at most 10"),
        ({"c2f6_fraction": "1.01"}, "not 0 to 1"),
        ({"gwp": "ar7"}, "none of the sets"),
    ],
)
def test_what_is_refused(change: Mapping[str, str | None], said: str) -> None:
    fields = {key: text for key, text in {**OWN, **change}.items() if text is not None}
    with pytest.raises(PlantError, match=said):
        of(fields)


def test_a_technology_nobody_knows_is_refused() -> None:
    for fields in (OWN, {"edition": "ipcc-2019", "gwp": "ar5"}):
        with pytest.raises(PlantError, match="PFPB"):
            of(fields, "PFPB")


def test_a_statement_tells_that_they_were_typed_and_by_whom() -> None:
    """0.05 × 2 min × 1000 t = 100 kg CF4, × 0.1 = 10 kg C2F6; 663 + 111 = 774 tCO2e."""
    frames = {"potline": "line-1", "rule": "anode-effect", "class": "meter-direct"}
    source = {
        "rule_set": "cets-ag-04.01-v01-2024", "month": "2026-06",
        "pfc": {"metal_t": "1000", "indicator": of(OWN).as_map("2.000000000000", frames)},
    }  # fmt: skip
    statement = compute(source)
    found = statement["pfc"]["indicator"]
    assert (found["cf4_kg"], found["c2f6_kg"], found["co2e_t"]) == ("100", "10", "774")
    assert found["parameters"]["slope"] == {
        "value": "0.05", "unit": "(kg CF4/t)/(AE-min/cell-day)", "basis": "calculated",
        "confidence": "given", "source": "typed: measured 2026-03, report 17",
        "provenance": {"typed": {"source": "measured 2026-03, report 17"}},
    }  # fmt: skip
    typed = {"typed:indicator.slope", "typed:indicator.c2f6_fraction"}
    assert typed <= set(statement["flags"])
    assert statement["totals"]["total_t"] == statement["totals"]["pfc_co2e_t"] == "144.81"
