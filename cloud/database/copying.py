"""Copies an SQLite of the collector as of one instant, beside a running collector. I/O.

By SQLite's backup API, so that no writer is held up and no half of a transaction is copied.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from cloud.accounts.store import GIVEN_OUT
from cloud.errors import StoreError
from evidence.owners import give, make_folder

#: it has the seeds of second factors
MODE, PRIVATE = 0o600, 0o700
BUSY_S = 30.0
#: a descriptor's number behind it leads to what that has open (proc(5))
_HELD = "/proc/self/fd"


def copy_database(path: Path, to: Path) -> None:
    """Copy a database as it is at one instant, whatever is written meanwhile; StoreError.

    But for sessions, links and tokens: what was ended since would be good again where it is put.
    """
    _write(to, b"")
    try:
        source = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_S)
        with closing(source), closing(sqlite3.connect(to)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
            copy.execute("PRAGMA secure_delete = ON")
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'account_row'").fetchone():
                kinds = [(kind.__name__,) for kind in GIVEN_OUT]
                copy.executemany("DELETE FROM account_row WHERE kind = ?", kinds)
            copy.commit()
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be copied: {error}") from error
    _check(to)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def _check(path: Path) -> None:
    """StoreError when SQLite finds something wrong in a file."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as sql:
            said = sql.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise StoreError(f"{path}: is damaged: {said}")


def _write(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(file, "wb") as output:
        output.write(data)
        output.flush()
        os.fsync(file)
        give(path, opened=file)  # the collector, whose folder it may be, is to read it


@contextmanager
def beside(to: Path) -> Iterator[Path]:
    """A name beside `to`, for a file that gets `to`'s when all went well, and is gone otherwise.

    Half a copy would keep a full disk full. It is in a folder that one process has at a time: said
    again while the first still runs, one would sweep, or name, what the other is writing.

    Root writes where a service may write, too: by a descriptor, in a folder of its own, and what
    is there is the service's only when it is whole. By names it would go where a link leads.

    Raises:
        StoreError: `to` is there already, or another copy to it runs.
        OSError: the disk refuses, or a link or file is in place of that folder.
    """
    half = _unfinished(to).name
    _require_none(to)
    make_folder(to.parent)
    with ExitStack() as stack:
        place = os.open(to.parent, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, place)
        with suppress(FileExistsError):
            os.mkdir(half, PRIVATE, dir_fd=place)
        held = _opened(half, place, to)
        stack.callback(os.close, held)
        _keep_others_out(held)
        _take_alone(held, to)
        try:
            _require_none(to)
            _sweep(held, to.name)  # what one that was interrupted has left
            made = _led_to(held, to.with_name(half)) / to.name
            yield made
            give(made, _led_to(place, to.parent))
            _require_none(to)
            os.rename(to.name, to.name, src_dir_fd=held, dst_dir_fd=place)
            os.fsync(place)
        finally:
            _sweep(held, to.name)
            with suppress(OSError):  # what hinders it is told, or of no weight
                os.rmdir(half, dir_fd=place)


def _opened(half: str, place: int, to: Path) -> int:
    try:
        return os.open(half, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
    except PermissionError as error:  # root's, say: then it is closed to the service
        what = "another user's copy runs, or was cut short: that user, or root, is to take it away"
        raise StoreError(f"{to.with_name(half)}: {what}") from error


def _keep_others_out(held: int) -> None:
    """Of a folder that another user has made, or put in place of ours: whoever has it open, too."""
    with suppress(OSError):  # root of a container; a share, or a stick, that has no owners
        if os.fstat(held).st_uid != os.geteuid():
            os.fchown(held, os.geteuid(), -1)
        os.fchmod(held, PRIVATE)


def _led_to(held: int, name: Path) -> Path:
    """A path to the folder that is held, whatever has its name by now; its name where no Linux."""
    path = Path(f"{_HELD}/{held}")
    return path if path.is_dir() else name


def _unfinished(to: Path) -> Path:
    """Where what is to be `to` is made: no name that a person gives what he puts beside it."""
    return to.with_name(f".{to.name}.unfinished")


def _require_none(to: Path) -> None:
    if to.exists():
        why = "nothing is ever overwritten: name another place, or move it away"
        raise StoreError(f"{to}: is there already; {why}")


def _take_alone(held: int, to: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreError(f"{to}: another copy to it runs just now; wait for that one") from error
    except OSError:  # a share, whose folders cannot be locked
        return


def _sweep(held: int, name: str) -> None:
    """Remove half a copy from the folder that is held; whatever else is there, nobody here made."""
    for path in (name, f"{name}-wal", f"{name}-shm"):
        with suppress(FileNotFoundError):
            os.unlink(path, dir_fd=held)


@contextmanager
def told(to: Path) -> Iterator[None]:
    """What the disk refuses is a StoreError that says that nothing is in place of `to`."""
    try:
        yield
    except OSError as error:
        name = error.filename or to
        if str(name).startswith(_HELD):  # within what was to be `to`
            name = to
        raise StoreError(f"{name}: {error.strerror}: nothing was put in place") from error
