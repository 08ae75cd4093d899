"""Loads device profiles: one TOML file a meter model, checked whole before anything reads it.

`load_profile` either returns a profile in which everything fits together, or raises one
`ProfileError` that lists all that is wrong. The only I/O of this room is reading those files.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from evidence.points import Dtype, exact
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
        errors: every (file, key, reason), in the order of the file.
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
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; give vendor/model or the path of a .toml file"
        raise ProfileUnreadableError([Problem(str(path), "", reason)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = f"is not valid TOML: {error}"
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
    registers = tuple(
        read_register(table, protocol=protocol, notation=notation)
        for table in fields.children("register")
    )
    vectors = tuple(_vector(row) for row in fields.children("vector"))
    caveats = tuple(_caveat(row) for row in fields.children("caveat"))
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
        caveats=caveats,
    )
    _check_head(fields, profile)
    _check_places(profile, path, problems)
    _check_vectors(profile, path, problems)
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
    fields.text("value", why="decimal text, what the words mean")
    value = fields.decimal("value", default="0") if fields.has("value") else "0"
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


def _check_places(profile: Profile, path: Path, problems: list[Problem]) -> None:
    """No name twice, no cell or node claimed twice."""
    for index, register in enumerate(profile.registers):
        for before, other in enumerate(profile.registers[:index]):
            if register.name and register.name == other.name:
                reason = f"{register.name} is also the name of register[{before}]"
                problems.append(Problem(str(path), f"register[{index}].name", reason))
            if reason := _clash(register, other):
                key = "address" if register.node is None else "node"
                text = f"{register.name}: {reason}"
                problems.append(Problem(str(path), f"register[{index}].{key}", text))


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


def _check_vectors(profile: Profile, path: Path, problems: list[Problem]) -> None:
    registers = {r.name: r for r in profile.registers if r.table in REGISTER_TABLES}
    for index, vector in enumerate(profile.vectors):
        key, reason = _wrong_vector(profile, registers, vector)
        if reason:
            text = f"{vector.register}: {reason}"
            problems.append(Problem(str(path), f"vector[{index}].{key}", text))


def _wrong_vector(
    profile: Profile, registers: Mapping[str, Register], vector: Vector
) -> tuple[str, str]:
    """(key, reason) of what is wrong with a vector, or ("", "")."""
    if vector.register not in registers:
        known = " ".join(registers)
        return "register", f"is no 16-bit register of this profile; known: {known}"
    register = registers[vector.register]
    if register.dtype.size < 2:
        return "", ""  # an impossible type, already reported at the register
    if len(vector.words) != register.words:
        of_type = f"{register.dtype.name.lower()} takes {register.words}"
        return "words", f"there are {len(vector.words)} words, {of_type}"
    raw = number_of_words(vector.words, register.dtype, profile.word_order, profile.byte_order)
    if _means(raw, register, vector.value):
        return "", ""
    order = f"word_order {profile.word_order}, byte_order {profile.byte_order}"
    return "value", f"the words are raw {raw} ({order}), which is not {vector.value}"


def _means(raw: int | float, register: Register, value: str) -> bool:
    wanted = (exact(value) - exact(register.offset)) / exact(register.scale)
    if isinstance(raw, float) and register.dtype in (Dtype.F32, Dtype.F64):
        try:
            return raw == nearest_float(float(wanted), register.dtype)
        except OverflowError:
            return False
    return Fraction(Decimal(raw)) * Fraction(1, 10**register.decimals) == wanted
