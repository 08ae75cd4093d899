"""A device that does not answer: since when, and what `edge status` makes of it."""

from typing import Any

import pytest

from edge.link import BACKOFF_S_MAX
from edge.pollers import silent_of
from edge.status import is_well, lines
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


SILENT = {"asked": 2, "silent": [{"id": "ac-1", "since_ns": NOW_NS}]}


@pytest.mark.parametrize(
    ("devices", "alarms", "counted", "last"),
    [(SILENT, (), "devices: 1 of 2 answer", "SILENT ac-1: no answer since 2026-11-25 02:41:30 UTC"),
     (SILENT, ("fork",), "devices: 1 of 2 answer", "SILENT ac-1: no answer since 2026-11-25"),
     ({"asked": 2, "silent": []}, (), "devices: 2 of 2 answer", "no alarms"),
     (None, (), "", "no alarms")],
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


async def test_a_device_is_silent_since_its_first_tick_without_an_answer() -> None:
    rig = await Rig().connected()
    second = 10**9
    await rig.poller.poll(0.05, 100 * second)
    assert silent_of([rig.poller], 1000 * second) == {}
    rig.device.answers = False
    for tick_s in (101, 102):
        await rig.poller.poll(0.01, tick_s * second)
    assert silent_of([rig.poller], 111 * second - 1) == {}, "one that is slow once is no trouble"
    assert silent_of([rig.poller], 111 * second) == {"dev": 101 * second}
    rig.device.answers = True
    rig.clock.now_ns += int(BACKOFF_S_MAX * second)
    await rig.poller.connect_first(1)
    await rig.poller.poll(0.05, 112 * second)
    assert silent_of([rig.poller], 1000 * second) == {}
