"""A commit that ends at any place: what had a receipt is there, nothing is there twice or half."""

import itertools
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from cloud.database import put as put_module
from cloud.database.engine import ONE_MACHINE, Database
from cloud.errors import DatabaseAwayError, StaleStateError, StoreError
from tests.databases import PostgreSQL
from tests.integration.cloud.database.plants import WholePlant, holds_true, made
from tests.unit.cloud.whole_plant import COMMITS, PLANT


@pytest.fixture
def whole(tmp_path: Path) -> WholePlant:
    return made(tmp_path / "plant")


@contextmanager
def refusing(database: Database, nth: int) -> Iterator[list[str]]:
    """The nth statement from here on fails, as on a full disk."""
    seen = list[str]()

    def refuse(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)
        if len(seen) == nth + 1:
            raise OperationalError(statement, None, Exception("database or disk is full"))

    event.listen(database.engine, "before_cursor_execute", refuse)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", refuse)


def test_a_database_that_refuses_at_any_statement_loses_nothing(
    database: Database, whole: WholePlant
) -> None:
    store, plant = whole.open(database)
    for commit in range(3):
        whole.stage(plant, commit)
        assert store.commit() == ([plant], {})
    before, nth = plant.reader.committed, 0
    while True:
        whole.stage(plant, 3)
        with refusing(database, nth) as seen:
            done, failed = store.commit()
        if len(seen) <= nth:
            break
        assert (done, list(failed)) == ([], [PLANT])
        assert isinstance(failed[PLANT], StoreError)
        assert not plant.is_dirty
        assert plant.reader.committed == before
        nth += 1
    assert nth > 6
    assert done == [plant]
    holds_true(whole, plant.reader, [before.checkpoint])
    store.close()


def lost(database: Database, *, is_made: bool) -> Callable[[Any], None]:
    """A COMMIT whose answer never comes."""
    real = database.engine.dialect.do_commit

    def commit(connection: Any) -> None:
        if is_made:
            real(connection)
        if database.is_sqlite:
            if not is_made:
                connection.rollback()
            raise sqlite3.OperationalError("disk I/O error")
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    return commit


@pytest.mark.parametrize("is_made", [True, False])
def test_a_connection_lost_at_the_commit_is_asked_about(
    database: Database, whole: WholePlant, monkeypatch: pytest.MonkeyPatch, is_made: bool
) -> None:
    """Whether it was made is not known: no receipt; then the log is read again, and goes on."""
    store, plant = whole.open(database)
    for commit in range(2):
        whole.stage(plant, commit)
        store.commit()
    before = plant.reader.committed
    whole.stage(plant, 2)
    staged = plant.state
    with monkeypatch.context() as patched:
        patched.setattr(database.engine.dialect, "do_commit", lost(database, is_made=is_made))
        done, failed = store.commit()
    assert done == []
    assert isinstance(failed[PLANT], DatabaseAwayError) != database.is_sqlite
    assert plant.reader.committed == before
    store.commit()
    assert plant.reader.state.size == (staged if is_made else before.state).size
    assert plant.reader.head("edge-a").next_seq == (3 if is_made else 2)
    for commit in range(2, COMMITS):
        whole.stage(plant, commit)  # what is held by now is left out
        assert store.commit()[1] == {}
    holds_true(whole, plant.reader, [before.checkpoint])
    assert plant.reader.head("edge-a").next_seq == len(whole.a.objects)
    store.close()


def test_what_is_staged_on_a_log_that_was_not_known_is_sent_again(
    database: Database, whole: WholePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, plant = whole.open(database)
    whole.stage(plant, 0)
    store.commit()
    whole.stage(plant, 1)
    with monkeypatch.context() as patched:
        patched.setattr(database.engine.dialect, "do_commit", lost(database, is_made=True))
        store.commit()
    whole.stage(plant, 1)  # the gateways are quicker than the database
    done, failed = store.commit()
    assert done == []
    assert isinstance(failed[PLANT], StaleStateError)
    assert plant.reader.head("edge-a").next_seq == 2
    store.close()


@pytest.mark.parametrize("at", ["copy", "commit"])
def test_a_connection_that_the_server_ends(
    postgresql: PostgreSQL, whole: WholePlant, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    database = Database(postgresql.fresh(), ONE_MACHINE)
    store, plant = whole.open(database)
    whole.stage(plant, 0)
    store.commit()
    whole.stage(plant, 1)

    def end(connection: object, *_: object) -> None:
        with psycopg.connect(str(database.engine.url).replace("+psycopg", "")) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database() "
                "AND state = 'idle in transaction'"
            )

    with monkeypatch.context() as patched:
        if at == "commit":
            event.listen(database.engine, "commit", end, once=True)
        else:
            copy = put_module._copy
            patched.setattr(put_module, "COPY_MIN", 1)
            patched.setattr(put_module, "_copy", lambda *given: (end(None), copy(*given)))
        done, failed = store.commit()
    assert done == []
    assert isinstance(failed[PLANT], DatabaseAwayError)
    whole.stage(plant, 1)
    assert store.commit() == ([plant], {})
    holds_true(whole, plant.reader, [])
    store.close()
    database.close()


@pytest.mark.parametrize("commit", range(COMMITS))
def test_a_process_killed_at_any_statement_of_any_commit(
    url: str, whole: WholePlant, commit: int
) -> None:
    """A child commits once, and shows the checkpoint that a receipt may be signed with."""
    shown, nth, ended = list[str](), 0, -signal.SIGKILL
    database = Database(url, ONE_MACHINE)
    whole.commit(database, commit)
    store, plant = whole.open(database)
    before = plant.reader.size
    whole.stage(plant, commit)
    after = plant.state.size
    store.close()
    database.close()
    while ended:
        ended, note = _in_child(url, whole, commit, nth)
        shown += filter(None, [note])
        nth += 1
        database = Database(url, ONE_MACHINE)
        with database.writing() as connection:  # its lease lapses in 10 s
            connection.execute(text("UPDATE lease SET renewed_s = 0"))
        store, plant = whole.open(database)
        holds_true(whole, plant.reader, shown)
        whole.stage(plant, commit)
        held = (plant.reader.size, plant.is_dirty)
        assert held in ((before, True), (after, False))  # not at all, or as a whole
        store.close()
        database.close()
    assert held == (after, False)
    assert nth > 4
    assert len(shown) == 1


def _in_child(url: str, whole: WholePlant, commit: int, nth: int) -> tuple[int, str]:
    """One commit in a process that kills itself before its nth statement; its end, its note."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        database = Database(url, ONE_MACHINE)
        store, plant = whole.open(database)
        whole.stage(plant, commit)
        count = itertools.count()

        def kill(*_: object) -> None:
            if next(count) == nth:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(database.engine, "before_cursor_execute", kill)
        event.listen(database.engine, "commit", kill)
        store.commit()
        os.write(writable, plant.reader.checkpoint.encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as file:
        note = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), note
