"""`stackproof edge support`: what whoever is to help needs to see of a gateway. Prints."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge.clock import SystemClock
from edge.identity import Problems, open_collector, open_gateway_certificate
from edge.site.config import load_site
from edge.spool_reader import SpoolReader
from edge.status import lines, status_of
from evidence.support import journal, machine, pack, secrets_of, tail

UNIT = "stackproof-edge"
EXIT_FINE, EXIT_PARTLY, EXIT_CANNOT = 0, 1, 2


def add_support_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `support` to `stackproof edge`."""
    support = commands.add_parser(
        "support",
        help="pack status, site file, versions, disk and log lines for somebody who helps",
        epilog="Keys, tokens and passwords are taken out; look into it before you send it. Works "
        "beside a running agent. Exit status: 0 written, 1 a part is missing (the others are "
        "there), 2 not written.",
    )
    support.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    support.add_argument("--out", required=True, type=Path, metavar="FILE", help="FILE.tar.gz")
    support.add_argument(
        "--log", type=Path, action="append", default=[], metavar="FILE",
        help=f"a log file; may be repeated. Without: the journal of {UNIT}",
    )  # fmt: skip
    support.set_defaults(run=_support)


def _support(args: argparse.Namespace) -> int:
    try:
        text = args.site.read_text(encoding="utf-8")
        failed = pack(args.out, _parts(args, text), secrets_of(text, args.site.parent))
    except OSError as error:
        print(f"stackproof edge: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_CANNOT
    for sentence in failed:
        print(f"left out: {sentence}", file=sys.stderr)
    print(f"{args.out}: look into it before you send it")
    return EXIT_PARTLY if failed else EXIT_FINE


def _parts(args: argparse.Namespace, text: str) -> dict[str, Callable[[], str]]:
    logs = {f"log-{n}.txt": partial(tail, path) for n, path in enumerate(args.log)}
    return {
        "status.txt": lambda: _status(args.site),
        "site.toml": lambda: text,
        "machine.txt": lambda: machine([load_site(args.site).gateway.state_dir]),
        **(logs or {"journal.txt": partial(journal, UNIT)}),
    }


def _status(path: Path) -> str:
    site, problems = load_site(path), Problems(path)
    certificate = open_gateway_certificate(site, problems)
    collector = open_collector(site, problems)
    if certificate is None or collector is None:
        return "".join(f"{problem}\n" for problem in problems)
    spool = SpoolReader(site.gateway.spool)
    try:
        told = status_of(
            site, spool, SystemClock(), certificate=certificate, collector=collector
        )  # fmt: skip
    finally:
        spool.close()
    return "\n".join(lines(told)) + "\n"
