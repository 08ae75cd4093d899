"""Asks a Modbus device, one question at a time: the client side, of which there is only reading.

The one file of this folder that opens a connection or a serial line to a Modbus device. What it
can send are questions with function codes 1 to 4: there is no way through it to write.
"""

import asyncio
import contextlib
import os
import struct
import termios
import tty
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from simulators.modbus_frames import crc
from simulators.modbus_pdu import TABLES as FUNCTIONS
from simulators.recorded.address import MODBUS_TCP, RTU_LINE, Place
from simulators.recorded.recording import BIT_TABLES, Ask, RecordingError

_CODES = {table: code for code, table in FUNCTIONS.items()}
_CHUNK = 1024
_PARITIES = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}


class Asker:
    """One device. Made, opened, asked, closed."""

    def __init__(self, place: Place, *, wait_s: float) -> None:
        """Nothing is opened yet; an answer is waited for so long."""
        self._place, self._wait_s = place, wait_s
        self._wire: _Wire | None = None
        self._transaction = 0

    async def open(self) -> None:
        """Connect; RecordingError when that fails."""
        try:
            await self._opened()
        except (OSError, TimeoutError, termios.error) as error:
            why = str(error) or f"no answer within {self._wait_s:g} s"
            raise RecordingError(f"{self._place.url} cannot be opened: {why}") from None

    async def close(self) -> None:
        """Close it."""
        if self._wire is not None:
            await self._wire.close()
            self._wire = None

    async def ask(self, ask: Ask) -> tuple[tuple[int, ...] | None, int | None]:
        """Cells and exception code; both None when no answer came in time, or none that fits.

        A broken connection counts as silence; it is opened again for the next question.
        """
        try:
            wire = self._wire or await self._opened()
            async with asyncio.timeout(self._wait_s):
                pdu = await self._converse(wire, ask)
        except (OSError, TimeoutError, termios.error):
            await self.close()  # what still comes would be taken for another question's answer
            return None, None
        if pdu[0] & 0x80:
            return None, pdu[1]
        return _cells(ask, pdu[2:]), None

    async def _opened(self) -> "_Wire":
        is_line = self._place.scheme == RTU_LINE
        async with asyncio.timeout(self._wait_s):
            self._wire = _line(self._place) if is_line else await _connected(self._place)
        return self._wire

    async def _converse(self, wire: "_Wire", ask: Ask) -> bytes:
        question = struct.pack(">BHH", _CODES[ask.table], ask.address, ask.count)
        is_tcp = self._place.scheme == MODBUS_TCP
        if is_tcp:
            self._transaction = self._transaction % 0xFFFF + 1
            head = struct.pack(">HHHB", self._transaction, 0, len(question) + 1, self._place.unit)
            wire.write(head + question)
        else:
            frame = bytes([self._place.unit]) + question
            wire.write(frame + crc(frame))
        held = b""
        while True:
            held += await _some(wire.reader)
            pdu, held = self._found_tcp(ask, held) if is_tcp else self._found_rtu(ask, held)
            if pdu:
                return pdu

    def _found_tcp(self, ask: Ask, held: bytes) -> tuple[bytes, bytes]:
        """The answer among these bytes, b"" as long as it is not there, and what is left."""
        while len(held) >= 6:
            transaction, protocol, length = struct.unpack(">HHH", held[:6])
            if protocol or not 3 <= length <= 254:
                raise ConnectionError("what came is no Modbus TCP")
            if len(held) < 6 + length:
                break
            pdu, held = held[7 : 6 + length], held[6 + length :]
            if transaction == self._transaction and _fits(ask, pdu):
                return pdu, held
        return b"", held

    def _found_rtu(self, ask: Ask, held: bytes) -> tuple[bytes, bytes]:
        """Likewise; bytes that begin no answer to this question are passed over, as noise."""
        while len(held) >= 5:
            whole = 5 if held[1] & 0x80 else 5 + _data_bytes(ask)
            if held[0] == self._place.unit and _fits(ask, held[1 : whole - 2], is_part=True):
                if len(held) < whole:
                    break
                if crc(held[: whole - 2]) == held[whole - 2 : whole]:
                    return held[1 : whole - 2], held[whole:]
            held = held[1:]
        return b"", held


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(_CHUNK)
    if not data:
        raise ConnectionError("closed by the other side")
    return data


def _data_bytes(ask: Ask) -> int:
    return -(-ask.count // 8) if ask.table in BIT_TABLES else 2 * ask.count


def _fits(ask: Ask, pdu: bytes, *, is_part: bool = False) -> bool:
    """Whether this is an answer to that question, as far as it has come."""
    code, size = _CODES[ask.table], _data_bytes(ask)
    if len(pdu) >= 2 and pdu[0] == code | 0x80:
        return len(pdu) == 2
    return len(pdu) >= 2 and pdu[:2] == bytes([code, size]) and (is_part or len(pdu) == 2 + size)


def _cells(ask: Ask, data: bytes) -> tuple[int, ...]:
    if ask.table in BIT_TABLES:
        return tuple(data[at // 8] >> at % 8 & 1 for at in range(ask.count))
    return struct.unpack(f">{ask.count}H", data)


@dataclass(frozen=True)
class _Wire:
    """An open connection or line."""

    reader: asyncio.StreamReader
    write: Callable[[bytes], object]
    close: Callable[[], Awaitable[None]]


async def _connected(place: Place) -> _Wire:
    reader, writer = await asyncio.open_connection(place.host, place.port)

    async def close() -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return _Wire(reader, writer.write, close)


def _line(place: Place) -> _Wire:
    """A serial line of this machine."""
    handle = _opened(place)
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()

    def readable() -> None:
        try:
            data = os.read(handle, _CHUNK)
        except OSError:  # pulled out
            data = b""
        if data:
            reader.feed_data(data)
        else:
            loop.remove_reader(handle)
            reader.feed_eof()

    async def close() -> None:
        loop.remove_reader(handle)
        os.close(handle)

    loop.add_reader(handle, readable)
    return _Wire(reader, lambda data: os.write(handle, data), close)


def _opened(place: Place) -> int:
    """Its handle: 8 data bits, nothing translated, nothing waited for."""
    handle = os.open(place.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(handle)
        settings = termios.tcgetattr(handle)
        settings[2] &= ~(termios.PARENB | termios.PARODD | termios.CSTOPB)
        settings[2] |= _PARITIES[place.parity] | termios.CLOCAL | termios.CREAD
        settings[2] |= termios.CSTOPB if place.stop_bits == 2 else 0
        settings[4] = settings[5] = getattr(termios, f"B{place.baud}")
        termios.tcsetattr(handle, termios.TCSANOW, settings)
        termios.tcflush(handle, termios.TCIOFLUSH)
    except BaseException:
        os.close(handle)
        raise
    return handle
