"""`stackproof cloud month workbook|report|…`: papers of sealed months. Prints.

They take archives and ask nobody: an accountant's machine needs no collector.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cloud.outputs.errors import OutputError
from evidence.documents.document import FILE_BYTES_MAX
from evidence.findings import Verdict, shown
from evidence.key_files import read_small
from evidence.keys import load_trust

EXIT_FINE, EXIT_DIFFERS = 0, 1
#: a layout is a page of text
LAYOUT_BYTES_MAX = 1 << 20


def add_output_commands(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add the commands to `stackproof cloud month`."""
    workbook = month.add_parser("workbook", help="the platform's workbook, from archives")
    typing = month.add_parser("typing-sheet", help="its figures as a list to print (PDF)")
    report = month.add_parser(
        "report",
        help="a month's report (PDF); verifies the archive first, which takes as long as verify",
        epilog="Exit status: 0 made, 1 made of an archive that does not pass, 2 cannot run.",
    )
    compare = month.add_parser(
        "compare",
        help="hold the platform's own export against archives, cell by cell",
        epilog="Exit status: 0 all agrees, 1 something differs, lacks or is extra, 2 cannot run.",
    )
    compare.add_argument("export", type=Path, metavar="EXPORT.xlsx", help="as the platform gave it")
    compare.add_argument(
        "--archive", type=Path, nargs="+", action="extend", required=True, metavar="A.tar",
        help="sealed months of one year; only these months are compared",
    )  # fmt: skip
    compare.add_argument("--json", action="store_true", help="one JSON object on stdout")
    _add_ledger_commands(month)
    for command in (workbook, typing):
        command.add_argument(
            "archive", type=Path, nargs="+", metavar="A.tar", help="sealed months of one year"
        )
    report.add_argument("archive", type=Path, metavar="A.tar", help="a sealed month")
    report.add_argument("--lang", choices=("zh", "en"), default="zh", help="default zh")
    report.add_argument(
        "--trust", type=Path, metavar="FILE", help="root certificates or keys, as for verify"
    )
    report.add_argument(
        "--accuracy", type=Path, metavar="FILE.toml",
        help="how sure its meters and factors are (docs/uncertainty.md): shown beside the figures",
    )  # fmt: skip
    for command in (workbook, typing, report):
        command.add_argument(
            "-o", "--out", type=Path, required=True, metavar="OUT",
            help="a file, or a folder for a file of the usual name",
        )  # fmt: skip
    for command, act in (
        (workbook, _workbook), (typing, _typing_sheet), (report, _report), (compare, _compare)
    ):  # fmt: skip
        command.add_argument(
            "--layout",
            type=Path,
            metavar="FILE.toml",
            help="a layout of your own (docs/outputs.md)",
        )
        command.set_defaults(run=act)


def _add_ledger_commands(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    ledger = month.add_parser(
        "ledger", help="a month's ledgers to print and stamp (PDF), one a parameter"
    )
    ledger.add_argument("archive", type=Path, metavar="A.tar", help="a sealed month")
    ledger.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="a folder that is there"
    )
    ledger.add_argument("--point", metavar="ID", help="only this parameter's")
    ledger.set_defaults(run=_ledger)
    scan = month.add_parser(
        "ledger-scan",
        help="hold a stamped scan of a ledger against its archive, and write what is to be signed",
        epilog="Exit status: 0 whole and of this archive, 1 it is not, 2 cannot run.",
    )
    scan.add_argument("scan", type=Path, metavar="SCAN", help="PDF, JPEG or PNG")
    scan.add_argument("--archive", type=Path, required=True, metavar="A.tar")
    scan.add_argument("-o", "--out", type=Path, required=True, metavar="BODY.toml")
    scan.set_defaults(run=_ledger_scan)


def read_layout(path: Path | None) -> Any:  # noqa: ANN401 - loaded on use
    """A layout of one's own; None for none."""
    from cloud.outputs.layout import parse_layout

    return None if path is None else parse_layout(read_small(path, LAYOUT_BYTES_MAX), str(path))


# what makes papers is imported on use: other commands start in a third of the time


