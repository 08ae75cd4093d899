"""Answers those who watch, where a file's [metrics] says: /metrics, /livez and /readyz.

I/O: one listener with a thread of its own, and one for each question.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from socket import AF_INET6
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.registry import Collector

from edge.errors import SiteConfigError
from edge.life import Life, Said
from edge.site.metrics import Metrics
from firmware_configs.fields import Problem

ASK_S = 10.0  # a connection that has asked nothing for so long is ended
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))


@contextlib.contextmanager
def listening(collector: Collector, life: Life, where: Metrics, path: Path) -> Iterator[None]:
    """Answer with a collector's families, this process's own, and its life, until it is left.

    Args:
        collector: makes its families at each question.
        life: of the program.
        where: address and port.
        path: the file that names them.

    Raises:
        SiteConfigError: the address cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    try:
        server = _Server(where, _answers(make_wsgi_app(registry), life))
    except OSError as error:
        reason = f"{where.host}:{where.port} cannot be had: {error.strerror}; name a free port"
        raise SiteConfigError([Problem(str(path), "metrics.listen", reason)]) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answers(metrics: WSGIApplication, life: Life) -> WSGIApplication:
    asked: Mapping[str, Callable[[], Said]] = {"/livez": life.live, "/readyz": life.ready}

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start)
        if path in asked:
            said = asked[path]()
            status = "200 OK" if said.is_so else "503 Service Unavailable"
        else:
            said, status = Said(False, f"there are /metrics, {', '.join(asked)}"), "404 Not Found"
        start(status, [*_TEXT])  # a list of its own: the server adds to it
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else f"{said.text}\n".encode()]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # nobody waits at the end for who asks slowly

    def __init__(self, where: Metrics, application: WSGIApplication) -> None:
        if ":" in where.host:
            self.address_family = AF_INET6
        super().__init__((where.host, where.port), _Handler)
        self.set_app(application)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Who asked went away before the answer: no news."""


class _Handler(WSGIRequestHandler):
    timeout = ASK_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - as the library has it
        """Questions are not logged."""
