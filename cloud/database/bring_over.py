"""Brings what a collector kept in files of its own into the database, once. I/O: those files.

Each file is read in one transaction of the database and has another name afterwards, so that a
start that was broken off goes on. What follows from the log or the archives is made again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Table, func, select

from cloud.database import schema_kept as kept
from cloud.database.copy_kept import copy_kept
from cloud.database.engine import Database
from cloud.database.put import put_once, put_over
from cloud.database.schema import ALARM_NUMBER, setting
from cloud.errors import OtherVersionError, StoreError

#: what a collector with its evidence in folders kept beside it, last
KEPT = "kept.db"
#: what a file is called once it was brought over
MOVED = ".moved"
_HAS_SOME = (
    "cannot be brought over: the database has accounts already. Move the file away to go on with "
    "those, or name a database that is new"
)
#: rows at once
_MANY = 10_000

Rows = list[dict[str, Any]]
#: table in the file, its order, where to, and how
Of = tuple[str, str, Table, Callable[[Rows], Rows]]
#: chained, or of people: two collectors' cannot be mixed
_ALONE = (kept.account_row, kept.security_event)


def _same(rows: Rows) -> Rows:
    return rows


def _logged(rows: Rows) -> Rows:
    """Rows of the security log: the kind of event stands beside the body now."""
    return [{**row, "event": json.loads(row["body"])["event"]} for row in rows]


def _numbered(rows: Rows) -> Rows:
    """Rows whose number the database gives; they come in order."""
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def _flagged(*names: str) -> Callable[[Rows], Rows]:
    return lambda rows: [
        {**row, **{name: bool(row[name]) for name in names}} for row in _numbered(rows)
    ]


#: file -> its format, and what is taken
_FILES: Mapping[str, tuple[int, Sequence[Of]]] = {
    "accounts.db": (1, (
        ("rows", "kind", kept.account_row, _same),
        ("log", "seq", kept.security_event, _logged),
    )),
    "openings.db": (1, (("opened", "at_ns", kept.opened, _same),)),
    "alarms.db": (2, (
        ("alarm", "plant", kept.alarm, _same),
        ("shelf", "plant", kept.alarm_shelf, _same),
        ("event", "id", kept.alarm_event, _flagged("is_told")),
        ("effect", "start_ns", kept.alarm_effect, _flagged("is_lost")),
        ("level", "at_ns", kept.alarm_level, _same),
        ("heard", "plant", kept.alarm_heard, _same),
        ("unheard", "plant", kept.alarm_unheard, _same),
    )),
    "shifts.db": (1, (
        ("note", "id", kept.shift_note, _numbered),
        ("counted", "at_ns", kept.shift_count, _same),
    )),
    "months.db": (1, (("ordered", "at_ns", kept.closing_order, _flagged("amend")),)),
}  # fmt: skip
#: the file that has the next alarm's number
_NUMBERED = "alarms.db"


def bring_over(folder: Path, database: Database) -> None:
    """Bring over what lies in a `state_dir`; nothing where nothing does.

    Raises:
        StoreError: a file is damaged or of another version, or there are accounts in the database
            that were not brought from it.
    """
    for name, (version, tables) in _FILES.items():
        path = folder / name
        if not path.exists():
            continue
        try:
            with database.writing() as connection, closing(_opened(path)) as sql:
                _bring(connection, sql, path, version, tables)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be brought over: {error}") from error
        path.replace(path.with_name(name + MOVED))
    if (path := folder / KEPT).exists():
        url = f"sqlite:///{path}"
        Database(url).close()  # upgraded and whole: the hash below stays the same
        mark = f"brought.{KEPT}", _sha256(path)
        with closing(Database(url)) as source:
            if not copy_kept(source, database, mark):
                raise StoreError(f"{path}: {_HAS_SOME}")
        path.replace(path.with_name(KEPT + MOVED))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> sqlite3.Connection:
    """The file, whole by itself: what its last process left beside it is in it."""
    sql = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)
    try:
        sql.row_factory = sqlite3.Row
        sql.execute("PRAGMA journal_mode = DELETE")
    except BaseException:
        sql.close()
        raise
    return sql


def _bring(
    connection: Connection, sql: sqlite3.Connection, path: Path, version: int, tables: Sequence[Of]
) -> None:  # fmt: skip
    sha256 = _sha256(path)
    brought = setting.c.name == f"brought.{path.name}"
    if connection.scalar(select(setting.c.value).where(brought)) == sha256:
        return  # a start before this one was broken off behind it
    found = sql.execute("PRAGMA user_version").fetchone()[0]
    if found > version:
        raise OtherVersionError(path, found, version)
    if found < version:
        if not sql.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return  # whose start was broken off before it had tables
        raise StoreError(f"{path}: format {found} is older than {version}: run 0.1.0 once first")
    for table, order, to, made in tables:
        if to in _ALONE and connection.scalar(select(func.count()).select_from(to)):
            raise StoreError(f"{path}: {_HAS_SOME}")
        rows = sql.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - our own names
        while many := rows.fetchmany(_MANY):
            put_once(connection, to, made([dict(row) for row in many]))
    asked = "SELECT number FROM next"
    if path.name == _NUMBERED and (next_one := sql.execute(asked).fetchone()):
        known = connection.scalar(select(setting.c.value).where(setting.c.name == ALARM_NUMBER))
        newest = str(max(int(next_one[0]), int(known or 1)))
        put_over(connection, setting, [{"name": ALARM_NUMBER, "value": newest}])
    put_over(connection, setting, [{"name": f"brought.{path.name}", "value": sha256}])
