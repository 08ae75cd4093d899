"""A file of SQLite that the collector keeps for its pages: opened, asked, refused in one sentence.

Any thread; one at a time. Nothing in it is evidence.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from cloud.errors import StoreError


@contextlib.contextmanager
def opened(path: Path, *, timeout_s: float = 5.0) -> Iterator[sqlite3.Connection]:
    """Open a file for any thread; the connection is closed where the block that prepares it fails.

    Args:
        path: of the file; it is made where there is none.
        timeout_s: seconds to wait for another process that has locked it.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    sql = sqlite3.connect(path, timeout=timeout_s, check_same_thread=False, isolation_level=None)
    try:
        yield sql
    except BaseException:
        sql.close()
        raise


class KeptFile:
    """The open file.

    Args:
        path: of the file; it is made where there is none.
        schema: SQL that makes its tables.
        version: of the schema, 1 and up.
        what: what it holds, for sentences: "alarms".
        upgrades: SQL that brings a file of version n to n + 1, by n.

    Raises:
        StoreError: it cannot be used, or is of a newer version; any call may, when the disk
            refuses.
    """

    def __init__(
        self, path: Path, schema: str, version: int, what: str,
        upgrades: Mapping[int, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self._path, self._what, self._lock = path, what, Lock()
        try:
            with opened(path) as sql:
                sql.execute("PRAGMA journal_mode = WAL")
                found = sql.execute("PRAGMA user_version").fetchone()[0]
                if found == 0:
                    sql.executescript(f"BEGIN; {schema} PRAGMA user_version = {version}; COMMIT;")
                elif found > version:
                    raise StoreError(f"{path} is of a newer version (format {found})")
                else:
                    for one in range(found, version):
                        step = f"{upgrades[one]} PRAGMA user_version = {one + 1};"
                        sql.executescript(f"BEGIN; {step} COMMIT;")
            self._sql = sql
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    def _ask(self, asked: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._sql.execute(asked, values).fetchall()
        except sqlite3.Error as error:
            raise self._refused(error) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        with self._lock:
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                yield self._sql
                self._sql.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._refused(error) from error
            finally:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")

    def _refused(self, error: Exception) -> StoreError:
        return StoreError(f"{self._what} cannot be read or written ({self._path}): {error}")
