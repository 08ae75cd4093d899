"""`stackproof cloud status`: how the running collector stands, for whoever looks each day. Prints.

What is asked is the API's own health, streams and alarms, with the token of programs.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.clock import instant
from evidence.printed import printable

Row = Mapping[str, Any]
#: series follow the log by the minute; later than that is worth a line
LATE_NS = 600 * 1_000_000_000
ASKED = ("health", "streams", "alarms")


def add_status_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `status` to the commands of `stackproof cloud`."""
    status = commands.add_parser(
        "status",
        help="how the running collector stands: plants, broker, streams, alarms",
        epilog="Exit status: 0 fine, 1 an alarm stands (on no shelf) or something is amiss or "
        "missing, 2 cannot tell: none runs.",
    )
    status.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file (CLOUD.toml)",
    )  # fmt: skip
    status.add_argument("--json", action="store_true", help="one JSON object on stdout")
    status.set_defaults(run=_status)


def _status(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    told = {path: collector.get(path) for path in ASKED}
    wrong = list(troubles(told))
    if args.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        said = [*_lines(collector.base, told), *(wrong or ["no alarms"])]
        print("\n".join(map(printable, said)))
    return int(bool(wrong))


def _lines(base: str, told: Row) -> Iterator[str]:
    health = told["health"]
    shelved = sum(row["shelf"] is not None for row in told["alarms"]["standing"])
    yield f"collector: running, {base}; {health['viewers']} live page(s)"
    yield f"plants: {len(health['served'])} served; {len(health['amiss'])} amiss"
    yield "broker: there" if health["broker_away_s"] is None else "broker: away"
    yield f"series: {health['series']['kind']}"
    for row in health["scrub"]:
        yield _walked(row)
    for row in told["streams"]:
        refused = ", ".join(f"{n} {reason}" for reason, n in sorted(row["refused"].items()))
        yield (
            f"{row['plant']}/{row['gateway']}: under receipt up to {row['receipted_seq']}; "
            f"since the start {row['frames']:,} frames, {row['readings']:,} readings"
            f"{'; refused: ' if refused else ''}{refused}"
        )
    for plant in sorted({*health["served"]} - {row["plant"] for row in told["streams"]}):
        yield f"{plant}: no gateway has delivered yet"
    if strange := sum(health["strangers_refused"].values()):
        yield f"{strange:,} object(s) refused, of plants that are not served: the log names them"
    if shelved:
        yield f"{shelved} alarm(s) on a shelf"


def _walked(row: Row) -> str:
    """How far the walk over a plant's evidence is."""
    whole = f"last whole walk {instant(row['walked_ns'])}, found {row['findings']}"
    ended = whole if row["walked_ns"] else "no whole walk yet"
    share = f"{100 * row['done'] // max(1, row['total'])} % of {row['total']:,} entries; "
    return f"scrub {row['plant']}: {share if row['done'] else ''}{ended}"


def troubles(told: Row) -> Iterator[str]:
    """A line for each thing that needs somebody; `told`: answer of each of `ASKED`."""
    health = told["health"]
    for plant, why in sorted(health["amiss"].items()):
        yield from (f"AMISS {plant}: {name}: {said}" for name, said in sorted(why.items()))
    if (away_s := health["broker_away_s"]) is not None:
        yield f"AMISS broker: away for {away_s:.0f} s; gateways keep their readings"
    if (unkept_s := health["broker_unkept_s"]) is not None:
        yield f"AMISS broker: has kept nothing for {unkept_s:.0f} s; is its disk full?"
    if health["broker_register"]:
        yield f"AMISS broker: {health['broker_register']}"
    yield from _series(health["series"])
    walks = (row for row in health["scrub"] if row["trouble"])
    yield from (f"AMISS scrub of {row['plant']}: {row['trouble']}" for row in walks)
    for row in told["streams"]:
        if (gone := row["missing"]) is not None:
            span = f"{row['plant']}/{row['gateway']}: seq {gone['first']} to {gone['last']}"
            yield f"MISSING {span}: stackproof cloud missing says what to do"
    for row in told["alarms"]["standing"]:
        if row["shelf"] is None:
            seen = f"; seen by {row['acknowledged_by']}" if row["acknowledged_by"] else ""
            yield f"ALARM {row['plant']}: {row['en']} (since {instant(row['raised_ns'])}{seen})"


def _series(series: Row) -> Iterator[str]:
    if series["trouble"]:
        yield f"AMISS series: {series['trouble']}"
    for row in series["plants"]:
        late = "" if row["behind_ns"] < LATE_NS else f"{row['behind_ns'] // 10**9} s behind the log"
        if said := row["trouble"] or late:
            yield f"AMISS series of {row['plant']}/{row['gateway']}: {said}"
