"""A month's statement from its input: one pure function for edge, cloud, calc, verify and demo.

Every number of the output is a decimal string. Each line's emission is an exact fraction, rounded
half up (away from zero) to 2 decimals once; totals are sums of the rounded lines. PFC stands as
three separate things: the figure of record (a line), the indicator from anode effects, and what
is not covered; they are never added.

Flags are codes, with ":" and where it applies:
    unconfirmed:<row>      a default was used that two independent sources do not confirm
    typed:<key>            a figure was typed, not measured
    site-coefficients-due:pfc   see measured_pfc.py
    no-<category>          no line of what every works of the sector has (`_NEVER_WITHOUT`)
    net-output             an amount given by its parts is negative (more left than came)
    stock-incomplete       an amount given by its parts without opening or closing stock (then 0)
    total-below-zero       more was subtracted than emitted
    stock-taking, bridged, totaliser-age, totaliser-rolled, record-only   how an amount was made
    missing:<category>.<parameter>   the rule's value takes the place of one that is missing
    check:<id>, not-checked:<id>     a cross-check is outside its limits, or could not be made
    uncertainty-incomplete some uncertainty was given, but not that of every input of every line
    and whatever the input itself brings (see month.py).

What is subtracted (carbon in steel's products, cement's substitute raw materials) stands in its
line and in `product_t` as a positive number; `total_t` is the sum with `line.COUNTS`'s signs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import parse_decimal, rounded_text
from edge.calc.errors import StatementError, UnknownRuleSetError
from edge.calc.factors import (
    ANODE_EFFECTS,
    CARBON_BALANCE,
    DEFAULT_FACTORS,
    GROSS_HEAT,
    NET_ENERGY,
    OXIDES,
    SEALED_BY,
    TIERS,
    RuleSet,
    rule_set,
    rule_set_ids,
)
from edge.calc.statements.aluminium import anode_line, carbonate_line, pfc_part
from edge.calc.statements.carbon_lines import carbon_material_line, carbon_product_line
from edge.calc.statements.cross_check import CrossCheck
from edge.calc.statements.electrode_lines import baking_line, paste_line
from edge.calc.statements.factor_line import (
    clinker_line,
    material_line,
    product_line,
    substitute_line,
)
from edge.calc.statements.fuel_line import fuel_line
from edge.calc.statements.line import COUNTS, Line
from edge.calc.statements.line_uncertainty import assess, read_stated
from edge.calc.statements.measured_pfc import MeasuredPfc, measured_pfc, record_of
from edge.calc.statements.other_fuel_lines import energy_fuel_line, gross_fuel_line
from edge.calc.statements.oxide_lines import dust_line, organic_line, oxide_clinker_line
from edge.calc.statements.statement_checks import cross_checks
from edge.calc.statements.statement_table import MONTH, Table, month_of, tables
from edge.calc.statements.statement_uncertainty import (
    INCOMPLETE,
    is_incomplete,
    line_map,
    totals_map,
)
from edge.calc.uncertainty import COVERAGE

#: how the figure of record is made -> the tables lines come from, the key of [output]
_SECTORS = {
    DEFAULT_FACTORS: (("fuel", "anode", "pfc", "carbonate"), "aluminium_t"),
    ANODE_EFFECTS: (
        ("fuel", "anode", "paste", "baking", "pfc", "carbonate"), "aluminium_t",
    ),
    "mass-balance": (("fuel", "process", "product"), "crude_steel_t"),
    "clinker-factor": (("fuel", "clinker", "substitute"), "clinker_t"),
    OXIDES: (("fuel", "clinker", "dust", "organic"), "clinker_t"),
    TIERS: (("fuel", "clinker", "carbonate"), "clinker_t"),
    CARBON_BALANCE: (("fuel", "process", "product"), "crude_steel_t"),
}  # fmt: skip
#: what no works of the sector is without: a statement that has no line of it says so
_NEVER_WITHOUT = {
    DEFAULT_FACTORS: ("anode", "pfc"),
    ANODE_EFFECTS: ("anode", "pfc"),
    "mass-balance": ("fuel",),
    "clinker-factor": ("fuel", "clinker"),
    OXIDES: ("fuel", "clinker", "organic"),
    TIERS: ("fuel", "clinker"),
    CARBON_BALANCE: ("process",),
}
#: (record, line) -> what may stand in its place
_INSTEAD = {(TIERS, "clinker"): "carbonate"}  # Tier 3
_READERS: dict[str, Callable[[Table, RuleSet], Line | None]] = {
    "fuel": fuel_line, "process": material_line, "product": product_line, "anode": anode_line,
    "carbonate": carbonate_line, "clinker": clinker_line, "substitute": substitute_line,
    "paste": paste_line, "baking": baking_line, "dust": dust_line, "organic": organic_line,
}  # fmt: skip
#: where a rule set counts the same table otherwise: (fuel basis or record, table)
_OTHERWISE: dict[tuple[str, str], Callable[[Table, RuleSet], Line | None]] = {
    (NET_ENERGY, "fuel"): energy_fuel_line, (GROSS_HEAT, "fuel"): gross_fuel_line,
    (OXIDES, "clinker"): oxide_clinker_line, (TIERS, "clinker"): oxide_clinker_line,
    (CARBON_BALANCE, "process"): carbon_material_line,
    (CARBON_BALANCE, "product"): carbon_product_line,
}  # fmt: skip
_ALONE = {"anode", "clinker", "paste", "baking"}  # a table; all but anode may be a list as well
#: a document's name -> its part on the sector, where a rule set is called by both
_PART = "-aluminium"
_ALL = {table for tables_, _ in _SECTORS.values() for table in tables_}
_ALL |= {"output", "auxiliary", "cross_check"}
#: carried along for the reader and the archive; no figure is made from them
_CARRIED = {
    "format", "plant", "period", "closing", "potlines", "totalisers", "checks", "completeness",
    "reservations", "flags", "bridges",
}  # fmt: skip


@dataclass
class _Parts:
    """What the tables gave."""

    lines: list[Line] = field(default_factory=list)
    pfc: dict[str, Any] | None = None
    gases: dict[str, str] = field(default_factory=dict)
    output_t: Fraction | None = None
    auxiliary: list[dict[str, Any]] = field(default_factory=list)
    checks: list[CrossCheck] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


def compute(source: Mapping[str, Any]) -> dict[str, Any]:
    """The statement of one month.

    Args:
        source: the input of interfaces.md "calc statement" (decimal strings, ints or Decimals),
            with optional "provenance" tables as `month.MonthFold` adds them.

    Returns:
        Maps, lists, strings and nothing else, in the shape of interfaces.md, with "pfc",
        "auxiliary" and, in a parameter, "row" and "provenance" beside it.

    Raises:
        UnknownRuleSetError: the rule set is not in this program.
        StatementError: names every wrong key.
    """
    if not isinstance(source, Mapping):
        raise StatementError(["input: must be a table"])
    problems: list[str] = []
    rules, month = _head(source, problems)
    parts = _Parts()
    for key in source:
        if key not in {"rule_set", "month", *_ALL, *_CARRIED}:
            problems.append(f"{key}: unknown key")
    if rules is not None:
        _read_lines(source, rules, parts, problems)
        _read_output(source, rules, parts, problems)
    _read_rest(source, parts, problems)
    parts.checks = cross_checks(source, parts.lines, problems)
    parts.flags += [flag for check in parts.checks for flag in check.flags]
    if problems or rules is None:
        raise StatementError(problems)
    head = {key: source[key] for key in ("plant", "period", "closing") if key in source}
    return {**head, **_statement(rules, month, parts)}


def output_key(rule_set_id: str) -> str:
    """The key of [output] under a rule set: its main product, in t."""
    return _SECTORS[statement_rules(rule_set_id).record][1]


def month_rules(name: str) -> RuleSet:
    """A rule set that a plant's months are sealed by; UnknownRuleSetError where it is none."""
    rules = statement_rules(name)
    if rules.record not in SEALED_BY:
        raise UnknownRuleSetError(f"no plant's month is sealed by rule set {name!r}")
    return rules


