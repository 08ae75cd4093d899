"""Where a simulated meter is reached: a TCP port, or a serial line that is a pty.

The one file of this room that reads and writes bytes of Modbus and DL/T 645. A library's server
would not let answers be late, cut or lost as a fault wants it, so a server's few lines stand here.
"""

import asyncio
import os
import tty
from collections.abc import Callable
from typing import Any, Protocol

from simulators.clock import Clock
from simulators.frames import Frames, NonsenseError, Question
from simulators.manner import WELL, Manner

#: What a device answers; None: it is not this device that is asked.
Ask = Callable[[Question], bytes | None]


class Link(Protocol):
    """One way to a device."""

    @property
    def place(self) -> str:
        """Host and port, or the path of a line, as a site file writes it; known once started."""

    def behave(self, manner: Manner) -> None:
        """Treat answers so from now on."""

    async def start(self, ask: Ask) -> None:
        """Open it; OSError when it cannot be had."""

    async def stop(self) -> None:
        """Close it."""


class Answers:
    """Sends answers as the manner of the moment wants them."""

    def __init__(self, clock: Clock) -> None:
        self.manner = WELL
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def send(
        self, question: Question, pdu: bytes | None, frames: Frames, say: Callable[[bytes], None]
    ) -> None:
        """Send an answer, or not."""
        manner = self.manner
        if pdu is None or manner.is_silent:
            return
        if manner.slow_s:
            await self._clock.sleep(manner.slow_s)
        data = frames.frame(question, pdu)
        if manner.late_s:
            task = asyncio.create_task(self._say_later(manner.late_s, data, say))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        else:
            say(data)

    async def stop(self) -> None:
        """Forget what was still to be said."""
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _say_later(self, late_s: float, data: bytes, say: Callable[[bytes], None]) -> None:
        await self._clock.sleep(late_s)
        say(data)


class TcpLink:
    """A TCP port; `port` 0 lets the machine choose one."""

    def __init__(self, host: str, port: int, *, clock: Clock, frames: Callable[[], Frames]) -> None:
        """Nothing is opened yet; `frames` makes the framing of one connection."""
        self._host, self._port = host, port
        self._frames = frames
        self._answers = Answers(clock)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._is_ending = False

    @property
    def place(self) -> str:
        """Host and port; the port is the real one once started."""
        return f"{self._host}:{self._port}"

    def behave(self, manner: Manner) -> None:
        """Treat answers so from now on; a cut kills the connections open at this moment."""
        if manner.cuts > self._answers.manner.cuts:
            self._dead |= self._writers
        self._answers.manner = manner

    async def start(self, ask: Ask) -> None:
        """Listen; OSError when the port cannot be had."""

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._is_ending:  # accepted just before: `stop` would wait for it
                writer.transport.abort()
                return
            if (task := asyncio.current_task()) is not None:
                self._tasks.add(task)
            self._writers.add(writer)
            try:
                await self._converse(reader, writer, ask)
            except (ConnectionError, NonsenseError, asyncio.CancelledError):
                pass  # the other side is gone, talks nonsense, or we end
            finally:
                writer.close()
                self._writers.discard(writer)
                self._dead.discard(writer)
                if task is not None:
                    self._tasks.discard(task)

        self._is_ending = False
        self._server = await asyncio.start_server(converse, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._is_ending = True
        self._server.close()
        await self._answers.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask
    ) -> None:
        frames = self._frames()

        def say(data: bytes) -> None:
            if not writer.is_closing() and writer not in self._dead:
                writer.write(data)

        while data := await reader.read(1024):
            for question in frames.feed(data):
                if writer not in self._dead:
                    await self._answers.send(question, ask(question), frames, say)


class PtyLink:
    """A serial line on this machine, a pseudo-terminal: no parity bit, whatever the baud rate."""

    def __init__(self, *, clock: Clock, frames: Callable[[], Frames]) -> None:
        """Nothing is opened yet."""
        self._frames = frames
        self._answers = Answers(clock)
        self._far = self._near = -1
        self._path = ""
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    @property
    def place(self) -> str:
        """The line's path, once started."""
        return self._path

    def behave(self, manner: Manner) -> None:
        """Treat answers so from now on; a line has no connections that could be cut."""
        self._answers.manner = manner

    async def start(self, ask: Ask) -> None:
        """Make the line; OSError when there is none to be had."""
        self._far, self._near = os.openpty()  # near stays open: no hang-up between two readers
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        self._path = os.ttyname(self._near)
        asyncio.get_running_loop().add_reader(self._far, self._readable)
        self._task = asyncio.create_task(self._converse(ask))

    async def stop(self) -> None:
        """Take the line away."""
        if self._task is None:
            return
        asyncio.get_running_loop().remove_reader(self._far)
        await self._answers.stop()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        os.close(self._far)
        os.close(self._near)

    def _readable(self) -> None:
        self._heard.put_nowait(os.read(self._far, 4096))

    async def _converse(self, ask: Ask) -> None:
        frames = self._frames()
        while True:
            for question in frames.feed(await self._heard.get()):
                await self._answers.send(question, ask(question), frames, self._say)

    def _say(self, data: bytes) -> None:
        try:
            os.write(self._far, data)
        except BlockingIOError:
            return  # nobody has read for long: a line does not wait either
