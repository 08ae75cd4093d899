"""Databases of what is kept beside evidence, for one test each."""

import shutil
import weakref
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from cloud.database.bring_over import KEPT
from cloud.database.engine import Database


@cache
def _new() -> bytes:
    """A database in which nothing is yet: most of the time it takes is that of its tables."""
    folder = Path(mkdtemp())
    try:
        Database(f"sqlite:///{folder / KEPT}").close()
        return (folder / KEPT).read_bytes()
    finally:
        shutil.rmtree(folder)


def kept_in(folder: Path) -> Database:
    """That of a folder, as it was left there; closed once nobody has it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / KEPT).exists():
        (folder / KEPT).write_bytes(_new())
    database = Database(f"sqlite:///{folder / KEPT}")
    weakref.finalize(database, database.engine.dispose)
    return database


def brief() -> Database:
    """In a folder that goes with it."""
    folder = mkdtemp()
    database = kept_in(Path(folder))
    weakref.finalize(database, shutil.rmtree, folder)
    return database
