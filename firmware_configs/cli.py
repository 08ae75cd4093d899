"""`stackproof profile`: list, show and check device profiles, import a table, make their pages.

Exit codes: 0 fine, 1 a profile is wrong, 2 cannot run (usage, no such profile, newer format).
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firmware_configs.coding import ORDERS
from firmware_configs.csv_import import COLUMNS, import_csv
from firmware_configs.model import REGISTER_TABLES
from firmware_configs.pages import all_pages, stale_pages, write_pages
from firmware_configs.places import ADDRESS_NOTATIONS, doubt
from firmware_configs.profile import (
    Problem,
    Profile,
    ProfileError,
    ProfileUnreadableError,
    Register,
    Setting,
    list_profiles,
    load_profile,
    unproven_types,
)
from firmware_configs.ratios import ratio_doubt
from firmware_configs.row_source import source_settings


def main(argv: list[str]) -> int:
    """Run one `profile` command; the result is the process's exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "list":
            return _list(as_json=options.json)
        if options.command == "show":
            return _show(load_profile(options.profile), as_json=options.json)
        if options.command == "import":
            return _import(options)
        if options.command == "pages":
            return _pages(options.folder, only_check=options.check)
    except ProfileError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, ProfileUnreadableError) else 1
    return _check(options.profiles or list_profiles(), as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof profile", description="Device profiles: what a meter offers, and where."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the profiles that come with the product")
    show = commands.add_parser("show", help="everything about one profile")
    show.add_argument("profile", help="vendor/model, or the path of a .toml file")
    check = commands.add_parser("check", help="find all that is wrong")
    check.add_argument("profiles", nargs="*", help="vendor/model or path; all when none is given")
    taking = _import_parser(commands)
    pages = commands.add_parser("pages", help="write one page a profile, as in docs/devices")
    pages.add_argument("folder", type=Path, help="where to; other .md files there are deleted")
    pages.add_argument("--check", action="store_true", help="write nothing; 1 if any is not true")
    for command in (listing, show, check, taking):
        command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _import_parser(commands: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's own kind
    taking: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="a Modbus profile from a register table kept as CSV",
        description="Makes a Modbus profile of a CSV file with one line a register. The first line "
        f"names the columns: {' '.join(COLUMNS)}. A line with `means` is a setting.",
    )
    taking.add_argument("csv", type=Path, help="UTF-8, separated by comma, semicolon or tab")
    taking.add_argument("--vendor", required=True, help="of the profile's id, e.g. siemens")
    taking.add_argument("--model", required=True, help="of the profile's id, e.g. pac3200")
    taking.add_argument("--title", required=True, help="one line for people")
    taking.add_argument("--source", required=True, help="manual and revision the table is from")
    taking.add_argument(
        "--notation", choices=ADDRESS_NOTATIONS, required=True, help="how the manual counts"
    )
    taking.add_argument("--word-order", choices=ORDERS, required=True, help="big: high word first")
    taking.add_argument("--byte-order", choices=ORDERS, help="big is the standard")
    taking.add_argument("--reports", choices=("primary", "secondary"), help="of transformers")
    taking.add_argument("--out", type=Path, metavar="FILE.toml", help="instead of printing it")
    return taking


def _list(*, as_json: bool) -> int:
    profiles = [load_profile(name) for name in list_profiles()]
    if as_json:
        print(json.dumps([_head(profile) for profile in profiles]))
        return 0
    for profile in profiles:
        print(f"{profile.id:32}{profile.protocol:8}{profile.quality_level:11}{profile.title}")
    return 0


def _check(names: list[str], *, as_json: bool) -> int:
    """Every profile is checked; the exit code is that of the worst."""
    checked = [(name, *_problems(name)) for name in names]
    if as_json:
        print(json.dumps([
            {"profile": name, "errors": [problem._asdict() for problem in problems], "notes": notes}
            for name, _, problems, notes in checked
        ]))  # fmt: skip
        return max(code for _, code, _, _ in checked)
    for name, code, problems, notes in checked:
        if code == 0:
            print(f"{name}: fine")
        for line in (*problems, *(f"{name}: note: {note}" for note in notes)):
            print(line, file=sys.stderr)
    return max(code for _, code, _, _ in checked)