def statement_rules(name: str) -> RuleSet:
    """A rule set that statements are made by; UnknownRuleSetError where it is none.

    A document's name will do for its part on aluminium: ipcc-2006 for ipcc-2006-aluminium.
    """
    rules = rule_set(f"{name}{_PART}" if f"{name}{_PART}" in rule_set_ids() else name)
    if not rules.record:
        raise UnknownRuleSetError(f"rule set {name!r} is a table of coefficients, no rule set")
    return rules


def _head(source: Mapping[str, Any], problems: list[str]) -> tuple[RuleSet | None, str]:
    month = source.get("month")
    if not isinstance(month, str) or not MONTH.fullmatch(month):
        problems.append('month: must be like "2026-06"')
        month = ""
    name = source.get("rule_set")
    if not isinstance(name, str):
        problems.append("rule_set: missing")
        return None, month
    return statement_rules(name), month


def _read_lines(
    source: Mapping[str, Any], rules: RuleSet, parts: _Parts, problems: list[str]
) -> None:
    mine, _ = _SECTORS[rules.record]
    if rules.record == TIERS and "clinker" in source and "carbonate" in source:
        problems.append("carbonate: of the same clinker (Tier 3); give it or clinker (Tier 2)")
    for key in _READERS.keys() | {"pfc"}:
        if key in source and key not in mine:
            problems.append(f"{key}: {rules.id} ({rules.sector}) has none; it has {' '.join(mine)}")
    for key in mine:
        if key == "pfc":
            _read_pfc(source, rules, parts, problems)
        elif key in _ALONE and isinstance(source.get(key), Mapping):
            alone = Table(key, source[key], problems, month_of(source))
            parts.lines += _made(key, [alone], rules)
        elif key == "anode" and key in source:
            problems.append("anode: must be a table")
        else:
            parts.lines += _made(key, tables(source, key, problems), rules)


