"""What a month consists of for somebody who reviews it. Pure.

An item is a path: "archive/SHA256", "line/CATEGORY/KIND" of the sealed statement,
"document/SHA256", "file/SHA256". Readings are items too when they are opened, but nobody opens all
of them: they are not among those a decision counts as not opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evidence.documents.certified import CERTIFIED
from evidence.documents.people import PERSON, PERSON_END
from evidence.documents.review import COSIGNED, REVIEWS

#: kinds of documents that say nothing of a month's figures
NO_ITEMS = (PERSON, PERSON_END, CERTIFIED, *REVIEWS, COSIGNED)

#: characters of an item
ITEM_MAX = 200

#: an item, and when somebody opened it first, UTC nanoseconds by the collector's clock
Opening = tuple[str, int]

#: digits of a statement's hash that stand behind a line which was opened
_STATEMENT = 16

#: a document or month as the API has it
Row = Mapping[str, Any]


def archive_of(month: Row) -> Row | None:
    """The archive that stands for a month that was closed for good; None while there is none."""
    found = (one for one in month["archives"] if one["newest"] and not one["replaced"])
    return next(found, None)


def lines_of(month: Row) -> Sequence[Row]:
    """Lines of the sealed statement; none where none is sealed."""
    figures = month["figures"]
    return () if figures is None else figures["made"]["lines"]


def line_item(line: Row) -> str:
    """The path of a line; lines of one kind by several meters are one item."""
    return f"line/{line['category']}/{line['kind']}"[:ITEM_MAX]


def of_statement(item: str, statement: str) -> str:
    """A line as its opening is noted: shown out of this statement, and out of none that follows.

    Args:
        item: path of the line.
        statement: SHA-256 of the statement, hex.
    """
    return f"{item}@{statement[:_STATEMENT]}"


def counting(opened: Iterable[Opening], archive: Row | None) -> list[Opening]:
    """What was opened of a month as it stands now, in the same order.

    A line of a statement that was replaced since is another line, and does not count.
    """
    stands = None if archive is None else archive["statement_sha256"][:_STATEMENT]
    found = list[Opening]()
    for noted, at in opened:
        item, _, statement = noted.partition("@")
        if statement == stands or not item.startswith("line/"):
            found.append((item, at))
    return found


def items_of(month: Row, documents: Iterable[Row]) -> list[str]:
    """All that a decision says of whether it was opened, each once, in the order of the page.

    Args:
        month: its row with the sealed figures.
        documents: those of the month; persons and reviews among them are no items.
    """
    archive = archive_of(month)
    items = [] if archive is None else [f"archive/{archive['sha256']}"]
    items += [line_item(line) for line in lines_of(month)]
    for one in documents:
        if one["kind"] not in NO_ITEMS:
            items.append(f"document/{one['sha256']}")
            items += [f"file/{file['sha256']}" for file in one["files"]]
    return list(dict.fromkeys(items))
