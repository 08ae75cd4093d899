"""The fuel lines of a statement."""

from edge.calc.combustion import co2_per_unit, fuel_parameters, oxidation_row, parameter_unit
from edge.calc.factors import RuleSet
from edge.calc.line import Line
from edge.calc.net_amount import net_amount
from edge.calc.statement_table import USES, Table


def fuel_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[fuel]] table; None when something in it is wrong (the table has noted what)."""
    kind = table.kind(rules.fuels, rules.id)
    unit = table.text("unit") or ""
    use = table.text("use", USES) or ""
    amount = net_amount(table, kind.unit if kind is not None else "t")
    own = {
        name: number
        for name, high in (
            ("ncv", None), ("carbon_content", 1), ("carbon_ar", None), ("oxidation_percent", 100)
        )
        if (number := table.number(
            name, parameter_unit(kind, name) if kind else "", high=high, above_zero=True
        )) is not None
    }  # fmt: skip
    if table.has("carbon_ar") and (table.has("ncv") or table.has("carbon_content")):
        table.problem("carbon_ar", "give it alone, not with ncv or carbon_content")
    if kind is not None and "oxidation_percent" in own and oxidation_row(rules, kind) is None:
        table.problem(
            "oxidation_percent", f"{rules.id} balances carbon and has no oxidation: leave it out"
        )
    table.end()
    if kind is None or amount is None:
        return None
    factors = fuel_parameters(rules, kind, own, use=use)
    return Line(
        category="fuel",
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * co2_per_unit(rules, factors),
        parameters={**amount.parameters, **factors},
        unit=unit,
        notes=amount.notes,
    )
