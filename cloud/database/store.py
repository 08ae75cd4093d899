"""The evidence of the plants that this process writes, and commits across them.

A commit is one transaction for all plants that have something staged: leases are renewed in it,
each plant's checkpoint moves on from the one that is known here, then come objects, entries and all
else. A receipt may be signed after it, never before.
"""

import fcntl
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, insert, select

from cloud.database.commit import write_all
from cloud.database.engine import Database
from cloud.database.lease import Lease, take
from cloud.database.opening import Found, find
from cloud.database.schema import key_file, setting, stored
from cloud.database.schema import plant as plant_table
from cloud.database.schema import stream as stream_table
from cloud.database.urls import file_of
from cloud.database.writer import PlantWriter
from cloud.errors import (
    AlteredEvidenceError,
    DamagedLogError,
    DatabaseAwayError,
    NotReplicatedError,
    SliceLockedError,
    SliceLostError,
    StaleStateError,
    StoreError,
)
from evidence.errors import KeyFileError
from evidence.findings import utc
from evidence.keys import Signer
from evidence.suites import PublicKey

#: what to say of evidence that was there, and of a unit that nothing is written of
GONE = (
    "plant {plant}: there was evidence at an earlier start of this collector, and there is none in "
    "{where} now: mount its volume, or restore a backup (docs/database.md). To begin another log "
    "all the same, take the plant's line out of evidence.known in state_dir"
)
#: which clock stamps it, where that is a simulated one
_CLOCK = select(setting.c.value).where(setting.c.name == "clock")
#: seconds between two renewals of what nothing is committed of
RENEW_S = 3.0
#: why a commit was not made: the database, or a token that does not sign
Failure = KeyFileError | StoreError


