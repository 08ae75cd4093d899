"""CO2 from burning a fuel: quantity × heating value × carbon content × oxidation × 44/12."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError, UnknownRuleSetError
from edge.calc.factors import BY_CARBON, Kind, Row, RuleSet, find_kind, rule_set
from edge.calc.parameter import Parameter, default, given
from edge.calc.registry import Input, method


def fuel_parameters(
    rules: RuleSet, kind: Kind, own: Mapping[str, Parameter], *, use: str = ""
) -> dict[str, Parameter]:
    """The factors of one fuel: the caller's own where given, else the rule set's rows.

    A rule set that balances carbon (steel) has no oxidation, so there is none among them.

    A measured carbon content as received ("carbon_ar", tC per unit of fuel) takes the place of
    heating value and carbon content per energy; giving both is refused by the callers.
    """
    parameters: dict[str, Parameter] = {}
    if "carbon_ar" in own:
        parameters["carbon_ar"] = own["carbon_ar"]
    else:
        for name in ("ncv", "carbon_content"):
            parameters[name] = own.get(name) or default(rules.row(f"fuel.{kind.id}.{name}"))
    oxidation = oxidation_row(rules, kind, use)
    if oxidation is not None:
        parameters["oxidation_percent"] = own.get("oxidation_percent") or default(oxidation)
    return parameters


def oxidation_row(rules: RuleSet, kind: Kind, use: str = "") -> Row | None:
    """How much of a fuel's carbon burns, by where it is used; None where that is not counted."""
    found = rules.rows.get(f"fuel.{kind.state}.{use}.oxidation_percent")
    return found or rules.rows.get(f"fuel.{kind.state}.oxidation_percent")


def co2_per_unit(rules: RuleSet, parameters: Mapping[str, Parameter]) -> Fraction:
    """tCO2 per t or 10^4 Nm3 of fuel from its `fuel_parameters`."""
    carbon = carbon_per_unit(parameters)
    if "oxidation_percent" in parameters:
        carbon *= parameters["oxidation_percent"].value / 100
    return carbon * rules.row("carbon.co2_ratio").value


def carbon_per_unit(parameters: Mapping[str, Parameter]) -> Fraction:
    """TC in a t or 10^4 Nm3 of fuel, burnt or not."""
    if "carbon_ar" in parameters:
        return parameters["carbon_ar"].value
    return parameters["ncv"].value * parameters["carbon_content"].value


def parameter_unit(kind: Kind, name: str) -> str:
    """The unit of a fuel's factor."""
    units = {
        "ncv": f"GJ/{kind.unit}",
        "carbon_content": "tC/GJ",
        "carbon_ar": f"tC/{kind.unit}",
        "oxidation_percent": "%",
    }
    return units[name]


@method(
    "combustion.fuel",
    version=1,
    source="CETS-AG-02.01, 03.01, 04.01 (fuel combustion); IPCC 2006 Vol. 2 Eq. 2.1 in carbon form",
    inputs={
        "rule_set": Input(is_text=True),
        "kind": Input(is_text=True),
        "quantity": Input("t or 10^4 Nm3", low="0"),
        "ncv": Input("GJ/t or GJ/10^4 Nm3", low="0", optional=True),
        "carbon_content": Input("tC/GJ", low="0", high="1", optional=True),
        "carbon_ar": Input("tC/t or tC/10^4 Nm3", low="0", optional=True),
        "oxidation_percent": Input("%", low="0", high="100", optional=True),
    },
    outputs={"emission_t": "tCO2", "parameters": ""},
)
def fuel(*, rule_set: str, kind: str, quantity: Fraction, **own: Fraction) -> dict[str, Any]:
    """CO2 from burning one fuel.

    E [tCO2] = quantity [t or 10^4 Nm3] × NCV [GJ/unit] × CC [tC/GJ] × OF [%] ÷ 100 × 44/12
    or, with a measured carbon content as received, quantity × C_ar [tC/unit] × OF ÷ 100 × 44/12.

    NCV is the net (lower) heating value; gas volumes are dry, at 0 °C and 101.325 kPa. What is
    left out is the rule set's default and marked so. Oxidation 0..100 %, by default that of the
    sector's main furnace; steel (cets-ag-03.01) balances carbon: it has none, and takes none.

    Example: 100 × 10^4 Nm3 of natural gas, cets-ag-04.01-v01-2024, all defaults:
    100 × 389.310 × 0.01532 × 0.99 × 44/12 = 2165.0151996 t. No published example was found; the
    defaults (without OF) reproduce a steel works' evidence file to the cent.

    Not confirmed: the guidelines' own texts could not be read; each default says in its row where
    it was seen. Oxidation by sector was seen in one source, its absence for steel in two.
    """
    rules = _rules(rule_set)
    found = fuel_of(rules, kind)
    if "carbon_ar" in own and ("ncv" in own or "carbon_content" in own):
        raise InputError(["carbon_ar: give it alone, not with ncv or carbon_content"])
    if "oxidation_percent" in own and oxidation_row(rules, found) is None:
        raise InputError([f"oxidation_percent: {rules.id} has no oxidation: leave it out"])
    parameters = fuel_parameters(
        rules,
        found,
        {n: given(v, exact_text(v), parameter_unit(found, n)) for n, v in own.items()},
    )
    return {
        "emission_t": exact_text(quantity * co2_per_unit(rules, parameters)),
        "parameters": {name: p.as_map() for name, p in parameters.items()},
    }


def rules_of(rule_set_id: str) -> RuleSet:
    """The rule set that an input names; InputError when this program has none of that name."""
    try:
        return rule_set(rule_set_id)
    except UnknownRuleSetError as error:
        raise InputError([f"rule_set: {error}"]) from error


def fuel_of(rules: RuleSet, kind: str) -> Kind:
    """The fuel that an input names; InputError, with those there are, when it has none."""
    found = find_kind(rules.fuels, kind)
    if found is None:
        raise InputError(
            [f"kind: {rules.id} has no fuel {kind!r}; it has: {' '.join(rules.fuels)}"]
        )
    return found


def _rules(rule_set_id: str) -> RuleSet:
    rules = rules_of(rule_set_id)
    if not rules.fuels:
        raise InputError([f"rule_set: {rule_set_id} has no fuels"])
    if rules.fuel_basis != BY_CARBON:
        raise InputError(
            [f"rule_set: {rule_set_id} counts fuels by {rules.fuel_basis}, not carbon"]
        )
    return rules
