"""Databases: the only file that touches their libraries (Python's DB-API, PEP 249). I/O: theirs.

`Database.fetch` is the one place that asks a question, and it asks no other than a `Select` that
has passed the gate, in a derived table with the key bound, bounded rows and bounded bytes. Around
it every connection reads only by itself: SQLite is opened so and refuses all else in its
authorizer; servers are told so for the session, where they know it.

SQLite is verified here. PostgreSQL is tested against a server where one is installed; MySQL,
Oracle and SQL Server are unverified: nobody has tried them with this program yet.
"""

import contextlib
import importlib
import os
import socket
import sqlite3
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

from edge.drivers.table.gate import FUNCTIONS, Select
from edge.drivers.waiting_rows import Key
from evidence.support import without_secrets

ROWS_MAX = 1_000  # of one question
BYTES_MAX = 8 * 2**20  # of one answer's texts
WIRE_BYTES_MAX = 2 * BYTES_MAX  # of all that a server sends after one question
CELL_BYTES_MAX = 100_000  # SQLite refuses a longer one itself

#: what SQLite itself calls for LIKE and for CURRENT_TIMESTAMP and its kind
_BUILT_IN = FUNCTIONS | {"like", "current_timestamp", "current_date", "current_time"}
_TCP_INFO_BYTES = 136  # of Linux's struct tcp_info up to and with tcpi_bytes_received
_STEPS = 10_000  # of SQLite's machine between two looks at the clock
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})


class DatabaseError(Exception):
    """It did not answer; the text says why, in the database's words and without secrets."""


@dataclass(frozen=True)
class Answer:
    """What one question gave.

    Attributes:
        columns: names, in order.
        types: of each column as the database tells them, "" where it does not.
        rows: at most ROWS_MAX.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Login:
    """Where and as whom; `password` is shown nowhere."""

    host: str
    port: int
    database: str
    user: str
    password: str
    timeout_s: float
    tls: bool

    def __repr__(self) -> str:
        return f"Login({self.user}@{self.host}:{self.port}/{self.database})"


Watch = Callable[[int], None]  # is told the descriptor of a connection's socket


@dataclass(frozen=True)
class Dialect:
    """How one kind of server is asked.

    Attributes:
        module: its DB-API module.
        package: what installs it.
        port: the server's own.
        mark: where the key is bound.
        limit: what ends the question.
        alias: between the derived table and its name.
        top: what follows SELECT instead of `limit`.
        read_only: statements that make the session, or each transaction, read only.
        opening: statements once a connection.
        tls_since: least VERSION of the module that never goes on in the clear where it should not.
        connect: gives a connection that reads only as far as the module can say so. Tells its
            socket's descriptor as soon as it can; Oracle's and SQL Server's have no door to it.
    """

    module: str
    package: str
    port: int
    mark: str
    connect: Callable[[Any, Login, Watch], Any]
    limit: str = f" LIMIT {ROWS_MAX}"
    alias: str = " AS"
    top: str = ""
    read_only: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    tls_since: tuple[int, ...] = ()


def _postgresql(module: Any, login: Login, watch: Watch) -> Any:  # noqa: ANN401 - a library without types
    made = module.connect(
        host=login.host, port=login.port, dbname=login.database, user=login.user,
        password=login.password, connect_timeout=max(2, round(login.timeout_s)),
        application_name="stackproof edge",
        sslmode="verify-full" if login.tls else "disable",
        options=f"-c default_transaction_read_only=on "
        f"-c statement_timeout={round(login.timeout_s * 1000)}",
        **({"sslrootcert": "system"} if login.tls else {}),
    )  # fmt: skip
    watch(made.fileno())
    made.read_only = True
    return made


def _mysql(module: Any, login: Login, watch: Watch) -> Any:  # noqa: ANN401 - a library without types
    made = module.connect(
        defer_connect=True,
        host=login.host, port=login.port, database=login.database, user=login.user,
        password=login.password, charset="utf8mb4", local_infile=False,
        connect_timeout=max(1, round(login.timeout_s)),
        read_timeout=max(1, round(login.timeout_s)), write_timeout=max(1, round(login.timeout_s)),
        ssl=ssl.create_default_context() if login.tls else None,
    )  # fmt: skip
    end = socket.create_connection((login.host, login.port), login.timeout_s)
    watch(end.fileno())  # its first word may have no end
    made.connect(end)
    return made


def _oracle(module: Any, login: Login, _: Watch) -> Any:  # noqa: ANN401 - a library without types
    protocol = "tcps" if login.tls else "tcp"
    made = module.connect(
        user=login.user, password=login.password,
        dsn=f"{protocol}://{login.host}:{login.port}/{login.database}",
        tcp_connect_timeout=login.timeout_s,
    )  # fmt: skip
    made.call_timeout = round(login.timeout_s * 1000)
    return made


def _sql_server(module: Any, login: Login, _: Watch) -> Any:  # noqa: ANN401 - a library without types
    return module.connect(
        server=login.host, port=str(login.port), database=login.database, user=login.user,
        password=login.password, timeout=max(1, round(login.timeout_s)),
        login_timeout=max(1, round(login.timeout_s)), read_only=True,
        encryption="require" if login.tls else "off",
    )  # fmt: skip


#: scheme of a device's URL -> server. What is not here is asked by nobody.
DIALECTS: Mapping[str, Dialect] = {
    "postgresql+ro": Dialect("psycopg", "stackproof[postgresql]", 5432, "%s", _postgresql),
    "mysql+ro": Dialect(
        "pymysql", "pymysql>=1.2", 3306, "%s", _mysql, read_only=("SET TRANSACTION READ ONLY",),
        # before, whoever answered without TLS was told the password
        tls_since=(1, 2),
    ),
    "oracle+ro": Dialect(
        "oracledb", "oracledb", 1521, ":1", _oracle, alias="",
        limit=f" FETCH FIRST {ROWS_MAX} ROWS ONLY", read_only=("SET TRANSACTION READ ONLY",),
    ),
    "mssql+ro": Dialect(
        "pymssql", "pymssql", 1433, "%s", _sql_server, limit="", top=f" TOP ({ROWS_MAX})"
    ),
}  # fmt: skip
_SQLITE = Dialect(
    "sqlite3", "", 0, "?", lambda *_: None,
    opening=(
        "PRAGMA query_only=ON",
        "PRAGMA trusted_schema=OFF",  # its views and triggers call nothing
        "PRAGMA schema_version",  # it is a database, and not locked
    ),
)  # fmt: skip


def question(select: Select, key: str, dialect: Dialect, *, is_first: bool) -> str:
    """The one question: the statement's rows after a key, in its order, bounded."""
    text = select.text.replace("%", "%%") if dialect.mark == "%s" and not is_first else select.text
    after = "" if is_first else f" WHERE {key} > {dialect.mark}"
    return (
        f"SELECT{dialect.top} * FROM ({text}){dialect.alias} source_rows"
        f"{after} ORDER BY {key}{dialect.limit}"
    )


