"""The pot controller's effects against the voltage's: what matches, what only one of them saw."""

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.effects.controller_effects import (
    Matching,
    ReportedEffect,
    Tolerance,
    match_effects,
)
from edge.calc.effects.controller_rows import (
    effects_of,
    line_of,
    period_of,
    read_rows,
    tolerance_of,
)
from edge.calc.errors import InputError
from edge.calc.local_time import clock_of
from tests.unit.edge.calc.smelter_month import JUNE, S, effect, statement

ALLOWED = Tolerance(Fraction(10), Fraction(2))
MONTH = (JUNE, JUNE + 30 * 86_400 * S)


def told(pot: str, start_s: int, duration_s: int, v_max: str | None = None) -> ReportedEffect:
    start_ns = JUNE + start_s * S
    volts = None if v_max is None else Fraction(v_max)
    return ReportedEffect(pot, start_ns, start_ns + duration_s * S, (duration_s * S,), volts)


def against(*controller: ReportedEffect, tolerance: Tolerance = ALLOWED) -> Matching:
    """Of the month by hand: 01 at 1000 s (400 s, 25 V) and 90000 (200 s), 02 at 5000 (210 s)."""
    voltage = effects_of(line_of(statement()["input"], None))
    return match_effects(controller, voltage, tolerance, MONTH)


def codes(found: Matching, tolerance: Tolerance = ALLOWED) -> list[tuple[str, str]]:
    return [(finding["pot"], finding["code"]) for finding in found.findings(tolerance)]


SAME = (told("01", 1003, 398, "26"), told("02", 5003, 207, "35"), told("01", 90_003, 199))


def test_what_both_saw_is_no_finding_and_the_clock_is_told() -> None:
    found = against(*SAME)
    assert found.as_map(ALLOWED) == {
        "matched": 3, "only_controller": 0, "only_voltage": 0, "outside_period": 0,
        "findings": [], "controller_clock_ahead_s": "3",
    }  # fmt: skip
    assert [pair.duration_ns for pair in found.pairs] == [-2 * S, -3 * S, -S], (
        "of the polarised time and the time from start to end, the nearer one"
    )


@pytest.mark.parametrize(
    ("controller", "expected"),
    [
        (SAME[:2], [("01", "effect-only-voltage")]),
        ((*SAME, told("03", 700, 60)), [("03", "effect-only-controller")]),
        # the right moment, the wrong pot
        ((*SAME[:2], told("02", 90_003, 199)),
         [("01", "effect-only-voltage"), ("02", "effect-only-controller")]),
        # 11 s off, and what follows from it
        ((told("01", 1011, 400), *SAME[1:]), [("01", "effect-start-differs")]),
        ((told("01", 1000, 411), *SAME[1:]), [("01", "effect-duration-differs")]),
        ((told("01", 1000, 400, "27.001"), *SAME[1:]), [("01", "effect-v-max-differs")]),
        ((told("01", 1000, 400, "22.9"), *SAME[1:]), [("01", "effect-v-max-differs")]),
        # within the tolerance to the last digit
        ((told("01", 1010, 390, "27"), *SAME[1:]), []),
        # one effect of ours is two of the controller's: one of them has no match
        ((told("01", 1000, 100), told("01", 1200, 200), *SAME[1:]),
         [("01", "effect-duration-differs"), ("01", "effect-only-controller")]),
        # it ended 11 s before ours began, or began 11 s after ours ended
        ((told("01", 889, 100), *SAME[1:]),
         [("01", "effect-only-controller"), ("01", "effect-only-voltage")]),
        ((told("01", 1411, 50), *SAME[1:]),
         [("01", "effect-only-voltage"), ("01", "effect-only-controller")]),
        ((), [("01", "effect-only-voltage"), ("02", "effect-only-voltage"),
              ("01", "effect-only-voltage")]),
    ],
)  # fmt: skip
def test_findings(controller: tuple[ReportedEffect, ...], expected: list[tuple[str, str]]) -> None:
    assert codes(against(*controller)) == expected


def test_a_finding_says_what_where_and_when() -> None:
    (finding,) = against(*SAME, told("03", 700, 60)).findings(ALLOWED)
    assert finding == {
        "code": "effect-only-controller", "pot": "03", "at": "2026-05-31T16:11:40Z",
        "sentence": "The controller has an anode effect of 60 s; by the voltage there is none near "
        "it.",
    }  # fmt: skip


def test_the_nearest_start_is_taken_first() -> None:
    """Two rows come near 02 at 5000 s; the nearer one is it, whatever the order."""
    rows = [*SAME[:1], SAME[2], told("02", 4990, 30), told("02", 5001, 30)]
    for order in (rows, rows[::-1]):
        found = against(*order)
        (pair,) = (pair for pair in found.pairs if pair.voltage.pot == "02")
        assert pair.controller.start_ns == JUNE + 5001 * S
        assert [e.start_ns for e in found.only_controller] == [JUNE + 4990 * S]


def test_rows_beyond_the_period_are_counted_and_not_looked_at() -> None:
    month_s = 30 * 86_400
    late, early = told("03", month_s, 60), told("03", -61, 60)
    across = told("03", month_s - 30, 60)
    found = against(*SAME, late, early, across)
    assert found.outside_period == 2
    assert codes(found) == [("03", "effect-only-controller")]


