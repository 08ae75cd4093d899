"""A network link that can die without a word: what is sent over it is swallowed, nobody is told.

It stands between processes as a TCP relay in a thread of its own. While it is silent it still
accepts connections, as a router does whose far side is dead: so a client's `connect` succeeds and
nothing ever comes. `restore` resets whatever was open, as a router does that has forgotten it.
It can also be deaf (answers alone are swallowed), narrow, far away, or lossy: a lost packet is a
pause.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
Targets = tuple[int | tuple[str, int], ...]
_LINGER_0 = struct.pack("ii", 1, 0)  # close with RST
_PACKET = 1_448  # bytes that one Ethernet packet carries
_AGAIN_S = 0.2  # Linux sends a lost packet again after this, at the earliest


class Relay:
    """Use as `with Relay() as link`; `forward(port)` gives the port that leads there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay")
        self._targets: dict[int, Targets] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_silent = self._is_deaf = False
        self._bytes_s = self._loss = self._away_s = 0.0
        self._choose = random.Random(20)

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def forward(self, *targets: int | tuple[str, int]) -> int:
        """A port on 127.0.0.1 that leads to another, there or at a host: the first to answer."""
        return self._do(self._listen(0, targets))

    def silence(self) -> None:
        """From now on every byte is swallowed, every end of a connection too."""
        self._do(self._set_silent())

    def deafen(self) -> None:
        """From now on every byte that comes back is swallowed; connections stay."""
        self._is_deaf = True

    def narrow(self, bytes_s: float) -> None:
        """Carry so many bytes a second each way from now on, and hold few."""
        self._bytes_s = bytes_s
        for writer in self._open:
            _hold_little(writer)

    def distance(self, seconds: float) -> None:
        """Every byte takes so long each way from now on; how many a second stays as it is."""
        self._away_s = seconds

    def lose(self, share: float) -> None:
        """Lose this share of packets from now on: each is carried when TCP would send it again."""
        self._loss = share

    def restore(self) -> None:
        """Carry again; connections from before are reset."""
        self._do(self._restore())

    def shut(self) -> None:
        """Refuse connections and reset those there are: what stands behind is not running."""
        self._do(self._shut())

    def open(self) -> None:
        """Accept connections again, on the same ports."""
        self._do(self._reopen())

    # -- in the relay's thread --------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, port: int, targets: Targets) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._carry(reader, writer, targets)

        server = await asyncio.start_server(serve, "127.0.0.1", port)
        # loopback's packets are larger than what a narrow link holds: each would wait for a timer
        server.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _PACKET)
        port = int(server.sockets[0].getsockname()[1])
        self._servers[port], self._targets[port] = server, targets
        return port

    async def _set_silent(self) -> None:
        self._is_silent = True

    async def _restore(self) -> None:
        self._reset()
        self._is_silent = self._is_deaf = False
        self._bytes_s = self._loss = self._away_s = 0.0

    async def _shut(self) -> None:
        for server in self._servers.values():
            server.close()
        self._reset()

    async def _reopen(self) -> None:
        for port, targets in list(self._targets.items()):
            await self._listen(port, targets)

    async def _end(self) -> None:
        await self._shut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _reset(self) -> None:
        for writer in self._open:
            connection = writer.get_extra_info("socket")
            if connection.fileno() >= 0:  # not closed by its other side meanwhile
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
            writer.transport.abort()
        self._open.clear()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, targets: Targets
    ) -> None:
        self._open.add(writer)
        if self._bytes_s:
            _hold_little(writer)
        if self._is_silent:
            await self._pump(reader, None)  # there is no far side
            return
        far = await _first_of(targets)
        if far is None:
            writer.transport.abort()
            self._open.discard(writer)
            return
        far_reader, far_writer = far
        self._open.add(far_writer)
        back = asyncio.create_task(self._pump(far_reader, writer, is_back=True))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        await self._pump(reader, far_writer)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter | None,
        *,
        is_back: bool = False,
    ) -> None:
        """Carry one direction; an end is carried too, unless the link is silent."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_PACKET if self._is_bad else 65536):
                if self._is_bad:
                    await asyncio.sleep(self._pause_s(len(data)))
                if writer is not None and not (self._is_silent or (self._is_deaf and is_back)):
                    self._loop.call_later(self._away_s, writer.write, data)
        if writer is not None and not self._is_silent:
            self._loop.call_later(self._away_s, writer.close)
            self._open.discard(writer)

    @property
    def _is_bad(self) -> bool:
        return bool(self._bytes_s or self._loss)

    def _pause_s(self, length: int) -> float:
        lost = 0
        while self._choose.random() < self._loss:
            lost += 1  # each time after twice as long
        return (length / self._bytes_s if self._bytes_s else 0.0) + _AGAIN_S * (2**lost - 1)


def _hold_little(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * _PACKET)


async def _first_of(
    targets: Targets,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    for target in targets:
        with contextlib.suppress(OSError):
            host, port = ("127.0.0.1", target) if isinstance(target, int) else target
            return await asyncio.open_connection(host, port)
    return None
