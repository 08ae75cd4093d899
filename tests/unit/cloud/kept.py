"""Databases for one test each: what a collector keeps, and its evidence."""

import shutil
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from cloud.database.engine import Database
from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from evidence.keys import FileSigner
from evidence.log import Entry, Kind
from tests.unit.cloud.evidence_examples import T0_NS

FILE, UNIT = "evidence.db", "00"


@cache
def _new() -> bytes:
    """A database in which nothing is yet: most of the time it takes is that of its tables."""
    folder = Path(mkdtemp())
    try:
        Database(f"sqlite:///{folder / FILE}").close()
        return (folder / FILE).read_bytes()
    finally:
        shutil.rmtree(folder)


def kept_in(folder: Path) -> Database:
    """That of a folder, as it was left there; closed once nobody has it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FILE).exists():
        (folder / FILE).write_bytes(_new())
    database = Database(f"sqlite:///{folder / FILE}")
    weakref.finalize(database, database.engine.dispose)
    return database


def evidence_in(folder: Path) -> EvidenceStore:
    """The evidence of a collector in a folder, as it was left there."""
    return EvidenceStore(kept_in(folder), UNIT)


def enrolled(store: EvidenceStore, plant: str, signer: FileSigner) -> PlantWriter:
    """A plant of a store, with its first entry when it is new."""
    opened = store.open_plant(plant, signer, [signer.public_key])
    if opened.reader.size == 0:
        opened.stage(Entry(Kind.ENROL, T0_NS, 0, "", None, bytes(32), 9))
        store.commit()
    return opened


def full(database: Database, of: str = "") -> AbstractContextManager[None]:
    """Its disk is full: what writes is refused, or what writes a value that has `of` in it."""
    return refusing(database, "database or disk is full", ("INSERT", "UPDATE"), of)


@contextmanager
def refusing(
    database: Database, said: str, what: str | tuple[str, ...] = "", of: str = ""
) -> Iterator[None]:
    """Statements that begin so are refused, where they have a value with `of` in it; or all are."""

    def refuse(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith(what) and of in repr(values):
            raise OperationalError(statement, None, Exception(said))

    event.listen(database.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", refuse)


def brief() -> Database:
    """In a folder that goes with it."""
    folder = mkdtemp()
    database = kept_in(Path(folder))
    weakref.finalize(database, shutil.rmtree, folder)
    return database
