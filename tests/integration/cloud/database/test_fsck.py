"""Whatever is altered in a database, `cloud fsck` names it; of what is sound it says nothing."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from cloud.database.engine import Database
from cloud.database.findings import Fault
from cloud.database.fsck import Checked, Trusted, check_plant
from cloud.database.schema import (
    aside,
    attached,
    checkpoint,
    document,
    entry,
    file_chunk,
    key_file,
    stored,
    tile,
)
from evidence import checkpoint as notes
from evidence.keys import FileSigner, generate
from tests.integration.cloud.database.plants import WholePlant, made
from tests.unit.cloud.whole_plant import PLANT, SCANS

Change = Callable[[Connection], object]


@pytest.fixture
def whole(tmp_path: Path, database: Database) -> WholePlant:
    plant = made(tmp_path / "plant")
    plant.commit(database)
    return plant


def checked(whole: WholePlant, database: Database, first: int = 0) -> Checked:
    trusted = Trusted(whole.keys.root_certificate, (whole.keys.collector.public_key,))
    return check_plant(PLANT, database, trusted, first=first)


def test_a_sound_plant_has_no_finding(whole: WholePlant, database: Database) -> None:
    found = checked(whole, database)
    assert [one.sentence for one in found.findings] == []
    objects = [*whole.a.objects, *whole.b.objects]
    assert (found.objects, found.object_bytes) == (len(objects), sum(map(len, objects)))
    assert (found.signed, found.beyond) == (found.entries, True)
    # the first walk looks at objects, one that goes on believes those before
    later = checked(whole, database, first=found.entries)
    assert (later.findings, later.object_bytes, later.root) == ([], 0, found.root)


def changed(table: str, column: str, where: str = "1 = 1") -> Change:
    """Another value in a column of one row."""
    values = {"data": "x'00'", "sha256": "x'00'", "hashes": "x'00'"}

    def change(connection: Connection) -> None:
        is_postgresql = connection.dialect.name == "postgresql"
        value = values.get(column, f"{column} + 1")
        value = r"'\x00'::bytea" if is_postgresql and column in values else value
        statement = f"UPDATE {table} SET {column} = {value} WHERE {where}"  # noqa: S608 - of this file
        connection.execute(text(statement))

    return change


def note_of_another(connection: Connection) -> None:
    note = connection.scalar(select(checkpoint.c.note))
    other = FileSigner(generate())
    signed = notes.sign(notes.Checkpoint(PLANT, 3, bytes(32)), other, other.public_key)
    assert note
    connection.execute(update(checkpoint).values(note=signed))


def one_more_entry(connection: Connection) -> None:
    row = connection.execute(select(entry).order_by(entry.c.number.desc()).limit(1)).one()
    more = {"plant_id": row.plant_id, "number": row.number + 1, "mark": 0, "sha256": row.sha256,
            "data": row.data}  # fmt: skip
    connection.execute(insert(entry).values(**more))


def one_more_object(connection: Connection) -> None:
    row = connection.execute(select(stored).order_by(stored.c.seq.desc()).limit(1)).one()
    more = {key: value for key, value in row._mapping.items() if key != "id"}
    connection.execute(insert(stored).values(**{**more, "seq": row.seq + 1}))


def strange(table: str) -> Change:
    def change(connection: Connection) -> None:
        (plant_id,) = connection.execute(select(checkpoint.c.plant_id)).one()
        named = {"key_file": {"name": "order-x.cose"}}.get(table, {"sha256": b"x" * 32})
        of = {"key_file": key_file, "aside": aside, "document": document}[table]
        connection.execute(insert(of).values(plant_id=plant_id, data=b"x", **named))

    return change


def without(statement: object) -> Change:
    return lambda connection: connection.execute(statement)  # type: ignore[call-overload] # a statement of any kind


SCAN = hashlib.sha256(SCANS[0]).digest()
CASES: dict[str, tuple[Change, Fault]] = {
    "no checkpoint": (without(delete(checkpoint)), Fault.CHECKPOINT_MISSING),
    "a checkpoint of a stranger": (note_of_another, Fault.CHECKPOINT),
    "an entry is gone": (without(delete(entry).where(entry.c.number == 4)), Fault.LOG_CUT),
    "an entry is none": (changed("entry", "data", "number = 4"), Fault.ENTRY_DAMAGED),
    "an entry's mark": (changed("entry", "mark", "number = 0"), Fault.INDEX),
    "an entry's hash": (changed("entry", "sha256", "number = 4"), Fault.INDEX),
    "an entry is another's": (
        lambda c: c.execute(update(entry).where(entry.c.number == 7).values(
            data=select(entry.c.data).where(entry.c.number == 6).scalar_subquery())),
        Fault.ROOT,
    ),
    "an object is gone": (without(delete(stored).where(stored.c.seq == 1)), Fault.OBJECT_MISSING),
    "an object's bytes": (changed("object", "data", "seq = 1"), Fault.OBJECT_ALTERED),
    "an object's kind": (changed("object", "kind", "seq = 1"), Fault.INDEX),
    "an object's length": (changed("object", "length", "seq = 1"), Fault.INDEX),
    "an object's entry": (changed("object", "log_number", "seq = 1"), Fault.INDEX),
    "an object's time": (changed("object", "at_ns", "seq = 1"), Fault.INDEX),
    "an object's newest tick": (changed("object", "through_ns", "seq = 1"), Fault.INDEX),
    "an object's receipt": (changed("object", "received_ns", "seq = 1"), Fault.INDEX),
    "an entry too many": (one_more_entry, Fault.UNSIGNED),
    "an object too many": (one_more_object, Fault.OBJECT_UNLOGGED),
    "a certificate is gone": (
        without(delete(key_file).where(key_file.c.name.like("gateway-%"))),
        Fault.CERTIFICATE_MISSING,
    ),
    "a certificate is none": (
        changed("key_file", "data", "name LIKE 'root-%'"), Fault.CERTIFICATE_DAMAGED
    ),
    "an order is gone": (
        without(delete(key_file).where(key_file.c.name.like("order-%"))), Fault.ORDER_MISSING
    ),
    "an order is another": (
        changed("key_file", "data", "name LIKE 'order-%'"), Fault.ORDER_ALTERED
    ),
    "an order that nobody logged": (strange("key_file"), Fault.ORDER_UNLOGGED),
    "what was put aside is gone": (without(delete(aside)), Fault.KEPT_MISSING),
    "what was put aside is another": (changed("aside", "data"), Fault.KEPT_ALTERED),
    "something aside that nobody logged": (strange("aside"), Fault.KEPT_UNLOGGED),
    "a document is gone": (without(delete(document)), Fault.RECORD_MISSING),
    "a document is another": (changed("document", "data"), Fault.RECORD_ALTERED),
    "a document that nobody logged": (strange("document"), Fault.RECORD_UNLOGGED),
    "a file is gone": (
        without(delete(file_chunk).where(file_chunk.c.sha256 == SCAN)), Fault.RECORD_MISSING
    ),
    "a file is another": (changed("file_chunk", "data"), Fault.RECORD_ALTERED),
    "a file is not the document's": (
        without(delete(attached).where(attached.c.file == SCAN)), Fault.RECORD_MISSING
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_altered_is_named(whole: WholePlant, database: Database, name: str) -> None:
    change, fault = CASES[name]
    with database.writing() as connection:
        change(connection)
    found = checked(whole, database)
    assert fault in {one.fault for one in found.findings}, [one.sentence for one in found.findings]
    assert all("docs/database.md" in one.sentence for one in found.findings)


def test_a_tile_that_is_not_of_its_entries(tmp_path: Path, database: Database) -> None:
    """A tile is whole after 256 entries."""
    whole = made(tmp_path / "plant")
    for n in range(260):
        whole.a.frame(4 * 3_600_000_000_000 + 1_780_000_000_000_000_000 + n * 10**9)
        whole._add(5, whole.a, whole.places[5][0][2], 0)
    whole.commit(database)
    assert checked(whole, database).findings == []
    with database.writing() as connection:
        changed("tile", "hashes")(connection)
        assert connection.scalar(select(tile.c.number)) == 0
    assert [one.fault for one in checked(whole, database).findings] == [Fault.TREE]
