"""`stackproof calc cems`: hours of a CEMS to a month, and the month against a statement's lines."""

import argparse
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from edge.calc.cli_effects import csv_rows
from edge.calc.decimal_text import parse_decimal
from edge.calc.errors import InputError
from edge.calc.methods.substitution import PART_75
from edge.calc.stacks.cems import GASES, REFERENCES_C, RULES, Cems
from edge.calc.stacks.hour_rows import read_calibrations, read_hours
from edge.calc.stacks.month import CemsMonth
from edge.calc.statements.statement import compute

Read = Callable[[Path], Mapping[str, Any]]
_NUMBERS = ("fc", "fd", "share_percent", "maximum_potential")


def add_to(commands: Any, read: Read) -> None:  # noqa: ANN401 - argparse's own class is private
    """Add the command.

    Args:
        commands: the subparsers of `stackproof calc`.
        read: a statement's input from a file.
    """
    text = "a month of a CEMS from its hours: what counts, what stands for the rest, how much CO2"
    command = commands.add_parser("cems", help=text, description=text)
    command.add_argument("file", type=Path, help="CSV of hours; its columns: docs/cems.md")
    command.add_argument("--rule-set", required=True, choices=RULES)
    command.add_argument("--stacks", required=True, help="which stacks it sees, in words")
    command.add_argument("--gas-of", required=True, choices=GASES, help="what makes the gas")
    for name, of in (("--basis", "CO2 (or oxygen)"), ("--flow-basis", "flow")):
        command.add_argument(name, required=True, choices=("wet", "dry"), help=f"of {of}")
    command.add_argument("--reference-c", type=int, choices=REFERENCES_C, default=0,
                         help="of the flow told; the mass does not move with it")  # fmt: skip
    command.add_argument("--calibrations", type=Path, metavar="CSV", help="daily calibrations")
    command.add_argument("--share-percent", metavar="P", help="capture rate, or availability")
    command.add_argument("--maximum-potential", metavar="P", help="CO2, vol %%; us-part-75")
    command.add_argument("--fc", metavar="F", help="with --fd: CO2 from oxygen of one fuel's gas")
    command.add_argument("--fd", metavar="F", help="of the fuel's gross heat")
    command.add_argument("--interim", action="store_true", help="the month goes on after the file")
    command.add_argument("--against", type=Path, metavar="STATEMENT", help="its lines, compared")
    command.add_argument("--unit", help="of --against: lines of one process unit only")
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    command.set_defaults(run=lambda options: _cems(options, read))


def _cems(options: argparse.Namespace, read: Read) -> int:
    """Exit 1 when the comparison is outside its limits."""
    given = _given(options)
    cems = Cems(
        rules=options.rule_set, stacks=options.stacks, basis=options.basis,
        flow_basis=options.flow_basis, gas_of=options.gas_of, reference_c=options.reference_c,
        fc=given.get("fc"), fd=given.get("fd"),
    )  # fmt: skip
    by_part_75 = cems.rules == PART_75
    hours = _named(options.file, read_hours, by_part_75)
    tests = None
    if options.calibrations is not None:
        tests = _named(options.calibrations, read_calibrations, by_part_75)
    if not hours:
        raise InputError([f"{options.file}: has no hours"])
    fold = CemsMonth(cems, f"{hours[0].at:%Y-%m}", tests)
    fold.feed(hours)
    found = fold.close(
        given.get("share_percent"), given.get("maximum_potential"), is_interim=options.interim
    )
    if options.against is not None:
        found["against"] = _against(read(options.against), found["cross_check"], options.unit)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)
    return 1 if found.get("against", {}).get("result") == "outside" else 0


def _given(options: argparse.Namespace) -> dict[str, Fraction]:
    values, problems = {}, []
    for key in _NUMBERS:
        text = getattr(options, key)
        if text is None:
            continue
        try:
            values[key] = parse_decimal(text)
        except ValueError as error:
            problems.append(f"--{key.replace('_', '-')}: {error}")
            continue
        if values[key] < 0 or (key in _NUMBERS[2:] and values[key] > 100):
            problems.append(f"--{key.replace('_', '-')}: {text} is not 0 to 100")
    if problems:
        raise InputError(problems)
    return values


def _named(path: Path, reader: Callable[..., Any], by_part_75: bool) -> Any:  # noqa: ANN401 - what either reader gives; both readers' one switch
    """What a reader makes of a file's rows; problems name the file."""
    rows = csv_rows(path)
    try:
        return reader(rows, by_part_75=by_part_75)
    except InputError as error:
        raise InputError([f"{path}: {problem}" for problem in error.problems]) from error


def _against(
    source: Mapping[str, Any], check: Mapping[str, str], unit: str | None
) -> dict[str, Any]:
    """The cross-check "carbon" of a statement's lines with the CEMS beside them."""
    asked = {**check, **({"unit": unit} if unit else {})}
    checks = compute({**source, "cross_check": [asked]})["cross_checks"]
    found: dict[str, Any] = next(each for each in checks if each["check"] == "carbon")
    return found


def _print(found: Mapping[str, Any]) -> None:
    total = found["total"]
    print(f"{found['month']}  {found['rule_set']}  {found['stacks']}")
    for day in found["days"]:
        states = " ".join(
            f"{name} {day[f'{name}_h']}" for name in _STATES if day[f"{name}_h"] != "0"
        )
        valid = "" if day.get("valid", "yes") == "yes" else "  not valid"
        print(f"  {day['day']}  {day['emission_t']:>14} t  {states} h{valid}")
    print(f"  {'CO2':10}  {total['emission_t']:>14} t")
    print(f"  {'measured':10}  {total['measured_t']:>14} t  {total['measured_h']} h")
    print(f"  {'substitute':10}  {total['substituted_t']:>14} t  {total['substituted_h']} h")
    for code, hours in total.get("codes", {}).items():
        print(f"    {code}: {hours} h")
    for key, text in (("completeness_percent", "of the operating hours measured"),
                      ("substituted_percent", "of the mass substituted"),
                      ("share_percent", "capture rate or availability used")):  # fmt: skip
        if key in total:
            print(f"  {total[key]} % {text}")
    if "valid" in total:
        print(f"  valid month: {total['valid']}, {total['valid_days']} valid days")
    for flag in found["flags"]:
        print(f"  flag {flag}")
    if "against" in found:
        print(f"  check {found['against']['result']}: {found['against']['sentence']}")


_STATES = ("measured", "substituted", "missing", "stopped")
