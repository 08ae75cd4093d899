"""A web server of the library that holds only so many connections at once."""

import threading
from functools import cached_property
from socket import socket
from socketserver import ThreadingMixIn
from typing import Any

AT_ONCE_MAX = 16
"""Each has a thread; the unit lets the agent have 128 tasks."""


class Seated(ThreadingMixIn):
    """Of a socketserver: at most `AT_ONCE_MAX` connections; who comes beyond is hung up on."""

    daemon_threads = True  # nobody waits at the end for who asks slowly
    block_on_close = False

    @cached_property
    def _seats(self) -> threading.BoundedSemaphore:
        return threading.BoundedSemaphore(AT_ONCE_MAX)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """In a thread of its own, if one is free."""
        if not self._seats.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[attr-defined] # of the server it is mixed into
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket | tuple[bytes, socket], client_address: Any  # noqa: ANN401 - as the library has it
    ) -> None:  # fmt: skip
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()
