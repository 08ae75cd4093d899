"""What the page of plants side by side shows: sealed statements and documents of one month."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from cloud.api.reviewed import DOCUMENTS_MAX, Queued
from cloud.api.services import Records, Services
from cloud.closing.kept import read_kept
from cloud.records.listing import of_month
from cloud.review.across import Compared, Figures, Shared, compared, figures_of, shareable, shared
from cloud.review.items import Row
from cloud.review.limits import Limits, limits

#: months of plants whose figures are kept in memory
STATEMENTS_KEPT = 4_096
#: rows that the page has
COMPARED_MAX, SHARED_MAX = 200, 200


@dataclass(frozen=True)
class Across:
    """One month of many plants.

    Attributes:
        plants: how many were looked at.
        unread: plants whose archive could not be read.
        compared: figures beside their peers', those to be looked at first.
        far: how many of them are to be looked at.
        shared: what several plants have.
        more: how many more they have.
        pdfs_unread: PDFs of these months that were not read for it.
        limits: when a figure is to be looked at.
    """

    plants: int
    unread: Sequence[str]
    compared: Sequence[Compared]
    far: int
    shared: Sequence[Shared]
    more: int
    pdfs_unread: int
    limits: Limits


def across_of(given: Services, found: Sequence[Queued], month: str) -> Across:
    """Put together a month of the plants that somebody sees. Reads archives, each once."""
    of = [one for one in found if one.row["month"] == month and one.archive is not None]
    figures, unread, unread_pdfs = list[Figures](), list[str](), 0
    documents, people = dict[str, Set[tuple[str, str]]](), dict[str, Sequence[Row]]()
    for one in of:
        plant = str(one.row["plant"])
        count = given.records.count(plant)
        documents[plant] = _shareable(given.records, plant, count, month, one.row["zone"])
        people[plant] = given.records.persons(plant)
        looked = given.screenings.of(given.months.rows(plant), month, soon=False)
        if looked is not None and looked.kept is not None:
            documents[plant] |= set(looked.kept.makers)
            unread_pdfs += looked.kept.pdfs_unread
        made = None if one.archive is None else _figures(plant, one.archive)
        if made is None:
            unread.append(plant)
        else:
            figures.append(made)
    beside, common = compared(figures, limits()), shared(documents, people)
    return Across(
        len(of), unread, beside[:COMPARED_MAX], sum(row.is_far for row in beside),
        common[:SHARED_MAX], max(0, len(common) - SHARED_MAX), unread_pdfs, limits(),
    )  # fmt: skip


@lru_cache(STATEMENTS_KEPT)
def _shareable(
    records: Records, plant: str, _count: int, month: str, zone: str
) -> frozenset[tuple[str, str]]:  # fmt: skip
    """Of a month's documents; looked for again when the plant has one more."""
    rows = records.newest(plant, of_month(month, ZoneInfo(zone)), DOCUMENTS_MAX)
    return shareable(rows)


def _figures(plant: str, archive: Mapping[str, object]) -> Figures | None:
    try:
        return _read(plant, str(archive["archive"]), str(archive["statement_sha256"]))
    except LookupError:
        return None


@lru_cache(STATEMENTS_KEPT)
def _read(plant: str, path: str, statement: str) -> Figures:
    """Of the statement that the log closed; LookupError where the archive holds no such one."""
    kept = read_kept(Path(path))
    if kept is None or kept.sha256.hex() != statement:
        raise LookupError(path)
    return figures_of(plant, kept.statement)
