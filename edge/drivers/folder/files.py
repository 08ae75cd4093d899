"""The folder's files: which there are, and their bytes. I/O: reads one folder, changes nothing.

Only regular files right in the folder count. Names are looked up below the opened folder and links
are not followed, so nothing outside is ever read; what is no file (a link, a pipe, a device) is
never opened.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FILE_BYTES_MAX = 16 * 2**20
ENTRIES_MAX = 10_000  # names looked at in one folder; more is told
_BLOCK = 2**20


class FolderError(Exception):
    """The folder cannot be read; the text says why."""


class FileError(Exception):
    """One file cannot be read, or changed while it was.

    Attributes:
        name, reason: which, and why.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


@dataclass(frozen=True)
class Identity:
    """By what a file is known to be the one from before without reading it."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        """Of a file's status."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True)
class Listing:
    """What stands in the folder.

    Attributes:
        files: name -> identity, of what may be read.
        refused: name -> why not.
    """

    files: Mapping[str, Identity]
    refused: Mapping[str, str]


class Folder:
    """One folder; used by one thread at a time."""

    def __init__(self, path: Path, pattern: str) -> None:
        """Prepare; nothing is opened."""
        self._path, self._pattern = path, pattern
        self._handle = -1

    def open(self) -> None:
        """Open the folder; FolderError when it is none."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._handle = os.open(self._path, flags)
        except OSError as error:
            raise FolderError(f"cannot be opened: {error.strerror}") from error

    def close(self) -> None:
        """Never raises."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def listing(self) -> Listing:
        """The names that fit the pattern, those that begin with a dot aside."""
        files: dict[str, Identity] = {}
        refused: dict[str, str] = {}
        try:
            here, there = os.fstat(self._handle), self._path.lstat()
            if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
                raise FolderError("was replaced by another")
            with os.scandir(self._handle) as entries:
                for count, entry in enumerate(entries):
                    if count >= ENTRIES_MAX:
                        raise FolderError(f"has more than {ENTRIES_MAX} names: move old files away")
                    name = entry.name
                    if name.startswith(".") or not fnmatchcase(name, self._pattern):
                        continue
                    self._look(name, files, refused)
        except OSError as error:
            raise FolderError(f"cannot be read: {error.strerror}") from error
        return Listing(files, refused)

    def _look(self, name: str, files: dict[str, Identity], refused: dict[str, str]) -> None:
        try:
            name.encode()
            status = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return  # moved away since
        except UnicodeEncodeError:
            refused[ascii(name)] = "its name is not UTF-8"
            return
        if not name.isprintable():
            refused[ascii(name)] = "its name holds characters that cannot be printed"
        elif not stat.S_ISREG(status.st_mode):
            refused[name] = "is no regular file (links are not followed)"
        elif status.st_size > FILE_BYTES_MAX:
            refused[name] = f"has more than {FILE_BYTES_MAX >> 20} MiB"
        else:
            files[name] = Identity.of(status)

    def read(self, name: str, identity: Identity) -> bytes:
        """The file's bytes; FileError unless it is this very file, before and after."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            handle = os.open(name, flags, dir_fd=self._handle)
        except OSError as error:
            raise FileError(name, f"cannot be read: {error.strerror}") from error
        try:
            self._check(name, handle, identity)
            data = bytearray()
            while block := os.read(handle, _BLOCK):
                data += block
                if len(data) > identity.size:
                    break
            self._check(name, handle, identity)
        except OSError as error:
            raise FileError(name, f"cannot be read: {error.strerror}") from error
        finally:
            os.close(handle)
        if len(data) != identity.size:
            raise FileError(name, "changed while it was read")
        return bytes(data)

    @staticmethod
    def _check(name: str, handle: int, identity: Identity) -> None:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or Identity.of(status) != identity:
            raise FileError(name, "changed while it was read")
