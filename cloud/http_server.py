"""The web server: uvicorn behind a bounded door.

Whoever reaches the page's address can open connections. Each takes a descriptor, and without one
left no evidence can be written: so there are only so many, and one that asks nothing is closed.
"""

import asyncio
import contextlib
import logging
import resource
import socket
import time
from collections.abc import Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from cloud.errors import ServerError

log = logging.getLogger("stackproof.cloud.http")

HTTP_END_S = 1
#: connections at once: 200 viewers, and room for as many to come back after a break
CONNECTIONS_MAX = 400
#: descriptors that are left for evidence, broker and connections being turned away
RESERVE = 128
#: connections taken up before the first of them is looked at
BACKLOG = 32
#: for how long a connection may stand without having asked for anything
ASK_S = 10.0
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
    """One connection: turned away when there are too many, closed when it asks nothing."""

    connections_max = CONNECTIONS_MAX
    complaint = Complaint()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Somebody connected."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self.complaint.tell(
                f"connection to the page refused: {self.connections_max} are open already",
                self.loop.time(),
            )
            transport.abort()
            return
        self.loop.call_later(ASK_S, self._end_unasked)

    def _end_unasked(self) -> None:
        # one that became a WebSocket is no longer this object's
        if self in self.connections and self.cycle is None:
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has one order to stop, not two."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def make_server(app: FastAPI) -> Server:
    """The server of the page and the API; call in the running event loop."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    Door.connections_max = connections_max(soft)
    _quieten(asyncio.get_running_loop())
    return Server(
        uvicorn.Config(
            app,
            http=Door,
            access_log=False,
            backlog=BACKLOG,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=HTTP_END_S,
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
