"""A lasting trouble is said once, its change once, its end once."""

import logging

import pytest

from edge.drivers.complaints import Complaints


def test_once_when_it_begins_once_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    complaints = Complaints(logging.getLogger("test.complaints"), "ac-1")
    complaints.over("holding 0x0000")  # nothing was wrong: nothing to say
    for _ in range(3):
        complaints.say("holding 0x0000", "busy")
    complaints.say("holding 0x0000", "illegal data address")
    complaints.over("holding 0x0000")
    complaints.over("holding 0x0000")
    complaints.say("holding 0x0000", "busy")
    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("WARNING", "device ac-1: holding 0x0000: busy"),
        ("WARNING", "device ac-1: holding 0x0000: illegal data address"),
        ("INFO", "device ac-1: holding 0x0000: is fine again"),
        ("WARNING", "device ac-1: holding 0x0000: busy"),
    ]


def test_subjects_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    complaints = Complaints(logging.getLogger("test.complaints"), "ac-1")
    complaints.say("a", "x")
    complaints.say("b", "x")
    complaints.over("a")
    complaints.say("b", "x")
    assert [r.message for r in caplog.records] == [
        "device ac-1: a: x",
        "device ac-1: b: x",
        "device ac-1: a: is fine again",
    ]


def test_what_comes_and_goes_at_every_read_fills_no_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    now_s = 7.0
    monkeypatch.setattr("edge.drivers.complaints.monotonic", lambda: now_s)
    complaints = Complaints(logging.getLogger("test.complaints"), "plc")
    for point in range(300):
        complaints.say(f"p{point}", "says Bad")
    for point in range(300):
        complaints.over(f"p{point}")
    told = [r.message for r in caplog.records]
    assert told[:200] == [f"device plc: p{point}: says Bad" for point in range(200)]
    assert told[200:] == [
        "device plc: more than 200 lines in 60 s: what else comes and goes is left out till then"
    ]
    caplog.clear()
    now_s = 67.0
    complaints.say("p1", "says Bad")
    assert [r.message for r in caplog.records] == [
        "device plc: 400 lines of it were left out",
        "device plc: p1: says Bad",
    ]