def _workbook(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_book
    from cloud.outputs.xlsx_write import workbook_bytes

    book = read_book(args.archive, read_layout(args.layout))
    write_file(args.out, book.file_name, workbook_bytes(book))
    tell_headlines(book.months)
    return EXIT_FINE


def _typing_sheet(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_book
    from cloud.outputs.typeset import pdf_bytes
    from cloud.outputs.typing_sheet import typing_sheet

    book = read_book(args.archive, read_layout(args.layout))
    newest = book.months[-1]
    name = f"{newest.plant['id']}-{newest.month}-typing-sheet.pdf"
    write_file(args.out, name, pdf_bytes(typing_sheet(book)))
    tell_headlines([newest])
    return EXIT_FINE


def _report(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_checked
    from cloud.outputs.report import report_paper
    from cloud.outputs.typeset import chinese_font, pdf_bytes

    chinese_font()  # before minutes of verification, not after them
    trust = load_trust(args.trust) if args.trust else None
    checked = read_checked(args.archive, read_layout(args.layout), trust, args.accuracy)
    month = checked.month
    name = f"{month.plant['id']}-{month.month}-report-{args.lang}.pdf"
    write_file(args.out, name, pdf_bytes(report_paper(checked, args.lang)))
    if not checked.report.state.is_plain:
        headline = checked.report.state.headline("en")
        print(f"stackproof cloud: {headline}; the report says so on each page", file=sys.stderr)
    return EXIT_FINE if checked.report.verdict is Verdict.PASSED else EXIT_DIFFERS


def tell_headlines(months: Sequence[Any]) -> None:
    """Say of each month that lacks anything what it lacks; `SealedMonth`s."""
    for month in months:
        if month.state.beside_total("en"):
            headline = month.state.headline("en")
            print(f"stackproof cloud: {month.month}: {shown(headline)}", file=sys.stderr)


def _compare(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_book
    from cloud.outputs.compare import compare, not_compared, read_export
    from cloud.records.tables import TableError
    from cloud.records.workbook import FILE_BYTES_MAX as EXPORT_BYTES_MAX

    book = read_book(args.archive, read_layout(args.layout))
    try:
        export = read_export(read_small(args.export, EXPORT_BYTES_MAX))
    except TableError as error:
        raise OutputError(f"{args.export}: {error}") from error
    found, open_items = compare(book, export), not_compared(book)
    if args.json:
        told = {"differences": [asdict(one) for one in found], "not_compared": open_items}
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _tell(found, open_items)
    return EXIT_DIFFERS if found else EXIT_FINE


def _ledger(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_ledgers
    from cloud.outputs.ledger import ledger_paper
    from cloud.outputs.typeset import pdf_bytes

    month, ledgers = read_ledgers(args.archive)
    chosen = [one for one in ledgers if args.point in (None, one.point)]
    if not chosen or not args.out.is_dir():
        known = " ".join(one.point for one in ledgers) or "none"
        raise OutputError(f"{args.out} must be a folder; parameters with ledgers: {known}")
    for one in chosen:
        name = f"{one.plant}-{one.month}-{one.point}-ledger.pdf"
        write_file(args.out, name, pdf_bytes(ledger_paper(one, month)))
    return EXIT_FINE


def _ledger_scan(args: argparse.Namespace) -> int:
    from cloud.outputs.checked import read_ledgers
    from cloud.outputs.ledger import check_scan
    from cloud.outputs.scan import codes_on

    codes = codes_on(read_small(args.scan, FILE_BYTES_MAX))
    ledger, problems = check_scan(codes, read_ledgers(args.archive)[1])
    for problem in problems:
        print(f"stackproof cloud: {args.scan}: {shown(problem)}", file=sys.stderr)
    if problems or ledger is None:
        return EXIT_DIFFERS
    write_file(args.out, "ledger.toml", ledger.body.encode())
    print(
        f"stackproof record sign --kind ledger --plant {ledger.plant} --about {ledger.about} "
        f"--person YOU --key KEY.pem -o ledger.cose {args.out} {args.scan}"
    )
    return EXIT_FINE


def _tell(found: Sequence[Any], open_items: Sequence[str]) -> None:
    for one in found:
        where = " | ".join(filter(None, (one.sheet, one.row, one.column)))
        at = f" ({one.place})" if one.place else ""
        print(
            shown(f"{one.kind}: {where}: sealed {one.sealed or '-'}, found {one.found or '-'}{at}")
        )
    for item in open_items:
        print(f"not compared: {item}: archives have no such figure")
    print(f"{len(found)} cell(s) that differ, are missing or are extra")


def target_of(out: Path, name: str) -> Path:
    """Where a paper goes: its name in a folder that is there, else what was said.

    Raises:
        OutputError: a file is there that has no ending: one that was to be a folder, and took a
            paper before this one.
    """
    if out.is_dir():
        return out / name
    if out.exists() and not out.suffix:
        raise OutputError(
            f"{out}: is a file, which is not overwritten: move it away and make a folder of that "
            "name, or name a file with its ending"
        )
    return out


def write_file(out: Path, name: str, data: bytes) -> None:
    """Whole or not at all; says where."""
    target = target_of(out, name)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
    print(target)
