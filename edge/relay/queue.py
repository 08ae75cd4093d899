"""What waits for the collector's receipt, of one stream. I/O: one SQLite file.

An object is known by its hash, never by its seq: whoever can put bytes before the relay can claim
any seq, and must not thereby keep the true object out. So a few rivals for one seq are held and
all forwarded; the collector takes the one whose signature is good. When the file has grown to its
bound, or to what its disk holds, the highest seqs give way: the collector needs the lowest first,
and what gave way can be exported again.

That something is held does not say that the gateway made it: only a receipt does. So nothing is
called come but what is receipted, and a seq is believed to be the end of a hole only when it is
no more than `AHEAD_MAX` ahead of that. What is farther is held and forwarded like everything else,
and named for a person, who may have it forgotten.

A file that somebody exported again may come before the receipt that says why: a collector was set
back, and nobody has told this queue yet. So what files bring is held under a receipt too, where
there is room, until the collector has said that receipt, or a later one, once more.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.errors import SpoolError
from edge.kept_room import FREED_AT_ONCE, begin, held_and_left, place_of, undo
from edge.relay.outer import Outer
from edge.spool_reader import SEQ_MAX
from evidence.owners import keep_own

FORMAT = 1
RIVALS_MAX = 4
HOLES_MAX = 100
#: runs whose ends are shown to the collector, and how many seqs are looked at for them
ENDS_MAX, TOP_ROWS = 7, 4_096
#: a ring of 90 days, the default, has 777,600 frames of 10 s: hardly anything that can still be had
#: at the site is farther from what is under receipt
AHEAD_MAX = 2**20
#: over how long its growth is judged, and when there is none to speak of: receipts keep up
PACE_NS, WAITED_NS = 3_600 * 10**9, 900 * 10**9
PACE_ROWS = 16_384

_DAMAGED = (
    "if the file is damaged, move it away with its -wal and start again: what it held is named "
    "missing once something later comes, and can be exported again at the site"
)
_SCHEMA = """
BEGIN;
CREATE TABLE objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, sha256 BLOB NOT NULL,
    at_ns INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX known ON objects (seq, sha256);
