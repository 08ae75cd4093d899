"""The DL/T 645 driver against answers nobody should send: late, another's, split, wrong, none."""

import asyncio
import gc
import logging
import struct
import time
from collections.abc import Callable

import pytest

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.dlt645 import bus
from edge.drivers.dlt645.driver import Dlt645Driver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Identifier, Register
from tests.integration.drivers.dlt645_responder import METER, Meter, Twist, answer, frame
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec

ENERGY, VOLTAGE, POWER = 0x00010000, 0x02010100, 0x02030000
ITEMS = {
    ENERGY: bytes.fromhex("78563412"),  # 123456.78 kWh
    VOLTAGE: bytes.fromhex("0823"),  # 230.8 V
    POWER: bytes.fromhex("563492"),  # -12.3456 kW
}
PATIENT_S = 5.0  # where an answer comes: a busy machine takes longer than a quiet one
TIMEOUT_S = 0.2  # where none does


def row(name: str, di: int, format_: str, dtype: Dtype) -> Register:
    identifier = Identifier(di, format_)
    return register(name, dtype, table=None, address=None, identifier=identifier,
                    decimals=identifier.decimals)  # fmt: skip


ROWS = (
    row("energy", ENERGY, "XXXXXX.XX", Dtype.U32),
    row("voltage", VOLTAGE, "XXX.X", Dtype.U16),
    row("power", POWER, "XX.XXXX", Dtype.I32),
)
GOOD = [
    Sample(struct.pack("<I", 12_345_678), Quality.GOOD),
    Sample(struct.pack("<H", 2308), Quality.GOOD),
    Sample(struct.pack("<i", -123_456), Quality.GOOD),
]
SILENT = Sample(None, Quality.NO_ANSWER)


def device(meter: Meter, *rows: Register, timeout_s: float = PATIENT_S) -> DeviceSpec:
    return spec(meter.url, *(rows or ROWS), timeout_s=timeout_s)


def twisted(di: int, *pieces: tuple[float, bytes], times: int = 1) -> Callable[[int, int], Twist]:
    """Only the first so many questions for this data item are answered otherwise."""
    left = [times]

    def twist(_: int, asked: int) -> Twist:
        if asked != di or not left[0]:
            return None
        left[0] -= 1
        return list(pieces)

    return twist


async def test_only_reading_frames_are_heard() -> None:
    async with Meter(dict(ITEMS)) as meter:
        async with opened(Dlt645Driver(device(meter))) as driver:
            assert await driver.read() == GOOD
        assert meter.questions == [(0x11, ENERGY), (0x11, VOLTAGE), (0x11, POWER)]
        # to the meter's own address, with four wake-ups, and nothing beside
        one = bytes.fromhex("FEFEFEFE 68 129078563412 68 11 04 33333433 68 16")
        assert bytes(meter.heard[:20]) == one
        assert len(meter.heard) == 60


async def test_two_points_of_one_data_item_are_one_question() -> None:
    async with Meter(dict(ITEMS)) as meter:
        again = row("again", ENERGY, "XXXXXX.XX", Dtype.U32)
        async with opened(Dlt645Driver(device(meter, ROWS[0], again))) as driver:
            assert await driver.read() == [GOOD[0], GOOD[0]]
            assert len(meter.questions) == 1


@pytest.mark.parametrize("size", [1, 2, 5, 13])
async def test_an_answer_in_pieces_with_wake_ups(size: int) -> None:
    whole = b"\xfe" * 4 + answer(ENERGY, ITEMS[ENERGY])
    pieces = [(0.002, whole[at : at + size]) for at in range(0, len(whole), size)]
    async with (
        Meter(dict(ITEMS), twist=twisted(ENERGY, *pieces)) as meter,
        opened(Dlt645Driver(device(meter))) as driver,
    ):
        assert await driver.read() == GOOD


async def test_a_refusal_costs_its_point_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        Meter({ENERGY: ITEMS[ENERGY], POWER: ITEMS[POWER]}) as meter,
        opened(Dlt645Driver(device(meter))) as driver,
    ):
        with caplog.at_level(logging.INFO):
            for _ in range(3):
                refused = Sample(None, Quality.DEVICE_REFUSED)
                assert await driver.read() == [GOOD[0], refused, GOOD[2]]
            meter.items[VOLTAGE] = ITEMS[VOLTAGE]
            assert await driver.read() == GOOD
        told = [r.getMessage() for r in caplog.records]
        assert told == [
            "device dev: DI 02010100: the meter refuses: no such data (0x02)",
            "device dev: DI 02010100: is fine again",
        ]


