"""`stackproof edge …`: check a site file, run the agent. The only file of the room that prints."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from edge.calc.errors import CalcError
from edge.clock import SystemClock
from edge.config import Site, load_site
from edge.errors import EdgeError, SiteConfigError
from edge.signed import signed_configuration
from evidence.errors import EvidenceError
from evidence.keys import FileSigner, identity, key_sha256, load_certificate, public_key
from evidence.version import VERSION
from firmware_configs.fields import Problem

EXIT_FINE, EXIT_FAILED, EXIT_CANNOT = 0, 1, 2


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
    parser = argparse.ArgumentParser(prog="stackproof edge", description="The agent beside meters.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="validate a site file without any I/O to devices")
    check.add_argument("site", type=Path, help="site file (TOML)")
    check.add_argument("--json", action="store_true", help="one JSON object on stdout")
    check.set_defaults(run=_check)
    run = commands.add_parser("run", help="run the agent until SIGTERM")
    run.add_argument("site", type=Path, help="site file (TOML)")
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.set_defaults(run=_run)
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


def _configuration(site: Site) -> dict[str, Any]:
    """The configuration to sign; SiteConfigError when keys or calculation refuse the site."""
    collector = load_certificate(site.uplink.collector)
    try:
        return signed_configuration(
            site,
            collector_key_sha256=key_sha256(public_key(collector)),
            software=f"stackproof {VERSION}",
        )
    except CalcError as error:
        raise SiteConfigError([Problem(str(site.path), "", str(error))]) from error


def _check_keys(site: Site) -> FileSigner:
    """The gateway's signer; SiteConfigError unless key, certificate and site belong together."""
    signer = FileSigner.load(site.gateway.key)
    certificate = load_certificate(site.gateway.certificate)
    problems = []
    if key_sha256(public_key(certificate)) != key_sha256(signer.public_key):
        reason = f"{site.gateway.certificate} does not belong to {site.gateway.key}"
        problems.append(Problem(str(site.path), "gateway.certificate", reason))
    role, plant, name = identity(certificate)
    wanted = ("gateway", site.plant.id, site.gateway.id)
    if (role, plant, name) != wanted:
        reason = f"is for {role} {plant}/{name}, not for gateway {wanted[1]}/{wanted[2]}"
        problems.append(Problem(str(site.path), "gateway.certificate", reason))
    role, plant, name = identity(load_certificate(site.uplink.collector))
    if (role, plant) != ("collector", site.plant.id):
        reason = f"is for {role} {plant}/{name}, not for a collector of {site.plant.id}"
        problems.append(Problem(str(site.path), "uplink.collector", reason))
    if problems:
        raise SiteConfigError(problems)
    return signer


def _check(args: argparse.Namespace) -> int:
    site = load_site(args.site)
    problems: list[Problem] = []
    try:
        _check_keys(site)
    except SiteConfigError as error:
        problems += error.problems
    except EvidenceError as error:
        problems.append(Problem(str(site.path), "gateway", str(error)))
    try:
        config = _configuration(site)
    except SiteConfigError as error:
        problems += error.problems
    except EvidenceError as error:
        problems.append(Problem(str(site.path), "uplink.collector", str(error)))
    if problems:
        raise SiteConfigError(problems)
    measured = sum(len(device.points) for device in site.devices)
    computed = len(config["points"]) - measured
    if args.json:
        print(json.dumps({"problems": [], "points": measured, "computed": computed}))
    else:
        print(
            f"{args.site}: fine. {site.plant.id}/{site.gateway.id}: {len(site.devices)} devices, "
            f"{measured} points read, {computed} computed."
        )
    return EXIT_FINE


def _run(args: argparse.Namespace) -> int:
    logging.basicConfig(
        level=args.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # asyncua tells every lost connection at length; our own line says it once
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    site = load_site(args.site)
    signer = _check_keys(site)
    config = _configuration(site)
    collector = public_key(load_certificate(site.uplink.collector))
    asyncio.run(_serve(site, config, signer, collector))
    return EXIT_FINE


async def _serve(site: Site, config: dict[str, Any], signer: FileSigner, collector: Any) -> None:
    from edge.agent import Agent  # the drivers' libraries load only when an agent really runs

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    agent = Agent(site, config, clock=SystemClock(), signer=signer, collector=collector)
    name = f"{site.plant.id}/{site.gateway.id}"
    await agent.run(stop, ready=lambda: print(f"{name}: running", flush=True))
    print(f"{name}: stopped", flush=True)
