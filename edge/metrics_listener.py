"""Answers those who watch, where a file's [metrics] says: /metrics, /livez and /readyz.

Nothing waits for it: an address may come later than the program, with a cable or by DHCP.

I/O: one listener with a thread of its own, and one for each question.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from socket import AF_INET6
from socketserver import TCPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.registry import Collector

from edge.life import Life, Said
from edge.seats import Seated
from edge.site.metrics import Metrics

log = logging.getLogger("stackproof.metrics")

AGAIN_S = 5.0  # between two tries to have an address
ASK_S = 10.0  # a connection that has asked nothing for so long is ended
_NOT_STORED = ("Cache-Control", "no-store")
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), _NOT_STORED)


@contextlib.contextmanager
def listening(collector: Collector, life: Life, where: Metrics) -> Iterator[Callable[[], str]]:
    """Answer with a collector's families, this process's own, and its life, until it is left.

    Args:
        collector: makes its families at each question.
        life: of the program.
        where: address and port; while it cannot be had it is tried again.

    Yields:
        Asked for the reason that nobody is answered, "" while all are.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    listener = _Listener(where, _answers(make_wsgi_app(registry), life))
    listener.start()
    try:
        yield lambda: listener.trouble
    finally:
        listener.end()


class _Listener(threading.Thread):
    """Has the address, sooner or later, and answers there."""

    def __init__(self, where: Metrics, application: WSGIApplication) -> None:
        super().__init__(name="metrics", daemon=True)
        self._where, self._application, self._ended = where, application, threading.Event()
        self._server: _Server | None = None
        self.trouble = ""
        self._bind()  # what is there already is heard from the first moment on

    def run(self) -> None:
        while not self._ended.is_set():
            if self._server is not None:
                self._server.handle_request()
            elif not self._ended.wait(AGAIN_S):
                self._bind()

    def end(self) -> None:
        self._ended.set()
        self.join()
        if self._server is not None:
            self._server.server_close()

    def _bind(self) -> None:
        at = f"{self._where.host}:{self._where.port}"
        try:
            self._server = _Server(self._where, self._application)
        except OSError as error:
            said = (
                f"/metrics, /livez and /readyz answer nobody: {at} of [metrics] cannot be had: "
                f"{error.strerror}. Tried again; if it stays, name this machine's address and a "
                "free port"
            )
            if said != self.trouble:
                log.warning("%s", said)
            self.trouble = said
            return
        if self.trouble:
            log.warning("metrics: %s answers", at)
        self.trouble = ""


def _answers(metrics: WSGIApplication, life: Life) -> WSGIApplication:
    asked: Mapping[str, Callable[[], Said]] = {"/livez": life.live, "/readyz": life.ready}
    failed = set[str]()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            try:
                return metrics(environ, lambda *said: start(said[0], [*said[1], _NOT_STORED]))
            except Exception as error:  # what nobody thought of; the library tells it each time
                if failed != {repr(error)}:
                    failed.clear()
                    failed.add(repr(error))
                    log.exception("/metrics cannot be made: it answers 500")
                said, status = Said(False, "the log says why"), "500 Internal Server Error"
        elif path in asked:
            said = asked[path]()
            status = "200 OK" if said.is_so else "503 Service Unavailable"
        else:
            said, status = Said(False, f"there are /metrics, {', '.join(asked)}"), "404 Not Found"
        start(status, [*_TEXT])  # a list of its own: the server adds to it
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else f"{said.text}\n".encode()]

    return answer


class _Server(Seated, WSGIServer):
    timeout = 0.5  # so long it may not see that it has ended

    def __init__(self, where: Metrics, application: WSGIApplication) -> None:
        if ":" in where.host:
            self.address_family = AF_INET6
        self._where = where
        super().__init__((where.host, where.port), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Without the library's look for our name: where no DNS answers, that takes long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self._where.host, self._where.port
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Who asked went away before the answer: no news."""


class _Handler(WSGIRequestHandler):
    timeout = ASK_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - as the library has it
        """Questions are not logged."""