class Database:
    """One connection; used by one thread at a time.

    Raises (by all methods but close):
        DatabaseError: whatever the library raised.
    """

    dialect: Dialect
    _errors: tuple[type[Exception], ...] = (OSError,)
    _connection: Any = None
    _password = ""

    def open(self) -> None:
        """Connect, reading only."""
        raise NotImplementedError

    def fetch(self, select: Select, key: str, after: Key | None) -> Answer:
        """The statement's rows behind a key, or from the first; the only question there is."""
        asked = question(select, key, self.dialect, is_first=after is None)
        try:
            cursor = self._connection.cursor()
            try:
                for statement in self.dialect.read_only:
                    cursor.execute(statement)
                self._begin()
                cursor.execute(asked, *(() if after is None else ((after,),)))
                return _answer(cursor)
            finally:
                cursor.close()
                self._connection.rollback()  # no transaction stays open in another's database
        except self._errors as error:
            raise DatabaseError(self._told(error)) from None  # a traceback would tell all

    def _begin(self) -> None:
        """Before each question."""

    def check(self) -> None:
        """From another thread, while a question is under way: DatabaseError if it is to end."""

    def cut(self) -> None:
        """From another thread: nobody waits for the question under way. Never raises."""

    def _told(self, error: Exception) -> str:
        """What was said, without the password: a server may say back what it was given."""
        said = error.strerror or "" if isinstance(error, OSError) else str(error)
        hidden = without_secrets(said or str(error), filter(None, [self._password]))
        return (" ".join(hidden.split()) or type(error).__name__)[:300]

    def close(self) -> None:
        """Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except self._errors:
                return


class SqliteDatabase(Database):
    """An SQLite file, opened read only."""

    dialect = _SQLITE
    _errors = (sqlite3.Error, sqlite3.Warning, OSError)

    def __init__(self, path: Path, timeout_s: float) -> None:
        """Prepare; nothing is opened."""
        self._path, self._timeout_s = path, timeout_s
        self._ends_s = 0.0
        self._place: tuple[int, int] | None = None

    def open(self) -> None:
        """Open the file; only what is a database already."""
        try:
            self._place = self._stands()
            uri = f"file:{quote(str(self._path))}?mode=ro"
            self._connection = made = sqlite3.connect(
                uri, uri=True, timeout=self._timeout_s, isolation_level=None,
                check_same_thread=False,  # one at a time, but the thread changes with connections
            )  # fmt: skip
            for statement in self.dialect.opening:
                made.execute(statement)
            for limit, most in (
                (sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES_MAX),
                (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            ):
                made.setlimit(limit, most)
            made.set_progress_handler(lambda: int(monotonic() > self._ends_s), _STEPS)
            made.set_authorizer(_authorise)
        except self._errors as error:
            self.close()
            raise DatabaseError(self._told(error)) from None  # a traceback would tell all

    def _begin(self) -> None:
        """A file that was put aside goes on answering an open connection, with old rows."""
        if self._stands() != self._place:
            raise sqlite3.OperationalError("the file was replaced")
        self._ends_s = monotonic() + self._timeout_s

    def _stands(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_dev, status.st_ino


def _authorise(action: int, _: str | None, name: str | None, *__: object) -> int:
    """SQLite asks for each thing a statement would do, when it is prepared."""
    if action in _READING:
        return sqlite3.SQLITE_OK
    is_known = action == sqlite3.SQLITE_FUNCTION and (name or "").lower() in _BUILT_IN
    return sqlite3.SQLITE_OK if is_known else sqlite3.SQLITE_DENY


class ServerDatabase(Database):
    """A database server behind its DB-API module."""

    def __init__(self, dialect: Dialect, login: Login) -> None:
        """Load the module.

        Raises:
            ImportError: it is not installed, or too old for TLS.
        """
        self.dialect, self._login, self._password = dialect, login, login.password
        self._module = importlib.import_module(dialect.module)
        if login.tls and dialect.tls_since > getattr(self._module, "VERSION", ()):
            raise ImportError(f"{dialect.package} is needed for TLS")
        # a server's bytes make a library stumble otherwise than by errors of its own
        self._errors = (Exception,)
        self._end: socket.socket | None = None  # the connection's, for other threads
        self._had = 0  # bytes that had come in before the question

    def open(self) -> None:
        """Connect."""
        try:
            self._connection = self.dialect.connect(self._module, self._login, self._watch)
        except self._errors as error:
            raise DatabaseError(self._told(error)) from None  # a traceback would tell all

    def _watch(self, descriptor: int) -> None:
        self._end = socket.socket(fileno=os.dup(descriptor))

    def _begin(self) -> None:
        self._had = self._heard()

    def check(self) -> None:
        """A server need not keep to the question's bounds, and its library keeps all it sends."""
        if self._heard() - self._had > WIRE_BYTES_MAX:
            raise DatabaseError(f"an answer of more than {WIRE_BYTES_MAX >> 20} MiB")

    def cut(self) -> None:
        """A library that waits for its server for ever finds the connection ended."""
        if self._end is not None:
            with contextlib.suppress(OSError):
                self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Never raises."""
        super().close()
        end, self._end = self._end, None
        if end is not None:
            end.close()

    def _heard(self) -> int:
        """Bytes that have come in on the connection; 0 where the system does not tell."""
        if self._end is None:
            return 0
        try:
            told = self._end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            return int(struct.unpack_from("Q", told, _TCP_INFO_BYTES - 8)[0])
        except (OSError, struct.error):
            return 0


def _answer(cursor: Any) -> Answer:  # noqa: ANN401 - any module's
    rows: list[tuple[object, ...]] = []
    size = 0
    while (
        len(rows) < ROWS_MAX and (row := cursor.fetchone()) is not None
    ):  # one: SQLite reads it now
        size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        if size > BYTES_MAX:
            raise OSError(f"rows of more than {BYTES_MAX >> 20} MiB: select shorter columns")
        rows.append(tuple(row))
    described = cursor.description or ()
    return Answer(
        tuple(str(column[0]) for column in described),
        tuple("" if column[1] is None else _type_name(column[1]) for column in described),
        tuple(rows),
    )


def _type_name(code: object) -> str:
    return str(getattr(code, "name", None) or getattr(code, "__name__", None) or code)
