"""Modbus TCP devices of a hundred 32-bit floats, each on a port of its own; run as a program.

    python -m tests.bench.load.modbus_plant DEVICES

Prints its ports as a JSON list and answers until it is ended. A value says whose it is and of which
second: point p of device d holds 100 d + p and, behind the point, ten bits of noise that change
every second. So a reading in the store can be held against what was served.
"""

import asyncio
import json
import struct
import sys
import time

import numpy as np
import numpy.typing as npt

POINTS = 100
REGISTERS = 2 * POINTS
_STEPS = 1024  # of the noise: with 100 × 100 points every value is exact in a float32
_QUESTION, _HEAD = struct.Struct(">HHHBBHH"), struct.Struct(">HHHBBB")


def served(devices: int, second: int) -> npt.NDArray[np.float32]:
    """[devices × points] what they hold in a second since 1970."""
    noise = np.random.default_rng(second).integers(0, _STEPS, devices * POINTS)
    return (np.arange(devices * POINTS) + noise / _STEPS).astype(np.float32)


class _Device(asyncio.Protocol):
    """One connection; answers whole questions of function 3, as both clients here send them."""

    def __init__(self, held: list[bytes], number: int) -> None:
        self._held, self._number = held, number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        number, _, _, unit, code, address, count = _QUESTION.unpack(data)
        assert code == 3
        part = self._held[self._number][2 * address : 2 * (address + count)]
        head = _HEAD.pack(number, 0, 3 + len(part), unit, code, len(part))
        self._transport.write(head + part)


async def _serve(devices: int) -> None:
    held = [b""] * devices
    loop = asyncio.get_running_loop()

    def turn() -> None:
        now_s = time.time()
        rows = served(devices, int(now_s)).reshape(devices, POINTS).astype(">f4")
        held[:] = [row.tobytes() for row in rows]
        loop.call_later(int(now_s) + 1 - now_s, turn)

    turn()
    ports = []
    for number in range(devices):
        server = await loop.create_server(lambda n=number: _Device(held, n), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
