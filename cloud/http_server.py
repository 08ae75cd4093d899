"""The web server: uvicorn behind a bounded door.

Whoever reaches the page's address can open connections. Each takes a descriptor, and without one
left no evidence can be written: so there are only so many, and one whose other side neither brings
a request nor takes its answer is ended.
"""

import asyncio
import contextlib
import fcntl
import logging
import resource
import socket
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cloud.errors import ServerError

log = logging.getLogger("stackproof.cloud.http")

HTTP_END_S = 1
#: connections at once: 200 viewers, and room for as many to come back after a break
CONNECTIONS_MAX = 400
#: of them, live pages in all: others keep room to ask
PAGES_PART = 2
#: descriptors that are left for evidence, broker and connections being turned away
RESERVE = 128
#: connections taken up before the first of them is looked at
BACKLOG = 32
#: how often a connection is looked at: without a whole request's head since the last look, it ends
ASK_S = 10.0
#: looks at which a body or the taking of an answer may stand still: a link may be bad; and how many
#: bytes are no standing still
STILL_LOOKS, STEP_BYTES = 3, 4_096
#: of whom X-Forwarded-… is believed (docs/accounts.md): uvicorn asks the environment, and lacks ::1
PROXIES = ["127.0.0.1", "::1"]
#: of a WebSocket's message: a page asks for a snapshot in some dozens; uvicorn would hold 16 MiB
ASKED_BYTES_MAX = 1_024
LOG_INTERVAL_S = 60.0


class Complaint:
    """Says something at most once a minute, with how often it was so."""

    def __init__(self) -> None:
        self._count, self._told_s = 0, float("-inf")

    def tell(self, sentence: str, now_s: float) -> None:
        """It is so once more."""
        self._count += 1
        if now_s >= self._told_s + LOG_INTERVAL_S:
            log.error("%s (%d times)", sentence, self._count)
            self._count, self._told_s = 0, now_s


