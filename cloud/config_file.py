"""A configuration file, as far as its TOML: bounded, and with every problem told. I/O: reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firmware_configs.fields import Problem
from firmware_configs.toml import NotTomlError, parse_toml

CONFIG_BYTES_MAX = 4 * 1024 * 1024


def parse_file(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    """The file's table; an empty one where `problems` got why it cannot be read."""
    try:
        if path.stat().st_size > CONFIG_BYTES_MAX:
            reason = "too large for a configuration"
        else:
            return parse_toml(path.read_bytes())
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except NotTomlError as error:
        reason = f"is not TOML: {error}"
    problems.append(Problem(str(path), "", reason))
    return {}
