"""A web server of the library that holds only so many connections at once."""

import contextlib
import threading
import time
from functools import cached_property
from socket import SHUT_RD, socket
from socketserver import ThreadingMixIn
from typing import Any

AT_ONCE_MAX = 16
"""Each has a thread; the unit lets the agent have 128 tasks."""
ASKED_S = 20.0
"""Who holds one for so long gives it up to who comes: the library's time-out ends one wait for a
byte, so a byte before each would keep it for good."""
FREED_S = 0.5


class Seated(ThreadingMixIn):
    """Of a socketserver: at most `AT_ONCE_MAX` connections; who comes beyond is hung up on.

    None reads more than one question, so the way in may be closed while an answer goes out.
    """

    daemon_threads = True  # nobody waits at the end for who asks slowly
    block_on_close = False

    @cached_property
    def _seats(self) -> threading.BoundedSemaphore:
        return threading.BoundedSemaphore(AT_ONCE_MAX)

    @cached_property
    def _since_s(self) -> dict[socket, float]:
        return {}

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """In a thread of its own, if one is free."""
        assert isinstance(request, socket)  # noqa: S101 - no datagrams
        if not (self._seats.acquire(blocking=False) or self._is_freed()):
            self.shutdown_request(request)  # type: ignore[attr-defined] # of the server it is mixed into
            return
        self._since_s[request] = time.monotonic()
        super().process_request(request, client_address)

    def _is_freed(self) -> bool:
        late_s, late = time.monotonic() - ASKED_S, False
        for held, since_s in tuple(self._since_s.items()):
            if since_s < late_s:
                late = True
                with contextlib.suppress(OSError):  # it ended meanwhile
                    held.shutdown(SHUT_RD)
        return late and self._seats.acquire(timeout=FREED_S)

    def process_request_thread(
        self, request: socket | tuple[bytes, socket], client_address: Any  # noqa: ANN401 - as the library has it
    ) -> None:  # fmt: skip
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._since_s[request]  # type: ignore[arg-type] # a socket: no datagrams
            self._seats.release()
