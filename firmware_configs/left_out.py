"""Devices without a profile, and why: `left-out.toml` beside this file.

The only I/O is reading that file.
"""

from pathlib import Path
from typing import NamedTuple

from firmware_configs.fields import Fields, Problem
from firmware_configs.profile import FOLDER, ProfileError
from firmware_configs.toml import NotTomlError, parse_toml


class LeftOut(NamedTuple):
    """A device that was looked for in vain.

    Attributes:
        maker: who makes it.
        model: which it is.
        why: what was missing.
        link: where it can be seen, or "".
    """

    maker: str
    model: str
    why: str
    link: str


def load_left_out(path: Path = FOLDER / "left-out.toml") -> tuple[LeftOut, ...]:
    """All of them, by maker and model.

    Raises:
        ProfileError: with all that is wrong.
    """
    problems: list[Problem] = []
    try:
        document = parse_toml(path.read_bytes())
    except NotTomlError as error:
        raise ProfileError([Problem(str(path), "", f"is not TOML: {error}")]) from None
    fields = Fields(document, file=str(path), prefix="", problems=problems)
    found = [_read(row) for row in fields.children("device")]
    fields.finish()
    if problems:
        raise ProfileError(problems)
    return tuple(sorted(found, key=lambda row: (row.maker.lower(), row.model.lower())))


def _read(row: Fields) -> LeftOut:
    device = LeftOut(
        row.text("maker", why="who makes it"),
        row.text("model", why="which device"),
        row.text("why", why="what was missing"),
        row.text("link", default=""),
    )
    row.finish()
    return device
