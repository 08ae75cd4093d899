"""`stackproof cloud migrate`: evidence from elsewhere into CLOUD.toml's database. Prints."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.collector.identity import PlantIdentity, collector_keys
from cloud.config import CloudConfig, load_cloud
from cloud.database.copy_kept import copy_kept
from cloud.database.engine import Database
from cloud.database.folders import SIMULATED, PlantFolder
from cloud.database.folders import plants_in as folders_in
from cloud.database.migrate import PlantRows, Source, copy_plant
from cloud.database.store import EvidenceStore
from cloud.database.urls import ONE_MACHINE, file_of, placed, url_fault
from cloud.errors import StoreError
from cloud.lock import take_lock
from cloud.store_targets import open_store, plants_in
from evidence.errors import EvidenceError
from evidence.suites import PublicKey

PROGRESS_S = 0.5
_KEPT = {True: "are in", False: "not copied, there are some in"}


def add_migrate_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `migrate` to the commands of `stackproof cloud`."""
    migrate = commands.add_parser(
        "migrate",
        help="copy evidence from folders of before, or from another database",
        description="Copies the plants that CLOUD.toml names into its database. No collector may "
        "run. What is copied stays where it was; broken off, it goes on there. Every root is "
        "compared. From a database accounts, openings, alarms and shifts go along, unless there "
        "are some already, or --plant is given.",
        epilog="Exit status: 0 all is there, 2 cannot run, or of a plant.",
    )
    migrate.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file; without --from its evidence_dir says where the folders are",
    )  # fmt: skip
    migrate.add_argument(
        "--from", dest="source", metavar="URL", default="",
        help="the database that has the plants so far, such as sqlite:///old/evidence.db",
    )  # fmt: skip
    migrate.add_argument("--plant", help="only this one")
    migrate.set_defaults(run=_migrate)


@dataclass(frozen=True)
class _From:
    """Source of a migration: folders or a database.

    Attributes:
        name: of it, for people.
        plants: plants that are there.
        certificates: of one of them, by name.
        open: the evidence of one, believed by these keys.
        is_simulated: a simulated clock stamped it.
        database: where accounts and alarms are too; None of folders.
    """

    name: str
    plants: Sequence[str]
    certificates: Callable[[str], Mapping[str, bytes]]
    open: Callable[[str, Sequence[PublicKey]], Source]
    is_simulated: bool
    database: Database | None = None


def _migrate(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    wanted = [one for one in config.plants if args.plant in (None, one.plant)]
    if not wanted:
        raise StoreError(f"{config.path}: has no [[plant]] {args.plant}")
    wrong = list[str]()
    root = config.evidence_dir / config.slice
    source = _of_database(args.source) if args.source else _of_folders(root)
    try:
        with source as found, closing(open_store(config)) as store:
            if found.is_simulated:
                store.check_clock(is_simulated=True)
            for identity in wanted:
                if identity.plant not in found.plants:
                    print(f"{identity.plant}: has no evidence in {found.name}")
                elif why := _copied(config, identity, found, store):
                    wrong.append(why)
            if found.database is not None and args.plant is None:
                is_new = copy_kept(found.database, store.database)
                print(f"accounts, openings, alarms, shifts: {_KEPT[is_new]} {store}")
            left = sorted(set(found.plants) - {one.plant for one in config.plants})
    except OSError as error:
        raise StoreError(f"{error.filename or root}: {error.strerror}") from error
    for plant in left:
        print(f"{plant}: left in {found.name}: {config.path} has no [[plant]] of that id")
    for sentence in wrong:
        print(f"NOT copied: {sentence}", file=sys.stderr)
    return 2 if wrong else 0


@contextmanager
def _of_folders(root: Path) -> Iterator[_From]:
    """Open the folders of an older version and lock them for the migration.

    Raises:
        StoreError: there are none.
        SliceLockedError: it runs.
    """
    folders = folders_in(root)
    if not folders:
        raise StoreError(f"{root}: holds no evidence: evidence_dir says where it was so far")
    lock = take_lock(root / "lock", "a collector of before writes these folders: stop it first")
    try:
        yield _From(
            str(root), [*folders],
            lambda plant: {p.name: p.read_bytes() for p in folders[plant].glob("keys/*.crt")},
            lambda plant, keys: PlantFolder(plant, folders[plant], keys),
            (root / SIMULATED).exists(),
        )  # fmt: skip
    finally:
        os.close(lock)


@contextmanager
def _of_database(url: str) -> Iterator[_From]:
    """Open another database; an SQLite file is locked for the migration.

    Raises:
        StoreError: it is none, is not there, or refuses.
        SliceLockedError: a collector writes that file.
    """
    if fault := url_fault(url):
        raise StoreError(f"--from {url}: {fault}")
    url = placed(url, Path.cwd())
    file = file_of(url)
    if file is not None and not file.exists():
        raise StoreError(f"--from: {file} is not there")
    with closing(EvidenceStore(Database(url, ONE_MACHINE))) as store:
        yield _From(
            str(store), sorted(plants_in(store.database)), store.certificates,
            lambda plant, keys: PlantRows(plant, store.database, keys), store.is_simulated(),
            store.database,
        )  # fmt: skip


def _copied(
    config: CloudConfig, identity: PlantIdentity, source: _From, store: EvidenceStore
) -> str:
    """Copy a plant; why not, or ""."""
    plant, said_s = identity.plant, time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said_s
        if sys.stderr.isatty() and (done == total or time.monotonic() - said_s >= PROGRESS_S):
            said_s = time.monotonic()
            end = "\n" if done == total else ""
            print(f"\r… {plant}: {done} of {total} log entries ", end=end, file=sys.stderr)

    try:
        keys = collector_keys(identity, source.certificates(plant))
        evidence = source.open(plant, keys)
        writer = store.open_plant(plant, config.signer, keys)
        entries = copy_plant(evidence, writer, store, progress)
    except (StoreError, EvidenceError, OSError) as error:
        return f"{plant}: {error}"
    root = evidence.root_at(entries).hex()
    print(f"{plant}: {entries} log entries are in {store}; root {root[:16]}… is the same")
    return ""
