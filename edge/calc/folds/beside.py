"""What stands beside a month's figures and makes none: cross-checks of its input.

A second meter against the first; the CO2 that was measured at stacks, and the heat that was used,
against what the lines come to (`statements.statement_checks`). FIGURES.md section 4. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.folds.entries import BESIDE, SECOND_METER, STACK_CO2
from edge.calc.folds.month_entry import frames
from evidence.points import Point

_GJ_MWH = Fraction(36, 10)
_NAMES_MAX = 64


@dataclass(frozen=True)
class Amount:
    """What one totaliser of an entry counted.

    Attributes:
        table: of the entry.
        words: likewise.
        point: the totaliser.
        quantity: in the statement's unit.
    """

    table: str
    words: Mapping[str, str]
    point: Point
    quantity: Fraction


def cross_check_rows(amounts: Sequence[Amount]) -> list[dict[str, Any]]:
    """Rows of the input's `cross_check`, of the totalisers of entries that were read whole."""
    second = list[dict[str, Any]]()
    sums: dict[tuple[str, str], list[Amount]] = {}
    for one in amounts:
        if one.table != BESIDE:
            continue
        if one.words["check"] != SECOND_METER:
            key = one.words["check"], one.words.get("unit", "")
            sums.setdefault(key, []).append(one)
        elif (row := _second(one, amounts)) is not None:
            second.append(row)
    return [*second, *(_balance(*key, of) for key, of in sorted(sums.items()))]


def _second(one: Amount, amounts: Iterable[Amount]) -> dict[str, Any] | None:
    of = one.words["of"]
    found = [other for other in amounts if other.table != BESIDE and other.point.id == of]
    # what divides may be the same meter as what counts
    first = [other for other in found if other.table != "output"] or found
    if not first:
        return None
    return {
        "check": "second-source",
        "what": of,
        "unit": one.words["counted_in"],
        "first": exact_text(sum((other.quantity for other in first), Fraction(0))),
        "second": exact_text(one.quantity),
        "provenance": {"first": frames([first[0].point]), "second": frames([one.point])},
    }


def _balance(check: str, unit: str, amounts: Sequence[Amount]) -> dict[str, Any]:
    whole = sum((one.quantity for one in amounts), Fraction(0))
    points = [one.point for one in amounts]
    of = {"unit": unit} if unit else {}
    if check == STACK_CO2:
        names = " ".join(point.id for point in points)
        stacks = names if len(names) <= _NAMES_MAX else f"{len(points)} meters"
        told = {"check": "carbon", "stacks": stacks, **of, "measured_co2_t": exact_text(whole)}
        return {**told, "provenance": {"measured_co2_t": frames(points)}}
    used = {"check": "energy", **of, "used_gj": exact_text(whole * _GJ_MWH)}
    return {**used, "provenance": {"used_gj": frames(points)}}
