"""The same month by another rule set: what a statement's input says of metal, anodes and effects.

For a smelter's month whose figure of record is metal × default factors: the anode-effect minutes
that stood beside it as an indicator become the figure. Pure; the first statement stays as it is.

What the other rule set does not count, or has no default for, is left out, and a flag says so:
left-out:<table>. A cell type it does not know is read as the one it is part of: read-as:<type>.
"""

from collections.abc import Mapping
from typing import Any

from edge.calc.errors import StatementError
from edge.calc.factors import ANODE_EFFECTS, RuleSet, coefficient_rows
from edge.calc.methods.pfc import SITE
from edge.calc.parameter import DEFAULT
from edge.calc.statements.aluminium import IMPURITIES
from edge.calc.statements.statement import compute, statement_rules

_KEPT = ("month", "plant", "period", "closing", "output", "flags")
#: point-fed prebake cells are centre-worked prebake ones where a document does not tell them apart
_PART_OF = {"PFPB-L": "CWPB", "PFPB-M": "CWPB"}


def by_other_rules(given: Mapping[str, Any], name: str, gwp: str = "") -> dict[str, Any]:
    """The input of the same month by rule set `name`.

    Args:
        given: the input of a statement by default factors, with [pfc.indicator].
        name: a rule set by measured anode effects.
        gwp: "sar" … "ar6"; the rule set's when left out, the indicator's where it has none.

    Raises:
        UnknownRuleSetError: there is no such rule set.
        StatementError: the input is wrong, or does not say what the other rule set needs.
    """
    rules = statement_rules(name)
    if rules.record != ANODE_EFFECTS:
        raise StatementError([f"rule_set: {rules.id} is not by measured anode effects"])
    first = compute(given)
    pfc = given.get("pfc")
    if not isinstance(pfc, Mapping) or not isinstance(pfc.get("indicator"), Mapping):
        raise StatementError(
            ["pfc.indicator: missing: without minutes of one technology a month cannot be read by "
             "its effects; give [[pfc]] tables by potline"]
        )  # fmt: skip
    counted = "anode" in given and _has_analyses(given["anode"], rules)
    left = [key for key in ("fuel", "carbonate") if given.get(key)]
    left += ["anode"] * ("anode" in given and not counted)
    made, read_as = _pfc(pfc, rules, gwp)
    result = {key: given[key] for key in _KEPT if key in given}
    flags = [*given.get("flags", ()), *(f"left-out:{key}" for key in left), *read_as]
    result |= {"rule_set": rules.id, "pfc": made, "flags": flags}
    if counted:
        result["anode"] = _anode(given["anode"], first)
    return result


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
