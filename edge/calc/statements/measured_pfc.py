"""The PFC line of a rule set whose figure of record is made of measured anode effects.

One [pfc] table a plant, or one a potline: each has its own metal, technology and minutes, and
becomes a line of its own. By slope where the minutes are given, by overvoltage where that is.

Flags, beside those of the parameters:
    site-coefficients-due:pfc   40 CFR 98.64(a): defaults are for lines below its limits only
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.factors import RuleSet, coefficient_rows, gwp_row, gwp_sets, rule_set
from edge.calc.methods.pfc import FRACTION_UNIT, OVERVOLTAGE_UNIT, SLOPE_UNIT
from edge.calc.parameter import Parameter, default, given
from edge.calc.statements.aluminium import NOT_COVERED
from edge.calc.statements.line import EMISSION_PLACES, Line, Model
from edge.calc.statements.statement_table import Table

SLOPE, OVERVOLTAGE = "slope", "overvoltage"
DUE = "site-coefficients-due:pfc"
_KG_A_TONNE = 1000
_EFFECT = {SLOPE: "aem_min_per_cell_day", OVERVOLTAGE: "aeo_mv"}
_EFFICIENCY, _DUCT = "current_efficiency_percent", "collection_efficiency_percent"
_EFFICIENCY_MIN = 50
_LIMITS = {SLOPE: "default.aem_limit", OVERVOLTAGE: "default.aeo_limit"}


@dataclass(frozen=True)
class MeasuredPfc:
    """One potline's PFC.

    Attributes:
        line: of the statement.
        record: how it was made, for `record_of`.
        masses_kg: exact, of "cf4" and "c2f6".
        flags: beside the line's own.
    """

    line: Line
    record: Mapping[str, str]
    masses_kg: Mapping[str, Fraction]
    flags: tuple[str, ...] = ()


def measured_pfc(table: Table, rules: RuleSet) -> MeasuredPfc | None:
    """One [pfc] table; None when something in it is wrong (the table has noted what)."""
    metal = table.number("metal_t", "t")
    technology, unit = table.text("technology"), table.text("unit") or ""
    effects = {
        SLOPE: table.number(_EFFECT[SLOPE], "AE-min/cell-day", high=1440),
        OVERVOLTAGE: table.number(_EFFECT[OVERVOLTAGE], "mV", high=10_000),
    }
    more = {key: table.number(key, "%", high=100, above_zero=True) for key in (_EFFICIENCY, _DUCT)}
    gwp = table.text("gwp", gwp_sets()) or rules.gwp
    method = _method(table)
    coefficients = _coefficients(table, rules, technology, method)
    table.end()
    for key, value in (("metal_t", metal), ("technology", technology)):
        if value is None and not table.has(key):
            table.problem(key, "missing")
    if not gwp:
        table.problem("gwp", f"missing: {rules.id} prescribes none; one of {' '.join(gwp_sets())}")
    efficiency = more[_EFFICIENCY]
    if method is None or not _has_efficiency(table, method, efficiency):
        return None
    effect = effects[method]
    if metal is None or effect is None or coefficients is None or not gwp:
        return None
    parameters = {"metal_t": metal, _EFFECT[method]: effect, **coefficients}
    parameters |= {key: value for key, value in more.items() if value is not None}
    parameters |= {f"gwp_{gas}": default(gwp_row(gwp, gas)) for gas in ("cf4", "c2f6")}
    return _made(parameters, method, gwp, unit, _due(rules, method, parameters))


def record_of(parts: Sequence[MeasuredPfc]) -> tuple[dict[str, Any], dict[str, str]]:
    """The statement's "pfc" of all potlines, and its gases; one potline at least."""
    masses = {gas: sum((x.masses_kg[gas] for x in parts), Fraction(0)) for gas in ("cf4", "c2f6")}
    gases = {f"{gas}_kg": exact_text(mass) for gas, mass in masses.items()}
    metal = sum((part.line.parameters["metal_t"].value for part in parts), Fraction(0))
    co2e = sum((part.line.rounded for part in parts), Fraction(0))
    record: dict[str, Any] = {
        **{key: " ".join(dict.fromkeys(x.record[key] for x in parts)) for key in ("method", "gwp")},
        "metal_t": exact_text(metal), **gases,
        "co2e_t": rounded_text(co2e, EMISSION_PLACES),
    }  # fmt: skip
    if len(parts) > 1:
        record["potlines"] = [dict(part.record) for part in parts]
    return {"record": record, "not_covered": [dict(entry) for entry in NOT_COVERED]}, gases


def _method(table: Table) -> str | None:
    measured = [method for method, key in _EFFECT.items() if table.has(key)]
    if len(measured) == 1:
        return measured[0]
    table.problem(
        _EFFECT[SLOPE],
        "give exactly one of aem_min_per_cell_day (slope) and aeo_mv (overvoltage); without either "
        "there are default factors only (calc eval pfc.default_factors)",
    )
    return None


