"""What a collector kept in files of its own is in the database after the first start, once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.accounts.rows import Account
from cloud.accounts.security_log import Event
from cloud.accounts.store import AccountStore
from cloud.alarms.store import AlarmStore
from cloud.database import bring_over
from cloud.database.engine import Database
from cloud.database.schema_kept import security_event
from cloud.errors import StoreError
from cloud.month.facts import Facts, Ordered
from cloud.review.openings import Openings
from cloud.shift.store import Note, ShiftStore

#: file -> format, and SQL as the program of before has written it
OLD = {
    "accounts.db": (1, """
        CREATE TABLE rows (kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL,
            body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
        CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL,
            body TEXT NOT NULL);
        INSERT INTO rows VALUES ('Account', 'sun', '', '{"id": "sun", "name": "Sun"}');
        INSERT INTO log VALUES (7, 70, '{"event": "sign-in", "seq": 7, "hash": "ab"}');
        INSERT INTO log VALUES (8, 80, '{"event": "sign-out", "seq": 8, "hash": "cd"}');
    """),
    "openings.db": (1, """
        CREATE TABLE opened (account TEXT, plant TEXT, month TEXT, item TEXT, at_ns INTEGER,
            PRIMARY KEY (account, plant, month, item)) WITHOUT ROWID;
        INSERT INTO opened VALUES ('sun', 'mini', '2026-09', 'month', 5);
    """),
    "alarms.db": (2, """
        CREATE TABLE alarm (plant TEXT, kind TEXT, gateway TEXT, about TEXT, phase TEXT,
            since_ns INTEGER, told TEXT, priority INTEGER, number INTEGER, raised_ns INTEGER,
            seen_by TEXT, seen_ns INTEGER, members TEXT NOT NULL DEFAULT '[]',
            told_ns INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (plant, kind, gateway, about)) WITHOUT ROWID;
        CREATE TABLE shelf (plant TEXT, kind TEXT, gateway TEXT, about TEXT, by TEXT, reason TEXT,
            from_ns INTEGER, until_ns INTEGER,
            PRIMARY KEY (plant, kind, gateway, about)) WITHOUT ROWID;
        CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER, plant TEXT,
            what TEXT, kind TEXT, gateway TEXT, about TEXT, priority INTEGER, number INTEGER,
            raised_ns INTEGER, told TEXT, by TEXT, note TEXT, is_told INTEGER);
        CREATE TABLE effect (plant TEXT, gateway TEXT, potline TEXT, pot TEXT, start_ns INTEGER,
            end_ns INTEGER, is_lost INTEGER, polarised_ns INTEGER, v_max TEXT, cf4_kg TEXT,
            PRIMARY KEY (plant, start_ns, gateway, potline, pot)) WITHOUT ROWID;
        CREATE TABLE level (plant TEXT, point TEXT, at_ns INTEGER, mean REAL,
            PRIMARY KEY (plant, point, at_ns)) WITHOUT ROWID;
        CREATE TABLE next (number INTEGER);
        CREATE TABLE heard (plant TEXT, gateway TEXT, from_ns INTEGER, tick_ns INTEGER,
            PRIMARY KEY (plant, gateway)) WITHOUT ROWID;
        CREATE TABLE unheard (plant TEXT, gateway TEXT, from_ns INTEGER, to_ns INTEGER,
            PRIMARY KEY (plant, gateway, from_ns)) WITHOUT ROWID;
        INSERT INTO next VALUES (41);
        INSERT INTO alarm VALUES ('mini', 'silent', 'gw', '', 'raised', 1, '{}', 2, 40, 2, '', 0,
            '["a"]', 3);
        INSERT INTO event VALUES (9, 30, 'mini', 'raised', 'silent', 'gw', '', 2, 40, 30, '{}',
            '', '', 1);
        INSERT INTO event VALUES (12, 31, 'mini', 'cleared', 'silent', 'gw', '', 2, 39, 29, '{}',
            '', '', 0);
        INSERT INTO effect VALUES ('mini', 'gw', 'line-1', '01', 4, NULL, 1, NULL, '31.5', NULL);
        INSERT INTO level VALUES ('mini', 'stack.co2', 600, 43.5);
    """),
    "shifts.db": (1, """
        CREATE TABLE note (id INTEGER PRIMARY KEY, plant TEXT, from_ns INTEGER, at_ns INTEGER,
            by TEXT, what TEXT, text TEXT);
        CREATE TABLE counted (plant TEXT, at_ns INTEGER, month TEXT, unit TEXT, total_t TEXT,
            PRIMARY KEY (plant, at_ns)) WITHOUT ROWID;
        INSERT INTO note VALUES (3, 'mini', 1, 2, 'sun', 'left', '炉温');
        INSERT INTO note VALUES (4, 'mini', 1, 3, 'li', 'taken', '');
    """),
    "months.db": (1, """
        CREATE TABLE ordered (plant TEXT, month TEXT, amend INTEGER, reason TEXT, by TEXT,
            at_ns INTEGER, PRIMARY KEY (plant, month)) WITHOUT ROWID;
        INSERT INTO ordered VALUES ('mini', '2026-09', 1, 'late invoice', 'sun', 6);
    """),
}  # fmt: skip


def written(folder: Path) -> None:
    for name, (version, sql) in OLD.items():
        with closing(sqlite3.connect(folder / name)) as old:
            old.executescript(f"PRAGMA journal_mode = WAL; {sql} PRAGMA user_version = {version};")


def require_all(database: Database) -> None:
    """As `OLD` has it, by the calls that pages make."""
    with database.reading() as connection:
        assert connection.execute(text("SELECT kind, id, body FROM account_row")).all() == [
            ("Account", "sun", '{"id": "sun", "name": "Sun"}')
        ]
        asked = text("SELECT seq, at_ns, event FROM security_event ORDER BY seq")
        assert connection.execute(asked).all() == [(7, 70, "sign-in"), (8, 80, "sign-out")]
    assert Openings(database).of("sun", "mini", "2026-09") == [("month", 5)]
    alarms = AlarmStore(database)
    book = alarms.load(["mini"])
    assert book.next_number == 41
    assert [(one.number, one.members) for one in book.alarms.values()] == [(40, {"a"})]
    events = alarms.between(["mini"], 0, 99)
    assert [(one.happening.at_ns, one.happening.is_told) for one in events] == [
        (30, True), (31, False)
    ]  # fmt: skip
    (effect,) = alarms.effects("mini", 0)
    assert (effect.pot, effect.is_lost, effect.end_ns, effect.v_max) == ("01", True, None, "31.5")
    assert alarms.levels("mini", "stack.co2") == [(600, 43.5)]
    notes = ShiftStore(database).notes("mini", 1)
    assert notes == [Note(2, "sun", "left", "炉温"), Note(3, "li", "taken", "")]
    ordered = Ordered("mini", "2026-09", amend=True, reason="late invoice", by="sun", at_ns=6)
    assert Facts(database).ordered() == [ordered]


def test_files_of_before_are_brought_over_once(database: Database, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    written(state)
    bring_over.bring_over(state, database)
    require_all(database)
    assert sorted(path.name for path in state.iterdir()) == sorted(f"{name}.moved" for name in OLD)
    Facts(database).done("mini", "2026-09")
    bring_over.bring_over(state, database)
    assert Facts(database).ordered() == [], "what ended since has not come back"


def test_a_start_that_is_broken_off_goes_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the commit and the file's other name: no row is there twice."""
    state = tmp_path / "state"
    state.mkdir()
    written(state)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                bring_over.bring_over(state, database)
    bring_over.bring_over(state, database)
    require_all(database)


