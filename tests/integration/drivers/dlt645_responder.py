"""A DL/T 645 meter behind a serial server, of a few lines, that can misbehave as told.

Its frames are written from the standard, not by the driver or a library. It answers out of `items`
(data identifier to bytes, lowest first), refuses what it has not, and records every byte it hears.
Whatever a test does with it: when it stops, it must have been asked nothing but to read.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.recorded_wires import Dlt645

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
class Meter:
    """Use as `async with`; `twist` may replace the answer to a question (control, di)."""

    items: dict[int, bytes] = field(default_factory=dict)
    twist: Callable[[int, int], Twist] = lambda _control, _di: None
    heard: bytearray = field(default_factory=bytearray)
    questions: list[tuple[int, int]] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> "Meter":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            self.hang_up()
            await self.settled()
            self._server = None
        assert {control for control, _ in self.questions} <= {0x11, 0x12}

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    @property
    def url(self) -> str:
        return f"dlt645+tcp://127.0.0.1:{self.port}?address={METER}"

    async def settled(self) -> int:
        """Open connections once the loop has had a moment to notice what was closed."""
        for _ in range(100):
            if not self._writers:
                break
            await asyncio.sleep(0.002)
        return len(self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        record = Dlt645()
        try:
            while True:
                heard = await reader.readuntil(b"\x68")
                head = await reader.readexactly(9)
                rest = await reader.readexactly(head[8] + 2)
                self.heard += heard + head + rest
                record.feed(heard + head + rest)
                assert sum(b"\x68" + head + rest[:-2]) % 256 == rest[-2]
                data = bytes((byte - 0x33) % 256 for byte in rest[:-2])
                self._reply(head[7], int.from_bytes(data[:4], "little"), data[4:], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    def _reply(self, control: int, di: int, follow_up: bytes, writer: asyncio.StreamWriter) -> None:
        self.questions.append((control, di))
        twist = self.twist(control, di)
        if twist is None:
            known = self.items.get(di)
            sent = frame(0xD1, b"\x02") if known is None else answer(di, known)
            writer.write(b"\xfe" * 2 + sent)
            return
        task = asyncio.create_task(self._send(twist, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, pieces: list[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        for delay_s, piece in pieces:
            await asyncio.sleep(delay_s)
            if not writer.is_closing():
                writer.write(piece)
