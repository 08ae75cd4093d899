"""`stackproof edge …`: check a site file, run the agent. I/O: prints, as `edge.cli_spool` does."""

import argparse
import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import json
import logging
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.broker_tls import BrokerTls
from edge.calc.effects.sampling import slow_potlines, slow_text
from edge.cli_commission import add_commission_command
from edge.cli_commissioning import add_commissioning_commands
from edge.cli_enrol import add_enrol_command
from edge.cli_new import add_new_command
from edge.cli_record import add_record_command
from edge.cli_spool import add_spool_commands
from edge.cli_support import add_support_command
from edge.clock import SystemClock
from edge.config import Site, read_site
from edge.errors import EdgeError, SiteConfigError
from edge.handover import objection
from edge.identity import Identity, Problems, open_identity, out_of_date
from edge.signed import signed_configuration
from edge.site_devices import asked_of
from edge.site_traffic import endpoints_of
from edge.spool_reader import SpoolReader
from edge.traffic_text import as_json, lines_of
from evidence.errors import EvidenceError
from evidence.keys import key_sha256
from evidence.log_lines import FORMS, TEXT, about, start_logging
from evidence.service import ServiceManager
from evidence.version import VERSION
from firmware_configs.fields import Problem

EXIT_FINE, EXIT_CANNOT = 0, 2
_M_ARENA_MAX = -8  # malloc.h

#: what must be right in a site file before its keys can be looked at
_KEY_PLACES = re.compile(
    r"plant|plant\.id|uplink|uplink\.collector"
    r"|gateway|gateway\.(id|key|certificate|previous_key|continues|root)"
)

log = logging.getLogger("stackproof.edge")


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except SiteConfigError as error:
        _print_problems(error, as_json=getattr(args, "json", False))
        return EXIT_CANNOT
    except (EdgeError, EvidenceError) as error:
        print(f"stackproof edge: {error}", file=sys.stderr)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stackproof edge", description="The agent at the plant.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="validate a site file without any I/O to devices",
        epilog="Its keys are checked too: against the plant's root where root is named, and "
        "against the spool where there is one.",
    )
    check.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    check.add_argument("--json", action="store_true", help="one JSON object on stdout")
    check.add_argument(
        "--traffic",
        action="store_true",
        help="also list every request that devices will be sent, byte by byte where that is known",
    )
    check.set_defaults(run=_check)
    run = commands.add_parser(
        "run",
        help="run the agent until SIGTERM",
        epilog="SIGUSR1 closes the open frame with the next tick instead of when it is due.",
    )
    run.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument(
        "--log-format", default=TEXT, choices=FORMS, help="json: one object a line (default: text)"
    )
    run.set_defaults(run=_run)
    add_new_command(commands)
    add_enrol_command(commands)
    add_spool_commands(commands)
    add_commissioning_commands(commands)
    add_record_command(commands)
    add_support_command(commands)
    add_commission_command(commands)
    return parser


