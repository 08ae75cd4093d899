"""Parameters and lines: where a number came from stays with it."""

from fractions import Fraction

import pytest

from edge.calc.factors import rule_set
from edge.calc.parameter import Parameter, calculated, default, given
from edge.calc.statements.line import Line

RULES = rule_set("cets-ag-04.01-v01-2024")
TYPED = {"typed": {"gross_kg_per_t": "469", "source": "site file"}}


def test_a_default_names_its_row_edition_and_confidence() -> None:
    found = default(RULES.row("pfc.cf4_kg_t")).as_map()
    assert found["value"] == "0.02"
    assert (found["unit"], found["basis"], found["confidence"]) == (
        "kg/t", "default", "single-source",
    )  # fmt: skip
    assert found["row"] == "pfc.cf4_kg_t"
    assert found["source"].startswith("CETS-AG-04.01-V01-2024")
    assert "AluminumAnodeEffectEmission.jsx" in found["source"]


def test_an_unconfirmed_default_is_flagged_and_a_confirmed_one_is_not() -> None:
    assert default(RULES.row("pfc.cf4_kg_t")).flags == ["unconfirmed:pfc.cf4_kg_t"]
    assert default(RULES.row("fuel.natural-gas.ncv")).flags == []


def test_a_given_number_is_measured_unless_typed() -> None:
    measured = given(Fraction(5), "5.00", "t")
    assert (measured.basis, measured.text, measured.flags) == ("measured", "5.00", [])
    assert "provenance" not in measured.as_map()
    typed = given(Fraction(5), "5", "t", TYPED)
    assert typed.basis == "calculated"
    assert typed.as_map()["provenance"] == TYPED


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        (None, "given in the input"),
        (TYPED, "typed: site file"),
        ({"typed": {}}, "typed: no source given"),
        (
            {"frames": {"point": "gas.volume", "rule": "totaliser"}},
            "frames: gas.volume (totaliser)",
        ),
        ({"documents": {"about": "coke", "rule": "sum"}}, "documents: coke (sum)"),
        (
            {"documents": {"about": "coke", "rule": "samples", "origin": "laboratory"}},
            "documents: coke (samples): laboratory",
        ),
        ({"record": {"index": 5}}, "record"),
    ],
)
def test_the_source_tells_where_from(provenance: dict[str, object] | None, told: str) -> None:
    assert given(Fraction(1), "1", "t", provenance).source == told


@pytest.mark.parametrize(
    ("provenance", "basis", "is_typed"),
    [
        ({"documents": {"about": "coke", "rule": "samples"}}, "measured", False),
        ({"documents": {"about": "coke", "rule": "sum"}}, "calculated", False),
        ({"frames": {"point": "gas.volume", "class": "meter-direct"}}, "measured", False),
        ({"frames": {"point": "gas.volume", "class": "typed"}}, "calculated", True),
    ],
)
def test_a_laboratory_and_a_meter_measure_and_no_other_paper_or_person_does(
    provenance: dict[str, object], basis: str, is_typed: bool
) -> None:
    found = given(Fraction(1), "1", "t", provenance)
    assert (found.basis, found.is_typed) == (basis, is_typed)


def test_a_calculated_number_says_how() -> None:
    found = calculated(Fraction(3), "3", "t", "a + b")
    assert (found.basis, found.source, found.flags) == ("calculated", "a + b", [])


def line(emission: str, **parameters: Parameter) -> Line:
    return Line("fuel", "coke", "1", Fraction(emission), parameters)


@pytest.mark.parametrize(
    ("emission", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.004999", "0.00"),
        ("-0.005", "-0.01"),
        ("2.675", "2.68"),
        ("7", "7.00"),
    ],
)
def test_a_line_rounds_once_half_up(emission: str, rounded: str) -> None:
    found = line(emission)
    assert found.as_map()["emission_t"] == rounded
    assert found.rounded == Fraction(rounded)


def test_a_line_collects_the_flags_of_its_parameters() -> None:
    found = Line(
        "anode", "prebaked-anode", "1", Fraction(1),
        {"gross_t": given(Fraction(1), "1", "t", TYPED),
         "loss_percent": default(RULES.row("anode.loss_percent"))},
        notes=("net-output",),
    )  # fmt: skip
    assert found.flags == ["net-output", "typed:anode.gross_t", "unconfirmed:anode.loss_percent"]


def test_a_line_without_a_unit_has_no_unit() -> None:
    assert "unit" not in line("1").as_map()
    with_unit = Line("fuel", "coke", "1", Fraction(1), {}, unit="casting")
    assert with_unit.as_map()["unit"] == "casting"
    assert with_unit.as_map()["uncertainty"] == {}
