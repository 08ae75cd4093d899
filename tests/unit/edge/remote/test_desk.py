"""The desk of a running agent: how long a file is on trial, and a disk that refuses meanwhile."""

import asyncio
import json
from collections.abc import Container
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.errors import SpoolError
from edge.remote.desk import OrderDesk
from edge.remote.folder import OrderFolder
from edge.remote.start import start_of
from edge.remote.state import FORKED, Answer, State, healthy
from evidence.site_order import SiteOrder, encode_site_order
from tests.unit.edge.remote.ordered import ROOT, site_folder, stage
from tests.unit.edge.sites import GATEWAY, PLANT
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


POTS = """[[device]]
id = "effects"
url = "sqlite+ro:///var/effects.db"
profile = "stackproof/pot-effects"
provenance = "via-database"
each = "1-2"
"""


def signed(number: int, site: str) -> bytes:
    return encode_site_order(SiteOrder(PLANT, GATEWAY, number, site.encode(), "a test"), ROOT)


async def test_an_order_that_would_pass_rows_over_and_another_of_the_same_number(
    tmp_path: Path,
) -> None:
    path = site_folder(tmp_path)
    hand = path.read_text() + POTS
    path.write_text(hand)
    stage(path, 1, hand + "# good\n")
    trial = start_of(path)
    trial.keep(healthy(trial.state))
    start, agent = start_of(path), Answering()
    assert start.folder is not None
    desk = OrderDesk(start, start.folder, Hurrying())
    serving = asyncio.create_task(desk.serve(agent))
    try:
        desk.take(signed(1, hand + "# better\n"))
        await until(lambda: FORKED.encode() in b"".join(agent.told))
        assert json.loads(agent.told[-1])["order"]["outcome"] == "in force"
        desk.take(signed(2, hand.replace("/var/effects.db", "/var/wrong.db")))
        await until(lambda: b"refused" in b"".join(agent.told))
        assert "effects: rows are delivered once" in json.loads(agent.told[-1])["order"]["reason"]
        assert not serving.done(), "it reads on"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert start_of(path).state.in_force == start.state.in_force
