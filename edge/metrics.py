"""What a gateway tells those who watch it: /metrics, as Prometheus reads it, and its life.

The spool is read at each question, as `edge status` does beside an agent; devices are counted by
their pollers. Nothing here is evidence. Nobody listens where the site file has no [metrics].
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.broker_tls import BrokerTls
from edge.clock import Clock
from edge.errors import SpoolError
from edge.identity import Identity
from edge.life import Life
from edge.metrics_listener import listening
from edge.poller import Poller
from edge.site.config import Site
from edge.spool_reader import SpoolReader
from edge.status import status_of
from evidence.custody import validity_ns
from evidence.errors import EvidenceError
from evidence.version import VERSION

NS = 1e9
#: as /readyz calls it
SPOOL_ERROR = "spool-error"


def serving(
    site: Site, who: Identity, clock: Clock, pollers: Sequence[Poller], life: Life
) -> contextlib.AbstractContextManager[Callable[[], str]]:
    """Answers where the site file says, until it is left; gives what `listening` gives.

    Without [metrics] nobody listens, and that is no trouble.
    """
    if site.metrics is None:
        return contextlib.nullcontext(str)
    return listening(GatewayMetrics(site, who, clock, pollers), life, site.metrics)


class GatewayMetrics(Collector):
    """The figures of one gateway."""

    def __init__(self, site: Site, who: Identity, clock: Clock, pollers: Sequence[Poller]) -> None:
        self._site, self._who, self._clock, self._pollers = site, who, clock, pollers

    def collect(self) -> Iterator[Metric]:
        """All families, labelled with plant and gateway.

        Of a spool that cannot be read there is but an alarm, which it could not have kept.
        """
        labels = {"plant": self._site.plant.id, "gateway": self._site.gateway.id}
        build = {**labels, "version": VERSION}
        yield _gauge("build", "The program's version, as a label.", build, 1)
        yield from self._devices(labels)
        try:
            told = self._status()
        except (SpoolError, sqlite3.Error, OSError):
            yield _alarms(labels, [{"name": SPOOL_ERROR}])
            return
        for name, about, value in self._figures(told):
            if value is not None:
                yield _gauge(name, about, labels, value)
        yield _alarms(labels, told["alarms"])

    def _status(self) -> dict[str, Any]:
        spool = SpoolReader(self._site.gateway.spool)
        try:
            return status_of(
                self._site, spool, self._clock,
                certificate=self._who.certificate, collector=self._who.collector,
            )  # fmt: skip
        finally:
            spool.close()

    def _figures(self, told: dict[str, Any]) -> Iterator[tuple[str, str, float | None]]:
        spool, receipt, now_ns = told["spool"], told["receipt"] or {}, told["now_ns"]
        oldest_ns = spool["oldest_ns"]
        error_ms = told["clock"]["error_ms"]
        yield "spool_objects", "Objects that wait for a receipt.", spool["objects"]
        yield "spool_bytes", "Size of the spool on disk.", spool["bytes"]
        yield "spool_max_bytes", "Its bound; beyond it no reading is taken.", spool["bytes_max"]
        yield "disk_free_bytes", "Free on the spool's disk.", spool["disk_free_bytes"]
        yield "head_seq", "Number of the newest object.", spool["head_seq"]
        yield "receipted_seq", "Newest object under receipt.", spool["receipted_seq"]
        yield "unsigned_objects", "Frames that wait for the key.", spool["unsigned"]
        is_ring = told["way"] is not None  # what has left stays in it for months
        yield (
            "oldest_unsent_seconds",
            "Age of the oldest object without a receipt; 0: none waits; absent at a one-way site.",
            None if is_ring else 0 if oldest_ns is None else (now_ns - oldest_ns) / NS,
        )
        for name, about in (
            ("left_seq", "Newest object that has left; of one-way sites."),
            ("outbox_files", "Files that the ferry has not taken."),
            ("outbox_bytes", "Their size; nothing is added beyond bytes_max."),
        ):
            yield name, about, (told["way"] or {}).get(name.removeprefix("outbox_"))
        received_ns = receipt.get("received_ns")
        yield (
            "receipt_age_seconds",
            "Since the collector had the object of the newest receipt.",
            None if received_ns is None else (now_ns - received_ns) / NS,
        )
        yield (
            "clock_error_seconds",
            "What the system says its clock may be off by; absent: unknown.",
            None if error_ms is None else error_ms / 1000,
        )
        yield (
            "certificate_not_after_seconds",
            "Unix time at which the gateway's certificate ends.",
            validity_ns(self._who.certificate)[1] / NS,
        )
        tls = BrokerTls.of(self._site)
        with contextlib.suppress(EvidenceError):  # the alarm `broker-certificate` says why
            life = (None, None) if tls is None else validity_ns(tls.certificate())
            for end, verb, at_ns in zip(("before", "after"), ("begins", "ends"), life, strict=True):
                yield (
                    f"broker_certificate_not_{end}_seconds",
                    f"Unix time at which the certificate for the broker {verb}; absent: no TLS, or "
                    "none.",
                    None if at_ns is None else at_ns / NS,
                )

        yield (
            "broker_shown_certificate_not_after_seconds",
            "Unix time at which the certificate ends that the broker showed last; absent: no TLS, "
            "or never there.",
            None if told["broker_shown"] is None else told["broker_shown"]["ends_ns"] / NS,
        )

    def _devices(self, labels: dict[str, str]) -> Iterator[Metric]:
        names = (*labels, "device")
        up = GaugeMetricFamily(
            "stackproof_device_connected", "1: there is a connection.", labels=names
        )
        asked = CounterMetricFamily(
            "stackproof_device_polls", "Ticks it was asked for since the start.", labels=names
        )
        answered = CounterMetricFamily(
            "stackproof_device_answers", "Ticks it answered in time.", labels=names
        )
        for poller in self._pollers:
            of = (*labels.values(), poller.spec.id)
            up.add_metric(of, poller.connected)
            asked.add_metric(of, poller.asked)
            answered.add_metric(of, poller.answered)
        yield from (up, asked, answered)


def _gauge(name: str, about: str, labels: dict[str, str], value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"stackproof_gateway_{name}", about, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), value)
    return family


def _alarms(labels: dict[str, str], alarms: Sequence[dict[str, str]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "stackproof_gateway_alarm", "1: the alarm stands.", labels=(*labels, "alarm")
    )
    for alarm in alarms:
        family.add_metric((*labels.values(), alarm["name"]), 1)
    return family
