"""What the front tells those who watch it: which collectors it hears. Pure."""

from collections.abc import Iterator, Sequence

from fastapi import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from cloud.front.heard import Heard, twice


class FrontMetrics(Collector):
    """The figures of a front."""

    def __init__(self, all_heard: Sequence[Heard]) -> None:
        self._heard = all_heard

    def collect(self) -> Iterator[Metric]:
        """All families."""
        up = _gauge("collector_up", "1: the collector answers; 0: /api/v1/collectors says why not.")
        plants = _gauge("collector_plants", "Plants it was heard to have.")
        since = _gauge("collector_heard_seconds", "Unix time at which it was last heard.")
        for heard in self._heard:
            part = heard.parts["rights"]
            up.add_metric((heard.name,), heard.amiss is None)
            plants.add_metric((heard.name,), len(heard.plants))
            if part.heard_ns is not None:
                since.add_metric((heard.name,), part.heard_ns / 10**9)
        double = GaugeMetricFamily("stackproof_front_plants_twice", "Plants at several collectors.")
        double.add_metric((), len(twice(self._heard)))
        yield from (up, plants, since, double)


def text(all_heard: Sequence[Heard]) -> Response:
    """The text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(FrontMetrics(all_heard))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _gauge(name: str, told: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"stackproof_front_{name}", told, labels=("collector",))
