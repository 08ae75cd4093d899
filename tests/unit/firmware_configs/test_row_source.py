"""The [table] and [folder] sections of profiles: what is right, and every way to be wrong."""

import hashlib
import json
from pathlib import Path

import pytest

from firmware_configs.cli import main
from firmware_configs.profile import load_profile
from firmware_configs.row_source import FolderSource, TableSource, row_form, source_settings
from tests.unit.firmware_configs.profile_texts import loaded, problems_of, spoiled, written

HEAD = """\
format = 1
vendor = "acme"
model = "pots"
revision = "1"
title = "Pot log"
quality_level = "simulated"
source = "database manual, p. 3"
"""

TABLE = (
    HEAD  # noqa: S608 - a profile
    + """\
protocol = "table"
[table]
statement = "SELECT id, taken_at, pot, volts FROM pot_log"
columns = ["id", "taken_at", "pot", "volts"]
key = "id"
time = "taken_at"
time_zone = "Asia/Shanghai"
name = "pot"
name_form = "P{n:03}"

[[register]]
name = "pot-{n:03}.volts"
column = "volts"
type = "i32"
decimals = 3
unit = "V"
kind = "voltage"
source = "p. 3"
"""
)

FOLDER = (
    HEAD
    + """\
protocol = "folder"
[folder]
pattern = "lab-*.csv"
form = "csv"
encoding = "gbk"
delimiter = ";"
decimal = ","
columns = ["时间", "CaO"]
time = "时间"
time_zone = "Asia/Shanghai"

[[register]]
name = "clinker.cao"
column = "CaO"
type = "i32"
decimals = 2
unit = "%"
kind = "ratio"
source = "LIMS export"
"""
)

XLSX = FOLDER.replace(
    'form = "csv"\nencoding = "gbk"\ndelimiter = ";"\ndecimal = ","', 'form = "xlsx"\nsheet = "CaO"'
)


def test_a_table(tmp_path: Path) -> None:
    profile = loaded(TABLE, tmp_path)
    source = profile.rows
    assert isinstance(source, TableSource)
    assert profile.protocol == "table"
    assert source.key == "id"
    assert (source.rows.time_form, source.rows.settle_s) == ("text", 10)
    assert profile.registers[0].column == "volts"
    assert profile.registers[0].address is profile.registers[0].node is None
    # printf 'SELECT id, taken_at, pot, volts FROM pot_log' | sha256sum
    text = b"SELECT id, taken_at, pot, volts FROM pot_log"
    assert source_settings(source) == {
        "statement_sha256": hashlib.sha256(text).hexdigest(),
        "columns_sha256": hashlib.sha256(b"id\ntaken_at\npot\nvolts\n").hexdigest(),
        "key": "id", "time": "taken_at", "time_form": "text", "time_zone": "Asia/Shanghai",
        "name": "pot", "name_form": "P{n:03}",
    }  # fmt: skip


def test_a_folder(tmp_path: Path) -> None:
    source = loaded(FOLDER, tmp_path).rows
    assert isinstance(source, FolderSource)
    assert row_form(source) is source.rows
    assert (source.encoding, source.delimiter, source.decimal) == ("gbk", ";", ",")
    assert source.reuses_names is False
    settings = source_settings(source)
    assert settings["pattern"] == "lab-*.csv"
    assert settings["decimal"] == ","
    assert "sheet" not in settings
    sheets = loaded(XLSX, tmp_path).rows
    assert source_settings(sheets)["sheet"] == "CaO"
    assert "decimal" not in source_settings(sheets)


