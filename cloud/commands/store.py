"""`stackproof cloud fsck` and `rebuild`: stored evidence checked, projections made again. Prints.

Both work on the files themselves, with or without a running collector (fsck) or only without one
(rebuild).
"""

import argparse
import json
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloud.commands.ids import plant_id
from cloud.commands.series import refill
from cloud.database.fsck import check_plant as check_in_database
from cloud.database.store import GONE
from cloud.errors import StoreError
from cloud.store.disk import Disk
from cloud.store.fsck import Checked, check_plant
from cloud.store.known import gone_text
from cloud.store.layout import PlantFolder
from cloud.store.rebuild import rebuild_plant, rebuildable
from cloud.store.slice import Watch, take_lock
from cloud.store_targets import Target, find_target, require_folders
from evidence.printed import printable

EXIT_SOUND, EXIT_FOUND = 0, 1
PROGRESS_S = 0.5


def add_store_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `fsck` and `rebuild` to the commands of `stackproof cloud`."""
    fsck = commands.add_parser(
        "fsck",
        help="check stored evidence: make index, tree and root again and compare",
        description="Reads only; may run beside the collector.",
        epilog="Exit status: 0 sound, 1 something differs or is gone, 2 cannot run, or of a plant.",
    )
    rebuild = commands.add_parser(
        "rebuild",
        help="make index, tree and state again from the log, where fsck says they differ",
        description="Never writes evidence; the collector must be stopped.",
        epilog="Exit status: 0 sound now, 1 something still differs, 2 cannot run, or of a plant.",
    )
    for command, act in ((fsck, _fsck), (rebuild, _rebuild)):
        command.add_argument(
            "where", type=Path, nargs="?", default=Path("CLOUD.toml"),
            metavar="CLOUD.toml|FOLDER", help="the collector's file, or a folder of evidence",
        )  # fmt: skip
        command.add_argument("--plant", type=plant_id, help="only this plant")
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.set_defaults(run=act)
    # for the collector's own walk (cloud/scrub.py): seconds for each entry, and where it goes on
    fsck.add_argument("--walk", type=float, default=None, help=argparse.SUPPRESS)
    fsck.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    rebuild.add_argument(
        "--series", action="store_true",
        help="then make the series again, in the store that CLOUD.toml names",
    )  # fmt: skip


def _fsck(args: argparse.Namespace) -> int:
    target = find_target(args.where, args.plant)
    watch = None if target.database is not None else Watch(target.root)
    slowly = None if args.walk is None else Slowly(args.walk)
    found, amiss = _each(
        target, lambda plant: (_check(target, plant, watch, slowly, args.first), 0)
    )
    return _told(target, found, amiss, as_json=args.json)


def _rebuild(args: argparse.Namespace) -> int:
    require_folders(args.where, "rebuild")
    target = find_target(args.where, args.plant)
    with _readable(target):
        _require_no_others(target)
    with _readable(target), _locked(target):
        found, amiss = _each(target, lambda plant: _made_again(target, plant))
        if args.series:
            folders = {plant: target.folder(plant) for plant in target.plants}
            try:
                for sentence in refill(args.where, folders):
                    print(sentence, file=sys.stderr if args.json else sys.stdout)
            except StoreError as error:
                amiss.append(str(error))
    return _told(target, found, amiss, as_json=args.json)


def _each(
    target: Target, work: Callable[[str], tuple[Checked, int]]
) -> tuple[list[tuple[Checked, int]], list[str]]:
    """What comes of each plant, and what is wrong with those that keep none from its turn."""
    found, amiss = list[tuple[Checked, int]](), list[str]()
    for plant in target.plants:
        try:
            with _readable(target):
                found.append(work(plant))
        except StoreError as error:
            amiss.append(str(error))
    return found, amiss


def _made_again(target: Target, plant: str) -> tuple[Checked, int]:
    """A plant as it is now, and how many findings were put right."""
    checked = _check(target, plant)
    PlantFolder(target.folder(plant)).accumulated.unlink(missing_ok=True)
    wrong = len(rebuildable(checked))
    if not wrong:
        return checked, 0
    disk = Disk(target.root)  # its own: what is left of one that broke off is not published
    try:
        rebuild_plant(target.folder(plant), disk, checked)
    finally:
        disk.close()
    return _check(target, plant), wrong


@contextmanager
def _readable(target: Target) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        who = ": run this as the collector's user" if isinstance(error, PermissionError) else ""
        raise StoreError(f"{error.filename or target.root}: {error.strerror}{who}") from error


def _require_no_others(target: Target) -> None:
    """StoreError for root in another user's folder: by links that one leads it where he likes."""
    if os.geteuid() != 0:
        return
    for folder in (target.root, *map(target.folder, target.plants)):
        # whose link it is, and of what it leads to: root's own /tmp, say, takes anybody's folders
        for status in (folder.lstat(), folder.stat()):
            if status.st_uid:
                raise StoreError(_sent_to(status, folder))


