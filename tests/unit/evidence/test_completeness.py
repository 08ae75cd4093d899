"""How much of a stream is here, counted by hand: 50 s of the small plant are 320 measured readings.

Six points every second and four every ten; four frames of ten ticks, each with one slow tick (the
third begins at second 25, so its slow tick is 30).
"""

import dataclasses
from typing import Any

import pytest

from evidence.frame import Header
from evidence.verifier.clocks import Times
from evidence.verifier.completeness import Held
from tests.unit.evidence import sealed_month as sm

CONFIG = sm.configuration()


def told(archive: bytes) -> dict[str, Any]:
    return sm.check(archive).completeness[sm.STREAM]


def test_the_honest_month() -> None:
    assert told(sm.honest()) == {
        "first_seq": 0, "last_seq": 5, "objects": 6, "missing": [], "missing_objects": 0,
        "readings": 4 * (10 * 6 + 4), "readings_due": 50 * 6 + 5 * 4, "percent": "80.00",
        "anchored_objects": 5, "made_within_s": 10, "clock_error_ms": 1,
        "gaps": 1, "gaps_s": 6, "longest_gap_s": 6,
        "holes": 0, "holes_s": 0, "longest_hole_s": 0, "longest_hole_from": None,
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
