"""Reads the tables of a plan strictly: every problem with its key, in one pass. Pure.

The checks of single values are those of documents (`evidence.documents.fields`). What a template
leaves to the plant is "?", and is a problem until it is filled in.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from evidence.documents import fields as f
from evidence.errors import MalformedError

BLANK = "?"
#: problems that are told; a plan of noise has as many as it has keys
PROBLEMS_MAX = 50
#: of a key in a sentence
KEY_MAX = 60


class Problem(NamedTuple):
    """One thing wrong with a plan: where (rows counted from 1), and what would be right."""

    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"


class PlanError(MalformedError):
    """A plan that cannot be read; `problems` has each thing that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        told = [str(problem) for problem in problems[:PROBLEMS_MAX]]
        left = len(problems) - len(told)
        super().__init__("; ".join(told) + (f"; and {left} more" if left else ""))


@dataclass(frozen=True)
class Shape:
    """Which keys a table has, and what each may hold."""

    required: Mapping[str, f.Check]
    optional: Mapping[str, f.Check] = field(default_factory=dict)


class Table:
    """One table, checked against its shape.

    Attributes:
        where: its place in the file, "" for the whole.
        is_sound: no problem was found in it; otherwise what it gives are stand-ins.
    """

    def __init__(self, given: Any, shape: Shape, where: str, problems: list[Problem]) -> None:
        self.where, self._problems, self.is_sound = where, problems, True
        self._values: dict[str, Any] = {}
        if not isinstance(given, Mapping):
            self.complain("", "must be a table")
            return
        known = {**shape.required, **shape.optional}
        for key in shape.required.keys() - given.keys():
            self.complain(key, "is missing")
        for key, value in given.items():
            self._take(str(key), value, known)

    def _take(self, key: str, value: Any, known: Mapping[str, f.Check]) -> None:
        if key not in known:
            close = difflib.get_close_matches(key[:KEY_MAX], known, n=1)
            meant = f"did you mean {close[0]}?" if close else "known here: " + " ".join(known)
            self.complain(key, f"unknown key; {meant}")
        elif value == BLANK:
            self.complain(key, "is still to be filled in")
        else:
            try:
                known[key](value)
            except MalformedError as error:
                self.complain(key, str(error))
            else:
                self._values[key] = value

    def complain(self, key: str, reason: str) -> None:
        """Note a problem with one of its keys; "" for the table itself."""
        self.is_sound = False
        place = ".".join(part for part in (self.where, key[:KEY_MAX]) if part) or "the plan"
        self._problems.append(Problem(place, reason))

    def get(self, key: str, other: Any = "") -> Any:
        """The value where it is there and right, else the other."""
        return self._values.get(key, other)

    def has(self, key: str) -> bool:
        """It is there and right."""
        return key in self._values

    def child(self, key: str, shape: Shape) -> "Table":
        """The table under a key."""
        return Table(self.get(key, {}), shape, self._place(key), self._problems)

    def rows(self, key: str, shape: Shape) -> list["Table"]:
        """The tables in the list under a key."""
        return [
            Table(row, shape, f"{self._place(key)}[{i}]", self._problems)
            for i, row in enumerate(self.get(key, []), 1)
        ]

    def _place(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


# -- checks beside those of documents -------------------------------------------------------------


def texts(value: Any) -> None:
    """Text in both languages; Chinese is required, English may be missing."""
    if not isinstance(value, Mapping) or not {"zh"} <= value.keys() <= {"zh", "en"}:
        raise MalformedError('must be { zh = "…", en = "…" }; en may be left out')
    for language, text in value.items():
        try:
            f.note(text)
        except MalformedError as error:
            raise MalformedError(f"{language} {error}") from error
        if text == BLANK:
            raise MalformedError(f"{language} is still to be filled in")


def tables(value: Any) -> None:
    """A list of tables, [[…]]."""
    if not isinstance(value, list) or not 1 <= len(value) <= f.LIST_MAX:
        raise MalformedError(f"must be 1 to {f.LIST_MAX} tables, [[…]]")


def names(value: Any) -> None:
    """A list of ids, each once."""
    if not isinstance(value, list) or not 1 <= len(value) <= f.LIST_MAX:
        raise MalformedError(f"must be a list of 1 to {f.LIST_MAX} ids")
    for name in value:
        f.name_id(name)
    if len(set(value)) < len(value):
        raise MalformedError("names one twice")


def whole(low: int, high: int) -> f.Check:
    """A whole number in low..high."""

    def check(value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise MalformedError(f"must be a whole number, {low} to {high}")

    return check


_SECONDS = re.compile(r"(0|[1-9][0-9]{0,7})(\.[0-9]{1,3})?", re.ASCII)


def seconds(value: Any) -> None:
    """Seconds above zero as text, at most three decimals."""
    if not isinstance(value, str) or not _SECONDS.fullmatch(value) or not float(value) > 0:
        raise MalformedError('must be seconds as text, like "10"')
