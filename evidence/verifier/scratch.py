"""A table on disk for what one verification must look up later: memory does not grow with it.

SQLite's own temporary file: in the folder that TMPDIR names (else the system's), mode 0600, without
a name from the moment it is made, so that it is gone however the process ends. A small month stays
within the page cache and touches no disk.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from evidence.errors import ScratchError

CACHE_KIB = 8 * 1024


class Scratch:
    """Tables that nobody else sees, in one transaction that is never committed."""

    def __init__(self, *tables: str) -> None:
        """Make the tables, SQL each; ScratchError when the disk refuses."""
        self._db = sqlite3.connect("", isolation_level=None)
        settings = "PRAGMA journal_mode = OFF", f"PRAGMA cache_size = -{CACHE_KIB}", "BEGIN"
        try:
            for sql in (*settings, *tables):
                self.run(sql)
        except ScratchError:
            self.close()
            raise

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Write, or read all rows asked for; ScratchError when the disk refuses."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise ScratchError(error) from error

    def close(self) -> None:
        """Give the disk back."""
        self._db.close()
