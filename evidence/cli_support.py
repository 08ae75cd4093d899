"""What `support` of edge, relay and cloud have in common: options and exit. Prints."""

import argparse
import sys
from collections.abc import Callable, Mapping, Set
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from evidence.support import journal, pack, tail

EXIT_FINE, EXIT_PARTLY, EXIT_CANNOT = 0, 1, 2

#: name in the archive -> makes its text
Parts = Mapping[str, Callable[[], str]]


class Gathered(NamedTuple):
    """What is packed of a configuration.

    Attributes:
        parts: of the archive.
        secrets: to take out.
        unit: systemd's, whose journal is packed where no log file is named.
    """

    parts: Parts
    secrets: Set[str]
    unit: str


def add_support(
    commands: Any,
    *, file: str, unit: str, what: str, gather: Callable[[Path], Gathered],
) -> None:  # fmt: skip
    """Add `support` to a room's commands.

    Args:
        commands: of the room.
        file: its configuration, as the usage names it.
        unit: systemd's, as the help names it.
        what: is packed, for the help.
        gather: of the configuration's path; OSError where it, or a secret that it names, cannot be
            read.
    """
    support = commands.add_parser(
        "support",
        help=f"pack {what}, versions, disk and log lines for somebody who helps",
        epilog="Keys, tokens and passwords are taken out; look into it before you send it. Exit "
        "status: 0 written, 1 a part is missing (the others are there), 2 not written.",
    )
    support.add_argument("config", type=Path, metavar=file, help="its configuration")
    support.add_argument("--out", required=True, type=Path, metavar="FILE", help="FILE.tar.gz")
    support.add_argument(
        "--log", type=Path, action="append", default=[], metavar="FILE",
        help=f"a log file; may be repeated. Without: the journal of {unit}",
    )  # fmt: skip
    support.set_defaults(run=lambda args: _support(args, gather))


def _support(args: argparse.Namespace, gather: Callable[[Path], Gathered]) -> int:
    logs: Parts = {f"log-{n}.txt": partial(tail, path) for n, path in enumerate(args.log)}
    try:
        found = gather(args.config)
        logs = logs or {"journal.txt": partial(journal, found.unit)}
        failed = pack(args.out, {**found.parts, **logs}, found.secrets)
    except OSError as error:
        print(f"stackproof: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_CANNOT
    for sentence in failed:
        print(f"left out: {sentence}", file=sys.stderr)
    print(f"{args.out}: look into it before you send it")
    return EXIT_PARTLY if failed else EXIT_FINE
