"""`stackproof keys persons|withdraw`: vouch for keys of persons, away from the collector. Prints.

The list comes from the collector as a file, the signed one goes back as a file: the key that
signs stays where no collector is.
"""

import argparse
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.cli_root import open_root
from evidence.documents.certified import Certified, PersonsList, Withdrawn, encode_list
from evidence.documents.fields import SIGNED_BYTES_MAX
from evidence.documents.plainly import ns_of
from evidence.errors import EvidenceError, KeyFileError, MalformedError
from evidence.key_files import REFERENCE, id_of, must_not_exist, read_small, write_new
from evidence.keys import Signer, identity
from evidence.printed import printable
from evidence.signers import open_signer

LIST_BYTES_MAX = 4 * 1024 * 1024
REVIEWER = "reviewer"


def add_person_commands(commands: Any) -> None:
    """Add `persons` and `withdraw` to the commands of `stackproof keys`."""
    persons = commands.add_parser(
        "persons",
        help="certify the keys of a plant's persons, or of reviewers",
        description="Without --root: shows whom the list would certify, and signs nothing. Ask "
        "each person in another way whether the key's SHA-256 is right. With --root: signs the "
        "list that was shown. A plant's root certifies everybody but reviewers; an organisation of "
        "reviewers certifies its reviewers, by a key of its own, without --root-certificate.",
    )
    persons.add_argument(
        "--list", required=True, type=Path, metavar="FILE",
        help="what `stackproof cloud persons export` wrote",
    )  # fmt: skip
    persons.add_argument(
        "--only", action="append", default=[], type=id_of, metavar="ID",
        help="certify this person of the list; may be repeated; default: all",
    )  # fmt: skip
    persons.add_argument(
        "--list-sha256", metavar="HEX", help="of the list, as it was shown; needed to sign"
    )
    _add_signer(persons, is_needed=False)
    persons.set_defaults(run=_persons)
    withdraw = commands.add_parser(
        "withdraw",
        help="vouch no more for a person's key",
        description="What the plant's log receives later than --through, signed with this key, is "
        "not certified any more, in no archive, and nothing takes that back: a person who goes on "
        "makes another key. Without --through nothing that the key signed is certified.",
    )
    withdraw.add_argument("--plant", required=True, type=id_of, metavar="ID", help="plant id")
    withdraw.add_argument("--key", required=True, metavar="HEX", help="its SHA-256")
    withdraw.add_argument("--through", type=_instant, metavar="TIME", help="2026-10-31T16:00:00Z")
    withdraw.add_argument("--reason", required=True, help="for people, at most 200 characters")
    _add_signer(withdraw, is_needed=True)
    withdraw.set_defaults(run=_withdraw)


def _add_signer(command: Any, *, is_needed: bool) -> None:
    command.add_argument(
        "--root", required=is_needed, metavar="REF",
        help=f"key that signs, the plant's root or the organisation's: {REFERENCE}",
    )  # fmt: skip
    command.add_argument(
        "--root-certificate", type=Path, metavar="FILE",
        help="root.crt of the plant; without it an organisation of reviewers signs",
    )  # fmt: skip
    command.add_argument(
        "--out", required=is_needed, type=Path, metavar="FILE", help="the signed list"
    )


