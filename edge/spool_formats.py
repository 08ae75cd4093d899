"""The formats that a spool has had, and the step from each to the next.

`user_version` of the file is its format. An agent takes over a spool of `OLDEST` or later when it
starts, step by step, all in one transaction: a power cut leaves the format that was there, or the
whole of this program's. A step is never changed once a program with it ran at a plant; what
an agent of each format left is in tests/vectors/spools, and every later program goes on from it.

A spool of a newer format is refused and stays as it is, unless it says that this program may work
on it: `application_id` is then the oldest format whose programs may, 0 where only its own may. So a
format that only adds tables, or columns with a default, costs nobody the way back. This program
writes no rows but by the names of their columns, and leaves both numbers as they are.
"""

import sqlite3
from collections.abc import Callable, Mapping

FORMAT = 4

#: tables of this format
TABLES = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY, typ TEXT NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL,
    readings INTEGER NOT NULL, through_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE freed (
    seq INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, through_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE open (id INTEGER PRIMARY KEY AUTOINCREMENT, tick BLOB NOT NULL) STRICT;
CREATE TABLE unsigned (
    id INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL, readings INTEGER NOT NULL,
    through_ns INTEGER NOT NULL, anchor BLOB NOT NULL,
    typ TEXT NOT NULL DEFAULT 'stackproof-frame+cbor'
) STRICT;
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""


def _to_2(db: sqlite3.Connection) -> None:
    """Nothing moves: what state has more of from here on (`edge.spool_reader.State`) is absent."""


def _to_3(db: sqlite3.Connection) -> None:
    """Frames that the key does not sign yet have a table."""
    db.execute(
        "CREATE TABLE unsigned (id INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL, "
        "readings INTEGER NOT NULL, through_ns INTEGER NOT NULL, anchor BLOB NOT NULL) STRICT"
    )


def _to_4(db: sqlite3.Connection) -> None:
    """What was freed before has no instant, and goes when it is not the newest."""
    db.execute("ALTER TABLE freed ADD COLUMN through_ns INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE unsigned ADD COLUMN typ TEXT NOT NULL DEFAULT 'stackproof-frame+cbor'")


#: format -> the step from the one before it
STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {2: _to_2, 3: _to_3, 4: _to_4}
OLDEST = min(STEPS) - 1


def numbers(db: sqlite3.Connection) -> tuple[int, int]:
    """(format, oldest format whose programs may work on it or 0) of a file; (0, 0) of a new one.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    return int(version), int(db.execute("PRAGMA application_id").fetchone()[0])


def is_ours(version: int, since: int) -> bool:
    """Whether this program may work on a spool of these numbers as it is."""
    return version == FORMAT or (version > FORMAT and 0 < since <= FORMAT)


def can_become_ours(version: int) -> bool:
    """Whether `take_over` makes a spool of this format into one of this program's."""
    return OLDEST <= version < FORMAT


def take_over(db: sqlite3.Connection) -> None:
    """Lay out a new file, or bring an older format's to this one; any other is left as it is.

    Raises:
        sqlite3.Error: the disk refuses; the file is as it was.
    """
    version, _ = numbers(db)
    if version == 0:
        db.executescript(f"BEGIN;{TABLES}PRAGMA user_version={FORMAT};COMMIT;")
    if not can_become_ours(version):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version + 1, FORMAT + 1):
            STEPS[step](db)
        db.execute(f"PRAGMA user_version={FORMAT}")
    except BaseException:
        if db.in_transaction:  # SQLite ends it itself when the disk is full
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
