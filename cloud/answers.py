"""What every program of the cloud keeps to that asks a server over HTTP. Blocking network I/O."""

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Iterator
from typing import Protocol

#: seconds that a server may be silent
STEP_S = 10.0
_CHUNK = 64 * 1024


class Answer(Protocol):
    """An HTTP answer, as far as it is read here."""

    def read1(self, count: int, /) -> bytes:
        """What came, at most `count` bytes; b"" at the end."""


class _UntilEnd(io.RawIOBase):
    """What comes of a connection until an instant: its timeout ends a wait, that ends all waits.

    Head, lengths and trailers are lines that may come a byte at a time, each within the timeout.
    """

    def __init__(self, connection: socket.socket, came: io.RawIOBase, end_s: float) -> None:
        self._connection, self._came, self.end_s = connection, came, end_s
        self._step_s = connection.gettimeout() or STEP_S

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int | None:  # type: ignore[override]  # as socket's own
        """What came; TimeoutError where it is too late for more."""
        left_s = self.end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("its answer took too long")
        self._connection.settimeout(min(self._step_s, left_s))
        return self._came.readinto(buffer)

    def close(self) -> None:
        """The connection's end."""
        self._came.close()
        super().close()


class TimedAnswer(http.client.HTTPResponse):
    """An HTTP answer whose head comes within the connection's timeout, the rest `until` an end."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        head_s = sock.gettimeout() or STEP_S
        self._bytes = _UntilEnd(sock, self.fp.detach(), time.monotonic() + head_s)
        self.fp = io.BufferedReader(self._bytes)

    def until(self, end_s: float) -> None:
        """All of it comes before this instant (monotonic seconds), or none any more."""
        self._bytes.end_s = end_s


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent goes to the address the operator wrote, and to no other."""

    def redirect_request(self, *_: object) -> None:
        """None: urllib reports the redirect as the error it is."""


def in_bounds(answer: Answer, bytes_max: int, answer_s: float) -> Iterator[bytes]:
    """An answer's bytes, a piece at a time.

    Args:
        answer: it ends each wait by itself (its timeout).
        bytes_max: how many there may be.
        answer_s: seconds that all of them may take.

    Raises:
        OSError: there are more.
        TimeoutError: they take longer; an OSError too.
    """
    end_s, count = time.monotonic() + answer_s, 0
    while chunk := answer.read1(_CHUNK):
        count += len(chunk)
        if count > bytes_max:
            raise OSError(f"its answer has more than {bytes_max} bytes")
        if time.monotonic() > end_s:
            raise TimeoutError(f"its answer took more than {answer_s:.0f} s")
        yield chunk
