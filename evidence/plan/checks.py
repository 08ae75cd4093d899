"""Internal checks as the plan looks at them: documents of kind internal-check. Pure."""

from dataclasses import dataclass

from evidence.documents.document import Document

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
