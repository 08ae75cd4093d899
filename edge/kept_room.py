"""An SQLite file of ours on its disk: how it is written, and how much it may grow. I/O: both.

On a disk without a byte left nothing can be freed either: a receipt must be written before it makes
room. So readings and objects are taken only while there is room beside what that needs.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

from edge.errors import SpoolError

LOG_BYTES = 4 * 1024 * 1024  # SQLite's write-ahead log, which it begins again from there on
#: the log, what of it is new in the file when it is brought in, and a receipt for a hundred
#: thousand objects
KEPT_FREE_BYTES = 3 * LOG_BYTES
#: objects: to free one SQLite reads all of it. A receipt for gigabytes would keep what else is to
#: be written waiting for minutes, until the watchdog ends the program, and so at each start
FREED_AT_ONCE = 64


def begin(db: sqlite3.Connection) -> None:
    """As our files are written: nothing committed is lost by a power cut; sqlite3.Error."""
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    # Debian's SQLite overwrites what is freed: a receipt for a gigabyte would write one more
    db.execute("PRAGMA secure_delete=OFF")


def place_of(path: Path) -> tuple[object, ...]:
    """Which files stand at its place, None for none: SQLite keeps on writing to others.

    Raises:
        SpoolError: its disk does not say.
    """
    found: list[object] = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = file.stat()
            found.append((status.st_dev, status.st_ino))
        except (FileNotFoundError, NotADirectoryError):
            found.append(None)
        except OSError as error:
            raise SpoolError(f"{path}: cannot be read: {error.strerror}") from error
    return tuple(found)


def undo(db: sqlite3.Connection, error: BaseException) -> None:
    """End the transaction that an error has cut short.

    On a full disk the log is begun anew, if what it holds has its place in the file: else it would
    have to grow before SQLite does that, and no receipt could ever be written again.
    """
    if db.in_transaction:  # SQLite ends it by itself when the disk is full
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        with contextlib.suppress(sqlite3.Error):
            db.execute("PRAGMA wal_checkpoint(RESTART)")


def held_and_left(db: sqlite3.Connection, path: Path, files: int = 1) -> tuple[int, int]:
    """Bytes of its used pages, and how many more its disk can take, below 0 where too many are.

    Args:
        db: the file, open.
        path: of it.
        files: of ours that grow on this disk, each of which needs room for its receipts.

    Raises:
        sqlite3.Error, OSError: file or disk cannot be read.
    """
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    log = path.with_name(f"{path.name}-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    disk_free = shutil.disk_usage(path.parent).free
    left = free * size + disk_free + min(log_bytes, LOG_BYTES) - files * KEPT_FREE_BYTES
    return (pages - free) * size, left
