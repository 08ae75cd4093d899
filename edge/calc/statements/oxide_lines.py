"""Clinker by its oxides: what 40 CFR 98 H, the IPCC's Tier 2 and the EU's Method B have in common.

[clinker] and [[dust]] take analyses in percent of their own mass; [[organic]] is raw material with
the carbon that is in no carbonate. Where a rule weighs in short tons, each says `counted_in`.
"""

from collections.abc import Mapping
from fractions import Fraction

from edge.calc.factors import RuleSet
from edge.calc.methods.oxides import ANALYSES, OXIDES, oxide_factor, oxide_problems
from edge.calc.parameter import Parameter, default
from edge.calc.statements.clinker_amount import clinker_amount
from edge.calc.statements.counted_in import SHORT_TON, short_ton, unit_of_mass
from edge.calc.statements.line import Line, Model
from edge.calc.statements.net_amount import NetAmount, net_amount
from edge.calc.statements.statement_table import Table

_DUST_FACTOR, _SHORT_TON_ROW = "dust_factor", "mass.short_ton"


def oxide_clinker_line(table: Table, rules: RuleSet) -> Line | None:
    """One [clinker] table: clinker × Σ oxides × ratio, × a factor for dust if there is one."""
    mass = _mass_unit(table, rules)
    return _oxide_line("clinker", clinker_amount(table, mass or "t"), table, rules, mass=mass)


def dust_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[dust]] table: kiln or bypass dust that does not come back to the kiln."""
    mass = _mass_unit(table, rules)
    return _oxide_line("dust", net_amount(table, mass or "t"), table, rules, mass=mass)


def organic_line(table: Table, rules: RuleSet) -> Line | None:
    """One [[organic]] table: raw material × carbon in no carbonate × CO2 per carbon."""
    mass = _mass_unit(table, rules)
    amount = net_amount(table, mass or "t")
    carbon = table.number("carbon_percent", "%", high=100)
    return _finished("organic", amount, {"carbon_percent": carbon}, table, rules, mass=mass)


def _mass_unit(table: Table, rules: RuleSet) -> str | None:
    """Tonnes, or what the table says where the rule weighs in short tons; None: it does not say."""
    return unit_of_mass(table) if _SHORT_TON_ROW in rules.rows else "t"


def _oxide_line(
    category: str, amount: NetAmount | None, table: Table, rules: RuleSet, *, mass: str | None
) -> Line | None:
    counted = [oxide for oxide in OXIDES if f"ratio.{oxide}" in rules.rows]
    own = {name: table.number(name, unit, high=100) for name, unit in ANALYSES.items()}
    for name in ANALYSES:
        if name.partition("_")[0] not in counted:
            if table.has(name):
                table.problem(name, f"{rules.id} counts no {name.partition('_')[0]}")
            own.pop(name)
    if f"{category}.{_DUST_FACTOR}" in rules.rows:
        own[_DUST_FACTOR] = table.number(_DUST_FACTOR, "1", above_zero=True, high=2)
    return _finished(category, amount, own, table, rules, mass=mass)


def _finished(
    category: str,
    amount: NetAmount | None,
    own: Mapping[str, Parameter | None],
    table: Table,
    rules: RuleSet,
    *,
    mass: str | None,
) -> Line | None:
    """None when something in the table is wrong (the table has noted what)."""
    unit = table.text("unit") or ""
    factors: dict[str, Parameter] = {}
    for name, number in own.items():
        row = rules.rows.get(f"{category}.{name}")
        if number is not None:
            factors[name] = number
        elif row is not None:
            factors[name] = default(row)
        elif not table.has(name):
            table.problem(name, f"missing: {rules.id} has no default for it, it is analysed")
    values = {name: factor.value for name, factor in factors.items()}
    wrong = oxide_problems(values)
    for key, reason in wrong.items():
        table.problem(key, reason)
    table.end()
    if amount is None or mass is None or len(factors) < len(own) or wrong:
        return None
    to_t = short_ton(rules) if mass == SHORT_TON else Fraction(1)

    def emission(p: Mapping[str, Parameter]) -> Fraction:
        return amount.of(p) * to_t * _factor(rules, {name: p[name].value for name in factors})

    parameters = {**amount.parameters, **factors}
    return Line(
        category=category,
        kind=category,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * to_t * _factor(rules, values),
        parameters=parameters,
        unit=unit,
        notes=amount.notes,
        model=Model(emission, tuple(amount.counted), tuple(factors)),
    )


def _factor(rules: RuleSet, values: Mapping[str, Fraction]) -> Fraction:
    """tCO2/t of what the values were analysed of."""
    if "carbon_percent" in values:
        return values["carbon_percent"] / 100 * rules.row("carbon.co2_ratio").value
    ratios = {o: rules.row(f"ratio.{o}").value for o in OXIDES if f"ratio.{o}" in rules.rows}
    return oxide_factor(values, ratios) * values.get(_DUST_FACTOR, Fraction(1))
