"""How much delay and difference is ordinary. Choices of this program, none from a guideline.

Where they lie is told with every list of observations; `docs/sample-findings.md` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from evidence.documents.observed.observation import DAY, HOUR, MINUTE

_LATE: Mapping[str, int] = {
    "sample-taken": 3 * DAY,  # a night shift before a weekend is typed in on Monday
    "sample-prepared": 5 * DAY,
    "sample-composed": 5 * DAY,
    "sample-retained": 5 * DAY,
    "sample-sent": 5 * DAY,
    "sample-received": 7 * DAY,
    "sample-tested": 15 * DAY,
    "sample-result": 20 * DAY,  # after the day that is printed on it
}


@dataclass(frozen=True)
class Limits:
    """Beyond these something is observed.

    Attributes:
        late_ns: kind -> from the typed instant to its entry in the log.
        ahead_ns: typed instants after their own entry: clocks differ.
        order_ns: entries of the plant and its carrier may cross by so much.
        typed_ns: typed instants of two people may cross by so much.
        made_ns: from the end of its period to the entry of a sample or composite.
        together_ns: entries nearer than this to each other are one sitting.
        serial_days: a laboratory's later number may carry a day earlier by so many.
        bases: relative difference of one figure on two bases.
        closure_points: percent that an analysis may miss 100 % by.
        moisture_points: percent between a composite's total moisture and its parts' mean.
        weights: relative difference of weights from what they must be.
        pdf_late_days, pdf_early_days: from a report's day to the making of its PDF, and back.
        pdf_changed_ns: from a PDF's making to its last change.
    """

    late_ns: Mapping[str, int] = field(default_factory=lambda: _LATE)
    ahead_ns: int = HOUR
    order_ns: int = DAY
    typed_ns: int = 30 * MINUTE
    made_ns: int = 15 * DAY
    together_ns: int = HOUR
    serial_days: int = 10
    bases: Decimal = Decimal("0.005")
    closure_points: Decimal = Decimal("0.5")
    moisture_points: Decimal = Decimal("2.0")
    weights: Decimal = Decimal("0.02")
    pdf_late_days: int = 20
    pdf_early_days: int = 3
    pdf_changed_ns: int = DAY


LIMITS = Limits()
