"""The evidence of one slice: its lock, its lease epoch, its plants, and commits across them.

<evidence_dir>/<slice>/lock     held (flock) by the slice's one collector, with a word of its own
<evidence_dir>/<slice>/epoch    how often the slice was taken over
<evidence_dir>/<slice>/<plant>/ one folder a plant (`cloud.store.layout`)

Both files are read again before each commit. The epoch alone begins at 1 again in a folder that is
put in place of a lost one, where whoever held the lost one would take it for its own.
"""

import fcntl
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from cloud.errors import (
    AlteredEvidenceError,
    DamagedLogError,
    SliceLockedError,
    SliceLostError,
    StoreError,
)
from cloud.store.clock_mark import check_clock
from cloud.store.disk import Disk
from cloud.store.known import gone, gone_text
from cloud.store.plant import PlantStore
from evidence.errors import KeyFileError
from evidence.keys import Signer
from evidence.owners import open_lock
from evidence.suites import PublicKey

log = logging.getLogger("stackproof.cloud")

#: why a commit was not made: the disk, a token that does not sign, another folder
Failure = OSError | KeyFileError | StoreError
#: an epoch as it stands in its file; entries have room for more
_EPOCH = re.compile(r"[0-9]{1,18}\n?")

#: tries to take the lock, and seconds between them
LOCK_TRIES, LOCK_AGAIN_S = 3, 0.02
#: of a lock's text: a process id, and a word that no other process has
LOCK_BYTES_MAX = 64


class SliceStore:
    """Writer of all plants of a slice. One process at a time, one thread in it.

    Args:
        root: `<evidence_dir>/<slice>`; made when absent.

    Attributes:
        epoch: lease epoch of this take-over, from 1.
        plants: open plants by id.
        damaged: plants that could not be opened -> why.
        known: plants that had evidence before: no log is begun in the place of theirs.

    Raises:
        SliceLockedError: another process holds the slice.
        StoreError: the folder cannot be used.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.plants: dict[str, PlantStore] = {}
        self.damaged: dict[str, str] = {}
        self.altered: dict[str, AlteredEvidenceError] = {}
        self.known: frozenset[str] = frozenset()
        with ExitStack() as stack:
            try:
                self._disk = Disk(root)
                stack.callback(self._disk.close)
                self._lock = take_lock(root / "lock")
                stack.callback(os.close, self._lock)
                self._holder = os.pread(self._lock, LOCK_BYTES_MAX, 0)
                self.epoch = self._take_epoch(root / "epoch")
            except OSError as error:
                why = f"cannot be used for evidence: {error.strerror}"
                raise StoreError(f"{root}: {why}") from error
            stack.pop_all()

    def folder(self, plant: str) -> Path:
        """A plant's folder."""
        return self._root / plant

    def __str__(self) -> str:
        """The folder."""
        return str(self._root)

    def certificates(self, plant: str) -> Mapping[str, bytes]:
        """Name -> bytes of what is kept beside a plant's log; nothing of one that is not there."""
        found = sorted((self.folder(plant) / "keys").glob("*.crt"))
        return {path.name: path.read_bytes() for path in found}

    def free_bytes(self, plant: str) -> int | None:
        """Bytes free on the disk of a plant's folder. OSError."""
        return shutil.disk_usage(self.folder(plant)).free

    def place_of(self, plant: str, error: AlteredEvidenceError) -> str:
        """Which file of a plant was found altered."""
        return str(error.path.relative_to(self.folder(plant)))

    def check_clock(self, *, is_simulated: bool) -> None:
        """As `cloud.store.clock_mark` does it."""
        check_clock(self._root, is_simulated=is_simulated)

    def open_plant(self, plant: str, signer: Signer, keys: Sequence[PublicKey]) -> PlantStore:
        """Open (or make) a plant's evidence and bring it to its newest whole state, once.

        Args:
            plant: plant id.
            signer: the collector's key.
            keys: its public half first, then keys of earlier collectors of this plant.

        Raises:
            DamagedLogError: less is on disk than was signed; also kept in `damaged`.
            StoreError: the disk refuses.
        """
        if plant in self.plants:
            return self.plants[plant]
        root = self.folder(plant)
        try:
            self._require_known(plant)
            store = PlantStore(plant, root, self._disk, signer=signer, keys=keys, epoch=self.epoch)
        except DamagedLogError as error:
            self.damaged[plant] = str(error)
            raise
        except OSError as error:
            raise StoreError(f"{root}: cannot be opened: {error.strerror}") from error
        self.plants[plant] = store
        store.reader.on_altered = lambda error: self._note_altered(plant, error)
        return store

    def _note_altered(self, plant: str, error: AlteredEvidenceError) -> None:
        """Any thread; whoever tells of it takes it out of `altered`."""
        self.altered.setdefault(plant, error)

    def _require_known(self, plant: str) -> None:
        if gone(self._root, self.known & {plant}):
            raise DamagedLogError(gone_text(self.folder(plant)))

    def give_up(self, plant: str, reason: str) -> None:
        """Close a plant again, if it is open: it cannot be served."""
        self.damaged[plant] = reason
        self.plants.pop(plant, None)

    def commit(self) -> tuple[list[PlantStore], Mapping[str, Failure]]:
        """Bring everything staged to disk and sign it.

        When disk or key refuses, each plant is tried alone, so that one plant's trouble stays its
        own; what still cannot be written is dropped (its gateways send it again). So is all of it
        while the folder is away, the slice's or a plant's: where it was, nothing is made in its
        place, and nothing is written into what was put there.

        Returns:
            Plants that were committed, and plants that were not with the reason.

        Raises:
            SliceLostError: another collector has taken the slice over: nothing is written.
        """
        dirty = [store for store in self.plants.values() if store.is_dirty]
        if not dirty:
            return [], {}
        try:
            self.require_lease()
        except OSError as away:
            for store in dirty:
                store.drop()
            return [], {store.plant: away for store in dirty}
        dirty, failed = _there(dirty)
        error = self._try(dirty)
        if error is None:
            return dirty, failed
        done = []
        for store in dirty:
            alone = self._try([store], self.folder(store.plant)) if len(self.plants) > 1 else error
            if alone is None:
                done.append(store)
            else:
                failed[store.plant] = alone
                store.drop()
        return done, failed

    def require_lease(self) -> None:
        """Before anything is written, signed or sent: the slice is still ours.

        Where locks go over a network, a server may have given ours to another meanwhile.

        Raises:
            SliceLostError: it did, or another folder is in place of ours.
            OSError: the folder is away.
        """
        newest = (self._root / "epoch").read_text(errors="replace").strip()
        holder = (self._root / "lock").read_bytes()
        if newest != str(self.epoch) or holder != self._holder:
            raise SliceLostError(
                f"{self._root}: was taken over by process {_process_of(holder)} (epoch {newest}, "
                f"here {self.epoch}); this collector writes nothing more"
            )

    def is_ours(self) -> bool:
        """True; False while the folder is away.

        Raises:
            SliceLostError: as by `require_lease`.
        """
        try:
            self.require_lease()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave a snapshot of every plant and give the slice back. What is staged is dropped."""
        stores = list(self.plants.values())
        self.plants.clear()
        try:
            for store in stores:
                store.drop()
            self._finish(stores)
        finally:
            self._disk.close()
            os.close(self._lock)

    def _finish(self, stores: Iterable[PlantStore]) -> None:
        try:
            self.require_lease()
            for store in _there(stores)[0]:
                store.write_snapshot()
            self._disk.sync()
            self._disk.publish()
        except OSError as error:
            # a snapshot only saves time: the next start reads the log instead
            self._disk.forget()
            raise StoreError(f"{self._root}: no snapshot written: {error.strerror}") from error

    def _try(self, stores: Sequence[PlantStore], below: Path | None = None) -> Failure | None:
        """Commit plants; with `below` what is still to be synced of others is left alone."""
        try:
            for store in stores:
                store.write_objects()
            self._disk.sync(below)
            self._disk.publish()  # keys and quarantine: named before the log speaks of them
            self._disk.sync(below)
            for store in stores:
                store.write_log()
            self._disk.sync(below)
            self._disk.publish()
        except (OSError, KeyFileError) as error:
            self._disk.forget()
            return _undo(stores, error)
        for store in stores:
            store.settle()
        return None

    def _take_epoch(self, path: Path) -> int:
        found = path.read_text(errors="replace") if path.exists() else "0"
        last = int(found) if _EPOCH.fullmatch(found) else 0
        if not _EPOCH.fullmatch(found):  # whose the slice is, is known by the lock and its word
            log.warning("%s: is no number: epochs begin again", path)
        self._disk.replace(path, f"{last + 1}\n".encode())
        self._disk.sync()
        self._disk.publish()
        return last + 1


def _there(stores: Iterable[PlantStore]) -> tuple[list[PlantStore], dict[str, Failure]]:
    """Plants whose folder is as they left it, and why nothing may be written of the others."""
    found, failed = list[PlantStore](), dict[str, Failure]()
    for store in stores:
        try:
            store.require_there()
        except (OSError, StoreError) as error:
            store.drop()
            failed[store.plant] = error
        else:
            found.append(store)
    return found, failed


def _undo(stores: Iterable[PlantStore], error: Failure) -> Failure:
    """Cut the plants' files back; the first error is the one to tell."""
    for store in stores:
        try:
            store.undo()
        except OSError:
            continue  # the plant tries again before its next write
    return error


