"""Internal checks as the plan looks at them: documents of kind internal-check. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from evidence.documents.document import Document
from evidence.plan.plan import PERIODS, InternalCheck

INTERNAL_CHECK = "internal-check"


@dataclass(frozen=True)
class Check:
    """One that was made.

    Attributes:
        check: id of the plan's internal check.
        of: the meter or parameter that was checked.
        at_ns: when, UTC nanoseconds.
        by: who made it, as the document says.
        passed: as who signed it says.
    """

    check: str
    of: str
    at_ns: int
    by: str
    passed: bool


def check_of(document: Document) -> Check | None:
    """The check that a document is of, None for one of another kind."""
    if document.kind != INTERNAL_CHECK:
        return None
    body = document.body
    return Check(document.about, body["of"], body["checked_ns"], body["by"], body["passed"])


def is_due(planned: InternalCheck, month: int, earlier: Mapping[str, int] | None) -> bool:
    """Whether the month that ends its period owes a check: not where one was made in it before.

    Args:
        planned: of the plan.
        month: 1 to 12.
        earlier: check id -> how many months before this one it was made last, 1 for the month
            before; None where nobody can know: then only what is due each month is.
    """
    period = PERIODS.get(planned.frequency, 1)
    if month % period:
        return False
    if earlier is None:
        return period == 1
    return earlier.get(planned.id, period) >= period
