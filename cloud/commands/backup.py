"""`stackproof cloud backup`: an SQLite with all that a collector keeps, as at one instant. Prints.

The collector may run. What was copied is checked like `fsck` before it gets its name.
"""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from cloud.config import load_cloud
from cloud.database.copying import beside, copy_database, told
from cloud.database.engine import Database
from cloud.database.fsck import check_plant
from cloud.database.urls import file_of
from cloud.errors import StoreError
from cloud.store_targets import plants_in, trusted_of


def add_backup_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `backup` to the commands of `stackproof cloud`."""
    backup = commands.add_parser(
        "backup",
        help="copy the SQLite of evidence, accounts and alarms as it is now, checked",
        description="The collector may run. Secrets are in the copy: keep it as you keep the "
        "collector's key. Sealed months, CLOUD.toml, keys and broker/ are files: copy them with "
        "what you like. A PostgreSQL is backed up as its manual says (docs/database.md).",
        epilog="Exit status: 0 copied and sound, 2 not: nothing is left under the copy's name.",
    )
    backup.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file",
    )  # fmt: skip
    backup.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER",
        help="the copy has the database's name there; a folder for each night",
    )  # fmt: skip
    backup.set_defaults(run=_backup)


def _backup(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    source, trusted = file_of(config.database), trusted_of(config)
    if source is None:
        raise StoreError(f"{config.where}: back it up as its manual says (docs/database.md)")
    to = args.out / source.name
    lines = list[str]()
    with told(to), beside(to) as made:
        copy_database(source, made)
        with closing(Database(f"sqlite:///{made}")) as database:
            there = plants_in(database)
            for plant in sorted(there & trusted.keys()):
                checked = check_plant(plant, database, trusted[plant])
                if checked.findings:
                    raise StoreError(f"{source}: not copied: {checked.findings[0].sentence}")
                lines.append(
                    f"backed up {plant}: {checked.entries} log entries, {checked.objects} objects, "
                    f"{checked.object_bytes} bytes; root {checked.root[:16]}…: {to}"
                )
    lines += [f"{plant}: has no evidence yet" for plant in sorted(trusted.keys() - there)]
    print("\n".join(lines))
    return 0
