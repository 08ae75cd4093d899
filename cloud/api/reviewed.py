"""A month as its review has it, put together for routes and pages: months, documents, openings.

Who may see a plant is the guard's; here what a reviewer opened is noted, and a decision is held
against it before the collector takes it.
"""

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cloud.accounts.roles import Principal
from cloud.api.services import Services
from cloud.records.listing import Filter, month_span
from cloud.review import rules
from cloud.review.items import NO_ITEMS, Row, archive_of, items_of
from cloud.review.months import months_of
from cloud.review.thread import Thread, thread_of
from evidence.checkpoint import parse
from evidence.documents.document import Document
from evidence.documents.review import COSIGNED, DECISION, REVIEWS, level_of
from evidence.errors import MalformedError

#: of a month: an archive's piece of the log holds no more
DOCUMENTS_MAX = 20_000
REVIEWER = "reviewer"


@dataclass(frozen=True)
class Reviewed:
    """A month under review.

    Attributes:
        row: of the month, with its sealed figures.
        documents: what persons signed of it, oldest first, without persons and reviews.
        items: all that a decision says of whether it was opened.
        archive: the one that stands, None for none.
        thread: questions, answers, decisions.
    """

    row: Row
    documents: Sequence[Row]
    items: Sequence[str]
    archive: Row | None
    thread: Thread


def reviewed(given: Services, plant: str, month: str) -> Reviewed | None:
    """A month of a plant; None for one that the plant has not.

    Raises:
        LookupError: no plant of this collector.
        StoreError: its documents cannot be read.
    """
    row = given.months.month(plant, month)
    if row is None:
        return None
    span = month_span(month, ZoneInfo(row["zone"]))
    found = given.records.newest(plant, Filter(span=span), DOCUMENTS_MAX)
    documents = [one for one in reversed(found) if one["kind"] not in NO_ITEMS]
    archive = archive_of(row)
    thread = thread_of(given.records.reviews(plant, month), archive, today(given, row["zone"]))
    return Reviewed(row, documents, items_of(row, documents), archive, thread)


def today(given: Services, zone: str) -> str:
    """The day it is at a plant, "YYYY-MM-DD"."""
    at = datetime.fromtimestamp(given.clock.wall_ns() // 10**9, UTC)
    return at.astimezone(ZoneInfo(zone)).date().isoformat()


def note(given: Services, who: Principal, plant: str, month: str, item: str) -> None:
    """Note that a reviewer opened an item of a month; of others nothing is noted."""
    if who.region is not None:
        given.openings.note(who.account, plant, month, item, given.clock.wall_ns())


def note_document(given: Services, who: Principal, plant: str, document: Row, item: str) -> None:
    """Likewise of each month that a document is of."""
    if who.region is None or document["kind"] in NO_ITEMS:
        return
    for month in months_of(document, given.hub.zone(plant)):
        note(given, who, plant, month, item)


def region_of(given: Services, plant: str, person: str) -> str | None:
    """Region of a reviewer in a plant's list of persons, None for who is none there."""
    found = (
        one for one in given.records.persons(plant)
        if one["person"] == person and one["role"] == REVIEWER
    )  # fmt: skip
    return next((str(one["region"]) for one in found), None)


def check_review(given: Services, plant: str, document: Document) -> None:
    """Hold a review that is brought in against what only the collector knows; others pass.

    Raises:
        MalformedError: the plant is not in the signer's region; a decision is about another
            archive, claims what was not opened, or passes over something.
        LookupError: no plant of this collector.
    """
    if document.kind == COSIGNED:
        _check_own_log(given, plant, document)
    if document.kind not in REVIEWS:
        return
    region = region_of(given, plant, document.person)
    if region is not None:
        placed = given.accounts.regions.get(plant, "")
        rules.check_region(document.person, region, plant, placed)
    if document.kind != DECISION:
        return
    month = document.about
    of = reviewed(given, plant, month)
    if of is None:
        raise MalformedError(f"{plant} has no month {month}")
    rules.check_archive(document.body, of.row, of.archive)
    opened = given.openings.of(document.person, plant, month)
    rules.check_openings(document.body, of.items, opened)


def _check_own_log(given: Services, plant: str, document: Document) -> None:
    """MalformedError when a witness saw another log than the one that is here."""
    seen, _ = parse(document.body["checkpoint"])
    evidence = given.evidence.evidence(plant)
    if seen.size > evidence.size or evidence.compact_range(seen.size).root() != seen.root:
        raise MalformedError(f"the log here never had this root with {seen.size} entries")


def level_at(given: Services, who: Principal, plant: str) -> str:
    """The level somebody may decide for at a plant, "" for none: by the plant's list of persons."""
    region = region_of(given, plant, who.account)
    return "" if region is None else level_of(region)


@dataclass(frozen=True)
class Queued:
    """A closed month in the list of all; `row` without figures."""

    row: Row
    archive: Row | None
    thread: Thread


def drawable(found: Sequence[Queued]) -> list[tuple[str, str]]:
    """(plant, month) of those that stand sealed for good: among these one draws."""
    return [(str(one.row["plant"]), str(one.row["month"])) for one in found if one.archive]


def queue(given: Services, who: Principal) -> list[Queued]:
    """Closed months, and those that were asked about, of the plants somebody sees.

    What waits for one's own level comes first, then the newest month.
    """
    own = "" if who.region is None else level_of(who.region)
    found = list[Queued]()
    for plant in given.plants_of(who):
        with contextlib.suppress(LookupError):  # of a plant that was given up meanwhile
            found += _queued(given, plant)

    def waits(one: Queued) -> bool:
        return one.archive is not None and one.thread.state(own) in ("", "older")

    found.sort(key=lambda one: (str(one.row["month"]), str(one.row["plant"])), reverse=True)
    return sorted(found, key=lambda one: not (own and waits(one)))


def _queued(given: Services, plant: str) -> list[Queued]:
    by_month = defaultdict[str, list[Row]](list)
    for row in given.records.reviews(plant):
        by_month[row["about"]].append(row)
    found = list[Queued]()
    for row in given.months.rows(plant):
        archive = archive_of(row)
        if archive is not None or by_month[row["month"]]:
            day = today(given, row["zone"])
            thread = thread_of(by_month[row["month"]], archive, day)
            found.append(Queued(row, archive, thread))
    return found
