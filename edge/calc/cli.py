"""`stackproof calc`: the calculation library by hand.

This file, `cli_cems`, `cli_effects` and `factors` do the room's I/O. Exit 0 fine, 1 a page is not
true, effects or a CEMS do not agree, 2 cannot run: bad input names each key on standard error.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from edge.calc import cli_cems, cli_effects
from edge.calc.decimal_text import parse_decimal
from edge.calc.errors import CalcError, InputError, StatementError
from edge.calc.factors import gwp_sets
from edge.calc.methods.allowance import elapsed_days, project, whole_days
from edge.calc.pages import COMMAND, all_pages
from edge.calc.registry import Method, evaluate, methods
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.other_rules import by_other_rules
from edge.calc.statements.pfc_difference import pfc_difference
from edge.calc.statements.statement import compute, output_key
from edge.calc.statements.what_if import what_if
from edge.calc.statements.year import year_to_date

_FILE_BYTES_MAX = 16 * 1024 * 1024
_TOLD = ("_bridge", "recorded")  # parameters that say where they come from in the text as well


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except InputError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
    except BrokenPipeError:
        raise  # nobody reads any more: `stackproof.main` ends quietly
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    except CalcError as error:
        print(error, file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stackproof calc", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    each = {
        "methods": (_methods, "list the methods"),
        "show": (_show, "print a method's documentation"),
        "eval": (_eval, "run a method on key=value arguments"),
        "statement": (_statement, "compute a month's statement from a TOML or JSON file"),
        "year": (_year, "put months of one plant and year together, to the cent"),
        "what-if": (_what_if, "what a statement would be with other inputs"),
    }
    made = {}
    for name, (function, text) in each.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.set_defaults(run=function)
        made[name] = command
    made["show"].add_argument("method")
    made["eval"].add_argument("method")
    made["eval"].add_argument("inputs", nargs="*", metavar="key=value")
    made["statement"].add_argument("file", type=Path, help="its keys: docs/statements.md")
    made["statement"].add_argument(
        "--as", dest="rules", metavar="RULE_SET", help="the same month by another framework's rules"
    )
    made["statement"].add_argument(
        "--set", dest="added", action="append", default=[], metavar="path=value",
        help="with --as: what the month does not say, like clinker.cao_percent=65.1",
    )  # fmt: skip
    made["statement"].add_argument("--gwp", choices=gwp_sets(), default="", help="with --as")
    made["year"].add_argument("files", type=Path, nargs="+", help="one a month, as of statement")
    made["what-if"].add_argument("file", type=Path, help="as of statement")
    made["what-if"].add_argument(
        "inputs", nargs="+", metavar="path=value", help="like fuel[0].ncv=25.5"
    )
    for name in ("statement", "year"):
        given = made[name].add_mutually_exclusive_group()
        given.add_argument("--allowance", metavar="T", help="project the end against so many t")
        made[name].add_argument(
            "--accuracy", type=Path, metavar="FILE",
            help="how sure meters and factors are: docs/uncertainty.md",
        )  # fmt: skip
        given.add_argument("--benchmark", metavar="T", help="… against so many t a t of product")
    cli_effects.add_to(commands, _read)
    cli_cems.add_to(commands, _input)
    pages = commands.add_parser("pages", help="write one page a method, as in docs/methods")
    pages.add_argument("folder", type=Path, help="where to; other .md files there are deleted")
    pages.add_argument("--check", action="store_true", help="write nothing; 1 if any is not true")
    pages.set_defaults(run=_pages)
    return parser


def _methods(options: argparse.Namespace) -> int:
    found = methods()
    if options.json:
        _print_json({name: _described(entry) for name, entry in found.items()})
    else:
        for name, entry in found.items():
            print(f"{name:20} v{entry.version}  {entry.text.splitlines()[0]}")
    return 0


def _show(options: argparse.Namespace) -> int:
    found = methods().get(options.method)
    if found is None:
        raise InputError([f"{options.method}: unknown method; known: {' '.join(methods())}"])
    if options.json:
        _print_json({**_described(found), "text": found.text})
        return 0
    print(f"{found.id} version {found.version}\n\n{found.text}\n\nSource: {found.source}\n\nInputs")
    for name, spec in found.inputs.items():
        span = f" {spec.low or '…'} to {spec.high or '…'}" if spec.low or spec.high else ""
        print(f"  {name} [{spec.unit or 'name'}]{span}{' (optional)' if spec.optional else ''}")
    print("Outputs")
    for name, unit in found.outputs.items():
        print(f"  {name} [{unit or 'table'}]")
    print(f"Run\n  {found.command}")
    return 0


def _eval(options: argparse.Namespace) -> int:
    result = evaluate(options.method, _pairs(options.inputs))
    if options.json:
        _print_json(result)
    else:
        for key, value in result.items():
            if isinstance(value, Mapping):
                _print_parameters(value)
            else:
                print(f"{key} = {value}")
    return 0


def _pairs(arguments: Sequence[str]) -> dict[str, str]:
    """Arguments of the form key=value."""
    values: dict[str, str] = {}
    problems = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            problems.append(f"{argument}: not of the form key=value")
        elif key in values:
            problems.append(f"{key}: given twice")
        values[key] = value
    if problems:
        raise InputError(problems)
    return values


def _statement(options: argparse.Namespace) -> int:
    source = _input(options.file)
    if options.rules:
        source = by_other_rules(source, options.rules, options.gwp, _pairs(options.added))
    elif options.gwp or options.added:
        which = "--gwp" if options.gwp else "--set"
        raise InputError([f"{which}: only with --as; a statement's input names its own"])
    source = _sure(options, source)
    result = compute(source)
    difference = pfc_difference(result)
    result |= {"pfc_difference": difference} if difference else {}
    result |= _projected(options, [source], result)
    if options.json:
        _print_json(result)
        return 0
    print(f"{result['month']}  {result['rule_set']}")
    for line in result["lines"]:
        print(f"  {line['category']:10} {line['kind']:28} {line['emission_t']:>16} t")
        _print_parameters(line["parameters"], indent=4)
        _print_uncertainty(line["uncertainty"])
    for key, value in result["totals"].items():
        print(f"  {key:40} {value:>16}")
        _print_uncertainty(result.get("uncertainty", {}).get("totals", {}).get(key, {}))
    flags = (flag.partition(":") for flag in result["flags"])
    if left_out := [what for code, _, what in flags if code == "left-out"]:
        print(f"  NOT ALL IS COUNTED: total and intensity are without {', '.join(left_out)}")
    if "intensity" in result:
        print(f"  {'intensity, t per t':40} {result['intensity']:>16}")
    if "pfc" in result:
        _print_pfc(result["pfc"], difference)
    for check in result.get("cross_checks", ()):
        print(f"  check {check['result']}: {check['sentence']}")
    return _print_end(result)


def _year(options: argparse.Namespace) -> int:
    sources = [_sure(options, _input(path)) for path in options.files]
    result = year_to_date(sources)
    result |= _projected(options, sources, result, is_year=True)
    if options.json:
        _print_json(result)
        return 0
    for month in result["months"]:
        print(f"{month['month']}  {month['rule_set']:40} {month['total_t']:>16}")
    for line in result["lines"]:
        print(f"  {line['category']:10} {line['kind']:28} {line['emission_t']:>16} t")
        for name, mean in line["factors"].items():
            print(f"    {name} = {mean['value']} {mean['unit']} ({mean['basis']})")
        _print_uncertainty(line.get("uncertainty", {}))
    for key, value in result["totals"].items():
        print(f"  {key:40} {value:>16}")
        _print_uncertainty(result.get("uncertainty", {}).get("totals", {}).get(key, {}))
    if "intensity" in result:
        print(f"  {'intensity, t per t':40} {result['intensity']:>16}")
    return _print_end(result)


def _what_if(options: argparse.Namespace) -> int:
    result = what_if(_input(options.file), _pairs(options.inputs))
    if options.json:
        _print_json(result)
        return 0
    for change in result["changes"]:
        print(f"{change['path']}: {change['from'] or 'not given'} -> {change['to']}")
    for line in result["lines"]:
        print(f"  {line['category']:10} {line['kind']:28} {line['difference']:>16} t")
    print(result["sentence"])
    return 0


def _sure(options: argparse.Namespace, source: Mapping[str, Any]) -> Mapping[str, Any]:
    """The input with what a file says of its meters and factors, when one is given."""
    return source if options.accuracy is None else with_accuracy(source, _read(options.accuracy))


def _projected(
    options: argparse.Namespace,
    sources: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
    *,
    is_year: bool = False,
) -> dict[str, Any]:
    """The projection against an allowance, when one is asked for."""
    asked = {}
    for name, value in (("allowance_t", options.allowance), ("benchmark_t_t", options.benchmark)):
        if value is not None:
            try:
                asked[name] = parse_decimal(value)
            except ValueError as error:
                raise InputError([f"--{name.partition('_')[0]}: {error}"]) from error
    if not asked:
        return {}
    key, whole = (
        output_key(sources[0]["rule_set"]),
        whole_days(sources[0]["month"], is_year=is_year),
    )
    outputs = [parse_decimal(s.get("output", {}).get(key, 0)) for s in sources]
    found = project(
        Fraction(result["totals"]["total_t"]),
        (sum(map(elapsed_days, sources), Fraction(0)), whole),
        output_t=sum(outputs, Fraction(0)) if all(outputs) else Fraction(0),
        **asked,
    )
    return {"projection": found.as_map()}


def _print_end(result: Mapping[str, Any]) -> int:
    for flag in result["flags"]:
        print(f"  flag {flag}")
    if "projection" in result:
        print(f"  {result['projection']['sentence']}")
    return 0


def _pages(options: argparse.Namespace) -> int:
    """As `profile pages` does it; the two rooms may not import each other."""
    folder, pages = options.folder, all_pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    stale = sorted(name for name in {*there, *pages} if there.get(name) != pages.get(name))
    if options.check:
        for name in stale:
            again = f"is not what its method or rule set says; run {COMMAND} {folder}"
            print(f"{folder / name}: {again}", file=sys.stderr)
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in pages:
            (folder / name).write_text(pages[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return 0


def _print_pfc(pfc: Mapping[str, Any], difference: Mapping[str, str] | None) -> None:
    print(f"  PFC figure of record: {pfc['record']['co2e_t']} tCO2e")
    if "indicator" in pfc:
        print(f"  PFC indicator from anode effects, not added: {pfc['indicator']['co2e_t']} tCO2e")
    if difference is not None:
        print(f"  {difference['sentence']}")
    for entry in pfc["not_covered"]:
        print(f"  PFC not covered: {entry['what']}")


def _print_uncertainty(found: Mapping[str, Any]) -> None:
    """Nothing where none was given."""
    if "expanded_t" in found:
        share = f", ±{found['expanded_percent']} %" if "expanded_percent" in found else ""
        of = f" of {found['of_t']} t" if "of_t" in found else ""
        print(f"    uncertainty ±{found['expanded_t']} t{share}{of} (k = {found['k']})")
    if "activity" in found:
        tier = found["activity"].get("mrr_tier")
        met = f", tier {tier} of (EU) 2018/2066" if tier is not None else ""
        print(f"    of what was counted ±{found['activity']['expanded_percent']} %{met}")
    if found.get("not_assessed"):
        print(f"    uncertainty not assessed: {' '.join(found['not_assessed'])}")
    if "not_assessed_percent" in found:
        names = ("assessed", "partly_assessed", "not_assessed")
        full, part, none = (found[f"{name}_percent"] for name in names)
        print(f"    of its emission assessed {full} %, in part {part} %, not {none} %")


def _print_parameters(parameters: Mapping[str, Mapping[str, Any]], indent: int = 2) -> None:
    for name, entry in parameters.items():
        basis = f"{entry['basis']}, {entry['confidence']}"
        told = f"; {entry['source']}" if name.endswith(_TOLD) else ""
        print(f"{'':{indent}}{name} = {entry['value']} {entry['unit']} ({basis}{told})")


def _input(path: Path) -> Mapping[str, Any]:
    """A statement's input, also out of the statement.json of a sealed month."""
    fields = _read(path)
    return fields["input"] if {"input", "output"} <= fields.keys() else fields


