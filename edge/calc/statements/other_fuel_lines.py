"""[[fuel]] of rule sets that count by heat: net (IPCC, EU) or gross (40 CFR 98), never mixed."""

from collections.abc import Mapping
from fractions import Fraction

from edge.calc.factors import TABLE_C_1, Kind, RuleSet, rule_set
from edge.calc.methods.net_energy import energy_emission, energy_parameters
from edge.calc.parameter import Parameter, default
from edge.calc.statements.bases import check_bases
from edge.calc.statements.counted_in import SHORT_TON, short_ton, unit_of_mass
from edge.calc.statements.fuel_line import CARBON_MAX
from edge.calc.statements.line import Line, Model
from edge.calc.statements.net_amount import net_amount
from edge.calc.statements.statement_table import Table

#: tCO2/TJ of pure carbon that gives 5 GJ/t; no fuel's is above it (blast-furnace gas: 260)
FACTOR_MAX = 700
_KG_A_TONNE = 1000


def energy_fuel_line(table: Table, rules: RuleSet) -> Line | None:
    """By net heat: quantity × NCV × factor [tCO2/TJ] ÷ 1000 × oxidation, or by its own carbon."""
    kind = table.kind(rules.fuels, rules.id)
    unit = table.text("unit") or ""
    amount = net_amount(table, kind.unit if kind is not None else "t")
    own = _own(table, kind)
    check_bases(table, kind)
    table.end()
    if kind is None or amount is None:
        return None
    missing = [name for name in _needed(own) if f"fuel.{kind.id}.{name}" not in rules.rows]
    for name in missing:
        table.problem(name, _no_default(rules, kind, name))
    if missing:
        return None
    factors = energy_parameters(rules, kind, own)

    def emission(p: Mapping[str, Parameter]) -> Fraction:
        return amount.of(p) * energy_emission(rules, p)

    return Line(
        category="fuel",
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=amount.quantity.value * energy_emission(rules, factors),
        parameters={**amount.parameters, **factors},
        unit=unit,
        notes=amount.notes,
        model=Model(emission, tuple(amount.counted), tuple(factors)),
    )


def _own(table: Table, kind: Kind | None) -> dict[str, Parameter]:
    """What the plant knows of its fuel; carbon takes the place of the factor."""
    of = kind.unit if kind is not None else "t"
    spans = {
        "ncv": (f"GJ/{of}", None), "carbon_content": ("tC/GJ", 1),
        "carbon_ar": (f"tC/{of}", CARBON_MAX.get(of)), "factor_t_tj": ("tCO2/TJ", FACTOR_MAX),
        "oxidation_percent": ("%", 100),
    }  # fmt: skip
    found = {
        name: table.number(name, unit, high=high, above_zero=True)
        for name, (unit, high) in spans.items()
    }
    if table.has("factor_t_tj") and (table.has("carbon_content") or table.has("carbon_ar")):
        table.problem("factor_t_tj", "give it, or carbon, not both")
    if table.has("carbon_ar") and (table.has("ncv") or table.has("carbon_content")):
        table.problem("carbon_ar", "give it alone, not with ncv or carbon_content")
    return {name: number for name, number in found.items() if number is not None}


def _needed(own: Mapping[str, Parameter]) -> list[str]:
    if "carbon_ar" in own:
        return []
    has_factor = "factor_t_tj" in own or "carbon_content" in own
    return ["ncv"] * ("ncv" not in own) + ["factor_t_tj"] * (not has_factor)


def _no_default(rules: RuleSet, kind: Kind, name: str) -> str:
    if name == "ncv" and kind.state == "gas":
        return f"missing: {rules.id} has none by volume, and no gas's density is guessed"
    return f"missing: {rules.id} has no default for {kind.id}"


def gross_fuel_line(table: Table, rules: RuleSet) -> Line | None:
    """By gross heat (40 CFR 98 Subpart C, Tier 1 or 2): quantity × HHV × factor ÷ 1000."""
    kind = table.kind(rules.fuels, rules.id)
    unit = table.text("unit") or ""
    of = kind.unit if kind is not None else SHORT_TON
    counted_in = unit_of_mass(table) if of == SHORT_TON and kind is not None else of
    amount = net_amount(table, counted_in or of)
    heat = table.number("heat_hhv", f"mmBtu/{of}", above_zero=True)
    if table.has("ncv") or table.has("carbon_content"):
        table.text("ncv")
        table.problem("ncv", f"{rules.id} counts gross heat: give heat_hhv, never a net value")
    table.end()
    if kind is None or amount is None or counted_in is None:
        return None
    rows = rule_set(TABLE_C_1)
    factors = {
        "heat_hhv": heat or default(rows.row(f"{kind.id}.heat")),
        "factor": default(rows.row(f"{kind.id}.factor")),
    }
    to_unit = 1 / short_ton(None) if counted_in == "t" else Fraction(1)

    def emission(p: Mapping[str, Parameter]) -> Fraction:
        heat_mmbtu = amount.of(p) * to_unit * p["heat_hhv"].value
        return heat_mmbtu * p["factor"].value / _KG_A_TONNE

    parameters = {**amount.parameters, **factors}
    return Line(
        category="fuel",
        kind=kind.id,
        quantity=amount.quantity.text,
        emission=emission(parameters),
        parameters=parameters,
        unit=unit,
        notes=amount.notes,
        model=Model(emission, tuple(amount.counted), tuple(factors)),
    )
