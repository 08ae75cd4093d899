"""Routes of reviews: months of one's region with what is open, and one month's review.

Questions, answers and decisions are brought in as all documents are, by `POST documents`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.month_names import for_eyes_of
from cloud.api.reviewed import Reviewed, drawable, level_at, listed, openings_of, queue, reviewed
from cloud.api.routes import MonthPath, Newest, PlantPath, found
from cloud.api.services import Services
from cloud.review import rules
from cloud.review.draw import SEED_MAX, draw
from cloud.review.items import archive_of
from cloud.review.place import PATTERN
from cloud.review.thread import Decided, Outline, outline_of
from evidence.documents.plainly import plain_body
from evidence.documents.review import DECISION

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

DRAWN_MAX = 1_000
#: months of one page, and of an answer; and of an answer that is asked for more, or for the newest
ROWS_MAX, COUNT_MAX = 300, 5_000
Seed = Annotated[str, Query(max_length=SEED_MAX, description="as it was published")]
After = Annotated[str, Query(pattern=PATTERN, description="`next` of the answer before")]
Rows = Annotated[int | None, Query(ge=1, le=COUNT_MAX, description="of one answer")]
Count = Annotated[int, Query(ge=1, le=DRAWN_MAX)]


def month_of(given: Services, plant: str, month: str) -> Reviewed:
    """A month's review; 404 where there is none."""
    with found():
        of = reviewed(given, plant, month)
        if of is None:
            raise HTTPException(404, f"{plant} has no month {month}")
        return of


@router.get("/reviews")
def reviews(
    given: Given, who: Who, after: After = "", count: Rows = None, newest: Newest = None
) -> Mapping[str, Any]:
    """Closed months of the plants one sees, what waits for one's own level first.

    With `newest` so many of each plant, and of the older ones those with an open question and
    those that were returned. `next` is what `after` must be to go on, null at the end.
    """
    # each answer goes through all months: of the newest, which programs ask for, few are needed
    most = count or (ROWS_MAX if newest is None else COUNT_MAX)
    of = listed(given, who, after, most, newest)
    rows = [
        {
            "plant": one.row["plant"], "month": one.row["month"], "state": one.row["state"],
            "archive_sha256": None if one.archive is None else one.archive["sha256"],
            **_counts(one.outline),
        }
        for one in of.rows
    ]  # fmt: skip
    return {"reviews": rows, "next": of.next or None, "more": of.more}


@router.get("/plants/{plant}/months/{month}/review")
def review(given: Given, who: Who, plant: PlantPath, month: MonthPath) -> Mapping[str, Any]:
    """A month's review: questions, answers, decisions, items; `draft` of a decision of one's own.

    `draft` is null for who is no reviewer in the plant's list of persons, and without an archive.
    """
    of = month_of(given, plant, month)
    level = level_at(given, who, plant)
    draft = None
    if level and of.archive is not None:
        opened = openings_of(given, who.account, plant, of)
        draft = plain_body(DECISION, rules.draft(level, of.archive, of.items, opened))
    archives = for_eyes_of(who, of.row)["archives"]
    return {
        "plant": plant, "month": month, "archive": archive_of({"archives": archives}),
        "items": list(of.items),
        **_counts(outline_of(of.thread)),
        "points": [
            {**point.row, "review_state": point.state, "answers": list(point.answers),
             "answers_before": list(point.earlier)}
            for point in of.thread.points
        ],
        "decisions": [_decided(one) for one in of.thread.decided],
        "draft": draft,
    }  # fmt: skip


@router.get("/draw")
def drawn(given: Given, who: Who, seed: Seed, count: Count = 1) -> Sequence[Mapping[str, Any]]:
    """A draw among the closed months of the plants one sees; docs/review.md says how it is made."""
    try:
        found = draw(seed, drawable(queue(given, who)), count)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return [{"plant": one.plant, "month": one.month, "sha256": one.sha256} for one in found]


def _counts(of: Outline) -> Mapping[str, Any]:
    levels = {level: word.state for level, word in of.levels.items()}
    return {**of.counts, "next_due": of.next_due, "levels": levels}


def _decided(one: Decided) -> Mapping[str, Any]:
    return {
        **one.row, "of_archive": one.archive, "items_not_opened": one.not_opened,
        "unanswered": one.unanswered, "approved_without_opening": one.is_blind,
    }  # fmt: skip
