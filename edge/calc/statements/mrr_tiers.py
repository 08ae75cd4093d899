"""Which activity-data tier of the EU's monitoring regulation a line's quantity would meet.

For comparison only: the Chinese rule sets know no such tiers. The regulation's thresholds are for
the amount over a reporting period, a year, at 95 % (Art. 3(6)); a month's amount is held against
them with k = 2, which is stricter where random errors have not yet averaged out.
"""

from fractions import Fraction
from typing import Any

from edge.calc.factors import DEFAULT_FACTORS, Row, RuleSet, rule_set
from edge.calc.statements.line import Line
from edge.calc.statements.line_uncertainty import spread_map
from edge.calc.uncertainty import COVERAGE

TABLE = "eu-mrr-2018-tiers"
TIERS = (4, 3, 2, 1)
_FUEL = {"solid": "combustion.solid", "liquid": "combustion.other", "gas": "combustion.other"}
#: how the figure of record is made -> category -> source stream; of a fuel "" where it burns
_STREAMS = {
    DEFAULT_FACTORS: {
        "fuel": "",
        "anode": "aluminium.mass-balance",
        "pfc": "aluminium.pfc-slope",
        "carbonate": "scrubbing.carbonate",
    },
    "mass-balance": dict.fromkeys(("fuel", "process", "product"), "steel.mass-balance"),
    "clinker-factor": {"fuel": "", "clinker": "cement.clinker-output"},
}


def activity_map(line: Line, rules: RuleSet) -> dict[str, Any] | None:
    """A line's activity data against the tiers; None when it was not assessed in full.

    Returns:
        {"expanded_percent", "random_t", "common_t"}, and where the regulation has such a source
        stream {"mrr_stream", "mrr_tier": the highest tier met, "0" for none, "mrr_row",
        "mrr_threshold_percent", "mrr_confidence"}; the last three of the tier met, or of tier 1
        when none is.
    """
    spread = line.assessment.activity if line.assessment is not None else None
    if spread is None or not line.emission:
        return None
    square = spread.square * COVERAGE**2
    shown = spread_map(spread, line.emission)
    result = {key: shown[key] for key in ("expanded_percent", "random_t", "common_t")}
    stream = _stream(line, rules)
    return result if stream is None else result | tier_map(stream, square, line.emission)


def tier_map(stream: str, square: Fraction, emission: Fraction) -> dict[str, str]:
    """The highest tier that an expanded uncertainty meets, its square in t² and of what it is."""
    share = square * 100**2 / emission**2
    met = next((t for t in TIERS if _meets(share, _threshold(stream, t))), 0)
    row = _threshold(stream, met or 1)
    if row is None:
        return {}
    return {
        "mrr_stream": stream, "mrr_tier": str(met), "mrr_row": row.id,
        "mrr_threshold_percent": row.text, "mrr_confidence": row.confidence,
    }  # fmt: skip


def _stream(line: Line, rules: RuleSet) -> str | None:
    streams = _STREAMS.get(rules.record, {})
    if line.category not in streams:
        return None
    return streams[line.category] or _FUEL.get(rules.fuels[line.kind].state)


def _threshold(stream: str, tier: int) -> Row | None:
    return rule_set(TABLE).rows.get(f"{stream}.tier_{tier}")


def _meets(square: Fraction, row: Row | None) -> bool:
    return row is not None and square <= row.value**2