async def test_an_answer_without_form_is_a_wrong_answer() -> None:
    async with (
        Meter(dict(ITEMS), twist=twisted(ENERGY, (0.0, frame(0xD1, b"")))) as meter,
        opened(Dlt645Driver(device(meter))) as driver,
    ):
        assert await driver.read() == [Sample(None, Quality.WRONG_ANSWER), *GOOD[1:]]


async def test_follow_up_frames_are_put_together() -> None:
    def twist(control: int, di: int) -> Twist:
        head = di.to_bytes(4, "little")
        if control == 0x11:
            return [(0.0, frame(0xB1, head + bytes.fromhex("78")))]
        number = len([c for c, _ in meter.questions if c == 0x12])
        part = {1: bytes.fromhex("56"), 2: bytes.fromhex("3412")}[number]
        control = 0xB2 if number == 1 else 0x92
        return [(0.0, frame(control, head + part + bytes([number])))]

    async with (
        Meter(twist=twist) as meter,
        opened(Dlt645Driver(device(meter, ROWS[0]))) as driver,
    ):
        assert await driver.read() == GOOD[:1]
        assert [c for c, _ in meter.questions] == [0x11, 0x12, 0x12]


async def test_follow_up_frames_without_end_are_given_up() -> None:
    def twist(control: int, di: int) -> Twist:
        head, number = di.to_bytes(4, "little"), len(meter.questions) - 1
        tail = bytes([number]) if control == 0x12 else b""
        return [(0.0, frame(0xA0 | control, head + b"\x00" + tail))]

    async with (
        Meter(twist=twist) as meter,
        opened(Dlt645Driver(device(meter, ROWS[0]))) as driver,
    ):
        assert await driver.read() == [Sample(None, Quality.WRONG_ANSWER)]
        assert len(meter.questions) == 16


async def test_a_silent_item_costs_itself_and_is_asked_last() -> None:
    async with (
        Meter(dict(ITEMS), twist=twisted(VOLTAGE, times=2)) as meter,
        opened(Dlt645Driver(device(meter, timeout_s=TIMEOUT_S))) as driver,
    ):
        assert await driver.read() == [GOOD[0], SILENT, SILENT]
        assert await driver.read() == [GOOD[0], SILENT, GOOD[2]]
        assert await driver.read() == GOOD
        assert [di for _, di in meter.questions[-3:]] == [ENERGY, POWER, VOLTAGE]
        assert meter.connections == 1


async def test_a_late_answer_is_not_taken_for_another_items() -> None:
    late = twisted(ENERGY, (TIMEOUT_S * 1.5, answer(ENERGY, ITEMS[ENERGY])))
    async with Meter(dict(ITEMS), twist=late) as meter:
        voltage = row("energy-like", 0x00020000, "XXXXXX.XX", Dtype.U32)
        meter.items[0x00020000] = bytes(4)
        async with opened(
            Dlt645Driver(device(meter, voltage, ROWS[0], timeout_s=TIMEOUT_S))
        ) as driver:
            zero = Sample(bytes(4), Quality.GOOD)
            assert await driver.read() == [zero, SILENT]
            for _ in range(3):
                assert await driver.read() == [zero, GOOD[0]]


async def test_what_comes_in_the_quiet_time_is_thrown_away() -> None:
    stale = answer(ENERGY, bytes(4))
    late = twisted(ENERGY, (TIMEOUT_S * 1.5, stale))
    async with (
        Meter(dict(ITEMS), twist=late) as meter,
        opened(Dlt645Driver(device(meter, ROWS[1], ROWS[0], timeout_s=TIMEOUT_S))) as driver,
    ):  # the voltage keeps the line open
        assert await driver.read() == [GOOD[1], SILENT]
        driver._items.reverse()  # the same item is asked first
        assert await driver.read() == [GOOD[1], GOOD[0]]