def _read(path: Path) -> Mapping[str, Any]:
    """The input file; numbers keep the decimals they are written with."""
    content = path.read_bytes()
    if len(content) > _FILE_BYTES_MAX:
        raise StatementError([f"{path}: larger than {_FILE_BYTES_MAX} bytes"])
    try:
        text = content.decode("utf-8-sig")  # Windows' editors write the mark
        if path.suffix.lower() == ".json":
            fields = json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
        else:
            fields = tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError:
        raise StatementError([f"{path}: is not UTF-8; save it as UTF-8"]) from None
    except (ValueError, RecursionError) as error:
        raise StatementError([f"{path}: {error}"]) from error
    if not isinstance(fields, Mapping):
        raise StatementError([f"{path}: must be a table at the top"])
    return fields


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a key that stands there twice has no one value."""
    counted = Counter(key for key, _ in pairs)
    if twice := [key for key, times in counted.items() if times > 1]:
        raise ValueError(f"{' '.join(twice)}: stands twice in one object")
    return dict(pairs)


def _described(entry: Method) -> dict[str, Any]:
    return {
        "version": entry.version,
        "source": entry.source,
        "inputs": {
            name: {
                "unit": spec.unit, "low": spec.low, "high": spec.high, "optional": spec.optional
            }
            for name, spec in entry.inputs.items()
        },
        "outputs": dict(entry.outputs),
    }  # fmt: skip


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
