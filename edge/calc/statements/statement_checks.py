"""The cross-checks of a statement: those its lines bring by themselves, and those asked for.

By themselves: a `recorded` quantity beside the line's (second source); raw meal and heat per tonne
of clinker when it was made by stock-taking, or raw meal was given. Asked for: [[cross_check]].
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.methods.gas_network import residual
from edge.calc.methods.metal_energy import dc_kwh_t
from edge.calc.statements.clinker_amount import RAW_MEAL
from edge.calc.statements.cross_check import CrossCheck, apart, limit
from edge.calc.statements.line import Line
from edge.calc.statements.net_amount import RECORDED
from edge.calc.statements.statement_table import Table, tables

_MWH_KWH = 1000


def cross_checks(
    source: Mapping[str, Any], lines: Sequence[Line], problems: list[str]
) -> list[CrossCheck]:
    """All of them, in the order of the lines and then of the tables."""
    found = [check for line in lines for check in _second_source(line)]
    kiln = _kiln_fuels(source, lines)
    found += [check for line in lines for check in _clinker(line, lines, kiln)]
    for table in tables(source, "cross_check", problems):
        kind = table.text("check", tuple(_ASKED))
        if kind is None:
            if not table.has("check"):
                table.problem("check", f"missing; one of {' '.join(_ASKED)}")
            continue
        made = _ASKED[kind](table, lines)
        table.end()
        found += [made] if made is not None else []
    return found


def _second_source(line: Line) -> list[CrossCheck]:
    if RECORDED not in line.parameters:
        return []
    first, second = line.parameters["quantity"], line.parameters[RECORDED]
    said = (
        f"{line.kind}: {second.source.removeprefix('recorded: ').partition(';')[0]} "
        f"{second.text} {second.unit} against {first.text} {first.unit} of the statement"
    )
    return [apart("second-source", f"{line.category}.{line.kind}", first.value, second.value, said)]


def _kiln_fuels(source: Mapping[str, Any], lines: Sequence[Line]) -> list[Line]:
    """The fuel lines that burn in a kiln: all whose table names no other use."""
    fuels, given = [x for x in lines if x.category == "fuel"], source.get("fuel", ())
    if not isinstance(given, Sequence) or len(fuels) != len(given):
        return []  # one was wrong: the statement is refused
    pairs = zip(fuels, given, strict=True)
    return [fuel for fuel, table in pairs if table.get("use", "kiln") == "kiln"]


def _clinker(line: Line, lines: Sequence[Line], kiln: Sequence[Line]) -> list[CrossCheck]:
    by_stock = "stock-taking" in line.notes
    if line.category != "clinker" or not (by_stock or RAW_MEAL in line.parameters):
        return []
    clinker, meal = line.parameters["quantity"].value, line.parameters.get(RAW_MEAL)
    checks = [_per_tonne("raw-meal", meal.value if meal else None, clinker, "t/t", "no raw_meal_t")]
    heat, without = _heat([fuel for fuel in kiln if line.unit in {"", fuel.unit}])
    if sum(other.category == "clinker" and other.unit == line.unit for other in lines) > 1:
        heat, without = None, "several kinds of clinker share the fuels"
    checks.append(_per_tonne("clinker-heat", heat, clinker, "GJ/t", without))
    return checks


def _per_tonne(
    check: str, amount: Fraction | None, clinker: Fraction, unit: str, why_not: str
) -> CrossCheck:
    row, what = {
        "raw-meal": ("raw_meal", "raw meal"), "clinker-heat": ("heat", "net heat of the fuels")
    }[check]  # fmt: skip
    low, high = (limit(f"clinker.{row}.{end}") for end in ("low", "high"))
    if amount is None or not clinker:
        why = why_not if clinker else "no clinker was made"
        return CrossCheck(check, "", None, unit, low, high, f"{what} per tonne of clinker: {why}")
    said = f"{what} per tonne of clinker, {exact_text(amount)} ÷ {exact_text(clinker)}"
    return CrossCheck(check, "", amount / clinker, unit, low, high, said)


def _heat(lines: Sequence[Line]) -> tuple[Fraction | None, str]:
    """GJ of the fuel lines (net), or None and which line has no heating value."""
    fuels = [line for line in lines if line.category == "fuel"]
    without = [line.kind for line in fuels if "ncv" not in line.parameters]
    if without:
        return None, f"{' '.join(without)} given without ncv"
    if not fuels:
        return None, "no fuel is given"
    heat = [line.parameters["quantity"].value * line.parameters["ncv"].value for line in fuels]
    return sum(heat, Fraction(0)), ""


def _needed(table: Table, units: Mapping[str, str]) -> dict[str, Fraction] | None:
    """Numbers that must all be there, or None."""
    found = table.numbers(units)
    for key in units:
        if not table.has(key):
            table.problem(key, f"missing ({units[key]})")
    return {k: p.value for k, p in found.items()} if len(found) == len(units) else None


def _electricity(table: Table, _: Sequence[Line]) -> CrossCheck | None:
    current = table.text("current", ("dc", "ac"))
    if current is None and not table.has("current"):
        table.problem("current", "missing: dc (behind the rectifiers) or ac (before them)")
    units = {"electricity_mwh": "MWh", "metal_t": "t"}
    units |= {"cell_voltage_v": "V", "current_efficiency_percent": "%"}
    given = _needed(table, units)
    if given is None or current is None:
        return None
    if not 50 <= given["current_efficiency_percent"] <= 100:
        table.problem("current_efficiency_percent", "must be 50 to 100: 94.5, not 0.945")
        return None
    if not given["metal_t"] or not given["cell_voltage_v"]:
        table.problem("metal_t", "metal and voltage must be above zero")
        return None
    wanted = dc_kwh_t(given["cell_voltage_v"], given["current_efficiency_percent"])
    found = given["electricity_mwh"] * _MWH_KWH / given["metal_t"]
    said = (
        f"{rounded_text(found, 0)} kWh/t {current} against {rounded_text(wanted, 0)} kWh/t dc by "
        "Faraday, efficiency and voltage"
    )
    low = limit("electricity.ac.low_percent") if current == "ac" else None
    high = limit("electricity.ac.high_percent" if current == "ac" else "electricity.dc.percent")
    statistic = (found - wanted) / wanted * 100
    return CrossCheck("electricity-metal", current, statistic, "%", low, high, said)


def _gas(table: Table, _: Sequence[Line]) -> CrossCheck | None:
    what = table.text("what") or ""
    stock = table.numbers({"holder_opening": "10^4 Nm3", "holder_closing": "10^4 Nm3"})
    if len(stock) == 1:
        table.problem("holder_opening", "give it and holder_closing, or neither")
    sums = {}
    for key in ("sources", "uses", "flare"):
        part = table.subtable(key)
        if part is None and key != "flare":
            table.problem(key, "missing: a table of meters and what each counted")
        numbers = part.all_numbers("10^4 Nm3") if part is not None else {}
        sums[key] = sum((number.value for number in numbers.values()), Fraction(0))
    rise = Fraction(0)
    if len(stock) == 2:
        rise = stock["holder_closing"].value - stock["holder_opening"].value
    try:
        left, percent = residual(sums["sources"], sums["uses"], sums["flare"], rise)
    except InputError as error:
        table.problem("sources", error.problems[0].partition(": ")[2])
        return None
    said = (
        f"{what or 'gas network'}: {exact_text(sums['sources'])} made, {exact_text(sums['uses'])} "
        f"used, {exact_text(sums['flare'])} flared, holders {exact_text(rise)}, "
        f"{exact_text(left)} x10^4 Nm3 unexplained"
    )
    return CrossCheck(
        "gas-network", what, percent, "%", None, limit("gas_network.percent"), said
    )  # fmt: skip


def _energy(table: Table, lines: Sequence[Line]) -> CrossCheck | None:
    unit = table.text("unit")
    given = _needed(table, {"used_gj": "GJ"})
    if given is None:
        return None
    heat, without = _heat([line for line in lines if unit in {None, line.unit}])
    if heat is None:
        return CrossCheck(
            "energy", unit or "", None, "%", None, limit("energy.percent"),
            f"heat of the fuels: {without}",
        )  # fmt: skip
    said = f"heat used {exact_text(given['used_gj'])} GJ against {exact_text(heat)} GJ of fuels"
    return apart("energy", unit or "", heat, given["used_gj"], said)


def _carbon(table: Table, lines: Sequence[Line]) -> CrossCheck | None:
    unit = table.text("unit")
    stacks = table.text("stacks")
    if stacks is None and not table.has("stacks"):
        table.problem("stacks", "missing: which stacks the measured CO2 left by")
    given = _needed(table, {"measured_co2_t": "tCO2"})
    if given is None or stacks is None:
        return None
    mine = [line for line in lines if line.category != "pfc" and unit in {None, line.unit}]
    co2 = sum((line.counted for line in mine), Fraction(0))
    said = (
        f"CO2 measured at {stacks} {exact_text(given['measured_co2_t'])} t against "
        f"{exact_text(co2)} t of the lines"
    )
    return apart("carbon", unit or "", co2, given["measured_co2_t"], said)


def _two(table: Table, _: Sequence[Line]) -> CrossCheck | None:
    what = table.text("what")
    if what is None and not table.has("what"):
        table.problem("what", "missing: what both figures are of")
    unit = table.text("unit") or ""
    given = _needed(table, {"first": unit, "second": unit})
    if given is None or what is None:
        return None
    said = f"{what}: {exact_text(given['second'])} against {exact_text(given['first'])} {unit}"
    return apart("second-source", what, given["first"], given["second"], said.rstrip())


_ASKED = {
    "electricity-metal": _electricity, "gas-network": _gas, "energy": _energy,
    "carbon": _carbon, "second-source": _two,
}  # fmt: skip
