"""What takes the place of a missing figure, by rule table: never by what suits.

A value that a rule puts in place is no measured one: the statement flags it, with the rule's row.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import Row, find_kind, rule_set
from edge.calc.methods.combustion import rules_of
from edge.calc.parameter import default
from edge.calc.registry import Input, method

DEFAULT, NEIGHBOURS, ESTIMATE = 1, 2, 3
_TABLE = "missing-data"
#: treatment -> the inputs it is made of
_TAKES = {DEFAULT: {"kind"}, NEIGHBOURS: {"before", "after"}, ESTIMATE: {"estimate", "reason"}}


def treatment_row(rule_set_id: str, parameter: str) -> Row:
    """What a rule set does when a parameter is missing.

    Raises:
        InputError: key parameter: nothing that could be read says.
    """
    rows = rule_set(_TABLE).rows
    found = rows.get(f"{rule_set_id}.{parameter}")
    if found is None:
        known = [key.rpartition(".")[2] for key in rows if key.startswith(f"{rule_set_id}.")]
        has = f"; it has one for: {' '.join(known)}" if known else ""
        raise InputError([
            f"parameter: no rule for a missing {parameter} of {rule_set_id} could be read{has}. "
            "Give it from a second source (recorded, stocks) and say which"
        ])  # fmt: skip
    return found


def treatments(rule_set_id: str) -> dict[str, str]:
    """Parameter -> treatment of its absence, as far as a rule set's could be read.

    "default", "mean" (of the values around), "estimate".
    """
    words = {DEFAULT: "default", NEIGHBOURS: "mean", ESTIMATE: "estimate"}
    start = f"{rule_set_id}."
    rows = rule_set(_TABLE).rows.items()
    return {
        row_id.removeprefix(start): words[int(row.value)]
        for row_id, row in rows
        if row_id.startswith(start)
    }


@method(
    "missing.substitute",
    version=1,
    source="Table missing-data: each row says which rule and where it was seen",
    inputs={
        "rule_set": Input(is_text=True),
        "parameter": Input(is_text=True),
        "kind": Input(is_text=True, optional=True),
        "before": Input("unit of the parameter", low="0", optional=True),
        "after": Input("unit of the parameter", low="0", optional=True),
        "estimate": Input("unit of the parameter", low="0", optional=True),
        "reason": Input(is_text=True, length_max=400, optional=True),
    },
    outputs={"value": "unit of the parameter", "treatment": "", "confidence": "", "source": ""},
)
def substitute(*, rule_set: str, parameter: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - Fraction or str by input
    """The value that takes the place of a missing one, by the rule set's row.

    value [its unit] = the rule set's default of `kind`, or (before + after) ÷ 2, or the estimate

    Which of the three is the row's of table missing-data; inputs of another treatment are refused.
    Of before and after one is enough where the other does not exist. An estimate needs its reason.

    Example: us-40cfr98-c, carbon_content, before 0.80, after 0.82: 0.81 (by hand; 40 CFR 98.165(b)
    says the same of hydrogen's fuels). cets-ag-02.01-v01-2024, ncv of bituminous: 23.076 GJ/t.

    Not confirmed: the missing-data clauses of the Chinese guidelines and of (EU) 2018/2066 Art. 66
    could not be read; their rows are recalled. 98.35 itself was read in what other subparts say.
    """
    row = treatment_row(rule_set, parameter)
    treatment = int(row.value)
    wrong = [
        f"{k}: has no part in this rule ({row.basis})" for k in given.keys() - _TAKES[treatment]
    ]
    if wrong:
        raise InputError(sorted(wrong))
    said = {"confidence": row.confidence, "source": row.source, "treatment": row.basis}
    if treatment == DEFAULT:
        return {"value": _default(rule_set, parameter, given), **said}
    if treatment == NEIGHBOURS:
        values = [given[key] for key in ("before", "after") if key in given]
        if not values:
            raise InputError(["before: give it, or after, or both"])
        return {"value": exact_text(sum(values, Fraction(0)) / len(values)), **said}
    missing = [
        f"{key}: missing ({row.basis})" for key in ("estimate", "reason") if key not in given
    ]
    if missing:
        raise InputError(missing)
    return {"value": exact_text(given["estimate"]), **said}


def _default(rule_set_id: str, parameter: str, given: Mapping[str, Any]) -> str:
    if "kind" not in given:
        raise InputError(["kind: missing: the fuel whose default it is"])
    rules = rules_of(rule_set_id)
    kind = find_kind(rules.fuels, given["kind"])
    if kind is None:
        raise InputError([f"kind: {rules.id} has no fuel {given['kind']!r}"])
    return default(rules.row(f"fuel.{kind.id}.{parameter}")).text
