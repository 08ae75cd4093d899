"""Reads a plant's evidence with the format's own code and bare SQL, checked in every way."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from evidence import checkpoint, merkle
from evidence.log import Kind, decode_entry
from evidence.suites import PublicKey

#: what stands in a stream (FORMAT.md "Log")
KINDS = {Kind.FRAME, Kind.CONFIG, Kind.ROTATE, Kind.COSIGNATURE, Kind.PLANT_CLOSE}

NOTE = "SELECT note FROM checkpoint JOIN plant ON plant.id = plant_id WHERE name = ?"
ENTRIES = "SELECT data FROM entry JOIN plant ON plant.id = plant_id WHERE name = ? ORDER BY number"
OBJECTS = """SELECT stream.name, object.data FROM object JOIN stream ON stream.id = stream_id
JOIN plant ON plant.id = stream.plant_id WHERE plant.name = ? ORDER BY seq"""


def read_plant(database: Path, key: PublicKey, plant: str = "mini") -> dict[str, list[bytes]]:
    """Gateway -> its objects, of an SQLite file that a collector may write just now."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sql:
        sql.execute("BEGIN")
        note = checkpoint.verify(sql.execute(NOTE, (plant,)).fetchone()[0], key)
        entries = _entries(sql, plant)
        streams = dict[str, list[bytes]]()
        for name, data in sql.execute(OBJECTS, (plant,)):
            streams.setdefault(name, []).append(data)
    assert (note.size, note.root) == (
        len(entries), merkle.root_of([merkle.leaf_hash(data) for data in entries])
    )  # fmt: skip
    accepted = dict[str, list[bytes]]()
    for entry in map(decode_entry, entries):
        if entry.kind in KINDS:
            accepted.setdefault(entry.stream, []).append(entry.sha256)
    assert {
        n: [hashlib.sha256(d).digest() for d in many] for n, many in streams.items()
    } == accepted
    return streams


def entries_of(database: Path, plant: str = "mini") -> list[bytes]:
    """Verbatim entries of a plant's log, oldest first."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sql:
        return _entries(sql, plant)


def _entries(sql: sqlite3.Connection, plant: str) -> list[bytes]:
    return [row[0] for row in sql.execute(ENTRIES, (plant,))]
