"""How much of a stream is here, counted by hand: 50 s of the small plant are 320 measured readings.

Six points every second and four every ten; four frames of ten ticks, each with one slow tick (the
third begins at second 25, so its slow tick is 30).
"""

import dataclasses
from typing import Any

import pytest

from evidence.frame import Body, Gap, Header
from evidence.verifier.clocks import Times
from evidence.verifier.completeness import Held
from evidence.verifier.gaps import Gaps
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()
SEG = f"data/frames/{sm.STREAM}/2026-06-15/04.seg"


def told(archive: bytes) -> dict[str, Any]:
    return sm.check(archive).completeness[sm.STREAM]


def test_the_honest_month() -> None:
    assert told(sm.honest()) == {
        "first_seq": 0, "last_seq": 5, "objects": 6, "missing": [], "missing_objects": 0,
        "readings": 4 * (10 * 6 + 4), "readings_due": 50 * 6 + 5 * 4, "percent": "80.00",
        "anchored_objects": 5, "made_within_s": 10, "clock_error_ms": 1,
        "gaps": 1, "gaps_s": 6, "longest_gap_s": 6,
    }  # fmt: skip


def without(*seqs: int) -> bytes:
    """The honest archive without some objects, everything else made to fit by a stranger."""
    files = sm.unpack(sm.honest())
    for path in [path for path in files if path.startswith("data/frames/")]:
        kept = [o for o in sm.records(files[path]) if sm.month().objects.index(o) not in seqs]
        files[path] = sm.seg(kept)
        if not kept:
            del files[path]
    return sm.repack(files, by=sm.keys().collector)


@pytest.mark.parametrize(
    ("gone", "ranges"),
    [
        ((2,), [[2, 2]]), ((1, 2), [[1, 2]]), ((1, 3), [[1, 1], [3, 3]]), ((0,), [[0, 0]]),
        ((5,), [[5, 5]]), ((0, 1, 5), [[0, 1], [5, 5]]), (tuple(range(6)), [[0, 5]]),
    ],
)  # fmt: skip
def test_missing_objects_are_named(gone: tuple[int, ...], ranges: list[list[int]]) -> None:
    report = sm.check(without(*gone))
    held = report.completeness[sm.STREAM]
    assert sorted(held["missing"]) == ranges
    assert held["missing_objects"] == len(gone)
    assert held["objects"] == 6 - len(gone)
    gaps = [f for f in report.findings if f.code == "E-CHAIN-GAP"]
    assert len(gaps) == len(ranges)
    first, last = ranges[0]
    which = f"Object {first} is" if first == last else f"Objects {first} to {last} are"
    assert f"{which} missing; what was read there is not in this archive." in [
        f.sentence for f in gaps
    ]


def test_a_stream_that_is_longer_than_it_was_closed_is_told() -> None:
    month = sm.make_month(sm.items(), detail={"streams": {sm.STREAM: [1, 4, bytes(32)]}})
    report = sm.check(sm.build(sm.contents(month)))
    assert [f.sentence for f in report.findings if f.code == "E-CHAIN-GAP"] == [
        "The month was closed with objects 1 to 4 only."
    ]


def test_another_last_object_is_told() -> None:
    month = sm.make_month(sm.items(), detail={"streams": {sm.STREAM: [0, 5, bytes(32)]}})
    report = sm.check(sm.build(sm.contents(month)))
    assert [f.sentence for f in report.findings if f.code == "E-CHAIN-GAP"] == [
        "The month was closed with another object 5 than the archive's."
    ]


def test_a_changed_configuration_is_due_what_it_asks_for() -> None:
    """From second 25 on, the slow schedule asks every 5 s: 25 s to 50 s are 5 ticks, not 2 + ..."""
    other = sm.configuration()
    other["schedules"][1]["interval_ns"] = 5 * sm.SECOND
    made = sm.bodies(CONFIG)
    held = Held(sm.START_NS)
    for body in made[:2]:
        held.read(b"a", CONFIG, body)
    for body in made[2:]:
        held.read(b"b", other, body)
    shown = held.as_map(0, 5, sm.START_NS + 50 * sm.SECOND, Times())
    before, after = 25 * 6 + 3 * 4, 25 * 6 + 5 * 4  # slow ticks at 0, 10, 20; 25, 30 … 45
    assert shown["readings_due"] == before + after
    assert shown["readings"] == 4 * (10 * 6 + 4)
    assert shown["percent"] == "77.11"  # 256 / 332


@pytest.mark.parametrize(
    "spoilt",
    [{}, {"schedules": 5}, {"schedules": [{"interval_ns": 0}]}, {"groups": [{"computed": False}]},
     {"groups": [{"computed": False, "schedule": 9, "points": [1]}]}, {"schedules": [{}]},
     {"groups": [{"computed": False, "schedule": None, "points": [1]}]}],
)  # fmt: skip
def test_a_misformed_configuration_counts_nothing(spoilt: dict[str, Any]) -> None:
    held = Held(0)
    held.read(b"a", (CONFIG | spoilt) if spoilt else {}, sm.bodies(CONFIG)[0])
    shown = held.as_map(0, 1, 10, Times())
    assert (shown["readings"], shown["readings_due"], shown["percent"]) == (0, 0, None)


