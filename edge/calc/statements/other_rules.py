"""The same month by another rule set. Pure; the first statement stays as it is.

For a smelter's month whose figure of record is metal × default factors: the anode-effect minutes
that stood beside it as an indicator become the figure. For a cement works' month its clinker, by
oxides; for a steel works' its carbon: see other_inputs.py. What the month does not say (analyses,
carbon contents) is added by path, and a statement that lacks it names each.

What the other rule set does not count, or has no default for, is left out, and a flag says so:
left-out:<table>. A cell type it does not know is read as the one it is part of: read-as:<type>.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from edge.calc.errors import StatementError
from edge.calc.factors import SEALED_BY, RuleSet, coefficient_rows
from edge.calc.methods.pfc import SITE
from edge.calc.parameter import DEFAULT
from edge.calc.statements import other_inputs
from edge.calc.statements.aluminium import IMPURITIES
from edge.calc.statements.statement import compute, statement_rules
from edge.calc.statements.what_if import place_of

_KEPT = ("month", "plant", "period", "closing", "output", "flags")
#: point-fed prebake cells are centre-worked prebake ones where a document does not tell them apart
_PART_OF = {"PFPB-L": "CWPB", "PFPB-M": "CWPB"}


def by_other_rules(
    given: Mapping[str, Any],
    name: str,
    gwp: str = "",
    added: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The input of the same month by rule set `name`.

    Args:
        given: the input of a statement that months are sealed by; a smelter's with [pfc.indicator].
        name: a rule set that no month is sealed by.
        gwp: "sar" … "ar6"; the rule set's when left out, the indicator's where it has none.
        added: path -> value of what the month does not say, like "clinker.cao_percent" -> "65.1".

    Raises:
        UnknownRuleSetError: there is no such rule set.
        InputError: a path leads nowhere.
        StatementError: the input is wrong, or does not say what the other rule set needs.
    """
    rules = statement_rules(name)
    if rules.record in SEALED_BY:
        raise StatementError([f"rule_set: {rules.id} is one that months are sealed by, no other"])
    first = compute(given)
    sector = statement_rules(first["rule_set"]).sector
    if sector != rules.sector:
        raise StatementError([f"rule_set: {rules.id} is of {rules.sector}, the month of {sector}"])
    result = {key: given[key] for key in _KEPT if key in given} | {"rule_set": rules.id}
    fuels, flags = other_inputs.fuels(given, first, rules)
    result |= {"fuel": fuels} if fuels else {}
    made, said = {"aluminium": _smelter, "cement": _cement, "steel": _steel}[rules.sector](
        given, first, rules, gwp
    )
    result |= {**made, "flags": [*given.get("flags", ()), *flags, *said]}
    return _added(result, added) if added else result


def _added(result: Mapping[str, Any], added: Mapping[str, str]) -> dict[str, Any]:
    """What the month does not say, each told as typed."""
    copied = deepcopy(dict(result))
    for path, value in added.items():
        place, key = place_of(copied, path)
        place[key] = value
        told = {"typed": {"source": "added to the month"}}
        place["provenance"] = {**place.get("provenance", {}), key: told}
    return copied


_Made = tuple[dict[str, Any], list[str]]


def _smelter(given: Mapping[str, Any], first: Mapping[str, Any], rules: RuleSet, gwp: str) -> _Made:
    pfc = given.get("pfc")
    if not isinstance(pfc, Mapping) or not isinstance(pfc.get("indicator"), Mapping):
        raise StatementError(
            ["pfc.indicator: missing: without minutes of one technology a month cannot be read by "
             "its effects; give [[pfc]] tables by potline"]
        )  # fmt: skip
    counted = "anode" in given and _has_analyses(given["anode"], rules)
    made, flags = _pfc(pfc, rules, gwp)
    result: dict[str, Any] = {"pfc": made}
    flags += ["left-out:anode"] * ("anode" in given and not counted)
    if counted:
        result["anode"] = _anode(given["anode"], first)
    carbonates = given.get("carbonate", ())
    lines = [line["kind"] for line in first["lines"] if line["category"] == "carbonate"]
    kept = [
        table for table, kind in zip(carbonates, lines, strict=True) if kind in rules.carbonates
    ]
    flags += [f"left-out:carbonate.{kind}" for kind in lines if kind not in rules.carbonates]
    return result | ({"carbonate": kept} if kept else {}), flags


def _cement(
    given: Mapping[str, Any], _first: Mapping[str, Any], rules: RuleSet, _gwp: str
) -> _Made:
    tables, flags = other_inputs.clinker(given, rules)
    return ({"clinker": tables} if tables else {}), flags


def _steel(given: Mapping[str, Any], first: Mapping[str, Any], rules: RuleSet, _gwp: str) -> _Made:
    if not rules.products:
        raise StatementError(
            [f"rule_set: {rules.id} counts what each furnace produced, and a month's carbon "
             "balance does not say that: write its input by hand"]
        )  # fmt: skip
    process, flags = other_inputs.carbon(given, first, rules, "process", "material")
    product, more = other_inputs.carbon(given, first, rules, "product", "product")
    return {"process": process, "product": product}, [*flags, *more]


def _pfc(pfc: Mapping[str, Any], rules: RuleSet, gwp: str) -> tuple[dict[str, Any], list[str]]:
    indicator = pfc["indicator"]
    told = dict(indicator.get("provenance", {}))
    made = {"metal_t": pfc["metal_t"], "gwp": gwp or rules.gwp or indicator["gwp"]}
    made |= {key: pfc[key] for key in ("unit", "uncertainty") if key in pfc}
    made["aem_min_per_cell_day"] = indicator["aem_min_per_cell_day"]
    technology = indicator["technology"]
    read_as = []
    if indicator["edition"] == SITE:
        made |= {key: indicator[key] for key in ("slope", "c2f6_fraction")}
        made["source"] = "the indicator of the first statement"
    elif coefficient_rows(rules.coefficients, "slope", technology) is None:
        read_as = [f"read-as:{technology}-as-{_PART_OF[technology]}"] * (technology in _PART_OF)
        technology = _PART_OF.get(technology, technology)
    made["technology"] = technology
    made["provenance"] = {**pfc.get("provenance", {}), **told}
    return made, read_as


def _has_analyses(anode: Mapping[str, Any], rules: RuleSet) -> bool:
    """Each impurity is given, or the other rule set has a default."""
    return all(key in anode or f"anode.{key}" in rules.rows for key in IMPURITIES)


def _anode(anode: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    """Analyses as given; the loss of butts is no default of the other rule set's: it is typed."""
    made, told = dict(anode), dict(anode.get("provenance", {}))
    line = next(line for line in first["lines"] if line["category"] == "anode")
    loss = line["parameters"].get("loss_percent")
    if loss is not None and loss["basis"] == DEFAULT:
        made["loss_percent"] = loss["value"]
        told["loss_percent"] = {"typed": {"source": f"default of {first['rule_set']}"}}
    return {**made, "provenance": told}
