"""Whose a new file is: root works beside services that run as users of their own. I/O: owners.

What root makes in a service's folder would be root's, and the service could not read it, or write
on. It is given to the folder's owner. For anybody but root nothing changes.
"""

import contextlib
import os
from pathlib import Path


def give(made: Path, like: Path | None = None, *, opened: int | None = None) -> None:
    """As root, give a file or folder that root has made to whom another one belongs.

    Args:
        made: not followed where it is a link.
        like: whose owner and group it gets; None for the folder that it is in.
        opened: its descriptor, where others write into that folder: what has its name by now may
            be another file.

    Raises:
        OSError: one of the two is not there.
    """
    if os.geteuid() != 0:
        return
    owner = (like or made.parent).stat()
    own = made.lstat() if opened is None else os.fstat(opened)
    if owner.st_uid == 0 or own.st_uid != 0:
        return
    with contextlib.suppress(PermissionError):  # root of a container, or on a share, may not
        if opened is None:
            os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=False)
        else:
            os.fchown(opened, owner.st_uid, owner.st_gid)


def open_lock(path: Path) -> int:
    """The descriptor of a file to be locked, which is made if need be.

    Its owner's alone, as is one that an earlier version left for all: whoever can read a file can
    lock it, and so keep a program that is started again out of its own data for good.

    Raises:
        OSError: the folder cannot be used, or the file is another user's, or a link.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        give(path, opened=lock)
        with contextlib.suppress(PermissionError):  # of a share
            os.fchmod(lock, 0o600)
    except BaseException:
        os.close(lock)
        raise
    return lock


def keep_own(database: Path) -> None:
    """Make an SQLite file, or keep one that is there, so that its owner alone can read it.

    Call before it is opened. A reader that stays in its transaction keeps the write-ahead log from
    ever beginning anew, and the disk fills: no other user is to be one.

    Raises:
        OSError: the folder cannot be used, or the file is another user's.
    """
    if not database.exists():
        database.touch(mode=0o600)
        give(database)
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # not ours, or of a share
            (database.parent / f"{database.name}{end}").chmod(0o600)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it, each its folder's owner's; one that is there stays.

    Args:
        folder: of it.
        mode: its own permission bits, less the process's mask.
    """
    if folder.is_dir():
        return
    try:
        folder.mkdir(mode, exist_ok=True)
    except FileNotFoundError:
        make_folder(folder.parent)
        folder.mkdir(mode, exist_ok=True)
    give(folder)


def make_file(path: Path, data: bytes, mode: int = 0o666, like: Path | None = None) -> None:
    """Make a file that is on disk when this returns; nothing is left of one that is not.

    A root's key on a stick that was pulled at once would be gone, and what it has signed is not.

    Args:
        path: its name; the folder is made, too.
        data: all it is to hold.
        mode: its permission bits, less the process's mask.
        like: as of `give`.

    Raises:
        FileExistsError: it is there already, and stays as it is.
        OSError: the disk refuses.
    """
    make_folder(path.parent)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(file)
        give(path, like)
    except OSError:
        path.unlink()
        raise
    with contextlib.suppress(OSError):  # of a share, which has no names to be kept apart
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