class EvidenceStore:
    """Writer of plants, whose units it has taken. One thread in it.

    Args:
        database: where; it is closed with this.
        unit: taken at once, and the plants' that are opened without naming one; "" for none.

    Attributes:
        known: plants that had evidence before: no log is begun in the place of theirs.
        leases: units taken by now.
        plants: open plants by id.
        damaged: plants that could not be opened -> why.
        altered: plants of which altered evidence was read; whoever tells of it takes it out.

    Raises:
        SliceLockedError: another process writes this SQLite file.
    """

    def __init__(self, database: Database, unit: str = "") -> None:
        self.database, self.unit = database, unit
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.leases: dict[str, Lease] = {}
        self.plants: dict[str, PlantWriter] = {}
        self.damaged: dict[str, str] = {}
        self.altered: dict[str, AlteredEvidenceError] = {}
        self.known: frozenset[str] = frozenset()
        self._is_confirmed = True
        self._renewed_s = time.monotonic()
        with ExitStack() as stack:
            stack.callback(database.close)
            self._lock = _take_file(database) if database.is_sqlite else None
            if unit:
                self.take(unit)
            stack.pop_all()

    def __str__(self) -> str:
        """The database's name."""
        return self.database.name

    @property
    def epoch(self) -> int:
        """How often the unit was taken, from 1; goes into each log entry."""
        return self.leases[self.unit].epoch

    # -- units ------------------------------------------------------------------------------------

    def take(self, unit: str) -> Lease:
        """Take a unit's lease; SliceLockedError where somebody holds it."""
        lease = take(self.database, unit, self.holder, at_once=self._lock is not None)
        if self.database.take_unreplicated():
            self._is_confirmed = False
        self.leases[unit] = lease
        return lease

    def give_up_unit(self, unit: str, *, is_lost: bool = False) -> None:
        """Close a unit's plants and give its lease back; what is staged is dropped."""
        for name in [n for n, store in self.plants.items() if store.lease.unit == unit]:
            self.plants.pop(name).drop()
        lease = self.leases.pop(unit)
        if not is_lost:
            lease.give_back(self.database)

    def renew(self) -> None:
        """Renew every lease, so that they do not lapse while nothing is committed.

        Raises:
            SliceLostError: one was taken by another collector.
            StoreError: the database refuses.
        """
        self._confirm()

    def is_ours(self) -> bool:
        """True, and the leases are renewed now and then; False while the database is away.

        What is written needs no answer of this: each commit checks the leases for itself.

        Raises:
            SliceLostError: as by `renew`.
        """
        if self._lock is not None or time.monotonic() - self._renewed_s < RENEW_S:
            return True
        try:
            self.renew()
        except SliceLostError:
            raise
        except StoreError:
            return False
        self._renewed_s = time.monotonic()
        return True

    # -- plants -----------------------------------------------------------------------------------

    def open_plant(
        self, plant: str, signer: Signer, keys: Sequence[PublicKey], unit: str = ""
    ) -> PlantWriter:
        """Open (or make) a plant's evidence at its newest state, once.

        Args:
            plant: plant id.
            signer: the collector's key.
            keys: its public half first, then keys of earlier collectors of this plant.
            unit: whose lease, already taken, it is written under.

        Raises:
            DamagedLogError: less is there than was signed; also kept in `damaged`.
            StoreError: the database refuses.
        """
        if plant in self.plants:
            return self.plants[plant]
        lease = self.leases[unit or self.unit]
        try:
            found = find(self.database, plant, keys) or self._begun(plant, lease)
        except DamagedLogError as error:
            self.damaged[plant] = str(error)
            raise
        store = PlantWriter(found, self.database, lease, signer, keys)
        self.plants[plant] = store
        store.reader.on_altered = lambda error: self._note_altered(plant, error)
        return store

    def _begun(self, plant: str, lease: Lease) -> Found:
        if plant in self.known:
            raise DamagedLogError(GONE.format(plant=plant, where=self))
        return self._made(plant, lease)

    def _made(self, plant: str, lease: Lease) -> Found:
        with self.database.writing() as connection:
            lease.renew(self.database, connection)
            connection.execute(insert(plant_table), {"name": plant, "unit": lease.unit})
        found = find(self.database, plant, ())
        if found is None:
            raise StoreError(f"plant {plant} was made in {self.database.name} and is not there")
        return found

    def _note_altered(self, plant: str, error: AlteredEvidenceError) -> None:
        self.altered.setdefault(plant, error)

    def certificates(self, plant: str) -> Mapping[str, bytes]:
        """Name -> bytes of what is kept beside a plant's log; nothing of one that is not there."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(key_file.c.name, key_file.c.data)
                .join(plant_table, plant_table.c.id == key_file.c.plant_id)
                .where(plant_table.c.name == plant)
            ).all()
        return {row.name: row.data for row in rows}

    def free_bytes(self, plant: str) -> int | None:
        """Bytes free where evidence is written; None where another machine knows. OSError."""
        path = file_of(self.database.url)
        return None if path is None else shutil.disk_usage(path.parent).free

    def month_of(self, plant: str, stream: str, seq: int) -> str:
        """UTC month of a gateway's object, such as 2026-09; "" where there is none.

        Raises:
            StoreError: the database refuses.
        """
        with self.database.reading() as connection:
            at_ns = connection.scalar(
                select(stored.c.at_ns)
                .select_from(stored.join(stream_table).join(plant_table))
                .where(plant_table.c.name == plant, stream_table.c.name == stream)
                .where(stored.c.seq == seq)
            )
        return utc(at_ns)[:7] if at_ns else ""

    def check_clock(self, *, is_simulated: bool) -> None:
        """Refuse evidence of the other clock; mark what is begun under a simulated one.

        Raises:
            StoreError: it is of the other clock, or the database refuses.
        """
        with self.database.writing() as connection:
            was = connection.scalar(_CLOCK)
            if was is not None and not is_simulated:
                raise StoreError(
                    f"{self}: its log was stamped by a simulated clock: go on with --clock sim, "
                    "or name another database"
                )
            if is_simulated and was is None:
                if connection.scalar(select(func.count()).select_from(plant_table)):
                    raise StoreError(
                        f"{self}: there is evidence that a simulated clock would spoil: for "
                        "--clock sim name a database of its own"
                    )
                connection.execute(insert(setting), {"name": "clock", "value": "simulated"})

    def is_simulated(self) -> bool:
        """A simulated clock stamped what is there; StoreError where the database refuses."""
        with self.database.reading() as connection:
            return connection.scalar(_CLOCK) is not None

    def give_up(self, plant: str, reason: str) -> None:
        """Close a plant again, if it is open: it cannot be served."""
        self.damaged[plant] = reason
        self.plants.pop(plant, None)

    # -- commits ----------------------------------------------------------------------------------

    def commit(self) -> tuple[list[PlantWriter], Mapping[str, Failure]]:
        """Commit everything staged and sign it.

        When the database or the key refuses, each plant is tried alone, so that one plant's trouble
        stays its own; what still cannot be written is dropped (its gateways send it again).

        Returns:
            Plants that were committed, and plants that were not with the reason.

        Raises:
            SliceLostError: another collector has taken a unit: nothing is written.
        """
        if not self._is_confirmed:
            try:
                self._confirm()
            except SliceLostError:
                raise
            except StoreError as error:
                return [], self._dropped(self.plants.values(), error)
        failed = self._read_stale()
        dirty = [store for store in self.plants.values() if store.is_dirty]
        ready = self._signed(dirty, failed)
        if not ready:
            return [], failed
        why = self._try(ready)
        if why is None:
            return ready, failed
        if len(ready) == 1 or isinstance(why, DatabaseAwayError | NotReplicatedError):
            return [], {**failed, **self._dropped(ready, why)}
        done = list[PlantWriter]()
        for store in ready:
            alone = self._try([store])
            if alone is None:
                done.append(store)
            else:
                failed.update(self._dropped([store], alone))
        return done, failed

    def _confirm(self) -> None:
        """One more transaction: when it is replicated, so is all that was committed before it."""
        with self.database.writing() as connection:
            for lease in self.leases.values():
                lease.renew(self.database, connection)
        self._is_confirmed = False
        self._require_replicated()
        self._is_confirmed = True

    def _require_replicated(self) -> None:
        said = self.database.take_unreplicated()
        if said:
            raise NotReplicatedError(f"{self.database.name}: committed on one machine only: {said}")

    def _read_stale(self) -> dict[str, Failure]:
        """Read plants again whose last commit may or may not have been made."""
        failed = dict[str, Failure]()
        for name, store in self.plants.items():
            if store.is_stale:
                try:
                    was_dirty = store.is_dirty
                    if store.read_again() and was_dirty:
                        failed[name] = StaleStateError(f"plant {name}: its log was read again")
                except StoreError as error:
                    store.drop()
                    failed[name] = error
        return failed

    def _signed(
        self, stores: Iterable[PlantWriter], failed: dict[str, Failure]
    ) -> list[PlantWriter]:
        """Those whose checkpoint could be signed."""
        ready = list[PlantWriter]()
        for store in stores:
            try:
                store.sign()
            except KeyFileError as error:
                failed.update(self._dropped([store], error))
            else:
                ready.append(store)
        return ready

    def _try(self, stores: Sequence[PlantWriter]) -> StoreError | None:
        leases = {store.lease.unit: store.lease for store in stores}
        try:
            with self.database.writing() as connection:
                for _, lease in sorted(leases.items()):
                    lease.renew(self.database, connection)
                write_all(connection, stores)
            self._require_replicated()
        except SliceLostError:
            raise
        except StoreError as error:
            self._is_confirmed = False  # it may have been made all the same
            for store in stores:
                store.is_stale = True
            return error
        for store in stores:
            store.settle()
        return None

    @staticmethod
    def _dropped(stores: Iterable[PlantWriter], error: Failure) -> dict[str, Failure]:
        found = list(stores)
        for store in found:
            store.drop()
        return {store.plant: error for store in found}

    def close(self) -> None:
        """Give everything back. What is staged is dropped."""
        with ExitStack() as stack:
            stack.callback(self.database.close)
            if self._lock is not None:
                stack.callback(os.close, self._lock)
            for unit in list(self.leases):
                stack.callback(self.give_up_unit, unit)
        self.plants.clear()


def _take_file(database: Database) -> int | None:
    """The lock of an SQLite file, for as long as the descriptor is open; None in memory."""
    path = database.engine.url.database
    if not path or path == ":memory:":
        return None
    lock = os.open(Path(f"{path}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise SliceLockedError(
            f"{database.name}: another collector writes this database: stop that one first"
        ) from error
    return lock
