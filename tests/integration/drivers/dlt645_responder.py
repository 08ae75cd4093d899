"""A DL/T 645 meter behind a serial server, of a few lines, that can misbehave as told.

Its frames are written from the standard, not by the driver or a library. It answers out of `items`
(data identifier to bytes, lowest first), refuses what it has not, and records every byte it hears.
Whatever a test does with it: when it stops, it must have been asked nothing but to read.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.recorded_wires import Dlt645
from tests.tcp_server import TcpServer

METER = "123456789012"
_ADDRESS = bytes.fromhex("129078563412")


def frame(control: int, data: bytes, address: bytes = _ADDRESS) -> bytes:
    coded = bytes((byte + 0x33) % 256 for byte in data)
    body = b"\x68" + address + b"\x68" + bytes([control, len(coded)]) + coded
    return body + bytes([sum(body) % 256]) + b"\x16"


def answer(di: int, content: bytes, address: bytes = _ADDRESS) -> bytes:
    return frame(0x91, di.to_bytes(4, "little") + content, address)


#: pieces sent one after another, each after so many seconds
Twist = list[tuple[float, bytes]] | None


@dataclass
class Meter(TcpServer):
    """Use as `async with`; `twist` may replace the answer to a question (control, di)."""

    items: dict[int, bytes] = field(default_factory=dict)
    twist: Callable[[int, int], Twist] = lambda _control, _di: None
    heard: bytearray = field(default_factory=bytearray)
    questions: list[tuple[int, int]] = field(default_factory=list)

    async def stop(self) -> None:
        await super().stop()
        assert {control for control, _ in self.questions} <= {0x11, 0x12}

    @property
    def url(self) -> str:
        return f"dlt645+tcp://127.0.0.1:{self.port}?address={METER}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record = Dlt645()
        while True:
            heard = await reader.readuntil(b"\x68")
            head = await reader.readexactly(9)
            rest = await reader.readexactly(head[8] + 2)
            self.heard += heard + head + rest
            record.feed(heard + head + rest)
            assert sum(b"\x68" + head + rest[:-2]) % 256 == rest[-2]
            data = bytes((byte - 0x33) % 256 for byte in rest[:-2])
            self._reply(head[7], int.from_bytes(data[:4], "little"), data[4:], writer)

    def _reply(self, control: int, di: int, follow_up: bytes, writer: asyncio.StreamWriter) -> None:
        self.questions.append((control, di))
        twist = self.twist(control, di)
        if twist is None:
            known = self.items.get(di)
            sent = frame(0xD1, b"\x02") if known is None else answer(di, known)
            writer.write(b"\xfe" * 2 + sent)
            return
        self.later(_send(twist, writer))


async def _send(pieces: list[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    for delay_s, piece in pieces:
        await asyncio.sleep(delay_s)
        if not writer.is_closing():
            writer.write(piece)
