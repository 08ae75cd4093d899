"""A month as its review has it, put together for routes and pages: months, documents, openings.

Who may see a plant is the guard's; here what a reviewer opened is noted, and a decision is held
against it before the collector takes it.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cloud.accounts.roles import Principal
from cloud.api.services import Records, Services
from cloud.month.newest import newest
from cloud.records.listing import of_month
from cloud.review import rules
from cloud.review.items import NO_ITEMS, Opening, Row, archive_of, counting, items_of
from cloud.review.months import months_of
from cloud.review.place import Place, after, place_of
from cloud.review.thread import Outline, Thread, outline_of, thread_of
from cloud.visits.held import check_faces
from evidence.checkpoint import parse
from evidence.documents.document import Document
from evidence.documents.kinds import shape_of
from evidence.documents.review import COSIGNED, DECISION, VISIT, level_of
from evidence.errors import MalformedError

#: of a month: an archive's piece of the log holds no more
DOCUMENTS_MAX = 20_000
REVIEWER = "reviewer"
#: plants whose months are kept in outline
PLANTS_KEPT = 4_096


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
    found = given.records.newest(plant, of_month(month, ZoneInfo(row["zone"])), DOCUMENTS_MAX)
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


def openings_of(given: Services, account: str, plant: str, of: Reviewed) -> list[Opening]:
    """What somebody opened of a month as it stands."""
    return counting(given.openings.of(account, plant, str(of.row["month"])), of.archive)


def check_review(given: Services, plant: str, document: Document, kid: bytes) -> None:
    """Hold a review that is brought in against what only the collector knows; others pass.

    Args:
        given: the collector.
        plant: plant id.
        document: fits its kind; its signature was not looked at.
        kid: names the key that it says it was signed with.

    Raises:
        MalformedError: the plant is not in the signer's region; a decision is about another
            archive, claims what was not opened, or passes over something; a visit was compared
            with what the log does not say; a witness saw another log.
        LookupError: no plant of this collector.
    """
    signer = _signer(given, plant, document.person, kid)
    if signer is None or signer["role"] not in shape_of(document.kind).roles:
        return  # it is refused by its signature, without anything being looked up for it
    if signer["role"] == REVIEWER:
        placed = given.accounts.regions.get(plant, "")
        rules.check_region(document.person, signer["region"], plant, placed)
    if document.kind == COSIGNED:
        _check_own_log(given, plant, document)
    elif document.kind == VISIT:
        compared = [row for row in document.body["meters"] if "frame" in row]
        if compared:
            source = given.drill.source(plant, document.about, given.hub.zone(plant))
            check_faces(source, compared)
    elif document.kind == DECISION:
        of = reviewed(given, plant, document.about)
        if of is None:
            raise MalformedError(f"{plant} has no month {document.about}")
        rules.check_archive(document.body, of.row, of.archive)
        opened = openings_of(given, document.person, plant, of)
        rules.check_openings(document.body, of.items, opened)


def _signer(given: Services, plant: str, person: str, kid: bytes) -> Row | None:
    """The row of the key in the plant's list of persons, None where it has none such."""
    known = given.records.persons(plant)
    fits = (one for one in known if one["person"] == person and one["key"].startswith(kid.hex()))
    return next(fits, None)


def _check_own_log(given: Services, plant: str, document: Document) -> None:
    """MalformedError when a witness saw another log than the one that is here."""
    seen, _ = parse(document.body["checkpoint"])
    evidence = given.evidence.evidence(plant)
    if seen.size > evidence.size or evidence.compact_range(seen.size).root() != seen.root:
        raise MalformedError(f"the log here never had this root with {seen.size} entries")


def level_at(given: Services, who: Principal, plant: str) -> str:
    """The level somebody may decide for at a plant, "" for none: by the plant's list of persons.

    Of several keys the newest says it: who moved has one of before, which nobody has ended yet.
    """
    found = [
        level_of(one["region"]) for one in given.records.persons(plant)
        if one["person"] == who.account and one["role"] == REVIEWER
    ]  # fmt: skip
    return found[-1] if found else ""


@dataclass(frozen=True)
class Queued:
    """A closed month in the list of all; `row` without figures."""

    row: Row
    archive: Row | None
    outline: Outline


@dataclass(frozen=True)
class Listed:
    """A part of the queue.

    Attributes:
        rows: of it.
        next: place to go on behind, "" where nothing is left.
        more: how many rows are left.
    """

    rows: Sequence[Queued]
    next: str
    more: int


def drawable(found: Sequence[Queued]) -> list[tuple[str, str]]:
    """(plant, month) of those that stand sealed for good: among these one draws."""
    return [(str(one.row["plant"]), str(one.row["month"])) for one in found if one.archive]


def queue(given: Services, who: Principal, of_each: int | None = None) -> list[Queued]:
    """Closed months, and those that were asked about, of the plants somebody sees.

    What waits for one's own level comes first, then the newest month. `of_each` as of `listed`.
    """
    return after(_placed(given, who, of_each), None)


def listed(
    given: Services, who: Principal, behind: str, most: int, of_each: int | None = None
) -> Listed:
    """A part of the queue.

    Args:
        given: the collector.
        who: asks.
        behind: place of the last row that was seen before, "" for the beginning.
        most: how many rows.
        of_each: of each plant the newest so many, and older ones that need somebody; None for all.
    """
    found = after([(of[0], of) for of in _placed(given, who, of_each)], place_of(behind))
    shown, rest = found[:most], found[most:]
    return Listed([one for _, one in shown], str(shown[-1][0]) if rest else "", len(rest))


def _placed(given: Services, who: Principal, of_each: int | None) -> Iterator[tuple[Place, Queued]]:
    own = "" if who.region is None else level_of(who.region)
    for plant in given.plants_of(who):
        with contextlib.suppress(LookupError):  # of a plant that was given up meanwhile
            found = _queued(given, plant)
            for one in newest(found, of_each, lambda one: one.outline.needs_somebody):
                waits = bool(own) and one.archive is not None and (
                    one.outline.levels[own].state in ("", "older")
                )  # fmt: skip
                yield Place(waits, str(one.row["month"]), plant), one


def _queued(given: Services, plant: str) -> list[Queued]:
    rows = [(row, archive_of(row)) for row in given.months.rows(plant)]
    if not rows:
        return []
    archives = tuple(
        (str(row["month"]), str(one["sha256"]), str(one["statement_sha256"]))
        for row, one in rows if one is not None
    )  # fmt: skip
    day, count = today(given, rows[0][0]["zone"]), given.records.count(plant)
    outlines = _outlines(given.records, plant, count, archives, day)
    return [
        Queued(row, archive, outlines[row["month"]])
        for row, archive in rows if row["month"] in outlines
    ]  # fmt: skip


@lru_cache(PLANTS_KEPT)
def _outlines(
    records: Records, plant: str, _count: int, archives: tuple[tuple[str, str, str], ...], day: str
) -> Mapping[str, Outline]:  # fmt: skip
    """Month -> how far it is: made again when a document came, an archive changed, or a day began.

    A national reviewer sees some 18,000 months.
    """
    by_month = defaultdict[str, list[Row]](list)
    for row in records.reviews_in_brief(plant):
        by_month[row["about"]].append(row)
    sealed = {
        month: {"sha256": sha256, "statement_sha256": statement}
        for month, sha256, statement in archives
    }
    return {
        month: outline_of(thread_of(by_month[month], sealed.get(month), day))
        for month in {*by_month, *sealed}
    }
