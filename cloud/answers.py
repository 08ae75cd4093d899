"""What every program of the cloud keeps to that asks a server over HTTP. Blocking network I/O."""

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
