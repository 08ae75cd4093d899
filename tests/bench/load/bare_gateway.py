"""The floor under the agent: bare pymodbus and paho, nothing decoded twice, signed or kept.

    python -m tests.bench.load.bare_gateway BROKER_PORT PORT...

Every second it reads each device in two questions, makes its hundred floats of them and publishes
one JSON message a device, QoS 1. Runs until it is ended.
"""

import asyncio
import json
import struct
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

from tests.bench.load.modbus_plant import POINTS, REGISTERS

READ_MAX = 124  # registers of whole floats


async def _device(number: int, port: int, broker: paho.Client) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()
    while True:
        await asyncio.sleep(1 - time.time() % 1)
        words: list[int] = []
        for first in range(0, REGISTERS, READ_MAX):
            count = min(READ_MAX, REGISTERS - first)
            answer = await client.read_holding_registers(first, count=count, device_id=1)
            words += answer.registers
        values = struct.unpack(f">{POINTS}f", struct.pack(f">{REGISTERS}H", *words))
        message = json.dumps({"at": time.time(), "values": values})
        broker.publish(f"bench/device-{number}", message, qos=1)


async def _run(broker_port: int, ports: list[int]) -> None:
    broker = paho.Client(CallbackAPIVersion.VERSION2)
    broker.connect("127.0.0.1", broker_port)
    broker.loop_start()
    await asyncio.gather(*(_device(n, port, broker) for n, port in enumerate(ports)))


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
