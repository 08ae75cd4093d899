"""Who writes the plants of a unit: one row, checked inside each transaction that writes.

A holder that was paused or cut off finds another epoch in the row and writes nothing, so safety
needs no clock; the database's own decides when a holder that renews no more is given up.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.engine import Database
from cloud.database.schema import lease
from cloud.errors import SliceLockedError, SliceLostError

#: after so long without a renewal anybody may take the unit
LAPSES_S = 10.0


@dataclass(frozen=True)
class Lease:
    """A unit that this holder writes.

    Attributes:
        unit: whose plants; a slice of the topics.
        holder: a word that no other process has.
        epoch: how often the unit was taken, from 1; goes into each log entry.
    """

    unit: str
    holder: str
    epoch: int

    def renew(self, database: Database, connection: Connection) -> None:
        """Within a transaction: nobody else can take the unit before it ends.

        Raises:
            SliceLostError: somebody has taken it, or it was given back.
        """
        done = connection.execute(
            update(lease)
            .where(lease.c.unit == self.unit, lease.c.epoch == self.epoch)
            .where(lease.c.holder == self.holder)
            .values(renewed_s=database.now_s)
        )
        if done.rowcount != 1:
            newest = connection.execute(select(lease).where(lease.c.unit == self.unit)).first()
            who = "nobody" if newest is None else f"{newest.holder or 'nobody'}, {newest.epoch}"
            raise SliceLostError(
                f"unit {self.unit} of {database.name} is held by {who} (here {self.holder}, "
                f"{self.epoch}): this collector writes nothing more of it"
            )

    def give_back(self, database: Database) -> None:
        """So that the next holder need not wait; nothing where it was taken already."""
        with database.writing() as connection:
            connection.execute(
                update(lease)
                .where(lease.c.unit == self.unit, lease.c.epoch == self.epoch)
                .where(lease.c.holder == self.holder)
                .values(holder="", renewed_s=0.0)
            )


def take(database: Database, unit: str, holder: str, *, at_once: bool = False) -> Lease:
    """Take a unit that nobody holds.

    Args:
        database: where it is.
        unit: its name.
        holder: a word that no other process has.
        at_once: who held it is known to be gone: the file lock of an SQLite says so.

    Raises:
        SliceLockedError: somebody holds it and has renewed it lately.
        StoreError: the database refuses.
    """
    with database.writing() as connection:
        insert = sqlite.insert if database.is_sqlite else postgresql.insert
        new = insert(lease).values(unit=unit, holder="", epoch=0, renewed_s=0.0)
        connection.execute(new.on_conflict_do_nothing())
        free = or_(lease.c.holder == "", lease.c.renewed_s < database.now_s - LAPSES_S)
        taken = update(lease).where(lease.c.unit == unit)
        if not at_once:
            taken = taken.where(free)
        done = connection.execute(
            taken.values(holder=holder, epoch=lease.c.epoch + 1, renewed_s=database.now_s)
        )
        row = connection.execute(select(lease).where(lease.c.unit == unit)).one()
        if done.rowcount != 1:
            raise SliceLockedError(f"unit {unit} of {database.name}: held by {row.holder}")
    return Lease(unit, holder, row.epoch)
