"""Loads device profiles: one TOML file a meter model, checked whole before anything reads it.

`load_profile` either returns a profile in which everything fits together, or raises one
`ProfileError` that lists all that is wrong. The only I/O of this room is reading those files.
"""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from evidence.points import exact
from firmware_configs.fields import Fields, Problem
from firmware_configs.model import (
    QUALITY_LEVELS,
    REGISTER_TABLES,
    Caveat,
    Profile,
    Register,
    Vector,
)
from firmware_configs.rows import ADDRESS_NOTATIONS, read_register
from firmware_configs.toml import NotTomlError, parse_toml
from firmware_configs.words import nearest_float, number_of_words

__all__ = [
    "FOLDER",
    "Caveat",
    "Problem",
    "Profile",
    "ProfileError",
    "ProfileUnreadableError",
    "Register",
    "Vector",
    "list_profiles",
    "load_profile",
    "unproven_types",
]

#: Where the profiles that come with the product are.
FOLDER = Path(__file__).parent

FORMAT = 1
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
        known = ", ".join(list_profiles(folder=root)) or "none"
        raise ProfileUnreadableError(
            [Problem(id_or_path, "", f"there is no such profile; known: {known}")]
        )
    problems: list[Problem] = []
    document = _read(path)
    profile = _profile(document, path, problems)
    if by_id and profile.id != id_or_path:
        where = f"{profile.id!r} does not fit the file's place {id_or_path!r}"
        problems.append(Problem(str(path), "model", f"vendor/model {where}"))
    if problems:
        raise ProfileError(problems)
    return profile


def unproven_types(profile: Profile) -> list[str]:
    """Types longer than one word without a vector: their word order is only claimed."""
    proven = {profile.register(vector.register).dtype for vector in profile.vectors}
    used = {r.dtype for r in profile.registers if r.words > 1 and r.table in REGISTER_TABLES}
    return sorted(dtype.name.lower() for dtype in used - proven)


def _is_id(text: str) -> bool:
    parts = text.split("/")
    return len(parts) == 2 and all(_ID.fullmatch(part) for part in parts)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return parse_toml(path.read_bytes())
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; give vendor/model or the path of a .toml file"
        raise ProfileUnreadableError([Problem(str(path), "", reason)]) from None
    except NotTomlError as error:
        reason = f"is not TOML: {error}"
    raise ProfileError([Problem(str(path), "", reason)])


def _profile(document: Mapping[str, Any], path: Path, problems: list[Problem]) -> Profile:
    fields = Fields(document, file=str(path), prefix="", problems=problems)
    if fields.integer("format", 1, 2**31) > FORMAT:
        fields.complain("format", f"is newer than this program, which reads format {FORMAT}")
        raise ProfileUnreadableError(problems)
    vendor, model = _id_part(fields, "vendor"), _id_part(fields, "model")
    protocol = fields.choice("protocol", ("modbus", "opcua"))
    modbus = protocol == "modbus"
    notation = fields.choice("address_notation", ADDRESS_NOTATIONS) if modbus else ""
    rows, vector_rows = fields.children("register"), fields.children("vector")
    registers = tuple(read_register(row, protocol=protocol, notation=notation) for row in rows)
    vectors = tuple(_vector(row) for row in vector_rows)
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
        word_order=fields.choice("word_order", ("big", "little")) if modbus else "big",
        byte_order=fields.choice("byte_order", ("big", "little"), default="big"),
        max_registers_per_read=fields.integer("max_registers_per_read", 1, 125, default=125),
        hole_limit=fields.integer("hole_limit", 0, 124, default=0),
        pause_ms=fields.integer("pause_ms", 0, 60_000, default=0),
        reports=fields.optional_text("reports"),
        probe=fields.optional_text("probe"),
        registers=registers,
        vectors=vectors,
        caveats=tuple(_caveat(row) for row in fields.children("caveat")),
    )
    _check_head(fields, profile)
    _check_places(rows, registers)
    sound = {r.name: r for r, row in zip(registers, rows, strict=True) if not row.flawed}
    for row, vector in zip(vector_rows, vectors, strict=True):
        if not row.flawed:
            _check_vector(row, vector, profile, sound)
    fields.finish()
    return profile


def _id_part(fields: Fields, key: str) -> str:
    text = fields.text(key, why=f"must match {_ID.pattern}")
    if text and not _ID.fullmatch(text):
        fields.complain(key, f"{text!r} must match {_ID.pattern}")
    return text


def _vector(fields: Fields) -> Vector:
    register = fields.text("register", why="name of the register the words stand in")
    fields.label = register
    words: list[int] = []
    for word in fields.sequence("words"):
        if isinstance(word, bool) or not isinstance(word, int) or not 0 <= word <= 0xFFFF:
            fields.complain("words", f"{word} is not a 16-bit word (0..0xffff)")
            word = 0
        words.append(word)
    if not fields.has("words"):
        fields.complain("words", "is missing: the 16-bit words in address order")
    value = fields.decimal("value", why="decimal text, what the words mean")
    fields.finish()
    return Vector(register, tuple(words), value)


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
                row.complain("address" if register.node is None else "node", reason)


def _clash(register: Register, other: Register) -> str:
    if register.node is not None:
        same = (register.node, register.namespace) == (other.node, other.namespace)
        return f"node {register.node} is also the node of {other.name}" if same else ""
    if register.address is None or other.address is None or register.table != other.table:
        return ""
    end, other_end = register.address + register.words, other.address + other.words
    if register.address >= other_end or other.address >= end:
        return ""
    taken = f"{other.address:#06x}" + (f"..{other_end - 1:#06x}" if other.words > 1 else "")
    return f"address {register.address:#06x} overlaps {other.name} ({taken})"


def _check_vector(
    row: Fields, vector: Vector, profile: Profile, sound: Mapping[str, Register]
) -> None:
    """The words are as many as the type takes, and mean the value."""
    if vector.register not in {r.name for r in profile.registers}:
        row.complain("register", "is no register of this profile")
        return
    register = sound.get(vector.register)
    if register is None or profile.protocol != "modbus":
        return
    if register.table not in REGISTER_TABLES:
        row.complain("register", f"is in table {register.table}; vectors are for 16-bit registers")
        return
    if len(vector.words) != register.words:
        of_type = f"{register.dtype.name.lower()} takes {register.words}"
        row.complain("words", f"there are {len(vector.words)}, but {of_type}")
        return
    raw = number_of_words(vector.words, register.dtype, profile.word_order, profile.byte_order)
    if not _means(raw, register, vector.value):
        order = f"word_order {profile.word_order}, byte_order {profile.byte_order}"
        row.complain("value", f"the words are raw {raw} ({order}), which is not {vector.value}")


def _means(raw: int | float, register: Register, value: str) -> bool:
    wanted = (exact(value) - exact(register.offset)) / exact(register.scale)
    if not isinstance(raw, float):
        return Fraction(raw, 10**register.decimals) == wanted
    try:
        return raw == nearest_float(float(wanted), register.dtype)
    except OverflowError:
        return False
