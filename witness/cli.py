"""`stackproof witness …`: keep and cosign the logs of plants, and list what was kept. Prints."""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evidence.checkpoint import parse
from evidence.cosignature import note_time_s
from evidence.documents.witness import person_name
from evidence.errors import EvidenceError
from evidence.printed import printable
from witness.asking import Collector
from witness.clock import now_s
from witness.config import Config, Watched, read_config
from witness.errors import ForkError, NotAskedError, WitnessError
from witness.notebook import Notebook, alone, read_notes
from witness.visit import Visited, visit

EXIT_FINE, EXIT_FORK, EXIT_CANNOT = 0, 1, 2
#: a plant that could not be visited is visited again after so many seconds, by a daemon
AGAIN_S = 600
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Plant = tuple[Watched, str]


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (WitnessError, EvidenceError) as error:
        for line in str(error).splitlines():
            _complain(line)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof witness",
        description="Watch the logs of plants from outside: whoever keeps their checkpoints can "
        "show that history was written again.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="keep and cosign the newest checkpoint of each plant",
        epilog="Exit status: 0 all are cosigned, 1 a log does not continue what was kept, 2 a "
        "plant could not be visited, or it cannot run. With --every it ends only at a fork.",
    )
    how = run.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="visit each plant and end, for timers")
    how.add_argument("--every", type=_span, metavar="SPAN", help="again and again: 24h, 30m, …")
    run.set_defaults(run=_run)
    listed = commands.add_parser("list", help="what was kept of each plant, and when last")
    listed.set_defaults(run=_list)
    for command in (run, listed):
        command.add_argument("config", type=Path, metavar="WITNESS.toml", help="configuration")
    return parser


def _span(text: str) -> int:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 24h or 30m")
    return int(match[1]) * _UNITS[match[2]]


def _run(args: argparse.Namespace) -> int:
    config = read_config(args.config)
    for warning in config.warnings:
        _complain(warning)
    plants = [(watched, plant) for watched in config.collectors for plant in watched.plants]
    with alone(config.folder):
        if args.every is None:
            return _status([_visited(config, plant) for plant in plants])
        return _daemon(config, plants, args.every, time.sleep)


def _daemon(
    config: Config, plants: Sequence[Plant], every_s: int, sleep: Callable[[float], None]
) -> int:
    """Visit again and again; ends with the round that met a fork."""
    due = {plant: (0, (watched, plant)) for watched, plant in plants}
    while True:
        met = []
        for at_s, one in list(due.values()):
            if at_s <= now_s():
                met.append(_visited(config, one))
                wait_s = every_s if met[-1] == EXIT_FINE else min(every_s, AGAIN_S)
                due[one[1]] = now_s() + wait_s, one
        if EXIT_FORK in met:
            return EXIT_FORK
        sleep(max(1, min(at_s for at_s, _ in due.values()) - now_s()))


def _visited(config: Config, of: Plant) -> int:
    """Visit one and say what came of it; a status of this program's."""
    watched, plant = of
    notebook = Notebook(config.folder, plant)
    try:
        done = visit(
            plant, watched, asked=Collector(watched), notebook=notebook, signer=config.signer,
            now_s=now_s(),
        )  # fmt: skip
    except ForkError as error:
        _complain(f"{plant}: {error}")
        return EXIT_FORK
    except (NotAskedError, EvidenceError) as error:
        _complain(f"{plant}: {error}")
        return EXIT_CANNOT
    _say(_sentence(done, notebook))
    return EXIT_FINE


def _sentence(done: Visited, notebook: Notebook) -> str:
    since = "the first seen" if done.before is None else f"it continues {done.before:,}"
    sent = "" if done.logged is None else f", logged there as entry {done.logged:,}"
    return f"{done.plant}: log of {done.size:,} entries ({since}); kept in {notebook.notes}{sent}"


def _status(met: Sequence[int]) -> int:
    """A fork outweighs a plant that could not be visited."""
    return EXIT_FORK if EXIT_FORK in met else max(met, default=EXIT_FINE)


def _list(args: argparse.Namespace) -> int:
    config = read_config(args.config)
    met = EXIT_FINE
    for watched in config.collectors:
        for plant in watched.plants:
            notebook = Notebook(config.folder, plant)
            for line in _kept(notebook, person_name(plant, watched.person)):
                _say(f"{plant}: {line}")
            met = EXIT_FORK if notebook.refused.exists() else met
    return met


def _kept(notebook: Notebook, name: str) -> Iterator[str]:
    held = read_notes(notebook.notes)
    if not held:
        yield "nothing kept yet"
    else:
        size = parse(held[-1])[0].size
        times = [note_time_s(note, name) for note in (held[0], held[-1])]
        first, last = ("?" if one is None else _day(one) for one in times)
        yield f"{len(held):,} notes, {first} to {last}; the last of a log of {size:,} entries"
    if notebook.refused.exists():
        count = len(read_notes(notebook.refused))
        yield f"FORK: {count} refused, in {notebook.refused}"


def _day(at_s: int) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%MZ}"
    except (ValueError, OverflowError, OSError):
        return "?"


def _say(sentence: str) -> None:
    print(printable(sentence), flush=True)


def _complain(sentence: str) -> None:
    print(f"stackproof witness: {printable(sentence)}", file=sys.stderr, flush=True)
