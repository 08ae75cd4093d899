"""The file of accounts, sessions, tokens and the security log: the one file of I/O here (SQLite).

One file, of its owner alone (0600), in the collector's state folder. Each transaction is on disk
when it ends, and what it changes and the log's line about it are in one. Any thread; one at a time.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

from cloud.accounts.rows import Account, Cookie, Device, Link, Session, Token
from cloud.accounts.security_log import KEPT_ROWS, Event, LogRow, chained
from cloud.accounts.waiting import Lane
from cloud.errors import OtherVersionError, StoreError
from cloud.kept_file import opened

FILE = "accounts.db"
FORMAT = 1
BUSY_S = 10.0

Row = Account | Cookie | Device | Lane | Link | Session | Token
R = TypeVar("R", Account, Cookie, Device, Lane, Link, Session, Token)

# the log's rows are never changed, and none but the oldest can be dropped
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_owner ON rows (kind, owner);
CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS log_is_kept BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the security log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_has_no_holes BEFORE DELETE ON log
WHEN OLD.seq <> (SELECT min(seq) FROM log) OR OLD.seq = (SELECT max(seq) FROM log)
BEGIN SELECT RAISE(ABORT, 'the security log is append-only'); END;
"""


@dataclass(frozen=True)
class Shut:
    """A copy of the file that nobody comes in by with what was given out before it.

    Attributes:
        data: its bytes.
        dropped: kind -> how many there were.
        tokens: "account: name" of each token that was dropped.
        newest_ns: of the newest row of its security log; 0 without any.
    """

    data: bytes
    dropped: Mapping[str, int]
    tokens: Sequence[str]
    newest_ns: int


def shut(data: bytes) -> Shut:
    """Drop all sessions, links and tokens of a copy: some were ended since it was made.

    In memory alone, and the same bytes for the same copy: whose folder the copy goes to could put
    another file in its place.

    Args:
        data: of a file in one piece, without a log of its own beside it.

    Raises:
        sqlite3.Error: it is no such file.
    """
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as sql:
        sql.deserialize(data)
        tokens = sql.execute(
            "SELECT owner || ': ' || json_extract(body, '$.name') FROM rows WHERE kind = 'Token' "
            "ORDER BY 1"
        ).fetchall()
        drop = "DELETE FROM rows WHERE kind = ?"
        kinds = {"sessions": "Session", "links": "Link", "tokens": "Token"}
        dropped = {name: sql.execute(drop, (kind,)).rowcount for name, kind in kinds.items()}
        sql.execute(drop, ("Cookie",))
        newest = sql.execute("SELECT at_ns FROM log ORDER BY seq DESC LIMIT 1").fetchone()
        told = [str(one) for (one,) in tokens]
        return Shut(sql.serialize(), dropped, told, newest[0] if newest else 0)


class Transaction:
    """What may be asked and changed between begin and commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def get(self, kind: type[R], ident: str) -> R | None:
        """A row, None when there is none."""
        found = self._sql.execute(
            "SELECT body FROM rows WHERE kind = ? AND id = ?", (kind.__name__, ident)
        ).fetchone()
        return None if found is None else kind(**json.loads(found[0]))

    def all(self, kind: type[R], owner: str | None = None) -> list[R]:
        """Rows of a kind by id, of one owner or of all."""
        found = self._sql.execute(
            "SELECT body FROM rows WHERE kind = ?1 AND (?2 IS NULL OR owner = ?2) ORDER BY id",
            (kind.__name__, owner),
        )
        return [kind(**json.loads(body)) for (body,) in found]

    def put(self, row: Row) -> None:
        """Write a row, in the place of one with its id."""
        self._sql.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)",
            (type(row).__name__, row.id, row.owner, json.dumps(asdict(row))),
        )

    def drop(self, *rows: Row) -> None:
        """Take rows away."""
        for row in rows:
            self._sql.execute(
                "DELETE FROM rows WHERE kind = ? AND id = ?", (type(row).__name__, row.id)
            )

    def log(self, at_ns: int, event: Event) -> None:
        """Add to the security log."""
        newest = self._sql.execute("SELECT body FROM log ORDER BY seq DESC LIMIT 1").fetchone()
        before = LogRow(**json.loads(newest[0])) if newest else LogRow("")
        row = chained(before.hash, before.seq + 1, at_ns, event)
        self._sql.execute(
            "INSERT INTO log VALUES (?, ?, ?)", (row.seq, at_ns, json.dumps(asdict(row)))
        )

    def log_rows(self, after: int, count: int) -> list[LogRow]:
        """Up to `count` rows behind number `after`, oldest first."""
        found = self._sql.execute(
            "SELECT body FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, count)
        )
        return [LogRow(**json.loads(body)) for (body,) in found]

    def log_rows_of(self, event: str) -> list[LogRow]:
        """Every row of one kind that is kept, oldest first."""
        found = self._sql.execute(
            "SELECT body FROM log WHERE json_extract(body, '$.event') = ? ORDER BY seq", (event,)
        )
        return [LogRow(**json.loads(body)) for (body,) in found]

    def log_rows_back(self, after: int) -> Iterator[LogRow]:
        """Rows behind number `after`, newest first; one at a time is held."""
        found = self._sql.execute("SELECT body FROM log WHERE seq > ? ORDER BY seq DESC", (after,))
        return (LogRow(**json.loads(body)) for (body,) in found)

    def forget_log(self, before_ns: int) -> None:
        """Drop the oldest rows, as long as they are older; the newest 100,000 stay."""
        # a row whose clock was ahead keeps those behind it, for as long as it is kept
        self._sql.execute(
            "DELETE FROM log WHERE seq <= (SELECT max(seq) - ?1 FROM log) "
            "AND seq < (SELECT coalesce(min(seq), (SELECT max(seq) FROM log)) "
            "FROM log WHERE at_ns >= ?2)",
            (KEPT_ROWS, before_ns),
        )


class AccountStore:
    """The open file.

    Args:
        folder: where it lies; made if need be.

    Raises:
        StoreError: it cannot be used, or is of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / FILE, Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            with opened(self._path, timeout_s=BUSY_S) as sql:
                found = sql.execute("PRAGMA user_version").fetchone()[0]
                if found not in (0, FORMAT):
                    raise OtherVersionError(self._path, found, FORMAT)
                sql.execute("PRAGMA journal_mode = WAL")
                sql.execute("PRAGMA synchronous = FULL")
                sql.executescript(_SCHEMA)
                sql.execute(f"PRAGMA user_version = {FORMAT}")
            self._sql = sql
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from error

    @contextlib.contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction: on disk when the block ends, undone when it raises.

        Raises:
            StoreError: the disk refuses.
        """
        with self._lock:
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._sql)
                except BaseException:
                    self._sql.execute("ROLLBACK")
                    raise
                self._sql.execute("COMMIT")
            except sqlite3.Error as error:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise self._refused(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    def _refused(self, error: Exception) -> StoreError:
        return StoreError(f"accounts cannot be read or written ({self._path}): {error}")
