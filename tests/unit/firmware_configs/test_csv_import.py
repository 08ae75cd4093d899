"""A table of registers as CSV becomes a profile, or is told where it is wrong."""

import json
from pathlib import Path

import pytest

from firmware_configs.cli import main
from firmware_configs.csv_import import COLUMNS, import_csv
from firmware_configs.profile import ProfileError, load_profile
from tests.unit.firmware_configs.profile_texts import MODBUS

HEAD = {
    "vendor": "acme", "model": "m2", "revision": "1", "title": "A meter", "protocol": "modbus",
    "quality_level": "simulated", "source": "manual, revision 7", "address_notation": "0-based",
    "word_order": "big",
}  # fmt: skip
TABLE = """\
name,table,address,type,decimals,unit,kind,invalid,source
voltage_l1,holding,0x13,u32,1,V,,0xFFFFFFFF,p. 4
energy,holding,32,u32,2,kWh,,,p. 5
"""
ARGUMENTS = ["--vendor", "acme", "--model", "m2", "--title", "A meter", "--source",
             "manual, revision 7", "--notation", "0-based", "--word-order", "big"]  # fmt: skip


def told(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ProfileError) as caught:
        import_csv(data, "map.csv", HEAD)
    return [str(problem) for problem in caught.value.errors]


@pytest.mark.parametrize(
    "data",
    [b'name\n"' + b"x" * 200_000 + b'"\n', b"name,table\r\nx\ry,z\r\n"],
    ids=["a field too long", "a line end of old Macs"],
)
def test_what_is_no_csv_is_told(data: bytes) -> None:
    (said,) = told(data)
    assert ": is not CSV: " in said


def test_a_line_becomes_a_register() -> None:
    made = import_csv(TABLE.encode(), "map.csv", HEAD)
    voltage, energy = made.profile.registers
    assert (voltage.name, voltage.address, voltage.type_name) == ("voltage_l1", 0x13, "u32")
    assert (voltage.decimals, voltage.quantity.unit, voltage.source) == (1, "V", "p. 4")
    assert voltage.invalid == (0xFFFFFFFF,)
    assert (energy.address, energy.quantity.kind, energy.role.value) == (32, "energy", "totaliser")


def test_what_was_filled_in_is_told() -> None:
    made = import_csv(TABLE.encode(), "map.csv", HEAD)
    assert made.guessed == (
        "voltage_l1: kind voltage, from the unit V",
        "energy: kind energy, from the unit kWh",
        "energy: role totaliser, since it is energy",
    )


def test_how_a_manual_spells_a_unit_is_told_and_no_meter_counts_emissions() -> None:
    table = TABLE.replace(",1,V,", ",1,kg/h,").replace(",2,kWh,", ",2,KVARH,")
    made = import_csv(table.encode(), "map.csv", HEAD)
    assert made.guessed == (
        "voltage_l1: kind mass-flow, from the unit kg/h",
        "energy: unit kvarh, from 'KVARH'",
        "energy: kind reactive-energy, from the unit kvarh",
        "energy: role totaliser, since it is energy",
    )


def test_what_a_float_in_a_unit_a_second_needs_is_told() -> None:
    row = "name,table,address,type,unit,source\nq,holding,1,f32,kg/s,p. 1\n"
    assert [problem.partition("q: ")[2] for problem in told(row)] == [
        "is missing: decimals that are kept of a float, in its unit, such as 2",
        "is missing: what it measures; and no kind has the unit 'kg/s'; "
        'write unit kg/h with scale = "3600"',
    ]


def test_a_unit_of_several_kinds_is_not_guessed() -> None:
    assert told("name,table,address,type,unit,source\nmass,holding,1,u32,t,p. 1\n") == [
        "map.csv: line 2, kind: mass: is missing: what it measures; with the unit t: "
        "mass or solid-fuel-mass or emission"
    ]


def test_a_line_with_means_becomes_a_setting() -> None:
    text = (
        TABLE.replace("name,", "means,length,name,").replace("\nv", "\n,,v").replace("\ne", "\n,,e")
    )
    text += "serial,4,,holding,0x100,text,,,,,p. 9\n"
    (setting,) = import_csv(text.encode(), "map.csv", HEAD).profile.settings
    assert (setting.means, setting.is_text, setting.text_words) == ("serial", True, 4)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators(mark: str) -> None:
    made = import_csv(TABLE.replace(",", mark).encode(), "map.csv", HEAD)
    assert len(made.profile.registers) == 2


def test_a_spreadsheets_byte_order_mark_and_empty_lines() -> None:
    text = "\ufeff" + TABLE.replace("\n", "\r\n") + ",,,,,,,,\r\n\r\n"
    assert len(import_csv(text.encode(), "map.csv", HEAD).profile.registers) == 2


