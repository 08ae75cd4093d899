"""The pages of `docs/devices/`: one a profile, and an index. Made from the profiles, never by hand.

Pure but for `write_pages` and `stale_pages`, which write and read the folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from firmware_configs.left_out import LeftOut, load_left_out
from firmware_configs.model import Profile, Register, Setting, Vector
from firmware_configs.profile import list_profiles, load_profile

INDEX = "README.md"
#: what each quality level means to a reader of the page
LEVELS = {
    "simulated": "read from our simulator only; no device was on the bench",
    "bench": "recorded from a device on the bench",
    "field": "read at a plant",
    "metrology": "checked against a reference meter",
}


def all_pages() -> dict[str, str]:
    """File name to text of every page of the product's own profiles, the index among them."""
    profiles = [load_profile(name) for name in list_profiles()]
    pages = {_file(profile): page(profile) for profile in profiles}
    return pages | {INDEX: index(profiles, load_left_out())}


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Write them; a page of the folder that is none of them is deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def stale_pages(folder: Path, pages: Mapping[str, str]) -> list[str]:
    """Names of the pages that are missing, not as they should be, or too many."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    names = sorted({*there, *pages})
    return [name for name in names if there.get(name) != pages.get(name)]


def page(profile: Profile) -> str:
    """One profile as a page."""
    parts = [
        f"# {profile.title}",
        f"Made from `firmware_configs/{profile.id}.toml` by `stackproof profile pages`; "
        "change the profile, not this page.",
        _table(("", ""), _head(profile)),
        "## What is read",
        _table(_READ_COLUMNS, [_read(register) for register in profile.registers]),
    ]
    if profile.settings:
        parts += [
            "## Settings that are read and signed",
            _table(_SET_COLUMNS, [_set(setting) for setting in profile.settings]),
        ]
    if profile.caveats:
        parts += ["## Know this first", "\n".join(_caveat(c.text, c.link) for c in profile.caveats)]
    if profile.vectors:
        parts += [
            "## Words and what they mean",
            "Worked by hand or printed by the maker; loader and driver are held to them.",
            _table(("row", "words", "value"), [_vector(v) for v in profile.vectors]),
        ]
    return "\n\n".join([*parts, "## Source", _text(profile.source)]) + "\n"


def index(profiles: Sequence[Profile], left_out: Iterable[LeftOut]) -> str:
    """All profiles, and the devices that have none."""
    rows = [
        (f"[`{p.id}`]({_file(p)})", _text(p.title), p.protocol, p.quality_level,
         str(len(p.registers)), str(len(p.settings)))
        for p in profiles
    ]  # fmt: skip
    levels = sorted({p.quality_level for p in profiles})
    return "\n\n".join([
        "# Devices",
        "One page a profile, made from `firmware_configs/` by `stackproof profile pages "
        "docs/devices`; a test holds them true. How to write a profile: "
        "[firmware_configs](../../firmware_configs/README.md).",
        "Quality level: " + "; ".join(f"**{level}**, {LEVELS[level]}" for level in levels) + ".",
        _table(("profile", "device", "protocol", "quality", "values", "settings"), rows),
        "## Left out, and why",
        "A register without a source is a defect. These were looked for and not guessed.",
        _table(("maker", "model", "why"), [_out(row) for row in left_out]),
    ]) + "\n"  # fmt: skip


def _file(profile: Profile) -> str:
    return f"{profile.vendor}-{profile.model}.md"


def _head(profile: Profile) -> list[tuple[str, str]]:
    level = profile.quality_level
    rows = [
        ("profile", f"`{profile.id}`, revision {profile.revision}"),
        ("quality level", f"**{level}**: {LEVELS[level]}"),
        ("protocol", profile.protocol),
        ("firmware", profile.firmware),
    ]
    if profile.protocol == "modbus":
        rows += [
            ("addresses below", f"as the source writes them ({profile.address_notation}), "
                                "then as on the wire"),
            ("word order", f"{profile.word_order} (high word {_first(profile.word_order)})"),
            ("values are", _REPORTS[profile.reports]),
        ]  # fmt: skip
    return [row for row in rows if row[1]]


_REPORTS = {
    None: "as the meter gives them; no transformer ratio of the site file is applied",
    "primary": "primary: transformer ratios are already in them",
    "secondary": "secondary: the site file's ratios are applied by the gateway",
}
_READ_COLUMNS = ("name", "what", "unit", "place", "type", "source")
_SET_COLUMNS = ("name", "means", "unit", "place", "type", "source")


def _first(order: str) -> str:
    return "first" if order == "big" else "last"


def _read(register: Register) -> tuple[str, ...]:
    quantity = register.quantity
    given = (quantity.reference, quantity.moisture, quantity.heating, quantity.fuel_basis)
    what = ", ".join([quantity.kind, *(word for word in given if word)])
    role = "" if register.role.value == "gauge" else f" ({register.role.value})"
    ratios = f", times {' and '.join(register.applies)}" if register.applies else ""
    return (f"`{register.name}`", what + role + ratios, quantity.unit, _place(register),
            _type(register), _text(register.source))  # fmt: skip


def _set(setting: Setting) -> tuple[str, ...]:
    register = setting.register
    kind = f"text of {setting.text_words} registers" if setting.text_words else _type(register)
    kind = "text" if setting.is_text and not setting.text_words else kind
    return (f"`{setting.name}`", setting.means, setting.unit, _place(register), kind,
            _text(register.source))  # fmt: skip


def _place(register: Register) -> str:
    if register.address is None:
        return f"`{register.place}`"
    return f"{register.table} {register.written}, 0x{register.address:04X}"


def _type(register: Register) -> str:
    """Type, and what one count of it is."""
    bits = f" bits {register.bits.low}-{register.bits.high}" if register.bits else ""
    parts = [register.type_name + bits]
    if register.decimals:
        parts.append(f"{register.decimals} decimal{'s' if register.decimals > 1 else ''}")
    if register.scale != "1":
        parts.append(f"times {register.scale}")
    if register.offset != "0":
        parts.append(f"plus {register.offset}")
    return ", ".join(parts)


def _caveat(text: str, link: str) -> str:
    return f"- {_text(text)}" + (f" ([link]({link}))" if link else "")


def _vector(vector: Vector) -> tuple[str, ...]:
    words = " ".join(f"{word:04X}" for word in vector.words)
    return f"`{vector.register or vector.setting}`", f"`{words}`", vector.value


def _out(row: LeftOut) -> tuple[str, ...]:
    why = _text(row.why) + (f" ([link]({row.link}))" if row.link else "")
    return _text(row.maker), _text(row.model), why


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells).replace("\n", " ") + " |" for cells in lines)


def _text(text: str) -> str:
    """One line that no table and no tag takes for its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
