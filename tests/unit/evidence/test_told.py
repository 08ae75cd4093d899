"""The head of a report: which month, its total, and how many values stand behind it."""

from typing import Any

import pytest

from evidence.verifier.told import month_of, values_of


def statement(**given: Any) -> dict[str, Any]:
    told = {"plant": "p1", "month": "2026-06", "closing": "final", **given}
    return {"input": told, "output": {"totals": {"total_t": "12.30"}}}


def test_a_meter_that_was_dead_is_not_hidden_by_the_readings_that_say_so() -> None:
    """Each tick has a reading of it, without a value: the report said 100 % of those due."""
    counted = {
        "ac-1.power": {"expected": 300, "usable": 300, "percent": "100.00"},
        "gas-1.flow": {"expected": 300, "usable": 1, "percent": "0.33"},
        "gas-1.volume": {"expected": 30, "usable": 30, "reserved": 4, "percent": "100.00"},
        "new.flow": {"expected": 0, "usable": 0},
    }
    assert values_of(statement(completeness=counted)) == {
        "usable": 331, "due": 630, "percent": "52.54", "point": "gas-1.flow", "least": "0.33",
    }  # fmt: skip


HOSTILE: list[Any] = [
    None, [], "x", {"a": None}, {"a": {"usable": 1}}, {"a": {"usable": True, "expected": 1}},
    {"a": {"usable": 0, "expected": 0}}, {"a": {"usable": -1, "expected": 1}},
    {"a": {"usable": 1, "expected": 10**4000}}, {"a": {"usable": 10**4000, "expected": 2}},
]  # fmt: skip


@pytest.mark.parametrize("counted", HOSTILE, ids=range(len(HOSTILE)))
def test_what_an_archive_may_say_instead_is_counted_as_nothing(counted: Any) -> None:
    assert values_of(statement(completeness=counted)) == {}


def test_names_are_made_fit_to_print_and_what_is_not_said_is_no_figure() -> None:
    told = statement(plant="p\x1b[2J", completeness={"a\nPASSED": {"expected": 1, "usable": 1}})
    assert month_of(told)["plant"] == r"p\x1b[2J"
    assert values_of(told)["point"] == r"a\nPASSED"
    for output in ({}, {"totals": []}, {"totals": {}}):
        assert month_of({**told, "output": output})["total_t"] == "?"
