"""What stands beside a month's figures and makes none: cross-checks of its input.

A second meter against the first; the CO2 that was measured at stacks, and the heat that was used,
against what the lines come to (`statements.statement_checks`). FIGURES.md section 4. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.folds.entries import BESIDE, HEAT_USED, SECOND_METER, STACK_CO2
from edge.calc.folds.month_entry import AnyMeter, MonthEntry, frames

#: (check, unit of the works) -> meters of one sum
_Sums = dict[tuple[str, str], list[AnyMeter]]
_GJ_MWH = Fraction(36, 10)
_NAME_MAX = 64


def cross_check_rows(entries: Sequence[MonthEntry]) -> list[dict[str, Any]]:
    """Rows of the input's `cross_check`; none of a meter without any reading."""
    second, sums = list[dict[str, Any]](), _Sums()
    for entry in entries:
        if entry.table != BESIDE or not entry.quantities:
            continue
        words, (meter,) = entry.plan.entry.words, entry.meters
        if words["check"] != SECOND_METER:
            sums.setdefault((words["check"], words.get("unit", "")), []).append(meter)
        elif (row := _second(meter, words, entries)) is not None:
            second.append(row)
    return [*second, *(_balance(*key, meters) for key, meters in sorted(sums.items()))]


def _second(
    meter: AnyMeter, words: Mapping[str, str], entries: Iterable[MonthEntry]
) -> dict[str, Any] | None:
    of = words["of"]
    found = [
        (entry.table == "output", other, quantity)
        for entry in entries
        if entry.table != BESIDE
        for other, quantity in entry.quantities.values()
        if other.point.id == of
    ]
    # what divides may be the same meter as what counts
    first = [pair for is_output, *pair in found if not is_output] or [pair for _, *pair in found]
    if not first or meter.quantity is None:
        return None
    told = {"first": frames([first[0][0].point]), "second": frames([meter.point])}
    return {
        "check": "second-source",
        "what": of,
        "unit": words["counted_in"],
        "first": exact_text(sum((quantity for _, quantity in first), Fraction(0))),
        "second": exact_text(meter.quantity),
        "provenance": told,
    }


def _balance(check: str, unit: str, meters: Sequence[AnyMeter]) -> dict[str, Any]:
    whole = sum((meter.quantity or Fraction(0) for meter in meters), Fraction(0))
    points = [meter.point for meter in meters]
    of: Mapping[str, str] = {"unit": unit} if unit else {}
    if check == STACK_CO2:
        names = " ".join(point.id for point in points)
        stacks = names if len(names) <= _NAME_MAX else f"{len(points)} meters"
        told = {"check": "carbon", "stacks": stacks, **of, "measured_co2_t": exact_text(whole)}
        return {**told, "provenance": {"measured_co2_t": frames(points)}}
    if check != HEAT_USED:
        raise ValueError(f"no check {check!r}")
    used = {"check": "energy", **of, "used_gj": exact_text(whole * _GJ_MWH)}
    return {**used, "provenance": {"used_gj": frames(points)}}
