"""`stackproof cloud year …`: a plant's year from the archives of its months. Prints.

Like the papers of a month they take archives and ask nobody.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from cloud.commands.outputs import (
    LAYOUT_BYTES_MAX,
    read_layout,
    target_of,
    tell_headlines,
    write_file,
)
from cloud.outputs.errors import OutputError
from edge.calc.decimal_text import parse_decimal
from edge.calc.errors import InputError
from evidence.findings import shown
from evidence.key_files import read_small
from evidence.keys import FileSigner
from firmware_configs.toml import NotTomlError, parse_toml

EXIT_FINE, EXIT_DIFFERS = 0, 1

# what reads archives and makes workbooks is imported on use: other commands start faster


def add_year_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `year` to the commands of `stackproof cloud`."""
    year = commands.add_parser("year", help="a plant's year from the archives of its months")
    year = year.add_subparsers(required=True, metavar="COMMAND")
    statement = year.add_parser(
        "statement",
        help="twelve months summed to the cent, factors as weighted means, difference rates",
        epilog="Exit status: 0 made, 1 a difference rate is above its threshold, 2 cannot run.",
    )
    statement.add_argument(
        "--reported", type=Path, metavar="FILE.toml",
        help="figures of the annual report and of its verification (docs/year.md)",
    )  # fmt: skip
    position = year.add_parser("position", help="allowance against emission, and what if")
    _add_position(position)
    footprint = year.add_parser(
        "footprint", help="which process unit emitted what, by which meters"
    )
    inventory = year.add_parser("inventory", help="the same months as an ISO 14064-1 inventory")
    inventory.add_argument("--gwp", default="ar5", help="GWP100 set: sar ar4 ar5 ar6 (ar5)")
    inventory.add_argument("--base-year", metavar="YYYY", help="with --base-year-t")
    inventory.add_argument("--base-year-t", metavar="T", help="its total, tCO2e")
    cbam = year.add_parser(
        "cbam", help="specific embedded emissions for the EU's border adjustment"
    )
    cbam.add_argument(
        "--set", dest="added", action="append", default=[], metavar="PATH=VALUE",
        help="what the months do not say, like clinker.cao_percent=65.1 (docs/statements.md)",
    )  # fmt: skip
    for command in (inventory, cbam):
        command.add_argument("--electricity-factor", metavar="F", help="tCO2/MWh")
        command.add_argument(
            "--electricity-source", metavar="TEXT", help="where the factor is from"
        )
    _add_packages(year)
    for command, act in (
        (statement, _statement), (position, _position), (footprint, _footprint),
        (inventory, _inventory), (cbam, _cbam),
    ):  # fmt: skip
        _add_archives(command)
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.add_argument(
            "-o", "--out", type=Path, metavar="OUT.xlsx", help="a workbook, or a folder for one"
        )
        command.set_defaults(run=_guarded(act))


def _add_archives(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "archive", type=Path, nargs="+", metavar="A.tar", help="sealed months of one plant's year"
    )


def _add_position(position: argparse.ArgumentParser) -> None:
    kind = position.add_mutually_exclusive_group()
    kind.add_argument("--allowance", metavar="T", help="of the year, tCO2e")
    kind.add_argument("--benchmark", metavar="T", help="or tCO2e a tonne of the main product")
    position.add_argument("--held", metavar="T", help="allowances on the account")
    position.add_argument("--verified-before", metavar="T", help="the year before, verified")
    position.add_argument("--price", metavar="P", help="of an allowance")
    position.add_argument("--currency", default="CNY", metavar="CODE", help="ISO 4217 (CNY)")
    position.add_argument(
        "--what-if", nargs="+", default=[], metavar="NAME=VALUE",
        help="output=+5%% intensity=-2%% price=80: a share of what it is, or the value itself",
    )  # fmt: skip


def _add_packages(year: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    package = year.add_parser("package", help="one file for the verifier, the same bytes each time")
    package.add_argument("--trust", type=Path, metavar="FILE", help="root certificates to put in")
    package.add_argument("--key", type=Path, metavar="KEY.pem", help="seal the package with it")
    package.add_argument("--with-archives", action="store_true", help="pack the archives too")
    package.add_argument("--reported", type=Path, metavar="FILE.toml", help="as of statement")
    export = year.add_parser("export", help="a folder to upload to the platform by hand")
    export.add_argument("--no-report", action="store_true", help="without reports: no verification")
    upload = year.add_parser("upload", help="what export lays out, in one ZIP, without reports")
    for command, act, text in (
        (package, _package, "a file, or a folder for one of the usual name"),
        (upload, _upload, "a file"),
        (export, _export, "a folder; months that are in it already are refused"),
    ):
        _add_archives(command)
        command.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help=text)
        command.add_argument("--layout", type=Path, metavar="FILE.toml", help="of the workbook")
        command.set_defaults(run=_guarded(act))


def _guarded(act: Any) -> Any:  # noqa: ANN401 - one command's function
    """What is asked wrongly is told as archives that cannot be used are."""

    def run(args: argparse.Namespace) -> int:
        try:
            return int(act(args))
        except InputError as error:
            raise OutputError("; ".join(error.problems)) from error

    return run


