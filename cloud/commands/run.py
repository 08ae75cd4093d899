"""`stackproof cloud check` and `run`: check CLOUD.toml, run its collector. Prints."""

import argparse
import asyncio
import datetime as dt
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from cloud.clock import Clock, SimulatedClock, SystemClock
from cloud.collector.identity import PlantIdentity
from cloud.collector.key_folder import Offered, read_offered
from cloud.collector.keyring import Keyring
from cloud.config import CloudConfig, load_cloud
from cloud.config_elsewhere import in_clear, open_secrets
from cloud.errors import CloudError
from cloud.transport.served import behind
from evidence.heap import share_one_heap
from evidence.log_lines import FORMS, TEXT, start_logging, teller

EXIT_FINE = 0
#: after so long a thread that calculates lets go of the interpreter. A commit asks for it again
#: after each of its thousand system calls, and would wait Python's 5 ms for each
SWITCH_S = 0.0005


def add_run_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `check` and `run` to the commands of `stackproof cloud`."""
    check = commands.add_parser("check", help="validate CLOUD.toml and the keys it names")
    run = commands.add_parser("run", help="run the collector until SIGTERM")
    for command, act in ((check, _check), (run, _run)):
        command.add_argument(
            "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
            help="the collector's file (CLOUD.toml)",
        )  # fmt: skip
        command.set_defaults(run=act)
    check.add_argument("--json", action="store_true", help="one JSON object on stdout")
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument(
        "--log-format", default=TEXT, choices=FORMS, help="json: one object a line (default: text)"
    )
    run.add_argument(
        "--standby", action="store_true",
        help="while another collector holds the slice, wait, and take it when that one ends",
    )  # fmt: skip
    _add_clock(run)


def _add_clock(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--clock", choices=("machine", "sim"), default="machine",
        help="sim: simulated plants only, in a database of its own; to try deadlines with",
    )  # fmt: skip
    run.add_argument(
        "--from", dest="from_ns", type=_instant, metavar="INSTANT",
        help="with --clock sim: what it shows at the start, such as 2026-09-30T15:59:00Z (now)",
    )  # fmt: skip
    run.add_argument(
        "--speed", type=_speed, metavar="N",
        help="with --clock sim: its seconds a second, 1..1000000 (60)",
    )  # fmt: skip


def _instant(text: str) -> int:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None or at.year < 2000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no instant with its zone, such as 2026-09-30T15:59:00Z"
        )
    return int(at.timestamp()) * 1_000_000_000


def _speed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number in 1..1000000")
    return int(text)


def _clock(args: argparse.Namespace) -> Clock:
    if args.clock == "sim":
        from_ns = SystemClock().wall_ns() if args.from_ns is None else args.from_ns
        return SimulatedClock(from_ns, args.speed or 60)
    if args.from_ns is not None or args.speed is not None:
        raise CloudError("--from and --speed belong to --clock sim")
    return SystemClock()


def _check(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    offered = [(one, read_offered(one.key_folder, one, Keyring(one))) for one in config.plants]
    gateways = sum(len(_gateways(one, found)) for one, found in offered)
    facts = {"problems": [], "plants": len(config.plants), "gateways": gateways}
    if args.json:
        print(json.dumps(facts))
    else:
        print(f"{args.config}: fine; {len(config.plants)} plant(s), {gateways} gateway(s)")
        for problem in (problem for _, found in offered for problem in found.problems):
            print(f"{args.config}: WARNING: does not count: {problem}")
        for sentence in _open(args.config, config):
            print(f"{args.config}: WARNING: {sentence}")
        if config.broker.register is not None and (barred := config.broker.register.barred()):
            print(f"{args.config}: broker.register: WARNING: {barred}")
        if config.broker.register is not None:
            for sentence in behind(args.config.resolve(), config.broker.register):
                print(f"{args.config}: broker.register: WARNING: {sentence}")
        for plant, ends in _ending(config):
            print(f"{args.config}: WARNING: the collector's certificate for {plant} ends {ends}")
    return EXIT_FINE


def _gateways(identity: PlantIdentity, found: Offered) -> set[str]:
    """Ids of those that have a certificate, named in CLOUD.toml or in the key folder."""
    return {one.name for one in (*identity.gateways, *(given for _, given in found.certificates))}


def _open(path: Path, config: CloudConfig) -> list[str]:
    """Warn of secrets that other users can read: one sentence each."""
    return [*filter(None, [in_clear(config.broker.url)]), *open_secrets(path)]


def _ending(config: CloudConfig) -> list[tuple[str, str]]:
    """Plants whose months soon do not verify any more, and from which day on."""
    now = dt.datetime.fromtimestamp(SystemClock().wall_ns() / 1e9, dt.UTC)
    soon = now + dt.timedelta(days=30)
    ends = [(one.plant, one.collector.certificate.not_valid_after_utc) for one in config.plants]
    return [(plant, f"{at:%Y-%m-%d}") for plant, at in ends if at <= soon]


def _run(args: argparse.Namespace) -> int:
    # imported on use: `check` and `month` need no server, and start in a third of the time
    from cloud.process import run_cloud

    config, clock = load_cloud(args.config), _clock(args)
    start_logging(args.log_level, args.log_format)
    for sentence in _open(args.config, config):
        logging.getLogger("stackproof.cloud").warning("%s", sentence)
    say = teller(args.log_format, "stackproof.cloud")
    sys.setswitchinterval(SWITCH_S)
    share_one_heap()

    async def run() -> None:
        stop, reload = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for order in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(order, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        await run_cloud(config, clock, stop, say, reload, standby=args.standby)

    asyncio.run(run())
    return EXIT_FINE
