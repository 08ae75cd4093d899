"""The folder of receipts brought as files. I/O: that folder.

`edge receipts import` puts a file in; the running agent looks every few seconds, acts on it, and
deletes it. A file is whole from the moment it has its name, and deleted only after the spool has
acted on it: a crash between repeats a receipt, which frees nothing twice.
"""

import hashlib
import os
from pathlib import Path

from edge.errors import NotOursError, SpoolError
from evidence.archive.export import RECEIPTS_BYTES_MAX, read_receipts
from evidence.errors import EvidenceError
from evidence.owners import give, make_folder

SUFFIX, REFUSED = ".receipts", ".refused"


def drop(folder: Path, data: bytes) -> Path:
    """Put a receipt file into the folder; SpoolError when the disk refuses."""
    path = folder / f"{hashlib.sha256(data).hexdigest()}{SUFFIX}"
    part = path.with_suffix(".part")
    try:
        make_folder(folder)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        give(part)
        part.replace(path)
    except OSError as error:
        raise SpoolError(f"{folder}: cannot be written: {error.strerror}") from error
    return path


def waiting(folder: Path) -> list[Path]:
    """Receipt files that nobody has acted on yet, sorted."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def receipts_of(path: Path) -> list[bytes]:
    """The signed receipts of a receipt file, not verified; NotOursError when it is none."""
    try:
        with path.open("rb") as file:
            return read_receipts(file.read(RECEIPTS_BYTES_MAX + 1))
    except OSError as error:
        raise NotOursError(f"{path}: cannot be read: {error.strerror}") from error
    except EvidenceError as error:
        raise NotOursError(f"{path}: no receipt file: {error}") from error


def done(path: Path) -> None:
    """The spool has acted on the file."""
    path.unlink(missing_ok=True)


def refuse(path: Path) -> None:
    """The file is not for this spool: keep it for a person to look at."""
    path.replace(path.with_suffix(REFUSED))
