"""`stackproof record sign|show|send`, for programs and laboratories.

`sign` and `show` ask nobody; `send` asks a running collector. Prints. `findings` is in
`cloud.commands.findings`.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.clock import SystemClock
from cloud.commands.cosign import add_cosign_command
from cloud.commands.findings import add_findings_command
from cloud.commands.ids import plant_id
from cloud.commands.review import add_review_commands
from cloud.commands.token import read_token
from cloud.commands.visit import add_visit_commands
from cloud.errors import CloudError, RefusedError
from cloud.records.media import type_of
from evidence import cose
from evidence.documents.document import (
    FILE_BYTES_MAX,
    AttachedFile,
    Document,
    encode_document,
    unverified_document,
)
from evidence.documents.kinds import KINDS, check_document
from evidence.documents.plainly import body_of, plain_body
from evidence.errors import EvidenceError, MalformedError
from evidence.key_files import read_small, write_new
from evidence.signers import FILE, PKCS11, open_signer
from firmware_configs.toml import NotTomlError, parse_toml

EXIT_FINE, EXIT_REFUSED, EXIT_CANNOT = 0, 1, 2
SEND_S = 300.0


def main(argv: list[str]) -> int:
    """Run one subcommand of `stackproof record`; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except RefusedError as error:
        print(f"stackproof record: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except (CloudError, EvidenceError) as error:
        print(f"stackproof record: {error}", file=sys.stderr)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof record", description="Documents that persons sign (evidence/RECORDS.md)."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    sign = commands.add_parser("sign", help="sign a document with a key of your own")
    sign.add_argument("--key", required=True, metavar="FILE", help="PEM file, or pkcs11:URI")
    sign.add_argument("--plant", required=True, type=plant_id, help="plant id")
    sign.add_argument("--person", required=True, type=plant_id, help="your account id there")
    sign.add_argument("--kind", required=True, choices=sorted(KINDS), metavar="KIND")
    sign.add_argument("--about", required=True, help="sample, source, device or person it is about")
    sign.add_argument(
        "--follows", action="append", default=[], metavar="SHA256", help="may be repeated"
    )
    sign.add_argument("-o", "--out", required=True, type=Path, metavar="FILE.cose")
    sign.add_argument("body", type=Path, metavar="BODY.toml", help="the fields of its kind")
    sign.add_argument("files", type=Path, nargs="*", metavar="FILE", help="what to attach")
    sign.set_defaults(run=_sign)
    show = commands.add_parser("show", help="say what a document says, as JSON")
    show.add_argument("document", type=Path, metavar="FILE.cose")
    show.set_defaults(run=_show)
    send = commands.add_parser(
        "send",
        help="give a document with its files to a collector",
        epilog="Exit status: 0 it is in the log, 1 refused, 2 cannot run.",
    )
    send.add_argument("url", metavar="URL", help="of the collector, https://…")
    send.add_argument("document", type=Path, metavar="FILE.cose")
    send.add_argument("files", type=Path, nargs="*", metavar="FILE", help="all that it names")
    send.add_argument(
        "--token", required=True, metavar="REF", help="file:PATH or env:NAME of the bearer token"
    )
    send.set_defaults(run=_send)
    add_findings_command(commands, read_token)
    add_review_commands(commands)
    add_visit_commands(commands)
    add_cosign_command(commands, read_token)
    return parser


def _sign(args: argparse.Namespace) -> int:
    reference = args.key if args.key.startswith((FILE, PKCS11)) else f"{FILE}{args.key}"
    signer = open_signer(reference, Path())
    document = Document(
        args.plant, args.person, SystemClock().wall_ns() // 10**9, args.kind, args.about,
        body_of(args.kind, _body(args.body)), tuple(map(_hash, args.follows)),
        tuple(map(_attached, args.files)),
    )  # fmt: skip
    check_document(document)
    data = encode_document(document, signer)
    write_new(args.out, data)
    print(f"{args.out}: {args.kind} about {args.about}, SHA-256 {_sha256(data).hex()}")
    return EXIT_FINE


def _body(path: Path) -> dict[str, Any]:
    try:
        return dict(parse_toml(read_small(path)))
    except NotTomlError as error:
        raise MalformedError(f"{path}: {error}") from error


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"--follows {text!r}: it is no SHA-256 in hex") from error


def _attached(path: Path) -> AttachedFile:
    data = read_small(path, FILE_BYTES_MAX)
    media_type = type_of(data)
    if media_type is None:
        raise MalformedError(
            f"{path}: neither PDF, JPEG, PNG, CSV nor a workbook (.xlsx) without macros"
        )
    return AttachedFile(path.name, media_type, len(data), _sha256(data))


def _show(args: argparse.Namespace) -> int:
    data = read_small(args.document, cose.OBJECT_BYTES_MAX)
    document = unverified_document(data)
    check_document(document)
    facts = {
        "sha256": _sha256(data).hex(),
        "bytes": len(data),
        "key_id": cose.parse(data).kid.hex(),
        "plant": document.plant,
        "person": document.person,
        "signed_s": document.signed_s,
        "kind": document.kind,
        "about": document.about,
        "body": plain_body(document.kind, document.body),
        "follows": [sha256.hex() for sha256 in document.follows],
        "files": [[f.name, f.media_type, f.size, f.sha256.hex()] for f in document.files],
    }
    print(json.dumps(facts, ensure_ascii=not _is_utf8(), indent=1))
    print(
        "stackproof record: the signature was not checked: that takes the plant's list of persons",
        file=sys.stderr,
    )
    return EXIT_FINE


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _send(args: argparse.Namespace) -> int:
    data = read_small(args.document, cose.OBJECT_BYTES_MAX)
    plant = unverified_document(data).plant
    files = [read_small(path, FILE_BYTES_MAX) for path in args.files]
    collector = RunningCollector.at(args.url, read_token(args.token))
    order = {"document": _base64(data), "files": list(map(_base64, files))}
    found = collector.order(f"plants/{plant}/documents", order, SEND_S)
    print(f"{plant}: log entry {found['index']}, document {found['sha256']}")
    return EXIT_FINE


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
