"""Steel by carbon: what goes in less what comes out, by 40 CFR 98 Q, the EU, or the IPCC's Tier 1.

A line is t × carbon [tC/t] × CO2 per carbon, or t × factor [tCO2/t] where the rule prints that.
Without either, and without a row of the rule set, the line is refused: nothing is guessed.
"""

from fractions import Fraction

from edge.calc.factors import Kind, RuleSet
from edge.calc.parameter import Parameter, default
from edge.calc.statements.factor_line import FACTOR_MAX
from edge.calc.statements.line import Line, Model
from edge.calc.statements.net_amount import net_amount
from edge.calc.statements.statement_table import Table

_CARBON, _FACTOR = "carbon", "factor"


def carbon_material_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[process]] table: carbon that goes into a furnace, or what is produced × factor."""
    return _line("process", table.kind(rules.materials, rules.id, key="material"), table, rules)


def carbon_product_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[product]] table: carbon that comes out otherwise than as gas; subtracted."""
    return _line("product", table.kind(rules.products, rules.id, key="product"), table, rules)


def _line(category: str, kind: Kind | None, table: Table, rules: RuleSet) -> Line | None:
    amount = net_amount(table, "t")
    unit = table.text("unit") or ""
    carbon = table.number(_CARBON, "tC/t", high=1)
    factor = table.number(_FACTOR, "tCO2/t", high=FACTOR_MAX)
    if table.has(_CARBON) and table.has(_FACTOR):
        table.problem(_CARBON, "give it or factor, not both")
    own: tuple[str, Parameter] | None = None
    if carbon is not None:
        own = (_CARBON, carbon)
    elif factor is not None:
        own = (_FACTOR, factor)
    elif kind is not None:
        own = _of_rules(category, kind, rules)
        if own is None and not (table.has(_CARBON) or table.has(_FACTOR)):
            table.problem(_CARBON, f"missing: {rules.id} has no default for {kind.id}, in tC/t")
    if own is not None and own[0] == _CARBON and not rules.products:
        table.problem(_CARBON, f"{rules.id} counts what is made by factor, not by carbon")
        own = None
    table.end()
    if kind is None or amount is None or own is None:
        return None
    name, parameter = own
    ratio = rules.row("carbon.co2_ratio").value if name == _CARBON else Fraction(1)
    return Line(
        category=category,
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * parameter.value * ratio,
        parameters={**amount.parameters, name: parameter},
        unit=unit,
        notes=amount.notes,
        model=Model(lambda p: amount.of(p) * p[name].value * ratio, tuple(amount.counted), (name,)),
    )


def _of_rules(category: str, kind: Kind, rules: RuleSet) -> tuple[str, Parameter] | None:
    for name in (_CARBON, _FACTOR):
        row = rules.rows.get(f"{category}.{kind.id}.{name}")
        if row is not None:
            return name, default(row)
    return None
