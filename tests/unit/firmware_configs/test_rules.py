"""Quality rules of a profile's rows: what they become, and every sentence a wrong one draws."""

import re
import textwrap
from pathlib import Path

import pytest

from evidence.points import NO_RULES, PointRules
from firmware_configs.profile import FOLDER
from firmware_configs.rules import RULES
from tests.unit.firmware_configs.profile_texts import (
    FULL,
    MODBUS,
    OPCUA,
    loaded,
    problems_of,
    spoiled,
)

VOLTAGE = 'kind = "voltage"\nsource = "p. 4"'
POT = 'kind = "voltage"\nsource = "folder Pot"'
VALVE = 'states = { "0" = "shut", "1" = "open" }'
TOTAL = 'role = "totaliser"\nrolls_at = 10000000'
STATE = 'states = { "0" = "unknown", "1" = "producing" }'
MARKS = 'marks = { "1" = "calibration", "0" = "fault" }'


def with_keys(text: str, place: str, keys: str) -> str:
    return spoiled(text, place, f"{place}\n{keys}")


def test_a_row_without_rules_has_none(tmp_path: Path) -> None:
    assert {r.rules for r in loaded(FULL, tmp_path).registers} == {NO_RULES}


def test_rules_of_a_row(tmp_path: Path) -> None:
    keys = 'rate_per_s = "5"\njump = "30"\nstuck_after_s = "600"\nstuck_tolerance = "0.2"'
    made = loaded(with_keys(MODBUS, VOLTAGE, keys), tmp_path)
    assert made.register("voltage_l1").rules == PointRules("5", "30", "600", "0.2")
    aged = loaded(with_keys(OPCUA, POT, 'stale_after_s = "2.5"'), tmp_path)
    assert aged.register("pot-{n:02}.voltage").rules == PointRules(stale_after_s="2.5")


def test_marks_of_a_state(tmp_path: Path) -> None:
    keys = f'{MARKS}\nspeaks_of = ["voltage_l1", "total"]'
    valve = loaded(with_keys(FULL, VALVE, keys), tmp_path).register("valve")
    assert valve.marks == ((0, 134), (1, 140))
    assert valve.speaks_of == ("voltage_l1", "total")


def test_the_readmes_state_is_one(tmp_path: Path) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n( *\[\[register.*?)```", text, flags=re.DOTALL)
    row = spoiled(textwrap.dedent(example), '["co2", "o2"]', '["voltage_l1"]')
    state = loaded(f"{MODBUS}\n{row}", tmp_path).register("analyser")
    assert state.marks == ((1, 140), (2, 140), (3, 139), (4, 134))


def test_the_readme_names_every_rule() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| key | means | verdict |") :].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)(?: = [^`]*)?`", table))
    assert {*RULES, "range", "marks", "speaks_of"} <= named


@pytest.mark.parametrize(
    ("place", "keys", "key", "reason"),
    [
        (VOLTAGE, "jump = 30", "register[0].jump",
         'voltage_l1: 30 is not text; write the number as "30"'),
        (VOLTAGE, 'jump = "0"', "register[0].jump", "voltage_l1: 0 must be greater than zero"),
        (VOLTAGE, 'rate_per_s = "-1"', "register[0].rate_per_s",
         "voltage_l1: -1 must be greater than zero"),
        (VOLTAGE, 'rate_per_s = "1/3"', "register[0].rate_per_s",
         "voltage_l1: '1/3' is a ratio; write a decimal number"),
        (VOLTAGE, 'rate_per_s = "none"', "register[0].rate_per_s",
         "voltage_l1: 'none' is not a decimal number or a ratio like 800/5"),
        (VOLTAGE, 'stuck_tolerance = "1"', "register[0].stuck_tolerance",
         "voltage_l1: has no effect without stuck_after_s"),
        (VOLTAGE, 'stuck_after_s = "9"\nstuck_tolerance = "0.05"', "register[0].stuck_tolerance",
         "voltage_l1: 0.05 is less than one count (10^-1); write more"),
        (VOLTAGE, 'stale_after_s = "9"', "register[0].stale_after_s",
         "voltage_l1: has no effect: modbus brings no time with its values"),
        (TOTAL, 'stuck_after_s = "9"', "register[4].stuck_after_s",
         "total: is for gauges: a totaliser that stands still is a meter without consumption"),
        (TOTAL, 'jump = "9"', "register[4].jump",
         "total: is for gauges: a totaliser that stands still is a meter without consumption"),
        (VALVE, 'stuck_after_s = "9"', "register[2].stuck_after_s",
         "valve: is for gauges: a state may stay as it is for ever"),
        (VALVE, 'rate_per_s = "9"', "register[2].rate_per_s",
         "valve: is for gauges and totalisers: a state has no rate"),
        (VOLTAGE, f'{MARKS}\nspeaks_of = ["total"]', "register[0].marks",
         'voltage_l1: only a register with role = "state" marks others'),
        (VALVE, 'speaks_of = ["total"]', "register[2].speaks_of",
         'valve: has no effect without marks = { "1" = "calibration" }'),
        (VALVE, MARKS, "register[2].speaks_of",
         "valve: is missing: name the registers whose values it marks"),
        (VALVE, 'marks = {}\nspeaks_of = ["total"]', "register[2].marks",
         'valve: name what the values say, marks = { "1" = "calibration" }'),
        (VALVE, 'marks = { "2" = "fault" }\nspeaks_of = ["total"]', "register[2].marks",
         "valve: '2' is none of the states"),
        (VALVE, 'marks = { "1" = "broken" }\nspeaks_of = ["total"]', "register[2].marks",
         "valve: state 1: 'broken' is not one of fault | calibration | maintenance"),
        (VALVE, f'{MARKS}\nspeaks_of = ["totals"]', "register[2].speaks_of",
         "valve: 'totals' is no register of this profile"),
        (VALVE, f'{MARKS}\nspeaks_of = ["valve"]', "register[2].speaks_of",
         "valve: 'valve' is a state itself; a state marks values"),
        (VALVE, f'{MARKS}\nspeaks_of = ["total", "total"]', "register[2].speaks_of",
         "valve: names registers, each once"),
    ],
)  # fmt: skip
def test_mistakes(place: str, keys: str, key: str, reason: str, tmp_path: Path) -> None:
    assert problems_of(with_keys(FULL, place, keys), tmp_path) == [(key, reason)]


def test_the_state_of_each_pot_cannot_speak_of_the_line(tmp_path: Path) -> None:
    line = spoiled(OPCUA, 'name = "pot-{n:02}.voltage"', 'name = "line.voltage"')
    line = spoiled(line, "Pot{n:02}.Voltage", "Line.Voltage")
    text = with_keys(line, STATE, f'{MARKS}\nspeaks_of = ["line.voltage"]')
    assert problems_of(text, tmp_path) == [
        ("register[1].speaks_of",
         "pot-{n:02}.state: 'line.voltage' has no {n}: many states would speak of it"),
    ]  # fmt: skip


def test_rows_of_a_table_never_grow_stale(tmp_path: Path) -> None:
    """They are delivered once, however late: a backlog is no fault."""
    text = spoiled(OPCUA, 'protocol = "opcua"', 'protocol = "table"')
    found = problems_of(with_keys(text, POT, 'stale_after_s = "9"'), tmp_path)
    assert (
        "register[0].stale_after_s",
        "pot-{n:02}.voltage: is not for rows: each is delivered once, however late it comes",
    ) in found
