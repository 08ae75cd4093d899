"""What a collector tells those who watch it: /metrics for Prometheus, and is it alive and ready.

`/metrics` asks for a token with the right `evidence` and shows the plants that token is for. Counts
are of this process; nothing here is evidence.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from cloud.accounts.roles import Principal
from cloud.api.disks import Room
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.services import Services
from evidence.version import VERSION

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_STREAM = ("plant", "gateway")


class CollectorMetrics(Collector):
    """The figures of one collector for somebody who sees some of its plants.

    Args:
        given: the collector's.
        who: asks.
        rooms: what lies on a disk -> room on it; absent where it is not known.
    """

    def __init__(self, given: Services, who: Principal, rooms: Mapping[str, Room]) -> None:
        self._given, self._who, self._rooms = given, who, rooms

    def collect(self) -> Iterator[Metric]:
        """All families; a plant that is not seen is in none."""
        yield _one("stackproof_build", "The program's version, as a label.", {"version": VERSION})
        yield from self._plants()
        yield from self._streams()
        yield from self._series()
        yield from self._broker()
        yield from self._disks()
        viewers = GaugeMetricFamily("stackproof_live_viewers", "Open live pages.")
        viewers.add_metric((), self._given.hub.viewers)
        yield viewers
        yield _by_reason(
            "stackproof_live_refused",
            "Live messages that were refused: of all plants.",
            self._given.hub.refused,
        )
        yield _by_reason(
            "stackproof_strangers_refused",
            "Objects that came for plants that are not served here.",
            self._given.streams.strangers(),
        )

    def _sees(self, plant: str) -> bool:
        return self._given.accounts.sees(self._who, plant)

    def _plants(self) -> Iterator[Metric]:
        amiss = self._given.streams.amiss()
        up = GaugeMetricFamily(
            "stackproof_plant_in_order",
            "1: the plant's log goes on; 0: it does not, and /api/v1/health says why.",
            labels=("plant",),
        )
        for plant in sorted({*self._given.streams.served(), *amiss}):
            if self._sees(plant):
                up.add_metric((plant,), plant not in amiss)
        told = "Unix time at which the certificate ends by which the collector signs: see months."
        name = "stackproof_collector_certificate_not_after_seconds"
        ends = GaugeMetricFamily(name, told, labels=("plant",))
        for plant, ends_ns in sorted(self._given.collector_ends.items()):
            if self._sees(plant):
                ends.add_metric((plant,), ends_ns / 10**9)
        yield from (up, ends)

    def _streams(self) -> Iterator[Metric]:
        next_seq = _gauge("next_seq", "Number that the stream's next object will have.")
        receipted = _gauge("receipted_seq", "Newest object whose receipt was sent.")
        missing = _gauge("missing_objects", "Objects that are known to be missing.")
        alarms = _gauge("alarms", "Alarms that stand.")
        speaks = _gauge("speaks", "1: its gateway speaks over the broker; 0: frames are all of it.")
        frames = _counter("frames", "Frames taken since the start.")
        readings = _counter("readings", "Readings taken since the start.")
        refused = _counter("refused", "Objects refused since the start.", "reason")
        for row in self._given.streams.status():
            if not self._sees(row["plant"]):
                continue
            labels = (row["plant"], row["gateway"])
            missed = row["missing"]
            next_seq.add_metric(labels, row["next_seq"])
            receipted.add_metric(labels, row["receipted_seq"])
            missing.add_metric(labels, missed["last"] - missed["first"] + 1 if missed else 0)
            alarms.add_metric(labels, len(row["alarms"]))
            speaks.add_metric(labels, self._given.hub.speaks(*labels))
            frames.add_metric(labels, row["frames"])
            readings.add_metric(labels, row["readings"])
            for reason, count in row["refused"].items():
                refused.add_metric((*labels, reason), count)
        yield from (next_seq, receipted, missing, alarms, speaks, frames, readings, refused)

    def _broker(self) -> Iterator[Metric]:
        away_s = self._given.broker.away_s
        told = "1: the broker is there and grants every topic; 0: nothing arrives of any plant."
        up = GaugeMetricFamily("stackproof_broker_up", told)
        up.add_metric((), away_s is None)
        told = "Seconds for which the broker has been away; 0 while it is there."
        away = GaugeMetricFamily("stackproof_broker_away_seconds", told)
        away.add_metric((), away_s or 0.0)
        unkept_s = self._given.broker_unkept_s()
        told = (
            "Seconds for which the embedded broker has kept nothing of what it takes; 0: it does."
        )
        unkept = GaugeMetricFamily("stackproof_broker_unkept_seconds", told)
        unkept.add_metric((), unkept_s or 0.0)
        told = "Unix time at which a certificate of broker or collector ends: nobody connects then."
        name = "stackproof_broker_certificate_not_after_seconds"
        ends = GaugeMetricFamily(name, told, labels=("certificate",))
        for which, ends_ns in sorted(self._given.broker_ends().items()):
            ends.add_metric((which,), ends_ns / 10**9)
        told = "1: brokers do what the register says; 0: not all, or it cannot be written."
        order = GaugeMetricFamily("stackproof_broker_register_in_order", told)
        if (trouble := self._given.transport.trouble) is not None:
            order.add_metric((), not trouble)
        yield from (up, away, unkept, ends, order)

    def _disks(self) -> Iterator[Metric]:
        told = "Free on the disk that this lies on; when it is full no plant's log goes on."
        free = GaugeMetricFamily("stackproof_disk_free_bytes", told, labels=("of",))
        size = GaugeMetricFamily("stackproof_disk_bytes", "That disk's size.", labels=("of",))
        for name, room in self._rooms.items():
            free.add_metric((name,), room.free)
            size.add_metric((name,), room.size)
        yield from (free, size)

    def _series(self) -> Iterator[Metric]:
        state = self._given.series.state()
        up = GaugeMetricFamily(
            "stackproof_series_store_up",
            "1: the store of series takes what it is given; 0: /api/v1/health says why not.",
            labels=("kind",),
        )
        up.add_metric((state.kind,), not state.trouble)
        waiting = GaugeMetricFamily("stackproof_series_waiting", "Batches that wait for the store.")
        waiting.add_metric((), state.waiting)
        told = "Seconds of committed readings that are not in the store; under 120 none is owed."
        behind = GaugeMetricFamily("stackproof_series_behind_seconds", told, labels=_STREAM)
        told = "Unix time before which every committed reading is in the store."
        through = GaugeMetricFamily("stackproof_series_through_seconds", told, labels=_STREAM)
        told = "Frames since the start that fit no configuration and are in no bucket."
        unfit = CounterMetricFamily("stackproof_series_unfit_frames", told, labels=_STREAM)
        for one in self._given.series.followed():
            if self._sees(one.plant):
                labels = one.plant, one.gateway
                behind.add_metric(labels, one.behind_ns / 10**9)
                through.add_metric(labels, one.through_ns / 10**9)
                unfit.add_metric(labels, one.unfit)
        yield from (up, waiting, behind, through, unfit)


@router.get("/metrics")
async def metrics(given: Given, who: Who) -> Response:
    """The text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(CollectorMetrics(given, who, await given.disks.rooms()))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/livez")
