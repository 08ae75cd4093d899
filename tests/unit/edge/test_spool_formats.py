"""Spools of other formats: older ones are taken over step by step, newer ones may let us work."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import OtherFormatError
from edge.spool import Spool
from edge.spool_formats import FORMAT, OLDEST, STEPS, numbers
from edge.spool_reader import SpoolReader, Unsigned
from evidence.frame import TYP_FRAME
from tests.unit.edge.test_spool import MIB, stored

SPOOLS = Path(__file__).resolve().parents[2] / "vectors/spools"
#: format -> what an agent of it left
LEFT = {int(path.stem.removeprefix("format-")): path for path in SPOOLS.glob("*.sql")}


def laid(path: Path, version: int) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(LEFT[version].read_text())
    return path


def dump(path: Path) -> list[str]:
    """Everything in it, its numbers too."""
    with closing(sqlite3.connect(path)) as db:
        return [*db.iterdump(), str(numbers(db))]


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table -> its columns, with types and defaults."""
    with closing(sqlite3.connect(path)) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: db.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in names}


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - constants of this file


def test_there_is_a_step_and_a_spool_of_every_format_that_is_taken_over() -> None:
    assert (OLDEST, FORMAT) == (1, 4)
    assert sorted(STEPS) == [2, 3, 4]
    assert sorted(LEFT) == [1, 2, 3, 4]


@pytest.mark.parametrize("version", sorted(LEFT))
def test_every_row_of_an_older_format_is_there_after_it_was_taken_over(
    version: int, tmp_path: Path
) -> None:
    path, new = laid(tmp_path / "s.sqlite", version), tmp_path / "new.sqlite"
    tables = sorted(set(columns(path)) - {"sqlite_sequence"})
    before = {table: rows(path, table) for table in tables}
    if version < FORMAT:
        with pytest.raises(OtherFormatError, match=r"takes it over when it starts \(stackproof"):
            SpoolReader(path)
    for _ in range(2):
        Spool(path, bytes_max=MIB).close()
    Spool(new, bytes_max=MIB).close()
    assert columns(path) == columns(new)
    reader = SpoolReader(path)
    waits = reader.unsigned()
    reader.close()
    assert (waits is not None and waits.typ) == (TYP_FRAME if version == 3 else False)
    for table in tables:
        width = len(before[table][0]) if before[table] else 0
        assert [row[:width] for row in rows(path, table)] == before[table]


def test_a_step_that_breaks_off_leaves_the_spool_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = laid(tmp_path / "s.sqlite", OLDEST)
    before = dump(path)

    def full(db: sqlite3.Connection) -> None:
        STEPS[FORMAT](db)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("edge.spool_formats.STEPS", {**STEPS, FORMAT: full})
    with pytest.raises(Exception, match="disk is full"):
        Spool(path, bytes_max=MIB)
    assert dump(path) == before
    monkeypatch.undo()
    Spool(path, bytes_max=MIB).close()


#: what a later program may add without closing the way back: it says so with `application_id`
ADDED = f"""
ALTER TABLE objects ADD COLUMN more TEXT NOT NULL DEFAULT '';
ALTER TABLE freed ADD COLUMN more TEXT NOT NULL DEFAULT '';
ALTER TABLE open ADD COLUMN more TEXT NOT NULL DEFAULT '';
ALTER TABLE unsigned ADD COLUMN more TEXT NOT NULL DEFAULT '';
ALTER TABLE state ADD COLUMN more TEXT NOT NULL DEFAULT '';
CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT;
PRAGMA user_version = {FORMAT + 1};
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    path = tmp_path / "newer.sqlite"
    Spool(path, bytes_max=MIB).close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{ADDED}PRAGMA application_id = {FORMAT};")
    return path


def test_a_newer_spool_that_lets_this_program_work_on_it_is_worked_on(newer: Path) -> None:
    spool = Spool(newer, bytes_max=MIB)
    spool.begin_after(4, bytes(32), {"a": b"1"})
    spool.commit_ticks([b"\1"])
    spool.keep_unsigned(Unsigned(b"frame", 7, 8, b"anchor"), state={"a": b"2"})
    spool.commit_ticks([b"\2"])
    spool.append(stored(5), stored(6), state={}, signs=spool.unsigned())
    assert spool.release(5, b"receipt") == 1
    spool.close()
    reader = SpoolReader(newer)
    assert (reader.open_ticks(), reader.unsigned(), reader.get("a")) == ([b"\2"], None, b"2")
    assert reader.objects(0, 9) == [stored(6)]
    assert (reader.hash_at(4), reader.hash_at(5)) == (bytes(32), stored(5).sha256)
    reader.close()
    with closing(sqlite3.connect(newer)) as db:
        assert numbers(db) == (FORMAT + 1, FORMAT), "the newer program finds its own"


@pytest.mark.parametrize("since", [0, FORMAT + 1])
def test_any_other_newer_spool_is_refused_and_stays_as_it_is(newer: Path, since: int) -> None:
    with closing(sqlite3.connect(newer)) as db:
        db.execute(f"PRAGMA application_id = {since}")
    before = newer.read_bytes()
    for program in (lambda: Spool(newer, bytes_max=MIB), lambda: SpoolReader(newer)):
        with pytest.raises(OtherFormatError, match="A newer program wrote it: start that one"):
            program()
    assert newer.read_bytes() == before
