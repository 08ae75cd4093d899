"""Loads device profiles: one TOML file a meter model, checked whole before anything reads it.

`load_profile` either returns a profile in which everything fits together, or raises one
`ProfileError` that lists all that is wrong. The only I/O of this room is reading those files.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_configs.coding import ORDERS
from firmware_configs.fields import Fields, Problem, near
from firmware_configs.model import (
    PROTOCOLS,
    QUALITY_LEVELS,
    Caveat,
    Profile,
    Register,
    Setting,
    Vector,
)
from firmware_configs.places import ADDRESS_NOTATIONS
from firmware_configs.ratios import check_ratios
from firmware_configs.row_source import ROW_PROTOCOLS, check_column, read_source
from firmware_configs.rows import Head, read_register
from firmware_configs.rules import check_speaks_of
from firmware_configs.settings import read_setting
from firmware_configs.toml import NotTomlError, parse_toml
from firmware_configs.vectors import check_vector, read_vector, unproven_types

__all__ = [
    "FOLDER",
    "Caveat",
    "Problem",
    "Profile",
    "ProfileError",
    "ProfileUnreadableError",
    "Register",
    "Setting",
    "Vector",
    "list_profiles",
    "load_profile",
    "read_profile",
    "unproven_types",
]

#: Where the profiles that come with the product are.
FOLDER = Path(__file__).parent

FORMAT = 1
SETTINGS_MAX = 64  # of a profile: as many as one signed event holds
_ID = re.compile(r"[a-z0-9-]{1,40}")
_MODBUS_ONLY = "is for protocol modbus only"


class ProfileError(Exception):
    """A profile that cannot be used.

    Attributes:
        errors: every (file, key, reason).
    """

    def __init__(self, errors: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in errors))
        self.errors = tuple(errors)


class ProfileUnreadableError(ProfileError):
    """There is no such profile, or its format is newer than this program: nothing was checked."""


def list_profiles(*, folder: Path | None = None) -> list[str]:
    """The ids ("vendor/model") of all profile files, sorted; they are not read."""
    root = folder or FOLDER
    return sorted(f"{path.parent.name}/{path.stem}" for path in root.glob("*/*.toml"))


def load_profile(id_or_path: str, *, folder: Path | None = None) -> Profile:
    """Read and check one profile.

    Args:
        id_or_path: "vendor/model" of a file under `folder`, or the path of a .toml file.
        folder: where ids are looked up; the product's own profiles by default.

    Raises:
        ProfileError: with all that is wrong.
        ProfileUnreadableError: there is none (the known ids are named) or its format is newer.
    """
    root = folder or FOLDER
    by_id = not id_or_path.endswith(".toml")
    path = root / f"{id_or_path}.toml" if by_id else Path(id_or_path)
    if by_id and (not _is_id(id_or_path) or not path.is_file()):
        names = list_profiles(folder=root)
        hint = near(id_or_path, names) or f"; known: {', '.join(names) or 'none'}"
        raise ProfileUnreadableError([Problem(id_or_path, "", f"there is no such profile{hint}")])
    return _checked(_read(path), path, id_or_path if by_id else "")


def read_profile(text: bytes, path: Path) -> Profile:
    """Check a profile that is not a file yet.

    Args:
        text: the TOML.
        path: what to call it in complaints.

    Raises:
        ProfileError: with all that is wrong.
    """
    return _checked(_parsed(text, path), path, "")


def _checked(document: Mapping[str, Any], path: Path, place: str) -> Profile:
    """The profile, if nothing is wrong with it; `place` is the id its file's place says, or ""."""
    problems: list[Problem] = []
    profile = _profile(document, path, problems)
    if place and profile.id != place:
        where = f"{profile.id!r} does not fit the file's place {place!r}"
        problems.append(Problem(str(path), "model", f"vendor/model {where}"))
    if problems:
        raise ProfileError(problems)
    return profile


def _is_id(text: str) -> bool:
    parts = text.split("/")
    return len(parts) == 2 and all(_ID.fullmatch(part) for part in parts)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; give vendor/model or the path of a .toml file"
        raise ProfileUnreadableError([Problem(str(path), "", reason)]) from None
    return _parsed(text, path)