def test_an_effect_that_runs_has_no_duration_yet() -> None:
    running = {**effect("01", 1000, 50, None, "25"), "flags": ["running"]}
    voltage = effects_of({"id": "line-1", "effects": [running], "effect_count": 1})
    found = match_effects([told("01", 1000, 3600)], voltage, ALLOWED, MONTH)
    assert found.findings(ALLOWED) == []
    (finding,) = match_effects([], voltage, ALLOWED, MONTH).findings(ALLOWED)
    assert "50 s (known less well: running)" in finding["sentence"]


@settings(deadline=None)
@given(data=st.data())
def test_pairs_are_one_to_one_near_and_leave_nobody_who_could_match(data: st.DataObject) -> None:
    some = st.lists(
        st.tuples(st.sampled_from("12"), st.integers(0, 300), st.integers(0, 60)), max_size=12
    )
    controller = [told(*fields) for fields in data.draw(some)]
    voltage = [told(*fields) for fields in data.draw(some)]
    found = match_effects(controller, voltage, ALLOWED, MONTH)
    assert len(found.pairs) + len(found.only_controller) == len(controller)
    assert len(found.pairs) + len(found.only_voltage) == len(voltage)
    for pair in found.pairs:
        assert pair.controller.pot == pair.voltage.pot
        assert pair.controller.is_near(pair.voltage, ALLOWED.time_ns)
    for a in found.only_controller:
        for b in found.only_voltage:
            assert a.pot != b.pot or not a.is_near(b, ALLOWED.time_ns)
    mixed = [*controller], [*voltage]
    for rows in mixed:
        random.Random(1).shuffle(rows)
    assert match_effects(*mixed, ALLOWED, MONTH) == found


# -- the table ----------------------------------------------------------------------------------

ROW = {"pot": "01", "start": "2026-06-01T00:16:40+08:00", "duration_s": "12.5", "v_max_v": "31.2"}


def test_a_row() -> None:
    start_ns = JUNE + 1000 * S
    assert read_rows([ROW]) == [
        ReportedEffect("01", start_ns, start_ns + 12_500_000_000, (12_500_000_000,),
                       Fraction("31.2"))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2026-05-31T16:16:40Z", ""), ("2026-06-01 00:16:40", "Asia/Shanghai"),
        ("2026-06-01T00:16:40.000+08:00", "Europe/Berlin"),
        (" 2026-05-31 18:16:40 ", "Europe/Berlin"),
    ],
)  # fmt: skip
def test_starts_with_an_offset_or_by_a_clock(start: str, zone: str) -> None:
    (found,) = read_rows([{**ROW, "start": start}], clock_of(zone) if zone else None)
    assert found.start_ns == JUNE + 1000 * S


def test_the_highest_voltage_may_be_left_out() -> None:
    without = {key: text for key, text in ROW.items() if key != "v_max_v"}
    assert {e.v_max for e in read_rows([{**ROW, "v_max_v": ""}, without])} == {None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": "2026-06-01"}, "row 1.start: '2026-06-01' is not like"),
        ({"start": "2026-06-31T00:00:00Z"}, "row 1.start"),
        ({"start": "2026-06-01 00:16:40"}, "has no offset, and no time zone is given"),
        ({"start": "٢٠٢٦-06-01 00:16:40"}, "is not like"),
        ({"duration_s": "-1"}, "row 1.duration_s: -1 is not between 0 and 86400"),
        ({"duration_s": "12,5"}, "row 1.duration_s"),
        ({"v_max_v": "nan"}, "row 1.v_max_v"), ({"v_max_v": "1001"}, "between 0 and 1000"),
        ({"pot": ""}, "row 1.pot: missing"), ({"type": "AE"}, "row 1: unknown column 'type'"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named(change: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_rows([{**ROW, **change}, {**ROW, "start": "?"}])
    assert said in caught.value.problems[0]
    assert caught.value.problems[1].startswith("row 2.start")


@pytest.mark.parametrize("start", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"])
def test_a_start_that_a_clock_shows_twice_or_never_needs_its_offset(start: str) -> None:
    with pytest.raises(InputError, match="comes twice or never there: give its offset"):
        read_rows([{**ROW, "start": start}], clock_of("Europe/Berlin"))


def test_no_more_problems_are_told_than_anybody_reads() -> None:
    with pytest.raises(InputError) as caught:
        read_rows([{**ROW, "start": "?"}] * 1000)
    assert len(caught.value.problems) == 50


# -- the statement ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda s: line_of(s, "line-2"), lambda s: line_of({}, None), lambda s: line_of(None, None),
        lambda s: line_of({"potlines": [{"id": "a"}]}, None), lambda s: period_of({}),
        lambda s: period_of({"period": {"from": "June", "to": "July"}}),
        lambda s: effects_of({"effects": [{}]}),
        lambda s: effects_of({**s["potlines"][0], "effect_count": 4}),
        lambda s: tolerance_of("-1", "2"), lambda s: tolerance_of("1", "many"),
        lambda s: line_of({"potlines": [*s["potlines"], {**s["potlines"][0], "id": "b"}]}, None),
    ],
)  # fmt: skip
def test_what_is_no_month_or_no_tolerance(call: Any) -> None:
    with pytest.raises(InputError):
        call(statement()["input"])


def test_a_potline_in_pieces_is_put_together() -> None:
    given = statement()["input"]
    piece = {"id": "line-1", "effects": [effect("03", 9, 9, 20, "9")], "effect_count": 1}
    given["potlines"].append(piece)
    assert [e.pot for e in effects_of(line_of(given, "line-1"))] == ["01", "02", "01", "03"]
