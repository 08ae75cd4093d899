"""`stackproof cloud support`: what whoever is to help needs to see of a collector."""

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.config import load_cloud, read_state_dir
from cloud.errors import CloudConfigError
from evidence.cli_support import Parts, add_support
from evidence.support import machine, secrets_in, secrets_of

TOKEN = "api.token"  # noqa: S105 - a file's name


def add_support_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `support` to the commands of `stackproof cloud`."""
    add_support(
        commands, file="CLOUD.toml", unit="stackproof-cloud", what="health, streams, CLOUD.toml",
        gather=_gather,
    )  # fmt: skip


def _gather(path: Path) -> tuple[Parts, Set[str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        token = secrets_in(read_state_dir(path) / TOKEN)
    except CloudConfigError:  # whose file is refused needs help all the more; the parts say why
        token = set()
    parts: Parts = {
        "health.json": lambda: _asked(path, "health"),
        "streams.json": lambda: _asked(path, "streams"),
        "cloud.toml": lambda: text,
        "machine.txt": lambda: _machine(path),
    }
    return parts, secrets_of(text, path.parent) | token


def _asked(config: Path, path: str) -> str:
    found = RunningCollector(config).get(path)
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _machine(path: Path) -> str:
    config = load_cloud(path)
    return machine([config.evidence_dir, config.state_dir, config.archive_dir])