def _import(options: argparse.Namespace) -> int:
    """Print or write the profile of a spreadsheet; nothing of it when anything is wrong."""
    head = {
        "vendor": options.vendor, "model": options.model, "revision": "1", "title": options.title,
        "protocol": "modbus", "quality_level": "simulated", "source": options.source,
        "address_notation": options.notation, "word_order": options.word_order,
        "byte_order": options.byte_order, "reports": options.reports,
    }  # fmt: skip
    try:
        data = options.csv.read_bytes()
    except OSError as error:
        print(f"{options.csv}: cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    made = import_csv(data, str(options.csv), {key: text for key, text in head.items() if text})
    left = [f"no [[vector]] proves the order of {way}" for way in unproven_types(made.profile)]
    if options.out is not None:
        try:
            with options.out.open("x", encoding="utf-8") as file:
                file.write(made.text)
        except OSError as error:
            print(f"{options.out}: cannot be written: {error.strerror}", file=sys.stderr)
            return 2
    if options.json:
        print(json.dumps({
            "id": made.profile.id, "registers": len(made.profile.registers),
            "settings": len(made.profile.settings), "guessed": made.guessed, "left_to_do": left,
            "toml": made.text,
        }))  # fmt: skip
    elif options.out is None:
        print(made.text, end="")
    for said in (*(f"guessed: {g}" for g in made.guessed), *(f"left to do: {x}" for x in left)):
        print(said, file=sys.stderr)
    return 0


def _pages(folder: Path, *, only_check: bool) -> int:
    pages = all_pages()
    if not only_check:
        write_pages(folder, pages)
        return 0
    stale = stale_pages(folder, pages)
    for name in stale:
        again = f"run stackproof profile pages {folder}"
        print(f"{folder / name}: is not what its profile says; {again}", file=sys.stderr)
    return 1 if stale else 0


def _problems(name: str) -> tuple[int, list[Problem], list[str]]:
    """The exit code one profile deserves, all that is wrong with it, and what may be wrong."""
    try:
        profile = load_profile(name)
    except ProfileError as error:
        return 2 if isinstance(error, ProfileUnreadableError) else 1, list(error.errors), []
    found = [
        Problem(name, "vector", f"nothing proves the word order of {way}; add a [[vector]]")
        for way in unproven_types(profile)
    ]
    return 1 if found else 0, found, _notes(profile)


def _notes(profile: Profile) -> list[str]:
    """One note for all rows that may be mistaken in the same way: real maps have such too."""
    rows = (*profile.registers, *(s.register for s in profile.settings))
    notation = profile.address_notation
    places = {row.name: doubt(row.table, row.written, notation) for row in rows}
    scales = {row.name: ratio_doubt(row) for row in profile.registers}
    return [note for doubts in (places, scales) for note in _one_for_all(doubts)]


def _one_for_all(doubts: Mapping[str, str]) -> list[str]:
    """The first doubt, and how many rows have one too; none when none has."""
    found = [f"{name}: {said}" for name, said in doubts.items() if said]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return [found[0] + more] if found else []


def _show(profile: Profile, *, as_json: bool) -> int:
    rows = [_row(register) for register in profile.registers]
    settings = [_setting(setting) for setting in profile.settings]
    if as_json:
        print(json.dumps({**_head(profile), "registers": rows, "settings": settings}))
        return 0
    for key, value in _head(profile).items():
        if value is not None and key != "caveats":
            print(f"{key:24}{value}")
    print()
    for row in rows:
        print(_line(row, f"{row['unit']:8} {row['role']}"))
    for row in settings:
        print(_line(row, f"{row.get('unit', ''):8} setting: {row['means']}"))
    for caveat in profile.caveats:
        print(f"\ncaveat: {caveat.text} {caveat.link}".rstrip())
    return 0


def _line(row: dict[str, Any], rest: str) -> str:
    """Address as the manual writes it, then as the wire has it."""
    where = row.get("node") or row.get("item") or row.get("identifier")
    if "column" in row:
        where = f"column {row['column']}"
    if where is None:
        where = f"{row['table']} {row['written']:<6} {row['address']:#06x}"
    kind = row["type"] + (f" bits {row['bits']}" if "bits" in row else "")
    return f"{row['name']:25} {where:29} {kind:13} {rest}"


def _head(profile: Profile) -> dict[str, Any]:
    head: dict[str, Any] = {
        "id": profile.id, "revision": profile.revision, "title": profile.title,
        "protocol": profile.protocol, "quality_level": profile.quality_level,
        "source": profile.source, "firmware": profile.firmware or None,
    }  # fmt: skip
    head |= source_settings(profile.rows)
    if profile.protocol == "modbus":
        head |= {
            "address_notation": profile.address_notation,
            "word_order": profile.word_order, "byte_order": profile.byte_order,
            "max_registers_per_read": profile.max_registers_per_read,
            "hole_limit": profile.hole_limit, "pause_ms": profile.pause_ms,
            "reports": profile.reports, "probe": profile.probe,
            "vectors": len(profile.vectors),
        }  # fmt: skip
    return head | {"caveats": [{"text": c.text, "link": c.link} for c in profile.caveats]}


def _row(register: Register) -> dict[str, Any]:
    row: dict[str, Any] = {
        **_place(register), "decimals": register.decimals,
        "point_decimals": register.point_decimals, **register.quantity.as_map(),
        "role": register.role.value, "applies": list(register.applies),
        "invalid": list(register.invalid), "rolls_at": register.rolls_at,
        "source": register.source,
    }  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def _setting(setting: Setting) -> dict[str, Any]:
    register = setting.register
    row = {
        **_place(register), "name": setting.name, "means": setting.means,
        "unit": setting.unit or None, "source": register.source,
    } | (
        {"type": "text", "length": setting.text_words or None} if setting.is_text else
        {"decimals": register.decimals, "invalid": list(register.invalid)}
    )  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}


def _place(register: Register) -> dict[str, Any]:
    """Where it stands and how it is taken; orders and bits of Modbus only."""
    place: dict[str, Any] = {
        "name": register.name, "table": register.table, "address": register.address,
        "written": register.written, "node": register.node, "namespace": register.namespace,
        "column": register.column,
        "type": register.type_name,
        "item": str(register.item) if register.item else None,
        "identifier": str(register.identifier) if register.identifier else None,
    }  # fmt: skip
    if register.table in REGISTER_TABLES:
        place |= {"word_order": register.word_order, "byte_order": register.byte_order}
    if register.bits is not None:
        place["bits"] = f"{register.bits.low}-{register.bits.high}"
    return place
