"""What a smelter's carbon emits beside prebaked anodes: Søderberg paste, and baking of anodes.

By rule sets whose figure of record is made of measured anode effects; both lines belong to
category "anode". Equations: 40 CFR 98.63 F-6 to F-8; IPCC 2006 Vol. 3 Eq. 4.22 to 4.24.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.errors import InputError
from edge.calc.factors import RuleSet
from edge.calc.methods.electrodes import (
    BAKING_ROWS,
    FURNACES,
    TAR_ROW,
    baking_carbon_t,
    paste_carbon_t,
    paste_rows,
)
from edge.calc.parameter import Parameter, default
from edge.calc.statements.line import Line, Model
from edge.calc.statements.statement_table import Table

Carbon = Callable[[Mapping[str, Parameter]], Fraction]

_UNITS = {"csm_kg_t": "kg/t", "dust_t_t": "tC/t", "packing_coke_t_t": "t/t"}


@dataclass(frozen=True)
class _Carbon:
    """A line's carbon: of which kind, told by which amount, and how it is made."""

    kind: str
    quantity: str
    amounts: Mapping[str, Parameter]
    used: Mapping[str, Parameter]
    carbon: Carbon


def paste_line(table: Table, rules: RuleSet) -> Line | None:
    """One [paste] table: the paste of Søderberg cells."""
    amounts = _amounts(table, ("metal_t", "paste_t"))
    technology = _choice(table, "technology", ("VSS", "HSS"))
    paste = _choice(table, "paste", ("dry", "wet"))
    used = _parameters(table, rules, paste_rows(technology or "VSS", paste or "dry"))
    unit = table.text("unit") or ""
    table.end()
    if len(amounts) < 2 or not used or not technology or not paste:
        return None

    def carbon(p: Mapping[str, Parameter]) -> Fraction:
        return paste_carbon_t(p["paste_t"].value, p["metal_t"].value, p)

    made = _Carbon("soderberg-paste", "paste_t", amounts, used, carbon)
    return _line(made, table, rules, unit)


def baking_line(table: Table, rules: RuleSet) -> Line | None:
    """One [baking] table: pitch and packing coke of a furnace that bakes anodes; not its fuel."""
    amounts = _amounts(table, ("green_t", "baked_t"))
    furnace = _choice(table, "furnace", FURNACES)
    tar = {"tar_percent": TAR_ROW} if furnace == FURNACES[0] else {}
    used = _parameters(table, rules, BAKING_ROWS | tar)
    unit = table.text("unit") or ""
    table.end()
    if len(amounts) < 2 or not used or furnace is None:
        return None

    def carbon(p: Mapping[str, Parameter]) -> Fraction:
        pitch, packing = baking_carbon_t(p["green_t"].value, p["baked_t"].value, p)
        if pitch < 0:
            raise InputError(["baked_t: more than green_t less its hydrogen and tar"])
        return pitch + packing

    made = _Carbon("anode-baking", "baked_t", amounts, used, carbon)
    return _line(made, table, rules, unit)


def _amounts(table: Table, keys: tuple[str, ...]) -> dict[str, Parameter]:
    found = table.numbers(dict.fromkeys(keys, "t"))
    for key in keys:
        if not table.has(key):
            table.problem(key, "missing")
    return found


def _choice(table: Table, key: str, allowed: tuple[str, ...]) -> str | None:
    chosen = table.text(key, allowed)
    if not table.has(key):
        table.problem(key, f"missing: one of {' '.join(allowed)}")
    return chosen


def _parameters(table: Table, rules: RuleSet, rows: Mapping[str, str]) -> dict[str, Parameter]:
    """The plant's own values, the rule set's where they are left out; {} if it has no equation."""
    if any(row_id not in rules.rows for row_id in rows.values()):
        table.problem("", f"{rules.id} has no such equation: balance the electrodes' carbon")
        return {}
    found = {}
    for key, row_id in rows.items():
        unit = _UNITS.get(key, "%")
        own = table.number(key, unit, high=100 if unit in {"%", "kg/t"} else 1)
        found[key] = own or default(rules.row(row_id))
    return found


def _line(made: _Carbon, table: Table, rules: RuleSet, unit: str) -> Line | None:
    ratio = rules.row("carbon.co2_ratio").value
    parameters = {**made.amounts, **made.used}
    model = Model(lambda p: made.carbon(p) * ratio, tuple(made.amounts), tuple(made.used))
    try:
        emission = model.emission(parameters)
    except InputError as error:
        key, _, reason = error.problems[0].partition(": ")
        table.problem(key, reason)
        return None
    if emission < 0:
        table.problem(made.quantity, "less carbon than leaves as tar and dust")
        return None
    return Line(
        category="anode", kind=made.kind, quantity=made.amounts[made.quantity].text,
        emission=emission, parameters=parameters, unit=unit, model=model,
    )  # fmt: skip
