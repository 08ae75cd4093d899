"""The relay's /metrics, made at each question from what `relay status` tells. I/O: one listener."""

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.clock import Clock
from edge.errors import SiteConfigError
from edge.relay.config import RelayConfig
from edge.relay.status import figures, status_of
from firmware_configs.fields import Problem


class RelayMetrics(Collector):
    """The figures of one relay."""

    def __init__(self, config: RelayConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock

    def collect(self) -> Iterator[Metric]:
        """All families."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, about, labels, value in figures(status_of(self._config, self._clock)):
            full = f"stackproof_relay_{name}"
            family = families.setdefault(full, GaugeMetricFamily(full, about, labels=tuple(labels)))
            family.add_metric(tuple(labels.values()), value)
        yield from families.values()


@contextlib.contextmanager
def serving(config: RelayConfig, clock: Clock) -> Iterator[None]:
    """Answer where RELAY.toml says, until it is left; SiteConfigError: it cannot be had there."""
    if config.metrics is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(RelayMetrics(config, clock))
    ProcessCollector(registry=registry)
    host, port = config.metrics.host, config.metrics.port
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        reason = f"{host}:{port} cannot be had: {error.strerror}; name a free port"
        raise SiteConfigError([Problem(str(config.path), "metrics.listen", reason)]) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
