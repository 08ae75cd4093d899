"""Documents of other periods brought to June by a feeder; expected values are done by hand.

The feeder counts a tonne an hour, and is read each hour, from June's first midnight (100 t) to the
hour before July's (819 t).
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from edge.calc.folds.bridging import Bridge, MarkedTotaliser, bridged_amounts
from edge.calc.folds.paper_amounts import UnfitError
from edge.calc.folds.papers import Paper, Papers
from evidence.points import Dtype, Point, Quantity, Role
from tests.unit.edge.calc.folds.paper_examples import (
    DAY,
    FROM,
    HOUR,
    TO,
    amount,
    bought,
    paper,
    papers,
    stock,
)

FEEDER = Point("feeder.total", Quantity("mass", "t"), Dtype.F64, 1, Role.TOTALISER)


def feeder(*silent: int, of: range = range(720)) -> Bridge:
    """It, by its readings of June's hours, or of others since June began; without some."""
    read = MarkedTotaliser()
    hours = np.array([hour for hour in of if hour not in silent], np.int64)
    for part in np.array_split(hours, 7):  # frames end within minutes and between them
        read.feed(FROM + part * HOUR, 1_000 + part * 10, np.ones(len(part), bool))
    return Bridge(FEEDER, Fraction(1, 10), read, read.marks)


def between(first: int, last: int) -> dict[str, int]:
    return {"from_ns": first, "to_ns": last}


def told(value: str, first: int, last: int, **other: Any) -> Paper:
    """A person's count of the feeder."""
    body = {"value": value, "unit": "t", **between(first, last), **other}
    return paper("count", FEEDER.id, body)


