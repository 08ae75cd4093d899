"""Devices take turns on one wire: what each costs the others, and when the wire is open."""

import asyncio
import itertools

import pytest

from edge.drivers.shared_bus import Bus, NotAskedError


class FakeWire:
    """A wire that opens when told to, and counts."""

    def __init__(self) -> None:
        self.is_open, self.accepts, self.opened, self.closed = False, True, 0, 0

    async def open(self, timeout_s: float) -> str:
        self.opened += 1
        if not self.accepts:
            await asyncio.sleep(timeout_s)
            if not self.accepts:
                return "nobody accepts"
        self.is_open = True
        return ""

    def close(self) -> None:
        self.is_open = False
        self.closed += 1


def bus_of(*members: object, gap_s: float = 0.0) -> tuple[Bus[FakeWire], FakeWire]:
    wire = FakeWire()
    bus = Bus(wire)
    for member in members:
        bus.join(member, gap_s)
    return bus, wire


async def test_all_devices_of_an_absent_endpoint_cost_one_timeout() -> None:
    bus, wire = bus_of(1, 2, 3)
    wire.accepts = False
    assert await asyncio.gather(*(bus.open(0.01) for _ in range(3))) == ["nobody accepts"] * 3
    assert (wire.opened, bus.connection) == (1, 1)
    asked = [bus.in_turn(member, 0.01, answers) for member in (1, 2, 3)]
    for error in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(error, NotAskedError)
        assert str(error) == "nobody accepts"
    assert wire.opened == 2


async def answers() -> str:
    return "answer"


async def test_questions_are_asked_one_at_a_time_in_the_order_they_came() -> None:
    bus, wire = bus_of(1, 2, 3)
    said: list[tuple[int, str]] = []

    async def ask(member: int) -> None:
        said.append((member, "asked"))
        await asyncio.sleep(0)
        said.append((member, "answered"))

    await asyncio.gather(*(bus.in_turn(m, 1.0, lambda m=m: ask(m)) for m in (1, 2, 3)))
    assert said == [(m, word) for m in (1, 2, 3) for word in ("asked", "answered")]
    assert wire.opened == 1


async def test_who_leaves_while_it_waits_is_not_asked_and_the_last_closes() -> None:
    bus, wire = bus_of(1, 2)
    gate = asyncio.Event()
    first = asyncio.create_task(bus.in_turn(1, 1.0, gate.wait))
    second = asyncio.create_task(bus.in_turn(2, 1.0, answers))
    await asyncio.sleep(0)
    bus.leave(2)
    assert wire.closed == 0, "the first one's question is under way"
    gate.set()
    assert await first
    with pytest.raises(NotAskedError, match="the connection was lost"):
        await second
    bus.leave(1)
    assert not wire.is_open


async def test_who_leaves_while_the_wire_is_opened_for_it_is_not_asked() -> None:
    bus, wire = bus_of(1, 2)
    wire.accepts = False  # so that it takes a moment
    asked = []

    async def ask() -> None:
        asked.append(1)

    question = asyncio.create_task(bus.in_turn(1, 0.01, ask))
    await asyncio.sleep(0)
    bus.leave(1)
    wire.accepts = True
    with pytest.raises(NotAskedError, match="the connection was lost"):
        await question
    assert asked == []


async def test_the_largest_gap_of_its_devices_lies_between_questions() -> None:
    bus, _ = bus_of(1, gap_s=0.05)
    bus.join(2, 0.01)
    loop = asyncio.get_running_loop()
    times = []

    async def ask() -> None:
        times.append(loop.time())

    for member in (1, 2, 1):
        await bus.in_turn(member, 1.0, ask)
    assert all(b - a >= 0.05 for a, b in itertools.pairwise(times))
