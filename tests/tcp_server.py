"""A device's TCP side for tests: it listens, knows its connections, goes away and comes back."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class TcpServer(ABC):
    """Use as `async with`, or `start` and `stop` it; what it says is `talk`'s.

    Attributes:
        port: on 127.0.0.1; 0 until it has listened once, and the same from then on.
        connections: how many it has had.
    """

    port: int = field(default=0, init=False)
    connections: int = field(default=0, init=False)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _is_ending: bool = field(default=False, init=False)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._is_ending = False
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._is_ending = True
            self._server.close()
            for task in self._tasks:
                task.cancel()
            self.hang_up()
            await self._server.wait_closed()
            await self.settled()
            self._server = None

    def hang_up(self) -> None:
        """Close every open connection from this side."""
        for writer in self._writers:
            writer.transport.abort()

    @property
    def open_connections(self) -> int:
        return len(self._writers)

    async def settled(self) -> int:
        """Open connections once the loop has had a moment to notice what was closed."""
        for _ in range(100):
            if not self._writers:
                break
            await asyncio.sleep(0.002)
        return len(self._writers)

    @abstractmethod
    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte; it ends when this returns, or the other side."""

    def later(self, saying: Coroutine[Any, Any, None]) -> None:
        """Run beside the connections; cancelled when the server stops."""
        task = asyncio.create_task(saying)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_ending:  # accepted just before: `wait_closed` waits for it (from 3.12 on)
            writer.transport.abort()
            return
        self.connections += 1
        self._writers.add(writer)
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
