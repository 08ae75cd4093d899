"""Verdicts that need earlier readings; every series and what is expected is worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from edge.pipeline import Layout, judge
from edge.quality_history import History
from evidence import cbor
from evidence.points import Dtype, Point
from evidence.quality import Quality
from tests.unit.edge.ticks import point, rows, tick

S = 10**9
T0 = 1_795_574_700 * S
GOOD, UNCERTAIN = 0, 16
FAST, STUCK, JUMPED, BACK = 19, 20, 21, 22


def history(interval_ns: int = S, dtype: Dtype = Dtype.F64, **fields: Any) -> History:
    of = Point.from_map(point("a.x", dtype, **{"decimals": 1, **fields}))
    return History({0: ([of], interval_ns)})


def verdicts(
    of: History,
    values: Sequence[float],
    *,
    quality: Mapping[int, int] | None = None,
    at: Sequence[int] | None = None,
    dtype: str = "<f8",
) -> list[int]:
    """Codes of one point's readings at ticks 0, 1, 2, … s, or at these."""
    found = []
    for i, value in enumerate(values):
        code = np.array([(quality or {}).get(i, GOOD)], dtype=np.uint8)
        tick_ns = T0 + (at[i] if at else i) * S
        found.append(int(of.judge(0, tick_ns, np.array([value], dtype=dtype), code)[0]))
        assert code[0] == (quality or {}).get(i, GOOD), "what came in is left alone"
    return found


# -- rate ----------------------------------------------------------------------


def test_rate_is_against_the_reading_before_it() -> None:
    """0.5 a second, in tenths: five counts may pass, six may not; downwards alike."""
    of = history(rules={"rate_per_s": "0.5"})
    assert verdicts(of, [0, 0.5, 1.1, 1.6, 1.0]) == [GOOD, GOOD, FAST, GOOD, FAST]


def test_rate_of_a_slow_schedule_is_still_a_second() -> None:
    of = history(10 * S, rules={"rate_per_s": "0.05"})
    assert verdicts(of, [0, 0.5, 1.1], at=[0, 10, 20]) == [GOOD, GOOD, FAST]


def test_a_rate_between_two_counts_is_exact() -> None:
    """0.25 a second is two and a half tenths: two pass, three do not."""
    of = history(rules={"rate_per_s": "0.25"})
    assert verdicts(of, [0, 0.2, 0.5]) == [GOOD, GOOD, FAST]


# -- jump and spike --------------------------------------------------------------------


def test_a_spike_is_told_in_two_parts() -> None:
    of = history(rules={"jump": "5"})
    assert verdicts(of, [1, 1, 9, 1, 1]) == [GOOD, GOOD, JUMPED, BACK, GOOD]


# -- stuck ----------------------------------------------------------------------


def test_what_the_wire_moves_less_than_a_count_is_no_move() -> None:
    of = history(rules={"stuck_after_s": "2"})
    assert verdicts(of, [7.00, 7.01, 7.04, 7.06]) == [GOOD, GOOD, STUCK, GOOD]


# -- together ----------------------------------------------------------------------


def test_the_last_that_holds_is_told() -> None:
    """A spike is faster than the rate too; what stands still is neither."""
    rules = {"rate_per_s": "1", "jump": "5", "stuck_after_s": "2"}
    values = [0, 3, 12, 3, 3, 3]
    assert verdicts(history(rules=rules), values) == [GOOD, FAST, JUMPED, BACK, GOOD, STUCK]


def test_a_verdict_stands_in_place_of_what_the_source_called_uncertain() -> None:
    of = history(rules={"jump": "5"})
    quality = {0: UNCERTAIN, 1: UNCERTAIN, 2: UNCERTAIN}
    assert verdicts(of, [0, 9, 9], quality=quality) == [UNCERTAIN, JUMPED, UNCERTAIN]


def test_a_number_without_a_count_is_not_known() -> None:
    of = history(rules={"jump": "5"})
    assert verdicts(of, [0, float("nan"), 9]) == [GOOD, GOOD, JUMPED]


def test_limits_beyond_every_count_never_fire() -> None:
    rules = {"rate_per_s": "1" + "0" * 30, "jump": "1" + "0" * 30, "stuck_after_s": "1" + "0" * 30}
    of = history(dtype=Dtype.I64, decimals=0, rules=rules)
    most = 2**62 - 1
    assert verdicts(of, [-most, most, -most], dtype="<i8") == [GOOD] * 3


def test_the_widest_step_of_counts_is_seen() -> None:
    of = history(dtype=Dtype.I64, decimals=0, rules={"jump": "1"})
    most = 2**62 - 1
    assert verdicts(of, [-most, most, -most], dtype="<i8") == [GOOD, JUMPED, BACK]


# -- in the pipeline ---------------------------------------------------------------------


CONFIG = {
    "plant": {"simulated": True},
    "schedules": [{"interval_ns": S}],
    "devices": [{"id": "a", "schedule": 0}],
    "points": [
        point("a.free", Dtype.U16),
        point("a.x", Dtype.U16, rules={"jump": "5"}),
        point("a.y", Dtype.U16, rules={"stuck_after_s": "2"}),
        point("c.sum", Dtype.I64),
    ],
    "groups": [
        {"schedule": 0, "dtype": Dtype.U16.value, "computed": False, "points": [0, 1, 2]},
        {"schedule": 0, "dtype": Dtype.I64.value, "computed": True, "points": [3]},
    ],
}


def played(of: History, series: Sequence[Sequence[int]], first: int = 0) -> list[list[int]]:
    """Codes of all points at ticks first, first + 1 and so on."""
    found = []
    for i, values in enumerate(series, start=first):
        (made,) = judge(of, [tick(0, T0 + i * S, {0: rows(values, "<u2")})])
        assert made.rows[0].raw.tolist() == list(values)
        found.append(made.rows[0].quality.tolist())
    return found


SERIES = [[0, 0, 7], [99, 0, 7], [0, 9, 7], [99, 0, 7], [0, 0, 8]]
CODES = [[0, 0, 0], [0, 0, 0], [0, JUMPED, STUCK], [0, BACK, STUCK], [0, 0, 0]]


def test_only_points_with_such_rules_are_judged() -> None:
    assert played(Layout(CONFIG).history(), SERIES) == CODES


def test_without_such_rules_nothing_is_done() -> None:
    plain = {**CONFIG, "points": [point(f"a.{n}", Dtype.U16) for n in "xyz"] + CONFIG["points"][3:]}
    of = Layout(plain).history()
    assert of.is_idle
    ticks = [tick(0, T0, {0: rows([1, 2, 3], "<u2")})]
    assert judge(of, ticks) is ticks
    assert of.snapshot() == {}


@pytest.mark.parametrize("after", range(len(SERIES)))
def test_a_snapshot_goes_on_where_it_was_taken(after: int) -> None:
    of, other = Layout(CONFIG).history(), Layout(CONFIG).history()
    first = played(of, SERIES[:after])
    other.restore(cbor.decode(cbor.encode(of.snapshot())))
    assert first + played(other, SERIES[after:], after) == CODES


def test_a_snapshot_of_other_points_is_refused() -> None:
    snapshot = Layout(CONFIG).history().snapshot()
    with pytest.raises(ValueError, match="other points"):
        history(rules={"jump": "1"}).restore(snapshot)


def test_codes_are_those_of_the_format() -> None:
    assert (Quality.TOO_FAST, Quality.STUCK, Quality.JUMPED, Quality.CAME_BACK) == (19, 20, 21, 22)
