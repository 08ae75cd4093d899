"""Tonnes or short tons: where a rule weighs in short tons, an input has to say which it means."""

from fractions import Fraction

from edge.calc.factors import RuleSet
from edge.calc.statements.statement_table import Table

SHORT_TON = "short ton"
_EXACT = Fraction("0.90718474")  # t; 2000 lb of 0.45359237 kg


def unit_of_mass(table: Table) -> str | None:
    """`counted_in`: "t" or "short ton"; None when it is missing or wrong (the table notes it)."""
    if not table.has("counted_in"):
        table.problem(
            "counted_in",
            'missing: "t" or "short ton": the rule weighs in short tons, a tenth less than tonnes',
        )
    return table.text("counted_in", ("t", SHORT_TON))


def short_ton(rules: RuleSet | None) -> Fraction:
    """Tonnes in a short ton, as the rule set prints it; exactly where it prints none."""
    row = rules.rows.get("mass.short_ton") if rules is not None else None
    return row.value if row is not None else _EXACT
