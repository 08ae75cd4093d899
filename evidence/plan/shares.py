"""What of a month's emission a meter has counted, from its statement. Pure.

A line's emission is proportional to its quantity (FIGURES.md §5), so the part of the quantity that
a meter counted has that part of the emission.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from fractions import Fraction
from typing import Any

#: of a quantity by its parts -> its sign in it
_PARTS = {"purchased": 1, "output": -1}
#: table of the input -> the figure that its line is proportional to
_FIGURE = {"anode": "gross_t", "pfc": "metal_t"}
#: lines that the total has with a minus
_SUBTRACTED = ("product", "substitute")


def counted_by(statement: Mapping[str, Any], points: Set[str]) -> Fraction | None:
    """tCO2(e) of a month that these points counted, signed as in the total.

    Args:
        statement: statement.json, "input" and "output".
        points: ids of a meter's points.

    Returns:
        Zero where none of its lines is of them; None where a line's parts do not tell.
    """
    total, seen = Fraction(0), Counter[str]()
    for line in statement["output"]["lines"]:
        category = line["category"]
        entry = entry_of_line(statement["input"], category, seen[category])
        seen[category] += 1
        share = _share(entry, category, line["quantity"], points)
        if share is None:
            return None
        sign = -1 if category in _SUBTRACTED else 1
        total += sign * share * Fraction(line["emission_t"])
    return total


def entry_of_line(given: Mapping[str, Any], category: str, number: int) -> Mapping[str, Any]:
    """The entry of the input that a category's line of this number was made of."""
    table = given.get(category, {})
    rows: Sequence[Mapping[str, Any]] = table if isinstance(table, list) else [table]
    return rows[number] if number < len(rows) else {}


def _share(
    entry: Mapping[str, Any], category: str, quantity: str, points: Set[str]
) -> Fraction | None:
    """The part of a line's quantity that these points counted."""
    by = {
        name
        for name, told in entry.get("provenance", {}).items()
        if isinstance(told, Mapping) and told.get("frames", {}).get("point") in points
    }
    if not by:
        return Fraction(0)
    if by & {"quantity", _FIGURE.get(category, "quantity")}:
        return Fraction(1)
    net = Fraction(quantity)
    if net == 0:
        return None
    return sum((_PARTS.get(name, 0) * Fraction(entry[name]) for name in by), Fraction(0)) / net
