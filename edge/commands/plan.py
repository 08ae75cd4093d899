"""`stackproof plan new|check`: a control plan to fill in, and held against a site file. Prints."""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import EdgeError, SiteConfigError
from edge.plan_template import rules_of, template
from edge.signed import signed_configuration
from edge.site.config import load_site
from evidence import cose
from evidence.documents.document import unverified_document
from evidence.errors import EvidenceError, MalformedError
from evidence.key_files import now, read_small, write_new
from evidence.plan.certificates import Certificate, certificate_of
from evidence.plan.departures import Departure, departures
from evidence.plan.due import falls_due
from evidence.plan.plan import PLAN_BYTES_MAX, SECTORS, Plan, plan_of
from evidence.plan.sentences import said
from evidence.plan.table import PlanError
from evidence.time_zones import time_zone
from firmware_configs.toml import NotTomlError, parse_toml

STATEMENT_BYTES_MAX = 32 * 1024 * 1024
EXIT_FINE, EXIT_DEPARTED, EXIT_CANNOT = 0, 1, 2


def main(argv: list[str]) -> int:
    """Run one subcommand of `stackproof plan`; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except PlanError as error:
        lines = [f"{args.plan}: {problem}" for problem in error.problems]
    except SiteConfigError as error:
        lines = [str(problem) for problem in error.problems]
    except (EdgeError, EvidenceError) as error:
        lines = [f"stackproof plan: {error}"]
    print("\n".join(lines), file=sys.stderr)
    return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof plan", description="The control plan (数据质量控制计划) of a year."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="a plan with the site's meters, to be filled in")
    new.add_argument("sector", choices=SECTORS)
    new.add_argument("--site", required=True, type=Path, metavar="SITE.toml")
    new.add_argument("--year", type=int, default=now().year, help="default: this year")
    new.add_argument("--out", type=Path, metavar="PLAN.toml", help="instead of printing it")
    new.set_defaults(run=_new)
    check = commands.add_parser(
        "check",
        help="read a plan strictly, and say where the site departs from it",
        epilog="Signatures of certificates are not looked at here; the collector does. "
        "Exit status: 0 as planned, 1 departures, 2 cannot be read.",
    )
    check.add_argument("plan", type=Path, metavar="PLAN.toml")
    check.add_argument("--site", required=True, type=Path, metavar="SITE.toml")
    check.add_argument(
        "--certificates", type=Path, nargs="*", default=[], metavar="FILE.cose",
        help="signed documents of kind meter-certificate",
    )  # fmt: skip
    check.add_argument(
        "--month", type=_month, metavar="YYYY-MM", help="default: January of its year"
    )
    check.add_argument("--statement", type=Path, metavar="statement.json", help="of that month")
    check.add_argument("--language", choices=("en", "zh"), default="en")
    check.set_defaults(run=_check)
    return parser


def _month(text: str) -> str:
    try:
        return dt.date.fromisoformat(f"{text}-01").isoformat()[:7]
    except ValueError:
        raise argparse.ArgumentTypeError("a month is like 2026-06") from None


def _new(args: argparse.Namespace) -> int:
    site = load_site(args.site)
    if site.plant.sector != args.sector:
        raise EdgeError(f"{args.site}: is of sector {site.plant.sector}, not {args.sector}")
    text = template(site, args.year)
    if args.out is None:
        print(text, end="")
    else:
        write_new(args.out, text.encode())
        check = f"stackproof plan check {args.out} --site {args.site}"
        print(f"{args.out}: next: {check}", file=sys.stderr)
    return EXIT_FINE


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        PlanError: names what is wrong with it.
        MalformedError: no TOML.
        EdgeError: it cannot be read.
    """
    try:
        return plan_of(parse_toml(read_small(path, PLAN_BYTES_MAX)))
    except NotTomlError as error:
        raise MalformedError(f"{path}: {error}") from error


def _check(args: argparse.Namespace) -> int:
    plan, site = read_plan(args.plan), load_site(args.site)
    config = signed_configuration(site, collector_key_sha256=bytes(32), software="plan check")
    certificates = [_certificate(path) for path in args.certificates]
    statement = None if args.statement is None else _statement(args.statement)
    month = args.month or f"{plan.year:04d}-01"
    found = departures(
        plan, [config], certificates, month, statement=statement,
        rules=rules_of(site.plant.rule_set),
    )  # fmt: skip
    _tell(args.plan, found, args.language)
    today = now().astimezone(time_zone(site.plant.time_zone)).date()
    for one in falls_due(plan, certificates, today, has_next=True):
        print(f"due {one.day}: {one.what} {one.about} {one.responsible}".rstrip())
    what = f"{len(plan.parameters)} parameters, {len(plan.meters)} meters"
    print(
        f"{args.plan}: plan of {plan.plant} {plan.year}, revision {plan.revision}: {what}; ", end=""
    )
    print(f"{len(found)} departures in {month}")
    return EXIT_DEPARTED if found else EXIT_FINE


def _statement(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(read_small(path, STATEMENT_BYTES_MAX))
    except ValueError as error:
        raise EdgeError(f"{path}: is no JSON: {error}") from error
    if not isinstance(found, dict) or not {"input", "output"} <= found.keys():
        raise EdgeError(f"{path}: is no statement.json of an archive")
    return found


def _tell(path: Path, found: Sequence[Departure], language: str) -> None:
    for departure in found:
        so, mends = said(departure, language)
        print(f"{path}: {departure.code}: {departure.about}: {so}; {mends}")


def _certificate(path: Path) -> Certificate:
    document = unverified_document(read_small(path, cose.OBJECT_BYTES_MAX))
    found = certificate_of(document)
    if found is None:
        raise MalformedError(f"{path}: is a {document.kind}, no meter-certificate")
    return found
