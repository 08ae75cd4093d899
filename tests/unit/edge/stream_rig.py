"""A gateway's stream, its spool, and a collector that shares the plant's keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.identity import Identity
from edge.spool import Spool
from edge.stream import Stream
from evidence import cose
from evidence.frame import Body, Clock, Header, header_of
from tests.integration.edge.small_collector import SmallCollector
from tests.unit.edge.sites import GATEWAY, PLANT, keys, who

NOW_NS = 1_795_574_490_179_000_000
CONFIG = {"format": 1, "plant": {"id": PLANT}, "gateway": {"id": GATEWAY}}
BODY = Body(NOW_NS, Clock("free", None, 1, bytes(16)))


@dataclass
class Rig:
    """A stream, its spool, and a collector that shares the plant's keys."""

    spool: Spool
    stream: Stream
    collector: SmallCollector

    def made(self, count: int) -> None:
        """A configuration and frames, all taken by the collector, none receipted here."""
        if not self.stream.cfg():
            self.stream.append_config(CONFIG, NOW_NS)
        while self.spool.head().next_seq < count:
            self.stream.append_frame(BODY, b"calc", NOW_NS)
        for stored in self.spool.objects(self.collector.head.next_seq, 1000):
            assert self.collector.take(stored.data)

    def headers(self) -> list[Header]:
        return [header_of(cose.parse(s.data)) for s in self.spool.objects(0, 1000)]


def collector(**changes: Any) -> SmallCollector:
    fields = {
        "plant": PLANT,
        "gateway": GATEWAY,
        "signer": keys().collector_signer,
        "gateway_key": keys().gateway.public_key(),
    }
    return SmallCollector(**{**fields, **changes})


def opened(path: Path, own: Identity | None = None) -> tuple[Spool, Stream]:
    spool = Spool(path, bytes_max=2**24)
    stream = Stream(spool, own or who())
    stream.take_up_key(NOW_NS)
    return spool, stream
