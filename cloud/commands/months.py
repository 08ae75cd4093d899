"""`stackproof cloud month …`: close, amend, seal again, list and show months. Prints.

Months are closed by the running collector; this asks it. What is made of sealed months is in
`cloud.commands.outputs`, and asks nobody.
"""

import argparse
import base64
import contextlib
import filecmp
import json
import re
import shutil
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.closing.kept import read_kept
from cloud.closing.stamp import make_request
from cloud.commands.ids import plant_id
from cloud.commands.month_effects import add_effects_command
from cloud.commands.month_uncertainty import add_uncertainty_command
from cloud.commands.outputs import add_output_commands
from cloud.commands.screening import add_alike_command, add_screening_command
from cloud.config import read_archive_dir
from cloud.errors import CarriedFileError, CloudError, TimeStampError
from evidence.archive.paths import SEAL
from evidence.timestamp import RESPONSE_BYTES_MAX

#: a month of a large plant is folded and packed in minutes
CLOSE_S = 3_600.0

#: seconds between two looks at how far a closing is
TELL_S = 2.0
#: states of months that nobody waits for
DONE = ("closed", "sealed", "amended")

#: what the API takes
MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def add_month_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `month` to the commands of `stackproof cloud`."""
    month = commands.add_parser("month", help="close, seal and list months; papers of them")
    month = month.add_subparsers(required=True, metavar="COMMAND")
    close = month.add_parser("close", help="close and seal a month")
    seal = month.add_parser(
        "seal", help="build a closed month's archive again, with signatures that came since"
    )
    add_uncertainty_command(month)
    add_effects_command(month)
    listing = month.add_parser("list", help="list months: state, days left, archives")
    show = month.add_parser("show", help="a month's checklist: what is owed, and by whom")
    for command, act in ((close, _close), (seal, _seal), (listing, _list), (show, _show)):
        command.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.set_defaults(run=act)
    for command in (close, seal, show):
        command.add_argument("--plant", required=True, type=plant_id, help="plant id")
        command.add_argument(
            "--month", required=True, type=_month, help="YYYY-MM in the plant's time zone"
        )
    for command in (close, seal):
        command.add_argument("--out", type=Path, metavar="DIR", help="also copy the archive there")
        command.add_argument(
            "--reason",
            default="",
            metavar="TEXT",
            help="why the month is (or was) amended, or is closed although something is owed",
        )
        command.add_argument(
            "--tsa-request",
            type=Path,
            metavar="FILE",
            help="write a time stamp request (RFC 3161) over the seal, for an authority",
        )
    seal.add_argument(
        "--tsa-reply", type=Path, metavar="FILE", help="put the authority's response in"
    )
    add_output_commands(month)
    add_screening_command(month)
    add_alike_command(month)
    kind = close.add_mutually_exclusive_group()
    kind.add_argument("--interim", action="store_true", help="so far; may be repeated")
    kind.add_argument(
        "--amend",
        action="store_true",
        help="replace the final close by one with what has come since; needs --reason",
    )
    listing.add_argument("--plant", type=plant_id, help="only this plant")


def _month(text: str) -> str:
    if not MONTH.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2026-09")
    return text


def _close(args: argparse.Namespace) -> int:
    order: dict[str, Any] = {"closing": "interim" if args.interim else "final"}
    if args.amend or args.reason:
        order |= {"amend": args.amend, "reason": args.reason}
    return _print_sealed(args, "close", order)


def _seal(args: argparse.Namespace) -> int:
    order = {"reason": args.reason}
    if args.tsa_reply is not None:
        order["time_stamp"] = base64.b64encode(_reply(args.tsa_reply)).decode()
    return _print_sealed(args, "seal", order)


def _reply(path: Path) -> bytes:
    try:
        if path.stat().st_size > RESPONSE_BYTES_MAX:
            raise TimeStampError(f"{path} has more than {RESPONSE_BYTES_MAX} bytes: no time stamp")
        return path.read_bytes()
    except OSError as error:
        raise TimeStampError(f"{path} cannot be read: {error.strerror}") from error


def _write_request(archive: Path, target: Path) -> None:
    kept = read_kept(archive)
    if kept is None:
        raise TimeStampError(f"{archive} cannot be read, so no time stamp can be asked for")
    try:
        target.write_bytes(make_request(kept.files[SEAL]))
    except OSError as error:
        raise TimeStampError(f"{target} cannot be written: {error.strerror}") from error


def _print_sealed(args: argparse.Namespace, verb: str, order: Mapping[str, Any]) -> int:
    """Give the order, copy the archive, print its path; what is worth a look goes to stderr."""
    collector, path = RunningCollector(args.config), f"months/{args.plant}/{args.month}/{verb}"
    with _telling(collector, f"plants/{args.plant}/months/{args.month}"):
        facts = collector.order(path, order, timeout_s=CLOSE_S)
    archive = read_archive_dir(args.config) / str(facts["archive"])
    if args.tsa_request is not None:
        _write_request(archive, args.tsa_request)
    if args.out is not None:
        archive = _copied(archive, args.out, str(facts["statement_sha256"]))
    if args.json:
        print(json.dumps({**facts, "archive": str(archive)}, ensure_ascii=False))
        return 0
    print(archive)
    for sentence in _remarks(facts):
        print(f"stackproof cloud: {sentence}", file=sys.stderr)
    return 0


def _copied(archive: Path, folder: Path, statement_sha256: str) -> Path:
    """A copy of an archive; beside another of its month it is named by its statement too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / archive.name
        if target.exists() and not filecmp.cmp(archive, target, shallow=False):
            target = folder / f"{archive.stem}-{statement_sha256[:12]}{archive.suffix}"
        return Path(shutil.copy2(archive, target))
    except OSError as error:
        raise CarriedFileError(
            f"{archive} is sealed, and cannot be copied to {folder}: {error.strerror}"
        ) from error


