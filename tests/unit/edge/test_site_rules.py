"""Quality rules in the site file: over the profile's, for a register or one point; and marks."""

from pathlib import Path
from typing import Any

import pytest

from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from tests.unit.edge.sites import METERS, POTS, SITE, config_of, problems, replaced, site_of
from tests.unit.edge.test_site_messages import LOGGER
from tests.unit.edge.test_site_messages import SITE as MESSAGES

VOLT, ONE = "pot-{n:02}.voltage", "pot-02.voltage"
EACH = 'each = "1-3"\n'
RATIOS = 'vt_ratio = "10000/100"\n'

ANALYSER = """\
format = 1
vendor = "test"
model = "analyser"
revision = "1"
title = "Analyser of a test"
protocol = "modbus"
quality_level = "simulated"
source = "made for a test"
address_notation = "0-based"
word_order = "big"

[[register]]
name = "co2"
table = "holding"
address = 0
type = "u16"
decimals = 2
unit = "vol%"
kind = "concentration"
moisture = "dry"
range = ["0", "100"]
jump = "5"
stuck_after_s = "30"
stuck_tolerance = "0.05"
source = "made for a test"

[[register]]
name = "o2"
table = "holding"
address = 1
type = "u16"
decimals = 2
unit = "vol%"
kind = "concentration"
moisture = "dry"
source = "made for a test"

[[register]]
name = "state"
table = "holding"
address = 2
type = "u16"
unit = "1"
kind = "state"
role = "state"
states = { "0" = "measuring", "1" = "zero gas", "2" = "service" }
marks = { "1" = "calibration", "2" = "maintenance" }
speaks_of = ["co2"]
source = "made for a test"
"""
STACK = """\
[[device]]
id = "stack"
url = "modbus+tcp://127.0.0.1:15022?unit=1"
profile = "analyser.toml"
provenance = "meter-direct"
"""


def points(folder: Path, text: str) -> dict[str, Any]:
    (folder / "analyser.toml").write_text(ANALYSER, encoding="utf-8")
    config = config_of(site_of(folder, text))
    assert decode_configuration(compress(cbor.encode(config))) == config
    return {point["id"]: point for point in config["points"]}


def rules(name: str, keys: str) -> str:
    return f'[device.rules."{name}"]\n{keys}\n'


def pots(*tables: str) -> str:
    return replaced(SITE, {EACH: EACH + "".join(tables)})


def stack(*tables: str) -> str:
    return METERS + STACK + "".join(tables)


def test_a_site_without_rules_signs_none(tmp_path: Path) -> None:
    for point in points(tmp_path, SITE).values():
        assert {"rules", "marks", "speaks_of"}.isdisjoint(point)


def test_the_profiles_rules_and_marks_are_signed_with_the_points(tmp_path: Path) -> None:
    made = points(tmp_path, stack())
    assert made["stack.co2"]["rules"] == {
        "jump": "5", "stuck_after_s": "30", "stuck_tolerance": "0.05",
    }  # fmt: skip
    assert "rules" not in made["stack.o2"]
    assert made["stack.state"]["marks"] == [[1, 140], [2, 139]]
    assert made["stack.state"]["speaks_of"] == ["stack.co2"]


def test_a_register_of_many_points_and_one_of_them(tmp_path: Path) -> None:
    """The narrower name counts, in whichever order they stand."""
    each = rules(VOLT, 'jump = "40"\nrate_per_s = "9.5"')
    one = rules(ONE, 'jump = "none"\nrange = ["0", "60"]')
    for text in (pots(each, one), pots(one, each)):
        made = points(tmp_path, text)
        wide = {"jump": "40", "rate_per_s": "9.5"}
        assert made["pot-gateway.pot-01.voltage"]["rules"] == wide
        assert made["pot-gateway.pot-03.voltage"]["rules"] == wide
        narrow = made["pot-gateway.pot-02.voltage"]
        assert narrow["rules"] == {"rate_per_s": "9.5"}
        assert (narrow["range_min"], narrow["range_max"]) == ("0", "60")
        assert "rules" not in made["pot-gateway.pot-02.state"]


def test_over_the_profiles(tmp_path: Path) -> None:
    made = points(tmp_path, stack(rules("co2", 'jump = "7"\nstuck_after_s = "none"')))
    assert made["stack.co2"]["rules"] == {"jump": "7"}, "the tolerance goes with what it is of"
    assert (made["stack.co2"]["range_min"], made["stack.co2"]["range_max"]) == ("0", "100")


