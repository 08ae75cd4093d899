"""Real disks of a few MiB that fill up or fail. Only root can mount them: others skip."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _mount(*args: str) -> None:
    """Mount, or skip the test with the reason."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(["mount", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A tmpfs of a few hundred KiB."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Something else takes the last byte of the disk, and gives it back."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


class FailingDisk:
    """An ext4 on a file that can fail under open files, as a dying card does, and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._image = folder, folder.with_suffix(".img")
        make = shutil.which("mkfs.ext4", path=PATH)
        if make is None:
            pytest.skip("mkfs.ext4 is not installed")
        folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(32 * 1024 * 1024)
        subprocess.run([make, "-q", str(self._image)], check=True)
        self.is_mounted = False

    def mount(self) -> None:
        """Make it usable."""
        _mount("-o", "loop,errors=remount-ro", str(self._image), str(self.folder))
        self.is_mounted = True

    def fail(self) -> None:
        """From here on nothing can be written, also by those who have files open."""
        _mount("-o", "remount,abort", str(self.folder))

    def unmount(self) -> None:
        """As when the machine is restarted."""
        if self.is_mounted:
            subprocess.run(["umount", str(self.folder)], check=True)
            self.is_mounted = False
            # whose mount namespace was made meanwhile still has this one, as it failed
            copy = self._image.with_name(f"again-{self._image.name}")
            self._image = Path(shutil.copy(self._image, copy))
