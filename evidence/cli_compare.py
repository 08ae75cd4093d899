"""`stackproof compare …`: whether archives of one plant are one history. Prints."""

import argparse
import json
from pathlib import Path
from typing import Any

from evidence.cli_progress import Progress, can_print, readable
from evidence.errors import KeyFileError
from evidence.keys import load_trust
from evidence.phrases import LANGUAGES


def add_compare_command(rooms: Any) -> None:
    """Add `compare` to the program's commands."""
    compare = rooms.add_parser(
        "compare",
        help="say whether sealed archives of one plant are one history",
        description="Compare archives of one plant, two or a year of them: keys, logs, gateways' "
        "objects, and the statements of one month. They are taken in the order of their logs, in "
        "any order given. Verify each archive by itself, too.",
        epilog="Exit status: 0 one history, 1 two histories, 2 cannot decide or cannot run.",
    )
    compare.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE", help="sealed (.tar)")
    compare.add_argument(
        "--trust", type=Path, metavar="FILE", help="PEM file of root certificates or keys, as of "
        "verify",
    )  # fmt: skip
    compare.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language, default en. 报告语言，默认 en"
    )
    compare.add_argument("--json", action="store_true", help="one JSON object on stdout")
    compare.set_defaults(run=_compare)


def _compare(args: argparse.Namespace) -> int:
    # the verifier's rooms load numpy: only when they are asked for
    from evidence.compare.told import as_map, lines, walk

    if len(args.archives) < 2:
        raise KeyFileError("compare needs two archives or more; one alone: stackproof verify")
    trust = load_trust(args.trust) if args.trust else None
    with Progress() as progress:
        made = walk(args.archives, trust, progress.tell)
    if args.json:
        text = json.dumps(as_map(made, args.lang), ensure_ascii=False, indent=1)
        print(text if can_print(text) else json.dumps(as_map(made, args.lang), indent=1))
    else:
        for line in lines(made, readable(args.lang, "compare")):
            print(line)
    return made.outcome.exit_status
