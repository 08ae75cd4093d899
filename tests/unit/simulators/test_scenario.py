"""Scenario files: the shipped ones are sound, and every mistake is named with its key."""

from decimal import Decimal
from pathlib import Path

import pytest

from firmware_configs.profile import load_profile
from simulators.faults import fault_of_text
from simulators.plant import Smelter
from simulators.scenario import FOLDER, ScenarioError, list_scenarios, load_scenario
from tests.unit.firmware_configs.hostile_toml import HOSTILE_TOML, assert_plain

TEXT = (FOLDER / "smelter.toml").read_text(encoding="utf-8")


def mistakes(text: str, folder: Path) -> list[tuple[str, str]]:
    """(key, reason) of all that is wrong with a scenario text."""
    (folder / "try.toml").write_text(text, encoding="utf-8")
    try:
        load_scenario("try", folder=folder)
    except ScenarioError as error:
        return [(problem.key, problem.reason) for problem in error.errors]
    return []


def test_shipped_scenarios() -> None:
    assert list_scenarios() == [
        "kiln",
        "kiln-normal",
        "smelter",
        "smelter-normal",
        "steelworks",
        "steelworks-normal",
    ]


@pytest.mark.parametrize("name", ["smelter", "smelter-normal"])
def test_shipped_scenarios_fit_the_plant_and_the_profiles(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.pots == 24
    assert scenario.step_s == Decimal("0.1")
    # Published at 4 Hz or faster.
    assert scenario.step_s * scenario.publish_steps <= Decimal("0.25")
    readings = Smelter(scenario, pots=5, seed=0, record=lambda line: None).readings()
    assert [device.id for device in scenario.devices] == list(readings)
    for device in scenario.devices:
        profile = load_profile(device.profile)
        names = {r.name.format(n=n) for r in profile.registers for n in range(1, 6)}
        assert names == set(readings[device.id])
        needed = {ratio for r in profile.registers for ratio in r.applies}
        assert set(device.ratios) == needed


def test_scenarios_differ_in_pace_not_in_laws() -> None:
    quick, normal = load_scenario("smelter"), load_scenario("smelter-normal")
    assert quick.alumina.bath_kg < normal.alumina.bath_kg / 100
    assert quick.line.current_ka == normal.line.current_ka
    assert quick.line.current_efficiency == normal.line.current_efficiency
    assert quick.alumina.critical_percent == normal.alumina.critical_percent


def test_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("kilm")
    assert str(caught.value) == (
        f"kilm: there is no such scenario; known: {', '.join(list_scenarios())}"
    )


def test_a_kiln_is_no_smelter() -> None:
    """Where only a smelter will do, as in `sim month`, that is the first thing said."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario("kiln")
    assert "plant: 'kiln'" in str(caught.value.errors[0])


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("format = 1", "format = 2", "format", "2 is not in 1..1"),
        ('step_s = "0.1"', "step_s = 0.1", "step_s", '0.1 is not text; write step_s = "0.1"'),
        ('step_s = "0.1"', 'step_s = "0"', "step_s", "0 must be greater than zero"),
        ('step_s = "0.1"', 'step_s = "1/10"', "step_s",
         "'1/10' is a ratio; write a decimal number"),
        ("pots = 24", "pots = 2", "pots", "2 is not in 3..2000"),
        ("pots = 24", "pot = 24\npots = 24", "pot", "unknown key; did you mean 'pots'?"),
        ("current_ka = 460", "current_ka = 4600", "line.current_ka", "4600 is not in 10..800"),
        (
            "current_ka = 460",
            'current_ka = "460"',
            "line.current_ka",
            "'460' is not a number in 10..800",
        ),
        ("after_s = 3", "after_s = 3\nafter_a = 1", "effect.after_a",
         "unknown key; did you mean 'after_v'?"),
        (
            "gap_least_s = 4.2",
            "gap_least_s = 5",
            "blockage.gap_least_s",
            "5.0 is more than gap_most_s 4.8",
        ),
        ('ct_ratio = "800/5"', 'ct_ratio = "800:5"', "device[0].ct_ratio",
         "'800:5' is not a decimal number or a ratio like 800/5"),
        ('ct_ratio = "800/5"', 'ct_ratio = "-1"', "device[0].ct_ratio",
         "-1 must be greater than zero"),
        ('profile = "stackproof/gas-meter"\n', "", "device[1].profile", "is missing"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    assert old in TEXT
    assert mistakes(TEXT.replace(old, new, 1), tmp_path) == [(key, reason)]


def test_mistakes_come_all_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("pots = 24", 'pots = "many"').replace("dip_v = 0.3 ", "dip_v = 30 ")
    assert [key for key, _ in mistakes(text, tmp_path)] == ["pots", "tap.dip_v"]


def test_not_toml(tmp_path: Path) -> None:
    found = mistakes("format = \n", tmp_path)
    assert found[0][0] == ""
    assert found[0][1].startswith("is not TOML: Invalid value (at line 1")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="there is no such scenario; known: none"):
        load_scenario("smelter", folder=tmp_path)


@pytest.mark.parametrize("text", HOSTILE_TOML)
def test_hostile_toml(text: str, tmp_path: Path) -> None:
    ((key, reason),) = mistakes(text, tmp_path)
    assert key == ""
    assert reason.startswith("is not TOML: ")
    assert_plain(reason)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(ScenarioError, match=r"x\.toml: cannot be read: Is a directory"):
        load_scenario("x", folder=tmp_path)


FAULT = """
[[fault]]
at = "20"
for = "10"
kind = "stuck"
on = "ac-1.power"
"""


def test_faults_by_schedule(tmp_path: Path) -> None:
    (tmp_path / "try.toml").write_text(TEXT + FAULT, encoding="utf-8")
    assert load_scenario("try", folder=tmp_path).faults == (
        fault_of_text("at=20 for=10 kind=stuck on=ac-1.power"),
    )


@pytest.mark.parametrize(
    ("was", "becomes", "key", "reason"),
    [
        ('"stuck"', '"stuk"', "fault[0]", "kind: 'stuk' is none of"),
        ('at = "20"', "at = 20", "fault[0].at", "text"),
        ("for =", "until =", "fault[0].until", "unknown"),
    ],
)
def test_mistakes_in_a_fault(was: str, becomes: str, key: str, reason: str, tmp_path: Path) -> None:
    (found,) = mistakes(TEXT + FAULT.replace(was, becomes), tmp_path)
    assert found[0] == key
    assert reason in found[1]