def test_what_was_kept_beside_folders_follows_into_the_database(
    database: Database, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    written(state)
    beside = Database(f"sqlite:///{state / bring_over.KEPT}")
    for name in OLD:
        (state / name).rename(tmp_path / name)
    bring_over.bring_over(tmp_path, beside)
    beside.close()
    bring_over.bring_over(state, database)
    require_all(database)
    assert not (state / bring_over.KEPT).exists()
    # a start that was killed before the file had its new name
    (state / f"{bring_over.KEPT}.moved").rename(state / bring_over.KEPT)
    bring_over.bring_over(state, database)
    require_all(database)
    with closing(Database(f"sqlite:///{state / 'kept.db.moved'}")) as other:
        Openings(other).note("li", "mini", "2026-10", "month", 6)
    (state / f"{bring_over.KEPT}.moved").rename(state / bring_over.KEPT)
    with pytest.raises(StoreError, match="has accounts already"):
        bring_over.bring_over(state, database)


def test_accounts_of_two_collectors_are_not_mixed(database: Database, tmp_path: Path) -> None:
    with AccountStore(database).begin() as transaction:
        transaction.log(1, Event("sign-in", "wang"))
    written(tmp_path)
    with pytest.raises(StoreError, match="the database has accounts already"):
        bring_over.bring_over(tmp_path, database)
    assert (tmp_path / "accounts.db").exists()
    with AccountStore(database).begin() as transaction:
        assert transaction.all(Account) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("PRAGMA user_version = 9", "newer version: format 9"),
        ("PRAGMA user_version = 0", "format 0 is older than 1"),
        ("DROP TABLE opened", "openings.db: cannot be brought over: no such table"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_left(
    database: Database, tmp_path: Path, spoil: str, said: str
) -> None:
    written(tmp_path)
    with closing(sqlite3.connect(tmp_path / "openings.db")) as old:
        old.execute(spoil)
        old.commit()
    with pytest.raises(StoreError, match=said):
        bring_over.bring_over(tmp_path, database)
    assert (tmp_path / "openings.db").exists()
    assert Openings(database).of("sun", "mini", "2026-09") == []


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE security_event SET at_ns = 0",
        "UPDATE security_event SET at_ns = 0 WHERE seq = 8",
        "DELETE FROM security_event",
        "DELETE FROM security_event WHERE seq = 8",
        "DELETE FROM security_event WHERE seq = 7",
    ],
)
def test_the_security_log_is_append_only(database: Database, order: str) -> None:
    """By the database itself; its oldest rows alone can go."""
    with database.writing() as connection:
        rows = [{"seq": seq, "at_ns": 1, "event": "x", "body": "{}"} for seq in (6, 7, 8)]
        connection.execute(security_event.insert(), rows)
    with pytest.raises(StoreError, match="append-only"), database.writing() as connection:
        connection.execute(text(order))
    with database.writing() as connection:
        connection.execute(text("DELETE FROM security_event WHERE seq = 6"))
    with database.reading() as connection:
        assert connection.scalars(text("SELECT seq FROM security_event ORDER BY seq")).all() == [
            7, 8,
        ]  # fmt: skip
