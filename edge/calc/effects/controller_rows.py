"""Anode effects from rows of a pot controller's table, and from a month's statement. Pure.

A row has the columns pot, start, duration_s and, where the controller tells it, v_max_v. A start is
ISO 8601 with its offset, or by a clock of which the time zone is given; one that such a clock shows
twice has to have its offset.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import parse_decimal
from edge.calc.effects.controller_effects import ReportedEffect, Tolerance
from edge.calc.errors import InputError
from edge.calc.instants import instant_of
from evidence.points import exact

COLUMNS, OPTIONAL = ("pot", "start", "duration_s"), ("v_max_v",)
ROWS_MAX, PROBLEMS_MAX = 200_000, 50
DURATION_MAX_S, VOLTS_MAX = 86_400, 1_000
_NS = 10**9


def read_rows(
    rows: Sequence[Mapping[str, str]], clock: tzinfo | None = None
) -> list[ReportedEffect]:
    """The controller's effects.

    Args:
        rows: texts by column; a column that may be left out may also be empty.
        clock: the controller's, for starts without an offset.

    Raises:
        InputError: names the row (the first is 1) and column of each problem, at most fifty.
    """
    problems: list[str] = []
    if len(rows) > ROWS_MAX:
        raise InputError([f"rows: more than {ROWS_MAX}"])
    found = []
    for number, row in enumerate(rows, 1):
        if len(problems) >= PROBLEMS_MAX:
            break
        if (effect := _read_row(row, clock, f"row {number}", problems)) is not None:
            found.append(effect)
    if problems:
        raise InputError(problems)
    return found


def effects_of(line: Mapping[str, Any]) -> list[ReportedEffect]:
    """The effects of a potline in a statement's input.

    Raises:
        InputError: it is no such thing, or does not list every effect.
    """
    try:
        effects, count = [_own(effect) for effect in line["effects"]], line["effect_count"]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InputError([f"potline: not as a statement's input has it ({error!r})"]) from error
    if len(effects) != count:
        raise InputError([f"potline {line['id']}: not all of its effects are listed"])
    return effects


def line_of(given: Mapping[str, Any], potline: str | None) -> Mapping[str, Any]:
    """A potline's effects in a statement's input: the only one's, or that of a name.

    One that changed within the month stands there in pieces, which are put together.

    Raises:
        InputError: it is no such input, or the potline is not clear.
    """
    try:
        pieces = [line for line in given["potlines"] if potline in {None, line["id"]}]
        names = dict.fromkeys(str(line["id"]) for line in pieces or given["potlines"])
        found = {
            "effects": [effect for piece in pieces for effect in piece["effects"]],
            "effect_count": sum(piece["effect_count"] for piece in pieces),
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise InputError([f"statement: not that of a smelter's month ({error!r})"]) from error
    if not pieces or len(names) != 1:
        raise InputError([f"potline: name one of: {' '.join(names)}"])
    return {"id": pieces[0]["id"], **found}


def period_of(given: Mapping[str, Any]) -> tuple[int, int]:
    """The period of a statement's input, UTC ns; InputError."""
    try:
        return instant_of(given["period"]["from"]), instant_of(given["period"]["to"])
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InputError([f"statement: has no period ({error!r})"]) from error


def tolerance_of(time_s: str, volts: str) -> Tolerance:
    """What a person allows; InputError."""
    problems, found = [], []
    for key, text, most in (("time_s", time_s, DURATION_MAX_S), ("volts", volts, VOLTS_MAX)):
        try:
            found.append(_number(text, most))
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise InputError(problems)
    return Tolerance(*found)


def _own(effect: Mapping[str, Any]) -> ReportedEffect:
    pot, flags, end_ns = effect["pot"], effect["flags"], effect.get("end_ns")
    times = [effect["start_ns"], effect["polarised_ns"], *([] if end_ns is None else [end_ns])]
    if not all(isinstance(text, str) for text in (pot, *flags)):
        raise ValueError("pot and flags must be text")
    if not all(type(time_ns) is int and 0 <= time_ns < 2**63 for time_ns in times):
        raise ValueError("times must be nanoseconds")
    durations = [effect["polarised_ns"], *(ended - times[0] for ended in times[2:])]
    v_max = exact(effect["v_max"])
    return ReportedEffect(pot, times[0], end_ns, tuple(durations), v_max, tuple(flags))


def _read_row(
    row: Mapping[str, str], clock: tzinfo | None, where: str, problems: list[str]
) -> ReportedEffect | None:
    """One row, or None with what is wrong with it."""
    before = len(problems)
    known = {*COLUMNS, *OPTIONAL}
    problems += [f"{where}: unknown column {key!r}" for key in row if key not in known]
    problems += [f"{where}.{key}: missing" for key in COLUMNS if not row.get(key)]
    if len(problems) > before:
        return None
    try:
        key = "start"
        start_ns = instant_of(row[key], clock)
        key = "duration_s"
        duration_ns = int(_number(row[key], DURATION_MAX_S) * _NS)
        key = "v_max_v"
        volts = row.get(key)
        v_max = _number(volts, VOLTS_MAX) if volts else None
    except ValueError as error:
        problems.append(f"{where}.{key}: {error}")
        return None
    return ReportedEffect(row["pot"], start_ns, start_ns + duration_ns, (duration_ns,), v_max)


def _number(text: str, most: int) -> Fraction:
    value = parse_decimal(text.strip())
    if not 0 <= value <= most:
        raise ValueError(f"{text} is not between 0 and {most}")
    return value
