"""Fuels by net heat and a factor per TJ, as the IPCC and the EU print them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import NET_ENERGY, Kind, RuleSet
from edge.calc.methods.combustion import fuel_of, rules_of
from edge.calc.parameter import Parameter, default, given
from edge.calc.registry import Input, method

_GJ_A_TJ = 1000
_CO2_RATIO = Fraction(44, 12)


def energy_parameters(
    rules: RuleSet, kind: Kind, own: Mapping[str, Parameter]
) -> dict[str, Parameter]:
    """NCV, factor (or a carbon content in their place) and oxidation; KeyError: no default."""
    found: dict[str, Parameter] = {}
    if "carbon_ar" in own:
        found["carbon_ar"] = own["carbon_ar"]
    else:
        found["ncv"] = own.get("ncv") or default(rules.row(f"fuel.{kind.id}.ncv"))
        if "carbon_content" in own:
            found["carbon_content"] = own["carbon_content"]
        else:
            row = f"fuel.{kind.id}.factor_t_tj"
            found["factor_t_tj"] = own.get("factor_t_tj") or default(rules.row(row))
    oxidation = rules.row("fuel.oxidation_percent")
    return {**found, "oxidation_percent": own.get("oxidation_percent") or default(oxidation)}


def energy_emission(rules: RuleSet, p: Mapping[str, Parameter]) -> Fraction:
    """tCO2 per unit of fuel from its `energy_parameters`."""
    oxidised = p["oxidation_percent"].value / 100
    if "factor_t_tj" in p:
        return p["ncv"].value * p["factor_t_tj"].value / _GJ_A_TJ * oxidised
    row = rules.rows.get("carbon.co2_ratio")
    ratio = row.value if row is not None else _CO2_RATIO
    carbon = p["carbon_ar"] if "carbon_ar" in p else p["carbon_content"]
    per_unit = carbon.value * (Fraction(1) if "carbon_ar" in p else p["ncv"].value)
    return per_unit * ratio * oxidised


@method(
    "combustion.net_energy",
    version=1,
    source="IPCC 2006 Vol. 2 Eq. 2.1, Tables 1.2 and 2.2; (EU) 2023/1773 Annex VIII",
    inputs={
        "rule_set": Input(is_text=True),
        "kind": Input(is_text=True),
        "quantity": Input("t or 10^4 Nm3", low="0"),
        "ncv": Input("GJ/t or GJ/10^4 Nm3, net", low="0", optional=True),
        "factor_t_tj": Input("tCO2/TJ", low="0", high="700", optional=True),
        "oxidation_percent": Input("%", low="0", high="100", optional=True),
    },
    outputs={"emission_t": "tCO2", "parameters": ""},
)
def net_energy(*, rule_set: str, kind: str, quantity: Fraction, **own: Fraction) -> dict[str, Any]:
    """CO2 from burning one fuel by its net heat and a factor per TJ.

    E [tCO2] = quantity [t or 10^4 Nm3] × NCV [GJ/unit] × EF [tCO2/TJ] ÷ 1000 × OF [%] ÷ 100

    rule_set: one that counts by net heat (ipcc-2006-defaults, eu-cbam-defaults, and what is made of
    them). NCV is the net heating value; a gross one makes 5 to 10 percent too much. Table 1.2
    prints TJ/Gg, which is GJ/t. Gases are counted dry at 0 °C and 101.325 kPa and have no default
    heating value: Table 1.2 has them by the tonne. Oxidation is 100 % unless the plant shows less.

    Example: 1 t of coke, ipcc-2006-defaults: 28.2 × 107 ÷ 1000 = 3.0174 t; a public program's
    factor library prints 3.017. One MWh of lignite (3.6 GJ): 0.3636 t; Carbon Balance and
    Management 2016 (s13021-016-0046-9, Table 1) prints 364 kg.

    Not confirmed: the tables were read as public programs have them, two that agree for the IPCC;
    the EU's factors were seen in one place, its heating values in none.
    """
    rules = _rules(rule_set)
    found = fuel_of(rules, kind)
    units = {"ncv": f"GJ/{found.unit}", "factor_t_tj": "tCO2/TJ", "oxidation_percent": "%"}
    named = {name: given(value, exact_text(value), units[name]) for name, value in own.items()}
    if missing := [
        f"{name}: missing: {rules.id} has no default for {found.id} per {found.unit}"
        for name in ("ncv", "factor_t_tj")
        if name not in own and f"fuel.{found.id}.{name}" not in rules.rows
    ]:
        raise InputError(missing)
    parameters = energy_parameters(rules, found, named)
    return {
        "emission_t": exact_text(quantity * energy_emission(rules, parameters)),
        "parameters": {name: p.as_map() for name, p in parameters.items()},
    }


def _rules(rule_set_id: str) -> RuleSet:
    rules = rules_of(rule_set_id)
    if rules.fuel_basis != NET_ENERGY:
        raise InputError([f"rule_set: {rule_set_id} counts no fuels by net heat and t CO2/TJ"])
    return rules