def _remarks(facts: Mapping[str, Any]) -> Iterator[str]:
    replaces = facts.get("replaces")
    if replaces is not None:
        old = replaces["statement_sha256"][:12]
        said = {
            True: "its figures are the same as before",
            False: "its figures are other ones",
            None: "the archive before is gone, so the figures cannot be compared",
        }
        yield f"it replaces the month of statement {old}; {said[replaces['same_figures']]}"
    yield from map(str, facts.get("keys", ()))
    yield from (str(facts[key]) for key in ("late", "unfit") if key in facts)
    if str(facts.get("time_stamp", "")).startswith("sealed without"):
        yield str(facts["time_stamp"])


@contextlib.contextmanager
def _telling(collector: RunningCollector, path: str) -> Iterator[None]:
    """Tell on stderr how far a long closing is, as long as it lasts."""
    done = threading.Event()

    def tell() -> None:
        told = ""
        while not done.wait(TELL_S):
            try:
                progress = collector.get(path).get("progress")
            except CloudError:
                continue  # the order itself says what is wrong
            text = _progress(progress) if progress else told
            if text != told:
                print(f"stackproof cloud: {text}", file=sys.stderr)
            told = text

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1.0)


def _progress(progress: Mapping[str, Any]) -> str:
    if progress["phase"] == "wait":
        return f"waiting until other plants' months are closed: {progress['total']} before it"
    said = {"begin": "getting ready", "fold": "calculating", "pack": "building the archive"}
    return f"{said[progress['phase']]}: {progress['percent']} % of {progress['total']:,} objects"


def _list(args: argparse.Namespace) -> int:
    asked = f"?{urllib.parse.urlencode({'plant': args.plant})}" if args.plant else ""
    months = RunningCollector(args.config).get(f"months{asked}")
    if args.json:
        print(json.dumps({"months": months}, ensure_ascii=False))
        return 0
    for row in months:
        print(month_line(row))
        _sealed(row)
        for one in row["archives"]:
            mark = "" if one["newest"] else "  (replaced)" if one["replaced"] else "  (earlier)"
            print(f"    {one['bytes']:>12,} bytes  {one['name']}{mark}")
    return 0


def _sealed(row: Mapping[str, Any]) -> None:
    """What the collector's own verification of the archive came to."""
    sealed = row.get("sealed")  # a collector of an earlier program tells none
    if sealed:
        code = f" ({sealed['code']})" if sealed["code"] else ""
        print(f"    {sealed['headline']['en']}{code}")


def month_line(row: Mapping[str, Any]) -> str:
    """A month in one line."""
    left = "" if row["days_left"] is None or row["state"] in DONE else _left(row["days_left"])
    owed = f"  {len(row['owed'])} owed" if row["owed"] else ""
    return f"{row['plant']}  {row['month']}  {row['state']}{left}{owed}"


def _left(days: int) -> str:
    return f"  {days} days left" if days >= 0 else f"  {-days} days over"


def _show(args: argparse.Namespace) -> int:
    row = RunningCollector(args.config).get(f"plants/{args.plant}/months/{args.month}")
    if args.json:
        print(json.dumps(row, ensure_ascii=False))
        return 0
    print(month_line(row))
    _sealed(row)
    for one in row.get("issues", ()):
        print(f"  {one['weight']}: {one['code']} {one['sentence']['en']}")
    if row["deadline"]:
        print(f"  due by the end of {row['deadline']} ({row['deadline_zone']})")
    if not row["has_plan"]:
        print("  no control plan: only meters are checked")
    for one in row["owed"]:
        print(f"  {'owed' if one['blocks'] else 'note'}: {one['sentence']} ({one['by']})")
    for of in row["devices"]:
        share = f"{of['readings']:,} of {of['due']:,} readings"
        print(f"  {of['gateway']} {of['device']}: {share}, {of['bad']:,} without a value")
    if row["progress"]:
        print(f"  {_progress(row['progress'])}")
    return 0
