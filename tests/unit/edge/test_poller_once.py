"""A source that delivers once, as the agent sees it: no answer lost, none given for two ticks."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from edge.drivers.base import (
    EVENTS_PER_READ,
    DeliversOnce,
    DeviceError,
    DeviceSpec,
    Progress,
    Sample,
    TellsEvents,
)
from edge.drivers.folder.driver import FolderDriver
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.table.driver import TableDriver
from edge.poller import Poller
from edge.unkept import EVENTS_KEPT, Polled
from evidence.quality import Quality
from tests.unit.edge.fake_source import FakeSource, FakeSourceDriver
from tests.unit.edge.fakes import Devices, FakeDriver, HandClock
from tests.unit.edge.test_poller import two_points


class Rig:
    """A poller of a source, and what its commits have kept."""

    def __init__(self, rows: int = 5) -> None:
        self.source, self.clock = FakeSource(rows), HandClock()
        self.kept: list[int] = []
        self.events: list[int] = []
        self.position: bytes | None = None
        self.marks: dict[bytes, bytes] = {}

    async def start(self) -> Poller:
        poller = Poller(two_points(), self.clock, opener=self.source.opener)
        poller.resume(self.position, self.marks)
        await poller.connect_first(1)
        return poller

    def commit(self, poller: Poller, polled: Polled) -> None:
        """As the agent does when the disk has taken the tick."""
        number = number_of(polled)
        if number is not None:
            self.kept.append(number)
        if polled.progress is None:
            return
        self.events += [event["number"] for event in polled.progress.events]
        self.position = polled.progress.position or self.position
        self.marks |= polled.progress.marks
        poller.committed()


def number_of(polled: Polled) -> int | None:
    raws = {sample.raw for sample in polled.samples}
    assert len(raws) == 1
    (raw,) = raws
    return None if raw is None else int.from_bytes(raw, "little")


def test_which_drivers_deliver_once() -> None:
    for driver in (TableDriver, FolderDriver, FakeSourceDriver):
        assert isinstance(object.__new__(driver), DeliversOnce)
        assert isinstance(object.__new__(driver), TellsEvents)
    assert not isinstance(object.__new__(ModbusDriver), DeliversOnce)


async def test_rows_go_on_when_committed_and_then_nothing_is_sampled() -> None:
    rig = Rig(3)
    poller = await rig.start()
    for _ in range(5):
        rig.commit(poller, await poller.poll(1))
    assert rig.kept == rig.events == [1, 2, 3]
    assert rig.position == b"3"
    assert rig.marks == {b"\0\0\0\2": b"even"}
    polled = await poller.poll(1)
    assert {s.quality for s in polled.samples} == {Quality.NOT_SAMPLED}
    await poller.close()


async def test_a_given_again_answer_is_complete_now() -> None:
    rig = Rig()
    poller = await rig.start()
    await poller.poll(1)
    rig.clock.now_ns = 77
    assert (await poller.poll(1)).monotonic_ns == 77
    await poller.close()


async def test_a_late_answer_is_kept_for_the_next_tick() -> None:
    """A meter's late answer belongs to no tick; a row that was read exists once."""
    rig = Rig()
    rig.source.read_s = 0.08
    poller = await rig.start()
    polled = await poller.poll(0.02)
    assert {s.quality for s in polled.samples} == {Quality.NO_ANSWER}
    rig.commit(poller, polled)
    await asyncio.sleep(0.1)
    rig.commit(poller, await poller.poll(0.02))
    assert rig.kept == rig.source.given == [1]
    await poller.close()


async def test_an_answer_that_comes_while_its_tick_is_committed_is_not_lost() -> None:
    rig = Rig()
    rig.source.read_s = 0.05
    poller = await rig.start()
    polled = await poller.poll(0.01)
    await asyncio.sleep(0.08)  # the disk is slow; meanwhile the answer comes
    rig.commit(poller, polled)
    poller.committed()
    rig.commit(poller, await poller.poll(0.01))
    assert rig.kept == [1]
    await poller.close()


async def test_an_answer_before_a_loss_is_still_given() -> None:
    rig = Rig()
    poller = await rig.start()
    await poller.poll(1)
    await poller._link.lose(DeviceError("it went"))
    assert not poller.connected
    rig.commit(poller, await poller.poll(1))
    assert rig.kept == [1]
    await poller.close()


async def test_after_a_defect_the_new_driver_begins_at_what_was_committed() -> None:
    rig = Rig()
    poller = await rig.start()
    rig.commit(poller, await poller.poll(1))
    rig.commit(poller, await poller.poll(1))
    rig.source.defect = ZeroDivisionError()
    assert number_of(await poller.poll(1)) is None
    for _ in range(3):
        rig.clock.forward(60)
        rig.commit(poller, await poller.poll(1))
        await asyncio.sleep(0)
    assert rig.source.opened == [(None, 0), (b"2", 1)]
    assert rig.kept == rig.source.given == [1, 2, 3, 4][: len(rig.kept)]
    assert len(rig.kept) >= 3
    await poller.close()


# -- events of drivers that are none of these ------------------------------------------------------


class Telling(FakeDriver):
    """A meter's driver that has something to tell with each read."""

    told = 0

    def take_events(self) -> Sequence[Mapping[str, Any]]:
        type(self).told += 1
        return [{"kind": "meter-setting", "device": "dev", "number": self.told}]


async def test_a_meters_events_wait_for_a_commit_and_its_readings_do_not() -> None:
    Telling.told, devices = 0, Devices()
    poller = Poller(two_points(), HandClock(), opener=lambda s: Telling(s, devices[s.id]))
    await poller.connect_first(1)
    await poller.poll(1)
    devices["dev"].value = 7
    polled = await poller.poll(1)
    assert {s.raw for s in polled.samples} == {b"\x07\x00"}, "an old reading"
    assert polled.progress is not None
    assert polled.progress.position is None
    assert [e["number"] for e in polled.progress.events] == [1, 2]
    poller.committed()
    again = await poller.poll(1)
    assert again.progress is not None
    assert [e["number"] for e in again.progress.events] == [3]
    for _ in range(EVENTS_KEPT + 10):
        await poller.poll(1)
    many = await poller.poll(1)
    assert many.progress is not None
    assert len(many.progress.events) == EVENTS_PER_READ
    assert len(poller._unkept._events) == EVENTS_KEPT
    await poller.close()


async def test_more_than_a_tick_carries_is_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    class Greedy(FakeSourceDriver):
        def position(self) -> bytes | None:
            return bytes(4097)

    source = FakeSource(1)
    poller = Poller(two_points(), HandClock(), opener=lambda s: Greedy(s, source))
    await poller.connect_first(1)
    polled = await poller.poll(1)
    assert {s.quality for s in polled.samples} == {Quality.NO_ANSWER}
    assert "defect in its driver" in caplog.text
    await poller.close()


@pytest.mark.parametrize(
    "fields",
    [
        {"position": bytes(4097)},
        {"marks": {bytes(33): b""}},
        {"marks": {bytes(32): bytes(513)}},
        {"events": ({},) * 17},
    ],
)
def test_bounds_of_what_is_committed_with_a_read(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="more than a tick carries"):
        Progress(**fields)


def test_a_meters_spec_has_neither_position_nor_marks() -> None:
    spec: DeviceSpec = two_points()
    assert spec.position is None
    assert spec.marks == {}
    assert Sample(None, Quality.NOT_SAMPLED).source_ns is None