async def test_the_doubt_outlives_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "LATE_TIMEOUTS", 1000)  # it does not lapse meanwhile
    meter = Meter(dict(ITEMS), twist=twisted(ENERGY))
    async with meter, opened(Dlt645Driver(device(meter, ROWS[0], timeout_s=TIMEOUT_S))) as driver:
        with pytest.raises(DeviceError):
            await driver.read()
        gc.collect()
        await driver.connect()
        meter.items.clear()  # it refuses now: maybe the answer to the lost question
        with pytest.raises(DeviceError, match="no answer to DI"):
            await driver.read()
        await driver.connect()
        meter.items = dict(ITEMS)
        assert await driver.read() == GOOD[:1]  # a value ends the doubt
        meter.items.clear()
        assert await driver.read() == [Sample(None, Quality.DEVICE_REFUSED)]


async def test_a_late_refusal_is_not_taken_for_another_items() -> None:
    # an error names no data item; it comes after the quiet time, in the middle of the next question
    late = twisted(ENERGY, (TIMEOUT_S * 2.3, frame(0xD1, b"\x02")))

    def twist(control: int, di: int) -> Twist:
        found = late(control, di)
        if found is None and di == VOLTAGE and len(meter.questions) > 2:
            return [(TIMEOUT_S * 0.7, answer(VOLTAGE, ITEMS[VOLTAGE]))]
        return found

    async with (
        Meter(dict(ITEMS), twist=twist) as meter,
        opened(Dlt645Driver(device(meter, ROWS[1], ROWS[0], timeout_s=TIMEOUT_S))) as driver,
    ):
        assert await driver.read() == [GOOD[1], SILENT]
        assert await driver.read() == [GOOD[1], GOOD[0]]


async def test_after_silence_the_line_is_quiet_for_one_timeout() -> None:
    async with (
        Meter(dict(ITEMS), twist=twisted(ENERGY)) as meter,
        opened(Dlt645Driver(device(meter, ROWS[0], timeout_s=TIMEOUT_S))) as driver,
    ):
        with pytest.raises(DeviceError, match="no answer to DI 00010000"):
            await driver.read()
        given_up = time.monotonic()
        await driver.connect()
        assert await driver.read() == GOOD[:1]
        assert time.monotonic() - given_up > TIMEOUT_S * 0.9


async def test_a_link_that_is_cut_while_asking() -> None:
    async with Meter(dict(ITEMS), twist=lambda *_: []) as meter:
        driver = Dlt645Driver(device(meter))
        await driver.connect()
        reading = asyncio.create_task(driver.read())
        await asyncio.sleep(0.05)
        began = time.monotonic()
        meter.hang_up()
        with pytest.raises(DeviceError, match="the line was closed"):
            await reading
        assert time.monotonic() - began < PATIENT_S / 2  # not the whole timeout


async def test_fifty_cut_links() -> None:
    async with Meter(dict(ITEMS)) as meter:
        driver = Dlt645Driver(device(meter))
        for _ in range(50):
            await driver.connect()
            assert await driver.read() == GOOD
            meter.hang_up()
            for _ in range(500):
                if driver._bus is not None and not driver._bus.is_open:
                    break
                await asyncio.sleep(0.002)  # until this side has learnt it
            assert await driver.read() == GOOD  # it opens the line again by itself
        await driver.close()
        assert await meter.settled() == 0


async def test_two_meters_on_one_line_take_turns() -> None:
    other_address = bytes.fromhex("139078563412")

    async with Meter(dict(ITEMS)) as meter:
        one = Dlt645Driver(device(meter, timeout_s=TIMEOUT_S))
        other_url = meter.url.replace(METER, "123456789013")
        other = Dlt645Driver(spec(other_url, ROWS[0], timeout_s=TIMEOUT_S))
        await asyncio.gather(one.connect(), other.connect())
        assert meter.connections == 1
        # the stand-in answers as the first meter, whoever is asked: the second never hears its own
        results = await asyncio.gather(one.read(), other.read(), return_exceptions=True)
        assert results[0] == GOOD
        assert isinstance(results[1], DeviceError)
        meter.twist = lambda _, di: [
            (0.0, answer(di, ITEMS[di])), (0.0, answer(di, bytes(4), other_address)),
        ]  # fmt: skip
        await other.connect()
        for _ in range(5):
            ours, theirs = await asyncio.gather(one.read(), other.read())
            assert (ours, theirs) == (GOOD, [Sample(bytes(4), Quality.GOOD)])
        assert meter.connections == 1
        await one.close()
        assert await other.read() == [Sample(bytes(4), Quality.GOOD)]
        await other.close()
        assert await meter.settled() == 0
