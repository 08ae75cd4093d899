"""`stackproof edge support`: what whoever is to help needs to see of a gateway."""

import argparse
from pathlib import Path

from edge.clock import SystemClock
from edge.errors import SiteConfigError, SpoolError
from edge.identity import Problems, open_collector, open_gateway_certificate
from edge.remote.start import ordered_bytes
from edge.site.config import load_site
from edge.spool_reader import SpoolReader
from edge.status import lines, status_of
from evidence.cli_support import Gathered, add_support
from evidence.support import machine, secrets_of

UNIT = "stackproof-edge"


def add_support_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `support` to `stackproof edge`; it works beside a running agent."""
    add_support(
        commands, file="SITE.toml", unit=UNIT, what="status, site files",
        gather=_gather,
    )  # fmt: skip


def _gather(site: Path) -> Gathered:
    text = site.read_text(encoding="utf-8", errors="replace")
    parts = {
        "status.txt": lambda: _status(site),
        "site.toml": lambda: text,
        "machine.txt": lambda: machine([load_site(site).gateway.state_dir]),
    }
    known = secrets_of(text, site.parent)
    try:
        ordered = (ordered_bytes(site) or b"").decode(errors="replace")
    except (SiteConfigError, SpoolError) as error:
        ordered = f"cannot be read: {error}\n"
    if ordered:  # it may name other secrets than the one at the gateway
        parts["site-ordered.toml"] = lambda: ordered
        known |= secrets_of(ordered, site.parent)
    return Gathered(parts, known, UNIT)


def _status(path: Path) -> str:
    site, problems = load_site(path), Problems(path)
    certificate = open_gateway_certificate(site, problems)
    collector = open_collector(site, problems)
    if certificate is None or collector is None:
        return "".join(f"{problem}\n" for problem in problems)
    spool = SpoolReader(site.gateway.spool)
    try:
        told = status_of(
            site, spool, SystemClock(), certificate=certificate, collector=collector
        )  # fmt: skip
    finally:
        spool.close()
    return "\n".join(lines(told)) + "\n"
