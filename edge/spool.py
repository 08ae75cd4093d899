"""The spool: every reading from its tick's commit until a receipt frees it. I/O: one SQLite file.

SQLite, WAL, synchronous=FULL. What stands in its tables: `edge.spool_reader`; formats before and
after this program's: `edge.spool_formats`.

Nothing that was committed is lost by a power cut: a tick is one transaction, and closing a frame
moves its ticks, the new object, the stream head and the calculation's snapshot in one more. When
the file has grown to its bound, or to what its disk holds, no tick is taken (`fill`) and the agent
records a gap: old readings are never thrown away to make room for new ones.

One agent works on a spool: it holds a lock file beside it. Others may read (`SpoolReader`).
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import OtherFormatError, SpoolError, SpoolGoneError
from edge.kept_room import begin, place_of, undo
from edge.spool_formats import FORMAT, can_become_ours, is_ours, numbers, take_over
from edge.spool_reader import SpoolReader, State, Stored, Unsigned, Usage
from evidence.owners import keep_own, open_lock

__all__ = ["FREED_MAX", "Spool", "State", "Stored", "Usage", "is_in_use"]

FREED_MAX = 50_000  # newest objects whose hashes are all kept after a receipt freed them
#: what stands last before a quarter of an hour is kept for longer: a month ends there in every zone
QUARTER_NS = 900 * 1_000_000_000
KEPT_NS = 400 * 86_400 * 1_000_000_000
LOCKED_S = 5.0  # how long to wait for another process to let go of the spool


class Spool(SpoolReader):
    """One gateway's spool. Not thread-safe: one thread opens and uses it."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        """Open or create.

        Raises:
            SpoolError: not a spool, another format, damaged, in use, or the disk refuses.
        """
        self._path = path
        self._bytes_max = bytes_max
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path)
        except OSError as error:
            raise SpoolError(f"{path}: cannot be opened as a spool: {error}") from error
        try:
            _refuse_others(path)
            keep_own(path)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCKED_S)
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, sqlite3.Error | OSError):
                raise SpoolError(f"{path}: cannot be opened as a spool: {error}") from error
            raise
        try:
            self._prepare()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise SpoolError(f"{path}: cannot be opened as a spool: {error}") from error
            raise

    def _prepare(self) -> None:
        db = self._db
        begin(db)
        take_over(db)
        self._check_format()
        # The objects are by far the most, and after weeks without the key what waits to be signed:
        # reading 8 GiB takes minutes in which no reading is taken, longer than a start may. An
        # object is checked against its hash when it is read (`objects`), and a person can have all
        # of it checked beside the running agent (`edge status --check`).
        for table in ("state", "open", "freed"):
            if db.execute(f"PRAGMA quick_check('{table}')").fetchone()[0] != "ok":
                raise SpoolError(
                    f"{self._path}: damaged; set the file aside (do not delete it) and start again"
                )
        head = self.head()
        if self.hash_at(head.next_seq - 1) not in (None, head.hash):
            raise SpoolError(f"{self._path}: damaged; its newest object is not the stream's")
        self._place = place_of(self._path)

    def close(self) -> None:
        """Close the file and let others in."""
        self._db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

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
            self._put(state or {})

    def keep_unsigned(self, *waits: Unsigned, state: Mapping[str, bytes]) -> None:
        """Keep what may not be signed yet; the open ticks are in it from here on.

        Args:
            waits: a frame of the open ticks if there are any, and what follows it.
            state: values to set in the same transaction.
        """
        rows = [(u.payload, u.readings, u.through_ns, u.anchor, u.typ) for u in waits]
        with self._transaction():
            self._db.executemany(
                "INSERT INTO unsigned (payload, readings, through_ns, anchor, typ) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            self._db.execute("DELETE FROM open")
            self._put(state)

    # -- objects --------------------------------------------------------------------------------

    def append(
        self,
        *objects: Stored,
        state: Mapping[str, bytes],
        closes_ticks: bool = False,
        signs: Unsigned | None = None,
    ) -> None:
        """Add the stream's next objects; the head and the given state move with them.

        Args:
            objects: in order; the first one's seq must be `head().next_seq`.
            state: values to set in the same transaction.
            closes_ticks: the open ticks are in one of the objects and are deleted with it.
            signs: what waited and is now one of the objects.
        """
        head = self.head()
        if [stored.seq for stored in objects] != [head.next_seq + n for n in range(len(objects))]:
            raise ValueError(f"seqs {[stored.seq for stored in objects]} do not follow {head}")
        with self._transaction():
            self._db.executemany(
                "INSERT INTO objects (seq, typ, sha256, bytes, readings, through_ns) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [(s.seq, s.typ, s.sha256, s.data, s.readings, s.through_ns) for s in objects],
            )
            self._put({State.HEAD: _head(objects[-1].seq, objects[-1].sha256)})
            if closes_ticks:
                self._db.execute("DELETE FROM open")
            if signs is not None:
                self._db.execute("DELETE FROM unsigned WHERE id = ?", (signs.number,))
            self._put(state)

    def begin_after(self, seq: int, sha256: bytes, state: Mapping[str, bytes]) -> None:
        """Continue a stream whose objects up to `seq` are elsewhere; the spool must be empty.

        Args:
            seq: last object that was made by another device.
            sha256: its hash.
            state: values to set in the same transaction.
        """
        if self.head().next_seq:
            raise ValueError(f"{self._path}: a spool with objects cannot begin again")
        with self._transaction():
            self._db.execute("INSERT INTO freed (seq, sha256) VALUES (?, ?)", (seq, sha256))
            receipted = seq.to_bytes(8, "big")
            self._put({State.HEAD: _head(seq, sha256), State.RECEIPT: receipted, **state})

    def release(self, seq: int, receipt: bytes, state: Mapping[str, bytes] | None = None) -> int:
        """Free every object up to and including `seq`; how many were freed.

        Args:
            seq: what the receipt covers; the caller has checked its head against `hash_at`.
            receipt: the signed receipt, kept as proof.
            state: values to set in the same transaction.
        """
        before = self.receipted_seq()
        with self._transaction():
            freed = self._free(before, seq)
            self._put({State.RECEIPT: seq.to_bytes(8, "big") + receipt, **(state or {})})
        return freed

    def free_oldest(self, seq: int) -> int:
        """Free every object up to and including `seq`, the receipt stays; how many were freed.

        A piece of what a new receipt covers; or of a one-way site what has left it
        (`edge.one_way.leaving`).
        """
        oldest = self.oldest_seq()
        with self._transaction():
            return 0 if oldest is None else self._free(oldest - 1, seq)

    def _free(self, before: int, seq: int) -> int:
        """Free the objects after `before` up to `seq`; their hashes are kept."""
        self._db.execute(
            "INSERT OR IGNORE INTO freed (seq, sha256, through_ns) "
            "SELECT seq, sha256, through_ns FROM objects WHERE seq <= ?",
            (seq,),
        )
        self._forget(before - FREED_MAX, seq - FREED_MAX)
        return self._db.execute("DELETE FROM objects WHERE seq <= ?", (seq,)).rowcount

    def _forget(self, first: int, last: int) -> None:
        """Of freed objects that are no longer the newest, keep the last of each quarter hour.

        Args:
            first: seq up to which this was done before.
            last: seq up to which to do it now; the object behind it is known.
        """
        self._db.execute(
            "DELETE FROM freed WHERE seq > ?1 AND seq <= ?2 AND through_ns / ?3 = "
            "(SELECT next.through_ns / ?3 FROM freed AS next WHERE next.seq = freed.seq + 1)",
            (first, last, QUARTER_NS),
        )
        # the row behind `last` is always there: the newest are not thinned
        self._db.execute(
            "DELETE FROM freed WHERE seq < min(?1, (SELECT seq FROM freed WHERE through_ns >= "
            "(SELECT through_ns FROM freed WHERE seq = ?1 + 1) - ?2 ORDER BY seq LIMIT 1))",
            (last, KEPT_NS),
        )

    # -- state ----------------------------------------------------------------------------------

    def put(self, state: Mapping[str, bytes]) -> None:
        """Set state values, durably and together."""
        with self._transaction():
            self._put(state)

    def fill(self) -> float:
        """Used share of what it may hold, 0 to 1; at 1 no tick may be taken."""
        return self.fill_of(self._bytes_max)

    def _put(self, state: Mapping[str, bytes]) -> None:
        self._db.executemany(
            "INSERT INTO state (key, value) VALUES (?1, ?2) "
            "ON CONFLICT (key) DO UPDATE SET value = ?2",
            list(state.items()),
        )

    def _transaction(self) -> "_Transaction":
        if place_of(self._path) != self._place:
            raise SpoolGoneError(
                f"{self._path}: was deleted, moved or replaced under the running agent. It takes "
                "no more readings into a file that nobody can reach; those in it without a receipt "
                "are lost unless the file comes back. Put it back (with its -wal file) before the "
                "agent starts again: else it begins an empty spool, which the collector refuses "
                "until a replace order says that it continues"
            )
        return _Transaction(self._db, self._path)


def _refuse_others(path: Path) -> None:
    """OtherFormatError for a spool that is not ours to take over: it is only read to know that.

    The program that wrote it must find it as it left it.
    """
    if not path.is_file():
        return
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        version, since = numbers(db)
    if version and not is_ours(version, since) and not can_become_ours(version):
        raise OtherFormatError(path, version, FORMAT, becomes=False)


def _head(seq: int, sha256: bytes) -> bytes:
    return seq.to_bytes(8, "big") + sha256


def _lock_file(path: Path) -> Path:
    return path.with_suffix(".lock")


def _lock(path: Path) -> int:
    """The spool's lock, held until the descriptor is closed or the process ends."""
    lock = open_lock(_lock_file(path))
    ends_s = time.monotonic() + LOCKED_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < ends_s:
                time.sleep(0.02)
                continue
            os.close(lock)
            raise SpoolError(f"{path}: is locked; another agent runs on it") from None
        except OSError:
            os.close(lock)
            raise
        return lock


def is_in_use(path: Path) -> bool:
    """True while an agent works on this spool."""
    try:
        lock = os.open(_lock_file(path), os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # of another user's agent: nobody else can tell
        return True
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


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
        if error is not None:
            undo(self._db, error)
        if isinstance(error, sqlite3.Error):
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error
