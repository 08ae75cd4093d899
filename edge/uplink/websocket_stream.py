"""A socket that carries its bytes in a WebSocket, as paho uses sockets. I/O: the one below.

`send` says how much was taken only when all of that has left; until then it is not ready, and is
given the same bytes again. That is how paho treats a socket that takes a part.
"""

import secrets
import socket
import ssl
import time

from edge.route import Route
from edge.uplink.websocket import (
    HEAD_BYTES_MAX,
    PONG,
    Frames,
    WebSocketError,
    frame,
    judge_upgrade,
    upgrade_request,
)

CHUNK_BYTES = 16 * 1024  # a frame's payload; packets are not bound to frames (MQTT 3.1.1, 6)
_RECEIVE_BYTES = 64 * 1024
_NOT_READY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class WebSocketStream:
    """Over a connection that has been made, TLS and all."""

    def __init__(self, below: socket.socket, route: Route, timeout_s: float) -> None:
        """Ask for the WebSocket and wait for the answer, all of it within the time.

        Raises:
            WebSocketError: there is none.
            OSError: the connection was lost, or nothing comes.
        """
        self._below, self._frames = below, Frames()
        self._came = bytearray()
        self._leaving, self._taken = b"", 0  # a frame under way, and what it has of the last `send`
        key, head, ends_s = secrets.token_bytes(16), b"", time.monotonic() + timeout_s
        below.sendall(upgrade_request(route, key))
        while not head.endswith(b"\r\n\r\n"):  # byte by byte: what follows is MQTT's
            below.settimeout(max(0.001, ends_s - time.monotonic()))
            byte = below.recv(1)
            head += byte
            if not byte or len(head) > HEAD_BYTES_MAX:
                raise WebSocketError(f"no WebSocket there: it hangs up after {head[:40]!r}")
        judge_upgrade(head, key)

    def send(self, data: bytes) -> int:
        """Bytes that have left; BlockingIOError and TLS's own while it is not ready."""
        if not self._taken:
            chunk = data[:CHUNK_BYTES]
            self._leaving += frame(chunk, secrets.token_bytes(4))
            self._taken = len(chunk)
        self._flush()
        taken, self._taken = self._taken, 0
        return taken

    def recv(self, count: int) -> bytes:
        """At most so many; b"" when the broker is gone."""
        while not self._came:
            data = b"" if self._frames.is_closed else self._below.recv(_RECEIVE_BYTES)
            if not data:
                return b""
            self._came += self._frames.take(data)
            self._answer_pings()
        brought = bytes(self._came[:count])
        del self._came[:count]
        return brought

    def pending(self) -> int:
        """Bytes that are here and of which the socket below knows nothing."""
        below = getattr(self._below, "pending", None)
        return len(self._came) + (below() if below else 0)

    def fileno(self) -> int:
        """Of the socket below."""
        return self._below.fileno()

    def setblocking(self, flag: bool) -> None:
        """Of the socket below."""
        self._below.setblocking(flag)

    def close(self) -> None:
        """MQTT has said goodbye; the WebSocket need not."""
        self._below.close()

    def _answer_pings(self) -> None:
        """Behind the frame that is under way, or with the next one.

        The newest is enough (RFC 6455, 5.5.3), and none while much has not left: whoever sends
        pings and takes nothing would else fill the memory.
        """
        if self._frames.pings and len(self._leaving) < 2 * CHUNK_BYTES:
            self._leaving += frame(self._frames.pings[-1], secrets.token_bytes(4), PONG)
        self._frames.pings.clear()
        if self._leaving:
            try:
                self._flush()
            except _NOT_READY:
                return  # the next `send` goes on

    def _flush(self) -> None:
        while self._leaving:
            self._leaving = self._leaving[self._below.send(self._leaving) :]