def _year(args: argparse.Namespace) -> Any:  # noqa: ANN401 - loaded on use
    from cloud.year.sealed_year import read_year

    reported = getattr(args, "reported", None)
    return read_year(args.archive, None if reported is None else _table(reported))


def _table(path: Path) -> Mapping[str, Any]:
    try:
        return parse_toml(read_small(path, LAYOUT_BYTES_MAX))
    except NotTomlError as error:
        raise OutputError(f"{path}: {error}") from error


def _statement(args: argparse.Namespace) -> int:
    from cloud.year.tables import statement_rows

    year = _year(args)
    _tell(args, year, "statement", year.as_map(), statement_rows(year))
    rows = year.statement.get("differences", ())
    states = {row["state"] for row in [*rows, *(r["verified"] for r in rows if "verified" in r)]}
    return EXIT_DIFFERS if "above" in states else EXIT_FINE


def _position(args: argparse.Namespace) -> int:
    from cloud.year.tables import bands, position_rows
    from edge.calc.statements.position import position, whole_year

    year = _year(args)
    asked = replace(
        whole_year(year.statement, [given for given, _ in year.pairs]),
        allowance_t=_number("--allowance", args.allowance),
        benchmark_t_t=_number("--benchmark", args.benchmark),
        held_t=_number("--held", args.held),
        verified_before_t=_number("--verified-before", args.verified_before),
        price=_number("--price", args.price),
        currency=args.currency,
    )
    told = position(asked, _pairs(args.what_if))
    _tell(args, year, "position", told, [*bands(year), *position_rows(told)])
    return EXIT_FINE


def _footprint(args: argparse.Namespace) -> int:
    from cloud.year.tables import footprint_rows
    from edge.calc.statements.footprint import footprint

    year = _year(args)
    told = footprint(year.outputs)
    _tell(args, year, "footprint", told, footprint_rows(year, told))
    return EXIT_FINE


def _inventory(args: argparse.Namespace) -> int:
    from cloud.year.tables import inventory_rows
    from edge.calc.statements.inventory import inventory

    year = _year(args)
    asked = {
        key: getattr(args, key)
        for key in ("electricity_factor", "electricity_source", "base_year", "base_year_t")
    }
    told = inventory(year.statement, year.outputs, args.gwp, asked)
    _tell(args, year, "inventory", told, inventory_rows(year, told))
    return EXIT_FINE


def _cbam(args: argparse.Namespace) -> int:
    from cloud.year.tables import embedded_rows
    from edge.calc.statements.embedded import embedded

    year = _year(args)
    asked = {key: getattr(args, key) for key in ("electricity_factor", "electricity_source")}
    told = embedded(year.pairs, asked, _pairs(args.added))
    _tell(args, year, "cbam", told, embedded_rows(year, told))
    return EXIT_FINE


def _package(args: argparse.Namespace) -> int:
    from cloud.year.package import TRUST_BYTES_MAX, write_package

    year = _year(args)
    target = target_of(args.out, f"{year.name}-package.tar")
    sha256 = write_package(
        year, target,
        layout=read_layout(args.layout),
        trust=b"" if args.trust is None else read_small(args.trust, TRUST_BYTES_MAX),
        signer=None if args.key is None else FileSigner.load(args.key),
        with_archives=args.with_archives,
    )  # fmt: skip
    print(f"{sha256}  {target}")
    return EXIT_FINE


def _upload(args: argparse.Namespace) -> int:
    from cloud.year.platform import UploadZip, deliver_year

    year, layout = _year(args), read_layout(args.layout)
    part = args.out.with_name(f".{args.out.name}.part")
    try:
        with ZipFile(part, "w") as file:
            for path in deliver_year(year, UploadZip(file), layout, with_report=False):
                print(path)
        part.replace(args.out)
    except OSError as error:
        raise OutputError(f"{args.out}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return EXIT_FINE


def _export(args: argparse.Namespace) -> int:
    from cloud.year.platform import UploadFolder, deliver_year

    year = _year(args)
    layout = read_layout(args.layout)
    for path in deliver_year(
        year, UploadFolder(args.out), layout, with_report=not args.no_report
    ):  # fmt: skip
        print(path)
    tell_headlines(year.months)
    return EXIT_FINE


def _tell(
    args: argparse.Namespace,
    year: Any,  # noqa: ANN401 - loaded on use
    name: str,
    told: Mapping[str, Any],
    rows: Sequence[Any],
) -> None:
    if args.out is not None:
        from cloud.outputs.xlsx_write import sheets_bytes

        write_file(args.out, f"{year.name}-{name}.xlsx", sheets_bytes([(name, rows)]))
    if args.json:
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
        print()
    elif args.out is None:
        for row in rows:
            print(shown(" | ".join(cell.text for cell in row)))


def _number(name: str, text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        return parse_decimal(text)
    except ValueError as error:
        raise OutputError(f"{name}: {error}") from error


def _pairs(arguments: Sequence[str]) -> dict[str, str]:
    pairs = dict[str, str]()
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key in pairs:
            raise OutputError(f"{argument!r} is not NAME=VALUE, or is given twice")
        pairs[key] = value
    return pairs
