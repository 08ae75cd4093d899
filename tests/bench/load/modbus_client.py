"""Batched Modbus TCP reads as fast as one core makes them; run as a program.

    python -m tests.bench.load.modbus_client ours|bare CPU_S PORT...

One connection a port, all at once, so that no answer is waited for. "ours" is the driver: every
answer checked and decoded into samples. "bare" is pymodbus alone: its registers, not decoded.
Prints one JSON object: reads, and the CPU seconds they took.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import Awaitable, Callable

from pymodbus.client import AsyncModbusTcpClient

from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from tests.bench.load.modbus_plant import POINTS
from tests.unit.edge.drivers.specs import register, spec

FLOATS = 62  # 124 registers: one read takes at most 125
BETWEEN_LOOKS = 20  # reads between two looks at the clock

Read = Callable[[], Awaitable[object]]


async def _ours(number: int, port: int) -> Read:
    rows = [register(f"r{i}", Dtype.F32, address=2 * i) for i in range(FLOATS)]
    driver = ModbusDriver(spec(f"modbus+tcp://127.0.0.1:{port}?unit=1", *rows, timeout_s=10.0))
    await driver.connect()
    samples = await driver.read()
    assert {sample.quality for sample in samples} == {Quality.GOOD}
    whole = [int(struct.unpack("<f", sample.raw or b"")[0]) for sample in samples]
    assert whole == [POINTS * number + i for i in range(FLOATS)]
    return driver.read


async def _bare(number: int, port: int) -> Read:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=10)
    assert await client.connect()

    async def read() -> list[int]:
        answer = await client.read_holding_registers(0, count=2 * FLOATS, device_id=1)
        return answer.registers

    first, second = (await read())[:2]
    assert int(struct.unpack(">f", struct.pack(">2H", first, second))[0]) == POINTS * number
    return read


async def _measure(opener: Callable[[int, int], Awaitable[Read]], cpu_s: float) -> None:
    reads = [await opener(number, int(port)) for number, port in enumerate(sys.argv[3:])]
    count = 0
    began_s = time.process_time()

    async def go_on(read: Read) -> None:
        nonlocal count
        while time.process_time() - began_s < cpu_s:
            for _ in range(BETWEEN_LOOKS):
                await read()
            count += BETWEEN_LOOKS

    await asyncio.gather(*map(go_on, reads))
    print(json.dumps({"count": count, "cpu_s": time.process_time() - began_s}))


if __name__ == "__main__":
    asyncio.run(_measure({"ours": _ours, "bare": _bare}[sys.argv[1]], float(sys.argv[2])))
