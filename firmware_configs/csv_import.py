"""A register table kept as CSV to a profile's TOML: the typing is done, the judging is not.

A spreadsheet of the map is what most manuals or their readers have. Each line becomes a
`[[register]]`, or a `[[setting]]` where the column `means` is filled; columns are called as the
keys of a row. What comes out goes through the loader of all profiles, and what that finds is told
by line and column of the spreadsheet. Pure; reading and writing files is the command's.
"""

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evidence.points import KINDS
from firmware_configs.csv_cells import limits, states, type_name, whole_number, whole_numbers, words
from firmware_configs.fields import Problem
from firmware_configs.profile import Profile, ProfileError, read_profile
from firmware_configs.units import spelling

#: how a column's cells are read; all others are text
_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("address", "decimals", "point_decimals", "length", "rolls_at"), whole_number),
    "applies": words, "invalid": whole_numbers, "range": limits, "states": states,
    "type": type_name,
}  # fmt: skip
_SEPARATOR = re.compile(r"sep=[,;\t]\r?\n", re.IGNORECASE)
#: every column there may be, in the order a row is written
COLUMNS = ("means", "name", "table", "address", "type", "bits", "length", "word_order",
           "byte_order", "decimals", "point_decimals", "scale", "offset", "unit", "kind",
           "reference", "moisture", "heating", "fuel_basis", "role", "applies", "invalid", "range",
           "rolls_at", "states", "source")  # fmt: skip
_ROW = re.compile(r"(register|setting)\[(\d+)\]\.?(.*)")


class Imported(NamedTuple):
    """A spreadsheet that became a profile.

    Attributes:
        text: the TOML.
        profile: what the loader made of it.
        guessed: what was not in the spreadsheet and was filled in, one sentence a row.
    """

    text: str
    profile: Profile
    guessed: tuple[str, ...]


def import_csv(data: bytes, file: str, head: Mapping[str, str]) -> Imported:
    """The profile of a CSV file with one line a register.

    Args:
        data: the file: UTF-8, separated by comma, semicolon or tab, first line the columns' names.
        file: what to call it in complaints.
        head: keys of the profile's head as text (vendor, model, title, source, ...).

    Raises:
        ProfileError: everything that is wrong, by line and column.
    """
    lines = _lines(data, file)
    problems: list[Problem] = []
    guessed: list[str] = []
    rows: dict[str, list[dict[str, Any]]] = {"register": [], "setting": []}
    places: dict[str, list[int]] = {"register": [], "setting": []}
    for number, cells in lines:
        row = {key: _value(file, number, key, cell, problems) for key, cell in cells.items()}
        group = "setting" if row.get("means") else "register"
        if row.get("type") != cells.get("type"):
            guessed.append(f"{row.get('name')}: type {row['type']}, from {cells['type']!r}")
        if group == "register":
            guessed += _guess(row)
        rows[group].append(row)
        places[group].append(number)
    if problems:
        raise ProfileError(problems)
    text = _toml(head, rows)
    try:
        profile = read_profile(text.encode(), Path(file))
    except ProfileError as error:
        raise ProfileError([_at_line(file, p, places) for p in error.errors]) from None
    return Imported(text, profile, tuple(guessed))


