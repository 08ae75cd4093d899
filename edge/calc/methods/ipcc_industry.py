"""Cement and steel by the IPCC's Guidelines: production × factor, clinker by oxide, carbonates."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import RuleSet, find_kind, rule_set
from edge.calc.methods.oxides import oxide_factor, oxide_problems
from edge.calc.parameter import Parameter, default, given
from edge.calc.registry import Input, method

_CEMENT = "ipcc-2006-cement"
_STEEL = ("ipcc-2006-steel", "ipcc-2019-steel")


@method(
    "cement.ipcc_cement",
    version=1,
    source="IPCC 2006 Vol. 3 Ch. 2 Eq. 2.1 (Tier 1)",
    inputs={
        "cement_t": Input("t", low="0"),
        "clinker_percent": Input("% of cement", low="0", high="100"),
        "clinker_imported_t": Input("t", low="0", optional=True),
        "clinker_exported_t": Input("t", low="0", optional=True),
    },
    outputs={"emission_t": "tCO2", "clinker_t": "t", "factor": "tCO2/t clinker"},
)
def ipcc_cement(
    *,
    cement_t: Fraction,
    clinker_percent: Fraction,
    clinker_imported_t: Fraction = Fraction(0),
    clinker_exported_t: Fraction = Fraction(0),
) -> dict[str, Any]:
    """Process CO2 of cement from cement alone (IPCC 2006, Tier 1).

    clinker = cement × clinker share ÷ 100 - imported + exported
    E [tCO2] = clinker [t] × 0.52

    0.52 is 0.51 for 65 % calcium oxide, × 1.02 for dust. Clinker that came from elsewhere was burnt
    there: it is subtracted, and the result may be negative.

    Example: 1000 t of cement with 75 % clinker, 100 t of it imported: 650 × 0.52 = 338 t (by hand).
    The Guidelines print 0.52 (p. 2.12). No published example of the equation was found.

    Not confirmed: the equation was read in a public package, its factor on the rendered page.
    """
    factor = rule_set(_CEMENT).row("cement.factor")
    clinker = cement_t * clinker_percent / 100 - clinker_imported_t + clinker_exported_t
    return {
        "emission_t": exact_text(clinker * factor.value),
        "clinker_t": exact_text(clinker),
        "factor": factor.text,
    }


@method(
    "cement.ipcc_clinker",
    version=1,
    source="IPCC 2006 Vol. 3 Ch. 2 Eq. 2.2, 2.4, 2.5 (Tier 2)",
    inputs={
        "clinker_t": Input("t", low="0"),
        "cao_percent": Input("% of clinker", low="0", high="100", optional=True),
        "cao_noncarbonate_percent": Input("% of clinker", low="0", high="100", optional=True),
        "dust_factor": Input("1", low="1", high="2", optional=True),
    },
    outputs={"emission_t": "tCO2", "factor": "tCO2/t clinker", "parameters": ""},
)
def ipcc_clinker(*, clinker_t: Fraction, **own: Fraction) -> dict[str, Any]:
    """Process CO2 of clinker by its calcium oxide, and of dust that is lost (IPCC 2006, Tier 2).

    EF = (CaO - CaO of no carbonate) ÷ 100 × 0.785
    E [tCO2] = clinker [t] × EF × dust factor

    0.785 is 44.01/56.08 as the Guidelines round it. Left out: 65 % CaO, all of carbonate, and 1.02
    for kiln dust; Eq. 2.5 makes the factor from what a plant knows: 1 + dust/clinker × share of
    carbonate × share calcined × EF of carbonate ÷ EF of clinker. Magnesium oxide is not counted.

    Example: 1 t, all defaults: 0.65 × 0.785 × 1.02 = 0.520455; the Guidelines print 0.51 and 0.52
    (p. 2.12).

    Not confirmed: equation numbers are a public package's.
    """
    rules = rule_set(_CEMENT)
    units = {"cao_percent": "%", "cao_noncarbonate_percent": "%", "dust_factor": "1"}
    used = {name: _own(rules, f"clinker.{name}", own.get(name), u) for name, u in units.items()}
    values = {name: parameter.value for name, parameter in used.items()}
    if wrong := oxide_problems(values):
        raise InputError([f"{key}: {reason}" for key, reason in wrong.items()])
    factor = oxide_factor(values, {"cao": rules.row("ratio.cao").value}) * values["dust_factor"]
    return {
        "emission_t": exact_text(clinker_t * factor),
        "factor": exact_text(factor),
        "parameters": {name: parameter.as_map() for name, parameter in used.items()},
    }


@method(
    "carbonate.ipcc",
    version=1,
    source="IPCC 2006 Vol. 3 Ch. 2 Eq. 2.3 (Tier 3, its carbonate term), Table 2.1",
    inputs={
        "kind": Input(is_text=True),
        "quantity_t": Input("t", low="0"),
        "purity_percent": Input("%", low="0", high="100", optional=True),
        "calcined_percent": Input("%", low="0", high="100", optional=True),
    },
    outputs={"emission_t": "tCO2", "parameters": ""},
)
def ipcc_carbonate(
    *,
    kind: str,
    quantity_t: Fraction,
    purity_percent: Fraction | None = None,
    calcined_percent: Fraction = Fraction(100),
) -> dict[str, Any]:
    """CO2 of one carbonate that is heated or dissolved (IPCC 2006, Tier 3).

    E [tCO2] = quantity [t] × purity [%] ÷ 100 × factor [t/t] × calcined [%] ÷ 100

    kind: calcium-carbonate, magnesium-carbonate, calcium-magnesium-carbonate (dolomite),
    iron-carbonate, manganese-carbonate, sodium-carbonate, or its mineral's name. Left out, all of
    it is pure and calcined. For clinker, lost dust and organic carbon are further terms.

    Example: 1 t of dolomite: 0.47732 t, as Table 2.1 prints; 44.0095 × 2 ÷ 184.401 = 0.47732.

    Not confirmed: manganese and sodium carbonate were seen in one source; ankerite has a range.
    """
    rules = rule_set("ipcc-2006-defaults")
    found = find_kind(rules.carbonates, kind)
    if found is None:
        raise InputError([f"kind: no carbonate {kind!r}; known: {' '.join(rules.carbonates)}"])
    purity = _own(rules, "carbonate.purity_percent", purity_percent, "%")
    factor = default(rules.row(f"carbonate.{found.id}.factor"))
    emission = quantity_t * purity.value / 100 * factor.value * calcined_percent / 100
    told = {"purity_percent": purity.as_map(), "factor": factor.as_map()}
    return {"emission_t": exact_text(emission), "parameters": told}


@method(
    "steel.ipcc_tier1",
    version=1,
    source="IPCC 2006 Vol. 3 Ch. 4 Eq. 4.4 to 4.8, Table 4.1; that table of the 2019 Refinement",
    inputs={
        "rule_set": Input(is_text=True),
        "kind": Input(is_text=True),
        "produced_t": Input("t", low="0"),
    },
    outputs={"emission_t": "tCO2", "factor": "tCO2/t"},
)
def ipcc_steel(*, rule_set: str, kind: str, produced_t: Fraction) -> dict[str, Any]:
    """CO2 of iron and steel from what is produced (IPCC, Tier 1).

    E [tCO2] = produced [t] × factor [tCO2/t]

    rule_set: ipcc-2006-steel or ipcc-2019-steel. kind: bof-steel, eaf-steel, ohf-steel, pig-iron
    (what is not made into steel), dri, sinter, pellets, coke; steel (a mean of routes) in 2006
    only. A converter's factor holds the blast furnace's carbon: pig iron of the same works is not
    counted beside it.

    Example: 1 t of the world's mix of 2006, 65 % converter, 30 % arc, 5 % open hearth: 0.65 × 1.46
    + 0.30 × 0.08 + 0.05 × 1.72 = 1.059 t; Table 4.1 prints 1.06.

    Not confirmed: the Refinement's figures were seen in one package.
    """
    if rule_set not in _STEEL:
        raise InputError([f"rule_set: {rule_set!r} has no such table; known: {' '.join(_STEEL)}"])
    rules = _table(rule_set)
    found = find_kind(rules.materials, kind)
    if found is None:
        raise InputError([f"kind: {rule_set} has no {kind!r}; it has: {' '.join(rules.materials)}"])
    row = rules.row(f"process.{found.id}.factor")
    return {"emission_t": exact_text(produced_t * row.value), "factor": row.text}


def _table(name: str) -> RuleSet:
    return rule_set(name)


def _own(rules: RuleSet, row_id: str, own: Fraction | None, unit: str) -> Parameter:
    return default(rules.row(row_id)) if own is None else given(own, exact_text(own), unit)
