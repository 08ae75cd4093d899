"""`stackproof relay support`: what whoever is to help needs to see of a relay."""

import argparse
from pathlib import Path

from edge.clock import SystemClock
from edge.relay.config import load_relay
from edge.relay.status import lines, status_of
from evidence.cli_support import Gathered, add_support
from evidence.support import machine, secrets_of

UNIT = "stackproof-relay"


def add_support_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `support` to `stackproof relay`; it works beside a running relay."""
    add_support(commands, file="RELAY.toml", unit=UNIT, what="status, RELAY.toml", gather=_gather)


def _gather(path: Path) -> Gathered:
    text = path.read_text(encoding="utf-8", errors="replace")
    parts = {
        "status.txt": lambda: _status(path),
        "relay.toml": lambda: text,
        "machine.txt": lambda: machine([load_relay(path).state_dir]),
    }
    return Gathered(parts, secrets_of(text, path.parent), UNIT)


def _status(path: Path) -> str:
    config = load_relay(path)
    return "\n".join(lines(config, status_of(config, SystemClock()))) + "\n"
