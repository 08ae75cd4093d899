"""`stackproof cloud import` and `receipts export`: for sites without a way back. Prints.

The running collector takes the objects in and signs the receipts; this carries the files.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.commands.ids import plant_id
from cloud.errors import CarriedFileError, RefusedError

STEP_S = 3_600.0  # everything in the file is judged before the answer
_PIECE = 1024 * 1024


def add_one_way_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `import` and `receipts` to the commands of `stackproof cloud`."""
    importing = commands.add_parser(
        "import",
        help="take in exported spools: of sites without a way back, or set aside by a start",
        epilog="Exit status: 0 all taken or held, 1 objects are missing or refused, 2 cannot run, "
        "or a file is none that can be taken; the others are.",
    )
    importing.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    importing.add_argument(
        "bags", type=Path, nargs="+", metavar="BAG", help="file of edge export, or of aside/"
    )
    importing.set_defaults(run=_import)
    receipts = commands.add_parser("receipts", help="receipts as a file").add_subparsers(
        required=True, metavar="COMMAND"
    )
    export = receipts.add_parser(
        "export",
        help="write a plant's newest receipts into a file",
        epilog="Exit status: 0 written, 1 a gateway's receipt is withheld (the others are written) "
        "or there is none, 2 cannot run.",
    )
    export.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    export.add_argument("--plant", required=True, type=plant_id, help="plant id")
    export.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to")
    export.set_defaults(run=_export)
    for command in (importing, export):
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _import(args: argparse.Namespace) -> int:
    collector, found, is_whole = RunningCollector(args.config), list[Any](), True
    is_taken = True
    for bag in args.bags:
        try:
            facts = collector.send("imports", _pieces(bag), STEP_S)
        except (RefusedError, CarriedFileError) as error:  # the others may be of other plants
            _tell(f"{bag}: {error}")
            facts, is_taken = {"file": str(bag), "error": str(error)}, False
        else:
            is_whole &= facts["missing"] is None and facts["refused"] is None
            for sentence in () if args.json else _sentences(facts):
                print(f"{bag}: {sentence}", flush=True)
        found.append(facts)
    if args.json:
        print(json.dumps({"imports": found}, ensure_ascii=False))
    return (0 if is_whole else 1) if is_taken else 2


def _pieces(bag: Path) -> Iterator[bytes]:
    try:
        with bag.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise CarriedFileError(f"{bag} cannot be read: {error.strerror}") from error


def _sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    name = f"{facts['plant']}/{facts['stream']}"
    yield (
        f"{name} seq {facts['first']} to {facts['last']}: {facts['accepted']} accepted, "
        f"{facts['held']} already held; seq {facts['next_seq']} is next"
    )
    if facts["missing"] is not None:
        first, last = facts["missing"]
        yield (
            f"seq {first} to {last} of {name} are missing and must come first; at the site: "
            f"stackproof edge export SITE.toml --from {first} --to {last}; then import this again"
        )
    if facts["refused"] is not None:
        refused = facts["refused"]
        yield f"seq {refused['seq']} is refused ({refused['reason']}): {refused['sentence']}"
        if refused["reason"] == "damaged-file":
            yield (
                f"nothing from there on was taken; at the site: stackproof edge export SITE.toml "
                f"--from {facts['next_seq']}; then import that file"
            )


def _export(args: argparse.Namespace) -> int:
    facts = RunningCollector(args.config).get(f"plants/{args.plant}/receipts")
    data, withheld = base64.b64decode(facts["file"]), facts["withheld"]
    if data:
        try:
            args.out.write_bytes(data)
        except OSError as error:
            raise CarriedFileError(f"{args.out} cannot be written: {error.strerror}") from error
    if args.json:
        written = str(args.out) if data else None
        print(json.dumps({"receipts": written, "bytes": len(data), "withheld": withheld}))
    elif data:
        print(args.out)
        _tell("carry it to the site: stackproof edge receipts import SITE.toml FILE")
    else:
        _tell(f"plant {args.plant}: there is no receipt to give, {args.out} is not written")
    for gateway, why in withheld.items():
        _tell(f"no receipt for {gateway}: {why}")
    return 0 if data and not withheld else 1


def _tell(sentence: str) -> None:
    print(f"stackproof cloud: {sentence}", file=sys.stderr)