async def live(given: Given) -> PlainTextResponse:
    """It goes on, the thread that keeps evidence too: if it does not, start it again."""
    hangs = bool(given.streams.hangs())
    return PlainTextResponse("hangs\n" if hangs else "alive\n", 503 if hangs else 200)


@router.get("/readyz")
async def ready(given: Given) -> PlainTextResponse:
    """200: every plant's log goes on. 503: some plant's does not; /api/v1/health says why.

    A broker that is away, or keeps nothing of what it takes, is told and is no 503: the collector
    is sound, its pages serve, gateways keep their readings, and who starts it again or sends people
    elsewhere helps nobody.
    """
    amiss, away_s = bool(given.streams.amiss()), given.broker.away_s
    said = "amiss\n" if amiss else "ready\n"
    if away_s is not None:
        said += f"broker away for {away_s:.0f} s\n"
    if (unkept_s := given.broker_unkept_s()) is not None:
        said += f"broker keeps nothing for {unkept_s:.0f} s\n"
    return PlainTextResponse(said, 503 if amiss else 200)


def _gauge(name: str, told: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"stackproof_stream_{name}", told, labels=_STREAM)


def _counter(name: str, told: str, *more: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"stackproof_stream_{name}", told, labels=(*_STREAM, *more))


def _one(name: str, told: str, labels: Mapping[str, str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), 1)
    return family


def _by_reason(name: str, told: str, counts: Mapping[str, Any]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, told, labels=("reason",))
    for reason, count in sorted(counts.items()):
        family.add_metric((reason,), count)
    return family
