"""Where accounts, sessions, tokens and the security log are kept: the one file of I/O here.

Each transaction is on disk when it ends, and what it changes and the log's line about it are in
one. Any thread; one transaction at a time, also of several collectors.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy import Connection, delete, func, insert, select

from cloud.accounts.rows import Account, Cookie, Device, Link, Session, Token
from cloud.accounts.security_log import KEPT_ROWS, Event, LogRow, chained
from cloud.accounts.waiting import Lane
from cloud.database.engine import Database
from cloud.database.put import put_over
from cloud.database.schema_kept import account_row, security_event
from cloud.database.turns import Turn, take_turn

Row = Account | Cookie | Device | Lane | Link | Session | Token
R = TypeVar("R", Account, Cookie, Device, Lane, Link, Session, Token)

#: what lets somebody in; a copy of the database has none of it
GIVEN_OUT = (Session, Link, Token, Cookie)
#: rows of the log that are held at once
_HELD = 500
_ROW, _LOG = account_row.c, security_event.c


class Transaction:
    """What may be asked and changed between begin and commit."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def get(self, kind: type[R], ident: str) -> R | None:
        """A row, None when there is none."""
        asked = select(_ROW.body).where(_ROW.kind == kind.__name__, _ROW.id == ident)
        found = self._sql.scalar(asked)
        return None if found is None else kind(**json.loads(found))

    def all(self, kind: type[R], owner: str | None = None) -> list[R]:
        """Rows of a kind by id, of one owner or of all."""
        asked = select(_ROW.body).where(_ROW.kind == kind.__name__).order_by(_ROW.id)
        if owner is not None:
            asked = asked.where(_ROW.owner == owner)
        return [kind(**json.loads(body)) for body in self._sql.scalars(asked)]

    def put(self, row: Row) -> None:
        """Write a row, in the place of one with its id."""
        kept = {"kind": type(row).__name__, "id": row.id, "owner": row.owner}
        put_over(self._sql, account_row, [{**kept, "body": json.dumps(asdict(row))}])

    def drop(self, *rows: Row) -> None:
        """Take rows away."""
        for row in rows:
            named = _ROW.kind == type(row).__name__, _ROW.id == row.id
            self._sql.execute(delete(account_row).where(*named))

    def log(self, at_ns: int, event: Event) -> None:
        """Add to the security log."""
        newest = self._sql.scalar(select(_LOG.body).order_by(_LOG.seq.desc()).limit(1))
        before = LogRow(**json.loads(newest)) if newest else LogRow("")
        row = chained(before.hash, before.seq + 1, at_ns, event)
        kept = {"seq": row.seq, "at_ns": at_ns, "event": row.event}
        self._sql.execute(insert(security_event), {**kept, "body": json.dumps(asdict(row))})

    def log_rows(self, after: int, count: int) -> list[LogRow]:
        """Up to `count` rows behind number `after`, oldest first."""
        asked = select(_LOG.body).where(_LOG.seq > after).order_by(_LOG.seq).limit(count)
        return [LogRow(**json.loads(body)) for body in self._sql.scalars(asked)]

    def log_rows_of(self, event: str) -> list[LogRow]:
        """Every row of one kind that is kept, oldest first."""
        asked = select(_LOG.body).where(_LOG.event == event).order_by(_LOG.seq)
        return [LogRow(**json.loads(body)) for body in self._sql.scalars(asked)]

    def log_rows_back(self, after: int) -> Iterator[LogRow]:
        """Rows behind number `after`, newest first; few at a time are held."""
        asked = select(_LOG.body).where(_LOG.seq > after).order_by(_LOG.seq.desc())
        found = self._sql.execution_options(yield_per=_HELD).scalars(asked)
        return (LogRow(**json.loads(body)) for body in found)

    def forget_log(self, before_ns: int) -> None:
        """Drop the oldest rows, as long as they are older; the newest 100,000 stay."""
        newest = self._sql.scalar(select(func.max(_LOG.seq)))
        if newest is None:
            return
        # a row whose clock was ahead keeps those behind it, for as long as it is kept
        young = self._sql.scalar(select(func.min(_LOG.seq)).where(_LOG.at_ns >= before_ns))
        end = min(newest - KEPT_ROWS + 1, newest if young is None else young)
        self._sql.execute(delete(security_event).where(_LOG.seq < end))


class AccountStore:
    """Accounts and all that hangs on them, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction: on disk when the block ends, undone when it raises.

        Raises:
            StoreError: the database is away, or refuses.
        """
        with self._database.writing() as connection:
            take_turn(connection, Turn.ACCOUNTS)
            yield Transaction(connection)
