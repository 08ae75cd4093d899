"""`stackproof edge …`: check a site file, run the agent. The only file of the room that prints."""

import argparse
import asyncio
import json
import logging
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge.clock import SystemClock
from edge.config import Site, read_site
from edge.errors import EdgeError, SiteConfigError
from edge.signed import signed_configuration
from evidence import cbor
from evidence.errors import EvidenceError
from evidence.keys import FileSigner, identity, key_sha256, load_certificate, public_key
from evidence.suites import PublicKey
from evidence.version import VERSION
from firmware_configs.fields import Problem

EXIT_FINE, EXIT_CANNOT = 0, 2

#: what must be right in a site file before its keys can be looked at
_KEY_PLACES = re.compile(
    r"plant|plant\.id|gateway|gateway\.(id|key|certificate)|uplink|uplink\.collector"
)

T = TypeVar("T")


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
    run = commands.add_parser(
        "run",
        help="run the agent until SIGTERM",
        epilog="SIGUSR1 closes the open frame with the next tick instead of when it is due.",
    )
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


@dataclass(frozen=True)
class _Opened:
    """A site with its keys, ready to run."""

    site: Site
    signer: FileSigner
    collector: PublicKey
    config: dict[str, Any]


class _Problems(list[Problem]):
    """Problems of one site file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def add(self, key: str, reason: object) -> None:
        self.append(Problem(str(self._path), key, str(reason)))

    def load(self, key: str, loader: Callable[[Path], T], file: Path) -> T | None:
        """What the loader makes of a file; a problem and None when it refuses it."""
        try:
            return loader(file)
        except EvidenceError as error:
            self.add(key, error)
            return None


def _open(path: Path) -> _Opened:
    """Read a site file and its keys; SiteConfigError with every problem in them."""
    site, found = read_site(path)
    problems = _Problems(path)
    problems += found
    if any(_KEY_PLACES.fullmatch(problem.key) for problem in found):
        raise SiteConfigError(problems)  # whose keys they should be, or where, is not known
    signer = _gateway_key(site, problems)
    collector = problems.load("uplink.collector", _certified, site.uplink.collector)
    if collector is not None and collector[0][:2] != ("collector", site.plant.id):
        reason = f"is for {_called(collector[0])}, not for a collector of {site.plant.id}"
        problems.add("uplink.collector", reason)
    fingerprint = key_sha256(collector[1]) if collector is not None else b""
    config: dict[str, Any] = {}
    if not found:  # else it would be about stand-ins
        try:
            config = signed_configuration(
                site, collector_key_sha256=fingerprint, software=f"stackproof {VERSION}"
            )
        except SiteConfigError as error:
            problems += error.problems
    if (size := len(cbor.encode(config))) > cbor.BYTES_MAX:
        problems.add("", f"makes a configuration of {size} bytes; {cbor.BYTES_MAX} can be signed")
    if problems or signer is None or collector is None:
        raise SiteConfigError(problems)
    return _Opened(site, signer, collector[1], config)


def _gateway_key(site: Site, problems: _Problems) -> FileSigner | None:
    """The gateway's signer, if key, certificate and site belong together."""
    gateway = site.gateway
    signer = problems.load("gateway.key", FileSigner.load, gateway.key)
    certificate = problems.load("gateway.certificate", _certified, gateway.certificate)
    if certificate is not None:
        name, key = certificate
        wanted = ("gateway", site.plant.id, gateway.id)
        if name != wanted:
            reason = f"is for {_called(name)}, not for {_called(wanted)}"
            problems.add("gateway.certificate", reason)
        if signer is not None and key_sha256(key) != key_sha256(signer.public_key):
            reason = f"{gateway.certificate} does not belong to {gateway.key}"
            problems.add("gateway.certificate", reason)
    return signer


def _certified(path: Path) -> tuple[tuple[str, str, str], PublicKey]:
    """((role, plant, name), key) of a certificate file; EvidenceError when it is none of ours."""
    certificate = load_certificate(path)
    return identity(certificate), public_key(certificate)


def _called(name: tuple[str, str, str]) -> str:
    role, plant, own = name
    return f"{role} {plant}/{own}"


def _check(args: argparse.Namespace) -> int:
    opened = _open(args.site)
    site, config = opened.site, opened.config
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
    asyncio.run(_serve(_open(args.site)))
    return EXIT_FINE


async def _serve(opened: _Opened) -> None:
    from edge.agent import Agent  # `edge check` needs no spool and no transport

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    site = opened.site
    agent = Agent(
        site,
        opened.config,
        clock=SystemClock(),
        signer=opened.signer,
        collector=opened.collector,
    )
    loop.add_signal_handler(signal.SIGUSR1, agent.close_frame_soon)
    name = f"{site.plant.id}/{site.gateway.id}"
    await agent.run(stop, ready=lambda: print(f"{name}: running", flush=True))
    print(f"{name}: stopped", flush=True)
