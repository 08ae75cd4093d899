"""Time without readings: what is in no frame is told, with its instants, whatever stands before it.

All counted by hand from when the small plant ticks (gap_months.py).
"""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from evidence.configuration import SCHEDULES_MAX
from evidence.errors import MalformedError
from evidence.frame import Body, Gap, decode_body, encode_body
from evidence.phrases import translated
from evidence.verifier.gaps import TOLD_MAX, Gaps, Told
from tests.unit.evidence import gap_months as gm
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.gap_months import CONFIG, MADE, at, hole


def said(archive: bytes) -> list[str]:
    """What is said of gaps."""
    findings = sm.check(archive).weighed()
    return [f"{f.where}: {f.sentence}" for f in findings if f.code == "W-GAP"]


def holes(archive: bytes) -> list[str]:
    return [line for line in said(archive) if "no gap recorded" in line]


def gapped(gap: Gap | None) -> bytes:
    made = [*MADE[:2], dataclasses.replace(MADE[2], gap=gap), *MADE[3:]]
    return gm.month_of((CONFIG, made))


FAST = hole("edge-1 seq 3", 5, 0, "2026-06-15T05:00:00Z", "2026-06-15T05:00:05Z")
SLOW = hole("edge-1 seq 3", 10, 1, "2026-06-15T05:00:00Z", "2026-06-15T05:00:10Z")


@pytest.mark.parametrize(
    ("gap", "wanted"),
    [
        (Gap(at(19), at(25), "restart"), []), (Gap(at(20), at(24), "x"), []), (None, [FAST, SLOW]),
        (Gap(0, 1, "x"), [FAST, SLOW]),
        (Gap(at(19), at(20), "x"),
         [hole("edge-1 seq 3", 4, 0, "2026-06-15T05:00:01Z", "2026-06-15T05:00:05Z")]),
        (Gap(at(21), at(23), "x"), [FAST.replace("5.000", "2.000"), SLOW]),
    ],
)  # fmt: skip
def test_ticks_that_are_in_no_frame_and_no_gap_are_told(gap: Gap | None, wanted: list[str]) -> None:
    """Seconds 20 to 24 are missing: five ticks of the fast schedule, and second 20 of the slow."""
    assert holes(gapped(gap)) == wanted


@pytest.mark.parametrize("name", gm.CASES)
def test_what_is_missing_is_told(name: str) -> None:
    made, wanted = gm.CASES[name]
    assert holes(made()) == wanted


def test_the_ends_of_the_period_are_told() -> None:
    """Without the first two frames and the last: 0 s to 24 s are in no frame, nor told."""
    made = sm.bodies(CONFIG)
    month = sm.make_month(sm.items(CONFIG, [made[2], made[4]]))
    assert said(sm.build(sm.contents(month))) == [
        hole("edge-1 seq 1", 19, 0, "2026-06-15T04:59:40Z", "2026-06-15T04:59:59Z"),
        hole("edge-1 seq 1", 20, 1, "2026-06-15T04:59:40Z", "2026-06-15T05:00:00Z"),
        "edge-1 seq 1: 6.000 s without readings (restart) from 2026-06-15T04:59:59Z to "
        "2026-06-15T05:00:05Z, recorded by the gateway.",
    ]


def test_a_gap_told_stands_for_a_slow_tick_of_a_later_frame() -> None:
    """Second 20's slow tick is due before second 30's, which comes one frame after the gap."""
    gaps, made = Gaps(sm.START_NS), sm.bodies(CONFIG)
    assert gaps.read(b"a", CONFIG, made[0]) == gaps.read(b"a", CONFIG, made[1]) == []
    gaps.tell(Gap(at(19), at(25), "restart"))
    fast, slow = made[2].sections
    assert gaps.read(b"a", CONFIG, dataclasses.replace(made[2], sections=(fast,))) == []
    assert gaps.read(b"a", CONFIG, dataclasses.replace(made[2], sections=(slow,))) == []
    assert (gaps.gaps.count, gaps.holes.count) == (1, 0)


def test_a_hundred_gaps_hide_no_hole() -> None:
    """The report names the hole first, and counts it apart from what was told."""
    archive = gm.behind(120)
    report = sm.check(archive)
    seq = 1 + 2 + 120
    assert [f"{f.where}: {f.sentence}" for f in report.weighed() if f.code == "W-GAP"][:2] == [
        FAST.replace("seq 3", f"seq {seq}"), SLOW.replace("seq 3", f"seq {seq}"),
    ]  # fmt: skip
    held = report.completeness[sm.STREAM]
    assert (held["gaps"], held["gaps_s"], held["longest_gap_s"]) == (120, 120, 1)
    assert (held["holes"], held["holes_s"], held["longest_hole_s"]) == (2, 15, 10)
    assert held["longest_hole_from"] == "2026-06-15T05:00:00Z"


def test_gaps_are_counted_with_their_longest() -> None:
    gaps = Gaps(None)
    for _ in range(2_000):
        gaps.tell(Gap(at(0), at(0) + 1_000, "x"))
    gaps.tell(Gap(at(19), at(25), "restart"))
    assert gaps.as_map() == {
        "gaps": 2_001, "gaps_s": 7, "longest_gap_s": 6,
        "holes": 0, "holes_s": 0, "longest_hole_s": 0, "longest_hole_from": None,
    }  # fmt: skip


def test_gaps_that_overlap_are_one() -> None:
    """Their order does not matter, ends included; what only stands beside another stays apart."""
    spans = [(10, 20), (40, 50), (21, 30), (30, 40), (0, 5), (3, 4), (60, 70)]
    wanted = [(0, 5), (10, 20), (21, 50), (60, 70)]
    for order in itertools.permutations(spans):
        told = Told()
        for span in order:
            told.add(*span)
        assert list(told.between(0, 100)) == wanted
    assert list(told.between(20, 60)) == [(10, 20), (21, 50)]
    assert list(told.between(51, 61)) == [(60, 70)]


