"""Decoding of blocks and the holding of slower schedules."""

from collections.abc import Callable
from typing import Any

import cbor2
import numpy as np
import pytest

from edge.calc.blocks import Block
from edge.calc.errors import PlantError
from edge.calc.inputs import Inputs
from evidence.quality import Quality

S = 10**9
NOON = 1_781_496_000 * S
MakeBlock = Callable[..., Block]
Config = dict[str, Any]


def at(*seconds: int) -> list[int]:
    return [NOON + s * S for s in seconds]


def test_counts_are_fixed_point_of_the_points_decimals(
    config: Config, make_block: MakeBlock
) -> None:
    inputs = Inputs(config, ["pg.line_current", "pg.pot-02.voltage", "pg.pot-02.state"])
    values = {"pg.line_current": [460.1234], "pg.pot-02.voltage": [4.2], "pg.pot-02.state": [1]}
    read = inputs.align(inputs.decode([make_block(config, 0, at(0), values)]))
    assert {i: read.counts[row].tolist() for i, row in inputs.row.items()} == {
        "pg.line_current": [460_123], "pg.pot-02.voltage": [4200], "pg.pot-02.state": [1],
    }  # fmt: skip
    assert read.ok.all()


def test_a_block_that_was_read_by_one_reads_the_same_for_others(
    config: Config, make_block: MakeBlock
) -> None:
    values = {"pg.line_current": [460], "pg.pot-01.voltage": [4.1], "pg.pot-02.voltage": [4.2]}
    block = make_block(config, 0, at(0), values, bad={"pg.pot-01.voltage": [Quality.NO_ANSWER]})
    expected = {
        "pg.line_current": (460_000, True), "pg.pot-01.voltage": (0, False),
        "pg.pot-02.voltage": (4200, True),
    }  # fmt: skip
    for asked in (list(values), list(values)[1:], list(values), list(values)[2:]):
        inputs = Inputs(config, asked)
        read = inputs.align(inputs.decode([block]))
        found = {i: (int(read.counts[r, 0]), bool(read.ok[r, 0])) for i, r in inputs.row.items()}
        assert found == {point_id: expected[point_id] for point_id in asked}


def test_rows_come_in_the_order_they_are_read_in_and_once(config: Config) -> None:
    inputs = Inputs(config, ["gas.flow", "pg.line_current", "gas.flow"])
    assert inputs.row == {"pg.line_current": 0, "gas.flow": 1}
    assert inputs.schedule_of("gas.flow") == 1
    assert inputs.interval_ns(1) == 10 * S


@pytest.mark.parametrize(
    "quality", [Quality.NO_ANSWER, Quality.SENTINEL, Quality.NOT_SAMPLED, Quality.OUT_OF_RANGE]
)
def test_a_bad_reading_is_no_value(config: Config, make_block: MakeBlock, quality: Quality) -> None:
    inputs = Inputs(config, ["pg.line_current"])
    block = make_block(
        config, 0, at(0, 1), {"pg.line_current": [460, 461]},
        bad={"pg.line_current": [0, int(quality)]},
    )  # fmt: skip
    read = inputs.align(inputs.decode([block]))
    assert read.ok.tolist() == [[True, False]]
    assert read.counts.tolist() == [[460_000, 0]]


def test_a_reserved_reading_is_a_value(config: Config, make_block: MakeBlock) -> None:
    inputs = Inputs(config, ["pg.line_current"])
    block = make_block(
        config, 0, at(0), {"pg.line_current": [460]},
        bad={"pg.line_current": [int(Quality.UNCERTAIN)]},
    )  # fmt: skip
    assert inputs.align(inputs.decode([block])).ok.all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_what_is_not_a_number_is_no_value_even_if_called_good(
    config: Config, make_block: MakeBlock, value: float
) -> None:
    inputs = Inputs(config, ["pg.line_current"])
    block = make_block(config, 0, at(0), {"pg.line_current": [value]})
    assert not inputs.align(inputs.decode([block])).ok.any()


def test_a_group_left_out_is_missing(config: Config, make_block: MakeBlock) -> None:
    inputs = Inputs(config, ["pg.line_current", "pg.pot-01.voltage"])
    block = make_block(config, 0, at(0), {"pg.line_current": [460], "pg.pot-01.voltage": [4.2]})
    part = Block(0, block.ticks_ns, block.groups[:1])
    ok = inputs.align(inputs.decode([part])).ok
    assert ok[inputs.row["pg.line_current"]].tolist() == [False]
    assert ok[inputs.row["pg.pot-01.voltage"]].tolist() == [True]


