"""A database's rows, each delivered once: position, schema and backlog of one device.

What a read delivers is decided in `edge.drivers.waiting_rows`, what a row means in
`edge.drivers.source_rows`; the database is asked in `edge.drivers.table.database` alone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import quote

from edge.drivers.address import wrong
from edge.drivers.backlog import Backlog
from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.complaints import Complaints
from edge.drivers.own_thread import OwnThread, StuckError
from edge.drivers.source_rows import Row, RowReader, plain_number, shown, whole
from edge.drivers.table.database import ROWS_MAX, Answer, Database, DatabaseError, question
from edge.drivers.table.gate import StatementError, check_statement
from edge.drivers.table.place import Place, parse_place
from edge.drivers.traffic import Request, Traffic
from edge.drivers.waiting_rows import KEY_BYTES_MAX, Delivered, Key, Taken, take
from evidence import cbor
from evidence.errors import EvidenceError
from evidence.log_lines import about
from evidence.quality import Quality
from firmware_configs.row_source import TableSource

_LOG = logging.getLogger(__name__)

_PROMISE = "nothing is written: one gated SELECT, in a session that is read only where it can be"
_VERSION = 1  # of the position
_ASKED_BYTES = 32
_SOURCE_BYTES_MAX = 500  # a position has 4 KiB; a longer name is kept as its SHA-256
DOUBTS_TOLD = 10  # of one read, in the log
_GRACE_S = 0.5  # beyond the database's own time limit, before its thread is left to itself
_NOT_TAKEN = Sample(None, Quality.NOT_SAMPLED)


@dataclass(frozen=True)
class _Position:
    """What is committed of a device.

    Attributes:
        delivered: up to where.
        asked: SHA-256 of the profile's statement, columns and revision it was delivered under.
        schema: SHA-256 of the result's columns and types then.
        source: which rows these are, profile and database; "" where an older program kept it.
    """

    delivered: Delivered = field(default_factory=Delivered)
    asked: bytes = b""
    schema: bytes = b""
    source: str = ""

    def encode(self) -> bytes:
        done, asked = self.delivered, self.asked + self.source.encode()
        # in one with what was asked: so an older program reads it, as of another statement
        return cbor.encode([_VERSION, done.floor, list(done.ahead), asked, self.schema])

    @classmethod
    def decode(cls, data: bytes) -> "_Position":
        """Undo `encode`; ValueError when it is of another source or a newer program."""
        try:
            version, floor, ahead, asked, schema = cbor.decode(data)
            delivered = Delivered.of(floor, ahead)
        except (EvidenceError, TypeError, ValueError) as error:
            raise ValueError(str(error)) from error
        if version != _VERSION or not isinstance(asked, bytes) or not isinstance(schema, bytes):
            raise ValueError(f"it is of version {version}")
        source = asked[_ASKED_BYTES:].decode()
        return cls(delivered, asked[:_ASKED_BYTES], schema, source)


class TableDriver:
    """A table or view, behind one of the URLs of `edge.drivers.table.place`.

    Raises (at construction):
        DeviceError: with `retry` False when URL, statement, profile or position cannot work.
    """

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        source = spec.profile.rows
        if not isinstance(source, TableSource):
            raise wrong(spec, f"needs a profile with protocol table; {spec.profile.id} has none")
        self._source = source
        self._place: Place = parse_place(spec)
        self._name = f"device {spec.id} ({self._place.shown})"
        try:
            self._select = check_statement(source.statement)
        except StatementError as error:
            raise wrong(spec, f"statement of {spec.profile.id} {error}") from None
        self._reader = RowReader(spec, source.rows, plain_number)
        self._complaints, self._about = Complaints(_LOG, spec.id), about(device=spec.id)
        asked = f"{source.statement_sha256}\n{source.rows.columns_sha256}\n{spec.profile.revision}"
        self._asked = sha256(asked.encode()).digest()
        self._source_name = _source_name(f"{spec.profile.id}@{self._place.shown}")
        self._position = self._first_position()
        self._backlog = Backlog(self._complaints)
        self._ripens: dict[Key, float] = {}
        self._events: list[dict[str, Any]] = []
        self._opened: tuple[OwnThread, Database] | None = None

    def _first_position(self) -> _Position:
        if self._spec.position is None:
            return _Position(Delivered(self._place.after))
        try:
            kept = _Position.decode(self._spec.position)
        except ValueError as error:
            raise DeviceError(
                f"{self._name}: what is kept of its rows cannot be read ({error}); give the device "
                "another id to begin anew",
                retry=False,
            ) from None
        if kept.source in ("", self._source_name, self._place.was):
            return kept
        if kept.delivered == Delivered():
            return _Position(Delivered(self._place.after))
        raise DeviceError(
            f"{self._name}: up to row {shown(kept.delivered.floor)} was read of {kept.source}, and "
            f"these are the rows of {self._source_name}. If they are the same rows, write "
            f"was={quote(kept.source, safe='/:@')} into the url; if not, give the device another "
            "id, or put the url back",
            retry=False,
        )

    def traffic(self) -> Traffic:
        """The statements as the database gets them; the key is bound, never written into them."""
        dialect = self._place.dialect
        first, later = (
            question(self._select, self._source.key, dialect, is_first=is_first)
            for is_first in (True, False)
        )
        begins = [Request(first, None)] if self._position.delivered.floor is None else []
        points = tuple(bound.point.id for bound in self._spec.points)
        return Traffic(
            protocol="SQL",
            endpoint=self._place.shown,
            promise=_PROMISE,
            requests=[
                *(Request(statement, None) for statement in dialect.opening),
                *begins,
                *(Request(statement) for statement in dialect.read_only),
                Request(later, points=points),
            ],
            notes=(f"The first statement without a key is asked until a row was delivered; "
                   f"{dialect.mark} stands for the last key delivered.",),
        )  # fmt: skip

    async def connect(self) -> None:
        """Open the database."""
        if self._opened is not None:
            return
        try:
            database = self._place.open()
        except DatabaseError as error:
            raise self._error(error) from error
        try:
            thread = OwnThread(f"table-{self._spec.id}")
        except StuckError as error:
            raise self._error(error) from error
        self._opened = thread, database
        try:
            await thread.run(database.open, self._spec.timeout_s + _GRACE_S, database.check)
        except (DatabaseError, OSError, TimeoutError) as error:
            self._drop()
            raise self._error(error) from error
        except BaseException:
            self._drop()
            raise

    async def read(self) -> Sequence[Sample]:
        """The oldest unread row of each point; NOT_SAMPLED where none is new."""
        if self._opened is None:
            raise DeviceError(f"{self._name}: not connected; connect first")
        thread, database = self._opened
        after = self._position.delivered.floor
        try:
            answer = await thread.run(
                lambda: database.fetch(self._select, self._source.key, after),
                self._spec.timeout_s + _GRACE_S,
                database.check,
            )
            schema = self._check_schema(answer)
            taken = self._take(self._rows(answer), is_whole=len(answer.rows) < ROWS_MAX)
        except (DatabaseError, OSError, TimeoutError) as error:
            self._drop()
            raise self._error(error) from error
        except BaseException:
            self._drop()
            raise
        self._tell(taken, schema)
        self._position = _Position(taken.delivered, self._asked, schema, self._source_name)
        return [taken.samples.get(index, _NOT_TAKEN) for index in range(len(self._spec.points))]

    async def close(self) -> None:
        """Close the database once it is done with what it does."""
        self._drop()

    def position(self) -> bytes | None:
        """Up to which key rows are delivered, and under which statement and schema."""
        return self._position.encode() if self._position.asked else None

    def take_marks(self) -> Mapping[bytes, bytes]:
        """None: the position says it all."""
        return {}

    def take_events(self) -> Sequence[Mapping[str, Any]]:
        """Changed schema, rows that cannot be used, begin and end of a backlog."""
        events, self._events = self._events, []
        return events

    def _drop(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            thread, database = opened
            if thread.is_busy:
                database.cut()
            thread.end(database.close)

    def _error(self, error: Exception) -> DeviceError:
        reason = str(error)
        if isinstance(error, TimeoutError):
            reason = f"no answer within {self._spec.timeout_s:g} s"
        return DeviceError(f"{self._name}: {reason}; {self._place.advice}")

    # -- one answer -------------------------------------------------------------------------------

    def _check_schema(self, answer: Answer) -> bytes:
        """Its hash; DeviceError when it is not what the profile, or the rows so far, had."""
        wanted = self._source.rows.columns
        if answer.columns != wanted:
            raise self._refused(
                f"the columns are {' '.join(answer.columns)}, not {' '.join(wanted)}"
            )
        lines = zip(answer.columns, answer.types, strict=True)
        schema = sha256("".join(f"{name}\t{kind}\n" for name, kind in lines).encode()).digest()
        known = self._position
        if known.asked == self._asked and known.schema != schema:
            raise self._refused("the types of its columns are others than before")
        return schema

    def _refused(self, what: str) -> DeviceError:
        return DeviceError(
            f"{self._name}: {what}: nothing is read until a person has looked at it and changed "
            f"profile {self._spec.profile.id} (columns, and revision)",
            retry=False,
        )

    def _rows(self, answer: Answer) -> list[tuple[Key, Row]]:
        at = self._source.rows.columns.index(self._source.key)
        rows: list[tuple[Key, Row]] = []
        before: Key | None = self._position.delivered.floor
        for cells in answer.rows:
            key = _key(cells[at])
            if key is None or (before is not None and type(key) is not type(before)):
                raise DatabaseError(
                    f"key {self._source.key} is {shown(cells[at])}: it must be whole numbers, or "
                    f"texts of at most {KEY_BYTES_MAX} bytes, and never empty"
                )
            if key == before:
                raise DatabaseError(
                    f"key {self._source.key} is {shown(key)} in more rows than one: select a "
                    "column that is unique"
                )
            rows.append((key, self._reader.row(cells)))
            before = key
        return rows

    def _take(self, rows: Sequence[tuple[Key, Row]], *, is_whole: bool) -> Taken:
        """Rows ripen before they are taken.

        A database shows rows when their transaction ends, not in the order of their keys. One
        with a smaller key that appears late would stand before the floor, and be lost.
        """
        now_s = monotonic()
        ripens = {key: self._ripens.get(key, now_s + self._source.rows.settle_s) for key, _ in rows}
        self._ripens = ripens
        return take(
            rows, self._position.delivered, is_ripe=lambda k: ripens[k] <= now_s, is_whole=is_whole
        )

    # -- what is told -----------------------------------------------------------------------------

    def _tell(self, taken: Taken, schema: bytes) -> None:
        if (self._asked, schema) != (self._position.asked, self._position.schema):
            statement = bytes.fromhex(self._source.statement_sha256)
            self._note("source-schema", sha256=schema, statement_sha256=statement)
        for key, reason in taken.refused:
            _LOG.warning(
                "device %s: row %s: %s; it is left out", self._spec.id, shown(key), reason,
                extra=self._about,
            )  # fmt: skip
            self._note("source-row-refused", key=str(key), reason=reason)
        for key, doubt in taken.doubts[:DOUBTS_TOLD]:
            _LOG.warning(
                "device %s: row %s: %s", self._spec.id, shown(key), doubt, extra=self._about
            )
        if len(taken.doubts) > DOUBTS_TOLD:
            _LOG.warning(
                "device %s: and %d more cells that cannot be used", self._spec.id,
                len(taken.doubts) - DOUBTS_TOLD, extra=self._about,
            )  # fmt: skip
        for event in self._backlog.look(taken.waiting):
            self._events.append({**event, "device": self._spec.id})

    def _note(self, kind: str, **more: object) -> None:
        self._events.append({"kind": kind, "device": self._spec.id, **more})


def _source_name(name: str) -> str:
    size = len(name.encode())
    return name if size <= _SOURCE_BYTES_MAX else sha256(name.encode()).hexdigest()


def _key(cell: object) -> Key | None:
    cell = whole(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and -(2**63) <= cell < 2**63:
        return cell
    return cell if isinstance(cell, str) and 0 < len(cell.encode()) < KEY_BYTES_MAX else None
