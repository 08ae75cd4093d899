"""Log lines of the programs that run for long: text for a terminal, JSON for a collector of logs.

One form for edge and cloud, so that one query finds a gateway's lines on both sides. Where a line
is about a plant, gateway or device, its call passes `extra=about(...)`. A message is one line: what
a server said may stand in it, and is to forge no other line and steer no terminal.
"""

import logging
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from evidence.printed import printable

TEXT, JSON = "text", "json"
FORMS = (TEXT, JSON)

log = logging.getLogger("stackproof")


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
        logging.captureWarnings(True)
        sys.excepthook, threading.excepthook = _ended_by, _thread_ended
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.addFilter(_on_one_line)  # JSON has escapes of its own
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return always


def _on_one_line(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), ()
    return True


def _ended_by(*defect: Any) -> None:
    log.critical("ended by a defect", exc_info=defect)


def _thread_ended(of: threading.ExceptHookArgs) -> None:
    name = of.thread.name if of.thread else "of no name"
    if of.exc_value is not None and of.exc_type is not SystemExit:  # that one ends it in silence
        defect = (of.exc_type, of.exc_value, of.exc_traceback)
        log.error("thread %s: ended by a defect", name, exc_info=defect)


def complain(form: str, program: str, sentences: Iterable[str]) -> None:
    """Say on stderr why a program does not run: as text for people, or as log lines.

    Args:
        form: one of `FORMS`.
        program: "edge", "cloud" or "relay".
        sentences: why.
    """
    if form == JSON:
        start_logging("error", form)  # changes nothing where it has begun
    for sentence in sentences:
        if form == JSON:
            logging.getLogger(f"stackproof.{program}").error("%s", sentence)
        else:
            sys.stderr.write(f"{sentence}\n")


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
        sys.stdout.write(f"{printable(sentence)}\n")
        sys.stdout.flush()

    return say


def about(plant: str = "", gateway: str = "", device: str = "") -> dict[str, str]:
    """`extra` of a log call: what its line is about; what is empty is left out."""
    named = {"plant": plant, "gateway": gateway, "device": device}
    return {key: value for key, value in named.items() if value}