def _lines(data: bytes, file: str) -> list[tuple[int, dict[str, str]]]:
    """(line number, filled cells by column) of every line that has any."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(file, "", 'is not UTF-8; save it as "CSV UTF-8"') from None
    said = _SEPARATOR.match(text)  # Excel's own first line
    text = text[said.end() :] if said else text
    above = 1 if said else 0
    top = f"line {above + 1}"
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        rest = [(reader.line_num + above, cells) for cells in reader]
    except csv.Error as error:
        raise _refused(file, f"line {reader.line_num + above}", f"is not CSV: {error}") from None
    if not any(columns):
        raise _refused(file, top, "has no columns' names")
    unknown = [column for column in columns if column and column not in COLUMNS]
    if len(unknown) == sum(map(bool, columns)):
        raise _refused(
            file, top, f"{unknown[0]!r} is no column of a profile, nor is any other: this line has "
            "to name them; remove titles above it, and rename the manual's columns. Known: "
            f"{' '.join(COLUMNS)}",
        )  # fmt: skip
    if unknown:
        raise ProfileError([Problem(file, f"{top}, {c}", _no_column(c)) for c in unknown])
    twice = sorted({c for c in columns if c and columns.count(c) > 1})
    if twice:
        raise _refused(file, f"{top}, {twice[0]}", "stands there twice")
    found = []
    for number, cells in rest:
        filled = {c: v.strip() for c, v in zip(columns, cells, strict=False) if c and v.strip()}
        if filled:
            found.append((number, filled))
    if not found:
        raise _refused(file, "", "has no line below the columns' names")
    return found


def _no_column(column: str) -> str:
    near = difflib.get_close_matches(column, COLUMNS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {' '.join(COLUMNS)}"
    return f"is no column of a profile{hint}"


def _refused(file: str, key: str, reason: str) -> ProfileError:
    return ProfileError([Problem(file, key, reason)])


def _value(file: str, number: int, key: str, cell: str, problems: list[Problem]) -> Any:  # noqa: ANN401 - what TOML can hold
    """The cell as the key's type; text where it is none, and a complaint."""
    try:
        return _READ[key](cell) if key in _READ else cell
    except ValueError as error:
        problems.append(Problem(file, f"line {number}, {key}", str(error)))
        return cell


def _guess(row: dict[str, Any]) -> list[str]:
    """Fill in `kind` where the unit tells it, and the role of energies, states.

    Emissions are computed: no meter's kg/h is one.
    """
    said = []
    if (unit := row.get("unit")) and spelling(unit) != unit:
        row["unit"] = spelling(unit)
        said.append(f"{row.get('name')}: unit {row['unit']}, from {unit!r}")
    kinds = [kind for kind, (units, _) in KINDS.items() if row.get("unit") in units]
    kinds = [kind for kind in kinds if not kind.startswith("emission")]
    if "kind" not in row and len(kinds) == 1:
        row["kind"] = kinds[0]
        said.append(f"{row.get('name')}: kind {kinds[0]}, from the unit {row['unit']}")
    if "role" not in row and row.get("kind") in ("energy", "reactive-energy"):
        row["role"] = "totaliser"
        said.append(f"{row.get('name')}: role totaliser, since it is energy")
    if "role" not in row and row.get("kind") == "state":
        row["role"] = "state"
        said.append(f"{row.get('name')}: role state, since its kind is")
    return said


def _toml(head: Mapping[str, str], rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = ["format = 1", *(f"{key} = {_quoted(value)}" for key, value in head.items())]
    for group, tables in rows.items():
        for table in tables:
            lines += ["", f"[[{group}]]"]
            lines += [f"{key} = {_quoted(table[key])}" for key in COLUMNS if key in table]
    lines += [
        "",
        "# Add a [[vector]] for every type longer than a word, worked out by hand:",
        "# register, words as the wire gives them, value. Then [[caveat]]s.",
    ]
    return "\n".join(lines) + "\n"


def _quoted(value: str | int | list[str] | list[int] | dict[str, str]) -> str:
    """As TOML writes it; its basic strings are JSON's, but for U+007F, which no name has."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{_quoted(key)} = {_quoted(text)}" for key, text in value.items())
        return f"{{ {pairs} }}"
    return json.dumps(value, ensure_ascii=False)


def _at_line(file: str, problem: Problem, places: Mapping[str, list[int]]) -> Problem:
    """The loader's complaint about row i as one about the line it came from."""
    match = _ROW.fullmatch(problem.key)
    if match is None:
        return Problem(file, problem.key, problem.reason)
    where = f"line {places[match[1]][int(match[2])]}"
    return Problem(file, f"{where}, {match[3]}" if match[3] else where, problem.reason)
