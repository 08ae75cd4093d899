"""The fuel lines of a statement."""

from fractions import Fraction

from edge.calc.combustion import co2_per_unit, fuel_parameters, parameter_unit
from edge.calc.decimal_text import exact_text
from edge.calc.factors import Kind, RuleSet
from edge.calc.line import Line
from edge.calc.parameter import Parameter, calculated
from edge.calc.statement_table import USES, Table

_STOCK = {"opening": 1, "purchased": 1, "closing": -1, "output": -1}


def fuel_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[fuel]] table; None when something in it is wrong (the table has noted what)."""
    kind = table.kind(rules.fuels, rules.id)
    unit = table.text("unit") or ""
    table.text("use", USES)
    fuel_unit = kind.unit if kind is not None else "t"
    amounts = _amounts(table, fuel_unit)
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
    table.end()
    if kind is None or not amounts:
        return None
    return _line(kind, unit, amounts, own, rules)


def _amounts(table: Table, unit: str) -> dict[str, Parameter]:
    """Quantity alone, or the parts of a stock balance."""
    quantity = table.number("quantity", unit)
    parts = table.numbers(dict.fromkeys(_STOCK, unit))
    stock_given = [key for key in _STOCK if table.has(key)]
    if table.has("quantity") and stock_given:
        table.problem("quantity", f"give either it or {' '.join(stock_given)}")
    elif not table.has("quantity") and not stock_given:
        table.problem("quantity", "missing (or opening, purchased, closing, output)")
    return {"quantity": quantity} if quantity is not None else parts


def _line(
    kind: Kind,
    unit: str,
    amounts: dict[str, Parameter],
    own: dict[str, Parameter],
    rules: RuleSet,
) -> Line:
    if "quantity" in amounts:
        net = amounts["quantity"]
    else:
        value = sum(
            (amounts[k].value * sign for k, sign in _STOCK.items() if k in amounts), Fraction(0)
        )
        net = calculated(
            value, exact_text(value), kind.unit, "opening + purchased - closing - output"
        )
    notes: tuple[str, ...] = ("net-output",) if net.value < 0 else ()
    if "quantity" not in amounts and not {"opening", "closing"} <= set(amounts):
        notes += ("stock-incomplete",)  # an omitted stock counts as none: said, never silent
    factors = fuel_parameters(rules, kind, own)
    return Line(
        category="fuel",
        kind=kind.id,
        quantity=net.text,
        emission=net.value * co2_per_unit(rules, factors),
        parameters={**amounts, "quantity": net, **factors},
        unit=unit,
        notes=notes,
    )
