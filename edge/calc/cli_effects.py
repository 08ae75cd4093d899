"""`stackproof calc pots` and `effects`: what a month's anode effects say beyond its figure."""

import argparse
import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from edge.calc.effects.attribution import attribute
from edge.calc.effects.controller_effects import match_effects
from edge.calc.effects.controller_rows import (
    effects_of,
    line_of,
    period_of,
    read_rows,
    tolerance_of,
)
from edge.calc.errors import InputError

_FILE_BYTES_MAX = 16 * 1024 * 1024

Read = Callable[[Path], Mapping[str, Any]]


def add_to(commands: Any, read: Read) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add both commands.

    Args:
        commands: the subparsers of `stackproof calc`.
        read: a TOML or JSON file as a table.
    """
    made = {}
    for name, function, text in (
        ("pots", _pots, "share out a month's PFC indicator by pot"),
        ("effects", _effects, "compare a month's anode effects with the pot controller's table"),
    ):
        made[name] = commands.add_parser(name, help=text, description=text)
        made[name].add_argument("--json", action="store_true", help="one JSON object on stdout")
        made[name].add_argument("statement", type=Path, help="statement.json of a month's archive")
        made[name].set_defaults(run=partial(function, read))
    effects = made["effects"]
    effects.add_argument("table", type=Path, help="CSV: pot, start, duration_s, v_max_v")
    effects.add_argument("--time-s", required=True, help="what starts and durations may differ by")
    effects.add_argument("--volts", required=True, help="what the highest voltages may differ by")
    effects.add_argument("--potline", help="its id; needed where there are several")
    effects.add_argument("--time-zone", default="", help="of starts that have no offset")


def _pots(read: Read, options: argparse.Namespace) -> int:
    found = attribute(read(options.statement)).as_map()
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    total, record = found["indicator"], found["record"]
    print(f"figure of record: {record['co2e_t']} tCO2e ({record['method']}), not shared out")
    print(f"{'indicator':24}{total['cf4_kg']:>14} kg CF4 {total['c2f6_kg']:>14} kg C2F6")
    for pot in found["pots"]:
        aem = pot.get("aem_min_per_cell_day", "-")
        print(
            f"{pot['potline'] + ' ' + pot['pot']:24}{pot['cf4_kg']:>14} kg CF4 "
            f"{pot['c2f6_kg']:>14} kg C2F6 {pot['effects']:>6} effects, {aem} min/cell-day"
        )
    return 0


def _effects(read: Read, options: argparse.Namespace) -> int:
    """Exit 1 when something does not agree."""
    given = read(options.statement).get("input", {})
    line, period = line_of(given, options.potline), period_of(given)
    tolerance = tolerance_of(options.time_s, options.volts)
    rows = read_rows(csv_rows(options.table), _clock(options.time_zone))
    matching = match_effects(rows, effects_of(line), tolerance, period)
    found = matching.as_map(tolerance)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for name in ("matched", "only_controller", "only_voltage", "outside_period"):
            print(f"{name.replace('_', ' '):20}{found[name]:>8}")
        if (ahead := found.get("controller_clock_ahead_s")) is not None:
            print(f"{'controller ahead, s':20}{ahead:>8}")
        for finding in found["findings"]:
            print(
                f"{finding['at']}  pot {finding['pot']}  {finding['code']}: {finding['sentence']}"
            )
    return 1 if found["findings"] else 0


def _clock(name: str) -> tzinfo | None:
    if not name:
        return None
    from edge.calc.local_time import clock_of  # the zones take long to load

    try:
        return clock_of(name)
    except ValueError as error:
        raise InputError([f"--time-zone: {error}"]) from error


def csv_rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows by its first line's names."""
    if path.stat().st_size > _FILE_BYTES_MAX:
        raise InputError([f"{path}: larger than {_FILE_BYTES_MAX} bytes"])
    try:
        reader = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except UnicodeDecodeError:
        raise InputError([f"{path}: is not UTF-8; save it as UTF-8"]) from None
    except csv.Error as error:
        raise InputError([f"{path}: {error}"]) from error
    if long := [n for n, row in enumerate(rows, 1) if None in row]:
        raise InputError(
            [f"{path}: row {n} has more fields than the first line" for n in long[:50]]
        )
    return rows
