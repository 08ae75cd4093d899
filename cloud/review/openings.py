"""What each reviewer opened of a month, and when first: kept beside the evidence. I/O: database.

The collector's own record, never signed by itself: a decision that names it is, and the collector
takes none that claims more than stands here. Any thread.
"""

from sqlalchemy import ColumnElement, func, select

from cloud.database.engine import Database
from cloud.database.put import put_once
from cloud.database.schema_kept import opened
from cloud.review.items import ITEM_MAX, Opening

#: of one person and month: a reviewer who opens more than this is a program
ITEMS_MAX = 5_000


class Openings:
    """Openings in the database; any call raises StoreError when that is away or refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, account: str, plant: str, month: str, item: str, at_ns: int) -> None:
        """Somebody opened an item of a month; only the first time counts.

        Args:
            account: account id of the reviewer.
            plant: plant id.
            month: "YYYY-MM" of the plant.
            item: path such as "line/fuel/anthracite", "reading/GATEWAY/SEQ/POINT", "file/SHA256",
                "document/SHA256"; a longer one than `ITEM_MAX` is cut.
            at_ns: now, UTC nanoseconds.
        """
        row = {"account": account, "plant": plant, "month": month, "item": item[:ITEM_MAX]}
        many = select(func.count()).select_from(opened).where(*_of(account, plant, month))
        with self._database.writing() as connection:
            if (connection.scalar(many) or 0) < ITEMS_MAX:
                put_once(connection, opened, [{**row, "at_ns": at_ns}])

    def of(self, account: str, plant: str, month: str) -> list[Opening]:
        """What somebody opened of a month, in the order of opening."""
        asked = select(opened.c.item, opened.c.at_ns).where(*_of(account, plant, month))
        with self._database.reading() as connection:
            rows = connection.execute(asked.order_by(opened.c.at_ns, opened.c.item))
            return [(row.item, row.at_ns) for row in rows]


def _of(account: str, plant: str, month: str) -> tuple[ColumnElement[bool], ...]:
    return opened.c.account == account, opened.c.plant == plant, opened.c.month == month
