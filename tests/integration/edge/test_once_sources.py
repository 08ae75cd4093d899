"""Nothing twice, nothing lost: an agent of a source that delivers once, cut at every boundary.

The rows that frames in the spool hold are what counts: in the end each stands there once, in order,
whatever process died where, and so does the event that was signed with it.
"""

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.agent import Agent
from edge.drivers.base import Progress
from edge.errors import SpoolError
from edge.pipeline import Layout, Tick
from edge.recorder import EVENTS_DUE, Recorder
from edge.spool import Spool
from edge.spool_reader import position_key
from evidence import cose
from evidence.frame import TYP_FRAME, decode_body, header_of
from evidence.quality import Quality
from tests.integration.edge.conftest import Plant
from tests.unit.edge.fake_source import FakeSource
from tests.unit.edge.sites import config_of
from tests.waiting import ENOUGH_S

LAST = 12


class Killed(BaseException):
    """The process is gone."""


class Sourced(Plant):
    """The site with its gas meter replaced by a source of LAST rows."""

    source: FakeSource

    def agent(self) -> Agent:
        made = super().agent()
        devices = self.devices

        def opener(spec: Any) -> Any:
            return self.source.opener(spec) if spec.id == "gas-1" else devices.opener(spec)

        for poller in made._pollers:
            poller._link._opener = opener
        return made

    async def run_until_over(self, seconds: float = ENOUGH_S) -> None:
        """Run until every row was given and committed, and stop cleanly."""
        async with self.running() as agent:
            async with asyncio.timeout(seconds):
                while agent._pollers[1].spec.position != str(LAST).encode():  # noqa: ASYNC110 - it sets no event
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.15)

    def told(self) -> list[int]:
        """The rows that events in the frames tell of, in order."""
        found: list[int] = []
        for body in bodies(self.kept()):
            found += [e["number"] for e in body.events if e["kind"] == "row"]
        return found

    def rows(self) -> list[int]:
        """The row numbers that stand in the readings of the source's serial, in order."""
        group, row = Layout(config_of(self.site)).place["gas-1.serial"]
        found: list[int] = []
        for body in bodies(self.kept()):
            for section in body.sections:
                held = next(g for g in section.groups if g.group == group)
                found += held.raw[row][held.quality[row] == Quality.GOOD].tolist()
        return found

    def assert_each_once(self) -> None:
        assert self.rows() == self.told() == list(range(1, LAST + 1))


def bodies(objects: Sequence[bytes]) -> list[Any]:
    envelopes = [cose.parse(data) for data in objects]
    return [decode_body(e.payload) for e in envelopes if header_of(e).typ == TYP_FRAME]


@pytest.fixture
def sourced(tmp_path: Path, plant: Plant) -> Sourced:
    made = Sourced(tmp_path)
    made.devices = plant.devices
    made.source = FakeSource(LAST)
    return made


async def kill_at(plant: Sourced, monkeypatch: pytest.MonkeyPatch, where: str, nth: int) -> None:
    """Run an agent that dies at the nth commit, before or after it."""
    count = 0
    real = Spool.commit_ticks

    def dying(
        self: Spool, ticks: Sequence[bytes], state: Mapping[str, bytes] | None = None
    ) -> None:
        nonlocal count
        if state is not None and position_key("gas-1") in state:
            count += 1
        if count == nth and where == "before":
            raise Killed
        real(self, ticks, state)
        if count == nth and where == "after":
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "commit_ticks", dying)
        with contextlib.suppress(Killed):
            async with asyncio.timeout(3):
                async with plant.running():
                    await asyncio.sleep(2.5)


