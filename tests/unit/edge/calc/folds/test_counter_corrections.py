"""What two persons sign in the place of a leap or a drop; amounts are added by hand."""

from typing import Any

import numpy as np

from edge.calc.folds.counter_meter import CounterMeter
from edge.calc.folds.papers import Paper, Papers
from evidence.point_rules import PointRules
from tests.unit.edge.calc.folds.paper_examples import FROM, paper, papers
from tests.unit.edge.calc.folds.test_leaps import meter

S = 10**9
KIND = "counter-correction"


def leapt() -> CounterMeter:
    """0.1 Nm3 a count, at most a count a second: 10 counts, a leap of 90,000, 10 more, a drop."""
    made = CounterMeter(meter(PointRules(rate_per_s="0.1")))
    counts = np.array([0, 10, 90_010, 90_020, 5], dtype=np.int64)
    ticks = FROM + np.arange(5, dtype=np.int64) * 10 * S
    made.counter.feed(ticks, counts, np.ones(5, dtype=bool))
    return made


def signed(value: str, first_s: int, last_s: int, unit: str = "Nm3") -> Paper:
    body = {"value": value, "unit": unit, "from_ns": FROM + first_s * S, "to_ns": FROM + last_s * S}
    return paper(KIND, "gas.total", body)


def seen(*given: Paper) -> tuple[str | None, list[str], dict[str, Any]]:
    """(what is counted in Nm3 if it is corrected, flags, entry)."""
    made, there = leapt(), papers(*given)
    made.correct(there)
    entry = made.reading_map(there)
    flags = [flag for flag in made.flags(there) if "flow" not in flag]
    return entry.get("corrected"), flags, entry


def test_without_one_the_leap_counts_what_its_limit_lets_pass() -> None:
    made = leapt()
    made.correct(Papers())
    assert made.counter.total == 10 + 10 + 10  # ten seconds of each
    assert seen()[1][-1] == "leap-unexplained:gas.total"


def test_the_signed_amount_takes_the_place_of_the_leap() -> None:
    corrected, flags, entry = seen(signed("7.25", 15, 19))
    assert corrected == "9.25"  # 1 + 7.25 + 1
    assert entry["difference"] == "3.0"
    (told,) = entry["corrections"]
    assert (told["counted"], told["value"]) == ("1.0", "7.25")
    assert "counter-corrected:gas.total" in flags
    assert "leap-unexplained:gas.total" not in flags


def test_one_of_leap_and_drop_together_is_of_both() -> None:
    assert seen(signed("100", 15, 39))[0] == "102"


def test_what_is_of_no_step_of_another_unit_or_twice_is_not_used() -> None:
    refused = "not-usable:gas.total.counter-correction"
    for given in (
        [signed("7", 3, 5)],
        [signed("7", 15, 19, unit="m3")],
        [signed("-7", 15, 19)],
        [signed("7", 15, 19), signed("8", 16, 18)],
    ):
        corrected, flags, _ = seen(*given)
        assert (corrected, refused in flags) == (None, True)
        assert "leap-unexplained:gas.total" in flags
