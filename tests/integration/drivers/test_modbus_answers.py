"""What the driver makes of answers: true ones, wrong ones, refusals. The device is raw asyncio."""

import struct
from typing import Any

import pytest

from edge.drivers.base import DeviceSpec, Sample
from edge.drivers.modbus.driver import REASK_EVERY, ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers.modbus_responder import (
    Pdu,
    Pieces,
    Question,
    Responder,
    Silence,
    Twist,
)
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec

TIMEOUT_S = 0.25


def words(first: int, count: int, **of: Any) -> list[Register]:
    return [register(f"w{i}", Dtype.U16, address=first + i, **of) for i in range(count)]


def of(device: Responder, *rows: Register, **of_profile: Any) -> DeviceSpec:
    return spec(device.url, *rows, timeout_s=TIMEOUT_S, **of_profile)


async def read_once(made: DeviceSpec) -> list[Sample]:
    async with opened(ModbusDriver(made)) as driver:
        return list(await driver.read())


def qualities(samples: list[Sample]) -> list[Quality]:
    return [s.quality for s in samples]


async def test_all_four_tables_each_with_its_own_function_code() -> None:
    rows = [
        register("coil", Dtype.U8, table="coil", address=3),
        register("discrete", Dtype.U8, table="discrete", address=9),
        register("holding", Dtype.U16, table="holding", address=0x0BB8),
        register("input", Dtype.U32, table="input", address=0x1000),
    ]
    async with Responder(words={0x1000: 1, 0x1001: 0x86A0}, bits={3}) as device:
        samples = await read_once(of(device, *rows))
        assert [s.raw for s in samples] == [b"\x01", b"\x00", b"\xb8\x0b", b"\xa0\x86\x01\x00"]
        assert qualities(samples) == [Quality.GOOD] * 4
        assert {(q.code, q.address, q.count) for q in device.questions} == {
            (1, 3, 1), (2, 9, 1), (3, 0x0BB8, 1), (4, 0x1000, 2),
        }  # fmt: skip


async def test_the_unit_of_the_url_is_asked() -> None:
    async with Responder() as device:
        made = spec(f"modbus+tcp://127.0.0.1:{device.port}?unit=17", *words(0, 1))
        await read_once(made)
        assert [q.unit for q in device.questions] == [17]


async def test_the_wire_carries_the_plan_and_nothing_else() -> None:
    rows = [*words(0, 3), *words(100, 2)]
    async with Responder() as device:
        samples = await read_once(of(device, *rows))
        assert device.spans == [(0, 3), (100, 2)]
        assert [s.raw for s in samples] == [struct.pack("<H", a) for a in (0, 1, 2, 100, 101)]


@pytest.mark.parametrize(
    "pdu",
    [
        bytes([3, 2]) + b"\x00\x07",  # one register instead of two
        bytes([3, 6]) + b"\x00\x07\x00\x08\x00\x09",  # three
        bytes([3, 0]),  # none at all
        bytes([3, 5]) + b"\x00\x07\x00\x08\x00",  # two and a half
        bytes([3, 4]) + b"\x00\x07\x00\x08\x00",  # two, with a byte too many behind
        bytes([4, 4]) + b"\x00\x07\x00\x08",  # two, but of the input table
        bytes([0x84, 2]),  # a refusal of another function
    ],
)
async def test_an_answer_that_does_not_fit_the_question_is_not_believed(pdu: bytes) -> None:
    rows = [*words(0, 2), *words(100, 1)]

    def twist(question: Question) -> Twist:
        return Pdu(pdu) if question.address == 0 else None

    async with Responder(twist=twist) as device:
        samples = await read_once(of(device, *rows))
    assert qualities(samples) == [Quality.WRONG_ANSWER, Quality.WRONG_ANSWER, Quality.GOOD]
    assert [s.raw for s in samples] == [None, None, b"\x64\x00"]


