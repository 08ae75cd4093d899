"""Reading one table of a statement's input: every wrong key is named, none stops the others."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from edge.calc.decimal_text import parse_decimal
from edge.calc.factors import Kind, find_kind, near_kinds
from edge.calc.local_instant import read_instant
from edge.calc.parameter import Parameter, given

#: Where solid fuel burns decides its oxidation in some rule sets (02.01; not in 04.01).
USES = ("kiln", "power-boiler", "industrial-boiler", "other")


class Table:
    """One table; collects problems as "where.key: reason" and knows which keys were read.

    Attributes:
        where: its place in the input, like "fuel[0]".
        month: of the statement, "2026-06"; "" when it has none that is right.
    """

    def __init__(self, where: str, fields: object, problems: list[str], month: str = "") -> None:
        self.where = where
        self.month = month
        self._problems = problems
        self._fields: Mapping[str, Any] = {}
        if isinstance(fields, Mapping):
            self._fields = fields
        else:
            problems.append(f"{where}: must be a table")
        self._read = {"provenance"}
        provenance = self._fields.get("provenance", {})
        self._provenance: Mapping[str, Any] = {}
        if isinstance(provenance, Mapping):
            self._provenance = provenance
        else:
            self.problem("provenance", "must be a table")

    def problem(self, key: str, reason: str) -> None:
        """Note what is wrong with a key."""
        self._problems.append(f"{self.where}.{key}: {reason}" if key else f"{self.where}: {reason}")

    def has(self, key: str) -> bool:
        """The key is given."""
        return key in self._fields

    def number(
        self, key: str, unit: str, *, high: int | None = None, above_zero: bool = False
    ) -> Parameter | None:
        """A number of at least 0 (or above), or None when absent or wrong."""
        self._read.add(key)
        if key not in self._fields:
            return None
        raw = self._fields[key]
        try:
            value = parse_decimal(raw)
        except ValueError as error:
            self.problem(key, str(error))
            return None
        if value < 0 or (above_zero and value == 0):
            self.problem(key, f"{raw} must {'be above' if above_zero else 'not be below'} zero")
            return None
        if high is not None and value > high:
            self.problem(key, f"{raw} is above {high} {unit}")
            return None
        provenance = self._provenance.get(key)
        if provenance is not None and not isinstance(provenance, Mapping):
            self.problem(f"provenance.{key}", "must be a table")
            provenance = None
        text = f"{raw:f}" if isinstance(raw, Decimal) else str(raw)
        return given(value, text, unit, provenance)

    def numbers(self, keys: Mapping[str, str]) -> dict[str, Parameter]:
        """The numbers of several keys (key -> unit) that are given."""
        found = {key: self.number(key, unit) for key, unit in keys.items()}
        return {key: value for key, value in found.items() if value is not None}

    def text(self, key: str, allowed: Sequence[str] | None = None) -> str | None:
        """A name, one of `allowed` if given."""
        self._read.add(key)
        if key not in self._fields:
            return None
        value = self._fields[key]
        if not isinstance(value, str) or not 0 < len(value) <= 64:
            self.problem(key, "must be a name of 1 to 64 characters")
            return None
        if allowed is not None and value not in allowed:
            self.problem(key, f"{value!r} unknown; known: {' '.join(allowed)}")
            return None
        return value

    def kind(
        self, kinds: Mapping[str, Kind], rule_set_id: str, *, key: str = "kind"
    ) -> Kind | None:
        """What the table is about (its `kind`), by id, Chinese name or alias."""
        name = self.text(key)
        if name is None:
            if key not in self._fields:
                self.problem(key, "missing")
            return None
        found = find_kind(kinds, name)
        if found is None:
            near = near_kinds(kinds, name) or f"; it has: {' '.join(kinds)}"
            self.problem(key, f"{rule_set_id} has no {name!r}{near}")
        return found

    def subtable(self, key: str) -> "Table | None":
        """A table inside this one."""
        self._read.add(key)
        if key not in self._fields:
            return None
        return Table(f"{self.where}.{key}", self._fields[key], self._problems, self.month)

    def instant(self, key: str) -> datetime | None:
        """A local instant, which must be there."""
        self._read.add(key)
        if key not in self._fields:
            self.problem(key, 'missing: a local time like "2026-05-30T16:00"')
            return None
        try:
            return read_instant(self._fields[key])
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def texts(self, key: str, allowed: Sequence[str]) -> list[str]:
        """A list of names, each one of `allowed`; an absent list is empty."""
        self._read.add(key)
        given = self._fields.get(key, [])
        if not isinstance(given, list) or any(name not in allowed for name in given):
            self.problem(key, f"must be a list of names of: {' '.join(allowed)}")
            return []
        return given

    def all_numbers(self, unit: str) -> dict[str, Parameter]:
        """Every key of the table as a number, for tables whose keys a person names."""
        return self.numbers({str(key): unit for key in self._fields if key != "provenance"})

    def subtables(self, key: str) -> "list[Table]":
        """The tables of a list inside this one; an absent list is empty."""
        self._read.add(key)
        return tables(self._fields, key, self._problems, where=f"{self.where}.")

    def end(self) -> None:
        """Name every key that nobody asked for."""
        for key in self._fields:
            if key not in self._read:
                self.problem(str(key), "unknown key")


#: of one list: as many as a month has meters
TABLES_MAX = 1_000
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def tables(
    source: Mapping[str, Any], key: str, problems: list[str], *, where: str = ""
) -> list[Table]:
    """The tables of a list, "fuel[0]" and so on; an absent list is empty."""
    name = f"{where}{key}"
    entries = source.get(key, [])
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        problems.append(f"{name}: must be a list of tables: write [[{key}]]")
        return []
    if len(entries) > TABLES_MAX:
        problems.append(f"{name}: more than {TABLES_MAX} tables")
        return []
    month = month_of(source)
    return [Table(f"{name}[{i}]", entry, problems, month) for i, entry in enumerate(entries)]


def month_of(source: Mapping[str, Any]) -> str:
    """The month of a statement's input; "" when it is not one."""
    month = source.get("month")
    return month if isinstance(month, str) and MONTH.fullmatch(month) else ""
