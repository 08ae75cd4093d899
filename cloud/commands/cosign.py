"""`stackproof record cosign`: see the log of a plant, hold it against what was seen before, cosign.

The last note is kept in a file of the witness's own: it is what shows a log that was rewritten.
"""

import argparse
import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.clock import SystemClock
from cloud.commands.ids import plant_id
from evidence.checkpoint import TEXT_BYTES_MAX, Checkpoint, verify_any
from evidence.documents.document import Document, encode_document
from evidence.documents.review import COSIGNED, LOG
from evidence.documents.witness import check_continues, cosigned_note
from evidence.errors import KeyFileError, MalformedError
from evidence.key_files import public_der, read_small
from evidence.public_key import load_key
from evidence.signers import FILE, PKCS11, open_signer
from evidence.suites import PublicKey

EXIT_FINE = 0


def add_cosign_command(commands: Any, token: Callable[[str], str]) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `cosign` to the commands of `stackproof record`; `token` reads a token's reference."""
    parser = commands.add_parser(
        "cosign",
        help="cosign a plant's log as a witness, if it continues what was seen before",
        epilog="Exit status: 0 cosigned and logged, 1 refused, 2 it does not continue, or cannot "
        "run. Where it does not continue, keep the file and what was printed.",
    )
    parser.add_argument("url", metavar="URL", help="of the collector, https://…")
    parser.add_argument("--plant", required=True, type=plant_id, help="plant id")
    parser.add_argument("--person", required=True, type=plant_id, help="your account id there")
    parser.add_argument("--key", required=True, metavar="FILE", help="PEM file, or pkcs11:URI")
    parser.add_argument(
        "--collector", required=True, type=Path, action="append", metavar="PEM",
        help="public key of the collector; may be repeated for those it had before",
    )  # fmt: skip
    parser.add_argument(
        "--kept", required=True, type=Path, metavar="FILE", help="the last note; made if need be"
    )
    parser.add_argument(
        "--token", required=True, metavar="REF", help="file:PATH or env:NAME of the bearer token"
    )
    parser.set_defaults(run=lambda args: _cosign(args, token))


def _cosign(args: argparse.Namespace, token: Callable[[str], str]) -> int:
    collectors = [load_key(public_der(path)) for path in args.collector]
    reference = args.key if args.key.startswith((FILE, PKCS11)) else f"{FILE}{args.key}"
    signer = open_signer(reference, Path())
    kept = _kept(args.kept, collectors)
    collector = RunningCollector.at(args.url, token(args.token))
    note = _text(collector.ask(f"plants/{args.plant}/log/checkpoint"))
    seen = verify_any(note, collectors)
    if seen.plant != args.plant:
        raise MalformedError(f"the collector shows the log of {seen.plant}, not of {args.plant}")
    path = list[bytes]()
    if kept is not None and 0 < kept.size < seen.size:
        asked = f"plants/{args.plant}/log/proof/consistency?from={kept.size}&to={seen.size}"
        path = [bytes.fromhex(one) for one in collector.get(asked)["path"]]
    check_continues(kept, seen, path)
    now_s = SystemClock().wall_ns() // 10**9
    signed = cosigned_note(note, collectors, args.person, now_s, signer)
    body = {"checkpoint": signed}
    data = encode_document(Document(args.plant, args.person, now_s, COSIGNED, LOG, body), signer)
    _keep(args.kept, signed)
    order = {"document": base64.b64encode(data).decode(), "files": []}
    found = collector.order(f"plants/{args.plant}/documents", order)
    print(f"{args.plant}: the log of {seen.size} entries is cosigned; log entry {found['index']}")
    return EXIT_FINE


def _kept(path: Path, collectors: list[PublicKey]) -> Checkpoint | None:
    """What was seen last, by the collector's own signature in the file; None before the first."""
    if not path.exists():
        return None
    return verify_any(_text(read_small(path, TEXT_BYTES_MAX)), collectors)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("it is no note: it is not UTF-8") from error


def _keep(path: Path, note: str) -> None:
    """Before it is sent: a note that was sent and not kept could be taken back unseen."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error
