"""Clocks against each other: the limits of FORMAT.md §10 step 5, to the nanosecond."""

import dataclasses

import pytest

from evidence.findings import Report
from evidence.frame import Body, Clock, Header, Section
from evidence.log import Entry, Kind
from evidence.verifier.clocks import Times
from evidence.verifier.log_view import LogView
from tests.unit.evidence import sealed_month as sm

S = sm.SECOND
RECEIVED, ANCHOR = 1_000 * S, 100 * S  # of the frame, and of the entry just before its anchor
BODY = sm.bodies(sm.configuration())[0]


def log() -> LogView:
    """Entry 0, received at `ANCHOR`; entry 1, the frame's, at `RECEIVED`."""
    view = LogView()
    view.add(b"first", ANCHOR)
    view.accept(Entry(Kind.FRAME, RECEIVED, 1, "s", 7, bytes(32), 1, bytes(32)), RECEIVED)
    view.add(b"frame", RECEIVED)
    return view


def section(newest_ns: int) -> Section:
    """Ten ticks a second apart, the newest of which is given."""
    first = BODY.sections[0]
    return dataclasses.replace(first, first_ns=newest_ns - 9 * S, step_ns=S, ticks=10)


def told(newest_ns: int | None, *, anchored: bool = True, error_ms: int | None = 3) -> Times:
    """What one frame says whose newest tick is this; None: it is a heartbeat."""
    sections = () if newest_ns is None else (section(newest_ns), section(newest_ns - 5 * S))
    body = Body(0, Clock("ntp", error_ms, 0, bytes(16)), sections=sections)
    header = Header("t", "p", "s", 0, 7, bytes(32), (1, bytes(32)) if anchored else None)
    times = Times()
    with log() as view:
        times.take(view, header, body, view.entry("s", 7))
    return times


def codes(times: Times) -> list[str]:
    report = Report()
    times.tell(report, "s")
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(
    ("newest_ns", "found"),
    [
        (RECEIVED, []), (RECEIVED + 60 * S, []), (RECEIVED + 60 * S + 1, ["W-CLOCK"]),
        (RECEIVED - 900 * S, []), (RECEIVED - 900 * S - 1, ["N-LATE"]),
        (ANCHOR - 1_200 * S, ["N-LATE"]), (ANCHOR - 1_200 * S - 1, ["W-CLOCK", "N-LATE"]),
        (None, []),
    ],
)  # fmt: skip
def test_each_limit_is_where_the_format_says(newest_ns: int | None, found: list[str]) -> None:
    assert codes(told(newest_ns)) == found


def test_without_an_anchor_only_the_receipt_is_compared() -> None:
    assert codes(told(ANCHOR - 5_000 * S, anchored=False)) == ["N-LATE"]


def test_an_object_that_the_log_does_not_know_is_not_compared_with_its_receipt() -> None:
    times = Times()
    body = Body(0, Clock("ntp", 3, 0, bytes(16)), sections=(section(RECEIVED + 999 * S),))
    with log() as view:
        times.take(view, Header("t", "p", "s", 0, 8, bytes(32)), body, None)
    assert codes(times) == []


def test_between_its_anchor_and_its_receipt_a_frame_was_made() -> None:
    times = told(RECEIVED)
    assert (times.window.frames, times.window.most_ns) == (1, RECEIVED - ANCHOR)
    assert told(None).window.most_ns == RECEIVED - ANCHOR  # a heartbeat too
    assert told(RECEIVED, anchored=False).window.frames == 0


def test_the_largest_error_that_the_gateway_stated_is_kept() -> None:
    times = told(RECEIVED, error_ms=None)
    assert times.error_ms is None
    header = Header("t", "p", "s", 0, 7, bytes(32))
    with log() as view:
        for error_ms in (5, 9, None, 2):
            times.take(view, header, Body(0, Clock("ntp", error_ms, 0, bytes(16))), None)
    assert times.error_ms == 9


def test_many_alike_are_one_sentence_with_the_worst_and_the_first() -> None:
    times, report = Times(), Report()
    with log() as view:
        logged = view.entry("s", 7)
        for seq, ahead_s in ((4, 61), (5, 3_600), (6, 62)):
            header = Header("t", "p", "s", 0, seq, bytes(32))
            ticks = (section(RECEIVED + ahead_s * S),)
            times.take(view, header, Body(0, BODY.clock, sections=ticks), logged)
    times.tell(report, "s")
    (finding,) = report.findings
    assert finding.where == "stream s"
    assert finding.sentence == (
        "3 frame(s) have ticks after the collector received them, by 3600 s at most, first at "
        "seq 4."
    )