CREATE TABLE receipt (id INTEGER PRIMARY KEY CHECK (id = 0), seq INTEGER NOT NULL) STRICT;
INSERT INTO receipt VALUES (0, -1);
PRAGMA user_version=1;
COMMIT;
"""


@dataclass
class Kept:
    """What became of some objects.

    Attributes:
        new: seqs that are on disk now and were not before.
        known: objects held before, or under receipt, whether they are held once more or not.
        crowded: objects for whose seq others gave way, the ones that came first.
        full: seqs for which there was no room.
        gave_way: objects that were held, and made room for lower seqs.
    """

    new: list[int]
    known: int = 0
    crowded: int = 0
    full: int = 0
    gave_way: int = 0


@dataclass(frozen=True)
class Hole:
    """Seqs of which nothing is held while something is of later ones.

    Attributes:
        first, last: both included.
        since_ns: when the first later one came, this machine's wall clock.
    """

    first: int
    last: int
    since_ns: int


class Queue:
    """One stream's queue. One thread opens and uses it; others may read the file."""

    def __init__(
        self, path: Path, *, bytes_max: int, may_write: bool = True, queues: int = 1
    ) -> None:
        """Open, and create unless it is only to be read; SpoolError where the disk refuses.

        Args:
            path: of the file.
            bytes_max: its bound.
            may_write: false: it is there, and only looked at.
            queues: on its disk, itself among them.
        """
        self._path, self._bytes_max, self._queues = path, bytes_max, queues
        try:
            if may_write:
                path.parent.mkdir(parents=True, exist_ok=True)
                keep_own(path)
            uri = f"{path.absolute().as_uri()}?mode={'rwc' if may_write else 'ro'}"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None)
            with contextlib.ExitStack() as refused:
                refused.callback(self._db.close)
                self._prepare(may_write=may_write)
                self._place = place_of(path)
                refused.pop_all()
        except (OSError, sqlite3.Error) as error:
            said = f"{path}: cannot be opened as a relay's queue: {error}; {_DAMAGED}"
            raise SpoolError(said) from error

    def _prepare(self, *, may_write: bool) -> None:
        if may_write:
            begin(self._db)
            if self._one("PRAGMA user_version") == 0:
                self._db.executescript(_SCHEMA)
        if (found := self._one("PRAGMA user_version")) != FORMAT:
            raise SpoolError(f"{self._path}: queue format {found}; this program knows {FORMAT}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def keep(self, objects: Sequence[Outer], now_ns: int, *, also_receipted: bool = False) -> Kept:
        """Put objects on disk, all in one transaction: from its end on they are held.

        Args:
            objects: as they came.
            now_ns: this machine's wall clock.
            also_receipted: hold what is under receipt too, until it is said again.
        """
        kept, receipted = Kept([]), self.receipted_seq()
        try:
            self._begin()
            for outer in objects:
                if outer.seq > receipted:
                    self._keep(outer, now_ns, kept)
                    continue
                kept.known += 1
                if also_receipted and self._has_room(outer):
                    self._insert(outer, now_ns)
            self._db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            undo(self._db, error)
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error
        return kept

    def _begin(self) -> None:
        """A transaction in the file that stands at its place, SpoolError where another does."""
        if place_of(self._path) != self._place:
            raise SpoolError(
                f"{self._path}: was moved, deleted or replaced under the running relay: nothing "
                "more is kept where nobody finds it. Put it back with its -wal, or start the relay "
                "again: then it begins an empty queue there"
            )
        self._db.execute("BEGIN IMMEDIATE")

    def _keep(self, outer: Outer, now_ns: int, kept: Kept) -> None:
        query = "SELECT id, sha256, length(bytes) FROM objects WHERE seq = ? ORDER BY id"
        rivals = self._rows(query, outer.seq)
        if outer.sha256 in {sha256 for _, sha256, _ in rivals}:
            kept.known += 1
            return
        first, _, size = rivals[0] if len(rivals) >= RIVALS_MAX else (None, b"", 0)
        if not self._make_room(outer, kept, size):
            kept.full += 1
            return
        if first is not None:
            self._db.execute("DELETE FROM objects WHERE id = ?", (first,))
            kept.crowded += 1
        self._insert(outer, now_ns)
        kept.new.append(outer.seq)

    def _insert(self, outer: Outer, now_ns: int) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO objects VALUES (NULL, ?, ?, ?, ?)",
            (outer.seq, outer.sha256, now_ns, outer.data),
        )

    def _make_room(self, outer: Outer, kept: Kept, freed: int) -> bool:
        """What is under receipt gives way, then the highest seqs to a lower one.

        Args:
            outer: what is to be held.
            kept: counts what gave way.
            freed: bytes of the rival in whose place it comes, 0 for none.
        """
        if not self._has_room(outer, freed):
            self._db.execute("DELETE FROM objects WHERE seq <= (SELECT seq FROM receipt)")
        while not self._has_room(outer, freed):
            highest = self._one("SELECT max(seq) FROM objects")
            if highest is None or highest <= outer.seq:
                return False
            gone = self._db.execute("DELETE FROM objects WHERE seq = ?", (highest,))
            kept.gave_way += gone.rowcount
        return True

    def _has_room(self, outer: Outer, freed: int = 0) -> bool:
        used, left = held_and_left(self._db, self._path, self._queues)
        return len(outer.data) - freed <= min(left, self._bytes_max - used)

    def release(self, seq: int) -> bool:
        """A receipt covers everything up to `seq`; True when more of that is to be freed.

        A piece at a time: nothing else is kept meanwhile. Nothing is written where nothing is new.
        """
        query = "SELECT id FROM objects WHERE seq <= ? ORDER BY seq LIMIT ?"
        held = self._rows(query, seq, FREED_AT_ONCE)
        if not held and seq <= self.receipted_seq():
            return False
        try:
            self._begin()
            self._db.executemany("DELETE FROM objects WHERE id = ?", held)
            self._db.execute("UPDATE receipt SET seq = max(seq, ?)", (seq,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            undo(self._db, error)
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error
        return len(held) == FREED_AT_ONCE

    def set_back(self, seq: int) -> None:
        """The collector holds no more than up to `seq`: what follows is taken again if it comes."""
        try:
            self._db.execute("UPDATE receipt SET seq = ?", (seq,))
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error

    def forget(self, first: int, last: int) -> int:
        """A person says that what is held from `first` to `last` was forged; how many objects."""
        try:
            done = self._db.execute("DELETE FROM objects WHERE seq BETWEEN ? AND ?", (first, last))
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be written: {error}") from error
        return done.rowcount

    # -- what is there ----------------------------------------------------------------------------

    def receipted_seq(self) -> int:
        """Newest seq under receipt, -1 before the first."""
        return int(self._one("SELECT seq FROM receipt"))

    def objects(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Seq and bytes of the objects from `first` to `last`, rivals in the order they came."""
        query = "SELECT seq, bytes FROM objects WHERE seq BETWEEN ? AND ? ORDER BY seq, id"
        return [(int(seq), bytes(data)) for seq, data in self._rows(query, first, last)]

    def run_end(self, first: int) -> int:
        """The last seq of those that are held one after another from `first` on; or `first` - 1."""
        query, last = "SELECT DISTINCT seq FROM objects WHERE seq >= ? ORDER BY seq", first - 1
        if first > SEQ_MAX:  # a receipt may name the last seq there is; SQLite knows none behind it
            return last
        try:
            for (seq,) in self._db.execute(query, (first,)):
                if seq != last + 1:
                    break
                last = int(seq)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        return last

    def beyond(self, seq: int) -> list[int]:
        """What shows that something is missing after `seq`, rising; empty when nothing is held.

        The lowest seq held, the ends of the highest runs that are believed, and the one that came
        last: what stands above the gateway's newest object may be forged, right behind it too, and
        must not hide it.

        Args:
            seq: the end of what follows the receipt without a hole.
        """
        low = self._rows("SELECT min(seq) FROM objects WHERE seq > ?", seq)[0][0]
        if low is None:
            return []
        query = (
            "SELECT DISTINCT seq FROM objects WHERE seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?"
        )
        # as `_believed`, without going through a run of weeks: each stream asks twice a minute
        last = max(min(self.receipted_seq() + AHEAD_MAX, SEQ_MAX), seq)
        found = [int(row[0]) for row in self._rows(query, seq, last, TOP_ROWS)]
        ends = [this for above, this in pairwise([SEQ_MAX + 2, *found]) if this + 1 < above]
        query = "SELECT seq FROM objects WHERE seq > ? AND seq <= ? ORDER BY id DESC LIMIT 1"
        came = [int(row[0]) for row in self._rows(query, seq, last)]
        return sorted({int(low), *ends[:ENDS_MAX], *came})

    def newest(self) -> int:
        """The highest seq held that is believed; the one under receipt when none is."""
        query, span = "SELECT max(seq) FROM objects WHERE seq > ? AND seq <= ?", self._believed()
        highest = self._rows(query, *span)[0][0]
        return span[0] if highest is None else int(highest)

    def not_believed(self) -> list[int]:
        """Seqs that are held and too far ahead of what is under receipt: `HOLES_MAX` of them."""
        query = "SELECT DISTINCT seq FROM objects WHERE seq > ? ORDER BY seq LIMIT ?"
        return [int(seq) for (seq,) in self._rows(query, self._believed()[1], HOLES_MAX)]

    def _believed(self) -> tuple[int, int]:
        """The seq under receipt, and the last that is believed; what no hole is before, is."""
        receipted = self.receipted_seq()
        last = min(receipted + AHEAD_MAX, SEQ_MAX)
        return receipted, max(last, self.run_end(receipted + 1)) if self.holds(last) else last

    def holes(self) -> list[Hole]:
        """Where nothing is held before what is believed: the first `HOLES_MAX` of them."""
        # of the objects themselves nothing is read: those of ten days are gigabytes
        query = (
            "SELECT 1 + coalesce((SELECT max(seq) FROM objects WHERE seq > ?1 AND seq < o.seq), "
            "?1), seq - 1, (SELECT min(at_ns) FROM objects WHERE seq = o.seq) FROM objects AS o "
            "WHERE seq > ?1 + 1 AND seq <= ?2 AND NOT EXISTS "
            "(SELECT 1 FROM objects WHERE seq = o.seq - 1) GROUP BY seq LIMIT ?3"
        )
        found = self._rows(query, *self._believed(), HOLES_MAX)
        return [Hole(*row) for row in found]

    def count(self) -> int:
        """Objects held."""
        return int(self._one("SELECT count(*) FROM objects"))

    def oldest_ns(self) -> int | None:
        """When the first of them came, this machine's wall clock; None when nothing is held."""
        rows = self._rows("SELECT at_ns FROM objects ORDER BY id LIMIT 1")
        return int(rows[0][0]) if rows else None

    def due_ns(self) -> int | None:
        """When the object that the collector needs next came; None while it is not held."""
        query = "SELECT min(at_ns) FROM objects WHERE seq = (SELECT seq + 1 FROM receipt)"
        return None if (came := self._one(query)) is None else int(came)

    def pace_bytes_s(self, now_ns: int) -> float | None:
        """How fast it grows: what came within the last hour and is held, bytes a second.

        Args:
            now_ns: this machine's wall clock.

        Returns:
            None where nothing can be said: something waits, but not yet for a quarter of an hour,
            or nothing came within the hour.
        """
        oldest_ns = self.oldest_ns()
        if oldest_ns is None or now_ns - oldest_ns < WAITED_NS:
            return None
        query = "SELECT at_ns, length(bytes) FROM objects ORDER BY id DESC LIMIT ?"
        rows = self._rows(query, PACE_ROWS)
        came = [(at_ns, size) for at_ns, size in rows if now_ns - PACE_NS < at_ns <= now_ns]
        since_ns = max(oldest_ns, now_ns - PACE_NS)
        if came and len(rows) == PACE_ROWS:  # more came than is looked at
            since_ns = max(since_ns, min(came[-1][0], now_ns - WAITED_NS))
        return sum(size for _, size in came) / (now_ns - since_ns) * 1e9 or None

    def holds(self, seq: int) -> bool:
        """Whether anything is held at `seq`."""
        return bool(self._rows("SELECT 1 FROM objects WHERE seq = ? LIMIT 1", seq))

    def has(self, seq: int, sha256: bytes) -> bool | None:
        """Whether this very object is held at `seq`; None when none is."""
        held = [row[0] for row in self._rows("SELECT sha256 FROM objects WHERE seq = ?", seq)]
        return sha256 in held if held else None

    def bytes(self) -> int:
        """Of the file's used pages."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (int(self._one(f"PRAGMA {name}")) for name in names)
        return (pages - free) * size

    def _one(self, query: str) -> Any:  # noqa: ANN401 - a number or NULL, as the query says
        return self._rows(query)[0][0]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> SpoolError:
        return SpoolError(f"{self._path}: cannot be read: {error}; {_DAMAGED}")
