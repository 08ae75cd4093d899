"""Configurations the live calculation refuses, each with a sentence that says why."""

from typing import Any

import pytest

from edge.calc.errors import CalcError, PlantError, UnknownRuleSetError
from edge.calc.folds.live import PlantCalc, computed_points

Config = dict[str, Any]


def test_a_computed_points_raw_integer_is_its_count(config: Config) -> None:
    for point in computed_points(config):
        assert point.scaling.factor * 10**point.decimals == 1
        assert point == type(point).from_map(point.as_map())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("plant", "rule_set"), "ipcc-2019", "only by: cets-ag-02.01-v01-2024"),
        (("plant", "rule_set"), "cets-99", "not in this program"),
        (("plant", "time_zone"), "Nowhere", "time_zone"),
        (("potlines", 0, "line_current"), "pg.missing", r"pg\.missing"),
        (("potlines", 0, "line_current"), "ac.power", "kA or A"),
        (("potlines", 0, "current_efficiency_percent"), "0.945", "not a percentage"),
        (("potlines", 0, "technology"), "PFPB-MW", "no slope for 'PFPB-MW'"),
        (("potlines", 0, "indicator", "gwp"), "ar9", "ar9"),
        (("potlines", 0, "indicator", "edition"), "ipcc-1996", "ipcc-1996"),
        (("potlines", 0, "pots"), [], "no pots"),
        (("potlines", 0, "anode_effect", "mode"), "upward", "upward"),
        (("statement", "fuels", 0, "kind"), "hydrogen", "hydrogen"),
        (("statement", "fuels", 0, "point"), "pg.metal_tapped", "does not fit natural-gas"),
        (("statement", "fuels", 0, "flow_point"), "nothing", "nothing"),
        (("statement", "auxiliary", 0, "point"), "gas.volume", "does not fit electricity"),
        (("statement", "auxiliary", 0, "power_point"), "gas.flow", "does not fit electricity"),
        (("potlines",), 5, "cannot be calculated"),
        (("statement", "anode"), {"gross": "469"}, "gross_kg_per_t"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused_with_a_sentence(
    config: Config, path: tuple[str | int, ...], value: object, said: str
) -> None:
    table: Any = config
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(CalcError, match=said):
        PlantCalc(config)


def test_an_unknown_rule_set_is_told_apart(config: Config) -> None:
    """A verifier cannot decide on a rule set it lacks; a broken configuration it can refuse."""
    config["plant"]["rule_set"] = "cets-ag-04.01-v02-2027"
    with pytest.raises(UnknownRuleSetError):
        PlantCalc(config)


@pytest.mark.parametrize(
    ("qualifier", "value"), [("reference", "20C-101.325kPa"), ("moisture", "wet")]
)
def test_gas_at_another_state_is_refused(config: Config, qualifier: str, value: str) -> None:
    """0 °C and 20 °C differ by 7.3 %: a volume at the wrong state is never used."""
    for fields in config["points"]:
        if fields["id"] in {"gas.volume", "gas.flow"}:
            fields["quantity"] = {**fields["quantity"], qualifier: value}
    with pytest.raises(PlantError, match="natural-gas needs"):
        PlantCalc(config)


def test_pot_voltages_on_a_slow_schedule_are_refused(config: Config) -> None:
    config["groups"][0]["schedule"] = 1
    with pytest.raises(PlantError, match="schedule 0"):
        PlantCalc(config)


def test_pot_voltages_of_different_decimals_are_refused(config: Config) -> None:
    config["points"][1] = {**config["points"][1], "decimals": 2}
    with pytest.raises(PlantError, match="same decimals"):
        PlantCalc(config)


def test_pot_states_must_say_which_value_is_producing(config: Config) -> None:
    for fields in config["points"]:
        if fields["id"].endswith(".state"):
            fields["states"] = [[1, "on"], [0, "off"]]
    with pytest.raises(PlantError, match="producing"):
        PlantCalc(config)
