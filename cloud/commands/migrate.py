"""`stackproof cloud migrate`: evidence from folders into CLOUD.toml's database. Prints."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from cloud.collector.identity import PlantIdentity, collector_keys
from cloud.config import CloudConfig, load_cloud
from cloud.database.migrate import copy_plant
from cloud.database.store import EvidenceStore
from cloud.errors import CloudError, StoreError
from cloud.evidence_store import open_store
from cloud.store.clock_mark import MARK
from cloud.store.slice import SliceStore

PROGRESS_S = 0.5


def add_migrate_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `migrate` to the commands of `stackproof cloud`."""
    migrate = commands.add_parser(
        "migrate",
        help="copy evidence from folders into the database that CLOUD.toml names",
        description="The collector must be stopped. Folders are left as they are; broken off, it "
        "goes on where it was. Every root is compared.",
        epilog="Exit status: 0 all is there, 2 cannot run, or of a plant.",
    )
    migrate.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file, with database and evidence_dir",
    )  # fmt: skip
    migrate.set_defaults(run=_migrate)


def _migrate(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    if not config.database:
        raise CloudError(f"{args.config}: cloud.database: is missing: name the new place first")
    root = config.evidence_dir / config.slice
    if not root.is_dir():
        raise StoreError(f"{root}: holds no evidence: evidence_dir says where it was so far")
    folders, wrong = SliceStore(root), list[str]()
    try:
        store = open_store(config)
        if not isinstance(store, EvidenceStore):
            raise TypeError("a database was named")
        try:
            if (root / MARK).exists():
                store.check_clock(is_simulated=True)
            for identity in config.plants:
                if why := _copied(config, identity, folders, store):
                    wrong.append(why)
        finally:
            store.close()
    finally:
        folders.close()
    named = {identity.plant for identity in config.plants}
    for folder in sorted(path for path in root.iterdir() if (path / "log").is_dir()):
        if folder.name not in named:
            wrong.append(f"{folder}: CLOUD.toml has no [[plant]] {folder.name}: left where it is")
    for sentence in wrong:
        print(f"NOT copied: {sentence}", file=sys.stderr)
    return 2 if wrong else 0


def _copied(
    config: CloudConfig, identity: PlantIdentity, folders: SliceStore, store: EvidenceStore
) -> str:
    """Copy a plant; why not, or ""."""
    plant, said_s = identity.plant, time.monotonic()
    if not (folders.folder(plant) / "log").is_dir():
        print(f"{plant}: has no evidence in {folders} yet")
        return ""

    def progress(done: int, total: int) -> None:
        nonlocal said_s
        if sys.stderr.isatty() and (done == total or time.monotonic() - said_s >= PROGRESS_S):
            said_s = time.monotonic()
            end = "\n" if done == total else ""
            print(f"\r… {plant}: {done} of {total} log entries ", end=end, file=sys.stderr)

    try:
        keys = collector_keys(identity, folders.certificates(plant))
        reader = folders.open_plant(plant, config.signer, keys).reader
        writer = store.open_plant(plant, config.signer, keys)
        entries = copy_plant(reader, writer, store, progress)
    except StoreError as error:
        return str(error)
    root = reader.compact_range(entries).root().hex()
    print(f"{plant}: {entries} log entries are in {store}; root {root[:16]}… is the same")
    return ""
