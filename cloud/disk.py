"""Files that last: written whole under a name of their own, and names that a power cut leaves."""

import os
from pathlib import Path


def lay(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; its bytes are on disk when this returns. OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file)


def sync_names(folder: Path) -> None:
    """Make the names in a folder last. OSError."""
    names = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(names)
    finally:
        os.close(names)
