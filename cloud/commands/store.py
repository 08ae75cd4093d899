"""`stackproof cloud fsck` and `rebuild`: stored evidence checked, series made again. Prints."""

import argparse
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from cloud.commands.ids import plant_id
from cloud.commands.series import refill
from cloud.config import load_cloud
from cloud.database.fsck import Checked, check_plant
from cloud.database.store import GONE
from cloud.errors import StoreError
from cloud.store_targets import Target, find_target
from evidence.printed import printable

EXIT_SOUND, EXIT_FOUND = 0, 1
PROGRESS_S = 0.5


def add_store_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `fsck` and `rebuild` to the commands of `stackproof cloud`."""
    fsck = commands.add_parser(
        "fsck",
        help="check stored evidence: hash every object, make tree and root again and compare",
        description="Reads only; may run beside the collector.",
        epilog="Exit status: 0 sound, 1 something differs or is gone, 2 cannot run, or of a plant.",
    )
    rebuild = commands.add_parser(
        "rebuild",
        help="make the series again from the log, in the store that CLOUD.toml names",
        description="Never writes evidence; the collector must be stopped.",
        epilog="Exit status: 0 made again, 2 cannot run, or of a plant.",
    )
    for command, act in ((fsck, _fsck), (rebuild, _rebuild)):
        command.add_argument(
            "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
            help="the collector's file",
        )  # fmt: skip
        command.add_argument("--plant", type=plant_id, help="only this plant")
        command.set_defaults(run=act)
    fsck.add_argument("--json", action="store_true", help="one JSON object on stdout")
    # for the collector's own walk (cloud/scrub.py): seconds for each entry, and where it goes on
    fsck.add_argument("--walk", type=float, default=None, help=argparse.SUPPRESS)
    fsck.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)


def _fsck(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    target = find_target(config, args.plant)
    slowly = None if args.walk is None else Slowly(args.walk)
    found, amiss = list[Checked](), list[str]()
    with closing(target.database):
        for plant in target.plants:
            try:
                found.append(_check(target, plant, slowly, args.first))
            except StoreError as error:
                amiss.append(str(error))
    return _told(target, found, amiss, as_json=args.json)


def _rebuild(args: argparse.Namespace) -> int:
    for sentence in refill(load_cloud(args.config), args.plant):
        print(sentence)
    return EXIT_SOUND


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


def _check(target: Target, plant: str, slowly: Slowly | None, first: int) -> Checked:
    said_at = time.monotonic()

    def progress(done: int, total: int | None) -> None:
        nonlocal said_at
        if sys.stderr.isatty() and time.monotonic() - said_at >= PROGRESS_S:
            said_at = time.monotonic()
            share = f" of {total}" if total else ""
            print(f"\r… {plant}: {done}{share} log entries   ", end="", file=sys.stderr, flush=True)

    trusted = target.plants[plant]
    checked = check_plant(plant, target.database, trusted, progress=slowly or progress, first=first)
    if sys.stderr.isatty():
        print(f"\r{'':<64}\r", end="", file=sys.stderr)
    return checked


def _told(target: Target, found: list[Checked], amiss: list[str], *, as_json: bool) -> int:
    """Print, and give the exit status; StoreError where something is amiss."""
    sound = not target.gone and not any(checked.findings for checked in found)
    if as_json:
        facts = {"sound": sound and not amiss, "plants": [_facts(checked) for checked in found]}
        facts |= {"absent": target.absent, "gone": target.gone, "roots_pinned": target.is_pinned}
        print(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        _print(target, found)
    if amiss:
        raise StoreError("; ".join(amiss))
    return EXIT_SOUND if sound else EXIT_FOUND


def _print(target: Target, found: list[Checked]) -> None:
    where = target.database.name
    for checked in found:
        _print_plant(checked)
    for plant in target.gone:
        print(f"GONE  {GONE.format(plant=plant, where=where)}")
    for plant in sorted({*target.absent} - {*target.gone}):
        print(f"{plant}: no evidence in {where} yet; if there was some, it is gone")
    if not target.is_pinned:
        print("not checked: whose roots these are; CLOUD.toml names only some of these plants")


def _print_plant(checked: Checked) -> None:
    word = "DIFFERS" if checked.findings else "SOUND"
    print(
        f"{word}  {checked.plant}: {checked.entries} log entries, {checked.objects} objects, "
        f"{checked.object_bytes} bytes; root {checked.root[:16]}…"
    )
    for finding in checked.findings:
        print(f"  {finding.fault}  {printable(finding.sentence)}")  # names are anybody's
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
        "findings": [finding.as_json() for finding in checked.findings],
    }