def _parsed(text: bytes, path: Path) -> Mapping[str, Any]:
    try:
        return parse_toml(text)
    except NotTomlError as error:
        raise ProfileError([Problem(str(path), "", f"is not TOML: {error}")]) from None


def _profile(document: Mapping[str, Any], path: Path, problems: list[Problem]) -> Profile:
    fields = Fields(document, file=str(path), prefix="", problems=problems)
    if fields.integer("format", 1, 2**31) > FORMAT:
        fields.complain("format", f"is newer than this program, which reads format {FORMAT}")
        raise ProfileUnreadableError(problems)
    vendor, model = _id_part(fields, "vendor"), _id_part(fields, "model")
    protocol = fields.choice("protocol", PROTOCOLS)
    modbus = protocol == "modbus"
    head = Head(
        protocol,
        fields.choice("address_notation", ADDRESS_NOTATIONS) if modbus else "",
        (
            fields.choice("word_order", ORDERS) if modbus else "big",
            fields.choice("byte_order", ORDERS, default="big"),
        ),
    )
    rows, setting_rows = fields.children("register"), fields.children("setting")
    vector_rows = fields.children("vector")
    registers = tuple(read_register(row, head) for row in rows)
    vectors = tuple(read_vector(row) for row in vector_rows)
    source = read_source(fields, protocol) if protocol in ROW_PROTOCOLS else None
    profile = Profile(
        id=f"{vendor}/{model}",
        path=path,
        vendor=vendor,
        model=model,
        revision=fields.text("revision", why="of this file; goes into the signed configuration"),
        title=fields.text("title", why="one line for people"),
        protocol=protocol,
        quality_level=fields.choice("quality_level", QUALITY_LEVELS),
        source=fields.text("source", why="manual and revision the map comes from"),
        firmware=fields.text("firmware", default="") or "",
        address_notation=head.notation,
        word_order=head.orders[0],
        byte_order=head.orders[1],
        max_registers_per_read=fields.integer("max_registers_per_read", 1, 125, default=125),
        hole_limit=fields.integer("hole_limit", 0, 124, default=0),
        pause_ms=fields.integer("pause_ms", 0, 60_000, default=0),
        reports=fields.optional_text("reports"),
        probe=fields.optional_text("probe"),
        registers=registers,
        settings=tuple(read_setting(row, head) for row in setting_rows),
        vectors=vectors,
        caveats=tuple(_caveat(row) for row in fields.children("caveat")),
        rows=source,
    )
    _check_head(fields, profile)
    if source is not None:
        if setting_rows:
            fields.complain("setting", "is for meters: rows of a source have no settings")
        for row, register in zip(rows, registers, strict=True):
            check_column(row, register.name, register.column or "", source.rows)
    _check_rows(rows, profile)
    _check_settings(setting_rows, profile.settings)
    flawed = frozenset(row.label for row in (*rows, *setting_rows) if row.flawed)
    for row, vector in zip(vector_rows, vectors, strict=True):
        if not row.flawed:
            check_vector(row, vector, profile, flawed)
    fields.finish()
    return profile


def _id_part(fields: Fields, key: str) -> str:
    text = fields.text(key, why=f"must match {_ID.pattern}")
    if text and not _ID.fullmatch(text):
        fields.complain(key, f"{text!r} must match {_ID.pattern}")
    return text


def _caveat(fields: Fields) -> Caveat:
    text = fields.text("text", why="what a user of this model must know")
    caveat = Caveat(text, fields.text("link", default=""))
    fields.finish()
    return caveat


