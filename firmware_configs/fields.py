"""Reads one TOML table key by key and keeps every complaint instead of stopping at the first.

A getter never raises for bad input: it notes the problem and returns a stand-in of the right
type, so that one pass finds everything. `finish` reports keys nobody asked for. Pure.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from evidence.points import exact


class Problem(NamedTuple):
    """One thing wrong with a file, said so that the reader can mend it.

    Attributes:
        file: the file, as the user named it.
        key: where in the file, e.g. "register[3].address" (counted from 0); "" for the whole.
        reason: what is wrong and what would be right.
    """

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.key}: {self.reason}" if self.key else f"{self.file}: {self.reason}"
        )


class Fields:
    """One table of the file.

    Attributes:
        label: opens each reason about this table, e.g. a register's name.
        flawed: something was wrong in this table itself; what was read may be a stand-in.
    """

    def __init__(
        self, table: Mapping[str, Any], *, file: str, prefix: str, problems: list[Problem]
    ) -> None:
        self._table = table
        self._file = file
        self._prefix = prefix
        self._problems = problems
        self._asked: set[str] = set()
        self._looked_for: set[str] = set()
        self.label = ""
        self.flawed = False

    def complain(self, key: str, reason: str) -> None:
        """Note one problem with a key of this table."""
        self.flawed = True
        text = f"{self.label}: {reason}" if self.label else reason
        self._problems.append(Problem(self._file, self._path(key), text))

    def _path(self, key: str) -> str:
        return ".".join(part for part in (self._prefix, key) if part)

    def has(self, key: str) -> bool:
        """True when the file gives the key."""
        self._looked_for.add(key)
        return key in self._table

    def raw(self, key: str) -> Any:  # noqa: ANN401 - whatever TOML holds, checked by the caller
        """The value as TOML gave it, None when absent; counts as asked for."""
        self._asked.add(key)
        return self._table.get(key)

    def text(self, key: str, *, default: str | None = None, why: str = "") -> str:
        """A non-empty string; without a default it is required, and `why` tells what it is."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if value is None:
            self.complain(key, f"is missing{': ' + why if why else ''}")
        elif not isinstance(value, str):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            text = value if is_number and math.isfinite(value) else "..."
            self.complain(key, f'{_shown(value)} is not text; write {key} = "{text}"')
        elif not value.strip():
            self.complain(key, f"is empty{': ' + why if why else ''}")
        else:
            return value
        return ""

    def optional_text(self, key: str) -> str | None:
        """A non-empty string, or None when absent."""
        return self.text(key) or None if self.has(key) else self.raw(key)

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        """One of `allowed`; without a default it is required. The stand-in is the first."""
        listed = " | ".join(allowed)
        value = self.text(key, default=default, why=f"one of {listed}")
        if value and value not in allowed:
            self.complain(key, f"{_shown(value)} is not one of {listed}{near(value, allowed)}")
        return value if value in allowed else allowed[0]

    def integer(self, key: str, low: int, high: int, *, default: int | None = None) -> int:
        """A whole number in low..high; without a default it is required. Stand-in: low."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if value is None:
            self.complain(key, f"is missing: a whole number in {low}..{high}")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.complain(key, f"{_shown(value)} is not a whole number in {low}..{high}")
        elif not low <= value <= high:
            self.complain(key, f"{value} is not in {low}..{high}")
        else:
            return value
        return low

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number in low..high, required; for models, never for measured values."""
        value = self.raw(key)
        if value is None:
            self.complain(key, f"is missing: a number in {low}..{high}")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            self.complain(key, f"{_shown(value)} is not a number in {low}..{high}")
        elif not low <= value <= high:
            self.complain(key, f"{value} is not in {low}..{high}")
        else:
            return float(value)
        return float(low)

    def decimal(self, key: str, *, default: str | None = None, why: str = "") -> str:
        """A decimal number written as text, so that no binary rounding touches it.

        Without a default it is required; the stand-in is then "1".
        """
        value = self.text(key, default=default, why=why)
        return value if value and is_decimal(value, key, self) else default or "1"

    def child(self, key: str) -> "Fields":
        """The [key] table of this one, required."""
        value = self.raw(key)
        if not isinstance(value, dict):
            self.complain(key, "is missing" if value is None else f"must be a table: [{key}]")
            value = {}
        return Fields(value, file=self._file, prefix=self._path(key), problems=self._problems)

    def children(self, key: str) -> list["Fields"]:
        """The [[key]] tables of this one, none when absent; anything else is a problem."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.complain(key, f"must be written as tables: [[{key}]]")
            return []
        return [
            Fields(
                table,
                file=self._file,
                prefix=self._path(f"{key}[{index}]"),
                problems=self._problems,
            )
            for index, table in enumerate(value)
        ]

    def named_children(self, key: str) -> dict[str, "Fields"]:
        """The tables under [key] by name, none when absent; anything else is a problem."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
            self.complain(key, f"must be written as tables with names: [{key}.NAME]")
            return {}
        return {
            name: Fields(
                table, file=self._file, prefix=self._path(f"{key}.{name}"), problems=self._problems
            )
            for name, table in value.items()
        }

    def sequence(self, key: str) -> list[Any]:
        """A TOML list, empty when absent."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.complain(key, f"{_shown(value)} is not a list; write {key} = [...]")
            return []
        return value

    def finish(self) -> None:
        """Every key nobody asked for is a problem: a misspelt key must not be silently lost."""
        for key in self._table:
            if key not in self._asked:
                names = sorted(self._asked | self._looked_for)
                known = near(key, names) or f"; known here: {' '.join(names)}"
                self.complain(key, f"unknown key{known}")


def is_decimal(value: object, key: str, fields: Fields) -> bool:
    """True when value is decimal text; otherwise the problem is noted."""
    if not isinstance(value, str):
        fields.complain(key, f'{_shown(value)} is not text; write the number as "{value}"')
        return False
    if "/" in value:
        fields.complain(key, f"{value!r} is a ratio; write a decimal number")
        return False
    try:
        exact(value)
    except ValueError as error:
        fields.complain(key, str(error))
        return False
    return True


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def near(value: str, allowed: Sequence[str]) -> str:
    """The end of a sentence that names the allowed value this one is likely meant to be, or ""."""
    close = difflib.get_close_matches(value, allowed, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