BY_NIGHT = [stock("500", FROM - 8 * HOUR), stock("450", TO - 8 * HOUR)]
BOUGHT = bought("700", **between(FROM - 8 * HOUR, TO - 8 * HOUR))
BEFORE = told("8.5", FROM - 8 * HOUR, FROM)
SIXTH = bought("800", **between(FROM - 5 * DAY, TO - 5 * DAY))
#: table, what is there -> quantity of the period, what is added at each end, of June, %
BRIDGED: dict[str, tuple[str, list[Paper], tuple[str, dict[str, str], str, str]]] = {
    # 500 + 700 - 450; the end's readings are of 16:00 and 23:00
    "stock taken at 16:00": ("fuel", [*BY_NIGHT, BOUGHT, BEFORE],
                             ("750", {"start": "-8.5", "end": "7"}, "748.5", "2.07")),
    "from the 27th to the 26th": ("fuel", [SIXTH, told("100000", FROM - 5 * DAY, FROM, unit="kg")],
                                  ("800", {"start": "-100", "end": "119"}, "819", "26.74")),
    "from the third": ("product", [amount("count", "600", **between(FROM + 2 * DAY, TO))],
                       ("600", {"start": "48"}, "648", "7.41")),
    "three hours over": ("fuel", [amount("count", "700", **between(FROM, TO + 3 * HOUR)),
                                  told("3", TO, TO + 3 * HOUR)],
                         ("700", {"end": "-3"}, "697", "0.43")),
    "two counts in a row": ("product", [
        amount("count", "300", **between(FROM + 2 * DAY, FROM + 15 * DAY)),
        amount("count", "300", **between(FROM + 15 * DAY + HOUR, TO + HOUR // 2))],
        ("600", {"start": "48"}, "648", "7.41")),
    "clinker": ("clinker", [*BY_NIGHT, bought("60", "output", **between(FROM, TO - 8 * HOUR)),
                            amount("count", "740", **between(FROM, TO - 8 * HOUR)), BEFORE],
                # 60 + 740 + 450 - 500
                ("750", {"start": "-8.5", "end": "7"}, "748.5", "2.07")),
}  # fmt: skip


@pytest.mark.parametrize("case", BRIDGED)
def test_bridges_by_hand(case: str) -> None:
    table, given, (whole, ends, month, percent) = BRIDGED[case]
    made = bridged_amounts(papers(*given), "coal", table, "t", feeder())
    assert {key: one.text for key, one in made.amounts.items()} == {"quantity": month}
    assert made.amounts["quantity"].rule == "bridged"
    printed = made.as_map
    assert printed is not None
    assert (printed["period_quantity"], printed["quantity"]) == (whole, month)
    assert {end: printed[end]["added"] for end in ("start", "end") if end in printed} == ends
    assert printed["bridged_percent"] == percent
    assert made.is_told == any(one.about == FEEDER.id for one in given)


def test_a_bridge_names_its_readings_and_its_papers() -> None:
    printed = bridged_amounts(papers(*BY_NIGHT, BOUGHT, BEFORE), "coal", "fuel", "t", feeder())
    assert printed.as_map is not None
    assert printed.as_map["end"] == {
        "from_ns": TO - 8 * HOUR, "to_ns": TO, "added": "7",
        "first": {"tick_ns": TO - 8 * HOUR, "value": "812.0"},
        "last": {"tick_ns": TO - HOUR, "value": "819.0"},
    }  # fmt: skip
    assert printed.as_map["start"]["documents"]["sha256"] == [BEFORE.sha256]
    assert printed.as_map["parts"] == {"opening": "500", "purchased": "700", "closing": "450"}
    made_of = {one.sha256 for one in printed.amounts["quantity"].made_of}
    assert made_of == {one.sha256 for one in (*BY_NIGHT, BOUGHT, BEFORE)}


def test_what_is_of_june_within_an_hour_is_not_bridged() -> None:
    near = [stock("500", FROM - HOUR), stock("450", TO + HOUR), bought("700")]
    made = bridged_amounts(papers(*near), "coal", "fuel", "t", feeder())
    assert (made.as_map, made.is_told) == (None, False)
    assert {key: one.text for key, one in made.amounts.items()} == {
        "opening": "500", "purchased": "700", "closing": "450",
    }  # fmt: skip
    assert bridged_amounts(papers(), "coal", "fuel", "t", feeder()).amounts == {}


#: July has 744 hours more
JULY = TO, TO + 744 * HOUR
#: of May's end to July's: documents of the first period and of May, of the next, their sum, May's
IN_ROWS: dict[str, tuple[list[Paper], list[Paper], Fraction, Fraction]] = {
    "stock at 16:00": (
        [*BY_NIGHT, BOUGHT, BEFORE],
        [stock("430", JULY[1] - 8 * HOUR),
         bought("724", **between(TO - 8 * HOUR, JULY[1] - 8 * HOUR))],
        # 500 + 700 + 724 - 430; in May 8.5
        Fraction(1494), Fraction("8.5")),
    "from the 27th to the 26th": (
        [SIXTH, told("120", FROM - 5 * DAY, FROM)],
        [bought("830", **between(TO - 5 * DAY, JULY[1] - 5 * DAY))],
        Fraction(1630), Fraction(120)),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_ROWS)
def test_two_months_in_a_row_count_all_of_it_and_nothing_twice(case: str) -> None:
    """June and July are all that was told, less May's part, and July's end by its readings.

    What June's archive prints as added at its end is what somebody tells of it in July. The hour
    between June's last reading (23:00) and July's first is in the documents, so it is not lost.
    """
    first, second, whole, before = IN_ROWS[case]
    june = bridged_amounts(papers(*first, *second), "coal", "fuel", "t", feeder())
    assert june.as_map is not None
    end = june.as_map["end"]
    copied = told(end["added"], end["from_ns"], end["to_ns"])
    beside = Papers([*first, *second, copied], JULY, JULY)
    july = bridged_amounts(beside, "coal", "fuel", "t", feeder(of=range(720, 720 + 744)))
    assert july.as_map is not None
    after = Fraction(july.as_map["end"]["added"])
    both = june.amounts["quantity"].value + july.amounts["quantity"].value
    assert both == whole - before + after
    assert july.as_map["start"]["added"] == f"-{end['added']}"


LATE = amount("count", "600", **between(FROM + 2 * DAY, TO))
UNFIT: dict[str, tuple[list[Paper], Bridge]] = {
    "nobody told of May": ([*BY_NIGHT, BOUGHT], feeder()),
    "two tell of May": ([*BY_NIGHT, BOUGHT, BEFORE, told("8", FROM - 8 * HOUR, FROM)], feeder()),
    "told of other hours": ([*BY_NIGHT, BOUGHT, told("8", FROM - 7 * HOUR, FROM)], feeder()),
    "less than nothing": ([*BY_NIGHT, BOUGHT, told("-8", FROM - 8 * HOUR, FROM)], feeder()),
    "one stock alone": ([BY_NIGHT[0], BOUGHT, BEFORE], feeder()),
    "a day between two counts": ([
        amount("count", "300", **between(FROM + 2 * DAY, FROM + 15 * DAY)),
        amount("count", "300", **between(FROM + 16 * DAY, TO))], feeder()),
    "not to the minute": ([amount("count", "9", **between(FROM + 2 * DAY + 1, TO))], feeder()),
    "not read then": ([LATE], feeder(*range(40, 49))),
    "not read at first": ([LATE], feeder(0, 1)),
    # 600 + 401 of 1001 would be the feeder's: 40.06 %
    "more than 40 %": ([amount("count", "600", **between(FROM + 401 * HOUR, TO))], feeder()),
    "bought for another month": ([*BY_NIGHT, bought("700"), BEFORE], feeder()),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_cannot_be_bridged_makes_no_amount(case: str) -> None:
    given, by = UNFIT[case]
    with pytest.raises(UnfitError):
        bridged_amounts(papers(*given), "coal", "fuel", "t", by)
