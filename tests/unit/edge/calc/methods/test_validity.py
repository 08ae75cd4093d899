"""Validity of hours, days and months: the rules as printed, and a naive transcription."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.calc.blocks import UInt8
from edge.calc.errors import InputError
from edge.calc.methods.validity import (
    MARKS,
    RULES,
    Minute,
    is_valid_month,
    valid_days,
    valid_hours,
)
from edge.calc.registry import evaluate


def hour(rules: str, minutes: str) -> str:
    return str(evaluate("cems.hour_validity", {"rules": rules, "minutes": minutes})["valid"])


@pytest.mark.parametrize(
    ("rules", "minutes", "valid"),
    [
        # HJ 76 App. B: at least 45 minutes
        ("hj-75-76", "N" * 45 + "D" * 15, "yes"),
        ("hj-75-76", "N" * 44 + "D" * 16, "no"),
        ("hj-75-76", "D" * 10 + "N" * 50, "yes"),
        ("hj-75-76", "N" * 44 + "S" * 16, "no"),  # typed is not measured
        ("hj-75-76", "F" * 60, "no"),
        # (EU) 2018/2066 Art. 44(2): at least 80 % of 60
        ("eu-mrr-2018", "N" * 48 + "D" * 12, "yes"),
        ("eu-mrr-2018", "N" * 47 + "D" * 13, "no"),
        ("eu-mrr-2018", "N" * 45 + "F" * 15, "no"),
        # 40 CFR 75.10(d): a point in each quadrant in which the unit ran
        ("us-part-75", ("N" + "D" * 14) * 4, "yes"),
        ("us-part-75", "N" * 45 + "D" * 15, "no"),
        ("us-part-75", "N" * 45 + "F" * 15, "yes"),
        ("us-part-75", "N" + "F" * 59, "yes"),
        ("us-part-75", "F" * 60, "no"),
        # calibration: two points at least 15 minutes apart
        ("us-part-75", "N" + "C" * 14 + "N" + "C" * 44, "yes"),
        ("us-part-75", "N" + "C" * 13 + "N" + "C" * 45, "no"),
        ("us-part-75", "N" * 15 + "C" * 45, "no"),
        ("us-part-75", "N" + "C" * 14 + "F" * 45, "yes"),
        ("us-part-75", "C" * 60, "no"),
        ("us-part-75", "N" + "D" * 14 + "N" + "D" * 44, "no"),  # a fault is no calibration
    ],
)
def test_hours_as_the_rules_print_them(rules: str, minutes: str, valid: str) -> None:
    assert hour(rules, minutes) == valid


def test_the_result_says_how_sure_the_rule_is() -> None:
    found = evaluate("cems.hour_validity", {"rules": "us-part-75", "minutes": "N" * 60})
    assert found["valid_minutes"] == "60"
    assert found["parameters"]["hour.quadrant"]["confidence"] == "single-source"


def naive(minutes: list[int], rules: str) -> bool:
    """Each rule once more, minute by minute."""
    valid = [i for i, state in enumerate(minutes) if state == Minute.VALID]
    if rules == "hj-75-76":
        return len(valid) >= 45
    if rules == "eu-mrr-2018":
        return len(valid) >= 48
    ran = {i // 15 for i, state in enumerate(minutes) if state != Minute.STOPPED}
    if not valid:
        return False
    if ran == {i // 15 for i in valid}:
        return True
    return Minute.SERVICE in minutes and (max(valid) - min(valid) >= 15 or len(ran) == 1)


@given(hnp.arrays(np.uint8, (5, 60), elements=st.integers(0, 3)), st.sampled_from(RULES))
def test_arrays_equal_a_naive_transcription(minutes: UInt8, rules: str) -> None:
    found = valid_hours(minutes, rules)
    assert found.tolist() == [naive(list(row), rules) for row in minutes.tolist()]


@given(st.integers(0, 60), st.sampled_from(RULES[:2]))
def test_one_more_valid_minute_never_takes_validity_away(count: int, rules: str) -> None:
    states = np.zeros((2, 60), dtype=np.uint8)
    states[0, :count] = Minute.VALID
    states[1, : count + 1] = Minute.VALID
    fewer, more = valid_hours(states, rules)
    assert more or not fewer


@pytest.mark.parametrize(("hours", "valid"), [(20, True), (19, False), (24, True)])
def test_days(hours: int, valid: bool) -> None:
    day = np.zeros((1, 24), dtype=np.bool_)
    day[0, :hours] = True
    assert valid_days(day).tolist() == [valid]


@pytest.mark.parametrize(
    ("month", "days", "valid"),
    [(6, 25, True), (6, 24, False), (2, 23, True), (2, 22, False), (3, 23, False)],
)
def test_months(month: int, days: int, valid: bool) -> None:
    of_month = np.arange(28 if month == 2 else 30) < days
    assert is_valid_month(of_month, month) is valid
    by_hours = ",".join("20" if good else "19" for good in of_month)
    found = evaluate("cems.month_validity", {"month": month, "valid_hours_by_day": by_hours})
    assert (found["valid"], found["valid_days"]) == ("yes" if valid else "no", str(days))


def test_a_month_by_its_minutes() -> None:
    """30 days × 24 h of 45 valid minutes are a valid month; one minute less and nothing is."""
    states = np.zeros((720, 60), dtype=np.uint8)
    states[:, :45] = Minute.VALID
    days = valid_days(valid_hours(states, "hj-75-76").reshape(30, 24))
    assert is_valid_month(days, 6)
    states[:, 44] = Minute.SERVICE
    assert not valid_hours(states, "hj-75-76").any()


def test_marks_are_those_of_hj_212() -> None:
    assert set(MARKS) == set("NFMSDCTB")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"rules": "en-14181", "minutes": "N" * 60}, "rules: 'en-14181' unknown"),
        ({"rules": "hj-75-76", "minutes": "N" * 59}, "minutes: must be 60 letters"),
        ({"rules": "hj-75-76", "minutes": "N" * 59 + "x"}, "minutes: must be 60 letters"),
    ],
)
def test_hours_that_cannot_be_are_refused(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("cems.hour_validity", inputs)


@pytest.mark.parametrize(
    ("month", "hours", "said"),
    [
        ("13", "24", "month: 13 is above 12"),
        ("2.5", "24", "month: must be 1 to 12"),
        ("6", "24,25", "'25' is not 0..24"),
        ("6", "24,", "'' is not 0..24"),
        ("6", ",".join(["24"] * 32), "more than 31 days"),
    ],
)
def test_months_that_cannot_be_are_refused(month: str, hours: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("cems.month_validity", {"month": month, "valid_hours_by_day": hours})


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="minutes are"):
        valid_hours(np.zeros((24, 59), dtype=np.uint8), "hj-75-76")
    with pytest.raises(KeyError):
        valid_hours(np.zeros((24, 60), dtype=np.uint8), "en-14181")