def connections_max(descriptors: int) -> int:
    """How many connections a process may have that may have that many descriptors."""
    return max(8, min(CONNECTIONS_MAX, descriptors // 2 - RESERVE // 2))


class Door(H11Protocol):
    """One connection: gives way or is turned away when there are too many, ends when it idles."""

    connections_max = CONNECTIONS_MAX
    complaint = Complaint()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Somebody connected."""
        super().connection_made(transport)
        self._came, self._came_s, self._pauses = 0, self.loop.time(), 0
        #: what the other side was to do at the last look, and at how many looks since it was that
        self._due, self._looks = self._is_due(), 0
        if len(self.connections) > self.connections_max:
            self.complaint.tell(
                f"connection to the page: {self.connections_max} are open already; the one that "
                "does least gives way, or the new one is refused",
                self.loop.time(),
            )
            if not self._is_made_room():
                transport.abort()
                return
        self.loop.call_later(ASK_S, self._look)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._came += len(data)
        self._came_s = self.loop.time()
        super().data_received(data)

    def pause_writing(self) -> None:
        """So much of an answer waits to be taken that no more is made meanwhile."""
        self._pauses += 1
        super().pause_writing()

    def _is_made_room(self) -> bool:
        """End the connection that does least: who asks often keeps nobody else out."""
        doors = (one for one in self.connections if isinstance(one, Door) and one is not self)
        found = [(use, one) for one in doors if (use := one._use()) is not None]
        if not found:
            return False
        min(found, key=lambda pair: pair[0])[1].transport.abort()
        return True

    def _use(self) -> tuple[bool, float] | None:
        """How much it does, to be compared; None where nobody may end it: it is our turn.

        Between two questions it does nothing, and less the longer nothing came. Of one that brings
        a body or takes an answer it is the bytes: strangers bring and are given little.
        """
        if self.transport.is_closing() or self._is_due() is None:
            return None
        left = self._left()
        if left or not (self.cycle is None or self.cycle.response_complete):
            return True, max(left, self._came)
        return False, self._came_s

    def _look(self) -> None:
        if self not in self.connections:  # gone; one that became a WebSocket is no longer ours
            return
        due = self._is_due()
        self._looks = self._looks + 1 if due == self._due else 0
        self._due = due
        if due is not None and self._looks >= due[1]:
            self.transport.abort()  # a close would wait for what is not taken
            return
        self.loop.call_later(ASK_S, self._look)

    def _is_due(self) -> tuple[object, int] | None:
        """(what the other side has to do and how far it is, looks it has); None: we have to."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:  # single bytes of the next head are no step
            left = self._left()
            return (cycle, left // STEP_BYTES), STILL_LOOKS if left else 1
        if self.flow.write_paused:
            return (cycle, self._pauses, self._left() // STEP_BYTES), STILL_LOOKS
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return (cycle, self._came // STEP_BYTES), STILL_LOOKS
        return None

    def _left(self) -> int:
        return _left(self.transport)


def _left(transport: asyncio.Transport) -> int:
    """Bytes that the other side has not taken: ours, and the system's megabytes."""
    told = fcntl.ioctl(transport.get_extra_info("socket"), termios.TIOCOUTQ, bytes(4))
    return transport.get_write_buffer_size() + int.from_bytes(told, sys.byteorder)


class PageDoor(WebSocketsSansIOProtocol):
    """A connection that asked to become a WebSocket: gives way when one person has too many.

    uvicorn neither answers nor ends one whose head HTTP allows and `websockets` does not (with a
    body, with more than 128 lines): it would stay for good, and break the server's own end. One
    that answers nothing it closes, which waits for what is never taken.
    """

    complaint = Complaint()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is no `Door` any more."""
        super().connection_made(transport)
        self._made_s, self._left, self._looks = self.loop.time(), 0, 0
        pages = [one for one in self.connections if isinstance(one, PageDoor)]
        if len(pages) > Door.connections_max // PAGES_PART:
            self._make_room(pages)
        self.loop.call_later(ASK_S, self._look)

    def _make_room(self, pages: Sequence["PageDoor"]) -> None:
        """End a page of whoever has most of them; the new one where nobody has two."""
        most, count = Counter(one.whose for one in pages).most_common(1)[0]
        self.complaint.tell(
            f"live pages: {len(pages) - 1} are open already; the oldest of who has most gives way",
            self.loop.time(),
        )
        of_most = [one for one in pages if one is not self and one.whose == most]
        oldest = min(of_most, key=lambda one: one._made_s, default=self)
        (oldest if count > 1 else self).transport.abort()

    @property
    def whose(self) -> object:
        """An account, or an address where it has none; None before anybody looked."""
        scope: Mapping[str, Any] = getattr(self, "scope", {})
        who = scope.get("state", {}).get("who")  # as `cloud.api.guard` leaves it
        return who and (who.account or (scope["client"] or [""])[0])

    def _look(self) -> None:
        if self not in self.connections:
            return
        left, waits = _left(self.transport) // STEP_BYTES, not self.writable.is_set()
        is_still = left == self._left and (waits or self.transport.is_closing())
        self._left, self._looks = left, self._looks + 1 if is_still else 0
        if self._looks >= STILL_LOOKS:
            self.transport.abort()
            return
        self.loop.call_later(ASK_S, self._look)

    def keepalive_timeout(self) -> None:
        """No word came back."""
        self.pong_timer, self.disconnected = None, True
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Something came: first the whole head."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has one order to stop, not two."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class Seldom(logging.Filter):
    """Lets each sentence through once a minute: strangers cause uvicorn's, as many as they like.

    The journal drops what a unit says beyond its rate, and Compose what is older than 30 MB: with
    those lines what the collector has to tell would be lost.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told = dict[str, tuple[float, int]]()  # sentence -> (when it was told, left out)

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it let through? A defect's is, always."""
        if record.exc_info:
            return True
        now_s, sentence = self._clock(), str(record.msg)
        told_s, left_out = self._told.get(sentence, (float("-inf"), 0))
        if now_s < told_s + LOG_INTERVAL_S:
            self._told[sentence] = told_s, left_out + 1
            return False
        self._told[sentence] = now_s, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more before)", None
        return True


SELDOM = Seldom()


def make_server(app: FastAPI) -> Server:
    """The server of the page and the API; call in the running event loop."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    Door.connections_max = connections_max(soft)
    _quieten(asyncio.get_running_loop())
    logging.getLogger("uvicorn.error").addFilter(SELDOM)
    return Server(
        uvicorn.Config(
            app,
            http=Door,
            access_log=False,
            backlog=BACKLOG,
            forwarded_allow_ips=PROXIES,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=HTTP_END_S,
            ws=PageDoor,
            ws_max_size=ASKED_BYTES_MAX,
            ws_per_message_deflate=False,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ServerError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ServerError(
            f"[http] {host}:{port} cannot be listened on ({error.strerror}): stop the other "
            "program or change host and port"
        ) from error


def address_of(host: str, listener: socket.socket) -> str:
    """Where a listening socket is reached by HTTP, from this machine if from everywhere."""
    port = listener.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listened on
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _quieten(loop: asyncio.AbstractEventLoop) -> None:
    """Asyncio tells each connection that it finds no descriptor for, with its trace."""
    complaint = Complaint()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "out of system resource" in str(context.get("message", "")):
            sentence = f"no connection can be taken up: {context.get('exception')}"
            complaint.tell(sentence, time.monotonic())
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