def test_a_meter_has_none(tmp_path: Path) -> None:
    profile = load_profile("stackproof/ac-meter")
    assert profile.rows is None
    assert row_form(None) is None
    assert source_settings(None) == {}


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('key = "id"', "", "table.key", "is missing"),
        (
            'key = "id"',
            'key = "number"',
            "table.key",
            "'number' is no column: id taken_at pot volts",
        ),
        ('"id", "taken_at"', '"row id", "taken_at"', "table.key", "no column"),
        ('time = "taken_at"', 'time = "at"', "table.time", "'at' is no column"),
        ('time_zone = "Asia/Shanghai"', "", "table.time_zone", "is missing"),
        ('"Asia/Shanghai"', '"Shanghai"', "table.time_zone", "no IANA time zone"),
        ('"Asia/Shanghai"', '"../etc"', "table.time_zone", "no IANA time zone"),
        ('name = "pot"', 'name = "cell"', "table.name", "'cell' is no column"),
        ('"P{n:03}"', '"P"', "table.name_form", "must hold {n} once"),
        ('"P{n:03}"', '"{n}{n}"', "table.name_form", "must hold {n} once"),
        ('"P{n:03}"', '"{0.__class__}"', "table.name_form", "must hold {n} once"),
        ("columns = [", "columns = [1, ", "table.columns", "1 is no name of a column"),
        ("columns = [", 'columns = ["id", ', "table.columns", "'id' stands there twice"),
        ("columns = [", r'columns = ["a\nb", ', "table.columns", "is no name of a column"),
        ('key = "id"', 'key = "id"\nsettle_s = 9999', "table.settle_s", "9999 is not in 0..3600"),
        ('key = "id"', 'key = "id"\ntime_form = "weeks"', "table.time_form", "is not one of"),
        ('key = "id"', 'key = "id"\nlimit = 5', "table.limit", "unknown key"),
        ("SELECT id", f"SELECT {'x' * 8000} id", "table.statement", "more than 8000"),
        ('column = "volts"', 'column = "amps"', "register[0].column", "no column of the source"),
        ('column = "volts"', 'column = "pot"', "register[0].column", "row's time or name"),
        ('column = "volts"', "", "register[0].column", "is missing"),
        ('column = "volts"', 'column = "volts"\naddress = 1', "register[0].address", "unknown key"),
        ('"pot-{n:03}.volts"', '"volts"', "register[0].name", "where rows have a name"),
        ("[table]", "word_order = 'big'\n[table]", "word_order", "protocol modbus only"),
    ],
)
def test_mistakes_in_a_table(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    found = problems_of(spoiled(TABLE, old, new), tmp_path)
    assert any(k == key and reason in r for k, r in found), found


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('"lab-*.csv"', '"../lab-*.csv"', "folder.pattern", "must be names only"),
        ('"lab-*.csv"', '".*"', "folder.pattern", "a dot first"),
        ('"gbk"', '"latin-1"', "folder.encoding", "is not one of utf-8 | gbk"),
        ('encoding = "gbk"\n', "", "folder.encoding", "is missing"),
        ('";"', '"::"', "folder.delimiter", "is not one of"),
        ('delimiter = ";"', 'delimiter = ","', "folder.decimal", "is the delimiter too"),
        ('decimal = ","', 'decimal = "\'"', "folder.decimal", "is not one of"),
        ('form = "csv"', 'form = "xls"', "folder.form", "is not one of csv | xlsx"),
        ('form = "csv"', 'form = "csv"\nsheet = "A"', "folder.sheet", "unknown key"),
        (
            'form = "csv"',
            'form = "csv"\nreuses_names = "yes"',
            "folder.reuses_names",
            "true or false",
        ),
        ('form = "csv"', 'form = "csv"\nname_form = "{n}"', "folder.name_form", "no effect"),
        ('"clinker.cao"', '"clinker.{n}"', "register[0].name", "where rows have a name"),
        ("[folder]", "[files]", "folder", "is missing"),
    ],
)
def test_mistakes_in_a_folder(tmp_path: Path, old: str, new: str, key: str, reason: str) -> None:
    found = problems_of(spoiled(FOLDER, old, new), tmp_path)
    assert any(k == key and reason in r for k, r in found), found


def test_a_sheet_needs_its_name(tmp_path: Path) -> None:
    assert ("folder.sheet", "is missing: the sheet that is read") in problems_of(
        XLSX.replace('sheet = "CaO"', ""), tmp_path
    )
    long = problems_of(XLSX.replace('"CaO"\ncolumns', f'"{"x" * 32}"\ncolumns'), tmp_path)
    assert any("more than 31" in reason for _, reason in long)


def test_one_column_is_one_register(tmp_path: Path) -> None:
    again = TABLE[TABLE.index("[[register]]") :].replace("volts", "v2", 1)
    found = problems_of(TABLE + again, tmp_path)
    assert (
        "register[1].column",
        "pot-{n:03}.v2: column volts is also the column of pot-{n:03}.volts",
    ) in found


def test_meters_have_no_section_and_no_columns(tmp_path: Path) -> None:
    meter = (Path(__file__).parents[3] / "firmware_configs/stackproof/ac-meter.toml").read_text()
    found = problems_of(
        meter.replace("[[register]]", "[table]\nkey = 'x'\n[[register]]", 1), tmp_path
    )
    assert any(key == "table" and "unknown key" in reason for key, reason in found)


def test_too_many_columns(tmp_path: Path) -> None:
    many = ", ".join(f'"c{n}"' for n in range(501))
    found = problems_of(TABLE.replace('"id", "taken_at", "pot", "volts"', many), tmp_path)
    assert ("table.columns", "501 are too many; 500 at most") in found


def test_a_source_has_no_settings(tmp_path: Path) -> None:
    setting = '[[setting]]\nname = "serial"\ncolumn = "volts"\ntype = "u32"\nmeans = "serial"\n'
    found = problems_of(TABLE + setting + 'source = "p. 1"\n', tmp_path)
    assert ("setting", "is for meters: rows of a source have no settings") in found


def test_show_names_columns_and_how_they_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", written(TABLE, tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "column volts" in shown
    assert "Asia/Shanghai" in shown
    assert main(["show", "--json", written(FOLDER, tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["registers"][0]["column"] == "CaO"
