"""The desk of a running agent: how long a file is on trial, and a disk that refuses meanwhile."""

import asyncio
from collections.abc import Container
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.errors import SpoolError
from edge.remote.desk import OrderDesk
from edge.remote.folder import OrderFolder
from edge.remote.start import start_of
from edge.remote.state import Answer, State
from tests.unit.edge.remote.ordered import site_folder, stage
from tests.waiting import until


class Answering:
    """An agent whose device answers, but at some of the times that it is looked at."""

    is_heard = True

    def __init__(self, silent: Container[int] = ()) -> None:
        self.told: list[bytes] = []
        self._silent, self._looks = silent, 0

    @property
    def answering(self) -> frozenset[str]:
        self._looks += 1
        return frozenset(() if self._looks in self._silent else ["ac-1"])

    def tell(self, state: bytes) -> None:
        self.told.append(state)


class Hurrying(SystemClock):
    """A clock that goes on by half a minute whenever it is looked at."""

    def __init__(self) -> None:
        self._now_ns = 0

    def monotonic_ns(self) -> int:
        self._now_ns += 30 * 10**9
        return self._now_ns


@pytest.mark.parametrize(
    ("silent", "outcome"),
    [
        ((), "in force"),
        ((2, 3), "in force"),  # for a moment
        (range(2, 99), "rolled back"),  # it answered at first
        (range(1, 99), "rolled back"),
    ],
)
async def test_what_was_healthy_must_be_so_when_the_trial_is_over(
    silent: Container[int], outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.remote.desk.LOOK_S", 0)
    path = site_folder(tmp_path)
    stage(path)
    start = start_of(path)
    assert start.folder is not None
    desk, agent = OrderDesk(start, start.folder, Hurrying()), Answering(silent)
    serving = asyncio.create_task(desk.serve(agent))
    try:
        await until(lambda: outcome.encode() in b"".join(agent.told))
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    state = start_of(path).state
    assert state.last is not None
    assert (state.trial, state.last.outcome) == (None, outcome)


async def test_a_disk_that_refuses_for_a_while_does_not_take_what_is_healthy_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site_folder(tmp_path)
    stage(path)
    start, refusals, keep = start_of(path), [3], OrderFolder.keep
    assert start.state.trial is not None
    assert start.folder is not None

    def full(folder: OrderFolder, state: State) -> State:
        refusals[0] -= 1
        if refusals[0] >= 0:
            raise SpoolError("state.json: cannot be written: No space left on device")
        return keep(folder, state)

    monkeypatch.setattr(OrderFolder, "keep", full)
    monkeypatch.setattr("edge.remote.desk.AGAIN_S", 0.01)
    agent = Answering()
    serving = asyncio.create_task(OrderDesk(start, start.folder, Hurrying()).serve(agent))
    try:
        await until(lambda: serving.done() or b"in force" in b"".join(agent.told))
        assert refusals[0] < 0
        assert not serving.done(), "orders are taken on"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    after = start_of(path).state
    assert (after.in_force, after.last) == (start.state.in_force, Answer(1, "in force"))
