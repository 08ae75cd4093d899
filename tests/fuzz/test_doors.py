"""Every parser that takes bytes from outside answers with a value or with an error of ours.

Normally some dozens of hostile inputs a parser, chosen by hypothesis; with `--long`, as many as fit
into `LONG_S` seconds each, from numbered seeds: a failure names its number, and
`example(door, seeds, Random(f"{door.name} {number}"))` makes the input again.
"""

import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import (
    doors_archive,
    doors_cloud,
    doors_commissioning,
    doors_edge,
    doors_evidence,
    doors_outputs,
    doors_sources,
)
from tests.fuzz.doors import Door, example, knock

DOORS = [
    *doors_evidence.DOORS, *doors_archive.DOORS, *doors_cloud.DOORS, *doors_edge.DOORS,
    *doors_sources.DOORS, *doors_commissioning.DOORS, *doors_outputs.DOORS,
]  # fmt: skip
EXAMPLES = 60
LONG_S = 20.0

each_door = pytest.mark.parametrize("door", DOORS, ids=[door.name for door in DOORS])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@each_door
def test_valid_bytes_are_taken(door: Door, folder: Path) -> None:
    """Otherwise the inputs below would all die at the first check."""
    seeds, call = door.seeds(folder), door.open(folder)
    assert seeds
    assert all(knock(door, call, seed) for seed in seeds)


@each_door
def test_hostile_bytes_draw_only_our_errors(door: Door, folder: Path) -> None:
    seeds, call = door.seeds(folder), door.open(folder)

    @settings(
        max_examples=max(10, EXAMPLES // door.weight), deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.randoms(use_true_random=False))
    def knocks(choose: Random) -> None:
        knock(door, call, example(door, seeds, choose))

    knocks()


@pytest.mark.long
@pytest.mark.timeout(300)
@each_door
def test_hostile_bytes_draw_only_our_errors_for_long(door: Door, folder: Path) -> None:
    seeds, call = door.seeds(folder), door.open(folder)
    ends, number, taken = time.monotonic() + LONG_S, 0, 0
    while time.monotonic() < ends:
        data = example(door, seeds, Random(f"{door.name} {number}"))
        try:
            taken += knock(door, call, data)
        except Exception as error:
            raise AssertionError(f"{door.name}, number {number}: {data[:80].hex()}…") from error
        number += 1
    assert 0 <= taken <= number
    assert (taken < number) is bool(door.errors)  # what has no errors takes everything