def _print_problems(error: SiteConfigError, *, as_json: bool) -> None:
    if as_json:
        problems = [problem._asdict() for problem in error.problems]
        print(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
        return
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s' if count > 1 else ''}; nothing was started", file=sys.stderr)


@dataclass(frozen=True)
class _Opened:
    """A site with its keys, ready to run."""

    site: Site
    who: Identity
    config: dict[str, Any]


def _open(path: Path, *, may_be_away: bool = False) -> _Opened:
    """Read a site file and its keys; SiteConfigError with every problem in them.

    Args:
        path: of the site file.
        may_be_away: the token that holds the gateway's key need not be there now.
    """
    site, found = read_site(path)
    problems = Problems(path)
    problems += found
    if any(_KEY_PLACES.fullmatch(problem.key) for problem in found):
        raise SiteConfigError(problems)  # whose keys they should be, or where, is not known
    who = open_identity(site, problems, may_be_away=may_be_away)
    config: dict[str, Any] = {}
    if not found:  # else it would be about stand-ins
        fingerprint = bytes(32) if who is None else key_sha256(who.collector)
        try:
            config = signed_configuration(
                site, collector_key_sha256=fingerprint, software=f"stackproof {VERSION}"
            )
        except SiteConfigError as error:
            problems += error.problems
    if not found and (tls := problems.tried("uplink.url", lambda: BrokerTls.of(site))):
        problems.tried("uplink.certificate", tls.context)
    if problems or who is None:
        raise SiteConfigError(problems)
    return _Opened(site, who, config)


def _check(args: argparse.Namespace) -> int:
    try:
        opened = _open(args.site)
    except SiteConfigError:
        site, wrong = read_site(args.site)
        if args.traffic and not args.json and not wrong:  # its keys may still have to be made
            for line in lines_of(endpoints_of(asked_of(site.devices))):
                print(line)
        raise
    site, config = opened.site, opened.config
    _check_spool(site, opened.who)
    measured = sum(len(device.points) for device in site.devices)
    computed = len(config["points"]) - measured
    warnings = [("device", d.id, d.warning) for d in site.devices if d.warning]
    warnings += [("potline", line, slow_text(told)) for line, told in slow_potlines(config)]
    endpoints = endpoints_of(asked_of(site.devices)) if args.traffic else []
    if args.json:
        said = [f"{name}: {text}" for _, name, text in warnings]
        found = {"problems": [], "warnings": said, "points": measured, "computed": computed}
        traffic = {"traffic": as_json(endpoints)} if args.traffic else {}
        print(json.dumps({**found, **traffic}, ensure_ascii=False))
    else:
        for kind, name, text in warnings:
            print(f"warning: {kind} {name}: {text}", file=sys.stderr)
        print(
            f"{args.site}: fine. {site.plant.id}/{site.gateway.id}: {len(site.devices)} devices, "
            f"{measured} points read, {computed} computed."
        )
        for line in lines_of(endpoints) if args.traffic else ():
            print(line)
    return EXIT_FINE


def _check_spool(site: Site, who: Identity) -> None:
    """SiteConfigError when the key cannot take up the stream of the spool that is there."""
    if not site.gateway.spool.is_file():
        return
    spool = SpoolReader(site.gateway.spool)
    try:
        reason = objection(spool, who)
    finally:
        spool.close()
    if reason:
        raise SiteConfigError([Problem(str(site.path), "gateway.key", reason)])


def _run(args: argparse.Namespace) -> int:
    always = start_logging(args.log_level, args.log_format)
    # asyncua tells every lost connection at length; our own line says it once
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    _share_one_heap()
    opened = _open(args.site, may_be_away=True)
    always |= about(opened.site.plant.id, opened.site.gateway.id)
    asyncio.run(_serve(opened))
    return EXIT_FINE


def _share_one_heap() -> None:
    """One heap for all threads, where malloc is glibc's.

    Each thread would get its own, and keep what encoding the configuration took at the start.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


async def _serve(opened: _Opened) -> None:
    # `edge check` needs no spool and no transport
    from edge.agent import HEARTBEAT_NS, Agent

    stop, manager = asyncio.Event(), ServiceManager()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    site = opened.site
    clock = SystemClock()
    if reason := out_of_date(opened.who.certificate, clock.wall_ns()):
        log.warning("%s: %s; the agent signs on all the same", site.gateway.certificate, reason)
    agent = Agent(site, opened.config, opened.who, clock=clock)
    del opened  # the agent forgets the configuration when it is signed: so must its caller
    loop.add_signal_handler(signal.SIGUSR1, agent.close_frame_soon)
    name = f"{site.plant.id}/{site.gateway.id}"

    def ready() -> None:
        faulthandler.enable()  # the watchdog's SIGABRT: the log shows where each thread stood
        gc.freeze()  # what the start has made stays: not to be gone through for cycles again
        print(f"{name}: running", flush=True)
        shortest_ns = min(device.interval_ns for device in site.devices)
        manager.ready(f"{name}: running", max(HEARTBEAT_NS, shortest_ns) / 1e9)

    await agent.run(stop, ready=ready, alive=manager.alive)
    print(f"{name}: stopped", flush=True)
