"""Writing under one folder so that it lasts: positioned writes, group sync, atomic replacement.

The only file of the store that writes. A commit of many plants shares its syncs: few files are
synced one by one, many by one `syncfs` of the file system, so that the number of syncs in a
commit does not grow with the number of plants; but for kernels whose `syncfs` tells no error.
"""

import ctypes
import errno
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from evidence.owners import give, make_folder

Buffer = bytes | bytearray

#: from this many files on, one syncfs is cheaper than as many fdatasync
SYNCFS_FILES_MIN = 24


class Disk:
    """Positioned writes, remembered until `sync` makes them last.

    Args:
        root: folder of everything written here; made when absent.
    """

    def __init__(self, root: Path) -> None:
        make_folder(root)
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self._device = os.fstat(self._root).st_dev
        #: a file is on another file system (a plant with a volume of its own): syncfs misses it
        self._is_scattered = False
        self._files: set[Path] = set()
        self._folders: set[Path] = set()
        self._renames: list[tuple[Path, Path, bool]] = []

    def close(self) -> None:
        """Give the folder back; nothing is synced."""
        os.close(self._root)

    def write(self, path: Path, offset: int, data: Buffer, *, lasting: bool = True) -> None:
        """Write at an offset; the file and its folders are made when absent.

        Args:
            path: the file.
            offset: where to, at most the file's length.
            data: bytes.
            lasting: False for what can be rebuilt: it is not synced.
        """
        file = self._open(path)
        try:
            self._is_scattered |= os.fstat(file).st_dev != self._device
            _write_at(file, offset, data)
        finally:
            os.close(file)
        if lasting:
            self._files.add(path)

    def must_last(self, paths: Iterable[Path]) -> None:
        """The next `sync` also covers these files, whoever wrote them; absent ones are skipped."""
        there = [path for path in paths if path.exists()]
        self._files.update(there)
        self._folders.update(path.parent for path in there)

    def replace(self, path: Path, data: bytes, *, often: bool = False) -> None:
        """Write a whole file beside `path`; `publish` puts it in place after the next `sync`.

        Args:
            path: the file.
            data: all it is to hold.
            often: keep the old file beside the new one, as the place to write the next: making
                and dropping a file each time costs ten times as much.
        """
        beside = unnamed(path)
        self.write(beside, 0, data)
        _on_file(beside, os.O_WRONLY | os.O_NOFOLLOW, lambda file: os.ftruncate(file, len(data)))
        self._renames.append((beside, path, often))

    def adopt(self, beside: Path, path: Path) -> None:
        """`publish` puts in place what `lay` has written; OSError when it is not there."""
        if beside.exists():
            self._renames.append((beside, path, False))
        elif not path.exists():  # else it was put in place by a commit that did not end
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(beside))
        self._folders.update((path.parent, path.parent.parent))

    def sync(self, below: Path | None = None) -> None:
        """Everything written so far is on disk when this returns; OSError when it is not.

        Args:
            below: only what lies in this folder, and its name; the rest waits.
        """
        files, folders = set(self._files), set(self._folders)
        if below is not None:
            files = {path for path in files if path.is_relative_to(below)}
            folders = {p for p in folders if p.is_relative_to(below) or p == below.parent}
        many = len(files) + len(folders) >= SYNCFS_FILES_MIN
        if many and not self._is_scattered and _SYNCFS is not None:
            if _SYNCFS(self._root) != 0:
                error = ctypes.get_errno()
                raise OSError(error, os.strerror(error))
        else:
            for path in files:
                _on_file(path, os.O_WRONLY, os.fdatasync)
            for path in folders:
                with suppress(FileNotFoundError):  # taken away, and all names in it
                    _on_file(path, os.O_RDONLY, os.fsync)
        self._files -= files
        self._folders -= folders

    def publish(self) -> None:
        """Put the replaced files in place, in the order of their `replace`.

        The next `sync` makes their names last. A file replaced often has its name for good after
        its first `publish`, and then holds the old bytes or the new: never what is written beside
        it later, as that is written after a sync.
        """
        for beside, path, often in self._renames:
            exchanged = often and _exchange(beside, path)
            if not exchanged:
                beside.replace(path)
            if often and not exchanged:
                _on_file(path.parent, os.O_RDONLY, os.fsync)
            else:
                self._folders.add(path.parent)
        self._renames.clear()

    def remove(self, path: Path) -> None:
        """Remove a file, which may be absent; the next `sync` makes that last."""
        if path.exists():
            path.unlink()
            self._folders.add(path.parent)

    def forget(self) -> None:
        """Drop what was remembered, after a failed commit; names that were made still must last.

        The next commit finds these files and folders there and would not sync their names again.
        """
        self._files.clear()
        self._renames.clear()

    def _open(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_NOFOLLOW  # root may write for a user who has put a link there
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            self._make_folder(path.parent)
            self._folders.add(path.parent)
            file = os.open(path, flags | os.O_CREAT, 0o644)
            give(path, opened=file)
            return file

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o755)
            give(folder)
            self._folders.add(folder.parent)


