"""Notes of shifts, who took over, and how far the month was counted. I/O: the database.

Kept by the collector, not signed, and no evidence: notes are added and never changed. Any thread.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from cloud.database.engine import Database
from cloud.database.put import put_over
from cloud.database.schema_kept import shift_count, shift_note

#: of one shift: more is no note for the next one
NOTES_MAX, NOTE_MAX = 50, 2_000
#: notes this old go, and counts
KEPT_NS = 400 * 86_400 * 10**9
COUNTS_NS = 60 * 86_400 * 10**9
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


class ShiftStore:
    """Notes and counts in the database; any call raises StoreError when that is away or refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, plant: str, from_ns: int, note: Note) -> None:
        """Add a note to the shift that begins at an instant; ValueError when it has too many."""
        if len(self.notes(plant, from_ns)) >= NOTES_MAX:
            raise ValueError(f"a shift has at most {NOTES_MAX} notes")
        row = {**asdict(note), "text": note.text[:NOTE_MAX]}
        with self._database.writing() as connection:
            connection.execute(insert(shift_note), {"plant": plant, "from_ns": from_ns, **row})
            old = shift_note.c.at_ns < note.at_ns - KEPT_NS
            connection.execute(delete(shift_note).where(old))

    def notes(self, plant: str, from_ns: int) -> list[Note]:
        """The notes of a shift, in order."""
        of = shift_note.c
        asked = select(of.at_ns, of.by, of.what, of.text).order_by(of.id)
        with self._database.reading() as connection:
            rows = connection.execute(asked.where(of.plant == plant, of.from_ns == from_ns))
            return [Note(*row) for row in rows]

    def count(self, counted: Mapping[str, CountedTo]) -> None:
        """Keep how far the months of plants were counted: all of it or nothing."""
        of = shift_count.c
        rows = [{"plant": plant, **asdict(one)} for plant, one in counted.items()]
        with self._database.writing(lasts=False) as connection:
            put_over(connection, shift_count, rows)
            for plant, one in counted.items():
                old = of.plant == plant, of.at_ns < one.at_ns - COUNTS_NS
                connection.execute(delete(shift_count).where(*old))

    def counts(self, plant: str, from_ns: int, to_ns: int) -> list[CountedTo]:
        """Counts of a stretch of time, both ends included, oldest first."""
        of = shift_count.c
        asked = select(of.at_ns, of.month, of.unit, of.total_t).where(of.plant == plant)
        with self._database.reading() as connection:
            rows = connection.execute(
                asked.where(of.at_ns.between(from_ns, to_ns)).order_by(of.at_ns)
            )
            return [CountedTo(*row) for row in rows]
