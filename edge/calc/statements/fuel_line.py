"""The fuel lines of a statement."""

from edge.calc.decimal_text import rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import RuleSet
from edge.calc.methods.combustion import (
    carbon_per_unit,
    co2_per_unit,
    fuel_parameters,
    oxidation_row,
    parameter_unit,
)
from edge.calc.methods.missing import DEFAULT, treatment_row
from edge.calc.statements.bases import check_bases
from edge.calc.statements.line import Line, Model
from edge.calc.statements.net_amount import net_amount
from edge.calc.statements.statement_table import USES, Table

#: tC that a unit of any fuel can hold: a tonne of carbon; as gas at 0 °C and 101.325 kPa ten carbon
#: atoms a molecule (decane boils at 174 °C): 10^4 Nm3 ÷ 22.414 Nm3/kmol × 10 × 12.011 kg = 53.6 t
CARBON_MAX = {"t": 1, "10^4 Nm3": 54}


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
    missing = _missing(table, rules)
    check_bases(table, kind)
    table.end()
    if kind is None or amount is None:
        return None
    factors = fuel_parameters(rules, kind, own, use=use)
    typed = [name for name in factors if name in own and name != "oxidation_percent"]
    carbon = carbon_per_unit(factors)
    if typed and carbon > CARBON_MAX[kind.unit]:
        given = " × ".join(f"{own[name].text} {own[name].unit}" for name in typed)
        table.problem(
            typed[0],
            f"{given} makes {rounded_text(carbon, 2)} tC in a {kind.unit} of {kind.id}, more than "
            "fits: check the unit (heating values in GJ; carbon in t, not in percent)",
        )
        return None
    return Line(
        category="fuel",
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * co2_per_unit(rules, factors),
        parameters={**amount.parameters, **factors},
        unit=unit,
        notes=(*amount.notes, *missing),
        model=Model(
            lambda p: amount.of(p) * co2_per_unit(rules, p), tuple(amount.counted), tuple(factors)
        ),
    )


def _missing(table: Table, rules: RuleSet) -> list[str]:
    """Flags of what should have been measured and was not: by the rule set's row, never silent."""
    notes = []
    for name in table.texts("missing", ("ncv", "carbon_content")):
        if table.has(name) or table.has("carbon_ar"):
            table.problem("missing", f"{name} is given, or not needed")
            continue
        try:
            row = treatment_row(rules.id, name)
        except InputError as error:
            table.problem("missing", error.problems[0].partition(": ")[2])
            continue
        if row.value != DEFAULT:
            table.problem("missing", f"{name}: {row.basis}: make it by missing.substitute first")
        notes += [f"missing:fuel.{name}"]
        notes += [] if row.confirmed else [f"unconfirmed:{row.id}"]
    return notes