def take_lock(path: Path, else_: str = "a slice has one collector: stop that one first") -> int:
    """Take a lock for as long as the descriptor that comes back is open.

    Args:
        path: the lock's file, a slice's.
        else_: what to say where another process holds it.

    Raises:
        SliceLockedError: another process holds it.
        OSError: the folder cannot be used.
    """
    lock = open_lock(path)
    with ExitStack() as stack:
        stack.callback(os.close, lock)
        for tries in range(LOCK_TRIES, 0, -1):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if tries > 1:  # `Watch` looks at it for an instant
                    time.sleep(LOCK_AGAIN_S)
                    continue
                holder = _process_of(os.read(lock, LOCK_BYTES_MAX))
                raise SliceLockedError(f"{path}: held by process {holder}; {else_}") from error
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()} {secrets.token_hex(8)}\n".encode())
        os.fsync(lock)  # over a network others read it only then
        stack.pop_all()
    return lock


def _process_of(holder: bytes) -> str:
    """Process id in a lock's text; "?" where none stands."""
    return (holder.decode(errors="replace").split() or ["?"])[0]


class Watch:
    """Knows whether anybody has written in a slice since it began to look; hinders nobody.

    Args:
        root: the slice's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._epoch = self._read_epoch()

    def is_quiet(self) -> bool:
        """Nobody holds the slice, and nobody took it over since; OSError if that cannot be read."""
        return not self._is_held() and self._read_epoch() == self._epoch

    def _read_epoch(self) -> bytes:
        path = self._root / "epoch"
        return path.read_bytes() if path.exists() else b""

    def _is_held(self) -> bool:
        try:
            lock = os.open(self._root / "lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        except PermissionError:  # of another user's collector: nobody else can tell
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False