@pytest.mark.parametrize(("streams", "ranges"), [(1, 1_000), (10, 1_000), (11, 909), (1_000, 10)])
def test_ranges_are_bounded(streams: int, ranges: int) -> None:
    """A thousand streams of a thousand ranges each took 400 MB, mostly of JSON."""
    held = Held(None, streams)
    for i in range(1_007):
        held.miss(2 * i, 2 * i)
    assert (len(held.missing), held.missing_objects) == (ranges, 1_007)


def test_objects_without_anchors_are_counted_as_such() -> None:
    held = Held(None)
    header = Header("t", "p", "s", 0, 0, bytes(32))
    held.take(header)
    held.take(dataclasses.replace(header, anchor=(1, bytes(32))))
    shown = held.as_map(0, 1, None, Times())
    assert (shown["objects"], shown["anchored_objects"]) == (2, 1)
    assert shown["made_within_s"] is shown["clock_error_ms"] is shown["readings_due"] is None


# -- holes ---------------------------------------------------------------------------------------


def holes(made: list[Body]) -> list[str]:
    """What is said of gaps when these frames are all there is."""
    report = sm.check(sm.build(sm.contents(sm.make_month(sm.items(CONFIG, made)))))
    return [f"{f.where}: {f.sentence}" for f in report.findings if f.code == "W-GAP"]


def gapped(gap: Gap | None) -> list[Body]:
    made = sm.bodies(CONFIG)
    made[2] = dataclasses.replace(made[2], gap=gap)
    return made


def at(seconds: int) -> int:
    return sm.START_NS + seconds * sm.SECOND


FAST = "edge-1 seq 3: 5.000 s without readings of schedule 0, which the gateway did not record."
SLOW = "edge-1 seq 3: 10.000 s without readings of schedule 1, which the gateway did not record."


@pytest.mark.parametrize(
    ("gap", "wanted"),
    [
        (Gap(at(19), at(25), "restart"), []), (Gap(at(20), at(24), "x"), []), (None, [FAST, SLOW]),
        (Gap(at(25), at(25), "x"), [FAST, SLOW]), (Gap(0, 1, "x"), [FAST, SLOW]),
        (Gap(at(20), at(20), "x"), [FAST.replace("5.000", "4.000")]),
        (Gap(at(21), at(23), "x"), [FAST.replace("5.000", "2.000"), SLOW]),
    ],
)  # fmt: skip
def test_ticks_that_are_in_no_frame_and_no_gap_are_told(gap: Gap | None, wanted: list[str]) -> None:
    """Seconds 20 to 24 are missing: five ticks of the fast schedule, and second 20 of the slow."""
    assert [line for line in holes(gapped(gap)) if "did not record" in line] == wanted


def test_the_ends_of_the_period_are_told() -> None:
    """Without the first two frames and the last: 0 s to 24 s and 35 s to 39 s are in no frame."""
    made = sm.bodies(CONFIG)
    assert holes([made[2], made[4]]) == [
        "edge-1 seq 1: 6.000 s without readings (restart), recorded by the gateway.",
        "edge-1 seq 1: 19.000 s without readings of schedule 0, which the gateway did not record.",
        "edge-1 seq 1: 20.000 s without readings of schedule 1, which the gateway did not record.",
        "stream edge-1: 5.000 s without readings of schedule 0, which the gateway did not record.",
    ]


def test_a_gap_told_stands_for_a_slow_tick_of_a_later_frame() -> None:
    """Second 20's slow tick is due before second 30's, which comes one frame after the gap."""
    gaps, made = Gaps(sm.START_NS), sm.bodies(CONFIG)
    assert gaps.read(b"a", CONFIG, made[0]) == gaps.read(b"a", CONFIG, made[1]) == []
    gaps.tell(Gap(at(19), at(25), "restart"))
    fast, slow = made[2].sections
    assert gaps.read(b"a", CONFIG, dataclasses.replace(made[2], sections=(fast,))) == []
    assert gaps.read(b"a", CONFIG, dataclasses.replace(made[2], sections=(slow,))) == []
    assert gaps.as_map() == {"gaps": 1, "gaps_s": 6, "longest_gap_s": 6}


def test_a_hundred_gaps_hide_no_long_one() -> None:
    gaps = Gaps(None)
    for _ in range(2_000):
        gaps.tell(Gap(at(0), at(0) + 1_000, "x"))
    gaps.tell(Gap(at(19), at(25), "restart"))
    assert gaps.as_map() == {"gaps": 2_001, "gaps_s": 7, "longest_gap_s": 6}


def test_a_changed_interval_is_due_after_the_newest_tick() -> None:
    """Schedule 1 asks every 5 s from second 10 on: 10 and 15 are due before second 20."""
    other = sm.configuration()
    other["schedules"][1]["interval_ns"] = 5 * sm.SECOND
    gaps, made = Gaps(None), sm.bodies(CONFIG)
    assert gaps.read(b"a", CONFIG, made[0]) == []  # ticks 0 to 9
    fast = dataclasses.replace(made[1], sections=made[1].sections[:1])
    assert gaps.read(b"b", other, fast) == []  # ticks 10 to 19
    assert gaps.end(at(25)) == [
        "10.000 s without readings of schedule 1, which the gateway did not record."
    ]
