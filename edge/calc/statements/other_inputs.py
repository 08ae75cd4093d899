"""What a month says of fuels, clinker and steel, as another rule set asks for it. Pure.

Amounts and the plant's own analyses go over as they are; a default of the first rule set goes over
only where the other has none, and says whose it is. What the other cannot count is left out and
named: left-out:<table>.<kind>. A kind that it has under another name is read-as:<kind>-as-<kind>.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from edge.calc.factors import NET_ENERGY, RuleSet
from edge.calc.parameter import DEFAULT
from edge.calc.statements.counted_in import SHORT_TON

Tables = list[dict[str, Any]]

_AMOUNT = (
    "unit", "quantity", "opening", "purchased", "closing", "output", "readings", "period",
    "recorded", "recorded_by", "recorded_period", "provenance",
)  # fmt: skip
_FUEL = (*_AMOUNT, "ncv", "carbon_content", "carbon_ar", "oxidation_percent", "heat", "reference",
         "moisture", "quantity_basis", "ncv_basis", "carbon_basis")  # fmt: skip
_CLINKER = (*_AMOUNT, "despatched", "used", "raw_meal_t")
#: of a carbon balance, where the other has the same thing under another name
_PART_OF = {
    "washed-coal": "coking-coal", "limestone": "flux", "dolomite": "flux",
    "pig-iron": "molten-iron", "crude-steel": "steel",
}  # fmt: skip


def fuels(
    given: Mapping[str, Any], first: Mapping[str, Any], rules: RuleSet
) -> tuple[Tables, list[str]]:
    """[[fuel]] of the other rule set, and flags."""
    made: Tables = []
    flags: list[str] = []
    lines = [line for line in first["lines"] if line["category"] == "fuel"]
    for table, line in zip(given.get("fuel", ()), lines, strict=True):
        name = line["kind"]
        kind = rules.fuels.get(name) or rules.fuels.get(_PART_OF.get(name, ""))
        by_volume = rules.fuel_basis != NET_ENERGY and kind is not None and kind.unit != SHORT_TON
        if kind is None or by_volume:
            flags.append(f"left-out:fuel.{name}")
            continue
        flags += [f"read-as:{name}-as-{kind.id}"] * (kind.id != name)
        if rules.fuel_basis == NET_ENERGY:
            made.append({"kind": kind.id, **_energy(table, line, kind.id, rules, first)})
        else:
            made.append({"kind": kind.id, **_kept(table, _AMOUNT), "counted_in": "t"})
    return made, flags


def _energy(
    table: Mapping[str, Any],
    line: Mapping[str, Any],
    kind: str,
    rules: RuleSet,
    first: Mapping[str, Any],
) -> dict[str, Any]:
    made = _kept(table, _FUEL)
    ncv = line["parameters"].get("ncv")
    if "ncv" not in made and ncv is not None and f"fuel.{kind}.ncv" not in rules.rows:
        made["ncv"] = ncv["value"]
        made["provenance"] = _told(made, "ncv", first)
    return made


def clinker(given: Mapping[str, Any], rules: RuleSet) -> tuple[dict[str, Any] | Tables, list[str]]:
    """[clinker] of the other rule set: its amount; analyses are no part of this month."""
    tables = given.get("clinker", [])
    weighed = {"counted_in": "t"} if "mass.short_ton" in rules.rows else {}
    flags = ["left-out:substitute"] if given.get("substitute") else []
    if isinstance(tables, Mapping):
        return {**_kept(tables, _CLINKER), **weighed}, flags
    return [{**_kept(table, _CLINKER), **weighed} for table in tables], flags


def carbon(
    given: Mapping[str, Any], first: Mapping[str, Any], rules: RuleSet, category: str, key: str
) -> tuple[Tables, list[str]]:
    """[[process]] or [[product]] of the other rule set; the plant's own factors go with it."""
    made: Tables = []
    flags: list[str] = []
    kinds = rules.kinds(category)
    lines = [line for line in first["lines"] if line["category"] == category]
    for table, line in zip(given.get(category, ()), lines, strict=True):
        name = line["kind"]
        kind = name if name in kinds else _PART_OF.get(name, "")
        kind = kind if kind in kinds else "other"
        flags += [f"read-as:{name}-as-{kind}"] * (kind != name)
        factor = line["parameters"]["factor"]
        own = {"factor": factor["value"]} if factor["basis"] != DEFAULT else {}
        made.append({key: kind, **_kept(table, _AMOUNT), **own})
    return made, flags


def _kept(table: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """What the other rule set's table has a place for, with the provenance of just that."""
    kept = {key: table[key] for key in keys if key in table}
    if isinstance(told := kept.get("provenance"), Mapping):
        kept["provenance"] = {key: told[key] for key in told if key in kept}
    return kept


def _told(table: Mapping[str, Any], key: str, first: Mapping[str, Any]) -> dict[str, Any]:
    told = {"typed": {"source": f"default of {first['rule_set']}"}}
    return {**table.get("provenance", {}), key: told}
