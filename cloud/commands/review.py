"""`stackproof record draft|check`: a decision about an archive, by itself; `stackproof cloud draw`.

All offline: they read files and print. What was opened is then the signer's own word.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from cloud.errors import CloudError
from cloud.review.draw import SEED_MAX, draw
from cloud.review.items import items_of
from cloud.visits.held import check_faces
from evidence import cose
from evidence.documents.document import FILE_BYTES_MAX, Document, decode_document
from evidence.documents.fields import LIST_MAX
from evidence.documents.kinds import check_document
from evidence.documents.review import DECISION, VISIT
from evidence.documents.standing import Logged
from evidence.drill.archive import ArchiveSource
from evidence.errors import KeyFileError, MalformedError
from evidence.findings import shown
from evidence.key_files import public_der, read_small
from evidence.public_key import load_key
from evidence.verifier.records import Archived, read_archived

EXIT_FINE = 0


def add_draw_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `draw` to the commands of `stackproof cloud`."""
    parser = commands.add_parser(
        "draw",
        help="a random draw of plants' months from a published seed, that anybody can make again",
        epilog="The smallest SHA-256 of SEED/PLANT/MONTH are drawn. Exit status: 0, 2 cannot run.",
    )
    parser.add_argument("--seed", required=True, help=f"as published, 1 to {SEED_MAX} characters")
    parser.add_argument("--count", required=True, type=int, help="how many are drawn")
    parser.add_argument("entries", nargs="+", metavar="PLANT/MONTH", help="all that may be drawn")
    parser.set_defaults(run=_draw)


def add_review_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `draft` and `check` to the commands of `stackproof record`."""
    drafted = commands.add_parser(
        "draft",
        help="the fields of a decision about an archive, to be filled in and signed",
        epilog="Everything stands as not opened: move what you looked at to [[opened]], with "
        "first_ns. Then: stackproof record sign --kind review-decision --about MONTH.",
    )
    drafted.add_argument("archive", type=Path, metavar="ARCHIVE.tar")
    drafted.add_argument("--level", required=True, choices=("city", "province", "nation"))
    drafted.set_defaults(run=_draft)
    check = commands.add_parser(
        "check",
        help="hold a signed document against an archive: key, order, what it decides about, faces",
        epilog="The archive's documents are verified; of its readings those that a visit's faces "
        "were compared with. All of it: stackproof verify. Exit status: 0 it fits, 2 it does not, "
        "or cannot run.",
    )
    check.add_argument("document", type=Path, metavar="FILE.cose")
    check.add_argument("--archive", required=True, type=Path, metavar="ARCHIVE.tar")
    check.add_argument(
        "--key", type=Path, metavar="PEM",
        help="the signer's public key, where the archive's list of persons does not have it",
    )  # fmt: skip
    check.add_argument("files", type=Path, nargs="*", metavar="FILE", help="all that it names")
    check.set_defaults(run=_check)


def _draw(args: argparse.Namespace) -> int:
    entries = [entry.rpartition("/") for entry in args.entries]
    try:
        found = draw(args.seed, [(plant, month) for plant, _, month in entries], args.count)
    except ValueError as error:
        raise CloudError(str(error)) from error
    for one in found:
        print(f"{one.sha256}  {one.plant}/{one.month}")
    return EXIT_FINE


def _draft(args: argparse.Namespace) -> int:
    with _opened(args.archive) as file:
        archived = read_archived(file)
        sha256 = hashlib.file_digest(_rewound(file), "sha256").hexdigest()
    items = _items(archived, sha256)
    print(f"# {archived.plant} {_month(archived)}; item -> [[opened]] with first_ns, if you did")
    print('decision = ""  # approve, return or note')
    print('reason = ""')
    print(f'level = "{args.level}"\nopenings = "told"')
    print(f'archive_sha256 = "{sha256}"')
    print(f'statement_sha256 = "{hashlib.sha256(archived.statement).hexdigest()}"')
    if len(items) > LIST_MAX:
        print(f"not_opened_more = {len(items) - LIST_MAX}")
    for item in items[:LIST_MAX]:
        print(f"\n[[not_opened]]\nitem = {json.dumps(item)}")
    return EXIT_FINE


def _items(archived: Archived, sha256: str) -> list[str]:
    lines = _statement(archived)["output"]["lines"]
    month = {
        "archives": [{"sha256": sha256, "newest": True, "replaced": False}],
        "figures": {"made": {"lines": lines}},
    }
    documents = [
        {
            "kind": one.document.kind, "sha256": one.sha256.hex(),
            "files": [{"sha256": file.sha256.hex()} for file in one.document.files],
        }
        for one in archived.standing.all()
    ]  # fmt: skip
    return items_of(month, documents)


def _check(args: argparse.Namespace) -> int:
    data = read_small(args.document, cose.OBJECT_BYTES_MAX)
    with _opened(args.archive) as file:
        archived = read_archived(file)
        sha256 = hashlib.file_digest(_rewound(file), "sha256").digest()
    if args.key is None:
        document, signer = archived.people.read(data)
        logged = Logged(2**62, 0, hashlib.sha256(data).digest(), document, signer)
        if archived.standing.get(logged.sha256) is None:
            archived.standing.check(logged)
        whose = f"{document.person} ({'collector' if signer is None else signer.role})"
    else:
        document = decode_document(data, load_key(public_der(args.key)))
        check_document(document)
        whose = f"{document.person}, by the key that was given; whose it is was not checked"
    _check_files(document, args.files)
    for problem in _problems(document, archived, sha256):
        raise MalformedError(f"{args.document}: {problem}")
    if document.kind == VISIT:
        _check_visit(document, args.archive)
    print(shown(f"{args.document}: {document.kind} about {document.about}, signed by {whose}"))
    return EXIT_FINE


def _problems(document: Document, archived: Archived, sha256: bytes) -> Iterator[str]:
    """What a document does not fit in the archive."""
    if document.plant != archived.plant:
        yield f"it is of plant {document.plant}, the archive of {archived.plant}"
    if document.kind not in (DECISION, VISIT):
        return
    if document.about != _month(archived):
        yield f"it is about {document.about}, the archive of {_month(archived)}"
    if document.kind == VISIT:
        return
    if document.body["archive_sha256"] != sha256:
        yield "it decides about another archive"
    if document.body["statement_sha256"] != hashlib.sha256(archived.statement).digest():
        yield "it decides about another statement"


def _check_visit(document: Document, path: Path) -> None:
    """Every face that was compared, by the archive's own readings."""
    compared = [row for row in document.body["meters"] if "frame" in row]
    with _opened(path) as file:
        check_faces(ArchiveSource(file), compared)


def _check_files(document: Document, files: list[Path]) -> None:
    given = {hashlib.sha256(read_small(path, FILE_BYTES_MAX)).digest() for path in files}
    named = {file.sha256 for file in document.files}
    if given != named:
        raise MalformedError(
            f"it names {len(named)} files, and {len(given & named)} of them were given"
        )


def _month(archived: Archived) -> str:
    return str(_statement(archived)["input"]["month"])


def _statement(archived: Archived) -> Any:  # noqa: ANN401 - JSON
    # imported on use: it brings the calculation, which signing and sending do not need
    from evidence.recompute import bounded_statement

    return json.loads(bounded_statement(archived.statement))


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error


def _rewound(file: BufferedReader) -> BufferedReader:
    file.seek(0)
    return file
