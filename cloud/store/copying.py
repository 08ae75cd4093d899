"""Copies a plant's evidence as it was committed at one instant, beside a running collector or not.

What a signed checkpoint speaks of is never written again: the log and each hour's segment only
grow, and keys and documents are in place before the log names them. So a copy takes the checkpoint
first, and then of every file as much as belongs to it. Reads without a lock, and through no link:
the folder's owner may have made one to what only root, who often copies, can read.
"""

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.disk import Disk, unnamed
from cloud.store.index import PLACE_BYTES, IndexFile
from cloud.store.layout import PlantFolder
from cloud.store.reader import OFFSET
from cloud.store.record_file import CHUNK_BYTES, read_at, size_of
from cloud.store.recovery import entries_give
from cloud.store.slice import Watch
from cloud.store.state import LogState
from cloud.store.tree import file_bytes
from evidence import checkpoint
from evidence.documents.document import FILE_BYTES_MAX
from evidence.errors import EvidenceError
from evidence.owners import make_folder

#: seconds after which a commit that runs has named its checkpoint; between two looks at it
COMMIT_S, AGAIN_S = 10.0, 0.1


def copy_plant(root: Path, to: Path) -> None:
    """Copy what is committed; the copy is on disk when this returns. Check it: nothing is judged.

    Args:
        root: the plant's folder.
        to: the copy's, which is not there yet.

    Raises:
        StoreError: there is no log to copy, index and log disagree, a start is to settle first how
            far it reaches, or something is no file of the folder's own.
        OSError: a disk refuses.
    """
    source, copied = PlantFolder(root), PlantFolder(to)
    # the snapshot before the checkpoint: then it speaks of no more entries
    snapshot = _snapshot(source.snapshot)
    watch = Watch(root.parent)
    size, note = _committed(source)
    _require_settled(source, size, watch)
    make_folder(to.parent)
    to.mkdir(stat.S_IMODE(root.stat().st_mode))  # under another mask all of it lay open
    disk = Disk(to)
    try:
        _copy_log(disk, source, copied, size)
        for stream in source.streams():
            _copy_stream(disk, source, copied, stream, size)
        _copy_beside(disk, source, copied)
        disk.write(copied.checkpoint, 0, note.encode())
        if snapshot:
            disk.write(copied.snapshot, 0, snapshot)
        disk.sync()
    finally:
        disk.close()


def _snapshot(path: Path) -> bytes:
    """The state's file; b"" where there is none."""
    try:
        file = _opened(path)
    except FileNotFoundError:
        return b""
    with os.fdopen(file, "rb") as opened:
        return opened.read()


def _committed(folder: PlantFolder) -> tuple[int, str]:
    """(log entries, text) of the newest checkpoint, whose signature is not looked at."""
    data, again = None, b""
    while data != again:  # a running collector may be writing what was the checkpoint a moment ago
        data, again = again, read_at(folder.checkpoint, 0, checkpoint.TEXT_BYTES_MAX)
    try:
        return checkpoint.parse(again.decode())[0].size, again.decode()
    except (EvidenceError, UnicodeDecodeError) as error:
        raise StoreError(f"{folder.root}: there is no log to copy: {error}") from error


def _require_settled(folder: PlantFolder, size: int, watch: Watch) -> None:
    """A newer checkpoint whose name did not last may have been told: gateways freed what it has.

    Raises:
        StoreError: there is one, with its entries, and no collector that is just naming it.
    """
    until_s = time.monotonic() + COMMIT_S
    while (newer := _unnamed(folder)) is not None:
        # whoever holds the slice need not have this plant: it may be about to move
        if not watch.is_quiet() and time.monotonic() < until_s:
            time.sleep(AGAIN_S)
        elif entries_give(folder, LogState(), newer):
            raise StoreError(
                f"{folder.root}: its collector ended, or the power went, within a commit: a "
                f"checkpoint of {newer.size} log entries lies beside that of {size}, and may have "
                "been told. Nothing is copied: start a collector with this folder itself once, "
                "which settles it, then copy"
            )
        else:
            return


