"""Answers Prometheus where a file's [metrics] says. I/O: one listener with a thread of its own."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.registry import Collector

from edge.errors import SiteConfigError
from edge.site.metrics import Metrics
from firmware_configs.fields import Problem


@contextlib.contextmanager
def listening(collector: Collector, where: Metrics, path: Path) -> Iterator[None]:
    """Answer with a collector's families, and this process's own, until it is left.

    Args:
        collector: makes them at each question.
        where: address and port.
        path: the file that names them.

    Raises:
        SiteConfigError: the address cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(where.port, where.host, registry)
    except OSError as error:
        reason = f"{where.host}:{where.port} cannot be had: {error.strerror}; name a free port"
        raise SiteConfigError([Problem(str(path), "metrics.listen", reason)]) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
