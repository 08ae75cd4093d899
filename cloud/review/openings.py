"""What each reviewer opened of a month, and when first: a file beside the evidence (SQLite).

The collector's own record, never signed by itself: a decision that names it is, and the collector
takes none that claims more than stands here. Any thread; one at a time.
"""

import sqlite3
from pathlib import Path
from threading import Lock

from cloud.errors import OtherVersionError, StoreError
from cloud.kept_file import opened

FILE = "openings.db"
FORMAT = 1
#: of one person and month: a reviewer who opens more than this is a program
ITEMS_MAX, ITEM_MAX = 5_000, 200

_SCHEMA = """
CREATE TABLE opened (
    account TEXT, plant TEXT, month TEXT, item TEXT, at_ns INTEGER,
    PRIMARY KEY (account, plant, month, item)
) WITHOUT ROWID;
"""
_NOTE = """
INSERT INTO opened SELECT ?1, ?2, ?3, ?4, ?5
WHERE (SELECT count(*) FROM opened WHERE account = ?1 AND plant = ?2 AND month = ?3) < ?6
ON CONFLICT DO NOTHING
"""

#: an item, and when it was opened first, UTC nanoseconds by the collector's clock
Opening = tuple[str, int]


class Openings:
    """The open file.

    Args:
        folder: the file goes there.

    Raises:
        StoreError: it cannot be used, or is of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / FILE, Lock()
        try:
            with opened(self._path) as sql:
                found = sql.execute("PRAGMA user_version").fetchone()[0]
                if found not in (0, FORMAT):
                    raise OtherVersionError(self._path, found, FORMAT)
                sql.execute("PRAGMA journal_mode = WAL")
                if found == 0:
                    sql.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
            self._sql = sql
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def note(self, account: str, plant: str, month: str, item: str, at_ns: int) -> None:
        """Somebody opened an item of a month; only the first time counts.

        Args:
            account: account id of the reviewer.
            plant: plant id.
            month: "YYYY-MM" of the plant.
            item: path such as "line/fuel/anthracite", "reading/GATEWAY/SEQ/POINT", "file/SHA256",
                "document/SHA256"; a longer one than `ITEM_MAX` is cut.
            at_ns: now, UTC nanoseconds.

        Raises:
            StoreError: the disk refuses.
        """
        row = (account, plant, month, item[:ITEM_MAX], at_ns, ITEMS_MAX)
        try:
            with self._lock:
                self._sql.execute(_NOTE, row)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def of(self, account: str, plant: str, month: str) -> list[Opening]:
        """What somebody opened of a month, in the order of opening; StoreError likewise."""
        asked = "SELECT item, at_ns FROM opened WHERE account = ? AND plant = ? AND month = ?"
        try:
            with self._lock:
                found = self._sql.execute(f"{asked} ORDER BY at_ns, item", (account, plant, month))
                return [(str(item), int(at_ns)) for item, at_ns in found]
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    def _refused(self, error: Exception) -> StoreError:
        return StoreError(f"openings cannot be read or written ({self._path}): {error}")