def _made(key: str, given: list[Table], rules: RuleSet) -> list[Line]:
    lines = []
    for table in given:
        stated = read_stated(table)
        line = _reader(key, rules)(table, rules)
        if line is not None:
            lines.append(assess(line, stated, table))
    return lines


def _reader(key: str, rules: RuleSet) -> Callable[[Table, RuleSet], Line | None]:
    kept = _READERS[key]
    return _OTHERWISE.get((rules.fuel_basis, key), _OTHERWISE.get((rules.record, key), kept))


def _read_pfc(
    source: Mapping[str, Any], rules: RuleSet, parts: _Parts, problems: list[str]
) -> None:
    if "pfc" not in source:
        return
    if rules.record == ANODE_EFFECTS:
        _read_measured_pfc(source, rules, parts, problems)
        return
    table = Table("pfc", source["pfc"], problems)
    stated = read_stated(table)
    made = pfc_part(table, rules)
    if made is not None:
        parts.lines.append(assess(made.line, stated, table))
        parts.pfc, parts.gases = made.pfc, made.gases
        parts.flags += made.flags


def _read_measured_pfc(
    source: Mapping[str, Any], rules: RuleSet, parts: _Parts, problems: list[str]
) -> None:
    """[pfc], or a list of them: a line each."""
    is_one = isinstance(source["pfc"], Mapping)
    given = [Table("pfc", source["pfc"], problems)] if is_one else tables(source, "pfc", problems)
    made: list[MeasuredPfc] = []
    for table in given:
        stated = read_stated(table)
        part = measured_pfc(table, rules)
        if part is not None:
            made.append(part)
            parts.lines.append(assess(part.line, stated, table))
            parts.flags += part.flags
    if made:
        parts.pfc, parts.gases = record_of(made)


