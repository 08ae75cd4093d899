"""What reviewers and the plant write to each other about a month, beside its fields. Pure.

A reviewer asks, the plant answers, a reviewer of each level decides, about one archive and no
other, and says what was opened before. RECORDS.md "Reviews".
"""

import re
from collections.abc import Mapping
from typing import Any

from evidence.documents.actions import ACTIONS
from evidence.documents.certified import CERTIFIED
from evidence.documents.document import Document
from evidence.documents.visit import check_visit
from evidence.errors import MalformedError

QUESTION, ANSWER, DECISION = "review-question", "review-answer", "review-decision"
REVIEWS = (QUESTION, ANSWER, DECISION)
#: a checkpoint of the log that a reviewer has cosigned; about "log"
COSIGNED, LOG = "log-cosigned", "log"
#: what a reviewer saw on site; about a month
VISIT = "site-visit"
#: the collector's: a month was closed although something was owed, by whom and why
CLOSED_OWING = "month-decision"
#: kinds that are about a month, and of that month whenever they come
OF_MONTHS = (CLOSED_OWING, VISIT, *REVIEWS)
#: what nobody approves or withdraws
FINAL = (*REVIEWS, COSIGNED, VISIT, ACTIONS, CLOSED_OWING, CERTIFIED)
#: level -> digits of its reviewers' regions (GB/T 2260)
LEVELS: Mapping[str, tuple[int, ...]] = {"city": (4, 6), "province": (2,), "nation": (0,)}

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


def level_of(region: str) -> str:
    """The level of reviewers of a region: "" the nation, 2 digits a province, more a city."""
    return next(level for level, digits in LEVELS.items() if len(region) in digits)


def check_review(document: Document) -> None:
    """Hold a review against what its fields cannot say; other kinds pass.

    Raises:
        MalformedError: it is about no month, a decision lists an item twice, a visit's results do
            not follow from its figures.
    """
    if document.kind not in (*REVIEWS, VISIT):
        return
    if not _MONTH.fullmatch(document.about):
        raise MalformedError(f"a {document.kind} is about a month, like 2026-10")
    if document.kind == DECISION:
        items = [row["item"] for name in ("opened", "not_opened") for row in _rows(document, name)]
        if len(set(items)) != len(items):
            raise MalformedError("a decision lists each item once, as opened or as not opened")
    if document.kind == VISIT:
        check_visit(document)


def check_level(document: Document, region: str) -> None:
    """MalformedError when a decision is of another level than its signer's region."""
    if document.kind == DECISION and document.body["level"] != level_of(region):
        raise MalformedError(
            f"its signer decides for the {level_of(region)}, not for the {document.body['level']}"
        )


def check_followed(document: Document, followed: Document) -> None:
    """Hold a document against one that it follows, where it matters what either is; others pass.

    Raises:
        MalformedError: it may not follow that.
    """
    if document.kind in ("approve", "withdraw") and followed.kind in FINAL:
        raise MalformedError(f"nobody's {document.kind} ends or approves a {followed.kind}")
    if (
        document.kind in (QUESTION, DECISION, COSIGNED, VISIT)
        and document.person != followed.person
    ):
        raise MalformedError(f"only {followed.person} corrects that")
    if document.kind == ANSWER and followed.kind != QUESTION:
        raise MalformedError(f"a {followed.kind} is no question to answer")


def not_opened(body: Mapping[str, Any]) -> int:
    """How many items a decision says were not opened."""
    return len(body.get("not_opened", ())) + int(body.get("not_opened_more", 0))


def _rows(document: Document, name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = document.body.get(name, [])
    return found
