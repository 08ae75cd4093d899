"""Specific embedded emissions for the EU's border adjustment, from sealed months. Pure.

Specific direct emission = attributed emission ÷ activity level; electricity stands apart in MWh a
tonne, and in tCO2 a tonne where a factor is given. A month is read by the CBAM rule set of its
sector where there is one and the month has what it needs (`other_rules`); where not, the sealed
figure stands in, and says so. The regulation's text was not read in full: marked unverified.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import InputError, UnknownRuleSetError
from edge.calc.factors import RuleSet, other_statement_rule_sets, rule_set
from edge.calc.parameter import DEFAULT
from edge.calc.statements.inventory import electricity, factor_of
from edge.calc.statements.other_rules import by_other_rules
from edge.calc.statements.statement import compute, output_key, statement_rules

_PREFIX = "eu-cbam"
#: flags of what belongs to the emission and is not in it: of `other_rules`, and of no line at all
_LEFT_OUT = ("left-out:", "no-")
BY_CBAM, BY_SEALED = "cbam", "sealed"
#: key of [output] -> aggregated category of goods, and headings, as (EU) 2023/956 Annex I has them;
#: recalled, not read
GOODS = {
    "aluminium_t": ("unwrought-aluminium", "7601"),
    "crude_steel_t": ("crude-steel", "7206 7207 7218 7224"),
    "clinker_t": ("cement-clinker", "2523 10 00"),
}
#: materials of steel's statements that are goods with embedded emissions of their own; recalled
PRECURSORS = frozenset(
    {"pig-iron", "dri", "ferronickel", "blast-furnace-ferromanganese", "high-carbon-ferromanganese",
     "micro-carbon-ferromanganese", "high-carbon-ferrochrome"}
)  # fmt: skip
UNANSWERED = (
    "precursors", "heat-exported", "waste-gases", "other-products", "carbon-price", "boundary",
)  # fmt: skip


def embedded(
    months: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    given: Mapping[str, Any] | None = None,
    added: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The report of a product.

    Args:
        months: (input, output) of each month's sealed statement.
        given: "electricity_factor" (tCO2/MWh) with "electricity_source".
        added: what every month's input lacks for CBAM's rules (`other_rules`), path -> value.

    Returns:
        "product", "activity_t", "months" (by which rules, why not by CBAM's, emission, output),
        "direct" and "indirect" specific emissions where they can be told, "shares" of the emission
        made of measured and of default factors, "precursors" that were bought in, "flags",
        "unanswered". A month without output leaves the specific figures out: none is guessed.

    Raises:
        InputError: a factor without its source.
    """
    key = output_key(months[0][1]["rule_set"])
    goods, heading = GOODS[key]
    rules = _rules(statement_rules(months[0][1]["rule_set"]).sector)
    rows, statements = [], []
    for source, sealed in sorted(months, key=lambda month: str(month[1]["month"])):
        made, reason = _by_cbam(source, rules, added)
        statements.append(sealed if made is None else made)
        row = {"month": sealed["month"], "by": BY_SEALED if made is None else BY_CBAM}
        row |= {"reason": reason} if reason else {}
        row["rule_set"] = statements[-1]["rule_set"]
        row["emission_t"] = statements[-1]["totals"]["total_t"]
        output = source.get("output", {}).get(key)
        row |= {} if output is None else {"output_t": exact_text(parse_decimal(output))}
        rows.append(row)
    emission = sum((Fraction(row["emission_t"]) for row in rows), Fraction(0))
    flags = sorted({flag for statement in statements for flag in statement["flags"]})
    named = (flag.removeprefix("left-out:").removeprefix("no-")
             for flag in flags if flag.startswith(_LEFT_OUT))  # fmt: skip
    left_out = list(dict.fromkeys(named))
    result: dict[str, Any] = {
        "framework": "(EU) 2023/956; (EU) 2023/1773; (EU) 2025/2547",
        "confidence": "unverified",
        "product": {"goods": goods, "cn": heading, "confidence": "unverified"},
        "months": rows,
        "emission_t": rounded_text(emission, 2),
        "shares": _shares(statements),
        "precursors": _precursors(statements),
        "flags": flags,
        "unanswered": list(UNANSWERED),
    }
    outputs = [made for _, made in months]
    return {**result, **_specific(rows, emission, outputs, given or {}, left_out)}


def _rules(sector: str) -> RuleSet | None:
    """The newest CBAM rule set of a sector in this program."""
    names = [name for name in other_statement_rule_sets() if name.startswith(_PREFIX)]
    found = [rules for rules in map(rule_set, sorted(names)) if rules.sector == sector]
    return found[-1] if found else None


def _by_cbam(
    source: Mapping[str, Any], rules: RuleSet | None, added: Mapping[str, str] | None
) -> tuple[dict[str, Any] | None, str]:
    """The month by CBAM's rules, or why it cannot be."""
    if rules is None:
        return None, "no-rule-set"
    try:
        return compute(by_other_rules(source, rules.id, added=added)), ""
    except (InputError, UnknownRuleSetError) as error:
        return None, str(error)


def _specific(
    rows: Sequence[Mapping[str, str]],
    emission: Fraction,
    outputs: Sequence[Mapping[str, Any]],
    given: Mapping[str, Any],
    left_out: Sequence[str],
) -> dict[str, Any]:
    factor = factor_of(given)
    without = [row["month"] for row in rows if "output_t" not in row]
    activity = sum((Fraction(row["output_t"]) for row in rows if "output_t" in row), Fraction(0))
    if without or not activity:
        none = {"state": "no-output", "months": without}
        return {"direct": none, "indirect": none}
    state = "partial" if left_out else "told"
    direct = {"state": state, "t_t": rounded_text(emission / activity, 4), "left_out": left_out}
    told: dict[str, Any] = {"activity_t": exact_text(activity), "direct": direct}
    mwh, months = electricity(outputs)
    if len(months) < len(rows):
        return {**told, "indirect": {"state": "not-measured", "months": months}}
    indirect = {"state": "no-factor", "mwh_t": rounded_text(mwh / activity, 4)}
    if factor is not None:
        indirect |= {
            "state": "given", "factor_t_mwh": exact_text(factor),
            "source": str(given["electricity_source"]),
            "t_t": rounded_text(mwh * factor / activity, 4),
        }  # fmt: skip
    return {**told, "indirect": indirect}


def _shares(statements: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Gross emission of lines all of whose factors are the plant's own, and of the others."""
    parts = {"actual": Fraction(0), "default": Fraction(0)}
    for statement in statements:
        for line in statement["lines"]:
            bases = {parameter["basis"] for parameter in line["parameters"].values()}
            parts["default" if DEFAULT in bases else "actual"] += abs(Fraction(line["emission_t"]))
    whole = sum(parts.values(), Fraction(0))
    return {
        f"{name}_percent": rounded_text(part / whole * 100, 2) if whole else "0.00"
        for name, part in parts.items()
    }


def _precursors(statements: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What was bought in that has embedded emissions of its own, which no meter here tells."""
    found: dict[str, Fraction] = {}
    for statement in statements:
        for line in statement["lines"]:
            bought = line["parameters"].get("purchased")
            if line["category"] == "process" and line["kind"] in PRECURSORS:
                amount, kind = line["quantity"], line["kind"]
            elif line["category"] == "clinker" and bought is not None:
                amount, kind = bought["value"], "cement-clinker"
            else:
                continue
            found[kind] = found.get(kind, Fraction(0)) + Fraction(amount)
    return [{"kind": kind, "quantity": exact_text(q), "unit": "t"} for kind, q in found.items()]