def _check_head(fields: Fields, profile: Profile) -> None:
    if not profile.registers and not fields.raw("register"):
        fields.complain("register", "is missing: a profile needs at least one [[register]]")
    if profile.reports not in (None, "primary", "secondary"):
        fields.complain("reports", f"{profile.reports!r} is not one of primary | secondary")
    transformed = [r.name for r in profile.registers if {"ct_ratio", "vt_ratio"} & {*r.applies}]
    if transformed and profile.reports is None:
        fields.complain(
            "reports",
            f"is missing: {transformed[0]} applies transformer ratios; say whether the meter "
            'reports = "primary" (already applied) or "secondary"',
        )
    if profile.probe is not None and profile.probe not in {r.name for r in profile.registers}:
        fields.complain("probe", f"{profile.probe!r} is no register of this profile")
    if profile.protocol != "modbus":
        for key in ("address_notation", "word_order", "byte_order", "max_registers_per_read",
                    "hole_limit", "pause_ms", "vector"):  # fmt: skip
            if fields.raw(key) is not None:
                fields.complain(key, _MODBUS_ONLY)


def _check_rows(rows: Sequence[Fields], profile: Profile) -> None:
    """What holds between rows, and between a row and the head."""
    _check_places(rows, profile.registers)
    check_ratios(rows, profile.registers, profile.reports)
    check_speaks_of(rows, profile.registers)


def _check_places(rows: Sequence[Fields], registers: Sequence[Register]) -> None:
    """No name twice; no cell or node claimed twice, as far as the rows are sound themselves."""
    for index, (row, register) in enumerate(zip(rows, registers, strict=True)):
        was_flawed = row.flawed
        for before, other in enumerate(registers[:index]):
            if register.name and register.name == other.name:
                row.complain("name", f"is also the name of register[{before}]")
            if was_flawed or rows[before].flawed:
                continue
            if reason := _clash(register, other):
                row.complain(_key(register), reason)


def _check_settings(rows: Sequence[Fields], settings: Sequence[Setting]) -> None:
    """No name twice. Where they stand may be a point's place too: a serial number may be both."""
    if len(settings) > SETTINGS_MAX:
        rows[SETTINGS_MAX].complain("", f"is one of more than {SETTINGS_MAX} settings")
    for index, (row, setting) in enumerate(zip(rows, settings, strict=True)):
        for before, other in enumerate(settings[:index]):
            if setting.name and setting.name == other.name:
                row.complain("name", f"{setting.name!r} is also the name of setting[{before}]")


def _key(register: Register) -> str:
    """The key of a row that says where the value is."""
    if register.item is not None:
        return "factor"
    if register.identifier is not None:
        return "di"
    if register.column is not None:
        return "column"
    return "address" if register.node is None else "node"


def _clash(register: Register, other: Register) -> str:
    if register.column is not None:
        same_column = register.column == other.column
        return f"column {register.column} is also the column of {other.name}" if same_column else ""
    if register.address is None or other.address is None:
        key = _key(register)
        same = _named_place(register) == _named_place(other)
        return f"{key} {register.place} is also the {key} of {other.name}" if same else ""
    if register.table != other.table:
        return ""
    end, other_end = register.address + register.words, other.address + other.words
    if register.address >= other_end or other.address >= end:
        return ""
    if _is_same_word(register, other):
        return _bit_clash(register, other)
    taken = f"{other.address:#06x}" + (f"..{other_end - 1:#06x}" if other.words > 1 else "")
    size = f", or a type is too long: {other.name} is {other.type_name}" if other.words > 1 else ""
    return (
        f"address {register.address:#06x} overlaps {other.name} ({taken}): look both up in the "
        f"manual, one address is wrong{size}"
    )


def _named_place(register: Register) -> tuple[object, ...]:
    """Where a value is that has no address."""
    di = register.identifier and register.identifier.di
    return register.node, register.namespace, register.item, di


def _is_same_word(register: Register, other: Register) -> bool:
    """Both are taken of the very same cells in the same way, at least one of them as bits."""
    ways = {(r.address, r.holder, r.word_order, r.byte_order) for r in (register, other)}
    return len(ways) == 1 and not (register.bits is None and other.bits is None)


def _bit_clash(register: Register, other: Register) -> str:
    mine, others = register.bits, other.bits
    if mine is None or others is None:
        return ""  # the whole word, and a part of it by name
    apart = mine.high < others.low or others.high < mine.low
    return "" if apart else f"{mine} overlaps {other.name} ({others})"
