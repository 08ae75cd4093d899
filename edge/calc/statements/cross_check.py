"""One cross-check of a statement: a statistic against its limits, with a sentence.

No figure is moved by it. "outside" is a finding for a person: it says how sure the limit is, and
never that somebody cheated.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.factors import Row, rule_set

WITHIN, OUTSIDE, NOT_CHECKED = "within", "outside", "not-checked"
TABLE = "statement-checks"
_PLACES = 3


@dataclass(frozen=True)
class CrossCheck:
    """A check and what it found.

    Attributes:
        check: its id.
        what: of which line or network, "" for all.
        statistic: None when it could not be made.
        unit: of it and of its limits.
        low, high: rows of table statement-checks; low None: as much below zero as high above.
        said: what was compared, as a clause; why not, when there is no statistic.
    """

    check: str
    what: str
    statistic: Fraction | None
    unit: str
    low: Row | None
    high: Row
    said: str

    @property
    def limits(self) -> tuple[Fraction, Fraction]:
        """Lowest and highest that is within."""
        return (self.low.value if self.low else -self.high.value), self.high.value

    @property
    def result(self) -> str:
        """`WITHIN`, `OUTSIDE` or `NOT_CHECKED`."""
        if self.statistic is None:
            return NOT_CHECKED
        low, high = self.limits
        return WITHIN if low <= self.statistic <= high else OUTSIDE

    @property
    def flags(self) -> list[str]:
        """What the statement's flags say of it: nothing when it is within."""
        if self.result == WITHIN:
            return []
        kind = "check" if self.result == OUTSIDE else NOT_CHECKED
        return [f"{kind}:{self.check}" + (f":{self.what}" if self.what else "")]

    def as_map(self) -> dict[str, Any]:
        """Plain strings for a statement."""
        low, high = map(exact_text, self.limits)
        rows = [row for row in (self.low, self.high) if row is not None]
        unsure = {row.confidence for row in rows} - {"confirmed"}
        result: dict[str, Any] = {
            "check": self.check, "what": self.what, "result": self.result, "unit": self.unit,
            "low": low, "high": high, "rows": [row.id for row in rows],
            "confidence": ", ".join(sorted(unsure)) or "confirmed", "source": self.high.source,
        }  # fmt: skip
        if self.statistic is None:
            return {**result, "sentence": f"Not checked: {self.said}."}
        value = rounded_text(self.statistic, _PLACES)
        doubt = f" (limit {result['confidence']})" if unsure else ""
        sentence = f"{self.said}: {value} {self.unit}, {self.result} {low} to {high}{doubt}."
        return {**result, "statistic": value, "sentence": sentence[:1].upper() + sentence[1:]}


def limit(row_id: str) -> Row:
    """A row of table statement-checks."""
    return rule_set(TABLE).row(row_id)


def apart(check: str, what: str, first: Fraction, second: Fraction, said: str) -> CrossCheck:
    """A second figure against the first, in % of the first; limit is row "<check>.percent"."""
    row = limit(f"{check.replace('-', '_')}.percent")
    if not first:
        return CrossCheck(check, what, None, "%", None, row, f"{said}: the first is zero")
    return CrossCheck(check, what, (second - first) / first * 100, "%", None, row, said)
