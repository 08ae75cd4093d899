"""Opens the database of a URL, and holds it to what a receipt promises.

    sqlite:////var/lib/stackproof/cloud.db               one machine; the default
    postgresql+psycopg://stackproof@db.example/evidence  PostgreSQL; its password in ~/.pgpass

A receipt frees the plant's disk, so a commit must outlive what it says it outlives. SQLite: WAL,
synchronous=FULL, which is an fsync a commit. PostgreSQL: `synchronous_commit` on, and at least one
name in `synchronous_standby_names`, or the words that say that one machine is enough.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import Diagnostic
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    cast,
    create_engine,
    event,
    extract,
    func,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as SQLTimeoutError
from sqlalchemy.pool import QueuePool

from cloud.database.urls import ONE_MACHINE, file_of
from cloud.database.version import bring_up_to_date
from cloud.errors import DatabaseAwayError, StoreError

#: for another writer of an SQLite file, and for a PostgreSQL that does not answer
BUSY_S, CONNECT_S = 30, 10
#: connections kept open, and how many more may be opened while those are taken
POOL, POOL_MORE = 5, 20
#: SQLite's pages: a frame of 5.7 kB takes one
PAGE_BYTES = 8192
#: of an SQLite file: its owner alone reads it
PRIVATE = 0o600
#: PostgreSQL ends a connection that says nothing for so long inside a transaction
IDLE_MS = 60_000


class Database:
    """One database; any thread.

    Args:
        url: as above.
        durability: `ONE_MACHINE`, or "" for what a receipt promises beyond one machine.

    Attributes:
        url, name: as given; without its password.
        is_sqlite: one process writes; otherwise PostgreSQL.

    Raises:
        StoreError: it is of another kind, cannot be had, or promises less than is asked of it.
    """

    def __init__(self, url: str, durability: str = "") -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreError(f"{url!r} is no database URL") from error
        self.url, self.name = url, parsed.render_as_string(hide_password=True)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite and parsed.drivername != "postgresql+psycopg":
            raise StoreError(f"{self.name}: write sqlite:///… or postgresql+psycopg://…")
        self._unreplicated = threading.local()
        self.engine = self._sqlite(url) if self.is_sqlite else self._postgresql(url)
        self._reader = self.engine.execution_options(is_reader=True)
        self._writer = {
            lasts: self.engine.execution_options(lasts=lasts) for lasts in (True, False)
        }
        # SQLite's own waiting is by sleeps, and the last to come may be the first to get it
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()
        try:
            with self.writing() as connection:
                if not self.is_sqlite:
                    self._require_promise(connection, durability)
                bring_up_to_date(connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    # -- transactions -----------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for a few statements, each of which sees what is committed by then.

        Raises:
            StoreError: the database is away, or refuses.
        """
        with self._telling(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, lasts: bool = True) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises.

        Args:
            lasts: it outlives a power cut. What follows from the log need not.

        Raises:
            StoreError: the database is away, or refuses.
        """
        with self._telling(), self._turn, self._writer[lasts].begin() as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            lost = error.connection_invalidated
            raise self._told(error.orig or error, is_lost=lost) from error
        except (SQLAlchemyError, psycopg.Error) as error:  # the latter by COPY, past SQLAlchemy
            raise self._told(error) from error

    def _told(self, error: BaseException, *, is_lost: bool = False) -> StoreError:
        """The error for people: the database by name, and what it said."""
        said = " ".join(str(error).split())
        if is_lost or (not self.is_sqlite and _is_away(error)):
            return DatabaseAwayError(f"{self.name}: is away: {said}")
        return StoreError(f"{self.name}: {said}")

    @property
    def now_s(self) -> ColumnElement[float]:
        """Seconds since 1970 by the database's clock, as an expression for statements."""
        if self.is_sqlite:
            return (func.julianday("now") - 2440587.5) * 86400.0
        return cast(extract("epoch", func.clock_timestamp()), Float)

    def take_unreplicated(self) -> str:
        """What PostgreSQL said of this thread's commit that no standby has; "" where one has it."""
        said = getattr(self._unreplicated, "said", "")
        self._unreplicated.said = ""
        return said

    # -- the two kinds ----------------------------------------------------------------------------

    def _sqlite(self, url: str) -> Engine:
        _keep_private(file_of(url))
        engine = create_engine(
            url, poolclass=QueuePool, pool_size=POOL, max_overflow=POOL_MORE,
            connect_args={"timeout": BUSY_S, "check_same_thread": False},
        )  # fmt: skip

        @event.listens_for(engine, "connect")
        def _set_up(connection: Any, _record: Any) -> None:  # noqa: ANN401 - of the driver
            connection.isolation_level = None  # transactions begin where `_begin` says
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            _use_wal(connection)
            for pragma in (
                "synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 4000",
                "mmap_size = 268435456",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # a reader takes no lock; a writer takes it at once, and never has to be undone for it
            options = connection.get_execution_options()
            if options.get("is_reader", False):
                connection.exec_driver_sql("BEGIN")
                return
            driver: Any = connection.connection.driver_connection
            driver.execute(
                f"PRAGMA synchronous = {'FULL' if options.get('lasts', True) else 'NORMAL'}"
            )
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _postgresql(self, url: str) -> Engine:
        options = f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_MS}"
        engine = create_engine(
            url, pool_size=POOL, max_overflow=POOL_MORE, pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_S, "application_name": "stackproof",
                "options": options, "keepalives_idle": CONNECT_S, "tcp_user_timeout": IDLE_MS,
            },
        )  # fmt: skip

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if not connection.get_execution_options().get("lasts", True):
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

        @event.listens_for(engine, "connect")
        def _listen(connection: Any, _record: Any) -> None:  # noqa: ANN401 - of the driver
            connection.add_notice_handler(self._hear)

        return engine

    def _hear(self, notice: Diagnostic) -> None:
        """A COMMIT whose wait for a standby was cancelled succeeds, and says so in a warning."""
        said = notice.message_primary or ""
        if notice.sqlstate == "01000" and "synchronous replication" in said:
            self._unreplicated.said = said

    def _require_promise(self, connection: Connection, durability: str) -> None:
        if durability == ONE_MACHINE:
            return
        if durability:
            raise StoreError(
                f"durability is {durability!r}: write {ONE_MACHINE!r}, or leave it out"
            )
        level = connection.scalar(select(func.current_setting("synchronous_commit")))
        standbys = connection.scalar(select(func.current_setting("synchronous_standby_names")))
        if level in ("on", "remote_apply") and standbys:
            return
        raise StoreError(
            f"{self.name}: synchronous_commit is {level}, synchronous_standby_names is "
            f"{standbys!r}: a reading could be lost with one machine. Set up a synchronous "
            f"standby, or write durability = {ONE_MACHINE!r}"
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Change a new file's journal: SQLite itself waits for nobody here."""
    until_s = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            time.sleep(0.01)
        else:
            return


def _keep_private(path: Path | None) -> None:
    """A file of its owner alone: seeds of second factors are in it.

    Raises:
        StoreError: the disk refuses.
    """
    if path is None:
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            found = os.fstat(file)
            if found.st_uid == os.geteuid() and found.st_mode & 0o077:
                os.fchmod(file, PRIVATE)
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def _is_away(error: BaseException) -> bool:
    """The server ends, begins, is a standby now, or lost the connection (SQLSTATE classes)."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, psycopg.OperationalError | SQLTimeoutError)
    return state[:2] in ("08", "57") or state == "25006"
