"""`stackproof cloud support`: what whoever is to help needs to see of a collector. Prints."""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.config import load_cloud, read_state_dir
from evidence.support import journal, machine, pack, secrets_in, secrets_of, tail

UNIT = "stackproof-cloud"
TOKEN = "api.token"  # noqa: S105 - a file's name
EXIT_FINE, EXIT_PARTLY, EXIT_CANNOT = 0, 1, 2


def add_support_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `support` to the commands of `stackproof cloud`."""
    support = commands.add_parser(
        "support",
        help="pack health, streams, CLOUD.toml, versions, disk and log lines for who helps",
        epilog="Keys, tokens and passwords are taken out; look into it before you send it. Exit "
        "status: 0 written, 1 a part is missing (the others are there), 2 not written.",
    )
    support.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    support.add_argument("--out", required=True, type=Path, metavar="FILE", help="FILE.tar.gz")
    support.add_argument(
        "--log", type=Path, action="append", default=[], metavar="FILE",
        help=f"a log file; may be repeated. Without: the journal of {UNIT}",
    )  # fmt: skip
    support.set_defaults(run=_support)


def _support(args: argparse.Namespace) -> int:
    token = read_state_dir(args.config) / TOKEN
    try:
        text = args.config.read_text(encoding="utf-8")
        secrets = secrets_of(text, args.config.parent) | secrets_in(token)
        failed = pack(args.out, _parts(args, text), secrets)
    except OSError as error:
        print(f"stackproof cloud: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_CANNOT
    for sentence in failed:
        print(f"left out: {sentence}", file=sys.stderr)
    print(f"{args.out}: look into it before you send it")
    return EXIT_PARTLY if failed else EXIT_FINE


def _parts(args: argparse.Namespace, text: str) -> dict[str, Callable[[], str]]:
    logs = {f"log-{n}.txt": partial(tail, path) for n, path in enumerate(args.log)}
    return {
        "health.json": lambda: _asked(args.config, "health"),
        "streams.json": lambda: _asked(args.config, "streams"),
        "cloud.toml": lambda: text,
        "machine.txt": lambda: _machine(args.config),
        **(logs or {"journal.txt": partial(journal, UNIT)}),
    }


def _asked(config: Path, path: str) -> str:
    found = RunningCollector(config).get(path)
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _machine(path: Path) -> str:
    config = load_cloud(path)
    return machine([config.evidence_dir, config.state_dir, config.archive_dir])