class Pending:
    """Bytes waiting to be written, contiguous in each file."""

    def __init__(self) -> None:
        self._parts: dict[Path, tuple[int, bool, bytearray]] = {}

    def add(self, path: Path, offset: int, data: bytes, *, lasting: bool = True) -> None:
        """Put bytes behind those already waiting for the file; `offset` counts for the first."""
        self._parts.setdefault(path, (offset, lasting, bytearray()))[2].extend(data)

    def write(self, disk: Disk) -> None:
        """Write everything that waits; it goes on waiting until `clear`."""
        for path, (offset, lasting, data) in self._parts.items():
            disk.write(path, offset, data, lasting=lasting)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._parts.clear()


def unnamed(path: Path) -> Path:
    """Where `Disk.replace` writes what `Disk.publish` will put in place."""
    return path.with_name(f"{path.name}.new")


def lay(beside: Path, data: Buffer, like: Path | None = None) -> None:
    """Write a file that `Disk.adopt` takes later; it is on disk when this returns. Any thread.

    Args:
        beside: a name that nobody else has.
        data: all it is to hold.
        like: a file that holds the same; then this is another name of it, where the file system
            has such.
    """
    beside.parent.mkdir(exist_ok=True)
    if like is not None and _is_linked(like, beside):
        return
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        _write_at(file, 0, data)
        os.fsync(file)
    finally:
        os.close(file)


def lay_whole(path: Path, data: Buffer) -> None:
    """Write a file of the process's own user, whole or not at all; OSError.

    Its bytes are on disk when this returns; its name is after `sync_names` of its folder.
    """
    beside = unnamed(path)
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write_at(file, 0, data)
        os.fsync(file)
        give(beside, opened=file)
    except OSError:
        beside.unlink()
        raise
    finally:
        os.close(file)
    beside.replace(path)


def _write_at(file: int, offset: int, data: Buffer) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        offset += written
        view = view[written:]


def _is_linked(one: Path, other: Path) -> bool:
    """Give a file another name; False where that cannot be done: then it is written once more."""
    try:
        os.link(one, other)
    except OSError:
        return False
    return True


def cut(path: Path, length: int) -> int:
    """Shorten a file to a length, for good; how many bytes went. An absent file stays absent."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    if size > length:
        os.truncate(path, length)
        _on_file(path, os.O_WRONLY, os.fsync)
    return max(0, size - length)


def sync_names(folder: Path) -> None:
    """Make the names in a folder last."""
    _on_file(folder, os.O_RDONLY | os.O_DIRECTORY, os.fsync)


def _on_file(path: Path, flags: int, act: Callable[[int], None]) -> None:
    file = os.open(path, flags)
    try:
        act(file)
    finally:
        os.close(file)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two files in one step; False where that cannot be done (the other is absent, no Linux).

    Needs no error: whatever the reason, a plain rename follows and tells.
    """
    if _RENAMEAT2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return _RENAMEAT2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0


def _libc(name: str, *arguments: type) -> Callable[..., int] | None:
    call = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if call is not None:
        call.argtypes, call.restype = arguments, ctypes.c_int
    return call


def syncfs_tells(release: str) -> bool:
    """Whether syncfs tells of bytes that the disk did not take: since Linux 5.8 (syncfs(2)).

    Args:
        release: the kernel's, as `uname -r` prints it. A container has the host's.
    """
    found = re.match(r"(\d+)\.(\d+)", release, re.ASCII)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 8)


_SYNCFS = _libc("syncfs", ctypes.c_int) if syncfs_tells(os.uname().release) else None
_RENAMEAT2 = _libc(
    "renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>
