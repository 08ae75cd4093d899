"""Totalisers that need somebody, on a kiln read each second: told within a minute, and ended.

Expected instants are by hand: something happens at second 1,800 of the month. A look is each ten
seconds, so that what shows at once is seen by second 1,810.
"""

import sys
from collections import Counter

import numpy as np
import pytest

from cloud.accumulated.counters import counters_of, is_asked_of_people
from edge.calc.blocks import Int64
from edge.calc.folds.counter import TIME_NS
from edge.calc.folds.papers import Paper
from tests.unit.cloud.alarms.played_counters import FROM_NS, SECOND, PlayedCounters, Spoil

COAL, AT = "coal-kiln.total", 1_800
MINUTE_S = 60


def from_then(change: Spoil) -> dict[str, Spoil]:
    """The coal meter shows something else from second 1,800 on."""
    return {COAL: lambda counts, at_s: np.where(at_s >= AT, change(counts, at_s), counts)}


def by_rate(factor: float, beside: int = 0) -> dict[str, Spoil]:
    """It counts so many times what passes, and goes on from where it was, or beside that."""
    seen: list[int] = []

    def change(counts: Int64, at_s: Int64) -> Int64:
        if not seen and at_s[-1] >= AT:
            seen.append(int(counts[0]))
        first = seen[0] if seen else 0
        return (first + beside + (counts - first) * factor).astype(np.int64)

    return from_then(change)


@pytest.mark.parametrize(
    ("spoil", "kind", "within_s"),
    [
        pytest.param(from_then(lambda c, _: c + 10**9), "counter-leap", MINUTE_S, id="leap"),
        pytest.param(by_rate(1, -400), "counter-drop", MINUTE_S, id="lost count"),
        pytest.param(
            {COAL: lambda c, s: np.where((s >= AT) & (s < AT + 2), c + 10**9, c)},
            "counter-spike", MINUTE_S, id="spike of two seconds",
        ),
        pytest.param(by_rate(10), "counter-flow", MINUTE_S, id="scale of ten times"),
        pytest.param(by_rate(0.5), "counter-flow", MINUTE_S, id="half speed"),
    ],
)  # fmt: skip
def test_it_is_told_within_a_minute(spoil: dict[str, Spoil], kind: str, within_s: int) -> None:
    played = PlayedCounters("kiln-normal", spoil).play(AT + 180)
    assert set(played.raised()) == {(kind, COAL)}
    assert AT < played.told[0].second <= AT + within_s


def test_a_spike_is_no_leap_and_is_told_for_an_hour() -> None:
    """Its false readings end with second 1,801; an hour later it is over, and a minute of that."""
    spoil: dict[str, Spoil] = {COAL: lambda c, s: np.where((s >= AT) & (s < AT + 2), c + 10**9, c)}
    played = PlayedCounters("kiln-normal", spoil).play(AT + 3_800)
    assert [(one.kind, one.what) for one in played.told] == [
        ("counter-spike", "raised"), ("counter-spike", "cleared")
    ]  # fmt: skip
    assert AT + 3_660 <= played.told[1].second <= AT + 3_680


def correction(value: str, *, approved: bool = True) -> Paper:
    at_ns = FROM_NS + AT * SECOND
    body = {"from_ns": at_ns - TIME_NS, "to_ns": at_ns + TIME_NS, "value": value, "unit": "t"}
    return Paper("ab" * 32, "counter-correction", COAL, body, approved)


def test_a_leap_stands_until_a_second_person_approved_its_correction() -> None:
    played = PlayedCounters("kiln-normal", from_then(lambda c, _: c + 10**9))
    played.papers = [correction("0.2", approved=False)]
    played.play(AT + 600)
    assert [(one.kind, one.what) for one in played.told] == [("counter-leap", "raised")]
    assert is_asked_of_people(played.sums)
    played.papers = [correction("0.2")]
    played.look_on(AT + 700)
    assert [one.what for one in played.told] == ["raised", "cleared"]


def test_the_months_statement_would_say_so_too() -> None:
    """Its gauge shows 9.4 t/h of a range of 1,000: small beside the range, and no zero."""
    played = PlayedCounters("kiln-normal", by_rate(0.5)).play(7_200)
    flags = {one.point: list(one.flags) for one in counters_of(played.sums, ())}
    assert flags == {COAL: [f"check:flow-totaliser:{COAL}"], "coal-calciner.total": []}


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    ("name", "interval_s", "pots"),
    [("kiln-normal", 10, 0), ("steelworks-normal", 10, 0), ("smelter-normal", 1, 10),
     ("kiln", 10, 0), ("steelworks", 10, 0)],
)  # fmt: skip
def test_thirty_honest_days_raise_nothing(
    name: str, interval_s: int, pots: int, capsys: pytest.CaptureFixture[str]
) -> None:
    played = PlayedCounters(name, interval_s=interval_s, pots=pots).play(30 * 86_400)
    with capsys.disabled():
        totalisers = len(played.sums.totalisers)
        said = f"{name}: {len(played.raised())} alarms of {totalisers} totalisers in 30 days"
        sys.stdout.write(f"\n{said}\n")
    assert Counter(played.raised()) == {}
