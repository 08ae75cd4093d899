"""A cell as it is read from a spreadsheet: its text, or why there is none. Pure.

No binary fraction is made on the way: a number is the decimal text that the file holds.
"""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation

#: a spreadsheet keeps 15 digits of what was typed and writes up to 17 (the double's): Microsoft,
#: "Excel specifications and limits", number precision
DIGITS_KEPT = 15
_PLACES_MAX = 30
_ROUNDED = Context(prec=DIGITS_KEPT)
_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
#: ECMA-376 part 1, 18.8.30: formats by number; 27 to 36 and 50 to 58 are those of East Asia
_PERCENT, _TIMES, _MOMENTS = {9, 10}, {18, 19, 20, 21, 45, 46, 47}, {22}
_DAYS = {14, 15, 16, 17, *range(27, 37), *range(50, 59)}
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says, without blanks around it.
        problem: why it cannot be taken: "formula", "error", "percent", "time", "date" or "number";
            "" when it can.
    """

    text: str
    problem: str = ""


def format_of(number: int, code: str = "") -> str:
    """What a number format shows: "number", "percent", "day", "moment" or "time".

    Args:
        number: numFmtId.
        code: of a format of the workbook's own, "" for one of the standard's.
    """
    if not code:
        named = {"percent": _PERCENT, "time": _TIMES, "moment": _MOMENTS, "day": _DAYS}
        return next((name for name, ids in named.items() if number in ids), "number")
    bare = _NOT_CODE.sub("", code).partition(";")[0].lower()
    if "general" in bare:
        return "number"
    if "%" in bare:
        return "percent"
    has_day, has_time = bool(re.search("[yd]", bare)), bool(re.search("[hs]", bare))
    if has_day:
        return "moment" if has_time else "day"
    return "time" if has_time else "number"


def number_cell(raw: str, shown: str, *, is_1904: bool = False) -> Cell:
    """A cell that holds a number.

    Args:
        raw: as the file writes it.
        shown: as `format_of` says.
        is_1904: whether days are counted from 1904.
    """
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return Cell(raw[:40], "number")
    if not value.is_finite() or not -_PLACES_MAX < value.adjusted() < _PLACES_MAX:
        return Cell("0" if value.is_zero() else raw[:40], "" if value.is_zero() else "number")
    if shown in ("day", "moment"):
        return _date(value, raw, shown, is_1904=is_1904)
    is_typed = _PLAIN.fullmatch(raw) and len(value.as_tuple().digits) <= DIGITS_KEPT
    problem = shown if shown in ("percent", "time") else ""
    return Cell(raw if is_typed else _plain(value), problem)


def _plain(value: Decimal) -> str:
    """Without an exponent, and with the digits that were typed."""
    text = f"{_ROUNDED.create_decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(value: Decimal, raw: str, shown: str, *, is_1904: bool) -> Cell:
    """A day's number as a date; before March 1900 spreadsheets disagree by a day."""
    if not (0 if is_1904 else 61) <= value < 2_900_000:
        return Cell(raw[:40], "date")
    start = dt.datetime(1904, 1, 1) if is_1904 else dt.datetime(1899, 12, 30)  # noqa: DTZ001 - of no zone
    seconds = int((value * _SECONDS_A_DAY).to_integral_value())
    try:
        at = start + dt.timedelta(seconds=seconds)
    except OverflowError:
        return Cell(raw[:40], "date")
    if shown == "day" and seconds % _SECONDS_A_DAY == 0:
        return Cell(f"{at:%Y-%m-%d}")
    return Cell(f"{at:%Y-%m-%d %H:%M}" + ("" if at.second == 0 else f":{at:%S}"))