def _sent_to(whose: os.stat_result, folder: Path) -> str:
    try:
        name = pwd.getpwuid(whose.st_uid).pw_name
        run = f"runuser -u {name} --"
    except KeyError:  # of a container, or a share
        name = f"user {whose.st_uid}"
        run = f"setpriv --reuid {whose.st_uid} --regid {whose.st_gid} --clear-groups"
    return (
        f"{folder}: belongs to {name}, whose links could lead root elsewhere: run this as {name} "
        f"({run} stackproof cloud rebuild …)"
    )


@contextmanager
def _locked(target: Target) -> Iterator[None]:
    lock = take_lock(target.root / "lock")
    try:
        yield
    finally:
        os.close(lock)


class Slowly:
    """Progress of a walk that leaves the machine to others: a line on stderr, then a pause.

    Args:
        entry_s: seconds that an entry may take; the walk works a twentieth of the time at least.
    """

    BUSY = 20

    def __init__(self, entry_s: float) -> None:
        self._entry_s, self._done, self._since_s = entry_s, 0, time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        """So many entries are done."""
        print(done, total or 0, file=sys.stderr, flush=True)
        worked_s = time.monotonic() - self._since_s
        due_s = self._entry_s * (done - self._done) - worked_s
        time.sleep(max(0.0, min(due_s, (self.BUSY - 1) * worked_s)))
        self._done, self._since_s = done, time.monotonic()


def _check(
    target: Target, plant: str, watch: Watch | None = None, slowly: Slowly | None = None,
    first: int = 0,
) -> Checked:  # fmt: skip
    said_at = time.monotonic()

    def progress(done: int, total: int | None) -> None:
        nonlocal said_at
        if sys.stderr.isatty() and time.monotonic() - said_at >= PROGRESS_S:
            said_at = time.monotonic()
            share = f" of {total}" if total else ""
            print(f"\r… {plant}: {done}{share} log entries   ", end="", file=sys.stderr, flush=True)

    trusted = target.plants[plant]
    if target.database is not None:
        checked = check_in_database(
            plant, target.database, trusted, progress=slowly or progress, first=first
        )
    else:
        checked = check_plant(
            plant, target.folder(plant), trusted, progress=slowly or progress, first=first,
            is_quiet=(lambda: True) if watch is None else watch.is_quiet,
        )  # fmt: skip
    if sys.stderr.isatty():
        print(f"\r{'':<64}\r", end="", file=sys.stderr)
    return checked


def _told(
    target: Target, found: list[tuple[Checked, int]], amiss: list[str], *, as_json: bool
) -> int:
    """Print, and give the exit status; StoreError where something is amiss."""
    sound = not target.gone and not any(checked.findings for checked, _ in found)
    if as_json:
        rows = [{**_facts(checked), "rebuilt": rebuilt} for checked, rebuilt in found]
        facts = {"sound": sound and not amiss, "plants": rows}
        facts |= {"absent": target.absent, "gone": target.gone, "roots_pinned": target.is_pinned}
        print(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        _print(target, found)
    if amiss:
        raise StoreError("; ".join(amiss))
    return EXIT_SOUND if sound else EXIT_FOUND


def _print(target: Target, found: list[tuple[Checked, int]]) -> None:
    for checked, rebuilt in found:
        if rebuilt:
            print(f"{checked.plant}: made again what {rebuilt} finding(s) named")
        _print_plant(checked)
    for plant in target.gone:
        is_folder = target.database is None
        said = gone_text(target.folder(plant)) if is_folder else GONE.format(
            plant=plant, where=target.where)  # fmt: skip
        print(f"GONE  {said}")
    for plant in sorted({*target.absent} - {*target.gone}):
        print(f"{plant}: no evidence under {target.where} yet; if there was some, it is gone")
    if not target.is_pinned:
        print(
            "not checked: whose roots these are; name CLOUD.toml with all these plants to compare"
        )


def _print_plant(checked: Checked) -> None:
    word = "DIFFERS" if checked.findings else "SOUND"
    print(
        f"{word}  {checked.plant}: {checked.entries} log entries, {checked.objects} objects, "
        f"{checked.object_bytes} bytes; root {checked.root[:16]}…"
    )
    for finding in checked.findings:
        print(f"  {finding.fault}  {printable(finding.sentence)}")  # names are anybody's
    if left := checked.waiting.files:
        print(
            f"  {checked.waiting.signed} signed objects wait in {left} files of aside/ where a "
            "start put them (operations.md, “What a start set aside”)"
        )
    if not checked.beyond:
        print("  a collector is writing: what lies behind its newest checkpoint was not looked at")


def _facts(checked: Checked) -> dict[str, Any]:
    return {
        "plant": checked.plant,
        "signed": checked.signed,
        "entries": checked.entries,
        "objects": checked.objects,
        "object_bytes": checked.object_bytes,
        "root": checked.root,
        "beyond": checked.beyond,
        "aside": {"files": checked.waiting.files, "signed": checked.waiting.signed},
        "findings": [finding.as_json() for finding in checked.findings],
    }
