"""`stackproof cloud person|persons`: enrol the first; carry lists to and from a root. Prints.

Asked of the running collector, on its own machine.
"""

import argparse
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud.accounts.roles import EVERY_PLANT
from cloud.asking import RunningCollector
from cloud.commands.ids import plant_id
from cloud.errors import CloudError
from evidence.documents.fields import SIGNED_BYTES_MAX
from evidence.documents.kinds import ROLES
from evidence.key_files import public_der, read_small, write_new

REVIEWER = "reviewer"
#: of what the collector says, what the keeper of a root is to see
_SHOWN = ("person", "name", "organisation", "role", "region", "key")


def add_person_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `person` and `persons` to the commands of `stackproof cloud`."""
    person = commands.add_parser(
        "person",
        help="enrol a person in the collector's own name: the first of a plant",
        epilog="Whoever has the role security enrols the others. Exit status: 0 enrolled, 1 "
        "refused, 2 cannot run.",
    )
    person.add_argument("--id", required=True, type=plant_id, help="account id of the person")
    person.add_argument("--name", required=True, help="as people know the person")
    person.add_argument("--organisation", required=True, help="whose the person is")
    person.add_argument("--role", default="security", choices=ROLES, help="default security")
    person.add_argument(
        "--region", default="", help="of a reviewer: GB/T 2260 digits, or '*' for the whole country"
    )
    person.add_argument(
        "--key", required=True, type=Path, metavar="FILE", help="PEM, public or private"
    )
    persons = commands.add_parser("persons", help="certify persons' keys by the plant's root")
    parts = persons.add_subparsers(required=True, metavar="COMMAND")
    export = parts.add_parser(
        "export",
        help="write the list that the keeper of the root signs (stackproof keys persons)",
        epilog="Exit status: 0 written, or nobody waits, 1 refused, 2 cannot run.",
    )
    export.add_argument("--all", action="store_true", help="also keys that are certified already")
    export.add_argument("--out", required=True, type=Path, metavar="FILE", help="the list")
    bring = parts.add_parser(
        "bring",
        help="take in the list that the keeper of the root signed",
        epilog="Exit status: 0 taken, 1 refused or persons still wait, 2 cannot run.",
    )
    bring.add_argument(
        "--by", type=Path, metavar="PEM",
        help="public key of the reviewers' organisation that signed it; default: the plant's root",
    )  # fmt: skip
    for command, act in ((person, _person), (export, _export), (bring, _bring)):
        command.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
        command.add_argument("--plant", required=True, type=plant_id, help="plant id")
        command.set_defaults(run=act)
    bring.add_argument("list", type=Path, metavar="LIST.cose", help="the signed list")


def _person(args: argparse.Namespace) -> int:
    if args.role == REVIEWER and not args.region:
        raise CloudError("a reviewer decides for a region: --region 37, or '*' for the nation")
    order = {
        "person": args.id, "name": args.name, "organisation": args.organisation,
        "role": args.role, "region": "" if args.region == EVERY_PLANT else args.region,
        "key": public_der(args.key).hex(),
    }  # fmt: skip
    found = RunningCollector(args.config).order(f"plants/{args.plant}/persons", order)
    print(f"{args.plant}: {args.id} is enrolled as {args.role}; document {found['sha256']}")
    print("next: have the key certified: stackproof cloud persons export")
    return 0


def _export(args: argparse.Namespace) -> int:
    told = RunningCollector(args.config).get(f"plants/{args.plant}/persons")
    rows = [row for row in told["persons"] if args.all or _waits(row)]
    if not rows:
        print(f"{args.plant}: every key is certified, nothing is written; --all writes them again")
        return 0
    listed = [{name: row[name] for name in _SHOWN} for row in rows]
    data = json.dumps({"plant": args.plant, "persons": listed}, ensure_ascii=False, indent=1)
    write_new(args.out, f"{data}\n".encode())
    print(f"{args.out}: {len(rows)} key(s) of {args.plant} to certify")
    print(f"next, where the root is: stackproof keys persons --list {args.out}")
    return 0


def _waits(row: Mapping[str, Any]) -> bool:
    """Nobody certifies it: of a person of the works not the root, of a reviewer no organisation."""
    return not (row["certified_by"] if row["role"] == REVIEWER else row["certified"])


def _bring(args: argparse.Namespace) -> int:
    data = read_small(args.list, SIGNED_BYTES_MAX)
    order = {
        "signed": base64.b64encode(data).decode(),
        "by": "" if args.by is None else public_der(args.by).hex(),
    }
    path = f"plants/{args.plant}/persons/certified"
    found = RunningCollector(args.config).order(path, order)
    for what in ("certified", "withdrawn"):
        if found[what]:
            print(f"{args.plant}: {what}: {', '.join(found[what])}")
    if found["unknown"]:
        strangers = ", ".join(found["unknown"])
        print(f"{args.plant}: not enrolled, or not as the list has it: {strangers}")
    if found["waiting"]:
        print(f"{args.plant}: not certified by the root yet: {', '.join(found['waiting'])}")
    return int(bool(found["unknown"] or found["waiting"]))
