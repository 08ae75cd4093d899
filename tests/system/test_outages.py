"""Broker away, links dead without a word, the agent killed meanwhile: nothing lost, nothing twice.

Ten devices of a hundred registers, read once a second by a real agent; judged from the evidence of
a real collector and from what the devices say they have answered. `./run bench outage` prints the
same runs beside what other gateways did.
"""

from pathlib import Path

import pytest

from tests.integration.edge.brokers import NAMES
from tests.system.outages import AWAY_S, Scene, Verdict, scene

#: from the end of an outage until a value taken after it is at the collector, and good
ALIVE_S = 10.0
#: from SIGKILL until ticks are taken again, beyond the time nobody started it
START_S = 12.0


def test_every_failure_for_some_seconds(tmp_path: Path) -> None:
    with scene(tmp_path, "nats") as made:
        every_failure(made, 6)
        check(made, made.judge())


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("broker", NAMES)
def test_every_failure_for_a_minute(tmp_path: Path, broker: str) -> None:
    with scene(tmp_path, broker, seconds_before_broker=60) as made:
        every_failure(made, 60)
        check(made, made.judge())


def every_failure(made: Scene, seconds: float) -> None:
    for kill in (False, True):
        made.stop_broker(seconds, kill=kill)
        made.silence_uplink(seconds, kill=kill)
        made.silence_devices(seconds, kill=kill)


def check(made: Scene, verdict: Verdict) -> None:
    assert verdict.mistakes == []
    assert verdict.undelivered == verdict.under_way
    kills = [o for o in made.outages if o.killed_ns is not None]
    assert verdict.under_way <= 10 * len(kills)
    lasted_s = verdict.ticks[-1] - verdict.ticks[0]
    missed_s = sum(seconds for seconds, _ in verdict.gaps)
    assert missed_s <= len(kills) * (AWAY_S + START_S)
    assert verdict.polls >= 10 * (lasted_s - missed_s - silent_s(made)) * 0.9, "hardly polled"
    assert {reason for _, reason in verdict.gaps} <= {"restart", "overrun"}
    assert [reason for _, reason in verdict.gaps].count("restart") == len(kills) == 3
    for outage, device_s in zip(made.outages, verdict.device_s, strict=True):
        assert outage.live_s < ALIVE_S, outage
        assert outage.receipted_s < 2 * ALIVE_S, outage
        assert device_s < ALIVE_S, outage
    assert "Traceback" not in made.log("edge")
    assert "Traceback" not in made.log("cloud")


def silent_s(made: Scene) -> float:
    """How long the devices could not be reached."""
    silent = [o for o in made.outages if "devices" in o.name]
    return sum(o.ended_ns - o.began_ns for o in silent) / 1e9 + ALIVE_S * len(silent)
