"""Log lines of the programs that run for long: text for a terminal, JSON for a collector of logs.

One form for edge and cloud, so that one query finds a gateway's lines on both sides. Where a line
is about a plant, gateway or device, its call passes `extra=about(...)`.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Protocol

TEXT, JSON = "text", "json"
FORMS = (TEXT, JSON)


def start_logging(level: str, form: str) -> dict[str, str]:
    """Send log lines to stderr from now on.

    Args:
        level: "debug" to "error".
        form: one of `FORMS`.

    Returns:
        Fields that every JSON line has from when they are put here, such as plant and gateway.
    """
    handler, always = logging.StreamHandler(), dict[str, str]()
    if form == JSON:
        from pythonjsonlogger.core import RESERVED_ATTRS  # of the extras edge and cloud
        from pythonjsonlogger.json import JsonFormatter

        formatter = JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's, for terminals
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="at",
            json_ensure_ascii=False,
        )
        handler.setFormatter(formatter)
        always = formatter.static_fields
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return always


class Say(Protocol):
    """Says one sentence; `extra` as of a log call: what it is about."""

    def __call__(self, sentence: str, /, *, extra: Mapping[str, str] | None = None) -> None:
        """Say it."""


def teller(form: str, name: str) -> Say:
    """How a program says its steps: to people on stdout, or as log lines where these are JSON.

    Args:
        form: one of `FORMS`; with JSON nothing else than JSON lines comes of the program.
        name: of the logger.
    """
    if form == JSON:
        return logging.getLogger(name).info

    def say(sentence: str, /, *, extra: Mapping[str, str] | None = None) -> None:
        del extra  # people read the sentence
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()

    return say


def about(plant: str = "", gateway: str = "", device: str = "") -> dict[str, str]:
    """`extra` of a log call: what its line is about; what is empty is left out."""
    named = {"plant": plant, "gateway": gateway, "device": device}
    return {key: value for key, value in named.items() if value}
