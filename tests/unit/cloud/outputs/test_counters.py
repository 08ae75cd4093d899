"""What counters leave open is said in the report, in both languages; ages and days are by hand."""

from typing import Any

import pytest

from cloud.outputs.counters import counter_sentences
from evidence.documents.document import Document

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
#: 2026-05-31T16:00Z: June begins in Shanghai
FROM, TO = 1_780_243_200 * 10**9, 1_782_835_200 * 10**9


def told(*documents: Document, **of: Any) -> list[str]:
    """Of a counter that was read from June's first instant to its last minute."""
    counter = {
        "point": "gas-1.total", "unit": "Nm3", "drop_count": 0, "drops": [],
        "first": {"tick_ns": FROM, "value": "1", "after_start_s": "0"},
        "last": {"tick_ns": TO - HOUR // 60, "value": "9", "before_end_s": "60"},
    } | of  # fmt: skip
    made = {
        language: list(counter_sentences({"totalisers": [counter]}, documents, language))
        for language in ("en", "zh")
    }
    assert len(made["en"]) == len(made["zh"])
    assert all("gas-1.total" in sentence for sentence in made["en"] + made["zh"])
    return made["en"]


def exchange(first_day: float, last_day: float, about: str = "gas-1", **of: str) -> Document:
    """Of June's days, counted from 0."""
    body = {"event": "replacement", "reason": "worn", "from_ns": FROM + int(first_day * DAY),
            "to_ns": FROM + int(last_day * DAY)}  # fmt: skip
    return Document("works", "chen", 0, "meter-event", about, body | of)


@pytest.mark.parametrize(("age_s", "is_told"), [("3599.999999999", False), ("3600", True)])
def test_an_hour_at_an_edge_is_told(age_s: str, is_told: bool) -> None:
    late = {"tick_ns": FROM + HOUR, "value": "1", "after_start_s": age_s}
    early = {"tick_ns": TO - HOUR, "value": "9", "before_end_s": age_s}
    assert [("first read at 2026-05-31T17:00:00Z" in one) for one in told(first=late)] == (
        [True] * is_told
    )
    assert [("last read at 2026-06-30T15:00:00Z" in one) for one in told(last=early)] == (
        [True] * is_told
    )


def step(day: float) -> dict[str, Any]:
    return {"tick_ns": FROM + int(day * DAY), "before": "9", "after": "1"}


LEAP = step(10.5) | {"since_ns": FROM, "replacements": []}
EXCHANGES: dict[str, tuple[Document, dict[str, Any], bool]] = {
    "nothing is seen of it": (exchange(10, 11), {}, True),
    "of the point itself": (exchange(10, 11, "gas-1.total"), {}, True),
    "a drop while it was made": (exchange(10, 11), {"drop_count": 1, "drops": [step(10.5)]}, False),
    "a drop a day after": (exchange(10, 11), {"drop_count": 1, "drops": [step(12)]}, False),
    "a drop days after": (exchange(10, 11), {"drop_count": 1, "drops": [step(12.1)]}, True),
    "a drop before": (exchange(10, 11), {"drop_count": 1, "drops": [step(9.9)]}, True),
    "not all drops are listed": (exchange(10, 11), {"drop_count": 2, "drops": [step(1)]}, False),
    "of another meter": (exchange(10, 11, "gas-2"), {}, False),
    "no exchange": (exchange(10, 11, event="maintenance"), {}, False),
    "over the month's end": (exchange(29, 31), {}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", EXCHANGES)
def test_an_exchange_without_a_step_is_told(case: str) -> None:
    document, of, is_told = EXCHANGES[case]
    assert [("shows no step then" in one) for one in told(document, **of)] == [True] * is_told


def test_a_leap_is_told_once_and_explains_its_exchange() -> None:
    made = told(exchange(10, 11), leap_count=1, leaps=[LEAP])
    assert made == ["gas-1.total: 9 Nm3 at 2026-05-31T16:00:00Z, 1 Nm3 at 2026-06-11T04:00:00Z."]


def test_a_counter_without_a_reading_has_its_flag_and_nothing_here() -> None:
    bare = {"totalisers": [{"point": "gas-1.total", "unit": "Nm3"}]}
    assert list(counter_sentences(bare, [exchange(10, 11)], "en")) == []