def test_of_too_many_gaps_the_earliest_is_forgotten() -> None:
    """A tick of every second is due; of odd ones a gap is told, the first of which is one more."""
    config = {"schedules": [{"interval_ns": sm.SECOND}],
              "groups": [{"computed": False, "schedule": 0, "points": [0]}]}  # fmt: skip
    for told, lost in ((TOLD_MAX, 0), (TOLD_MAX + 1, 1)):
        gaps = Gaps(0)
        gaps.read(b"a", config, dataclasses.replace(MADE[4], sections=()))
        for i in reversed(range(told)):
            gaps.tell(Gap(2 * i * sm.SECOND, (2 * i + 1) * sm.SECOND, "x"))
        gaps.end(2 * told * sm.SECOND, is_final=True)
        assert gaps.as_map()["holes_s"] == 2 * lost


def test_many_schedules_and_gaps_take_no_time() -> None:
    """Each gap is looked at once a schedule: a hundred thousand times, and not in every frame."""
    most = SCHEDULES_MAX
    groups = [{"computed": False, "schedule": i, "points": [i]} for i in range(most)]
    config = {
        "schedules": [{"interval_ns": sm.SECOND + i} for i in range(most)],
        "groups": groups,
    }
    gaps, looked = Gaps(0), 0

    class Counting(Told):
        def between(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
            nonlocal looked
            for span in super().between(from_ns, to_ns):
                looked += 1
                yield span

    gaps._told = Counting()
    gaps.read(b"a", config, dataclasses.replace(MADE[4], sections=()))
    for i in range(TOLD_MAX):
        gaps.tell(Gap(2 * i * sm.SECOND, (2 * i + 1) * sm.SECOND, "x"))
    (section, *_) = MADE[0].sections
    for back in range(50):  # a frame may go back in time: what was looked at is not again
        sections = tuple(
            dataclasses.replace(section, schedule=i, first_ns=(10**4 - back) * sm.SECOND)
            for i in range(most)
        )
        gaps.read(b"a", config, dataclasses.replace(MADE[0], sections=sections))
    assert looked <= most * TOLD_MAX


def test_a_changed_interval_is_due_after_the_newest_tick() -> None:
    """Schedule 1 asks every 5 s from second 10 on: 10 and 15 are due before second 20."""
    gaps, made = Gaps(None), sm.bodies(CONFIG)
    assert gaps.read(b"a", CONFIG, made[0]) == []  # ticks 0 to 9
    fast = dataclasses.replace(made[1], sections=made[1].sections[:1])
    assert gaps.read(b"b", gm.every(5), fast) == []  # ticks 10 to 19
    (sentence,) = gaps.end(at(99), is_final=False)
    assert f"x: {sentence}" == hole("x", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z")


@pytest.mark.parametrize(
    "config",
    [
        {"schedules": [{"interval_ns": sm.SECOND}],
         "groups": [{"computed": False, "schedule": 0, "points": [0]}]},
        {"schedules": CONFIG["schedules"],
         "groups": [{"computed": False, "schedule": 0, "points": [0]},
                    {"computed": True, "schedule": 1, "points": [1]}]},
        {},
    ],
    ids=["is not there", "has no measured points", "cannot be read"],
)  # fmt: skip
def test_a_schedule_that_ends_is_told_what_it_was_due(config: dict[str, Any]) -> None:
    """Its tick of second 10 was due by second 19; after that nothing is."""
    gaps = Gaps(None)
    fast = dataclasses.replace(MADE[1], sections=MADE[1].sections[:1])
    assert gaps.read(b"a", CONFIG, MADE[0]) == gaps.read(b"a", CONFIG, fast) == []
    (sentence,) = gaps.read(b"b", config, MADE[4])
    assert f"x: {sentence}" == hole("x", 10, 1, "2026-06-15T04:59:50Z", "2026-06-15T05:00:00Z")


@pytest.mark.parametrize(
    ("body", "gap"),
    [
        (MADE[2], Gap(at(20), at(20), "x")), (MADE[2], Gap(at(21), at(20), "x")),
        (MADE[2], Gap(at(19), at(25) + 1, "x")), (MADE[4], Gap(at(19), at(50) + 1, "x")),
        (dataclasses.replace(MADE[2], t0_ns=at(20)), Gap(at(19), at(26), "x")),
        (MADE[2], Gap(at(19), at(25), "")), (MADE[2], Gap(at(19), at(25), "x" * 201)),
    ],
)  # fmt: skip
def test_a_gap_that_is_none_or_lies_later_is_refused(body: Body, gap: Gap) -> None:
    with pytest.raises(MalformedError, match="gap"):
        decode_body(encode_body(dataclasses.replace(body, gap=gap)))


def test_what_is_missing_is_told_in_chinese() -> None:
    told = Gaps(None).tell(Gap(at(19), at(25), "power cut"))
    assert translated("sentence", told, "zh") == (
        "2026-06-15T04:59:59Z 至 2026-06-15T05:00:05Z "
        "有 6.000 秒没有读数（power cut），由网关记录。"
    )
    _, _, sentence = FAST.partition(": ")
    assert translated("sentence", sentence, "zh") == (
        "周期 0 在 2026-06-15T05:00:00Z 与 2026-06-15T05:00:05Z 之间有 5.000 秒没有读数，"
        "此处所记的缺口均未涵盖。"
    )
