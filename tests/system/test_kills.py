"""SIGKILL of edge, broker and collector at random moments: nothing missing, nothing twice.

Real processes over real protocols. What must hold afterwards: the archive verifies (signatures,
chain, log, computed points equal to their recomputation), every tick stands once, and each stretch
without a tick is a signed gap no longer than the process was away.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorded_wires import relayed
from tests.system.playing import archive_frames
from tests.system.rig import Rig, running

SECOND_NS = 10**9
#: a tick is polled for at most 0.9 s after its instant, and ticks are 1 s apart
LAST_TICK_NS = 3 * SECOND_NS
#: start of the interpreter, keys, spool, first connections, then the next whole second
START_NS = 12 * SECOND_NS


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with relayed() as recorded, running(tmp_path, recorded) as rig:
        yield rig


def _play(rig: Rig, chance: random.Random, kills: list[str]) -> list[tuple[int, int]]:
    """Kill and start again; (gone, back) instants of every time the edge was away."""
    away = []
    for name in kills:
        time.sleep(chance.uniform(2, 5))
        gone_ns = time.time_ns()
        rig.kill(name)
        time.sleep(chance.uniform(0, 1.5))
        if name != "broker":
            rig.start(name)
        if name == "edge":
            away.append((gone_ns, time.time_ns()))
    rig.wait("a collector", lambda: rig.receipted() >= 1, 60)
    return away


def _check(rig: Rig, away: list[tuple[int, int]]) -> None:
    rig.wait_for_frames(2)
    archive = rig.sealed_month()
    gaps = [body.gap for _, body in archive_frames(archive) if body.gap is not None]
    assert len(gaps) <= len(away)
    for gap in gaps:
        assert gap.reason == "restart"
        assert any(
            gone - LAST_TICK_NS <= gap.from_ns <= gone and gap.to_ns <= back + START_NS
            for gone, back in _as_one(away)
        ), (gap, away)


def _as_one(away: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Also the spans in which the edge was killed again before it could have read anything."""
    spans = list(away)
    for i, (gone, back) in enumerate(away):
        for again, back_again in away[i + 1 :]:
            if again > back + START_NS:
                break
            back = back_again
            spans.append((gone, back))
    return spans


def test_each_part_killed(rig: Rig) -> None:
    chance = random.Random(20261125)
    kills = ["edge", "broker", "cloud"] * 2
    chance.shuffle(kills)
    _check(rig, _play(rig, chance, kills))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(8))
def test_many_kills(rig: Rig, seed: int) -> None:
    chance = random.Random(seed)
    kills = [chance.choice(["edge", "broker", "cloud"]) for _ in range(25)]
    _check(rig, _play(rig, chance, kills))
