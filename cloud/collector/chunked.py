"""A socket that is read by the chunk, for the collector's MQTT client. I/O: the one below."""

import socket
import ssl
from typing import Any

from evidence.cose import OBJECT_BYTES_MAX
from evidence.shown_life import shown_life

#: bytes read of the connection at once
CHUNK = 256 * 1024
PACKET_BYTES_MAX = 4 * OBJECT_BYTES_MAX  # no broker of our files passes on more; paho: 256 MiB


class Chunked:
    """A socket that is read by the chunk.

    paho asks for a byte, three more and a body of each packet, and at each call of the system this
    thread gives up the interpreter's lock to one that may keep it for 5 ms.
    """

    def __init__(self, below: socket.socket) -> None:
        self._below, self._come, self._at = below, b"", 0

    def recv(self, count: int) -> bytes:
        """As a socket's; b"" at the end, BlockingIOError or its like while there is nothing.

        Raises:
            ConnectionAbortedError: asked for a whole packet that no broker of ours passes on.
        """
        if count > PACKET_BYTES_MAX:
            raise ConnectionAbortedError(f"the broker sends a packet of {count} bytes")
        if self._at == len(self._come):
            self._come, self._at = self._below.recv(CHUNK), 0
        part = self._come[self._at : self._at + count]
        self._at += len(part)
        return part

    def pending(self) -> int:
        """Bytes that came, and of which `select` knows nothing."""
        held = len(self._come) - self._at
        return held + (self._below.pending() if isinstance(self._below, ssl.SSLSocket) else 0)

    def shown_ends_ns(self) -> int | None:
        """When the certificate ends that was shown to us, UTC ns; None without TLS."""
        if not isinstance(self._below, ssl.SSLSocket):
            return None
        life = shown_life(self._below.getpeercert(binary_form=True))
        return None if life is None else life.ends_ns

    def shut(self) -> None:
        """End both ways, of the plain socket: TLS would forget its session under its reader."""
        socket.socket.shutdown(self._below, socket.SHUT_RDWR)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a socket can
        return getattr(self._below, name)
