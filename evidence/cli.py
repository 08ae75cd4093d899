"""`stackproof verify …`; `keys …`, `screen …`, `compare …` begin here (`cli_keys`, …). Prints."""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from evidence.cli_compare import add_compare_command
from evidence.cli_keys import add_key_commands
from evidence.cli_progress import Progress, can_print, readable
from evidence.cli_screen import add_screen_command
from evidence.errors import EvidenceError, KeyFileError, ScratchError
from evidence.findings import shown
from evidence.kept import FILE_BYTES_MAX, Kept, kept_in
from evidence.key_files import read_small, witness_keys
from evidence.keys import load_certificates, load_trust
from evidence.phrases import LANGUAGES
from evidence.report_text import report_lines
from evidence.timestamp import is_available

EXIT_CANNOT = 2


def main(argv: list[str]) -> int:
    """Run `verify …`, `keys …`, `screen …` or `compare …`; the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # what a terminal's encoding lacks is shown as an escape; a report must not end half-way
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(argv)
        return int(args.run(args))
    except BrokenPipeError:
        raise  # nobody reads any more: `stackproof.main` ends quietly
    except (EvidenceError, OSError) as error:
        print(f"stackproof {argv[0]}: {shown(str(error))}", file=sys.stderr)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stackproof", description="Evidence, checked offline.")
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = rooms.add_parser(
        "verify",
        help="check a sealed archive: signatures, log, seal, figures",
        epilog="Exit status: 0 passed, identified, recomputed, complete and without a question; "
        "1 failed; 2 cannot decide or cannot run; 3 sound, but not all of what 0 says: the first "
        "line says what is missing.",
    )
    verify.add_argument("archive", type=Path, help="the archive (.tar)")
    verify.add_argument("others", type=Path, nargs="*", help=argparse.SUPPRESS)
    verify.add_argument(
        "--trust",
        type=Path,
        metavar="FILE",
        help="PEM file of the root certificate or public key you got from the plant by another "
        "way; a certificate is trusted for its own plant only, a public key for any",
    )
    verify.add_argument(
        "--orders", type=Path, metavar="FILE", nargs="+", action="extend",
        help="after ARCHIVE and with --trust: orders about keys, and lists of certified persons, "
        "that you got from the plant's root by another way; the archive fails if it lacks an "
        "order that its objects fall under",
    )  # fmt: skip
    verify.add_argument(
        "--kept", type=Path, metavar="FILE", nargs="+", action="extend",
        help="after ARCHIVE: checkpoint notes and receipts of the collector that you or a gateway "
        "kept; the archive fails if its log is another than they say",
    )  # fmt: skip
    verify.add_argument(
        "--tsa", type=Path, metavar="FILE",
        help="PEM file of the time stamp authority's root certificate you trust; the archive fails "
        "without a stamp of theirs",
    )  # fmt: skip
    verify.add_argument(
        "--witness", type=Path, metavar="FILE", action="append",
        help="PEM file of public keys or certificates that you got from the reviewers' "
        "organisation: they say whose keys of witnesses and reviewers are; may be repeated",
    )  # fmt: skip
    verify.add_argument(
        "--no-recompute", action="store_true", help="leave the figures unchecked (faster)"
    )
    verify.add_argument(
        "--lang", choices=LANGUAGES, default="en",
        help="language of the report, default en; some details are in English only. "
        "报告语言，默认 en；部分细节仅为英文",
    )  # fmt: skip
    verify.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verify.set_defaults(run=_verify)
    add_key_commands(rooms)
    add_screen_command(rooms)
    add_compare_command(rooms)
    return parser


def _verify(args: argparse.Namespace) -> int:
    # the recomputation loads numpy and the calculation library: only when it is asked for
    from evidence.verifier.run import verify

    if args.others:
        raise KeyFileError("verify takes one archive; two or more: stackproof compare ARCHIVE…")
    trust = load_trust(args.trust) if args.trust else None
    if args.orders and trust is None:
        raise KeyFileError("--orders needs --trust: whose orders they are, only a root says")
    orders = {str(path): read_small(path) for path in args.orders} if args.orders else None
    kept = _kept(args.kept)
    tsa = load_certificates(args.tsa) if args.tsa else None
    if tsa is not None and not is_available():
        raise KeyFileError("--tsa needs rfc3161-client; run: pip install 'stackproof[tsa]'")
    witnesses = witness_keys(args.witness) if args.witness else None
    if args.archive.exists() and not args.archive.is_file():
        raise KeyFileError(
            f"{args.archive}: it is no file; an archive is a file, PLANT-YYYY-MM.tar"
        )
    try:
        with Progress() as progress, args.archive.open("rb") as file:
            report = verify(
                file, trust=trust, orders=orders, kept=kept, tsa=tsa, witnesses=witnesses,
                recompute=not args.no_recompute, progress=progress.tell,
            )  # fmt: skip
    except ScratchError:
        raise
    except OSError as error:
        raise KeyFileError(f"{args.archive}: cannot be read: {error.strerror}") from error
    if args.json:
        text = json.dumps(report.as_map(args.lang), ensure_ascii=False, indent=1)
        print(text if can_print(text) else json.dumps(report.as_map(args.lang), indent=1))
    else:
        for line in report_lines(shown(str(args.archive)), report, readable(args.lang, "verify")):
            print(line)
    return report.state.exit_status


def _kept(files: Sequence[Path] | None) -> list[Kept]:
    """Notes and receipts from the reviewer's files."""
    return kept_in({str(path): read_small(path, FILE_BYTES_MAX) for path in files or ()})
