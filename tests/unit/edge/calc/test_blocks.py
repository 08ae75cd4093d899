"""Blocks are plain arrays and slice as such."""

import numpy as np

from edge.calc.blocks import Block, GroupBlock


def block() -> Block:
    ticks = np.arange(5, dtype=np.int64) * 10
    raw = np.arange(10, dtype=np.float32).reshape(2, 5)
    quality = np.zeros((2, 5), dtype=np.uint8)
    quality[1, 3] = 128
    return Block(1, ticks, (GroupBlock(7, raw, quality),))


def test_between_takes_the_same_columns_of_everything() -> None:
    part = block().between(2, 4)
    assert part.schedule == 1
    assert part.ticks_ns.tolist() == [20, 30]
    (group,) = part.groups
    assert group.group == 7
    assert group.raw.tolist() == [[2, 3], [7, 8]]
    assert group.quality.tolist() == [[0, 0], [0, 128]]


def test_between_of_nothing_is_empty() -> None:
    part = block().between(3, 3)
    assert part.ticks_ns.size == 0
    assert part.groups[0].raw.shape == (2, 0)


def test_between_does_not_copy() -> None:
    whole = block()
    assert np.shares_memory(whole.between(1, 4).groups[0].raw, whole.groups[0].raw)
