"""What all of the cloud keeps to that asks a server for something. Blocking network I/O.

A socket's timeout ends one wait; who sends a byte before each is over holds the asker for ever. So
everything that is read of another's server is read until an instant: here, of HTTP and mail.
"""

import http.client
import io
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from typing import Protocol

#: seconds that a server may be silent
STEP_S = 10.0
_CHUNK = 64 * 1024


class TooLongError(OSError):
    """An answer has more bytes than whoever asked takes."""


class Answer(Protocol):
    """An HTTP answer, as far as it is read here."""

    def read1(self, count: int, /) -> bytes:
        """What came, at most `count` bytes; b"" at the end."""


class UntilEnd(io.RawIOBase):
    """What comes of a connection until an instant: its timeout ends a wait, that ends all waits.

    Lines of a protocol may come a byte at a time, each within the timeout.

    Args:
        connection: whose timeout ends one wait.
        came: reads it, unbuffered.
        end_s: monotonic seconds; may be changed.
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
    """An HTTP answer: it comes within the connection's timeout, behind its head `until` an end."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        head_s = sock.gettimeout() or STEP_S
        self._bytes = UntilEnd(sock, self.fp.detach(), time.monotonic() + head_s)
        self.fp = io.BufferedReader(self._bytes)

    def until(self, end_s: float) -> None:
        """All of it comes before this instant (monotonic seconds), or none any more."""
        self._bytes.end_s = end_s


class TimedHttp(http.client.HTTPConnection):
    """A connection whose answers are timed, those of a proxy before them, too."""

    response_class = TimedAnswer


class TimedHttps(http.client.HTTPSConnection):
    """Likewise, with TLS."""

    response_class = TimedAnswer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent goes to the address the operator wrote, and to no other."""

    def redirect_request(self, *_: object) -> None:
        """None: urllib reports the redirect as the error it is."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(TimedHttp, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._believed = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(TimedHttps, req, context=self._believed)


def opener(
    *more: urllib.request.BaseHandler, context: ssl.SSLContext | None = None
) -> urllib.request.OpenerDirector:
    """Asks over HTTP, follows no redirect, and its answers are of `TimedAnswer`.

    Args:
        more: handlers of urllib.
        context: whom of https servers to believe; None for the system's authorities.
    """
    return urllib.request.build_opener(_Http(), _Https(context), _NoRedirects(), *more)


def in_bounds(answer: Answer, bytes_max: int) -> Iterator[bytes]:
    """An answer's bytes, a piece at a time.

    Args:
        answer: it ends by itself, `until` an end.
        bytes_max: how many there may be.

    Raises:
        TooLongError: there are more.
        OSError: they take too long.
    """
    count = 0
    while chunk := answer.read1(_CHUNK):
        count += len(chunk)
        if count > bytes_max:
            raise TooLongError(f"its answer has more than {bytes_max} bytes")
        yield chunk
