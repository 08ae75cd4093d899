"""`stackproof profile`: list, show and check device profiles.

Exit codes: 0 fine, 1 a profile is wrong, 2 cannot run (usage, no such profile, newer format).
"""

import argparse
import json
import sys
from typing import Any

from firmware_configs.profile import (
    Problem,
    Profile,
    ProfileError,
    ProfileUnreadableError,
    Register,
    list_profiles,
    load_profile,
    unproven_types,
)


def main(argv: list[str]) -> int:
    """Run one `profile` command; the result is the process's exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "list":
            return _list(as_json=options.json)
        if options.command == "show":
            return _show(load_profile(options.profile), as_json=options.json)
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
    for command in (listing, show, check):
        command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


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
            {"profile": name, "errors": [problem._asdict() for problem in problems]}
            for name, _, problems in checked
        ]))  # fmt: skip
        return max(code for _, code, _ in checked)
    for name, code, problems in checked:
        if code == 0:
            print(f"{name}: fine")
        for problem in problems:
            print(problem, file=sys.stderr)
    return max(code for _, code, _ in checked)


def _problems(name: str) -> tuple[int, list[Problem]]:
    """The exit code one profile deserves, and all that is wrong with it."""
    try:
        unproven = unproven_types(load_profile(name))
    except ProfileError as error:
        return 2 if isinstance(error, ProfileUnreadableError) else 1, list(error.errors)
    found = [
        Problem(name, "vector", f"nothing proves the word order of {dtype}; add a [[vector]]")
        for dtype in unproven
    ]
    return 1 if found else 0, found


def _show(profile: Profile, *, as_json: bool) -> int:
    rows = [_row(register) for register in profile.registers]
    if as_json:
        print(json.dumps({**_head(profile), "registers": rows}))
        return 0
    for key, value in _head(profile).items():
        if value is not None and key != "caveats":
            print(f"{key:24}{value}")
    print()
    for row in rows:
        where = row.get("node") or f"{row['table']} {row['address']:#06x}"
        print(f"{row['name']:22}{where:30}{row['type']:5}{row['unit']:8}{row['role']}")
    for caveat in profile.caveats:
        print(f"\ncaveat: {caveat.text} {caveat.link}".rstrip())
    return 0


def _head(profile: Profile) -> dict[str, Any]:
    head: dict[str, Any] = {
        "id": profile.id, "revision": profile.revision, "title": profile.title,
        "protocol": profile.protocol, "quality_level": profile.quality_level,
        "source": profile.source, "firmware": profile.firmware or None,
    }  # fmt: skip
    if profile.protocol == "modbus":
        head |= {
            "word_order": profile.word_order, "byte_order": profile.byte_order,
            "max_registers_per_read": profile.max_registers_per_read,
            "hole_limit": profile.hole_limit, "pause_ms": profile.pause_ms,
            "reports": profile.reports, "probe": profile.probe,
            "vectors": len(profile.vectors),
        }  # fmt: skip
    return head | {"caveats": [{"text": c.text, "link": c.link} for c in profile.caveats]}


def _row(register: Register) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": register.name, "table": register.table, "address": register.address,
        "node": register.node, "namespace": register.namespace,
        "type": register.dtype.name.lower(), "decimals": register.decimals,
        "point_decimals": register.point_decimals, **register.quantity.as_map(),
        "role": register.role.value, "applies": list(register.applies),
        "invalid": list(register.invalid), "source": register.source,
    }  # fmt: skip
    return {key: value for key, value in row.items() if value is not None}
