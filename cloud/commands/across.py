"""`stackproof cloud across`: plants and months of several collectors in one list. Prints.

Each slice has its own collector, accounts and token; this only asks them in turn.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cloud.asking import RunningCollector
from cloud.commands.months import month_line
from cloud.commands.token import read_token
from cloud.errors import NotRunningError, RefusedError
from cloud.month.newest import NEWEST

EXIT_ALL, EXIT_SOME = 0, 1


def add_across_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `across` to the commands of `stackproof cloud`."""
    across = commands.add_parser(
        "across",
        help="plants and months of several collectors, by their addresses and tokens",
        epilog="Exit status: 0 all answered, 1 some did not, 2 cannot run.",
    )
    across.add_argument(
        "--of", nargs=2, action="append", required=True, metavar=("URL", "TOKEN"),
        help="a collector, and file:PATH or env:NAME of a token there; once for each",
    )  # fmt: skip
    across.add_argument("--json", action="store_true", help="one JSON object on stdout")
    across.set_defaults(run=_across)


def _across(args: argparse.Namespace) -> int:
    collectors = [
        (url, RunningCollector.at(url, read_token(reference))) for url, reference in args.of
    ]
    found = [_asked(url, collector) for url, collector in collectors]
    if args.json:
        print(json.dumps({"collectors": found}, ensure_ascii=False))
    else:
        for one in found:
            _print(one)
    seen = [stream["plant"] for one in found for stream in one["streams"]]
    for plant in sorted({plant for plant in seen if _is_at_two(plant, found)}):
        print(f"stackproof cloud: {plant} is at two collectors", file=sys.stderr)
    return EXIT_SOME if any(one["error"] for one in found) else EXIT_ALL


def _asked(url: str, collector: RunningCollector) -> Mapping[str, Any]:
    try:
        return {
            "url": url, "error": "",
            "streams": collector.get("streams"),
            "months": collector.get(f"months?newest={NEWEST}"),
        }  # fmt: skip
    except (NotRunningError, RefusedError) as error:
        return {"url": url, "error": str(error), "streams": [], "months": []}


def _is_at_two(plant: str, found: Sequence[Mapping[str, Any]]) -> bool:
    return sum(any(row["plant"] == plant for row in one["streams"]) for one in found) > 1


def _print(one: Mapping[str, Any]) -> None:
    print(f"{one['url']}: {one['error'] or 'answers'}")
    for row in one["streams"]:
        missing = "" if row["missing"] is None else "  MISSING"
        alarms = f"  {len(row['alarms'])} alarm(s)" if row["alarms"] else ""
        last = row["next_seq"] - 1
        print(f"  {row['plant']}/{row['gateway']}  through seq {last}{missing}{alarms}")
    for row in one["months"]:
        print(f"  {month_line(row)}")
