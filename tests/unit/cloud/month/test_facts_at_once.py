"""Facts are asked by pages while they are counted: each answer is of one moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud.month.facts import Facts, Position, StreamDay
from cloud.month.tally import Counts, DayTally
from tests.unit.cloud.kept import kept_in

STREAMS = 200


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(kept_in(tmp_path))


def count(facts: Facts, stream: int) -> None:
    tally = DayTally({"meter": Counts(60, 1, 2)}, last_seq=9)
    name = f"edge-{stream:03}"
    facts.add(
        "mini", name, Position(10, b"h" * 32, 5), [], [StreamDay("2026-05-01", name, tally, 7)]
    )


def test_days_are_read_with_their_devices_while_more_are_counted(facts: Facts) -> None:
    """A device of a day that came between two questions was an error of the page."""
    with ThreadPoolExecutor(1) as counting:
        ended = counting.submit(lambda: [count(facts, n) for n in range(STREAMS)])
        while not ended.done():
            days = facts.days("mini", "2026-05")
            assert all(day.tally.devices == {"meter": Counts(60, 1, 2)} for day in days)
        ended.result()
    assert len(facts.days("mini", "2026-05")) == STREAMS


def test_positions_that_were_asked_for_stay_as_they_are(facts: Facts) -> None:
    """Whoever goes through them is not disturbed by a stream that comes."""
    count(facts, 0)
    asked = facts.positions("mini")
    count(facts, 1)
    assert list(asked) == ["edge-000"]
    assert list(facts.positions("mini")) == ["edge-000", "edge-001"]
