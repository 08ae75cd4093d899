"""How much of a sealed emission stands on a value that takes the place of a missing one. Pure."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.factors import find_kind
from edge.calc.parameter import DEFAULT
from edge.calc.statements.statement import statement_rules

PERCENT_PLACES = 2


def substituted_percent(given: Mapping[str, Any], made: Mapping[str, Any]) -> str | None:
    """Emission of lines with a substituted value, % of all lines' emission, signs left aside.

    A default that a site chose is none: only what its entry names as missing counts, by the rule
    set's row for it (flag "missing:…").

    Args:
        given: "input" of a statement.
        made: its "output".

    Returns:
        Rounded to 2 places; None where no line has an emission.
    """
    kinds = statement_rules(str(given["rule_set"])).kinds("fuel")
    names = [(kind, row["missing"]) for row in given.get("fuel", ()) if "missing" in row
             if (kind := find_kind(kinds, str(row["kind"])))]  # fmt: skip
    missing = {(kind.id, name) for kind, these in names for name in these}

    def stands_in(line: Mapping[str, Any]) -> bool:
        return line["category"] == "fuel" and any(
            (line["kind"], name) in missing and one["basis"] == DEFAULT
            for name, one in line["parameters"].items()
        )

    amounts = [(abs(Fraction(line["emission_t"])), stands_in(line)) for line in made["lines"]]
    whole = sum((amount for amount, _ in amounts), Fraction(0))
    part = sum((amount for amount, is_in in amounts if is_in), Fraction(0))
    return rounded_text(100 * part / whole, PERCENT_PLACES) if whole else None
