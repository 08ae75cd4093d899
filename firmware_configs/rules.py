"""Quality rules as a profile's row or a site file gives them; what they mean is in the README.

Pure. A rule without a source is invented, so none has a default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

from evidence.points import MARKS, NO_RULES, PointRules, Role, exact
from firmware_configs.fields import Fields, is_decimal
from firmware_configs.model import Register

RULES = tuple(asdict(NO_RULES))
#: protocols that bring a time with each value; rows have one too, but each is delivered only once
TIMED = ("opcua", "hj212")
ROWS = ("table", "folder")
NONE = "none"

_NOT_FOR = {
    Role.TOTALISER: "is for gauges: a totaliser that stands still is a meter without consumption",
    Role.STATE: "is for gauges: a state may stay as it is for ever",
}


class Ruled(NamedTuple):
    """What a value must be for a rule to fit it."""

    protocol: str
    role: Role
    decimals: int


def read_rules(fields: Fields, about: Ruled) -> PointRules:
    """The rules of a profile's row; what is wrong is noted and left out."""
    return merged(fields, NO_RULES, read_changes(fields, about))


def read_changes(fields: Fields, about: Ruled, *, drops: bool = False) -> dict[str, str | None]:
    """The rules a table gives, by name; what is wrong is noted and left out.

    Args:
        fields: the row of a profile, or a table of the site file.
        about: the value.
        drops: "none" takes a rule away, and is None here.
    """
    found: dict[str, str | None] = {}
    for name in RULES:
        value = fields.raw(name)
        if value is None:
            continue
        if drops and value == NONE:
            found[name] = None
        elif reason := _misfit(name, about):
            fields.complain(name, reason)
        elif is_decimal(value, name, fields) and _is_positive(fields, name, value, about):
            found[name] = value
    return found


def merged(fields: Fields, before: PointRules, changes: Mapping[str, str | None]) -> PointRules:
    """The rules that hold, with these changes."""
    found = asdict(before) | dict(changes)
    if found["stuck_tolerance"] is not None and found["stuck_after_s"] is None:
        if changes.get("stuck_tolerance") is not None:
            fields.complain("stuck_tolerance", "has no effect without stuck_after_s")
        found["stuck_tolerance"] = None
    return PointRules(**found)


def _misfit(name: str, about: Ruled) -> str:
    """Why a rule cannot be one of such a value; "" when it can."""
    if name == "stale_after_s":
        if about.protocol in ROWS:
            return "is not for rows: each is delivered once, however late it comes"
        if about.protocol not in TIMED:
            return f"has no effect: {about.protocol} brings no time with its values"
        return ""
    if about.role is Role.GAUGE:
        return ""
    if name == "rate_per_s":
        is_state = about.role is Role.STATE
        return "is for gauges and totalisers: a state has no rate" if is_state else ""
    return _NOT_FOR[about.role]


def _is_positive(fields: Fields, name: str, text: str, about: Ruled) -> bool:
    value = exact(text)
    if name == "stuck_tolerance" and 0 < value * 10**about.decimals < 1:
        fields.complain(name, f"{text} is less than one count (10^-{about.decimals}); write more")
        return False
    if value < 0 or (value == 0 and name != "stuck_tolerance"):
        fields.complain(name, f"{text} must be greater than zero")
        return False
    return True


def read_marks(
    fields: Fields, role: Role, states: Sequence[tuple[int, str]]
) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    """What the values of a state say, as (raw, quality code), and of which registers."""
    table, named = fields.raw("marks"), fields.sequence("speaks_of")
    if table is None:
        if fields.has("speaks_of"):
            fields.complain("speaks_of", 'has no effect without marks = { "1" = "calibration" }')
        return (), ()
    if role is not Role.STATE:
        fields.complain("marks", 'only a register with role = "state" marks others')
        return (), ()
    known = {str(raw): raw for raw, _ in states}
    if not isinstance(table, dict) or not table:
        fields.complain("marks", 'name what the values say, marks = { "1" = "calibration" }')
        return (), ()
    found: dict[int, int] = {}
    for key, word in table.items():
        if key not in known:
            fields.complain("marks", f"{key!r} is none of the states")
        elif not isinstance(word, str) or word not in MARKS:
            fields.complain("marks", f"state {key}: {word!r} is not one of {' | '.join(MARKS)}")
        else:
            found[known[key]] = int(MARKS[word])
    if not named:
        fields.complain("speaks_of", "is missing: name the registers whose values it marks")
    names = tuple(dict.fromkeys(name for name in named if isinstance(name, str)))
    if len(names) != len(named):
        fields.complain("speaks_of", "names registers, each once")
    return tuple(sorted(found.items())), names


def check_speaks_of(rows: Sequence[Fields], registers: Sequence[Register]) -> None:
    """A state speaks of registers of its profile that are values, one for each number if it is."""
    by_name = {register.name: register for register in registers}
    for row, state in zip(rows, registers, strict=True):
        for name in state.speaks_of:
            of = by_name.get(name)
            if of is None:
                row.complain("speaks_of", f"{name!r} is no register of this profile")
            elif of.role is Role.STATE:
                row.complain("speaks_of", f"{name!r} is a state itself; a state marks values")
            elif "{n" in state.name and "{n" not in name:
                row.complain("speaks_of", f"{name!r} has no {{n}}: many states would speak of it")