async def test_bits_are_counted_too() -> None:
    rows = [register(f"c{i}", Dtype.U8, table="coil", address=i) for i in range(9)]

    def twist(question: Question) -> Twist:
        return Pdu(bytes([1, 1, 0xFF]))  # eight bits for nine coils

    async with Responder(twist=twist) as device:
        samples = await read_once(of(device, *rows))
    assert qualities(samples) == [Quality.WRONG_ANSWER] * 9


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (1, Quality.DEVICE_REFUSED),
        (3, Quality.DEVICE_REFUSED),
        (4, Quality.DEVICE_REFUSED),
        (6, Quality.DEVICE_REFUSED),
        (10, Quality.NOT_CONNECTED),
        (11, Quality.NO_ANSWER),
        (99, Quality.DEVICE_REFUSED),
    ],
)
async def test_an_exception_costs_its_block_and_no_other(code: int, quality: Quality) -> None:
    rows = [*words(0, 2), *words(100, 1)]

    def twist(question: Question) -> Twist:
        return Pdu(bytes([0x83, code])) if question.address == 0 else None

    async with Responder(twist=twist) as device:
        samples = await read_once(of(device, *rows))
        assert device.spans == [(0, 2), (100, 1)]  # no bisecting, no retry
    assert qualities(samples) == [quality, quality, Quality.GOOD]


async def test_one_refused_register_costs_one_point_and_is_found_once() -> None:
    rows = words(0, 40)
    async with Responder(illegal={23}) as device:
        async with opened(ModbusDriver(of(device, *rows))) as driver:
            first = await driver.read()
            asked = len(device.questions)
            second = await driver.read()
        assert asked <= 1 + 2 * 6  # the whole, then two halves at each of log2(40) levels
        assert device.spans[asked:] == [(0, 23), (24, 16)]
    for samples in (first, second):
        bad = [i for i, s in enumerate(samples) if s.quality is not Quality.GOOD]
        assert bad == [23]
        assert samples[23] == Sample(None, Quality.DEVICE_REFUSED)
        assert samples[22].raw == b"\x16\x00"
        assert samples[24].raw == b"\x18\x00"


async def test_several_refused_registers_are_all_found() -> None:
    illegal = {0, 7, 8, 31}
    async with Responder(illegal=illegal) as device:
        async with opened(ModbusDriver(of(device, *words(0, 32)))) as driver:
            await driver.read()
            before = len(device.questions)
            samples = await driver.read()
        assert device.spans[before:] == [(1, 6), (9, 22)]
    assert {i for i, s in enumerate(samples) if not s.quality.usable} == illegal


async def test_a_refused_long_value_is_not_split() -> None:
    rows = [register(f"d{i}", Dtype.F64, address=4 * i) for i in range(4)]
    async with Responder(illegal={6}) as device:  # inside the second value
        samples = await read_once(of(device, *rows))
        assert all(address % 4 == 0 and count % 4 == 0 for address, count in device.spans)
    assert [s.quality.usable for s in samples] == [True, False, True, True]


async def test_a_refused_hole_costs_no_point_and_is_not_bridged_again() -> None:
    rows = [*words(0, 2), *words(6, 2)]
    async with Responder(illegal={4}) as device:
        async with opened(ModbusDriver(of(device, *rows))) as driver:
            first = await driver.read()
            second = await driver.read()
        assert device.spans == [(0, 8), (0, 2), (6, 2), (0, 2), (6, 2)]
    assert all(s.quality is Quality.GOOD for s in [*first, *second])


async def test_two_points_on_one_refused_register_are_both_refused() -> None:
    rows = [
        register("a", Dtype.U16, address=5),
        register("b", Dtype.U16, address=5),
        register("c", Dtype.U16, address=6),
    ]
    async with Responder(illegal={5}) as device:
        samples = await read_once(of(device, *rows))
    assert [s.quality.usable for s in samples] == [False, False, True]


