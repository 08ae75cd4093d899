"""`stackproof cloud front`: one address for several collectors, to read at. Prints."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

from cloud.config_elsewhere import open_secrets
from cloud.front.config import load_front
from evidence.log_lines import FORMS, TEXT, start_logging, teller


def add_front_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `front` to the commands of `stackproof cloud`."""
    front = commands.add_parser(
        "front",
        help="pages and API of several collectors at one address, to read",
        description="Asks each collector with a token that may read; changes nothing anywhere.",
    )
    front.add_argument("config", type=Path, metavar="FRONT.toml", help="the front's file")
    front.add_argument("--check", action="store_true", help="validate the file and start nothing")
    front.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    front.add_argument(
        "--log-format", default=TEXT, choices=FORMS, help="json: one object a line (default: text)"
    )
    front.set_defaults(run=_front)


def _front(args: argparse.Namespace) -> int:
    config = load_front(args.config)
    if args.check:
        count, readers = len(config.collectors), len(config.readers)
        proxy = ", and whom a proxy signs in" if config.sign_in else ""
        print(f"{args.config}: fine; {count} collector(s), {readers} reader(s){proxy}")
        for sentence in open_secrets(args.config):
            print(f"{args.config}: WARNING: {sentence}")
        return 0
    # imported on use: to check a file needs no server
    from cloud.front.process import run_front

    start_logging(args.log_level, args.log_format)

    for sentence in open_secrets(args.config):
        logging.getLogger("stackproof.cloud.front").warning("%s", sentence)

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for order in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(order, stop.set)
        await run_front(config, stop, teller(args.log_format, "stackproof.cloud.front"))

    asyncio.run(run())
    return 0
