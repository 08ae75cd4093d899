"""Which hours, days and months of a CEMS count, by rule set.

Functions on arrays of minutes for the live and monthly fold; the same by hand as methods. A minute
has one of three states; what makes a minute valid is the quality rules' matter, not this file's.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Bool, UInt8
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.parameter import default
from edge.calc.registry import Input, method

HJ, MRR, PART_75 = "hj-75-76", "eu-mrr-2018", "us-part-75"
RULES = (HJ, MRR, PART_75)
MINUTES, QUARTERS = 60, 4
_FEBRUARY = 2


class Minute(IntEnum):
    """What a minute of an hour is.

    MISSING: no valid value. VALID: measured and valid. STOPPED: the unit did not run.
    SERVICE: no valid value because of calibration, quality assurance or maintenance.
    """

    MISSING, VALID, STOPPED, SERVICE = range(4)


#: data marks of HJ 212 (2017, table 8), by which minutes are written for the method
MARKS: Mapping[str, Minute] = {
    "N": Minute.VALID,
    "F": Minute.STOPPED,
    "M": Minute.SERVICE,
    "C": Minute.SERVICE,
    "S": Minute.MISSING,
    "D": Minute.MISSING,
    "T": Minute.MISSING,
    "B": Minute.MISSING,
}


def valid_hours(minutes: UInt8, rules: str) -> Bool:
    """Which hours are valid.

    Args:
        minutes: `Minute` [hours, 60].
        rules: one of `RULES`.

    hj-75-76: >= 45 valid minutes. eu-mrr-2018: >= 80 % of the 60 minutes valid. us-part-75: a valid
    minute in each quarter of the hour in which the unit ran; where minutes fell to service it
    is enough that two valid ones lie at least 15 minutes apart, or that there is one if the unit
    ran in one quarter only. An hour in which the unit did not run is never valid.

    Raises:
        KeyError: rules unknown.
        ValueError: not sixty minutes an hour.
    """
    if minutes.ndim != 2 or minutes.shape[1] != MINUTES:
        raise ValueError(f"minutes are [hours, {MINUTES}], not {list(minutes.shape)}")
    valid = minutes == Minute.VALID
    count = valid.sum(axis=1)
    if rules == PART_75:
        return _quarters(minutes, valid)
    if rules == HJ:
        enough: Bool = count >= _row(HJ, "hour.minutes")
        return enough
    share: Bool = count * 100 >= _row({MRR: MRR}[rules], "hour.share_percent") * MINUTES
    return share


def valid_days(hours: Bool) -> Bool:
    """Which days [days, 24] are valid by HJ 76: >= 20 valid hours. No other rule set has days."""
    days: Bool = hours.sum(axis=-1) >= _row(HJ, "day.hours")
    return days


def is_valid_month(days: Bool, month: int) -> bool:
    """Whether a month of valid days counts by HJ 76: >= 25, February >= 23. month: 1..12."""
    name = "february.days" if month == _FEBRUARY else "month.days"
    return int(days.sum()) >= _row(HJ, name)


def _quarters(minutes: UInt8, valid: Bool) -> Bool:
    shape = (len(minutes), QUARTERS, MINUTES // QUARTERS)
    ran = (minutes != Minute.STOPPED).reshape(shape).any(axis=2)
    seen = valid.reshape(shape).any(axis=2)
    whole = (seen | ~ran).all(axis=1)
    first, last = valid.argmax(axis=1), MINUTES - 1 - valid[:, ::-1].argmax(axis=1)
    apart = last - first >= _row(PART_75, "hour.quadrant")
    one_quarter = ran.sum(axis=1) == 1
    serviced = (minutes == Minute.SERVICE).any(axis=1) & (apart | one_quarter)
    some = valid.any(axis=1)
    found: Bool = some & (whole | serviced)
    return found


def _row(rules: str, name: str) -> int:
    return int(rule_set(rules).row(name).value)


@method(
    "cems.hour_validity",
    version=1,
    source="HJ 76-2017 App. B; (EU) 2018/2066 Art. 44(2); 40 CFR 75.10(d)",
    inputs={
        "rules": Input(is_text=True),
        "minutes": Input(is_text=True, length_max=MINUTES),
    },
    outputs={"valid": "", "valid_minutes": "min", "parameters": ""},
)
def hour_validity(*, rules: str, minutes: str) -> dict[str, Any]:
    """Whether an hour of a CEMS is valid.

    hj-75-76: valid minutes [min] >= 45
    eu-mrr-2018: valid minutes [min] >= 80 [%] ÷ 100 × 60
    us-part-75: each quarter of the hour in which the unit ran has a valid minute; with minutes of
        service, two valid minutes at least 15 minutes apart = valid (one, if it ran one quarter)

    minutes: sixty letters, the data marks of HJ 212: N valid, F stopped, M maintenance and
    C calibration (service), S typed, D fault, T over range, B no connection (missing). Typed
    values are never measured ones. valid: yes or no.

    HJ 76 and the regulation count minutes of the hour whether the unit ran or not; only Part 75
    looks at stopped quarters. No rule makes an hour in which the unit did not run valid.

    Example: 45 N and 15 D are yes by hj-75-76 (45 >= 45) and no by eu-mrr-2018 (45 < 48); 44 N are
    no by both (HJ 76 App. B prints 45 min).

    Not confirmed: 40 CFR 75.10(d) was read as course notes have it, and as a public program's tests
    quote 60.13(h)(2), which says the same. HJ 76 was read as a vendor quotes it.
    """
    problems = _rules_problems(rules, RULES)
    if len(minutes) != MINUTES or set(minutes) - set(MARKS):
        known = " ".join(MARKS)
        problems.append(f"minutes: must be {MINUTES} letters of: {known}")
    if problems:
        raise InputError(problems)
    states = np.array([[MARKS[mark] for mark in minutes]], dtype=np.uint8)
    names = {HJ: "hour.minutes", MRR: "hour.share_percent", PART_75: "hour.quadrant"}
    row = rule_set(rules).row(names[rules])
    return {
        "valid": _yes(bool(valid_hours(states, rules)[0])),
        "valid_minutes": str(minutes.count("N")),
        "parameters": {row.id: _told(rules, names[rules])},
    }


@method(
    "cems.month_validity",
    version=1,
    source="HJ 76-2017 App. B",
    inputs={
        "month": Input("1..12", low="1", high="12"),
        "valid_hours_by_day": Input(is_text=True, length_max=128),
    },
    outputs={"valid": "", "valid_days": "d", "parameters": ""},
)
def month_validity(*, month: Fraction, valid_hours_by_day: str) -> dict[str, Any]:
    """Which days of a month of a CEMS are valid, and whether the month is.

    day: valid hours [h] >= 20
    month: valid days [d] >= 25, in February >= 23

    valid_hours_by_day: a number 0..24 a day, with commas between, 28 to 31 of them as the month
    has. A month of fewer days is one that has not ended: it is judged as it stands.

    Example: June with 25 days of 20 hours and 5 days of 19 is yes: 25 >= 25 (HJ 76 App. B prints 20
    h, 25 d, and 23 d for February).

    Not confirmed: HJ 76 was read as a vendor quotes it, not in its own text.
    """
    if month.denominator != 1:
        raise InputError(["month: must be 1 to 12"])
    days = _hours_of(valid_hours_by_day.split(","))
    good = days >= _row(HJ, "day.hours")
    names = ("day.hours", "february.days" if month == _FEBRUARY else "month.days")
    return {
        "valid": _yes(is_valid_month(good, int(month))),
        "valid_days": str(int(good.sum())),
        "parameters": {name: _told(HJ, name) for name in names},
    }


def _hours_of(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    wrong = [text for text in texts if not (text.isascii() and text.isdigit() and int(text) <= 24)]
    if wrong or len(texts) > 31:
        reason = f"{wrong[0]!r} is not 0..24" if wrong else "more than 31 days"
        raise InputError([f"valid_hours_by_day: {reason}"])
    return np.array([int(text) for text in texts], dtype=np.int64)


def _rules_problems(rules: str, known: Sequence[str]) -> list[str]:
    if rules in known:
        return []
    return [f"rules: {rules!r} unknown; known: {' '.join(known)}"]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _told(rules: str, name: str) -> dict[str, Any]:
    return default(rule_set(rules).row(name)).as_map()