def _unnamed(folder: PlantFolder) -> checkpoint.Checkpoint | None:
    """The checkpoint beside the one that counts, where it speaks of more."""
    beside = read_at(unnamed(folder.checkpoint), 0, checkpoint.TEXT_BYTES_MAX)
    try:
        found = checkpoint.parse(beside.decode())[0]
    except (EvidenceError, UnicodeDecodeError):  # none, or half written, so nobody was told
        return None
    return found if found.size > _committed(folder)[0] else None


def _copy_log(disk: Disk, source: PlantFolder, copied: PlantFolder, size: int) -> None:
    end = read_at(source.offsets, (size - 1) * OFFSET.size, OFFSET.size) if size else b""
    if len(end) != OFFSET.size:
        raise StoreError(f"{source.offsets}: cut short; run: stackproof cloud rebuild")
    _copy(disk, source.entries, copied.entries, OFFSET.unpack(end)[0])
    _copy(disk, source.offsets, copied.offsets, size * OFFSET.size)
    _copy(disk, source.tree, copied.tree, file_bytes(size))


def _copy_stream(
    disk: Disk, source: PlantFolder, copied: PlantFolder, stream: str, size: int
) -> None:
    """A stream's objects that the first `size` entries accept, and their index."""
    index = IndexFile(source.index(stream))
    count = _accepted(index, size)
    if count == 0:
        return
    last = index.place(count - 1)
    _copy(disk, index.path, copied.index(stream), count * PLACE_BYTES)
    for hour in source.hours(stream, -1):
        if hour <= last.hour:
            path = source.segment(stream, hour)
            length = last.end if hour == last.hour else size_of(path)
            _copy(disk, path, copied.segment(stream, hour), length)


def _accepted(index: IndexFile, size: int) -> int:
    """How many objects of a stream the first `size` entries accept."""
    low, high = 0, size_of(index.path) // PLACE_BYTES
    while low < high:
        middle = (low + high) // 2
        try:
            is_within = index.place(middle).log_index < size
        except StoreError:  # behind what is committed, and being written
            is_within = False
        low, high = (middle + 1, high) if is_within else (low, middle)
    return low


def _copy_beside(disk: Disk, source: PlantFolder, copied: PlantFolder) -> None:
    """What lies beside log and streams; what the log does not name is for the check to tell."""
    if source.aside.is_dir():
        make_folder(copied.aside, 0o700)
    for folder in (source.keys, source.quarantine, source.records, source.aside):
        if folder.is_symlink():
            raise _not_its_own(folder)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix != ".new":
                with suppress(FileNotFoundError):  # a start has just set it aside
                    _copy(disk, path, copied.root / path.relative_to(source.root))


def _copy(disk: Disk, path: Path, to: Path, length: int | None = None) -> None:
    """As many bytes of a file as are committed; None for all of one beside the log."""
    file = _opened(path)
    try:
        size = os.fstat(file).st_size
        if length is None and size > FILE_BYTES_MAX:
            raise StoreError(f"{path}: has {size} bytes, and is no evidence; take it away")
        end, at = size if length is None else length, 0
        if not end:
            disk.write(to, 0, b"")
        while at < end:
            data = os.pread(file, min(CHUNK_BYTES, end - at), at)
            if not data:  # of an offset that a disk has spoilt there may be no end
                what = f"ends at byte {at}, and {end} are committed"
                raise StoreError(f"{path}: {what}; run: stackproof cloud fsck")
            disk.write(to, at, data)
            at += len(data)
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    """A descriptor to read a file of the folder's own; OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_its_own(path) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_its_own(path)
    return file


def _not_its_own(path: Path) -> StoreError:
    return StoreError(f"{path}: is a link, folder or device, and no evidence; take it away")