async def test_a_register_that_was_only_not_ready_comes_back() -> None:
    async with (
        Responder(illegal={1, 3}) as device,
        opened(ModbusDriver(of(device, *words(0, 4)))) as driver,
    ):
        await driver.read()
        device.illegal.clear()
        samples = await driver.read()
        assert [s.quality.usable for s in samples] == [True, False, True, False]
        for _ in range(REASK_EVERY):
            samples = await driver.read()
        assert all(s.quality is Quality.GOOD for s in samples)
        device.questions.clear()
        await driver.read()
        assert device.spans == [(0, 4)]  # and the map is read in one piece again


async def test_a_register_that_stays_refused_is_asked_rarely_and_never_lost() -> None:
    async with (
        Responder(illegal={1}) as device,
        opened(ModbusDriver(of(device, *words(0, 3)))) as driver,
    ):
        await driver.read()
        device.questions.clear()
        for _ in range(3 * REASK_EVERY):
            samples = await driver.read()
            assert [s.quality.usable for s in samples] == [True, False, True]
        assert device.spans.count((1, 1)) == 3
        device.twist = lambda q: Pdu(bytes([0x83, 6])) if q.address == 1 else None
        for _ in range(REASK_EVERY):  # busy just when it is asked again
            await driver.read()
        device.twist, device.illegal = (lambda _: None), set()
        for _ in range(REASK_EVERY):
            samples = await driver.read()
        assert all(s.quality is Quality.GOOD for s in samples)


async def test_a_refused_register_that_falls_silent_when_asked_again_costs_no_other() -> None:
    wide = register("wide", Dtype.U32, address=2)  # of another length than the one that is lost
    async with (
        Responder(illegal={1}) as device,
        opened(ModbusDriver(of(device, *words(0, 2), wide))) as driver,
    ):
        await driver.read()
        device.twist = lambda q: Silence() if q.address == 1 else None
        for _ in range(REASK_EVERY + 1):
            samples = await driver.read()
            assert [s.quality.usable for s in samples] == [True, False, True]
        assert device.connections == 2  # after the silence the next read connected anew


async def test_a_device_that_refuses_everything_still_answers_with_a_sample_a_point() -> None:
    async with (
        Responder(illegal=set(range(200))) as device,
        opened(ModbusDriver(of(device, *words(0, 20)))) as driver,
    ):
        for _ in range(2):
            samples = await driver.read()
            assert qualities(list(samples)) == [Quality.DEVICE_REFUSED] * 20


@pytest.mark.parametrize(
    ("word_order", "byte_order", "held"),
    [
        ("big", "big", (0x47F1, 0x2000)),
        ("little", "big", (0x2000, 0x47F1)),
        ("big", "little", (0xF147, 0x0020)),
        ("little", "little", (0x0020, 0xF147)),
    ],
)
async def test_the_profiles_orders_reach_the_decoder(
    word_order: str, byte_order: str, held: tuple[int, int]
) -> None:
    row = register("flow", Dtype.F32, address=0)
    async with Responder(words=dict(enumerate(held))) as device:
        made = of(device, row, word_order=word_order, byte_order=byte_order)
        (sample,) = await read_once(made)
    assert sample.raw == struct.pack("<f", 123456.0)


async def test_the_profiles_limits_reach_the_planner() -> None:
    async with Responder() as device:
        await read_once(of(device, *words(0, 10), *words(12, 1), max_registers_per_read=4))
        assert device.spans == [(0, 4), (4, 4), (8, 2), (12, 1)]
        device.questions.clear()
        await read_once(of(device, *words(0, 1), *words(4, 1), hole_limit=2))
        assert device.spans == [(0, 1), (4, 1)]


async def test_an_answer_in_two_pieces_is_one_answer() -> None:
    def twist(question: Question) -> Twist:
        head = struct.pack(">HHHB", question.transaction, 0, 5, question.unit)
        return Pieces((head[:3], head[3:] + bytes([3]), bytes([2, 0x12, 0x34])))

    async with Responder(twist=twist) as device:
        (sample,) = await read_once(of(device, *words(0, 1)))
    assert sample.raw == b"\x34\x12"


async def test_no_points_ask_nothing() -> None:
    async with Responder() as device:
        assert await read_once(of(device)) == []
        assert device.questions == []
