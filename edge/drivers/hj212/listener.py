"""The TCP port that loggers send to: the only file of this driver that does I/O.

One port serves every device whose URL names it; loggers are told apart by MN. What it keeps is
bounded: connections, and the bytes of each. Nothing leaves it but what `only_acks` lets through,
and without `answer=yes` nothing at all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.drivers.hj212.message import Assembler, Message, parse_segment
from edge.drivers.hj212.packet import Hj212Error, Splitter, build_ack, only_acks

#: a logger needs one; one on which no logger spoke gives way, then the longest silent one
CONNECTIONS_MAX = 8
JUNK_BYTES_MAX = 65_536  # without one whole packet in between: that is no logger
COMPLAINT_EVERY_S = 10.0
#: So much is taken, then waited: a logger sends some kB a minute, and who sends without end costs
#: the other devices no more than this.
_READ_BYTES, _PAUSE_S = 4096, 0.05

_HEARTBEAT = 9015


@dataclass(frozen=True)
class Subscriber:
    """A device that wants its logger's messages.

    Attributes:
        device: its id.
        mn: which logger.
        peers: addresses its messages may come from; empty for any.
        answers: acknowledge them.
        take: called with each whole message, in order.
        complain: called with (subject, trouble).
    """

    device: str
    mn: str
    peers: frozenset[str]
    answers: bool
    take: Callable[[Message], None]
    complain: Callable[[str, str], None]


@dataclass
class _Connection:
    writer: asyncio.StreamWriter
    peer: str
    heard_s: float
    splitter: Splitter = field(default_factory=Splitter)
    assembler: Assembler = field(default_factory=Assembler)
    is_speaking: set[str] = field(default_factory=set)  # MNs it has sent messages of


class PortTakenError(Exception):
    """Another device already has this port and MN."""


_Key = tuple[asyncio.AbstractEventLoop, str, int]
_LISTENERS: dict[_Key, "Listener"] = {}


class Listener:
    """One listening port, open while somebody subscribes to it."""

    def __init__(self, key: _Key) -> None:
        self._key = key
        self._subscribers: dict[str, Subscriber] = {}
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._opening = asyncio.Lock()
        self._silent_until_s = 0.0

    @classmethod
    async def subscribe(cls, host: str, port: int, subscriber: Subscriber) -> "Listener":
        """Listen for a logger; the first subscriber opens the port.

        Raises:
            PortTakenError: another device already has this MN on this port.
            OSError: the port cannot be opened.
        """
        key = (asyncio.get_running_loop(), host, port)
        listener = _LISTENERS.setdefault(key, cls(key))
        if other := listener._subscribers.get(subscriber.mn):
            raise PortTakenError(
                f"device {other.device} already takes MN {subscriber.mn} on this port"
            )
        listener._subscribers[subscriber.mn] = subscriber
        try:
            async with listener._opening:
                if listener._server is None:
                    listener._server = await asyncio.start_server(listener._serve, host, port)
        except BaseException:
            await listener.unsubscribe(subscriber)
            raise
        return listener

    async def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stop; with the last subscriber the port closes and every connection with it."""
        if self._subscribers.get(subscriber.mn) is subscriber:
            del self._subscribers[subscriber.mn]
        for task, connection in list(self._connections.items()):
            if not self._subscribers or connection.is_speaking == {subscriber.mn}:
                task.cancel()
        if self._subscribers:
            return
        if _LISTENERS.get(self._key) is self:
            del _LISTENERS[self._key]
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.sleep(0)  # the loop lets go of the sockets in its next turn

    def is_connected(self, mn: str) -> bool:
        """A connection is open on which this logger has sent a message."""
        return any(mn in connection.is_speaking for connection in self._connections.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._is_welcome(address):
            self._complain("connections", f"one from {address} was closed: it is not in from=")
            writer.transport.abort()
            return
        self._make_room()
        connection = _Connection(writer, address, self._key[0].time())
        self._connections[task] = connection
        try:
            while data := await reader.read(_READ_BYTES):
                connection.heard_s = self._key[0].time()
                self._feed(connection, data)
                if connection.splitter.junk > JUNK_BYTES_MAX:
                    self._complain("connections", f"one from {address} sends no HJ 212")
                    return
                await asyncio.sleep(_PAUSE_S)
        except ConnectionError:
            return
        except asyncio.CancelledError:  # ours: asyncio would log it as an error
            return
        finally:
            self._connections.pop(task, None)
            writer.transport.abort()

    def _is_welcome(self, peer: str) -> bool:
        return any(not s.peers or peer in s.peers for s in self._subscribers.values())

    def _make_room(self) -> None:
        if len(self._connections) < CONNECTIONS_MAX:
            return
        task, silent = min(
            self._connections.items(), key=lambda item: (bool(item[1].is_speaking), item[1].heard_s)
        )
        del self._connections[task]  # it ends a turn later, and many may come in this one
        self._complain(
            "connections", f"more than {CONNECTIONS_MAX}; the silent one from {silent.peer} closed"
        )
        task.cancel()

    def _feed(self, connection: _Connection, data: bytes) -> None:
        for found in connection.splitter.feed(data):
            try:
                if isinstance(found, Hj212Error):
                    raise found
                self._pass_on(connection, parse_segment(found))
            except Hj212Error as error:
                self._complain("packets", f"one from {connection.peer} {error}")

    def _pass_on(self, connection: _Connection, part: Message) -> None:
        subscriber = self._subscribers.get(part.mn)
        if subscriber is None:
            self._complain("packets", f"one from {connection.peer} has an MN nobody wants")
            return
        if subscriber.peers and connection.peer not in subscriber.peers:
            subscriber.complain("packets", f"one comes from {connection.peer}, not in from=")
            return
        message = connection.assembler.take(part)
        if message is None:
            return
        connection.is_speaking.add(message.mn)
        subscriber.take(message)
        if subscriber.answers and message.wants_answer:
            self._answer(connection, message)

    def _answer(self, connection: _Connection, message: Message) -> None:
        """The one place that sends: one acknowledgement."""
        kind = "9014" if 2000 <= message.cn <= 2999 else "9013"
        if kind == "9013" and message.cn != _HEARTBEAT:
            return
        ack = build_ack(kind, qn=message.qn, pw=message.pw, mn=message.mn, version=message.version)
        if connection.writer.transport.get_write_buffer_size() < JUNK_BYTES_MAX:
            connection.writer.write(only_acks(ack))

    def _complain(self, subject: str, trouble: str) -> None:
        """To every device; rarely, as whoever reaches the port could fill the log with it."""
        now_s = self._key[0].time()
        if now_s < self._silent_until_s:
            return
        self._silent_until_s = now_s + COMPLAINT_EVERY_S
        for subscriber in self._subscribers.values():
            subscriber.complain(subject, trouble)