@pytest.mark.parametrize("where", ["before", "after"])
async def test_killed_around_every_commit(
    sourced: Sourced, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    for nth in (1, 1, 2, 3):
        await kill_at(sourced, monkeypatch, where, nth)
    await sourced.run_until_over()
    sourced.assert_each_once()
    if where == "before":
        assert len(sourced.source.given) == LAST + 4, "what was not committed is read again"
    else:
        assert sourced.source.given == list(range(1, LAST + 1))


async def test_a_disk_that_refuses_delays_and_loses_nothing(
    sourced: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Spool.commit_ticks
    count = 0

    def refusing(self: Spool, ticks: Any, state: Any = None) -> None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise SpoolError("no space left on device")
        real(self, ticks, state)

    monkeypatch.setattr(Spool, "commit_ticks", refusing)
    await sourced.run_until_over(6)
    sourced.assert_each_once()
    assert sourced.source.given == list(range(1, LAST + 1))


async def test_a_disk_that_refuses_and_has_it_all_the_same(
    sourced: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync failed after the bytes were there: what counts is what the spool then holds."""
    real = Spool.commit_ticks
    count = 0

    def lying(self: Spool, ticks: Any, state: Any = None) -> None:
        nonlocal count
        count += 1
        real(self, ticks, state)
        if count % 3 == 0:
            raise SpoolError("disk I/O error")

    monkeypatch.setattr(Spool, "commit_ticks", lying)
    await sourced.run_until_over(6)
    sourced.assert_each_once()


async def test_every_copy_of_the_spool_goes_on_where_it_stands(
    sourced: Sourced, tmp_path: Path
) -> None:
    """A power cut at any moment: the spool's files as they are then, and the source as it is."""
    copies: list[Path] = []
    async with sourced.running():
        for number in range(12):
            await asyncio.sleep(0.07)
            folder = tmp_path / f"copy-{number}"
            folder.mkdir()
            for file in sourced.spool_path.parent.glob("spool.sqlite*"):
                shutil.copy(file, folder)
            copies.append(folder)
    for folder in copies:
        sourced.state_dir = folder
        sourced.source = FakeSource(LAST)
        state = f'state_dir = "{folder}"\n'
        text = sourced.text
        sourced.text = text.replace("[uplink]", f"{state}[uplink]")
        with contextlib.suppress(sqlite3.Error):
            await sourced.run_until_over(4)
            sourced.assert_each_once()
        sourced.text = text


async def test_a_full_spool_takes_no_row(sourced: Sourced, monkeypatch: pytest.MonkeyPatch) -> None:
    filled = True
    monkeypatch.setattr(Spool, "fill", lambda _: 1.0 if filled else 0.1)
    async with sourced.running() as agent:
        await asyncio.sleep(0.5)
        assert agent._pollers[1].spec.position is None
        assert sourced.source.given == [1], "one is read, and kept until there is room"
        filled = False
        async with asyncio.timeout(ENOUGH_S):
            while agent._pollers[1].spec.position != str(LAST).encode():  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.15)
    sourced.assert_each_once()


async def test_positions_and_marks_are_each_devices_own(sourced: Sourced) -> None:
    await sourced.run_until_over()

    def look(spool: Spool) -> tuple[Any, ...]:
        return (
            spool.get(position_key("gas-1")), spool.get(position_key("ac-1")),
            spool.marks("gas-1"), spool.marks("gas"), spool.marks("ac-1"),
        )  # fmt: skip

    position, none, marks, other, another = sourced.in_spool(look)
    assert position == str(LAST).encode()
    assert none is None
    assert marks == {n.to_bytes(4, "big"): b"even" for n in range(2, LAST + 1, 2)}
    assert other == another == {}


async def test_a_frame_with_many_events_is_closed_and_none_is_cut(sourced: Sourced) -> None:
    """Sixty devices of sixteen events each, at every instant."""
    events: list[int] = []
    async with sourced.running() as agent:
        recorder: Recorder = agent._recorder
        real = recorder.commit

        async def loud(
            ticks: Sequence[Tick], tick_ns: int, progress: Mapping[str, Progress] | None = None
        ) -> Sequence[Tick]:
            more = {
                f"d-{n}": Progress(
                    events=tuple(
                        {"kind": "loud", "number": len(events) + 16 * n + i} for i in range(16)
                    )
                )
                for n in range(20)
            }
            made = await real(ticks, tick_ns, {**(progress or {}), **more})
            events.extend(range(len(events), len(events) + 320))
            return made

        recorder.commit = loud  # type: ignore[method-assign] # for this test
        await asyncio.sleep(0.6)
    told = [
        e["number"] for body in bodies(sourced.kept()) for e in body.events if e["kind"] == "loud"
    ]
    assert told == events
    assert len(events) > EVENTS_DUE
