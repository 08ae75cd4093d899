"""Alarms: when each begins and ends, what it says, and that it is said once."""

import logging
from typing import Any

import pytest

from edge.alarms import Alarms, standing
from edge.condition import Condition

DAY_NS = 86_400 * 10**9
NOW_NS = 1_795_574_490 * 10**9
TWO = {"at_ns": NOW_NS, "log": [7, bytes(32)], "anchor": [5, bytes(32)]}


def condition(
    fill: float = 0.1,
    age_days: float = 0,
    two_logs: dict[str, Any] | None = None,
    free: int = 2**30,
) -> Condition:
    return Condition(fill, free, NOW_NS - int(age_days * DAY_NS), two_logs)


@pytest.mark.parametrize(
    ("held", "names"),
    [
        (condition(), []),
        (condition(0.799), []),
        (condition(0.8), ["spool-filling"]),
        (condition(0.999), ["spool-filling"]),
        (condition(1.0), ["spool-filling", "spool-full"]),
        (condition(age_days=30), []),
        (condition(age_days=30.1), ["spool-old"]),
        (condition(free=2**26), []),
        (condition(free=2**26 - 1), ["disk-low"]),
        (condition(two_logs=TWO), ["log-inconsistent"]),
        (Condition(0.0, 2**30, None, None), []),
        (Condition(0.0, 2**30, None, None, NOW_NS + 900 * 10**9), []),
        (Condition(0.0, 2**30, None, None, NOW_NS + 901 * 10**9), ["clock-ahead"]),
    ],
)
def test_what_stands(held: Condition, names: list[str]) -> None:
    assert sorted(standing(held, NOW_NS, 30 * DAY_NS)) == names


def test_each_says_what_and_how_much() -> None:
    held = Condition(1.2, 2**23, NOW_NS - 45 * DAY_NS, TWO, NOW_NS + 365 * DAY_NS)
    said = standing(held, NOW_NS, 30 * DAY_NS, broker_certificate="it ends soon")
    assert said["spool-filling"] == "spool is 120 % full"
    assert "no readings are taken" in said["spool-full"]
    assert "45 days old" in said["spool-old"]
    assert "at 7 entries" in said["log-inconsistent"]
    assert "has 8 MiB left: make room" in said["disk-low"]
    assert said["broker-certificate"] == "it ends soon"
    # date -u -d @1795574490: Wed Nov 25 02:41:30 UTC 2026; 200 times 365 days to wait
    assert "is of 2027-11-25 02:41 UTC, 365 days ahead" in said["clock-ahead"]
    assert "for 73000 days more" in said["clock-ahead"]
    assert "go on as a new plant" in said["clock-ahead"], "one gateway a plant has months"


def test_said_once_with_an_event_and_said_when_over(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms(30 * DAY_NS)
    assert alarms.check(condition(), NOW_NS) == []
    with caplog.at_level(logging.WARNING):
        events = alarms.check(condition(0.85), NOW_NS)
        assert events == [{"kind": "spool-filling", "at_ns": NOW_NS, "percent": 85}]
        assert alarms.names == ("spool-filling",)
        assert alarms.check(condition(0.86), NOW_NS) == []
        assert alarms.check(condition(0.76), NOW_NS) == [], "a little less is not over yet"
        assert alarms.names == ("spool-filling",)
        assert alarms.check(condition(0.74), NOW_NS) == []
        assert alarms.names == ()
        assert alarms.check(condition(0.79), NOW_NS) == [], "nor is a little more new"
        full = alarms.check(condition(1.0, two_logs=TWO), NOW_NS)
    assert [e["kind"] for e in full] == ["log-inconsistent", "spool-filling", "spool-full"]
    assert full[0]["log"] == TWO["log"]
    assert full[0]["anchor"] == TWO["anchor"]
    said = [r.getMessage() for r in caplog.records]
    assert said[:2] == ["alarm: spool is 85 % full", "alarm is over: spool-filling"]
    assert alarms.check(condition(1.0, two_logs=TWO, free=2**26 - 1), NOW_NS)
    assert alarms.check(condition(1.0, two_logs=TWO, free=2**26 + 1), NOW_NS) == []
    assert "disk-low" in alarms.names, "a little more room is not enough"
    assert alarms.check(condition(1.0, two_logs=TWO, free=2**27), NOW_NS) == []
    assert "disk-low" not in alarms.names
    urgent = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(urgent) == 2


def test_a_setting_of_a_meter_is_a_line_about_that_meter(caplog: pytest.LogCaptureFixture) -> None:
    departures = ["ac-1: ct_ratio is 40", "ac-2: ct_ratio is 60"]
    alarms = Alarms(30 * DAY_NS)
    alarms.check(condition(0.85), NOW_NS, departures=departures, departing="ac-1")
    said = {r.getMessage().split(".")[0]: getattr(r, "device", None) for r in caplog.records}
    assert said == {
        "alarm: spool is 85 % full": None,
        "alarm: ac-1: ct_ratio is 40; and 1 more": "ac-1",
    }