def _has_efficiency(table: Table, method: str, efficiency: Parameter | None) -> bool:
    """Percent, beside an overvoltage and nowhere else: 0.95 would make it a hundred times more."""
    if method == SLOPE and table.has(_EFFICIENCY):
        table.problem(_EFFICIENCY, "has no meaning beside aem_min_per_cell_day")
    elif method == OVERVOLTAGE and not table.has(_EFFICIENCY):
        table.problem(_EFFICIENCY, "missing beside aeo_mv")
    elif efficiency is not None and efficiency.value < _EFFICIENCY_MIN:
        table.problem(_EFFICIENCY, f"{efficiency.text} is below {_EFFICIENCY_MIN} %: 95, not 0.95")
        return False
    return method == SLOPE or efficiency is not None


def _coefficients(
    table: Table, rules: RuleSet, technology: str | None, method: str | None
) -> dict[str, Parameter] | None:
    """The site's own, which need their source, or those of the rule set's table."""
    own = {
        SLOPE: table.number(SLOPE, SLOPE_UNIT, high=10, above_zero=True),
        OVERVOLTAGE: table.number(OVERVOLTAGE, OVERVOLTAGE_UNIT, high=100, above_zero=True),
        "c2f6_fraction": table.number("c2f6_fraction", FRACTION_UNIT, high=1),
    }
    source = table.text("source")
    if method is None or technology is None:
        return None
    wanted = (method, "c2f6_fraction")
    if any(table.has(key) for key in own):
        for key in own:
            if table.has(key) != (key in wanted):
                need = f"missing: the site's own {' and '.join(wanted)} go together"
                table.problem(key, need if key in wanted else f"has no meaning with {method}")
        if not table.has("source"):
            table.problem("source", "missing: who measured the site's own coefficients, and when")
        found = {key: p for key in wanted if (p := own[key]) is not None}
        if len(found) < len(wanted) or not source:
            return None
        return {key: _told(parameter, source) for key, parameter in found.items()}
    rows = coefficient_rows(rules.coefficients, method, technology)
    if rows is None:
        names = technologies(rules, method)
        table.problem(
            "technology", f"{rules.id} has no {method} for {technology!r}; it has: "
            f"{' '.join(names)}; or give {method}, c2f6_fraction and source of the site's own",
        )  # fmt: skip
        return None
    return {method: default(rows[0]), "c2f6_fraction": default(rows[1])}


def technologies(rules: RuleSet, method: str) -> list[str]:
    """The technologies that a rule set has coefficients of a method for."""
    ids = (row_id.split(".") for row_id in rule_set(rules.coefficients).rows)
    return sorted({parts[1] for parts in ids if parts[0] == method})


def _told(parameter: Parameter, source: str) -> Parameter:
    """A coefficient of the site's own is typed, with the words of where it comes from."""
    provenance = parameter.provenance or {"typed": {"source": source}}
    return given(parameter.value, parameter.text, parameter.unit, provenance)


def _due(rules: RuleSet, method: str, parameters: Mapping[str, Parameter]) -> bool:
    """Defaults are used where the rule set asks for a measurement of the site's own."""
    row = rules.rows.get(_LIMITS[method])
    is_default = bool(parameters[method].row)
    return row is not None and is_default and parameters[_EFFECT[method]].value >= row.value


def _made(
    parameters: Mapping[str, Parameter], method: str, gwp: str, unit: str, is_due: bool
) -> MeasuredPfc:
    cf4 = _cf4_kg(parameters, method)
    masses = {"cf4": cf4, "c2f6": cf4 * parameters["c2f6_fraction"].value}
    straight = method == SLOPE and _DUCT not in parameters  # what divides is no straight line
    factors = (_EFFECT[SLOPE], SLOPE, "c2f6_fraction", "gwp_cf4", "gwp_c2f6")
    line = Line(
        category="pfc",
        kind="anode-effect-pfc",
        quantity=parameters["metal_t"].text,
        emission=_co2e_t(parameters, method),
        parameters=parameters,
        unit=unit,
        model=Model(lambda p: _co2e_t(p, method), ("metal_t",), factors) if straight else None,
    )
    record = {
        **({"unit": unit} if unit else {}), "method": method, "gwp": gwp, "metal_t": line.quantity,
        **{f"{gas}_kg": exact_text(mass) for gas, mass in masses.items()},
        "co2e_t": rounded_text(line.emission, EMISSION_PLACES),
    }  # fmt: skip
    return MeasuredPfc(line, record, masses, (DUE,) if is_due else ())


def _cf4_kg(parameters: Mapping[str, Parameter], method: str) -> Fraction:
    """Coefficient × effect (÷ efficiency) × metal; all of it, where a duct caught a part."""
    values = {name: parameter.value for name, parameter in parameters.items()}
    mass = values[method] * values[_EFFECT[method]] * values["metal_t"]
    if method == OVERVOLTAGE:
        mass /= values[_EFFICIENCY]
    return mass / values[_DUCT] * 100 if _DUCT in values else mass


def _co2e_t(parameters: Mapping[str, Parameter], method: str) -> Fraction:
    gwp = parameters["gwp_cf4"].value
    gwp += parameters["c2f6_fraction"].value * parameters["gwp_c2f6"].value
    return _cf4_kg(parameters, method) * gwp / _KG_A_TONNE
