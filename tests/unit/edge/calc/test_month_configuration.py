"""Configurations the month fold refuses, and its order of calls."""

from collections.abc import Callable
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.errors import PlantError, UnknownRuleSetError
from edge.calc.month import MonthFold

S = 10**9
NOON = 1_781_496_000 * S
Config = dict[str, Any]
MakeBlock = Callable[..., Block]


def test_feeding_before_configuring_is_refused(config: Config, make_block: MakeBlock) -> None:
    with pytest.raises(PlantError, match="configure first"):
        MonthFold().feed([make_block(config, 0, [NOON], {})])
    with pytest.raises(PlantError, match="configure first"):
        MonthFold().result(NOON, NOON, "interim")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("statement", "metal", "point"), "pg.line_current", "must count kg or t"),
        (("statement", "metal", "point"), "pg.nothing", r"pg\.nothing"),
        (("potlines", 0, "pots", 0, "voltage"), "pg.nothing", r"pg\.nothing"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    config: Config, path: tuple[str | int, ...], value: object, said: str
) -> None:
    table: Any = config
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(PlantError, match=said):
        MonthFold().configure(config)


def test_an_unknown_rule_set_cannot_be_decided(config: Config) -> None:
    config["plant"]["rule_set"] = "cets-ag-04.01-v02-2027"
    with pytest.raises(UnknownRuleSetError):
        MonthFold().configure(config)
