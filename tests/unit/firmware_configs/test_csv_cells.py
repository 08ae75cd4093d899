"""A manual's and a spreadsheet's ways of writing: taken where they say one thing, else told."""

import pytest

from firmware_configs.csv_cells import limits, states, type_name, whole_number, words
from firmware_configs.csv_import import import_csv
from firmware_configs.profile import ProfileError
from tests.unit.firmware_configs.test_csv_import import HEAD, TABLE, told


@pytest.mark.parametrize(
    ("cell", "instead"),
    [
        ("4.0", "; write 4"),
        ("0013", "; without the leading 0 if it is decimal, 0x0013 if it is hexadecimal"),
        ("0013h", "; if it is hexadecimal write 0x0013"),
        ("41,010", "; write 41010"),
        ("R41,010", "; write 41010"),
        ("0:00001", ""),
        ("$1A", "; if it is hexadecimal write 0x1A"),
        ("1E2", "; if it is hexadecimal write 0x1E2"),
        ("1,000", ""),
        ("40001-40002", ""),
        ("٤٢x", ""),
    ],
)
def test_what_may_be_two_numbers_is_none(cell: str, instead: str) -> None:
    with pytest.raises(ValueError, match="is no whole number") as caught:
        whole_number(cell)
    assert str(caught.value) == f"{cell!r} is no whole number such as 42 or 0x2A{instead}"


def test_whole_numbers() -> None:
    assert [whole_number(cell) for cell in ("0", "40001", "0x2A", "-1")] == [0, 40001, 42, -1]
    assert [whole_number(cell) for cell in ("4:03001", "3x0001", "4X00001")] == [
        403001, 30001, 400001,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "ours"),
    [
        ("UINT16", "u16"), ("Int 32", "i32"), ("unsigned int 16", "u16"),
        ("signed int32", "i32"), ("uint64_t", "u64"), ("INTEGER16", "i16"),
        ("FLOAT", "f32"), ("Float-32", "f32"), ("REAL", "f32"), ("double", "f64"),
        ("BCD32", "bcd32"), ("F32", "f32"), ("u32", "u32"), ("text", "text"),
        ("float BADC", "float_badc"), ("WORD", "word"),
    ],
)  # fmt: skip
def test_types_as_manuals_call_them(cell: str, ours: str) -> None:
    assert type_name(cell) == ours


def test_limits_and_lists() -> None:
    assert limits("0.5 100") == limits("0.5;100") == limits("0.5, 100") == ["0.5", "100"]
    assert words("ct_ratio,vt_ratio; x") == ["ct_ratio", "vt_ratio", "x"]
    with pytest.raises(ValueError, match="is the comma a decimal comma or between the limits"):
        limits("0,5")


def test_states() -> None:
    assert states("0 = off; 1 = on, hot;") == {"0": "off", "1": "on, hot"}
    assert states("0=off,1=on") == states("0=off\n1=on") == {"0": "off", "1": "on"}
    for wrong in ("off; on", "0=off;0=on"):
        with pytest.raises(ValueError, match="write each value once: 0 = stopped; 1 = running"):
            states(wrong)


def test_a_type_that_was_read_is_told() -> None:
    made = import_csv(TABLE.replace("u32,1", "UINT32,1").encode(), "map.csv", HEAD)
    assert made.profile.registers[0].type_name == "u32"
    assert made.guessed[0] == "voltage_l1: type u32, from 'UINT32'"


def test_a_decimal_comma_is_never_two_limits() -> None:
    text = "name;table;address;type;unit;range;source\nu;holding;1;u16;V;0,5;p. 1\n"
    (said,) = told(text)
    assert said.startswith("map.csv: line 2, range: '0,5': is the comma a decimal comma")


def test_a_title_above_the_columns_is_told_as_one() -> None:
    (said,) = told("Register map of the M2,,,,,,,,\n" + TABLE)
    assert said.startswith("map.csv: line 1: 'register map of the m2' is no column of a profile, ")
    assert "remove titles above it" in said


def test_the_line_with_which_excel_names_its_separator() -> None:
    text = "\ufeffsep=;\r\n" + TABLE.replace(",", ";").replace("\n", "\r\n")
    assert len(import_csv(text.encode(), "map.csv", HEAD).profile.registers) == 2
    with pytest.raises(ProfileError) as caught:
        import_csv(text.replace("0x13", "0013").encode(), "map.csv", HEAD)
    assert [problem.key for problem in caught.value.errors] == ["line 3, address"]


def test_a_state_needs_no_role_in_a_table() -> None:
    text = "name,table,address,type,unit,kind,states,source\n"
    text += "mode,holding,1,u16,1,state,0 = off; 1=on,p. 1\n"
    made = import_csv(text.encode(), "map.csv", HEAD)
    assert made.guessed == ("mode: role state, since its kind is",)
    assert made.profile.registers[0].states == ((0, "off"), (1, "on"))


def test_a_unit_that_is_unknown_is_told_beside_the_missing_kind() -> None:
    (said,) = told("name,table,address,type,unit,source\nt,holding,1,i16,°F,p. 1\n")
    assert "line 2, kind: t: is missing: what it measures; and no kind has the unit '°F'; " in said
    assert " degC " in said


def test_all_that_a_gas_needs_is_told_at_once() -> None:
    (said,) = told("name,table,address,type,unit,source\nq,holding,1,u16,Nm3/h,p. 1\n")
    assert "gas-flow needs reference (one of " in said
    assert said.endswith(") and moisture (one of dry wet)")