def test_a_loggers_points_can_grow_stale(tmp_path: Path) -> None:
    made = points(tmp_path, MESSAGES + rules("co2", 'stale_after_s = "150"'))
    assert made["stack.co2"]["rules"] == {"stale_after_s": "150"}
    assert MESSAGES.endswith(LOGGER), "the rules stand under the logger"


def test_a_change_of_a_rule_is_a_change_of_the_configuration(tmp_path: Path) -> None:
    from evidence.config_changes import config_changes

    before = config_of(site_of(tmp_path, pots(rules(ONE, 'jump = "40"'))))
    after = config_of(site_of(tmp_path, pots(rules(ONE, 'jump = "41"'))))
    (change,) = config_changes(before, after)
    assert change.path == "points[pot-gateway.pot-02.voltage].rules.jump"
    assert (change.old, change.new, change.rank) == ('"40"', '"41"', 1)


@pytest.mark.parametrize(
    ("name", "keys", "key", "reason"),
    [
        ("pot-09.voltage", 'jump = "1"', "rules",
         "pot-gateway: 'pot-09.voltage' is no register or point that is read here"),
        (ONE, 'jumps = "1"', f"rules.{ONE}.jumps",
         f"{ONE}: unknown key; did you mean 'jump'?"),
        (ONE, 'jump = "x"', f"rules.{ONE}.jump",
         f"{ONE}: 'x' is not a decimal number or a ratio like 800/5"),
        ("metal_tapped", 'stuck_after_s = "60"', "rules.metal_tapped.stuck_after_s",
         "metal_tapped: is for gauges: a totaliser that stands still is a meter without "
         "consumption"),
        ("pot-{n:02}.state", 'stuck_after_s = "60"', "rules.pot-{n:02}.state.stuck_after_s",
         "pot-{n:02}.state: is for gauges: a state may stay as it is for ever"),
        (VOLT, 'stuck_after_s = "1.9"', "rules",
         "pot-gateway: pot-01.voltage: stuck_after_s 1.9 is less than two intervals (2 s): "
         "write more, or read it more often"),
        (ONE, 'range = ["60", "0"]', f"rules.{ONE}.range", f"{ONE}: 60 is not less than 0"),
    ],
)  # fmt: skip
def test_mistakes(name: str, keys: str, key: str, reason: str, tmp_path: Path) -> None:
    assert problems(tmp_path, pots(rules(name, keys))) == [(f"device[2].{key}", reason)]


def test_rules_must_have_a_name(tmp_path: Path) -> None:
    assert problems(tmp_path, pots('[device.rules]\njump = "1"\n')) == [
        ("device[2].rules", "pot-gateway: must be written as tables with names: [rules.NAME]")
    ]


def test_a_modbus_point_cannot_grow_stale(tmp_path: Path) -> None:
    text = replaced(SITE, {RATIOS: RATIOS + rules("frequency", 'stale_after_s = "9"')})
    assert problems(tmp_path, text) == [
        ("device[0].rules.frequency.stale_after_s",
         "frequency: has no effect: modbus brings no time with its values"),
    ]  # fmt: skip


def test_a_state_that_marks_what_is_read_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "analyser.toml").write_text(ANALYSER, encoding="utf-8")
    left_out = stack().replace("analyser.toml", 'analyser.toml"\npoints = ["co2", "o2')
    left_out = left_out.replace('["co2", "o2"', '["co2", "o2"]')
    assert problems(tmp_path, left_out) == [
        ("device[2].points",
         "stack: leaves out 'state', which marks 'co2': without it a calibration would look like "
         "a measurement"),
    ]  # fmt: skip


def test_a_state_of_nothing_that_is_read_marks_nothing(tmp_path: Path) -> None:
    few = stack().replace('"analyser.toml"', '"analyser.toml"\npoints = ["o2", "state"]')
    made = points(tmp_path, few)
    assert {"marks", "speaks_of"}.isdisjoint(made["stack.state"])


def test_each_pots_state_speaks_of_its_own_voltage(tmp_path: Path) -> None:
    from firmware_configs.profile import FOLDER

    profile = (FOLDER / "stackproof/pot-gateway.toml").read_text(encoding="utf-8")
    name = 'name = "pot-{n:02}.state"\n'
    marks = f'marks = {{ "0" = "fault" }}\nspeaks_of = ["{VOLT}"]\n'
    (tmp_path / "pots.toml").write_text(replaced(profile, {name: name + marks}), encoding="utf-8")
    made = points(tmp_path, replaced(SITE, {'"stackproof/pot-gateway"': '"pots.toml"'}))
    assert POTS in SITE
    for n in ("01", "02", "03"):
        assert made[f"pot-gateway.pot-{n}.state"]["speaks_of"] == [f"pot-gateway.pot-{n}.voltage"]