def _persons(args: argparse.Namespace) -> int:
    data = read_small(args.list, LIST_BYTES_MAX)
    digest = hashlib.sha256(data).hexdigest()
    plant, rows = exported(args.list, data)
    wanted = [row for row in rows if not args.only or row.person in args.only]
    if missing := set(args.only) - {row.person for row in rows}:
        raise KeyFileError(f"{args.list} has no person {', '.join(sorted(missing))}")
    if args.root is None:
        return _show(args, plant, wanted, digest)
    if args.out is None:
        raise KeyFileError("--root signs: name the file to write, --out FILE")
    must_not_exist(args.out)
    if args.list_sha256 is None or args.list_sha256.lower() != digest:
        raise KeyFileError(
            f"{args.list} has SHA-256 {digest}, and --list-sha256 is not that: look at the list "
            "first (the same command without --root), then sign the list you looked at"
        )
    signer, is_plants = _signer(args, plant)
    chosen = tuple(row for row in wanted if (row.role != REVIEWER) is is_plants)
    if not chosen:
        whom = "persons of the works" if is_plants else "reviewers"
        raise KeyFileError(f"{args.list} names no {whom} to certify by this key")
    _write(args.out, PersonsList(plant, chosen), signer)
    for line in _lines(chosen):
        print(line)
    print(f"{args.out}: {len(chosen)} key(s) of plant {plant} are certified")
    _print_next(args, plant, is_plants=is_plants)
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    must_not_exist(args.out)
    signer, is_plants = _signer(args, args.plant)
    end = Withdrawn(_sha256(args.key), args.through, args.reason)
    _write(args.out, PersonsList(args.plant, (), (end,)), signer)
    print(f"{args.out}: key {end.key.hex()} is withdrawn")
    _print_next(args, args.plant, is_plants=is_plants)
    return 0


def _print_next(args: argparse.Namespace, plant: str, *, is_plants: bool) -> None:
    by = "" if is_plants else " --by ORGANISATION.pem"
    print(f"next, at the collector: stackproof cloud persons bring CLOUD.toml --plant {plant}{by}")
    print(f"  {args.out}")


def _show(args: argparse.Namespace, plant: str, rows: list[Certified], digest: str) -> int:
    print(f"plant {plant}, {len(rows)} key(s), nothing is signed yet:")
    for line in _lines(rows):
        print(line)
    print('Ask each person in another way whether the key is right: the page "My key" shows it.')
    print(f"next: the same command with --list-sha256 {digest}")
    print("  --root REF --root-certificate root.crt --out persons.cose")
    return 0


def _lines(rows: list[Certified] | tuple[Certified, ...]) -> Iterator[str]:
    for row in rows:
        region = f" {row.region or '*'}" if row.role == REVIEWER else ""
        yield printable(f"  {row.person}: {row.role}{region}, {row.name}, {row.organisation}")
        yield f"    key {row.key.hex()}"


def exported(path: Path, data: bytes) -> tuple[str, list[Certified]]:
    """Plant and rows of a list that a collector exported; KeyFileError when it is none."""
    try:
        told = json.loads(data)
        rows = [
            Certified(
                _text(row["person"]),
                _text(row["name"]),
                _text(row["organisation"]),
                _text(row["role"]),
                _text(row["region"]),
                bytes.fromhex(row["key"]),
            )
            for row in told["persons"]
        ]
        return id_of(_text(told["plant"])), rows
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeyFileError(
            f"{path}: it is no list of persons ({type(error).__name__}); export it again: "
            "stackproof cloud persons export"
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a field of a person is no text")
    return value


def _signer(args: argparse.Namespace, plant: str) -> tuple[Signer, bool]:
    """Signer of the list, checked to be the plant's root."""
    if args.root_certificate is None:
        return open_signer(args.root, Path()), False
    signer, root = open_root(args)
    if identity(root)[1] != plant:
        raise KeyFileError(f"{args.root_certificate} is of plant {identity(root)[1]}, not {plant}")
    return signer, True


def _write(path: Path, said: PersonsList, signer: Signer) -> None:
    try:
        data = encode_list(said, signer)
    except EvidenceError as error:
        raise KeyFileError(f"the list cannot be signed: {error}") from error
    if len(data) > SIGNED_BYTES_MAX:
        raise KeyFileError(f"the signed list has {len(data)} bytes: sign parts of it with --only")
    write_new(path, data)


def _sha256(text: str) -> bytes:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise KeyFileError(f"--key {text!r}: write the 64 hex digits of the key's SHA-256")
    return bytes.fromhex(text)


def _instant(text: str) -> int:
    try:
        return int(ns_of(text))
    except MalformedError as error:
        raise KeyFileError(f"--through {text!r} {error}") from error
