"""The relay's /metrics, made at each question from what `relay status` tells; and its life."""

import contextlib
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.clock import Clock
from edge.life import Life
from edge.metrics_listener import listening
from edge.relay.config import RelayConfig
from edge.relay.status import figures, status_of


class RelayMetrics(Collector):
    """The figures of one relay."""

    def __init__(self, config: RelayConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock

    def collect(self) -> Iterator[Metric]:
        """All families."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, about, labels, value in figures(status_of(self._config, self._clock)):
            full = f"stackproof_relay_{name}"
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = families.setdefault(full, kind(full, about, labels=tuple(labels)))
            family.add_metric(tuple(labels.values()), value)
        yield from families.values()


def serving(
    config: RelayConfig, clock: Clock, life: Life
) -> contextlib.AbstractContextManager[Callable[[], str]]:
    """Answers where RELAY.toml says, until it is left; gives what `listening` gives."""
    if config.metrics is None:
        return contextlib.nullcontext(str)
    return listening(RelayMetrics(config, clock), life, config.metrics)
