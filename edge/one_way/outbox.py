"""What lies in an outbox, told within seconds also when its share hangs. I/O: looks at the folder.

Nobody can end a thread that waits for a share. So whoever asks waits for `LOOK_S` at most, and as
long as one look is under way no other begins.
"""

import contextlib
import stat
import threading
from pathlib import Path

LOOK_S = 2.0


def sizes_of(folder: Path) -> list[int]:
    """Of all files in an outbox, however a ferry calls them, which it may take at any moment.

    Its links are none. OSError where the folder cannot be read.
    """
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            found += [status.st_size] if stat.S_ISREG(status.st_mode) else []
    return found


class _Look(threading.Thread):
    """One look; `sizes` counts once it has ended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(name="outbox", daemon=True)
        self._folder = folder
        self.sizes: list[int] = []

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the alarm says that nothing leaves, and why
            self.sizes = sizes_of(self._folder)


_looks: dict[Path, _Look] = {}
_one = threading.Lock()


def looked_at(folder: Path) -> list[int] | None:
    """The same, none where the folder cannot be read; None while it does not answer."""
    with _one:
        look = _looks.get(folder)
        if look is None or not look.is_alive():
            look = _looks[folder] = _Look(folder)
            look.start()
    look.join(LOOK_S)
    return None if look.is_alive() else look.sizes