def test_lists_in_a_cell() -> None:
    text = (
        "name,table,address,type,decimals,unit,kind,applies,invalid,range,source\n"
        "power,holding,1,i32,1,kW,power,ct_ratio vt_ratio,0x80000000;0x7FFFFFFF,-10 500,p. 1\n"
    )
    made = import_csv(text.encode(), "map.csv", HEAD | {"reports": "secondary"})
    (power,) = made.profile.registers
    assert power.applies == ("ct_ratio", "vt_ratio")
    assert power.invalid == (-(2**31), 2**31 - 1)
    assert (power.range_min, power.range_max) == ("-10", "500")


def test_text_is_kept_as_it_is() -> None:
    text = TABLE.replace("p. 4", '"Tabelle ""4"" \\ 第5頁"')
    made = import_csv(text.encode(), "map.csv", HEAD)
    assert made.profile.registers[0].source == 'Tabelle "4" \\ 第5頁'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("0x13", "0x13h", "line 2, address: '0x13h' is no whole number such as 42 or 0x2A"),
        ("u32,1", "u33,1", "line 2, type: voltage_l1: unknown number type 'u33'"),
        (",p. 5", ",", "line 3, source: energy: is missing"),
        ("0x13", "31", "line 3, address: energy: address 0x0020 overlaps voltage_l1"),
        ("energy,", "voltage_l1,", "line 3, name: voltage_l1: is also the name of register[0]"),
        ("type,", "typ,", "line 1, typ: is no column of a profile; did you mean 'type'?"),
        ("type,", "colour,", "line 1, colour: is no column of a profile; known: means name"),
        ("table,", "name,", "line 1, name: stands there twice"),
        ("holding,32", "coil,32", "line 3, type: energy: u32 cannot be in table coil"),
    ],
)
def test_mistakes_are_told_by_line_and_column(old: str, new: str, reason: str) -> None:
    said = told(TABLE.replace(old, new, 1))
    assert any(line.startswith(f"map.csv: {reason}") for line in said), said


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "map.csv: line 1: has no columns' names"),
        (b"name,address\n", "map.csv: has no line below the columns' names"),
        (
            "name,source\n电压,表\n".encode("gb18030"),
            'map.csv: is not UTF-8; save it as "CSV UTF-8"',
        ),
    ],
)
def test_files_that_are_no_table(data: bytes, reason: str) -> None:
    assert told(data) == [reason]


def test_what_concerns_no_line_keeps_its_key() -> None:
    with pytest.raises(ProfileError) as caught:
        import_csv(TABLE.encode(), "map.csv", HEAD | {"vendor": "Acme"})
    assert [problem.key for problem in caught.value.errors] == ["vendor"]


def test_the_command_writes_what_check_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "map.csv", tmp_path / "m2.toml"
    table.write_text(TABLE)
    assert main(["import", str(table), *ARGUMENTS, "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "left to do: no [[vector]] proves the order of u32"
    assert load_profile(str(out)).id == "acme/m2"
    with out.open("a") as file:
        file.write('[[vector]]\nregister = "energy"\nwords = [0, 5]\nvalue = "0.05"\n')
    assert main(["check", str(out)]) == 0


def test_the_command_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "map.csv"
    table.write_text(TABLE)
    assert main(["import", str(table), *ARGUMENTS]) == 0
    assert capsys.readouterr().out.startswith('format = 1\nvendor = "acme"\n')
    assert main(["import", str(table), *ARGUMENTS, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["id"], said["registers"], said["settings"]) == ("acme/m2", 2, 0)
    assert said["left_to_do"] == ["no [[vector]] proves the order of u32"]


def test_the_command_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "map.csv", tmp_path / "m2.toml"
    table.write_text(TABLE)
    out.write_text(MODBUS)
    assert main(["import", str(table), *ARGUMENTS, "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"{out}: cannot be written: File exists\n"
    assert out.read_text() == MODBUS


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "map.csv", tmp_path / "m2.toml"
    assert main(["import", str(table), *ARGUMENTS]) == 2
    assert capsys.readouterr().err == f"{table}: cannot be read: No such file or directory\n"
    table.write_text(TABLE.replace("u32", "u33"))
    assert main(["import", str(table), *ARGUMENTS, "--out", str(out)]) == 1
    assert f"{table}: line 2, type: voltage_l1: unknown number type" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_a_key_of_some_row(column: str) -> None:
    """None of them is unknown to the loader, whatever else it thinks of the value."""
    means = "serial" if column in {"means", "length"} else ""
    heads = list(dict.fromkeys(["name", "means", "type", column]))
    cells = {"name": "x", "type": "text" if means else "u32", column: "1", "means": means}
    text = f"{','.join(heads)}\n{','.join(cells[head] for head in heads)}\n"
    assert [line for line in told(text) if "unknown key" in line] == []
