"""Find and run a command of `stackproof cloud`; each is a module of `cloud.commands`. Prints."""

import argparse
import json
from importlib import import_module
from typing import NamedTuple

from cloud.errors import CloudConfigError, CloudError, RefusedError
from evidence.errors import EvidenceError
from evidence.log_lines import TEXT, complain

EXIT_FAILED, EXIT_CANNOT = 1, 2


class _Part(NamedTuple):
    """Commands that one module adds.

    Attributes:
        add: a function of `cloud.commands`, as module:function.
        names: of the commands.
    """

    add: str
    names: tuple[str, ...]


#: in the order of the help text; each is imported on use: who asks for the status on a small
#: machine waits for neither a database nor a web server
_PARTS = (
    _Part("run:add_run_commands", ("check", "run")),
    _Part("status:add_status_command", ("status",)),
    _Part("months:add_month_commands", ("month",)),
    _Part("year:add_year_commands", ("year",)),
    _Part("one_way:add_one_way_commands", ("import", "receipts")),
    _Part("keys:add_key_commands", ("keys", "missing", "quarantine", "stream")),
    _Part("broker:add_broker_commands", ("broker",)),
    _Part("persons:add_person_commands", ("person", "persons")),
    _Part("store:add_store_commands", ("fsck", "rebuild")),
    _Part("migrate:add_migrate_command", ("migrate",)),
    _Part("backup:add_backup_command", ("backup",)),
    _Part("accounts:add_account_commands", ("accounts",)),
    _Part("review:add_draw_command", ("draw",)),
    _Part("beside:add_beside_command", ("beside",)),
    _Part("across:add_across_command", ("across",)),
    _Part("front:add_front_command", ("front",)),
    _Part("support:add_support_command", ("support",)),
)


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser(argv[0] if argv else "").parse_args(argv)
    form = getattr(args, "log_format", TEXT)
    try:
        return int(args.run(args))
    except CloudConfigError as error:
        _print_problems(error, form, as_json=getattr(args, "json", False))
        return EXIT_CANNOT
    except (CloudError, EvidenceError) as error:
        complain(form, "cloud", [f"stackproof cloud: {error}"])
        return EXIT_FAILED if isinstance(error, RefusedError) else EXIT_CANNOT


def _parser(name: str = "") -> argparse.ArgumentParser:
    """Build the parser of one command, or of all commands if the name is unknown."""
    parser = argparse.ArgumentParser(
        prog="stackproof cloud", description="Collector, evidence, keys, months and the live page."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in [one for one in _PARTS if name in one.names] or _PARTS:
        module, _, add = part.add.partition(":")
        getattr(import_module(f"cloud.commands.{module}"), add)(commands)
    return parser


def _print_problems(error: CloudConfigError, form: str, *, as_json: bool) -> None:
    if as_json:
        problems = [problem._asdict() for problem in error.problems]
        print(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
        return
    count = len(error.problems)
    said = f"{count} problem{'s' if count > 1 else ''}; nothing was started"
    complain(form, "cloud", [*map(str, error.problems), said])
