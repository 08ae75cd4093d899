"""A serial line with its own master, for who only listens."""

import asyncio
import struct
from pathlib import Path

from tests.integration.drivers.rtu_line import Asked, Devices, Pty, Unit, framed
from tests.recording import RECORD


class Master:
    """The master of the line and its devices: puts questions and answers on it, over and over.

    Attributes:
        reads: (unit, function code, address, count) of one round.
    """

    def __init__(self, folder: Path, **units: Unit) -> None:
        self.devices = Devices(**units)
        # who listens says nothing: any byte of theirs is noted
        self.pty = Pty(folder, lambda _: RECORD.note("Modbus", "bytes from who only listens"))
        self.reads: list[tuple[int, int, int, int]] = []
        self._polling: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._polling = asyncio.create_task(self._poll(), name="master")

    def stop(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def _poll(self) -> None:
        while True:
            self.pty.say(b"".join(self.exchange(*read) for read in self.reads))
            await asyncio.sleep(0.004)

    def exchange(self, unit: int, code: int, address: int, count: int) -> bytes:
        asked = Asked(unit, code, address, count, 0.0)
        question = framed(struct.pack(">BBHH", unit, code, address, count))
        device = self.devices.units.get(unit)
        return question + (device.answer(asked) if device is not None else b"")

    def url(self, unit: int = 1, more: str = "") -> str:
        return f"modbus+listen://{self.pty.path}?unit={unit}&baud=19200&parity=N{more}"
