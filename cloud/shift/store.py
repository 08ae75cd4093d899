"""Notes of shifts, who took over, and how far the month was counted: a file (SQLite).

Kept by the collector, not signed, and no evidence: notes are added and never changed. Any thread;
one at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud.kept_file import KeptFile

FILE = "shifts.db"
FORMAT = 1
#: of one shift: more is no note for the next one
NOTES_MAX, NOTE_MAX = 50, 2_000
#: notes this old go, and counts
KEPT_NS = 400 * 86_400 * 10**9
COUNTS_NS = 60 * 86_400 * 10**9

_SCHEMA = """
CREATE TABLE note (
    id INTEGER PRIMARY KEY, plant TEXT, from_ns INTEGER, at_ns INTEGER, by TEXT, what TEXT,
    text TEXT
);
CREATE INDEX note_of_shift ON note (plant, from_ns);
CREATE TABLE counted (
    plant TEXT, at_ns INTEGER, month TEXT, unit TEXT, total_t TEXT, PRIMARY KEY (plant, at_ns)
) WITHOUT ROWID;
"""
LEFT, TAKEN = "left", "taken"


@dataclass(frozen=True)
class Note:
    """What somebody left, or that somebody took over.

    Attributes:
        at_ns: when, UTC ns.
        by: account id.
        what: `LEFT` or `TAKEN`.
        text: the note; "" of who took over.
    """

    at_ns: int
    by: str
    what: str
    text: str


@dataclass(frozen=True)
class CountedTo:
    """How far a month was counted.

    Attributes:
        at_ns: through which instant of the readings, UTC ns.
        month: "YYYY-MM".
        unit: "tCO2e" or "tCO2".
        total_t: of the month so far, decimal text.
    """

    at_ns: int
    month: str
    unit: str
    total_t: str


class ShiftStore(KeptFile):
    """The open file; StoreError when it cannot be used, by any call.

    Args:
        folder: the file goes there.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, _SCHEMA, FORMAT, "shifts")

    def add(self, plant: str, from_ns: int, note: Note) -> None:
        """Add a note to the shift that begins at an instant; ValueError when it has too many."""
        if len(self.notes(plant, from_ns)) >= NOTES_MAX:
            raise ValueError(f"a shift has at most {NOTES_MAX} notes")
        row = (plant, from_ns, note.at_ns, note.by, note.what, note.text[:NOTE_MAX])
        self._ask("INSERT INTO note VALUES (NULL, ?, ?, ?, ?, ?, ?)", *row)
        self._ask("DELETE FROM note WHERE at_ns < ?", note.at_ns - KEPT_NS)

    def notes(self, plant: str, from_ns: int) -> list[Note]:
        """The notes of a shift, in order."""
        asked = "SELECT at_ns, by, what, text FROM note WHERE plant = ? AND from_ns = ? ORDER BY id"
        return [Note(*row) for row in self._ask(asked, plant, from_ns)]

    def count(self, counted: Mapping[str, CountedTo]) -> None:
        """Keep how far the months of plants were counted: all of it or nothing."""
        rows = [(p, c.at_ns, c.month, c.unit, c.total_t) for p, c in counted.items()]
        old = [(plant, one.at_ns - COUNTS_NS) for plant, one in counted.items()]
        with self._changing() as sql:
            sql.executemany("INSERT OR REPLACE INTO counted VALUES (?, ?, ?, ?, ?)", rows)
            sql.executemany("DELETE FROM counted WHERE plant = ? AND at_ns < ?", old)

    def counts(self, plant: str, from_ns: int, to_ns: int) -> list[CountedTo]:
        """Counts of a stretch of time, both ends included, oldest first."""
        asked = (
            "SELECT at_ns, month, unit, total_t FROM counted"
            " WHERE plant = ? AND at_ns BETWEEN ? AND ? ORDER BY at_ns"
        )
        return [CountedTo(*row) for row in self._ask(asked, plant, from_ns, to_ns)]
