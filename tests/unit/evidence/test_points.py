"""Points: wrong combinations cannot be built, numbers have one spelling, maps read back."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import evidence
from evidence.points import (
    DECIMALS_MAX,
    KINDS,
    Dtype,
    Point,
    PointRules,
    Provenance,
    Quantity,
    Role,
    Scaling,
    exact,
)
from evidence.quality import FIRST_BAD, SENTENCES, Quality, sentence

NM3 = {"kind": "gas-volume", "unit": "Nm3", "reference": "0C-101.325kPa", "moisture": "dry"}


# -- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)), ("1", Fraction(1)), ("-1", Fraction(-1)), ("+1", Fraction(1)),
        ("0.1", Fraction(1, 10)), ("-0.25", Fraction(-1, 4)), ("800/5", Fraction(160)),
        ("10000/100", Fraction(100)), ("1/3", Fraction(1, 3)), ("0.5/2", Fraction(1, 4)),
        ("1e3", Fraction(1000)), ("1E-3", Fraction(1, 1000)), ("007", Fraction(7)),
        ("0.1000", Fraction(1, 10)), ("-1/4", Fraction(-1, 4)), ("9e9", Fraction(9 * 10**9)),
    ],
)  # fmt: skip
def test_numbers_are_exact(text: str, value: Fraction) -> None:
    assert exact(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "x", "nan", "NaN", "inf", "-inf", "Infinity", "sNaN", "1_000", "1 000", " 1", "1 ",
        "1,5", "１", "٣", "1.", ".5", "0x10", "1/0", "1/0.0", "1/2/3", "/", "1/", "/1", "--1", "1e",
        "1e10", "1e-10", "1e999999999", "1e99999999999999999999", "1\n", "1\0", "1" * 41,
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|ratio"):
        exact(text)


# -- number types -----------------------------------------------------------------------------


def test_number_types_are_the_tags_of_rfc_8746_little_endian() -> None:
    tags = {
        "u8": 64, "u16": 69, "u32": 70, "u64": 71, "i8": 72, "i16": 77, "i32": 78, "i64": 79,
        "f32": 85, "f64": 86,
    }  # fmt: skip
    assert {name: Dtype.named(name).value for name in tags} == tags
    assert [d.size for d in Dtype] == [1, 2, 4, 8, 1, 2, 4, 8, 4, 8]
    assert [d.name for d in Dtype if d.is_float] == ["F32", "F64"]
    assert {d.numpy_name[0] for d in Dtype} == {"<"}
    with pytest.raises(ValueError, match="known: u8 u16"):
        Dtype.named("u128")


# -- quantities -------------------------------------------------------------------------------

REFUSED_QUANTITIES: list[dict[str, Any]] = [
    {"kind": "loudness", "unit": "dB"},
    {"kind": "voltage", "unit": "A"},
    {"kind": "voltage", "unit": "v"},
    {"kind": "voltage", "unit": "V", "moisture": "dry"},
    {"kind": "gas-volume", "unit": "Nm3"},
    {"kind": "gas-volume", "unit": "Nm3", "moisture": "dry"},
    {"kind": "gas-volume", "unit": "Nm3", "reference": "0C-101.325kPa"},
    {**NM3, "reference": "actual"},
    {**NM3, "unit": "10^4 Nm3", "reference": "actual"},
    {**NM3, "kind": "gas-flow", "unit": "Nm3/h", "reference": "actual"},
    {**NM3, "reference": "25C"},
    {**NM3, "moisture": "damp"},
    {"kind": "heating-value", "unit": "GJ/t"},
    {"kind": "heating-value", "unit": "GJ/t", "heating": "ncv"},
    {"kind": "solid-fuel-mass", "unit": "t"},
    {"kind": "solid-fuel-mass", "unit": "t", "fuel_basis": "wet"},
    {"kind": "concentration", "unit": "vol%"},
    {"kind": "mass", "unit": "t", "colour": "red"},
]


@pytest.mark.parametrize("fields", REFUSED_QUANTITIES)
def test_a_wrong_quantity_cannot_be_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Quantity.from_map(fields)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_unit_reads_back(kind: str) -> None:
    qualifiers = {
        "reference": "20C-101.325kPa", "moisture": "wet", "heating": "lhv", "fuel_basis": "ar",
    }  # fmt: skip
    units, required = KINDS[kind]
    for unit in units:
        fields = {"kind": kind, "unit": unit, **{q: qualifiers[q] for q in required}}
        assert Quantity.from_map(fields).as_map() == fields


def test_figures_md_lists_the_units_of_each_kind() -> None:
    text = Path(evidence.__file__).with_name("FIGURES.md").read_text()
    sentence = text.split("- A quantity has a unit of its kind: ")[1].split("\n- ")[0]
    words = sentence.replace("10^4 Nm3", "10^4_Nm3").replace(",", " ").replace(";", " ")
    words = words.replace('"', "").replace(" and ", " ").split()
    for kind, (units, _) in KINDS.items():
        spelt = {unit.replace(" ", "_") for unit in units}
        at = words.index(kind) + 1
        assert set(words[at : at + len(units)]) == spelt, kind


def test_cubic_metres_at_working_state_are_allowed() -> None:
    assert Quantity("gas-volume", "m3", reference="actual", moisture="wet").unit == "m3"


# -- scaling ----------------------------------------------------------------------------------


def test_installation_ratios_multiply_value_and_offset() -> None:
    scaling = Scaling(2, "0.5", "3", "800/5", "10000/100", "2")
    assert scaling.installation == 160 * 100 * 2
    assert scaling.factor == Fraction(1, 100) * Fraction(1, 2) * 32_000
    assert scaling.shift == 3 * 32_000
    assert Scaling().factor == 1
    assert Scaling().shift == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"raw_decimals": -1}, {"raw_decimals": DECIMALS_MAX + 1}, {"scale": "0"}, {"scale": "-1"},
        {"scale": "x"}, {"offset": "x"}, {"ct_ratio": "800"[:0]}, {"ct_ratio": "0/5"},
        {"vt_ratio": "-1/1"}, {"pulse_weight": "0"}, {"scale": "1e99999"}, {"offset": "1e99999"},
    ],
)  # fmt: skip
def test_a_scaling_that_is_none_cannot_be_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Scaling(**fields)


def test_a_scaling_says_only_what_it_does() -> None:
    assert Scaling().as_map() == {}
    assert Scaling(1, ct_ratio="800/5").as_map() == {"raw_decimals": 1, "ct_ratio": "800/5"}
    full = Scaling(1, "2", "3", "4/5", "6/7", "8")
    assert Scaling(**full.as_map()) == full


# -- points -----------------------------------------------------------------------------------


def point(**other: Any) -> Point:
    fields: dict[str, Any] = {
        "id": "ac-1.power", "quantity": Quantity("power", "kW"), "dtype": Dtype.U32, "decimals": 1,
    }  # fmt: skip
    return Point(**(fields | other))


def test_a_point_reads_back() -> None:
    full = point(
        role=Role.TOTALISER, provenance=Provenance.VIA_CONTROL_SYSTEM, device="ac-1",
        source="holding 0x0BB8", scaling=Scaling(1, ct_ratio="800/5"), range_min="0",
        range_max="10.5",
    )  # fmt: skip
    assert Point.from_map(full.as_map()) == full
    state = point(role=Role.STATE, decimals=0, states=((0, "unknown"), (1, "producing")))
    assert Point.from_map(state.as_map()) == state
    ruled = point(rules=PointRules("0.5", "3", "60", "0", "1.5"))
    assert Point.from_map(ruled.as_map()) == ruled
    marking = replace(state, marks=((1, 140), (2, 134)), speaks_of=("ac-1.x", "ac-1.y"))
    assert Point.from_map(marking.as_map()) == marking
    assert set(point().as_map()) == {"id", "quantity", "dtype", "decimals", "role", "provenance"}


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""}, {"id": "A"}, {"id": "-a"}, {"id": ".a"}, {"id": "a b"}, {"id": "a" * 65},
        {"id": "ä"}, {"id": "a\n"}, {"decimals": -1}, {"decimals": 10}, {"range_min": "x"},
        {"range_max": ""}, {"role": Role.STATE, "dtype": Dtype.F32},
        {"role": Role.TOTALISER, "rules": PointRules(jump="1")},
        {"role": Role.TOTALISER, "rules": PointRules(stuck_after_s="1")},
        {"role": Role.STATE, "rules": PointRules(rate_per_s="1")},
        {"marks": ((1, 140),), "speaks_of": ("b",)},
        {"role": Role.STATE, "marks": ((1, 140),)}, {"role": Role.STATE, "speaks_of": ("b",)},
        {"role": Role.STATE, "marks": ((1, 136),), "speaks_of": ("b",)},
        {"role": Role.STATE, "marks": ((1, 140), (1, 139)), "speaks_of": ("b",)},
        {"role": Role.STATE, "marks": ((1, 140),), "speaks_of": ("b", "b")},
        {"role": Role.STATE, "marks": ((1, 140),), "speaks_of": ("ac-1.power",)},
    ],
)  # fmt: skip
def test_a_point_that_is_none_cannot_be_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        point(**fields)


@pytest.mark.parametrize(
    "spoil",
    [
        {"id": 5}, {"quantity": None}, {"quantity": {}}, {"dtype": 65}, {"dtype": None},
        {"decimals": "1"}, {"role": "x"}, {"provenance": None}, {"scaling": {"x": 1}},
        {"scaling": 5}, {"scaling": {"scale": 5}}, {"states": [1]}, {"range_min": 5},
    ],
)  # fmt: skip
def test_a_configurations_map_that_is_no_point_draws_one_of_three(spoil: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Point.from_map(point().as_map() | spoil)


@pytest.mark.parametrize("missing", ["id", "quantity", "dtype", "decimals", "role", "provenance"])
def test_a_points_map_without_a_field_is_none(missing: str) -> None:
    fields = point().as_map()
    del fields[missing]
    with pytest.raises(KeyError):
        Point.from_map(fields)


@pytest.mark.parametrize(
    "limits",
    [
        {"jump": "0"}, {"jump": "-1"}, {"rate_per_s": "0"}, {"stuck_after_s": "0"},
        {"stale_after_s": "0"}, {"stuck_after_s": "1", "stuck_tolerance": "-1"}, {"jump": "x"},
        {"stuck_tolerance": "1"}, {"jump": ""},
    ],
)  # fmt: skip
def test_rules_that_are_none_cannot_be_built(limits: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        PointRules(**limits)


def test_rules_say_only_what_is_given() -> None:
    assert PointRules().as_map() == {}
    assert PointRules(stuck_after_s="9", stuck_tolerance="0").as_map() == {
        "stuck_after_s": "9", "stuck_tolerance": "0",
    }  # fmt: skip


# -- quality ----------------------------------------------------------------------------------


def test_quality_codes_are_part_of_the_format_and_do_not_move() -> None:
    assert {q.name: q.value for q in Quality} == {
        "GOOD": 0, "UNCERTAIN": 16, "SETTLING": 17, "PARTIAL": 18, "TOO_FAST": 19,
        "STUCK": 20, "JUMPED": 21, "CAME_BACK": 22, "STATE_UNKNOWN": 23, "TIME_IN_DOUBT": 24,
        "NO_ANSWER": 128, "NOT_CONNECTED": 129,
        "DEVICE_REFUSED": 130, "WRONG_ANSWER": 131, "SENTINEL": 132, "NOT_A_NUMBER": 133,
        "SENSOR_FAULT": 134, "OUT_OF_RANGE": 135, "STALE": 136, "NOT_SAMPLED": 137,
        "NO_INPUT": 138, "MAINTENANCE": 139, "CALIBRATION": 140,
    }  # fmt: skip
    assert {q.name for q in Quality if q.usable} == {
        "GOOD", "UNCERTAIN", "SETTLING", "PARTIAL", "TOO_FAST", "STUCK", "JUMPED", "CAME_BACK",
        "STATE_UNKNOWN", "TIME_IN_DOUBT",
    }  # fmt: skip
    assert FIRST_BAD == 128


def test_every_code_has_a_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == set(Quality)
    assert len({sentence(q) for q in Quality}) == len(Quality)
    assert len({sentence(q, "zh") for q in Quality}) == len(Quality)
    assert sentence(77) == "unknown quality code 77"
    assert sentence(77, "zh") == "未知质量码 77"
