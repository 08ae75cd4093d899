"""Modbus TCP devices whose every answer says of which device, register and second it is.

    python -m tests.system.counting DEVICES    serves until SIGTERM; one JSON line with the ports

Register `r` of device `d` holds, as a float32, (second modulo `WRAP_S`) * 1000 + d * 100 + r: a
whole number below 2**24, so exact. A reading in the wrong place or of another time cannot pass for
the right one. On SIGTERM the process prints "polled", for each device the seconds in which all its
registers were answered, and "codes", every function code that was asked.
"""

import asyncio
import json
import signal
import struct
import sys
import time
from collections import defaultdict
from pathlib import Path

DEVICES, REGISTERS = 10, 100
WRAP_S = 16_000  # * 1000 stays below 2**24


def value(second: int, device: int, register: int) -> int:
    """What a register holds during a second (UTC seconds since 1970)."""
    return second % WRAP_S * 1000 + device * 100 + register


def write_profile(folder: Path) -> str:
    """The devices' map as a file in the folder; its name."""
    rows = "".join(
        f'[[register]]\nname = "r{n:02}"\ntable = "holding"\naddress = {2 * n}\ntype = "f32"\n'
        'point_decimals = 0\nunit = "V"\nkind = "voltage"\nsource = "made for a test"\n'
        for n in range(REGISTERS)
    )
    head = """\
format = 1
vendor = "test"
model = "counting"
revision = "1"
title = "Registers that tell device, register and second"
protocol = "modbus"
quality_level = "simulated"
source = "made for a test"
address_notation = "0-based"
word_order = "big"
"""
    (folder / "counting.toml").write_text(head + rows, encoding="utf-8")
    return "counting.toml"


class Device:
    """One device on a port of its own."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.codes: set[int] = set()
        self._read: defaultdict[int, set[int]] = defaultdict(set)  # second -> cells answered

    async def start(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def polled(self) -> list[int]:
        """Seconds in which every register was answered."""
        return [second for second, cells in self._read.items() if len(cells) == 2 * REGISTERS]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                code, address, count = struct.unpack(">BHH", await reader.readexactly(length - 1))
                self.codes.add(code)
                answer = self._answer(address, count) if code == 3 else bytes([code | 0x80, 1])
                writer.write(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, address: int, count: int) -> bytes:
        second = time.time_ns() // 10**9
        if address + count > 2 * REGISTERS:
            return bytes([0x83, 2])
        values = (value(second, self._number, n) for n in range(REGISTERS))
        cells = struct.pack(f">{REGISTERS}f", *values)[2 * address : 2 * (address + count)]
        self._read[second].update(range(address, address + count))
        return bytes([3, len(cells)]) + cells


async def main(count: int) -> None:
    """Serve until SIGTERM."""
    devices = [Device(number) for number in range(count)]
    ports = [await device.start() for device in devices]
    _say(ports)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    codes = set[int]().union(*(device.codes for device in devices))
    _say({"polled": [device.polled() for device in devices], "codes": sorted(codes)})


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
