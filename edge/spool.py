"""The spool: every reading from its tick's commit until a receipt frees it. I/O: one SQLite file.

Format (SQLite, WAL, synchronous=FULL; `user_version` is the format number):

    objects  seq -> signed object verbatim, its SHA-256, readings, last instant it speaks of
    freed    seq -> SHA-256 of the newest `FREED_MAX` objects a receipt freed, to check closes by
    open     ticks committed but not yet in a frame, in order
    state    key -> value: stream head, configuration hash, newest receipt, calculation snapshot

Nothing that was committed is lost by a power cut: a tick is one transaction, and closing a frame
moves its ticks, the new object, the stream head and the calculation's snapshot in one more. When
the file has grown to its bound no tick is taken (`is_full`) and the agent records a gap: old
readings are never thrown away to make room for new ones.
"""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import SpoolError
from evidence.chain import ZERO_HASH, Head

FORMAT = 1
FREED_MAX = 50_000
LOCKED_S = 5  # how long to wait for another process to let go of the file

_SCHEMA = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY, typ TEXT NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL,
    readings INTEGER NOT NULL, through_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE freed (seq INTEGER PRIMARY KEY, sha256 BLOB NOT NULL) STRICT;
CREATE TABLE open (id INTEGER PRIMARY KEY AUTOINCREMENT, tick BLOB NOT NULL) STRICT;
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Stored:
    """One signed object in the spool.

    Attributes:
        seq: its place in the stream.
        typ: what it is.
        sha256: of its bytes.
        data: the bytes, verbatim.
        readings: how many it holds.
        through_ns: last instant it speaks of.
    """

    seq: int
    typ: str
    sha256: bytes
    data: bytes
    readings: int = 0
    through_ns: int = 0


@dataclass(frozen=True)
class Usage:
    """How full the spool is.

    Attributes:
        objects: waiting for a receipt.
        bytes: of the file's used pages.
        oldest_ns: last instant of the oldest object waiting, or None.
    """

    objects: int
    bytes: int
    oldest_ns: int | None


