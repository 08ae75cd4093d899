"""`stackproof record findings`: what documents of samples show, of archives or a collector. Prints.

Archives are looked at here and offline; a collector is asked over its API.
"""

import argparse
import contextlib
import json
import re
import sys
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.commands.ids import plant_id
from cloud.records.findings import PdfShelf, findings
from evidence.documents.observed.observation import LANGUAGES
from evidence.documents.observed.stories import stories_of
from evidence.documents.standing import Standing, merged
from evidence.errors import KeyFileError, MalformedError
from evidence.findings import shown
from evidence.verifier.records import Archived, read_archived

FINDINGS_S = 600.0
EXIT_FOUND = 1


def add_findings_command(commands: Any, token: Callable[[str], str]) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `findings` to the commands of `stackproof record`; `token` reads a token's reference."""
    parser = commands.add_parser(
        "findings",
        help="what the documents of samples show beside each other",
        epilog="Archives of several months are looked at together, and of several plants beside "
        "each other. Exit status: 0 nothing, 1 something was found, 2 cannot run.",
    )
    parser.add_argument(
        "source", nargs="+", metavar="ARCHIVE.tar|URL", help="archives, or one collector's address"
    )
    parser.add_argument("--plant", type=plant_id, help="plant id; needed with URL")
    parser.add_argument("--month", type=_month, metavar="YYYY-MM", help="of these samples only")
    parser.add_argument("--token", metavar="REF", help="with URL: file:PATH or env:NAME")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="default en")
    parser.add_argument("--json", action="store_true", help="a JSON list, one object a plant")
    parser.set_defaults(run=lambda args: _findings(args, token))


def _month(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no month: YYYY-MM")
    return text


def _findings(args: argparse.Namespace, token: Callable[[str], str]) -> int:
    if "://" in args.source[0]:
        found = [_asked(args, token)]
    else:
        found = _of_archives([Path(name) for name in args.source], args.plant, args.month or "")
    if args.json:
        print(json.dumps(found, ensure_ascii=True, indent=1))
    else:
        for plant in found:
            print("\n".join(_lines(plant, args.lang)))
    return EXIT_FOUND if any(_is_odd(one) for plant in found for one in plant["findings"]) else 0


def _is_odd(finding: Mapping[str, Any]) -> bool:
    return str(finding["code"]).startswith("S-")


def _asked(args: argparse.Namespace, token: Callable[[str], str]) -> Mapping[str, Any]:
    if args.plant is None or args.token is None or len(args.source) > 1:
        raise KeyFileError("a collector is asked with one URL, --plant and --token")
    query = urllib.parse.urlencode({"month": args.month or ""})
    collector = RunningCollector.at(args.source[0], token(args.token))
    path = f"plants/{args.plant}/records/findings?{query}"
    found: Mapping[str, Any] = collector.get(path, FINDINGS_S)
    return found


def _of_archives(files: Sequence[Path], only: str | None, month: str) -> list[Mapping[str, Any]]:
    shelf, plants = PdfShelf(), dict[str, list[Archived]]()
    with contextlib.ExitStack() as opened:
        for path in files:
            try:
                file = opened.enter_context(path.open("rb"))
            except OSError as error:
                raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
            archived = read_archived(file)
            plants.setdefault(archived.plant, []).append(archived)
        standing = {name: merged([one.standing for one in held]) for name, held in plants.items()}
        print(
            "stackproof record: whose archives these are was not checked: stackproof verify",
            file=sys.stderr,
        )
        return [
            {"plant": name, **_of_plant(name, standing, plants[name], shelf, month)}
            for name in sorted(plants)
            if only in (None, name)
        ]


def _of_plant(
    name: str, standing: Mapping[str, Standing], held: Sequence[Archived], shelf: PdfShelf,
    month: str,
) -> Mapping[str, Any]:  # fmt: skip
    others = [stories_of(one) for other, one in standing.items() if other != name]

    def attached(sha256: bytes) -> bytes:
        """From the first archive that has it."""
        for one in held:
            with contextlib.suppress(MalformedError):
                return one.attached(sha256)
        raise KeyFileError(f"no archive has the file {sha256.hex()}")

    return findings(standing[name], others, shelf, attached, month)


def _lines(plant: Mapping[str, Any], language: str) -> list[str]:
    innocent = {"en": "May be innocent", "zh": "可能的正常原因"}[language]
    lines = []
    for one in plant["findings"]:
        lines.append(f"{one['code']}  {one['plant']}  {one['sample']}  {', '.join(one['months'])}")
        lines.append(f"  {shown(one['sentence'][language])}")
        lines.append(f"  {innocent}: {shown(one['causes'][language])}")
    barred = [one for one in plant["results"] if not one["may_be_measured"]]
    told = {
        "en": "{plant}: {found} findings; {barred} of {results} results may not count as measured; "
        "{read} PDFs read, {unread} not",
        "zh": "{plant}：发现 {found} 项；{results} 个结果中 {barred} 个不得作为实测值；"
        "已读 PDF {read} 份，未读 {unread} 份",
    }[language]
    lines.append(
        told.format(
            plant=plant["plant"], found=sum(map(_is_odd, plant["findings"])), barred=len(barred),
            results=len(plant["results"]), read=plant["pdfs_read"], unread=plant["pdfs_not_read"],
        )
    )  # fmt: skip
    return lines
