"""Pots outside production: in no rate, and listed with their time by state."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.folds.month import MonthFold

S = 10**9
NOON = 1_781_496_000 * S
Config = dict[str, Any]
MakeBlock = Callable[..., Block]


def line_of(
    config: Config, make_block: MakeBlock, states: list[int], volts: list[float],
    *, bad: dict[str, list[int]] | None = None, ticks: list[int] | None = None,
) -> Config:  # fmt: skip
    """The potline of a month in which pot 01 is as told and the others produce quietly."""
    n = len(states)
    values = {f"pg.pot-{k}.voltage": [4.2] * n for k in ("02", "03")}
    values |= {f"pg.pot-{k}.state": [1] * n for k in ("02", "03")}
    values |= {"pg.pot-01.voltage": volts, "pg.pot-01.state": states, "pg.line_current": [460] * n}
    fold = MonthFold()
    fold.configure(config)
    at = [NOON + tick * S for tick in ticks or range(n)]
    fold.feed([make_block(config, 0, at, values, bad)])
    (line,) = fold.result(NOON, NOON + 3600 * S, "interim")["potlines"]
    return dict(line)


@pytest.mark.parametrize(
    ("raw", "name"),
    [(0, "unknown"), (2, "baking"), (3, "start-up"), (4, "abnormal"), (5, "bridged"),
     (6, "stopped"), (7, "unnamed")],
)  # fmt: skip
def test_a_state_that_is_not_producing_counts_in_no_rate_and_is_listed(
    config: Config, make_block: MakeBlock, raw: int, name: str
) -> None:
    """20 s at 12 V in that state, then 10 s producing: no effect, 9 s of three pots' time."""
    found = line_of(config, make_block, [raw] * 20 + [1] * 10, [12.0] * 20 + [4.2] * 10)
    assert found["outside"] == [{"pot": "01", "state": name, "time_s": "20"}]
    assert found["effect_count"] == 0
    assert found["producing_pot_s"] == str(9 + 2 * 29)
    assert found["pots"][0] == {"id": "01", "effects": 0, "polarised_s": "0", "producing_s": "9"}


def test_nothing_is_listed_of_a_potline_that_produces(
    config: Config, make_block: MakeBlock
) -> None:
    assert "outside" not in line_of(config, make_block, [1] * 5, [4.2] * 5)


def test_states_are_listed_in_the_configurations_order(
    config: Config, make_block: MakeBlock
) -> None:
    states = [6, 6, 9, 2, 2, 2, 6, 1, 1]
    found = line_of(config, make_block, states, [4.2] * 9)["outside"]
    assert [(e["state"], e["time_s"]) for e in found] == [
        ("baking", "3"), ("stopped", "3"), ("unnamed", "1"),
    ]  # fmt: skip


def test_a_stopped_pot_without_a_voltage_is_listed_all_the_same(
    config: Config, make_block: MakeBlock
) -> None:
    bad = {"pg.pot-01.voltage": [133] * 6}
    found = line_of(config, make_block, [6] * 6, [0.0] * 6, bad=bad)
    assert found["outside"] == [{"pot": "01", "state": "stopped", "time_s": "5"}]


def test_silences_longer_than_the_merge_time_count_for_no_state(
    config: Config, make_block: MakeBlock
) -> None:
    """10 s apart still counts, 11 s does not; a bad state is passed over."""
    bad = {"pg.pot-01.state": [0, 0, 133, 0, 0]}
    found = line_of(config, make_block, [3] * 5, [8.0] * 5, bad=bad, ticks=[0, 1, 5, 11, 22])
    assert found["outside"] == [{"pot": "01", "state": "start-up", "time_s": "11"}]


def test_pots_that_share_a_state_are_listed_one_by_one(
    config: Config, make_block: MakeBlock
) -> None:
    for pot in config["potlines"][0]["pots"]:
        pot["state"] = "pg.pot-01.state"
    found = line_of(config, make_block, [5] * 4, [0.0] * 4)["outside"]
    assert [(e["pot"], e["time_s"]) for e in found] == [("01", "3"), ("02", "3"), ("03", "3")]


def test_pots_keep_their_time_when_the_potline_changes(
    config: Config, make_block: MakeBlock
) -> None:
    fold = MonthFold()
    for number, start in enumerate(("2", "3")):
        config["potlines"][0]["anode_effect"] |= {"t_start_s": start}
        fold.configure(copy.deepcopy(config))
        at = [NOON + (10 * number + k) * S for k in range(5)]
        states = {f"pg.pot-{k}.state": [6] * 5 for k in ("01", "02", "03")}
        fold.feed([make_block(config, 0, at, states)])
    lines = fold.result(NOON, NOON + 3600 * S, "interim")["potlines"]
    assert [entry["time_s"] for line in lines for entry in line["outside"]] == ["4"] * 6
