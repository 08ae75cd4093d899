"""A server whose answers never end."""

import socket
import ssl
import threading

from cloud.asking import RunningCollector

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STEP_S = 0.3
#: no test waits for longer, though what it tests does
DROPS_MAX = 300


class Dripping:
    """Sends a beginning, and then a drop again and again, each long before any wait is over.

    Attributes:
        asked: released by each question.
        was_heard_out: somebody waited for the end of the world.
        speaks_first: before anything is asked, as mail servers do.
        port: on 127.0.0.1.
    """

    def __init__(
        self, beginning: bytes, drop: bytes, context: ssl.SSLContext | None = None
    ) -> None:
        self._beginning, self._drop, self.ended = beginning, drop, threading.Event()
        self._context, self.speaks_first = context, False
        self.asked, self.was_heard_out = threading.Semaphore(0), False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        if self._context is not None:
            try:
                connection = self._context.wrap_socket(connection, server_side=True)
            except OSError:  # on a busy machine the other side has given up before
                return
        with connection:
            if not self.speaks_first:
                connection.recv(4_096)
            self.asked.release()
            try:
                connection.sendall(self._beginning)
                for _ in range(DROPS_MAX):
                    if self.ended.wait(STEP_S / 10):
                        return
                    connection.sendall(self._drop)
                self.was_heard_out = True
            except OSError:
                return  # the other side has had enough

    def close(self) -> None:
        self.ended.set()
        self._listener.close()

    @property
    def collector(self) -> RunningCollector:
        return RunningCollector.at(f"http://127.0.0.1:{self.port}", "t" * 32)
