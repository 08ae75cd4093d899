"""Parts a month must have under its rule set, and those that a statement lacks. Pure.

`required.toml` says what is mandatory and what is expected, with its sources. The statement's own
flags name a missing line only for what every works of the sector has; a part that was left out
from the first day on shows here alone. FIGURES.md section 8.
"""

import re
import tomllib
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

from edge.calc.factors import CONFIDENCES
from evidence.points import exact

MANDATORY, EXPECTED = NEEDS = ("mandatory", "expected")
_OUTPUT = "output."
_MONTH = re.compile(r"[1-9][0-9]{3}-(0[1-9]|1[0-2])", re.ASCII)
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_DAY_S, _HOUR_S = 86_400, 3_600
#: no month has so many readings
_COUNT_MAX = 10**15


@dataclass(frozen=True)
class Part:
    """One part of a month.

    Attributes:
        name: a category of lines ("clinker"), or "output." and a key of [output].
        need: `MANDATORY` or `EXPECTED`.
        source: where that was read, with locator.
        confidence: one of `factors.CONFIDENCES`.
    """

    name: str
    need: str
    source: str
    confidence: str


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("edge.calc").joinpath("required.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def required_parts(rule_set: str) -> tuple[Part, ...]:
    """The parts of a month under a rule set; none for a rule set that the table lacks."""
    table = _table()
    parts = [
        Part(
            name,
            row["need"],
            f"{'; '.join(table['source'][key] for key in row['source'])}: {row['locator']}",
            row["confidence"],
        )
        for name, row in table["rule_set"].get(rule_set, {}).items()
    ]
    if any(part.need not in NEEDS or part.confidence not in CONFIDENCES for part in parts):
        raise ValueError(f"required.toml: {rule_set} has a need or confidence of no known name")
    return tuple(parts)


def least_values_percent() -> Fraction:
    """Share of usable values, of those due, below which a point is told, in percent."""
    return exact(_table()["limit"]["values.percent"]["value"])


def lacking(given: Mapping[str, Any], output: Mapping[str, Any]) -> list[str]:
    """Flags for what a statement lacks, in the order of the table and then of the points.

    Args:
        given: a statement's input; may be that of a hostile archive.
        output: its output; likewise.
    """
    return [*_lines(given, output), *_period(given), *_points(given)]


def _lines(given: Mapping[str, Any], output: Mapping[str, Any]) -> Iterator[str]:
    lines = output.get("lines")
    there = {
        line.get("category")
        for line in (lines if isinstance(lines, list) else ())
        if isinstance(line, dict) and isinstance(line.get("category"), str)
    }
    made = given.get("output")
    figures = made.keys() if isinstance(made, dict) else ()
    for part in required_parts(str(given.get("rule_set"))):
        if part.name.startswith(_OUTPUT):
            figure = part.name.removeprefix(_OUTPUT)
            if figure not in figures:
                is_mandatory = part.need == MANDATORY
                yield f"no-output:{figure}" if is_mandatory else f"no-expected:{figure}"
        elif part.name not in there:
            yield f"no-{part.name}"


def _period(given: Mapping[str, Any]) -> Iterator[str]:
    """A final statement that does not cover its month; a zone's summer time moves an hour."""
    period, month = given.get("period"), given.get("month")
    if given.get("closing") != "final" or not isinstance(period, dict):
        return
    if not isinstance(month, str) or not _MONTH.fullmatch(month):
        return
    from_text, to_text = period.get("from"), period.get("to")
    seconds = [_seconds(text) for text in (from_text, to_text)]
    if seconds[0] is None or seconds[1] is None:
        return
    days = monthrange(int(month[:4]), int(month[5:]))[1]
    if seconds[1] - seconds[0] < days * _DAY_S - _HOUR_S:
        yield f"short-period:{from_text}"


def _seconds(text: object) -> int | None:
    """Whole seconds of an instant as statements write it, None for anything else."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        return None
    try:
        return int(datetime.fromisoformat(f"{text[:19]}+00:00").timestamp())
    except ValueError:
        return None


def _points(given: Mapping[str, Any]) -> Iterator[str]:
    """Points without any value, or with too few of those due."""
    counted, least = given.get("completeness"), least_values_percent()
    for point, row in sorted(counted.items()) if isinstance(counted, dict) else ():
        if not isinstance(row, dict):
            continue
        usable, due = row.get("usable"), row.get("expected")
        if type(usable) is not int or type(due) is not int or not 0 < due < _COUNT_MAX:
            continue
        if usable <= 0:
            yield f"silent:{point}"
        elif usable * 100 < least * due:
            yield f"sparse:{point}"
