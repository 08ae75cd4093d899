"""`stackproof cloud support`: what whoever is to help needs to see of a collector, or a front."""

import json
import re
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.config import load_cloud, read_state_dir
from cloud.errors import CloudConfigError
from cloud.front.config import load_front
from evidence.cli_support import Gathered, Parts, add_support
from evidence.support import machine, secrets_in, secrets_of

TOKEN = "api.token"  # noqa: S105 - a file's name
UNIT, FRONT_UNIT = "stackproof-cloud", "stackproof-front"
#: which collectors are read, says a FRONT.toml alone; also one that is no TOML
_READS = re.compile(r"(?m)^\s*\[\[\s*collector\s*\]\]")


def add_support_command(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `support` to the commands of `stackproof cloud`."""
    add_support(
        commands, file="CLOUD.toml or FRONT.toml", unit=f"{UNIT}, of a FRONT.toml of {FRONT_UNIT}",
        what="health, streams, CLOUD.toml (or of a front collectors, FRONT.toml)", gather=_gather,
    )  # fmt: skip


def _gather(path: Path) -> Gathered:
    text = path.read_text(encoding="utf-8", errors="replace")
    known = secrets_of(text, path.parent)
    if _READS.search(text):
        return Gathered(_of_front(path, text), known, FRONT_UNIT)
    try:
        token = secrets_in(read_state_dir(path) / TOKEN)
    except CloudConfigError:  # whose file is refused needs help all the more; the parts say why
        token = set()
    parts: Parts = {
        "health.json": lambda: _json(RunningCollector(path).get("health")),
        "streams.json": lambda: _json(RunningCollector(path).get("streams")),
        "cloud.toml": lambda: text,
        "machine.txt": lambda: _machine(path),
    }
    return Gathered(parts, known | token, UNIT)


def _of_front(path: Path, text: str) -> Parts:
    return {
        "collectors.json": lambda: _json(_asked_front(path)),
        "front.toml": lambda: text,
        "machine.txt": lambda: machine([path.parent]),
    }


def _asked_front(path: Path) -> Any:  # noqa: ANN401 - JSON
    """What the front has heard of its collectors; by a reader's token where it needs one."""
    config = load_front(path)
    host = "[::1]" if ":" in config.http.host else "127.0.0.1"
    token = config.readers[0].token if config.readers else "none"
    return RunningCollector.at(f"http://{host}:{config.http.port}", token).get("collectors")


def _json(found: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _machine(path: Path) -> str:
    return machine([*load_cloud(path).folders.values()])
