"""Periods that are not the month, and readings by hand: by arithmetic, or hour by hour."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.calc.errors import InputError, StatementError
from edge.calc.local_instant import at_text, month_edges, read_instant
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute

RULES = "cets-ag-03.01-v01-2024"
BEGIN = datetime.fromisoformat("2026-04-25T00:00")  # hour 0 of the meter of the tests below
HOURS = 24 * 80  # to 14 July
JUNE = (37 * 24, 67 * 24)  # 25 April + 37 d = 1 June; + 30 d = 1 July


def fuel(**table: Any) -> dict[str, Any]:
    """The statement of a steel works that burns anthracite only."""
    return compute(
        {"rule_set": RULES, "month": "2026-06", "fuel": [{"kind": "anthracite", **table}]}
    )


def refused(**table: Any) -> list[str]:
    with pytest.raises(StatementError) as caught:
        fuel(**table)
    return list(caught.value.problems)


def values(statement: dict[str, Any]) -> dict[str, str]:
    return {k: p["value"] for k, p in statement["lines"][0]["parameters"].items()}


@given(
    hourly=st.lists(st.integers(0, 50), min_size=30, max_size=60),
    first=st.integers(JUNE[0] - 140, JUNE[0] + 140),
    last=st.integers(JUNE[1] - 140, JUNE[1] + 140),
)
def test_what_is_bridged_is_what_the_meter_counted_hour_by_hour(
    hourly: list[int], first: int, last: int
) -> None:
    """The naive way: the sum of the month's own hours, whatever the period was.

    Up to the rule's limit: not more than 40 % of it may come from the bridge.
    """
    counts = [hourly[i % len(hourly)] + 20 for i in range(HOURS)]
    between = {"start": sorted((first, JUNE[0])), "end": sorted((last, JUNE[1]))}
    metered = {f"{end}_metered": str(sum(counts[a:b])) for end, (a, b) in between.items() if a != b}
    month = sum(counts[slice(*JUNE)])
    assume(sum(sum(counts[a:b]) for a, b in between.values()) * 100 <= month * 40)
    found = evaluate("period.bridge", {
        "quantity": str(sum(counts[first:last])), "month": "2026-06",
        "period_from": at_text(BEGIN + timedelta(hours=first)),
        "period_to": at_text(BEGIN + timedelta(hours=last)), **metered,
    })  # fmt: skip
    assert found["month_quantity"] == str(month)


def test_a_stock_take_at_16_on_the_30th_is_bridged_and_the_bridge_is_in_the_line() -> None:
    found = fuel(
        opening="5000", purchased="12500", closing="5500",
        period={"from": "2026-05-30T16:00", "to": "2026-06-30T16:00",
                "start_metered": "530", "end_metered": "140", "meter": "belt 2"},
    )  # fmt: skip
    # 5000 + 12500 - 5500 = 12000; - 530 + 140 = 11610; (530 + 140) ÷ 11610 = 5.7709 %
    assert values(found) == {
        "opening": "5000", "purchased": "12500", "closing": "5500", "period_quantity": "12000",
        "start_bridge": "-530", "end_bridge": "140", "bridged_percent": "5.77",
        "quantity": "11610", "ncv": "22.867", "carbon_content": "0.02749",
    }  # fmt: skip
    told = found["lines"][0]["parameters"]["start_bridge"]["source"]
    assert told == "subtracted: belt 2 from 2026-05-30T16:00 to 2026-06-01T00:00"
    assert "bridged" in found["flags"]


#: the usual invoice, 26th to 25th: 6 days of May out, 5 of June in; at 100 t a day 11 ÷ 30 = 36.7 %
INVOICE = {"from": "2026-05-26T00:00", "to": "2026-06-26T00:00", "meter": "belt 2",
           "start_metered": "600", "end_metered": "500"}  # fmt: skip


def test_an_invoice_of_other_dates_alone_is_the_figure_and_is_said_to_be_one() -> None:
    found = fuel(recorded="3100", recorded_by="invoice 17", recorded_period=INVOICE)
    assert found["lines"][0]["quantity"] == "3000"
    assert found["lines"][0]["parameters"]["bridged_percent"]["value"] == "36.67"
    assert {"bridged", "record-only"} <= set(found["flags"])
    assert "cross_checks" not in found  # nothing to compare it with


def test_an_invoice_beside_the_meter_is_the_second_source() -> None:
    found = fuel(
        quantity="2950", recorded="3100", recorded_by="invoice 17", recorded_period=INVOICE
    )
    assert found["lines"][0]["quantity"] == "2950"
    (check,) = found["cross_checks"]
    assert (check["statistic"], check["result"]) == ("1.695", "within")  # 50 ÷ 2950
    assert values(found)["recorded_start_bridge"] == "-600"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"quantity": "1", "period": {"from": "2026-05-30T16:00", "to": "2026-07-01T00:00"}},
         "fuel[0].period.start_metered: missing; to make it 2026-06's, subtract what a meter "
         "counted from 2026-05-30T16:00 to 2026-06-01T00:00"),
        ({"quantity": "1", "period": {"from": "2026-06-01T08:00", "to": "2026-06-30T16:00"}},
         "fuel[0].period.end_metered: missing; to make it 2026-06's, add what a meter counted from "
         "2026-06-30T16:00 to 2026-07-01T00:00"),
        ({"quantity": "3100", "period": {**INVOICE, "end_metered": "800"}},
         "fuel[0].period: 42.4 % of the month's quantity would come from the meter that bridges, "
         "more than 40 %: give the meter's own quantity of the month, or another period's"),
        ({"quantity": "100", "period": {**INVOICE, "start_metered": "600"}},
         "fuel[0].period: all % of"),
        ({"quantity": "1", "period": {**INVOICE, "from": "2026-06-01T00:00"}},
         "fuel[0].period.start_metered: nothing lies between period and month there"),
        ({"quantity": "1", "period": {**INVOICE, "to": "2026-05-31T00:00"}},
         "fuel[0].period: must end after it begins, and have a part in 2026-06"),
        ({"quantity": "1", "period": {"from": "30.5.2026", "to": "2026-06-30T24:00"}},
         "fuel[0].period.from: '30.5.2026' is no local time like \"2026-05-30T16:00\""),
        ({"quantity": "1", "period": {k: v for k, v in INVOICE.items() if k != "meter"}},
         "fuel[0].period.meter: missing: which meter counted what is added or subtracted"),
        ({"recorded": "1", "recorded_by": "invoice", "period": INVOICE},
         "fuel[0].period: is of quantity or stocks; a record's is recorded_period"),
        ({"recorded": "1"}, "fuel[0].recorded_by: missing: what it stands in (invoice, ledger, "
                            "205-1 form)"),
        ({"quantity": "1", "recorded_by": "x"},
         "fuel[0].recorded_by: has no meaning without recorded"),
    ],
)  # fmt: skip
def test_what_cannot_be_bridged_is_told_with_what_is_needed(table: Any, said: str) -> None:
    assert any(problem.startswith(said) for problem in refused(**table)), refused(**table)


READ = {"first": "1000", "first_at": "2026-06-01T00:03", "last": "4500.5",
        "last_at": "2026-06-30T23:59:30"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "quantity", "ages", "notes"),
    [
        # 3500.5 as read; 3 min are told, no more
        ({}, "3500.5", ("180", "30"), {"totaliser-age"}),
        ({"multiplier": "0.001"}, "3.5005", ("180", "30"), {"totaliser-age"}),
        ({"first_at": "2026-06-01T00:00", "last": "1000"}, "0", ("0", "30"), set()),
        # 4500.5 - 998000 + 1000000, read a minute before the month: at the limit of 60 s
        ({"first": "998000", "rolls_at": "1000000", "first_at": "2026-05-31T23:59"}, "6500.5",
         ("-60", "30"), {"totaliser-rolled"}),
        # read eight hours early at the end: 3500.5 + 40
        ({"last_at": "2026-06-30T16:00", "end_metered": "40", "meter": "DCS trend"}, "3540.5",
         ("180", "28800"), {"bridged", "totaliser-age"}),
        ({"last_at": "2026-06-30T16:00", "end_metered": "40", "meter": "DCS trend",
          "first_at": "2026-06-01T00:01"}, "3540.5", ("60", "28800"), {"bridged"}),
    ],
)  # fmt: skip
def test_readings_by_hand(
    change: dict[str, str], quantity: str, ages: tuple[str, str], notes: set[str]
) -> None:
    found = fuel(readings={**READ, **change})
    assert found["lines"][0]["quantity"] == quantity
    said = values(found)
    assert (said["first_after_start_s"], said["last_before_end_s"]) == ages
    assert {f for f in found["flags"] if f.startswith(("totaliser", "bridged"))} == notes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"last": "900"}, "fuel[0].readings.last: below first, and a totaliser only counts up"),
        ({"rolls_at": "4000"}, "fuel[0].readings.rolls_at: must be above both readings"),
        ({"first_at": "2026-07-01T00:00"}, "fuel[0].readings.last_at: must be after first_at"),
        ({"last_at": "2026-06-30T16:00"}, "fuel[0].readings.end_metered: missing; to make it"),
        ({"first": "x"}, "fuel[0].readings.first: 'x' is not a decimal number"),
        ({"multiplier": "0"}, "fuel[0].readings.multiplier: 0 must be above zero"),
        ({"colour": "x"}, "fuel[0].readings.colour: unknown key"),
    ],
)
def test_readings_that_cannot_be_right(change: dict[str, str], said: str) -> None:
    problems = refused(readings={**READ, **change})
    assert any(problem.startswith(said) for problem in problems), problems
    assert refused(readings=READ, quantity="1")[0].startswith("fuel[0].readings: give either them")


def test_the_method_says_the_same_of_readings() -> None:
    found = evaluate("totaliser.difference", {
        "first": "998500", "last": "1200", "multiplier": "0.001", "rolls_at": "1000000",
        "month": "2026-06", "first_at": "2026-06-01T00:03", "last_at": "2026-07-01T00:00",
    })  # fmt: skip
    assert found == {"quantity": "2.7", "first_after_start_s": "180", "last_before_end_s": "0"}
    with pytest.raises(InputError, match="no month"):
        evaluate("totaliser.difference", {**READ, "month": "June"})
    with pytest.raises(InputError, match="no month"):
        evaluate("period.bridge", {
            "quantity": "1", "month": "2026-13", "period_from": "2026-06-01T00:00",
            "period_to": "2026-06-01T00:00",
        })  # fmt: skip


@pytest.mark.parametrize("month", ["0000-01", "9999-12"])
def test_a_month_at_an_end_of_the_calendar_is_told_and_not_a_crash(month: str) -> None:
    """Such a month has a statement; it has no edges a period could be bridged to."""
    for table in ({"readings": READ}, {"quantity": "1", "period": INVOICE}):
        with pytest.raises(StatementError, match="is no month like"):
            compute({
                "rule_set": RULES, "month": month, "fuel": [{"kind": "anthracite", **table}]
            })  # fmt: skip


def test_instants() -> None:
    assert month_edges("2026-12")[1] == datetime.fromisoformat("2027-01-01")
    assert at_text(read_instant("2026-05-30 16:00:05")) == "2026-05-30T16:00:05"
    assert read_instant(datetime.fromisoformat("2026-05-30T16:00")) == read_instant(
        "2026-05-30T16:00"
    )
    for wrong in ("2026-06-31T00:00", "2026-06-30T24:00", "2026-06-30", "2026-06-30T16:00Z", 5):
        with pytest.raises(ValueError, match=r"no local time|no time of a calendar"):
            read_instant(wrong)