class Spool:
    """One gateway's spool. Not thread-safe: one thread opens and uses it."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        """Open or create.

        Raises:
            SpoolError: not a spool, a newer format, damaged, or the disk refuses.
        """
        self._path = path
        self._bytes_max = bytes_max
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCKED_S)
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(f"{path}: cannot be opened as a spool: {error}") from error
        try:
            self._prepare()
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.Error):
                locked = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY
                hint = "; another agent runs on it" if locked else ""
                raise SpoolError(f"{path}: cannot be opened as a spool: {error}{hint}") from error
            raise

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN EXCLUSIVE")  # from here on no second agent can open the file
        db.execute("COMMIT")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;")
        elif version != FORMAT:
            raise SpoolError(
                f"{self._path}: spool format {version}; this program knows {FORMAT}. "
                "Run the program version that wrote it, or deliver it first."
            )
        if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise SpoolError(
                f"{self._path}: damaged; set the file aside (do not delete it) and start again"
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- ticks ----------------------------------------------------------------------------------

    def commit_ticks(
        self, ticks: Sequence[bytes], state: Mapping[str, bytes] | None = None
    ) -> None:
        """Keep the ticks of one instant: from here on their readings exist.

        Args:
            ticks: of the instant.
            state: values to set in the same transaction.
        """
        with self._transaction():
            self._db.executemany("INSERT INTO open (tick) VALUES (?)", [(t,) for t in ticks])
            for key, value in (state or {}).items():
                self._put(key, value)

    def open_ticks(self) -> list[bytes]:
        """Ticks not yet in a frame, oldest first."""
        return [row[0] for row in self._rows("SELECT tick FROM open ORDER BY id")]

    # -- objects --------------------------------------------------------------------------------

    def append(
        self, *objects: Stored, state: Mapping[str, bytes], closes_ticks: bool = False
    ) -> None:
        """Add the stream's next objects; the head and the given state move with them.

        Args:
            objects: in order; the first one's seq must be `head().next_seq`.
            state: values to set in the same transaction.
            closes_ticks: the open ticks are in one of the objects and are deleted with it.
        """
        head = self.head()
        if [stored.seq for stored in objects] != [head.next_seq + n for n in range(len(objects))]:
            raise ValueError(f"seqs {[stored.seq for stored in objects]} do not follow {head}")
        with self._transaction():
            for stored in objects:
                self._db.execute(
                    "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        stored.seq,
                        stored.typ,
                        stored.sha256,
                        stored.data,
                        stored.readings,
                        stored.through_ns,
                    ),
                )
                self._put("head", stored.seq.to_bytes(8, "big") + stored.sha256)
            if closes_ticks:
                self._db.execute("DELETE FROM open")
            for key, value in state.items():
                self._put(key, value)

    def head(self) -> Head:
        """Where the stream stands."""
        value = self.get("head")
        if value is None:
            return Head(0, ZERO_HASH)
        return Head(int.from_bytes(value[:8], "big") + 1, value[8:])

    def objects(self, first: int, limit: int) -> list[Stored]:
        """Up to `limit` objects from seq `first` on."""
        rows = self._rows(
            "SELECT seq, typ, sha256, bytes, readings, through_ns FROM objects "
            "WHERE seq >= ? ORDER BY seq LIMIT ?",
            first,
            limit,
        )
        return [Stored(*row) for row in rows]

    def hash_at(self, seq: int) -> bytes | None:
        """SHA-256 of the object at `seq`, waiting or freed; None when no longer known."""
        for table in ("objects", "freed"):
            for row in self._rows(f"SELECT sha256 FROM {table} WHERE seq = ?", seq):  # noqa: S608 - two constants
                return bytes(row[0])
        return None

    def release(self, seq: int, receipt: bytes) -> int:
        """Free every object up to and including `seq`; how many were freed.

        Args:
            seq: what the receipt covers; the caller has checked its head against `hash_at`.
            receipt: the signed receipt, kept as proof.
        """
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO freed SELECT seq, sha256 FROM objects WHERE seq <= ?", (seq,)
            )
            self._db.execute("DELETE FROM freed WHERE seq <= ?", (seq - FREED_MAX,))
            freed = self._db.execute("DELETE FROM objects WHERE seq <= ?", (seq,)).rowcount
            self._put("receipt", seq.to_bytes(8, "big") + receipt)
        return freed

    def receipted_seq(self) -> int:
        """Newest seq under receipt, -1 before the first."""
        value = self.get("receipt")
        return -1 if value is None else int.from_bytes(value[:8], "big")

    # -- state ----------------------------------------------------------------------------------

    def get(self, key: str) -> bytes | None:
        """A state value, None when never put."""
        for row in self._rows("SELECT value FROM state WHERE key = ?", key):
            return bytes(row[0])
        return None

    def put(self, key: str, value: bytes) -> None:
        """Set a state value, durably."""
        with self._transaction():
            self._put(key, value)

    def usage(self) -> Usage:
        """How full it is."""
        ends = [
            self._rows(f"SELECT seq, through_ns FROM objects ORDER BY seq {order} LIMIT 1")  # noqa: S608 - two constants
            for order in ("ASC", "DESC")
        ]
        if not ends[0]:
            return Usage(0, self._bytes(), None)
        # counting rows would read the whole backlog at every tick; seqs have no holes
        (first, oldest), (last, _) = ends[0][0], ends[1][0]
        return Usage(last - first + 1, self._bytes(), oldest)

    def is_full(self) -> bool:
        """True when no more ticks may be taken."""
        return self._bytes() >= self._bytes_max

    def fill(self) -> float:
        """Used share of the bound, 0 to 1."""
        return self._bytes() / self._bytes_max

    def _bytes(self) -> int:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._rows(f"PRAGMA {name}")[0][0] for name in names)
        return int((pages - free) * size)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be read: {error}") from error

    def _put(self, key: str, value: bytes) -> None:
        self._db.execute(
            "INSERT INTO state VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, value),
        )

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db, self._path)


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT; SQLite's errors become SpoolError and nothing is half done."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    def __enter__(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
                return
        except sqlite3.Error as failure:
            error = failure
        if self._db.in_transaction:  # SQLite ends it by itself when the disk is full
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error
