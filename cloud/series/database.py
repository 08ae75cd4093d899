"""The SQLite file of a store of series: marks in it always, buckets where it is the store itself.

A projection: it may be deleted while the collector is stopped, and is made again from the log.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

from cloud.errors import StoreError
from cloud.series.store import Mark, SeriesAwayError
from evidence.owners import give

FORMAT = 1

log = logging.getLogger("stackproof.cloud.series")

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
        path: made when it is absent, and anew where it is damaged.
        target: which store its marks are of; those of another one do not count.

    Attributes:
        trouble: why the newest change failed, or what is damaged, a sentence; else "".

    Raises:
        StoreError: it cannot be used.
    """

    def __init__(self, path: Path, target: str) -> None:
        self._path, self.trouble, self._is_damaged = path, "", False
        self._write_lock, self._read_lock = Lock(), Lock()
        try:
            if _noted(path).exists():
                _remove(path)
            try:
                found = self._opened(target)
            except sqlite3.Error as error:
                if not _tells_of_damage(error):
                    raise
                _remove(path)
                found = self._opened(target)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be used: {error}") from error
        if found != FORMAT:
            self.close()
            raise StoreError(
                f"{path} is of another program's format ({found}): stop the collector and delete "
                "it, it is made again from the log"
            )

    def _opened(self, target: str) -> int:
        """The format of what stands there by now; nothing stays open where that raises."""
        self._path.touch()
        give(self._path)  # before SQLite makes files beside it, which get the same owner
        with contextlib.ExitStack() as failed:
            self._writing = failed.enter_context(self._connected())
            self._writing.execute("PRAGMA journal_mode = WAL")
            # after a power cut buckets and marks are both of a moment ago, and are followed again
            self._writing.execute("PRAGMA synchronous = NORMAL")
            with self.changing() as sql:
                found = _prepared(sql, target)
            self._reading = failed.enter_context(self._connected())
            failed.pop_all()
        return found

    def _connected(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(
            sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
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
                    if self._writing.in_transaction:  # a full disk ends it itself
                        self._writing.execute("ROLLBACK")
                    raise
                self._writing.execute("COMMIT")
            except sqlite3.Error as error:
                self.trouble = self._told("written", error)
                raise SeriesAwayError(self.trouble) from error
            if not self._is_damaged:
                self.trouble = ""

    def rows(self, asked: str, *values: object) -> list[tuple[object, ...]]:
        """What a question gives."""
        with self._read_lock:
            try:
                return self._reading.execute(asked, values).fetchall()
            except sqlite3.Error as error:
                raise SeriesAwayError(self._told("read", error)) from error

    def _told(self, what: str, error: sqlite3.Error) -> str:
        """A sentence; of damage, which may lie anywhere in many GB, the next start is to know."""
        told = f"{self._path} cannot be {what}: {error}"
        if _tells_of_damage(error):
            told += ": start the collector again, then it is made again from the log"
            self._is_damaged, self.trouble = True, told
            with contextlib.suppress(OSError):
                _noted(self._path).touch()
        return told

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """Gateway -> its mark."""
        asked = "SELECT gateway, next_seq, head, through_ns FROM mark WHERE plant = ?"
        rows = self.rows(asked, plant)
        return {str(gateway): Mark(*mark) for gateway, *mark in rows}  # type: ignore[arg-type] # columns


def _noted(path: Path) -> Path:
    """A file beside it once damage was found in it."""
    return path.with_name(f"{path.name}.damaged")


def _remove(path: Path) -> None:
    log.warning("%s is damaged: it is made again from the log", path)
    # its own note last: until all of it is gone, the rest is to go
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")), _noted(path)):
        one.unlink(missing_ok=True)


def _tells_of_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


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
        drop_marks(sql)
        sql.execute("UPDATE about SET target = ?", (target,))
    return int(found)


def set_mark(
    sql: sqlite3.Connection, plant: str, gateway: str, mark: Mark, after: Mark | None
) -> None:
    """A stream was followed so far, from the mark `after` on, if that stands still."""
    asked = "SELECT next_seq, head, through_ns FROM mark WHERE plant = ? AND gateway = ?"
    if after not in (None, sql.execute(asked, (plant, gateway)).fetchone() or Mark()):
        return
    sql.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)", (plant, gateway, *mark))


def drop_marks(sql: sqlite3.Connection, plant: str = "") -> bool:
    """No stream of a plant, or of any, was followed; was one?"""
    return sql.execute("DELETE FROM mark WHERE ? IN (plant, '')", (plant,)).rowcount > 0
