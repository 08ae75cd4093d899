"""Lines that are an amount times one factor: steel's materials and products, cement's clinker.

Steel (CETS-AG-03.01): total = fuels + materials × factor - products × factor. Cement
(CETS-AG-02.01): clinker × factor - substitute raw materials × factor. What is subtracted stands
in its line as a positive number (`line.COUNTS`).
"""

from edge.calc.factors import Kind, RuleSet
from edge.calc.parameter import default
from edge.calc.statements.clinker_amount import clinker_amount
from edge.calc.statements.line import Line, Model
from edge.calc.statements.net_amount import NetAmount, net_amount
from edge.calc.statements.statement_table import Table

_UNIT = "tCO2/t"
FACTOR_MAX = 4  # a tonne of pure carbon gives 44/12 t


def material_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[process]] table: what carries carbon into a steel works beside its fuels."""
    kind = table.kind(rules.materials, rules.id, key="material")
    return _line("process", kind, net_amount(table, "t"), table, rules)


def product_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[product]] table: carbon that leaves a steel works in what it sells."""
    kind = table.kind(rules.products, rules.id, key="product")
    return _line("product", kind, _made(table), table, rules)


def clinker_line(table: Table, rules: RuleSet) -> Line | None:
    """One [clinker] table: the carbonates of its raw meal."""
    kind = table.kind(rules.clinkers, rules.id)
    return _line("clinker", kind, clinker_amount(table), table, rules)


def substitute_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[substitute]] table: raw material of clinker that brings no carbonate."""
    kind = table.kind(rules.substitutes, rules.id)
    return _line("substitute", kind, net_amount(table, "t"), table, rules)


def _made(table: Table) -> NetAmount | None:
    """What was produced; stocks of it have no place here."""
    quantity = table.number("quantity", "t")
    if not table.has("quantity"):
        table.problem("quantity", "missing")
    return NetAmount(quantity, {}, ()) if quantity is not None else None


def _line(
    category: str,
    kind: Kind | None,
    amount: NetAmount | None,
    table: Table,
    rules: RuleSet,
) -> Line | None:
    """None when something in the table is wrong (the table has noted what)."""
    unit = table.text("unit") or ""
    own = table.number("factor", _UNIT, high=FACTOR_MAX)
    table.end()
    if kind is None or amount is None:
        return None
    factor = own or default(rules.row(f"{category}.{kind.id}.factor"))
    return Line(
        category=category,
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * factor.value,
        parameters={**amount.parameters, "factor": factor},
        unit=unit,
        notes=amount.notes,
        model=Model(lambda p: amount.of(p) * p["factor"].value, tuple(amount.counted), ("factor",)),
    )
