"""`stackproof edge …`: check a site file, run the agent. Prints, as `edge.commands.spool` does."""

import argparse
import asyncio
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
from pathlib import Path

from edge.calc.effects.sampling import slow_potlines, slow_text
from edge.clock import SystemClock
from edge.commands.commission import add_commission_command
from edge.commands.commissioning import add_commissioning_commands
from edge.commands.enrol import add_enrol_command
from edge.commands.new import add_new_command
from edge.commands.order import add_order_command
from edge.commands.record import add_record_command
from edge.commands.spool import add_spool_commands
from edge.commands.support import add_support_command
from edge.errors import EdgeError, SiteConfigError
from edge.handover import objection
from edge.identity import Identity, Problems, out_of_date
from edge.opening import open_site
from edge.remote.desk import OrderDesk
from edge.remote.start import Start, start_of
from edge.remote.told import other_file
from edge.site.config import Site, read_site
from edge.site.devices import asked_of
from edge.site.traffic import endpoints_of
from edge.spool_reader import SpoolReader
from edge.traffic_text import as_json, lines_of
from evidence.errors import EvidenceError
from evidence.heap import share_one_heap
from evidence.log_lines import FORMS, TEXT, Say, about, complain, start_logging, teller
from evidence.service import ServiceManager
from evidence.signers import key_file
from firmware_configs.fields import Problem

EXIT_FINE, EXIT_CANNOT = 0, 2

log = logging.getLogger("stackproof.edge")


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    form = getattr(args, "log_format", TEXT)
    try:
        return int(args.run(args))
    except SiteConfigError as error:
        _print_problems(error, form, as_json=getattr(args, "json", False))
        return EXIT_CANNOT
    except (EdgeError, EvidenceError) as error:
        complain(form, "edge", [f"stackproof edge: {error}"])
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
    add_order_command(commands)
    add_spool_commands(commands)
    add_commissioning_commands(commands)
    add_record_command(commands)
    add_support_command(commands)
    add_commission_command(commands)
    return parser


def _print_problems(error: SiteConfigError, form: str, *, as_json: bool) -> None:
    if as_json:
        problems = [problem._asdict() for problem in error.problems]
        print(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
        return
    count = len(error.problems)
    said = f"{count} problem{'s' if count > 1 else ''}; nothing was started"
    complain(form, "edge", [*map(str, error.problems), said])


def _check(args: argparse.Namespace) -> int:
    try:
        opened = open_site(args.site)
    except SiteConfigError:
        site, wrong = read_site(args.site)
        if args.traffic and not args.json and not wrong:  # its keys may still have to be made
            for line in lines_of(endpoints_of(asked_of(site.devices))):
                print(line)
        raise
    site, config = opened.site, opened.config
    _check_spool(site, opened.who)
    _check_owners(site)
    measured = sum(len(device.points) for device in site.devices)
    computed = len(config["points"]) - measured
    warnings = [("device", d.id, d.warning) for d in site.devices if d.warning]
    if other := other_file(site):
        warnings.append(("site", site.gateway.id, other))
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


def _check_owners(site: Site) -> None:
    """SiteConfigError when root, who can read all, looks at what the agent's user cannot use."""
    gateway, folder, tls = site.gateway, site.path.parent, site.uplink.tls
    agent = gateway.state_dir.stat().st_uid if gateway.state_dir.exists() else 0
    if os.geteuid() != 0 or agent == 0:
        return
    keys = {
        "gateway.key": key_file(gateway.key, folder),
        "gateway.previous_key": key_file(gateway.previous_key, folder),
        "uplink.key": None if tls is None or not tls.key.exists() else tls.key,
    }
    problems = Problems(site.path)
    for key, path in keys.items():
        if path is not None and path.stat().st_uid != agent:
            problems.add(
                key,
                f"{path} belongs to another user than {gateway.state_dir}, so the agent cannot "
                f"read it. Run: chown --reference={gateway.state_dir} {path}",
            )
    patterns = ("spool.*", "site-orders", "site-orders/*")
    written = [path for pattern in patterns for path in gateway.state_dir.glob(pattern)]
    held = sorted(path for path in written if path.exists() and path.stat().st_uid != agent)
    if held:  # as after a restore: the manager of services looks at the folder alone
        problems.add(
            "gateway.state_dir",
            f"{held[0]} belongs to another user than the folder, so the agent cannot write it. "
            f"Run: chown -R --reference={gateway.state_dir} {gateway.state_dir}",
        )
    if problems:
        raise SiteConfigError(problems)


def _run(args: argparse.Namespace) -> int:
    always = start_logging(args.log_level, args.log_format)
    # asyncua tells every lost connection at length; our own line says it once
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    share_one_heap()
    start = start_of(args.site)
    always |= about(start.site.plant.id, start.site.gateway.id)
    try:
        is_again = asyncio.run(_serve(start, teller(args.log_format, "stackproof.edge")))
    except Exception as error:  # of whatever kind: a file on trial is not to end the readings
        if not start.gave_way(str(error)):
            raise
        log.exception("the agent ended with the ordered site file")
        is_again = True
    if is_again:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself
    return EXIT_FINE


async def _serve(start: Start, say: Say) -> bool:
    """Run the agent; True when it ended to start anew with another site file."""
    # `edge check` needs no spool and no transport
    from edge.agent import Agent

    stop, manager, clock = asyncio.Event(), ServiceManager(), SystemClock()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    site, who = start.site, start.who
    if reason := out_of_date(who.certificate, clock.wall_ns()):
        log.warning("%s: %s; the agent signs on all the same", site.gateway.certificate, reason)
    again = asyncio.Event()
    desk = None if start.folder is None else OrderDesk(start, start.folder, clock)
    take = None if desk is None else desk.take
    agent = Agent(site, start.config, who, clock=clock, on_order=take)
    start.config = {}  # the agent forgets it when it is signed: so must its caller
    loop.add_signal_handler(signal.SIGUSR1, agent.close_frame_soon)
    name = f"{site.plant.id}/{site.gateway.id}"

    async def orders(desk: OrderDesk) -> None:
        try:
            await desk.serve(agent)
        except Exception:  # readings go on without orders
            log.exception("site orders are taken no more until the next start")
            return
        again.set()
        stop.set()

    serving: list[asyncio.Task[None]] = []

    def ready() -> None:
        faulthandler.enable()  # the watchdog's SIGABRT: the log shows where each thread stood
        gc.freeze()  # what the start has made stays: not to be gone through for cycles again
        say(f"{name}: running")
        manager.ready(f"{name}: running", agent.turn_s)
        if desk is not None:
            serving.append(asyncio.create_task(orders(desk)))

    try:
        await agent.run(stop, ready=ready, alive=manager.alive)
    finally:
        for task in serving:
            task.cancel()
    say(f"{name}: stopped")
    return again.is_set()