def _read_output(
    source: Mapping[str, Any], rules: RuleSet, parts: _Parts, problems: list[str]
) -> None:
    if "output" in source:
        table = Table("output", source["output"], problems)
        output = table.number(output_key(rules.id), "t")
        table.end()
        parts.output_t = output.value if output is not None else None


def _read_rest(source: Mapping[str, Any], parts: _Parts, problems: list[str]) -> None:
    for table in tables(source, "auxiliary", problems):
        kind = table.text("kind", ("electricity",))
        quantity = table.number("quantity", "MWh")
        table.end()
        if kind is not None and quantity is not None:
            parts.auxiliary.append({"kind": kind, "quantity": quantity.as_map(), "in_total": False})
            parts.flags += ["typed:auxiliary.quantity"] if quantity.is_typed else []
        elif kind is not None and not table.has("quantity"):
            table.problem("quantity", "missing")
    if source.get("closing", "final") not in ("interim", "final"):
        problems.append("closing: must be interim or final")
    given = source.get("flags", [])
    if isinstance(given, list) and all(isinstance(flag, str) for flag in given):
        parts.flags += given
    else:
        problems.append("flags: must be a list of strings")


def _statement(rules: RuleSet, month: str, parts: _Parts) -> dict[str, Any]:
    totals = _totals(parts.lines)
    there = {line.category for line in parts.lines}
    parts.flags += [
        f"no-{name}"
        for name in _NEVER_WITHOUT[rules.record]
        if not there & {name, _INSTEAD.get((rules.record, name))}
    ]
    co2 = sum((line.counted for line in parts.lines if line.category != "pfc"), Fraction(0))
    if sum((line.counted for line in parts.lines), Fraction(0)) < 0:
        parts.flags.append("total-below-zero")
    statement: dict[str, Any] = {
        "rule_set": rules.id,
        "edition": rules.edition,
        "month": month,
        "lines": [line.as_map() for line in parts.lines],
        "totals": totals,
        "units": {
            unit: _totals([line for line in parts.lines if line.unit == unit])
            for unit in sorted({line.unit for line in parts.lines if line.unit})
        },
        "gases": {"co2_t": rounded_text(co2, 2), **parts.gases},
        "flags": sorted({*parts.flags, *(flag for line in parts.lines for flag in line.flags)}),
        "auxiliary": parts.auxiliary,
    }
    if parts.output_t:
        total = parse_decimal(totals["total_t"])
        statement["intensity"] = rounded_text(total / parts.output_t, 4)
    if parts.pfc is not None:
        statement["pfc"] = parts.pfc
    if parts.checks:
        statement["cross_checks"] = [check.as_map() for check in parts.checks]
    if any(line.assessment is not None for line in parts.lines):
        _add_uncertainty(statement, rules, parts)
    return statement


def _add_uncertainty(statement: dict[str, Any], rules: RuleSet, parts: _Parts) -> None:
    """Beside the figures; where none was given, nothing is said and no byte changes."""
    for shown, line in zip(statement["lines"], parts.lines, strict=True):
        shown["uncertainty"] = line_map(line, rules)
    statement["uncertainty"] = {
        "k": str(COVERAGE),
        "totals": totals_map(parts.lines, statement["totals"]),
        "units": {
            unit: totals_map([line for line in parts.lines if line.unit == unit], totals)
            for unit, totals in statement["units"].items()
        },
    }
    if is_incomplete(parts.lines):
        statement["flags"] = sorted({*statement["flags"], INCOMPLETE})


def _totals(lines: list[Line]) -> dict[str, str]:
    sums: dict[str, Fraction] = {}
    for line in lines:
        key, sign, _ = COUNTS[line.category]
        sums[key] = sums.get(key, Fraction(0)) + sign * line.rounded
    sums["total_t"] = sum((line.counted for line in lines), Fraction(0))
    return {key: rounded_text(value, 2) for key, value in sums.items()}
