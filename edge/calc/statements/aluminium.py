"""The lines only an aluminium smelter has: anodes, PFC, carbonates (CETS-AG-04.01 and kin)."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import RuleSet, gwp_row, gwp_sets
from edge.calc.methods.pfc import FRACTION_UNIT, SLOPE_UNIT
from edge.calc.parameter import Parameter, calculated, default, is_typed
from edge.calc.registry import evaluate
from edge.calc.statements.line import EMISSION_PLACES, Line, Model
from edge.calc.statements.statement_table import Table

_KG_A_TONNE = 1000
_GASES = ("cf4", "c2f6")
IMPURITIES = ("sulfur_percent", "ash_percent")
#: What neither the figure of record nor the indicator measures; said beside them, always.
NOT_COVERED = (
    {
        "what": "low-voltage (non-anode-effect) PFC",
        "why": "formed below the anode-effect voltage; no public coefficients; published "
        "measurements on Chinese lines put it at 10-90 % of the total",
    },
    {
        "what": "start-up PFC",
        "why": "pots in start-up stand outside producing cell-days and outside the slope method",
    },
)


@dataclass(frozen=True)
class PfcPart:
    """The PFC line with what stands beside it."""

    line: Line
    pfc: dict[str, Any]
    gases: dict[str, str]
    flags: list[str]


def anode_line(table: Table, rules: RuleSet) -> Line | None:
    """[anode]: gross_t × (1 − loss) = net_t; net × (1 − sulfur − ash) × 44/12."""
    given = {key: table.number(key, "t") for key in ("gross_t", "net_t")}
    wanted = ("loss_percent", *IMPURITIES) if table.has("gross_t") else IMPURITIES
    shares = percents(table, rules, {name: f"anode.{name}" for name in wanted})
    if not table.has("gross_t"):
        table.number("loss_percent", "%", high=100)
    unit = table.text("unit") or ""
    table.end()
    if table.has("gross_t") == table.has("net_t"):
        table.problem("gross_t", "give exactly one of gross_t and net_t")
        return None
    if table.has("net_t") and table.has("loss_percent"):
        table.problem("loss_percent", "has no meaning beside net_t")
    gross, net = given["gross_t"], given["net_t"]
    used: dict[str, Parameter] = {}
    if len(shares) < len(wanted):
        return None
    if gross is not None:
        used = {"gross_t": gross, "loss_percent": shares["loss_percent"]}
        value = _net_anode_t(used)
        net = calculated(value, exact_text(value), "t", "gross_t × (1 - loss_percent ÷ 100)")
    if net is None:
        return None
    sulfur, ash = (shares[name] for name in IMPURITIES)
    if sulfur.value + ash.value > 100:
        table.problem("sulfur_percent", "sulfur and ash are more than the anode")
    parameters = {**used, "net_t": net, "sulfur_percent": sulfur, "ash_percent": ash}
    model = Model(
        lambda p: _anode_t(rules, p),
        ("gross_t",) if used else ("net_t",),
        wanted,
    )
    return Line(
        category="anode",
        kind="prebaked-anode",
        quantity=net.text,
        emission=model.emission(parameters),
        parameters=parameters,
        unit=unit,
        model=model,
    )


def percents(table: Table, rules: RuleSet, rows: Mapping[str, str]) -> dict[str, Parameter]:
    """Percentages of a table, the rule set's where they are left out.

    Args:
        table: notes those that are missing and of which the rule set has none.
        rules: whose defaults.
        rows: key -> row.
    """
    found = {}
    for key, row_id in rows.items():
        number = table.number(key, "%", high=100)
        if number is None and row_id in rules.rows and not table.has(key):
            number = default(rules.row(row_id))
        if number is not None:
            found[key] = number
        elif not table.has(key):
            table.problem(key, f"missing: {rules.id} has no default for it")
    return found


def _net_anode_t(parameters: Mapping[str, Parameter]) -> Fraction:
    if "gross_t" not in parameters:
        return parameters["net_t"].value
    return parameters["gross_t"].value * (1 - parameters["loss_percent"].value / 100)


def _anode_t(rules: RuleSet, parameters: Mapping[str, Parameter]) -> Fraction:
    other = parameters["sulfur_percent"].value + parameters["ash_percent"].value
    carbon = _net_anode_t(parameters) * (1 - other / 100)
    return carbon * rules.row("carbon.co2_ratio").value


def carbonate_line(table: Table, rules: RuleSet) -> Line | None:
    """[[carbonate]]: quantity × purity × factor."""
    kind = table.kind(rules.carbonates, rules.id)
    quantity = table.number("quantity", "t")
    if not table.has("quantity"):
        table.problem("quantity", "missing")
    purity = table.number("purity_percent", "%", high=100)
    unit = table.text("unit") or ""
    table.end()
    if kind is None or quantity is None:
        return None
    purity = purity or default(rules.row("carbonate.purity_percent"))
    factor = default(rules.row(f"carbonate.{kind.id}.factor"))
    parameters = {"quantity": quantity, "purity_percent": purity, "factor": factor}
    return Line(
        category="carbonate",
        kind=kind.id,
        quantity=quantity.text,
        emission=_carbonate_t(parameters),
        parameters=parameters,
        unit=unit,
        model=Model(_carbonate_t, ("quantity",), ("purity_percent", "factor")),
    )


def _carbonate_t(parameters: Mapping[str, Parameter]) -> Fraction:
    pure = parameters["quantity"].value * parameters["purity_percent"].value / 100
    return pure * parameters["factor"].value


def pfc_part(table: Table, rules: RuleSet) -> PfcPart | None:
    """[pfc]: the figure of record, and [pfc.indicator] beside it."""
    metal = table.number("metal_t", "t")
    if not table.has("metal_t"):
        table.problem("metal_t", "missing")
    factors = {
        name: table.number(name, "kg/t") or default(rules.row(f"pfc.{name}"))
        for name in ("cf4_kg_t", "c2f6_kg_t")
    }
    gwp = table.text("gwp", gwp_sets()) or rules.gwp
    if table.has("aem_min_per_cell_day"):
        table.number("aem_min_per_cell_day", "AE-min/cell-day")
        table.problem(
            "aem_min_per_cell_day",
            f"{rules.id} counts PFC by production × factors; measured minutes go into "
            "[pfc.indicator]",
        )
    unit = table.text("unit") or ""
    indicator = _indicator(table, metal)
    table.end()
    if metal is None:
        return None
    factors |= {f"gwp_{gas}": default(gwp_row(gwp, gas)) for gas in ("cf4", "c2f6")}
    line, gases = _record(metal, factors, unit)
    record = {
        "method": "metal × emission factors",
        "gwp": gwp,
        "metal_t": metal.text,
        **gases,
        "co2e_t": rounded_text(line.emission, EMISSION_PLACES),
    }
    pfc: dict[str, Any] = {"record": record, "not_covered": [dict(x) for x in NOT_COVERED]}
    flags: list[str] = []
    if indicator is not None:
        pfc["indicator"] = indicator
        flags = _indicator_flags(indicator)
    return PfcPart(line, pfc, gases, flags)


def _record(
    metal: Parameter, factors: dict[str, Parameter], unit: str
) -> tuple[Line, dict[str, str]]:
    parameters = {"metal_t": metal, **factors}
    masses = {gas: _mass_kg(parameters, gas) for gas in _GASES}
    line = Line(
        category="pfc",
        kind="anode-effect-pfc",
        quantity=metal.text,
        emission=_pfc_t(parameters),
        parameters=parameters,
        unit=unit,
        model=Model(_pfc_t, ("metal_t",), tuple(factors)),
    )
    return line, {f"{gas}_kg": exact_text(mass) for gas, mass in masses.items()}


def _mass_kg(parameters: Mapping[str, Parameter], gas: str) -> Fraction:
    return parameters["metal_t"].value * parameters[f"{gas}_kg_t"].value


def _pfc_t(parameters: Mapping[str, Parameter]) -> Fraction:
    kg = (_mass_kg(parameters, gas) * parameters[f"gwp_{gas}"].value for gas in _GASES)
    return sum(kg, Fraction(0)) / _KG_A_TONNE


def _indicator(outer: Table, metal: Parameter | None) -> dict[str, Any] | None:
    """[pfc.indicator]: the slope method on the month's anode-effect minutes, unrounded."""
    table = outer.subtable("indicator")
    if table is None:
        return None
    names = {key: table.text(key) for key in ("technology", "edition", "gwp")}
    numbers = {
        "aem_min_per_cell_day": table.number("aem_min_per_cell_day", "AE-min/cell-day"),
        "slope": table.number("slope", SLOPE_UNIT),
        "c2f6_fraction": table.number("c2f6_fraction", FRACTION_UNIT),
    }
    table.end()
    values: dict[str, object] = {k: v for k, v in names.items() if v is not None}
    values |= {k: v.text for k, v in numbers.items() if v is not None}
    if metal is None:
        return None
    try:
        result = evaluate("pfc.slope", {"metal_t": metal.text, **values})
    except InputError as error:
        for problem in error.problems:
            key, _, reason = problem.partition(": ")
            table.problem(key, reason)
        return None
    inputs = {"metal_t": metal, **{k: v for k, v in numbers.items() if v is not None}}
    result["parameters"] |= {key: value.as_map() for key, value in inputs.items()}
    return {"method": "pfc.slope", "metal_t": metal.text, **values, **result}


def _indicator_flags(indicator: dict[str, Any]) -> list[str]:
    """What the statement must say of the indicator; typed metal is told with the record."""
    flags = [
        f"unconfirmed:{parameter['row']}"
        for parameter in indicator["parameters"].values()
        if parameter["basis"] == "default" and parameter["confidence"] != "confirmed"
    ]
    for key, parameter in indicator["parameters"].items():
        if key != "metal_t" and is_typed(parameter.get("provenance")):
            flags.append(f"typed:indicator.{key}")
    return flags
