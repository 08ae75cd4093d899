"""What of the running agent's stream is known beside it, on a spool and receipts made here."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.commissioning.round_trip import RoundTrip, look_at_delivery, watch_next
from edge.spool import Spool
from edge.stream import Stream
from tests.unit.edge.sites import METERS, replaced, site_of, who, write_keys
from tests.unit.edge.stream_rig import NOW_NS, Rig, collector


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    write_keys(tmp_path / "keys")
    spool = Spool(tmp_path / "state" / "spool.sqlite", bytes_max=2**30)
    stream = Stream(spool, who())
    stream.take_up_key(NOW_NS)
    yield Rig(spool, stream, collector())
    spool.close()


def test_how_the_stream_stands(rig: Rig, tmp_path: Path) -> None:
    site = site_of(tmp_path, METERS)
    first = look_at_delivery(site, SystemClock())
    assert (first.is_running, first.signed_seq, first.receipted_seq) == (True, -1, -1)
    assert first.age_s is None
    rig.made(3)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    rig.made(5)
    now = look_at_delivery(site, SystemClock())
    assert (now.signed_seq, now.receipted_seq, now.log_size) == (4, 2, 3)
    assert now.received_ns is not None
    assert abs(now.received_ns - SystemClock().wall_ns()) < 60 * 10**9
    rig.spool.close()
    assert not look_at_delivery(site, SystemClock()).is_running


def test_the_next_object_is_watched_until_its_receipt(rig: Rig, tmp_path: Path) -> None:
    """What is under receipt already does not count; each look moves the stream one step on."""
    site = site_of(tmp_path, METERS)
    rig.made(3)
    rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)
    steps = iter([lambda: rig.made(4), lambda: None,
                  lambda: rig.stream.take_receipt(rig.collector.receipt(), NOW_NS)])  # fmt: skip

    class Steps(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            next(steps)()
            return False

    trip = watch_next(site, SystemClock(), Steps())
    assert trip.is_done
    assert (trip.began.signed_seq, trip.seen.receipted_seq) == (2, 3)
    assert trip.unsigned is trip.began  # the first look after it found it signed
    assert 0 < trip.took_s <= trip.waited_s
    late = watch_next(site, SystemClock(), threading.Event(), patience_s=0)
    assert not late.is_done
    assert late.collector_ahead_s is None
    assert late.as_map()["took_s_max"] is None


def test_what_cannot_be_known_is_told(rig: Rig, tmp_path: Path) -> None:
    nowhere = {"file:keys/collector.crt": "file:keys/gone.crt"}
    site = site_of(tmp_path, replaced(METERS, nowhere))
    trip = watch_next(site, SystemClock(), threading.Event())
    assert not trip.is_done
    assert "uplink.collector" in trip.seen.trouble


def test_a_receipt_of_before_is_no_round_trip(rig: Rig, tmp_path: Path) -> None:
    rig.made(2)
    now = look_at_delivery(site_of(tmp_path, METERS), SystemClock())
    later = replace(now, receipted_seq=1)
    assert not RoundTrip.of(now).after(later).is_done
