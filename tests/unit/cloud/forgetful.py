"""A disk that ends at a given call, and after a power cut holds no more than was synced.

Stricter than real file systems: a file's bytes last by its own sync alone, its name by its
folder's alone. Of what was not synced, each folder's changes of names arrive up to some place, and
each file's bytes arrive up to some byte. Works on the real files under a folder, by standing
before the few system calls that change them.
"""

import contextlib
import errno
import io
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class EndOfPower(BaseException):
    """The process is gone."""


class _File:
    """What a name stands for: bytes as last synced, and as last seen when it has no name."""

    def __init__(self, synced: bytes | None) -> None:
        self.synced, self.last = synced, b""


#: a folder has no bytes
_FOLDER = _File(None)

Changes = dict[Path, _File | None]


class _CountedFile(io.FileIO):
    """A file opened for writing, without a buffer: each write is a call to the disk."""

    disk: "ForgetfulDisk"

    def write(self, data: Any, /) -> int:
        """Half of it where the disk ends."""
        if self.disk.left == 0:
            super().write(data[: len(data) // 2])
        self.disk._count()
        return super().write(data) or 0


class ForgetfulDisk:
    """Follows what is written and synced under a folder.

    Args:
        root: the folder, which lasts, with what is in it.
        calls: how many calls succeed; the next one ends the process, a write half done.
        refused: number of the call, counted down like `calls`, that the disk refuses as full.

    Attributes:
        left: calls that have not been used.
    """

    def __init__(self, root: Path, calls: int, refused: int | None = None) -> None:
        root.mkdir(exist_ok=True)
        self.root, self.left = root, calls
        self._refused = None if refused is None else calls - refused
        self._live: dict[Path, _File] = {
            path: _FOLDER if path.is_dir() else _File(path.read_bytes()) for path in root.rglob("*")
        }
        self._lasting = dict(self._live)
        self._journal: list[tuple[Path, Changes]] = []

    # -- the calls --------------------------------------------------------------------------------

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """While inside, calls on files under the folder are counted and remembered."""
        real = {name: getattr(os, name) for name in _CALLS}

        with monkeypatch.context() as patched:
            for name, stand_in in _CALLS.items():
                patched.setattr(os, name, _bound(stand_in, self, real[name]))
            patched.setattr(io, "open", _bound(ForgetfulDisk._io_open, self, io.open))
            yield

    def _count(self) -> None:
        if self.left == 0:
            raise EndOfPower
        if self.left == self._refused:
            self._refused = None
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1

    def _is_mine(self, path: Path) -> bool:
        return path != self.root and path.is_relative_to(self.root)

    def _name(self, changes: Changes) -> None:
        """One change of names, in the folder of the first."""
        folder = next(iter(changes)).parent
        for path, file in changes.items():
            before = self._live.pop(path, None)
            if file is not None:
                self._live[path] = file
            if before is not None and before not in self._live.values():
                before.last = before.synced or b""
        self._journal.append((folder, changes))

    def _open(self, real: Callable[..., int], path: Any, flags: int, *more: int, **to: Any) -> int:
        path = Path(path)
        new = bool(flags & os.O_CREAT) and self._is_mine(path) and path not in self._live
        if new:
            self._count()
        file = real(path, flags, *more, **to)
        if new:
            self._name({path: _File(b"")})
        return file

    def _io_open(self, real: Callable[..., Any], path: Any, mode: str = "r", *more: Any) -> Any:
        if mode != "wb" or not self._is_mine(Path(path)):
            return real(path, mode, *more)
        self._count()
        file = _CountedFile(path, "w")
        file.disk = self
        if Path(path) not in self._live:
            self._name({Path(path): _File(b"")})
        return file

    def _pwrite(self, real: Callable[..., int], file: int, data: bytes, at: int) -> int:
        if self.left == 0:
            real(file, data[: len(data) // 2], at)
        self._count()
        return real(file, data, at)

    def _truncate(self, real: Callable[..., None], path: Any, length: int) -> None:
        self._count()
        real(path, length)

    def _sync(self, real: Callable[..., None], file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        self._count()
        real(file)
        if path.is_dir():
            for folder, changes in self._journal:
                if folder == path:
                    _apply(self._lasting, changes)
            self._journal = [change for change in self._journal if change[0] != path]
        else:
            self._live[path].synced = path.read_bytes()

    def _replace(self, real: Callable[..., None], one: Any, other: Any) -> None:
        self._count()
        real(one, other)
        self._name({Path(other): self._live[Path(one)], Path(one): None})

    def _link(self, real: Callable[..., None], one: Any, other: Any) -> None:
        self._count()
        real(one, other)
        self._name({Path(other): self._live[Path(one)]})

    def _remove(self, real: Callable[..., None], name: Any, *, dir_fd: int | None = None) -> None:
        """Of a file or of an empty folder."""
        path = Path(name)
        if dir_fd is not None:
            path = Path(f"/proc/self/fd/{dir_fd}").readlink() / path
        file = self._live.get(path)
        if file is None:
            real(name, dir_fd=dir_fd)
            return
        self._count()
        last = b"" if file is _FOLDER else path.read_bytes()
        real(name, dir_fd=dir_fd)
        self._name({path: None})
        if file is not _FOLDER:
            file.last = last

    def _mkdir(self, real: Callable[..., None], path: Any, *more: Any) -> None:
        if self._is_mine(Path(path)) and Path(path) not in self._live:
            self._count()
            real(path, *more)
            self._name({Path(path): _FOLDER})
        else:
            real(path, *more)

    # -- the end ----------------------------------------------------------------------------------

    def abandon(self) -> None:
        """What the kernel does for a process that is gone: close all it had open, locks too."""
        for link in list(Path("/proc/self/fd").iterdir()):
            with contextlib.suppress(OSError):
                if link.readlink().is_relative_to(self.root):
                    os.close(int(link.name))

    def cut_power(self, dice: random.Random) -> None:
        """Leave what was synced, and of what came later as much as the dice say."""
        for path, file in self._live.items():
            if file is not _FOLDER:
                file.last = path.read_bytes()
        for folder in sorted({folder for folder, _ in self._journal}):
            changes = [change for where, change in self._journal if where == folder]
            for change in changes[: dice.randrange(len(changes) + 1)]:
                _apply(self._lasting, change)
        shutil.rmtree(self.root)
        self.root.mkdir()
        for path, file in sorted(self._lasting.items()):
            if not path.parent.is_dir():
                continue  # its folder has no name
            if file is _FOLDER:
                path.mkdir()
            else:
                path.write_bytes(_left_of(file, dice))


def _apply(names: dict[Path, _File], changes: Changes) -> None:
    for path, file in changes.items():
        names.pop(path, None)
        if file is not None:
            names[path] = file


def _left_of(file: _File, dice: random.Random) -> bytes:
    then, now = file.synced or b"", file.last
    fate = dice.choice(("synced", "part", "all"))
    if fate == "synced":
        return then
    at = dice.randrange(len(now) + 1) if fate == "part" else len(now)
    return now[:at] + (then[at:] if fate == "part" else b"")


def _bound(stand_in: Callable[..., Any], disk: ForgetfulDisk, real: Any) -> Callable[..., Any]:
    return lambda *arguments, **named: stand_in(disk, real, *arguments, **named)


_CALLS: dict[str, Callable[..., Any]] = {
    "open": ForgetfulDisk._open,
    "pwrite": ForgetfulDisk._pwrite,
    "truncate": ForgetfulDisk._truncate,
    "fdatasync": ForgetfulDisk._sync,
    "fsync": ForgetfulDisk._sync,
    "replace": ForgetfulDisk._replace,
    "link": ForgetfulDisk._link,
    "unlink": ForgetfulDisk._remove,
    "rmdir": ForgetfulDisk._remove,
    "mkdir": ForgetfulDisk._mkdir,
}
