"""Registers of HJ 212 and DL/T 645 profiles: what they become, and what each mistake draws."""

from pathlib import Path

import pytest

from evidence.points import Dtype
from firmware_configs.cli import main
from firmware_configs.model import Identifier, Item, Register
from firmware_configs.profile import load_profile, unproven_types
from tests.unit.firmware_configs.profile_texts import loaded, problems_of, spoiled

HEAD = """\
format = 1
vendor = "acme"
model = "x1"
revision = "1"
title = "A device"
protocol = "{protocol}"
quality_level = "simulated"
source = "manual, revision 7"
"""

HJ212 = (
    HEAD.format(protocol="hj212")
    + """
[[register]]
name = "co2"
factor = "a05001"
field = "Rtd"
command = 2011
type = "i64"
decimals = 4
unit = "vol%"
kind = "concentration"
moisture = "dry"
source = "p. 4"

[[register]]
name = "co2_mean"
factor = "a05001"
field = "Avg"
command = 2051
type = "i64"
decimals = 4
unit = "vol%"
kind = "concentration"
moisture = "dry"
source = "p. 4"
"""
)

DLT645 = (
    HEAD.format(protocol="dlt645")
    + """
[[register]]
name = "energy"
di = "00010000"
format = "XXXXXX.XX"
type = "u32"
unit = "kWh"
kind = "energy"
role = "totaliser"
source = "A.2"

[[register]]
name = "power"
di = "02030000"
format = "XX.XXXX"
type = "i32"
point_decimals = 3
unit = "kW"
kind = "power"
source = "A.3"
"""
)


def rows_of(text: str, folder: Path) -> dict[str, Register]:
    profile = loaded(text, folder)
    assert unproven_types(profile) == []
    return {r.name: r for r in profile.registers}


def test_items(tmp_path: Path) -> None:
    rows = rows_of(HJ212, tmp_path)
    co2, mean = rows["co2"], rows["co2_mean"]
    assert co2.item == Item("a05001", "Rtd", 2011)
    assert mean.item == Item("a05001", "Avg", 2051)
    assert co2.place == "a05001-Rtd of CN 2011"
    assert (co2.decimals, co2.point_decimals) == (4, 4)
    assert (co2.table, co2.address, co2.node) == (None, None, None)


def test_identifiers(tmp_path: Path) -> None:
    rows = rows_of(DLT645, tmp_path)
    energy, power = rows["energy"], rows["power"]
    assert energy.identifier == Identifier(0x00010000, "XXXXXX.XX")
    assert energy.place == "DI 00010000 XXXXXX.XX"
    assert (energy.decimals, energy.point_decimals) == (2, 2)
    assert (power.decimals, power.point_decimals) == (4, 3)


@pytest.mark.parametrize(
    ("written", "digits", "decimals"),
    [("XXXXXX.XX", 8, 2), ("XXX.X", 4, 1), ("XX.XXXX", 6, 4), ("XX", 2, 0), ("X.XXX", 4, 3)],
)
def test_formats(written: str, digits: int, decimals: int) -> None:
    identifier = Identifier(0, written)
    assert (identifier.digits, identifier.decimals) == (digits, decimals)


WRONG = [
    (HJ212, 'factor = "a05001"\n', "", "factor", "is missing: code of what is measured"),
    (HJ212, '"a05001"', '"a05001-x"', "factor", "must match"),
    (HJ212, '"Rtd"', '"Rdt"', "field", "'Rdt' is not one of Rtd | Min | Avg | Max | Cou | Flag"),
    (HJ212, '"Rtd"', '"Avg"', "field", "Avg is not in CN 2011: Rtd Flag"),
    (HJ212, '"Avg"', '"Rtd"', "field", "Rtd is not in CN 2051: Min Avg Max Cou Flag"),
    (HJ212, "command = 2011\n", "", "command", "is missing"),
    (HJ212, "2011", "2041", "command", "2041 is none of 2011 real time"),
    (HJ212, "2011", "9014", "command", "9014 is not in 2000..2999"),
    (HJ212, '"i64"\ndecimals = 4', '"f64"\npoint_decimals = 4', "type", "which an integer holds"),
    (HJ212, 'field = "Avg"\ncommand = 2051', 'field = "Rtd"\ncommand = 2011', "factor",
     "factor a05001-Rtd of CN 2011 is also the factor of co2"),
    (HJ212, 'factor = "a05001"', 'factor = "a05001"\naddress = 7', "address", "unknown key"),
    (DLT645, 'di = "00010000"\n', "", "di", "is missing: data identifier"),
    (DLT645, '"00010000"', '"0001FF0"', "di", "eight hexadecimal digits"),
    (DLT645, '"00010000"', '"0001ff00"', "di", "eight hexadecimal digits in capitals"),
    (DLT645, '"00010000"', '"02030000"', "di", "is also the di of energy"),
    (DLT645, 'format = "XXXXXX.XX"\n', "", "format", "is missing: as the standard writes it"),
    (DLT645, "XXXXXX.XX", "NNNNNN.NN", "format", "no even number of X"),
    (DLT645, "XXXXXX.XX", "XXXXX.XX", "format", "no even number of X"),
    (DLT645, "XXXXXX.XX", "XXXXXXX.", "format", "no even number of X"),
    (DLT645, '"u32"', '"u16"', "type", "XXXXXX.XX has 8 digits, u16 holds 4"),
    (DLT645, '"u32"', '"f64"', "type", "which an integer holds"),
    (DLT645, 'type = "u32"', 'type = "u32"\ndecimals = 2', "decimals", "comes from format"),
    (DLT645, 'type = "u32"', 'type = "u32"\npoint_decimals = 10', "point_decimals", "not in 0..9"),
    (DLT645, 'revision = "1"', 'revision = "1"\nword_order = "big"', "word_order",
     "is for protocol modbus only"),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_each_mistake_is_named(case: tuple[str, str, str, str, str], tmp_path: Path) -> None:
    text, old, new, key, reason = case
    problems = problems_of(spoiled(text, old, new), tmp_path)
    assert any(k.endswith(key) and reason in r for k, r in problems), problems


@pytest.mark.parametrize("text", [HJ212, DLT645])
def test_the_sound_texts_are_sound(text: str, tmp_path: Path) -> None:
    assert problems_of(text, tmp_path) == []


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ("stackproof/cems-logger",
         ["co2", "a05001-Rtd", "of", "CN", "2011", "i64", "vol%", "gauge"]),
        ("stackproof/dlt645-meter",
         ["energy_import", "DI", "00010000", "XXXXXX.XX", "u32", "kWh", "totaliser"]),
    ],
)  # fmt: skip
def test_show(profile: str, line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", profile]) == 0
    shown = [text.split() for text in capsys.readouterr().out.splitlines()]
    assert line in shown


def test_the_shipped_meter_has_signs_where_the_standard_has() -> None:
    rows = load_profile("stackproof/dlt645-meter").registers
    signed = {r.name for r in rows if r.dtype.name.startswith("I")}
    assert signed == {"current_a", "current_b", "current_c", "power"}
    assert {r.dtype for r in rows} <= {Dtype.U16, Dtype.U32, Dtype.I32}
