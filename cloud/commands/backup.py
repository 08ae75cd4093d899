"""`stackproof cloud backup`, `backup-all`, `restore`: evidence carried to another place. Prints.

A backup is a folder like the plant's own, as committed at one instant; the collector may run. What
was copied is checked like `fsck` before it gets its name, on both ways.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud.commands.backup_state import back_up
from cloud.commands.ids import plant_id
from cloud.config import CloudConfig, load_cloud
from cloud.database.engine import Database
from cloud.database.fsck import check_plant as check_in_database
from cloud.database.urls import file_of
from cloud.errors import CloudError, StoreError
from cloud.state_copy import beside, copy_database, told
from cloud.store.copying import copy_plant
from cloud.store.fsck import Checked, Trusted, check_plant
from cloud.store.fsck_findings import Fault
from cloud.store.known import gone_text
from cloud.store_targets import (
    Target,
    find_target,
    plants_in,
    require_folders,
    trusted_of,
)
from evidence.errors import EvidenceError

#: what stood beside the log when its commit had not ended: no receipt speaks of it
_UNLOGGED = {
    Fault.CERTIFICATE_UNLOGGED, Fault.ORDER_UNLOGGED, Fault.KEPT_UNLOGGED, Fault.RECORD_UNLOGGED,
}  # fmt: skip


def add_backup_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `backup` and `restore` to the commands of `stackproof cloud`."""
    backup = commands.add_parser(
        "backup",
        help="copy a plant's evidence as committed now, checked; the collector may run",
        epilog="Exit status: 0 copied and sound, 2 not: nothing is left under the plant's name.",
    )
    backup.add_argument("plant", type=plant_id, metavar="PLANT", help="its id")
    backup.add_argument(
        "where", type=Path, nargs="?", default=Path("CLOUD.toml"),
        metavar="CLOUD.toml|FOLDER", help="the collector's file, or a folder of evidence",
    )  # fmt: skip
    backup.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="the copy is FOLDER/PLANT"
    )
    backup.set_defaults(run=_backup)
    every = commands.add_parser(
        "backup-all",
        help="backup of every plant that is there, and backup-state: what a night's copy is",
        description="Secrets are in FOLDER/state: keep it as you keep the collector's key. Sealed "
        "months, CLOUD.toml, keys and broker/ are files: copy them with what you like.",
        epilog="Exit status: 0 all copied and sound, 2 something was not; the others are.",
    )
    every.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file",
    )  # fmt: skip
    every.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the copies are FOLDER/PLANT and FOLDER/state; a folder for each night",
    )
    every.set_defaults(run=_backup_all)
    restore = commands.add_parser(
        "restore",
        help="put a plant's backup where this collector has no evidence of it",
        description="CLOUD.toml names the plant; the collector serves it from its next start on.",
        epilog="Exit status: 0 in place and sound, 2 not: nothing was changed.",
    )
    restore.add_argument("backup", type=Path, metavar="BACKUP", help="the folder of a backup")
    restore.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    restore.set_defaults(run=_restore)


def _backup(args: argparse.Namespace) -> int:
    require_folders(args.where, "backup")
    target = find_target(args.where, args.plant)
    checked = _copied(target.folder(args.plant), args.out / args.plant, target.plants[args.plant])
    _print("backed up", checked, args.out / args.plant)
    _tell_unpinned(target)
    return 0


def _tell_unpinned(target: Target) -> None:
    if not target.is_pinned:
        print(
            "not checked: whose roots these are; name CLOUD.toml with all these plants to compare"
        )


def _backup_all(args: argparse.Namespace) -> int:
    """One that cannot be copied keeps no other from being copied: a disk may be full of one."""
    config = load_cloud(args.config)
    if config.database:
        return _backup_database(args, config)
    target, wrong = find_target(args.config, None), list[str]()
    for plant, trusted in target.plants.items():
        try:
            checked = _copied(target.folder(plant), args.out / plant, trusted)
        except (CloudError, EvidenceError) as error:
            wrong.append(f"{plant}: {error}")
        else:
            _print("backed up", checked, args.out / plant)
    _tell_unpinned(target)
    wrong += [f"{plant}: {gone_text(target.folder(plant))}" for plant in target.gone]
    for plant in sorted({*target.absent} - {*target.gone}):
        print(f"{plant}: has no evidence yet")
    try:
        back_up(args.config, args.out, target.plants)
    except (CloudError, EvidenceError) as error:
        wrong.append(str(error))
    for sentence in wrong:
        print(f"NOT backed up: {sentence}", file=sys.stderr)
    return 2 if wrong else 0


def _backup_database(args: argparse.Namespace, config: CloudConfig) -> int:
    """An SQLite as it is at one instant, checked; a server has its own way."""
    source, wrong = file_of(config.database), list[str]()
    if source is None:
        wrong.append(f"{config.where}: back it up as its manual says (docs/database.md)")
    else:
        to = args.out / source.name
        try:
            args.out.mkdir(parents=True, exist_ok=True)
            with told(to), beside(to) as made:
                copy_database(source, made)
                for checked in _checked_copy(made, config):
                    _print("backed up", checked, to)
        except (CloudError, EvidenceError) as error:
            wrong.append(str(error))
    for sentence in wrong:
        print(f"NOT backed up: {sentence}", file=sys.stderr)
    return 2 if wrong else 0


def _checked_copy(file: Path, config: CloudConfig) -> Iterator[Checked]:
    """Each plant that is there; StoreError where one is not sound."""
    database = Database(f"sqlite:///{file}")
    try:
        there = plants_in(database)
        for plant, trusted in trusted_of(config).items():
            if plant in there:
                yield _sound(file, check_in_database(plant, database, trusted))
    finally:
        database.close()


def _restore(args: argparse.Namespace) -> int:
    require_folders(args.config, "restore")
    config, plant = load_cloud(args.config), args.backup.resolve().name
    known = {identity.plant: identity for identity in config.plants}
    if plant not in known:
        raise StoreError(f"{args.config}: has no plant {plant}: write its [[plant]] first")
    trusted = Trusted(known[plant].root.certificate, (known[plant].collector.key,))
    to = config.evidence_dir / config.slice / plant
    checked = _copied(args.backup.resolve(), to, trusted)
    _print("restored", checked, to)
    print("the collector serves it from its next start on; its archives are copied by hand")
    return 0


def _copied(root: Path, to: Path, trusted: Trusted) -> Checked:
    """Copy, check the copy, give it its name; StoreError when it is not sound, or is there."""
    with told(to), beside(to) as made:
        copy_plant(root, made)
        return _sound(root, _check(to.name, made, trusted))


def _sound(root: Path, checked: Checked) -> Checked:
    if checked.findings:
        raise StoreError(f"{root}: was not copied: {checked.findings[0].sentence}")
    return checked


def _check(plant: str, folder: Path, trusted: Trusted) -> Checked:
    checked = check_plant(plant, folder, trusted, is_quiet=lambda: True)
    unlogged = [folder / f.file for f in checked.findings if f.fault in _UNLOGGED]
    if not unlogged:
        return checked
    for path in unlogged:
        path.unlink()
    return check_plant(plant, folder, trusted, is_quiet=lambda: True)


def _print(done: str, checked: Checked, to: Path) -> None:
    print(
        f"{done} {checked.plant}: {checked.entries} log entries, {checked.objects} objects, "
        f"{checked.object_bytes} bytes; root {checked.root[:16]}…: {to}"
    )
