"""A device that does not answer: since when, and what `edge status` makes of it."""

from pathlib import Path
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.link import BACKOFF_S_MAX
from edge.poller import Poller
from edge.pollers import answering
from edge.spool import Spool
from edge.spool_reader import State
from edge.status import _unkept, is_well, lines
from edge.trouble import Answering
from evidence import cbor
from evidence.quality import Quality
from tests.unit.edge.test_poller import Rig

NOW_NS = 1_795_574_490_000_000_000  # 2026-11-25 02:41:30 UTC


def status(devices: Any, *alarms: str) -> dict[str, Any]:
    """Of a gateway that is well but for these."""
    spool = {
        "percent": 0.0, "bytes_max": 2**33, "disk_free_bytes": 2**33, "objects": 0,
        "oldest_ns": None, "head_seq": 4, "receipted_seq": 4, "open_ticks": 0, "unsigned": 0,
    }  # fmt: skip
    return {
        "plant": "p1", "gateway": "edge-1", "mode": "mqtt", "orders": None, "way": None,
        "running": devices is not None, "broker": None, "broker_shown": None, "devices": devices,
        "spool": spool, "receipt": None, "cosigned_size": 4, "now_ns": NOW_NS,
        "key": {"sha256": "", "site_sha256": ""}, "clock": {"source": "ntp", "error_ms": 1},
        "alarms": [{"name": name, "sentence": "x"} for name in alarms],
    }  # fmt: skip


SILENT = {"asked": 2, "waiting": 0, "silent": [{"id": "ac-1", "since_ns": NOW_NS}]}


@pytest.mark.parametrize(
    ("devices", "alarms", "counted", "last"),
    [(SILENT, (), "devices: 1 of 2 answer", "SILENT ac-1: no answer since 2026-11-25 02:41:30 UTC"),
     (SILENT, ("fork",), "devices: 1 of 2 answer", "SILENT ac-1: no answer since 2026-11-25"),
     ({"asked": 2, "waiting": 0, "silent": []}, (), "devices: 2 of 2 answer", "no alarms"),
     ({"asked": 3, "waiting": 1, "silent": []}, (),
      "devices: 2 of 3 answer; of 1 none has come yet", "no alarms"),
     (None, (), "", "STOPPED: no agent runs, so nothing is read")],
)  # fmt: skip
def test_status_tells_a_device_that_does_not_answer(
    devices: Any, alarms: tuple[str, ...], counted: str, last: str
) -> None:
    """Frames go on without it, under receipt, so "no alarms" said an upgrade went well."""
    told = status(devices, *alarms)
    said = lines(told)
    assert said[-1].startswith(last)
    assert [line for line in said if line.startswith("devices")] == ([counted] if counted else [])
    assert is_well(told) == ("no alarms" in said) == (last == "no alarms")


SECOND = 10**9


def told(poller: Poller, tick_s: float) -> tuple[int, dict[str, int]]:
    """How many wait, and who is silent since which second."""
    found = Answering.decode(answering([poller], int(tick_s * SECOND)).encode())
    assert found is not None
    assert found.asked == 1
    return found.waiting, {device: ns // SECOND for device, ns in found.silent.items()}


async def test_a_device_is_silent_since_its_first_tick_without_an_answer() -> None:
    rig = Rig()
    assert told(rig.poller, 99) == (1, {}), "it was not asked yet, so nobody says that it answers"
    await rig.poller.poll(0.01, 99 * SECOND)
    assert told(rig.poller, 99) == (1, {})
    await rig.connected()
    await rig.poller.poll(0.05, 100 * SECOND)
    assert told(rig.poller, 1000) == (0, {})
    rig.device.answers = False
    for tick_s in (101, 102):
        await rig.poller.poll(0.01, tick_s * SECOND)
    assert told(rig.poller, 110.9) == (0, {}), "one that is slow once is no trouble"
    assert told(rig.poller, 111) == (0, {"dev": 101})
    rig.device.answers = True
    rig.clock.now_ns += int(BACKOFF_S_MAX * SECOND)
    await rig.poller.connect_first(1)
    await rig.poller.poll(0.05, 112 * SECOND)
    assert told(rig.poller, 1000) == (0, {})
    await rig.poller.close()


async def test_one_that_is_asked_each_minute_is_silent_at_once_where_it_is_away_else_later() -> (
    None
):
    rig = await Rig().connected()
    rig.poller.interval_ns = 60 * SECOND
    rig.device.read_s = 0.05
    await rig.poller.poll(0.01, 60 * SECOND)  # too late, this once
    assert rig.poller.connected
    assert told(rig.poller, 119) == (1, {})
    assert told(rig.poller, 120) == (0, {"dev": 60})
    rig.device.answers = False
    await rig.poller.close()
    assert told(rig.poller, 69) == (1, {})
    assert told(rig.poller, 70) == (0, {"dev": 60})


@pytest.mark.parametrize(
    ("given", "since_s"),
    [(Quality.NO_ANSWER, 20), (Quality.NOT_CONNECTED, 20), (Quality.DEVICE_REFUSED, None),
     (Quality.NOT_SAMPLED, None)],
)  # fmt: skip
async def test_who_answers_that_the_device_does_not_is_not_the_device(
    given: Quality, since_s: int | None
) -> None:
    """A gateway says so of a dead unit, a listener of a logger that is away."""
    rig = await Rig().connected()
    await rig.poller.poll(1, 10 * SECOND)
    rig.device.quality = given
    for tick_s in (20, 30):
        polled = await rig.poller.poll(1, tick_s * SECOND)
        assert polled.monotonic_ns is not None
    assert told(rig.poller, 30) == (0, {} if since_s is None else {"dev": since_s})
    await rig.poller.close()


@pytest.mark.parametrize(
    ("age_s", "interval_s", "told", "of_boot", "stands"),
    [(9, 1, b"x", 0, False), (11, 1, b"x", 0, True), (179, 60, b"x", 0, False),
     (181, 60, b"x", 0, True), (11, 1, b"x", 1, False),
     (3_600, 1, b"", 0, False)],  # it has just been started, after an hour
)  # fmt: skip
def test_status_tells_that_nothing_is_kept(
    tmp_path: Path, *, age_s: int, interval_s: int, told: bytes, of_boot: int, stands: bool
) -> None:
    """A disk that refuses each tick takes no event that says so, and no alarm told it."""
    spool, clock = Spool(tmp_path / "spool.sqlite", bytes_max=2**30), SystemClock().state()
    boot = bytes([clock.boot_id[0] ^ of_boot]) + clock.boot_id[1:]
    spool.put({
        State.CLOCK: cbor.encode([boot, NOW_NS, clock.monotonic_ns - age_s * SECOND]),
        State.CONFIG: cbor.encode({"schedules": [
            {"interval_ns": 10**13}, {"interval_ns": interval_s * SECOND}]}),
        State.SILENT: told,
    })  # fmt: skip
    alarms = _unkept(spool, NOW_NS + 60 * SECOND, clock)
    spool.close()
    assert [*alarms] == (["not-kept"] if stands else [])
    since = "no reading has been kept since 2026-11-25 02:41:30 UTC (1 min ago)"
    assert all(sentence.startswith(since) for sentence in alarms.values())
