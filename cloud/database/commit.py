"""Writes what plants have staged, in the transaction of the caller: one statement a table."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update

from cloud.database.put import put, put_once
from cloud.database.schema import checkpoint, key_file
from cloud.database.writer import PlantWriter
from cloud.errors import StaleStateError

_MOVE = (
    update(checkpoint)
    .where(checkpoint.c.plant_id == bindparam("of"))
    .where(checkpoint.c.size == bindparam("old_size"), checkpoint.c.note == bindparam("old_note"))
    .values(size=bindparam("size"), note=bindparam("note"))
)


def write_all(connection: Connection, stores: Sequence[PlantWriter]) -> None:
    """Checkpoints first, each from the one that is known here; then all else.

    Raises:
        StaleStateError: a plant's log in the database is not the one that its state is of.
        StoreError, SQLAlchemyError: the database refuses.
    """
    _move_checkpoints(connection, stores)
    rows = dict[Table, list[dict[str, Any]]]()
    for store in stores:
        store.add_streams(connection)
        store.require_files(connection)
        for table, own in store.rows().items():
            rows.setdefault(table, []).extend(own)
    for table, found in rows.items():
        (put_once if table is key_file else put)(connection, table, found)


def _move_checkpoints(connection: Connection, stores: Sequence[PlantWriter]) -> None:
    moves = [store.moved() for store in stores]
    first = [
        {"plant_id": row["of"], "size": row["size"], "note": row["note"]}
        for is_first, row in moves
        if is_first
    ]
    if first:
        connection.execute(insert(checkpoint), first)
    later = [row for is_first, row in moves if not is_first]
    # both drivers add up what many executions of one statement have hit
    if later and connection.execute(_MOVE, later).rowcount != len(later):
        names = ", ".join(store.plant for store in stores)
        raise StaleStateError(
            f"plant {names}: its log in the database is not the one this collector knows: "
            "it is read again"
        )