def test_a_slow_reading_holds_for_two_of_its_intervals(
    config: Config, make_block: MakeBlock
) -> None:
    inputs = Inputs(config, ["gas.flow"])
    slow = make_block(config, 1, at(0), {"gas.flow": [100.0]})
    fast = make_block(config, 0, at(*range(0, 25, 5)), {})
    read = inputs.align(inputs.decode([fast, slow]))
    assert read.ok.tolist() == [[True] * 5]  # 0 to 20 s
    read = inputs.align(inputs.decode([make_block(config, 0, at(21), {})]))
    assert read.ok.tolist() == [[False]]


def test_a_slow_reading_is_not_used_before_its_tick(config: Config, make_block: MakeBlock) -> None:
    inputs = Inputs(config, ["gas.flow"])
    slow = make_block(config, 1, at(10), {"gas.flow": [100.0]})
    fast = make_block(config, 0, at(9, 10, 11), {})
    assert inputs.align(inputs.decode([fast, slow])).ok.tolist() == [[False, True, True]]


def test_a_bad_slow_reading_is_not_replaced_by_the_one_before(
    config: Config, make_block: MakeBlock
) -> None:
    inputs = Inputs(config, ["gas.flow"])
    slow = make_block(
        config, 1, at(0, 10), {"gas.flow": [100.0, 0]},
        bad={"gas.flow": [0, int(Quality.NO_ANSWER)]},
    )  # fmt: skip
    fast = make_block(config, 0, at(9, 10), {})
    assert inputs.align(inputs.decode([fast, slow])).ok.tolist() == [[True, False]]


def test_held_readings_survive_a_snapshot(config: Config, make_block: MakeBlock) -> None:
    inputs = Inputs(config, ["gas.flow", "gas.volume"])
    inputs.align(
        inputs.decode([make_block(config, 1, at(0), {"gas.flow": [7.5], "gas.volume": [9]})])
    )
    other = Inputs(config, ["gas.flow", "gas.volume"])
    other.restore(cbor2.loads(cbor2.dumps(inputs.snapshot())))
    read = other.align(other.decode([make_block(config, 0, at(5), {})]))
    assert read.counts[other.row["gas.flow"]].tolist() == [75]
    assert read.counts[other.row["gas.volume"]].tolist() == [9]
    other.reset()
    assert not other.align(other.decode([make_block(config, 0, at(6), {})])).ok.any()


def test_time_going_backwards_does_not_use_the_future(
    config: Config, make_block: MakeBlock
) -> None:
    inputs = Inputs(config, ["gas.flow"])
    inputs.align(inputs.decode([make_block(config, 1, at(100), {"gas.flow": [1.0]})]))
    fast = make_block(config, 0, at(50, 60), {})
    slow = make_block(config, 1, at(60), {"gas.flow": [2.0]})
    read = inputs.align(inputs.decode([fast, slow]))
    assert read.ok.tolist() == [[False, True]]
    assert read.counts.tolist() == [[0, 20]]


def test_blocks_of_one_schedule_must_be_one(config: Config, make_block: MakeBlock) -> None:
    inputs = Inputs(config, ["pg.line_current"])
    block = make_block(config, 0, at(0), {})
    with pytest.raises(ValueError, match="two blocks of schedule 0"):
        inputs.decode([block, block])


@pytest.mark.parametrize("seconds", [(1, 1), (2, 1)])
def test_ticks_must_increase(
    config: Config, make_block: MakeBlock, seconds: tuple[int, int]
) -> None:
    inputs = Inputs(config, ["pg.line_current"])
    with pytest.raises(ValueError, match="do not increase"):
        inputs.decode([make_block(config, 0, at(*seconds), {})])


def test_a_point_that_is_not_there_is_named(config: Config) -> None:
    with pytest.raises(PlantError, match=r"pg\.pot-99\.voltage"):
        Inputs(config, ["pg.pot-99.voltage"])


def test_a_point_in_no_group_is_named(config: Config) -> None:
    config["groups"] = config["groups"][:3]
    with pytest.raises(PlantError, match=r"never read: gas\.flow"):
        Inputs(config, ["pg.line_current", "gas.flow"])


def test_computed_groups_are_not_read(config: Config, make_block: MakeBlock) -> None:
    config["groups"][0]["computed"] = True
    with pytest.raises(PlantError, match="never read"):
        Inputs(config, ["pg.pot-01.voltage"])


def test_points_of_different_scaling_in_one_group_each_get_their_own(
    config: Config, make_block: MakeBlock
) -> None:
    index = next(i for i, p in enumerate(config["points"]) if p["id"] == "pg.pot-02.voltage")
    config["points"][index] = {**config["points"][index], "decimals": 1}
    ids = ["pg.pot-01.voltage", "pg.pot-02.voltage", "pg.pot-03.voltage"]
    inputs = Inputs(config, ids)
    block = make_block(config, 0, at(0), {key: [4.25] for key in ids})
    read = inputs.align(inputs.decode([block]))
    assert read.counts[:, 0].tolist() == [4250, 43, 4250]  # 42.5 rounds away from zero
    assert np.asarray(read.ok).all()
