"""Hours and calibrations of a CEMS from rows of a table. Pure.

Hours: `hour` (its beginning, by the plant's clock without summer time), `minutes` (sixty data marks
of HJ 212) or instead of them `valid_minutes` and `stopped_minutes`, `flow_minutes` where the flow
monitor's marks are others, and the columns of `RANGES`; a value that is not there is empty or "-".
Calibrations: `hour`, `component`, and `reference` with `measured` (and `span` of a flow monitor) or
the `result` itself.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from edge.calc.decimal_text import parse_decimal
from edge.calc.errors import InputError
from edge.calc.local_instant import read_instant
from edge.calc.methods.calibration import ABORTED, FAILED, PASSED, daily_calibration
from edge.calc.methods.validity import MARKS, MINUTES
from edge.calc.stacks.cems import HourReading

RANGES = {
    "co2_percent": ("0", "100"), "o2_percent": ("0", "20.9"), "flow_m3_h": ("0", "100000000"),
    "temperature_c": ("-50", "2000"), "pressure_pa": ("50000", "200000"),
    "moisture_percent": ("0", "99.9"),
}  # fmt: skip
COMPONENTS = ("co2", "o2", "flow", "flow-dp")
RESULTS = (PASSED, FAILED, ABORTED)
ROWS_MAX, PROBLEMS_MAX = 10_000, 50
_MARKS = ("minutes", "valid_minutes", "stopped_minutes", "flow_minutes")
_TESTED = ("reference", "measured", "span", "result")

Row = Mapping[str, str]
#: component -> hour of the test, counted from 0001-01-01 -> its result
Tests = Mapping[str, Mapping[int, str]]


def read_hours(rows: Sequence[Row], *, by_part_75: bool = False) -> list[HourReading]:
    """The hours of a table.

    Args:
        rows: texts by column.
        by_part_75: counts of minutes do not do: the rule asks in which quarters they lie.

    Raises:
        InputError: names row (the first is 1) and column of each problem, at most fifty.
    """
    problems: list[str] = []
    known = {"hour", *_MARKS, *RANGES}
    found = []
    for where, row in _rows(rows, known, problems):
        try:
            key = "hour"
            at = read_instant(row.get(key, ""))
            if at.minute or at.second:
                raise ValueError(f"{row[key]} is no beginning of an hour")  # noqa: TRY301 - one way to tell of a row
            key = "minutes"
            minutes = _minutes(row, by_part_75=by_part_75)
            key = "flow_minutes"
            flow_minutes = _marks(row[key]) if row.get(key) else minutes
            values: dict[str, Fraction | None] = {}
            for key, span in RANGES.items():
                values[key] = _value(row.get(key, ""), *span)
        except ValueError as error:
            problems.append(f"{where}.{key}: {error}")
            continue
        found.append(HourReading(at, minutes, flow_minutes, values))
    if problems:
        raise InputError(problems[:PROBLEMS_MAX])
    return found


def read_calibrations(rows: Sequence[Row], *, by_part_75: bool) -> Tests:
    """Results of daily calibrations; of several injections in an hour the worst counts.

    Args:
        rows: texts by column.
        by_part_75: without a result the limits of 40 CFR 75 judge; otherwise it must be given.

    Raises:
        InputError: as `read_hours`.
    """
    problems: list[str] = []
    tests: dict[str, dict[int, str]] = {}
    for where, row in _rows(rows, {"hour", "component", *_TESTED}, problems):
        component = row.get("component", "")
        try:
            hour = hour_number(row.get("hour", ""))
            if component not in COMPONENTS:
                known = " ".join(COMPONENTS)
                raise ValueError(f"component: {component!r} unknown; known: {known}")  # noqa: TRY301 - one way to tell of a row
            result = _result(row, component, by_part_75=by_part_75)
        except InputError as error:
            problems += [f"{where}.{problem}" for problem in error.problems]
            continue
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        of = tests.setdefault("flow" if component == "flow-dp" else component, {})
        of[hour] = max(of.get(hour, PASSED), result, key=RESULTS.index)
    if problems:
        raise InputError(problems[:PROBLEMS_MAX])
    return tests


def hour_number(text: str) -> int:
    """The hour a local time lies in, on one count of hours; ValueError."""
    at = read_instant(text)
    return at.toordinal() * 24 + at.hour


def _rows(
    rows: Sequence[Row], known: set[str], problems: list[str]
) -> Sequence[tuple[str, dict[str, str]]]:
    """Each row with its place and without spaces about its texts."""
    if len(rows) > ROWS_MAX:
        raise InputError([f"rows: more than {ROWS_MAX}"])
    if rows and (unknown := sorted(set(rows[0]) - known)):
        problems += [f"column {key!r} unknown; known: {' '.join(sorted(known))}" for key in unknown]
    cleaned = ({key: (text or "").strip() for key, text in row.items()} for row in rows)
    return [(f"row {number}", row) for number, row in enumerate(cleaned, 1)]


def _minutes(row: Row, *, by_part_75: bool) -> str:
    """Sixty marks: as given, or as many valid and stopped ones, in no particular order."""
    marks = row.get("minutes", "")
    if marks:
        if row.get("valid_minutes") or row.get("stopped_minutes"):
            raise ValueError("give minutes, or valid_minutes and stopped_minutes")
        return _marks(marks)
    if by_part_75:
        raise ValueError("missing: 40 CFR 75 asks which minutes of the hour are valid")
    valid, stopped = (_count(row.get(key, "")) for key in _MARKS[1:3])
    if valid + stopped > MINUTES:
        raise ValueError(f"{valid} valid and {stopped} stopped are more than {MINUTES}")
    return "N" * valid + "F" * stopped + "D" * (MINUTES - valid - stopped)


def _marks(text: str) -> str:
    if len(text) != MINUTES or set(text) - set(MARKS):
        raise ValueError(f"must be {MINUTES} letters of: {' '.join(MARKS)}")
    return text


def _count(text: str) -> int:
    value = parse_decimal(text) if text else Fraction(0)
    if value.denominator != 1 or not 0 <= value <= MINUTES:
        raise ValueError(f"{text} is not 0 to {MINUTES}")
    return int(value)


def _value(text: str, low: str, high: str) -> Fraction | None:
    if text in {"", "-"}:
        return None
    value = parse_decimal(text)
    if not Fraction(low) <= value <= Fraction(high):
        raise ValueError(f"{text} is not between {low} and {high}")
    return value


def _result(row: Row, component: str, *, by_part_75: bool) -> str:
    told = row.get("result", "")
    if told:
        if told not in RESULTS:
            raise ValueError(f"result: {told!r} unknown; known: {' '.join(RESULTS)}")
        return told
    if not by_part_75:
        raise ValueError("result: missing: no limits of this rule set could be read")
    numbers = {key: parse_decimal(row[key]) for key in _TESTED[:3] if row.get(key)}
    if missing := [key for key in _TESTED[:2] if key not in numbers]:
        raise ValueError(f"{missing[0]}: missing, as there is no result")
    judged = daily_calibration(component=component, **numbers)
    return FAILED if judged["result"] == FAILED else PASSED
