"""The SQLite file of a store of series: marks in it always, buckets where it is the store itself.

A projection: it may be deleted while the collector is stopped, and is made again from the log.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

from cloud.errors import StoreError
from cloud.series.store import Mark, SeriesAwayError
from evidence.owners import give

FORMAT = 1

_SCHEMA = """
CREATE TABLE about (target TEXT);
CREATE TABLE mark (
    plant TEXT, gateway TEXT, next_seq INTEGER, head BLOB, through_ns INTEGER,
    PRIMARY KEY (plant, gateway)
) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, plant TEXT, gateway TEXT, point TEXT, quantity TEXT, decimals INTEGER,
    UNIQUE (plant, point, gateway, quantity, decimals)
);
CREATE TABLE bucket (
    series INTEGER, step_s INTEGER, from_s INTEGER, count INTEGER, low INTEGER, high INTEGER,
    last INTEGER, mean INTEGER, rest INTEGER, worst INTEGER, PRIMARY KEY (series, step_s, from_s)
) WITHOUT ROWID;
"""


class SeriesFile:
    """The file, opened for one writer and one reader at a time. Any thread.

    Args:
        path: made when it is absent.
        target: which store its marks are of; those of another one do not count.

    Raises:
        StoreError: it cannot be used.
    """

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        try:
            path.touch()
            give(path)  # before SQLite makes files beside it, which get the same owner
            self._writing = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._writing.execute("PRAGMA journal_mode = WAL")
            # after a power cut buckets and marks are both of a moment ago, and are followed again
            self._writing.execute("PRAGMA synchronous = NORMAL")
            self._write_lock, self._read_lock = Lock(), Lock()
            with self.changing() as sql:
                found = _prepared(sql, target)
            self._reading = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be used: {error}") from error
        if found != FORMAT:
            raise StoreError(
                f"{path} is of another program's format ({found}): stop the collector and delete "
                "it, it is made again from the log"
            )

    def close(self) -> None:
        """Let go of the file."""
        for lock, sql in ((self._write_lock, self._writing), (self._read_lock, self._reading)):
            with lock:
                sql.close()

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        with self._write_lock:
            try:
                self._writing.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writing
                except BaseException:
                    self._writing.execute("ROLLBACK")
                    raise
                self._writing.execute("COMMIT")
            except sqlite3.Error as error:
                raise SeriesAwayError(f"{self._path} cannot be written: {error}") from error

    def rows(self, asked: str, *values: object) -> list[tuple[object, ...]]:
        """What a question gives."""
        with self._read_lock:
            try:
                return self._reading.execute(asked, values).fetchall()
            except sqlite3.Error as error:
                raise SeriesAwayError(f"{self._path} cannot be read: {error}") from error

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """Gateway -> its mark."""
        asked = "SELECT gateway, next_seq, head, through_ns FROM mark WHERE plant = ?"
        rows = self.rows(asked, plant)
        return {str(gateway): Mark(*mark) for gateway, *mark in rows}  # type: ignore[arg-type] # columns


def _prepared(sql: sqlite3.Connection, target: str) -> int:
    """Its format; a new file is given its tables, one of another target loses its marks."""
    (found,) = sql.execute("PRAGMA user_version").fetchone()
    if found == 0:
        for statement in _SCHEMA.split(";\n"):
            sql.execute(statement)
        sql.execute(f"PRAGMA user_version = {FORMAT}")
        sql.execute("INSERT INTO about VALUES (?)", (target,))
        return FORMAT
    if found == FORMAT and sql.execute("SELECT target FROM about").fetchone() != (target,):
        sql.execute("DELETE FROM mark")
        sql.execute("UPDATE about SET target = ?", (target,))
    return int(found)


def set_mark(sql: sqlite3.Connection, plant: str, gateway: str, mark: Mark) -> None:
    """A stream was followed so far."""
    sql.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)", (plant, gateway, *mark))


def drop_marks(sql: sqlite3.Connection, plant: str) -> None:
    """No stream of a plant was followed."""
    sql.execute("DELETE FROM mark WHERE plant = ?", (plant,))
