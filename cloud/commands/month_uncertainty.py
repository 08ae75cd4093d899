"""`stackproof cloud month uncertainty`: how sure a sealed month's figures are. Prints.

From the archive's own statement and a file that says how sure its meters and factors are; it asks
no collector and changes nothing. The figures shown are those that were sealed.
"""

import argparse
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cloud.accumulated.accuracy_file import read_accuracy_file
from cloud.closing.kept import read_kept
from cloud.errors import CloudError
from edge.calc.errors import InputError
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.statement import compute


def add_uncertainty_command(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `uncertainty` to the commands of `stackproof cloud month`."""
    command = month.add_parser(
        "uncertainty", help="how sure a sealed month's figures are, by line and total"
    )
    command.add_argument("archive", type=Path, metavar="ARCHIVE.tar", help="a sealed month")
    command.add_argument(
        "--accuracy", type=Path, required=True, metavar="FILE.toml",
        help="how sure its meters and factors are: docs/uncertainty.md",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    command.set_defaults(run=_uncertainty)


def _uncertainty(args: argparse.Namespace) -> int:
    kept = read_kept(args.archive)
    if kept is None:
        raise CloudError(f"{args.archive} is no archive that can be read")
    try:
        made = compute(with_accuracy(kept.statement["input"], read_accuracy_file(args.accuracy)))
    except InputError as error:
        raise CloudError(f"{args.accuracy}: {'; '.join(error.problems)}") from error
    sealed = kept.statement["output"]
    if made["totals"] != sealed["totals"]:
        raise CloudError(f"{args.archive}: its figures are made by another version of the rules")
    if args.json:
        print(json.dumps(_told(made), ensure_ascii=False, indent=1))
        return 0
    for line in made["lines"]:
        print(f"{line['category']} {line['kind']}: {line['emission_t']} t")
        _print_sure(line["uncertainty"])
    for key, total in made["totals"].items():
        print(f"{key}: {total} t")
        _print_sure(made.get("uncertainty", {}).get("totals", {}).get(key, {}))
    return 0


def _told(made: Mapping[str, Any]) -> dict[str, Any]:
    names = ("category", "kind", "unit", "emission_t", "uncertainty")
    lines = [{name: line[name] for name in names if name in line} for line in made["lines"]]
    return {
        "plant": made["plant"], "month": made["month"], "closing": made["closing"],
        "lines": lines, "totals": made["totals"], "uncertainty": made.get("uncertainty", {}),
    }  # fmt: skip


def _print_sure(found: Mapping[str, Any]) -> None:
    """What is random and what is common, apart; what nobody assessed is named."""
    if "expanded_t" in found:
        of = f" of {found['of_t']} t" if "of_t" in found else ""
        percent = f", {found['expanded_percent']} %" if "expanded_percent" in found else ""
        print(f"  ±{found['expanded_t']} t{percent}{of} (k = {found['k']})")
        print(f"  random: {found['random_t']} t")
        for source, amount in found["common_t"].items():
            print(f"  common by {source}: {Decimal(amount)} t")
    if "activity" in found and "mrr_tier" in found["activity"]:
        activity = found["activity"]
        met = f"tier {activity['mrr_tier']} of (EU) 2018/2066, for a month"
        print(f"  what was counted: ±{activity['expanded_percent']} %, {met}")
    if found.get("not_assessed"):
        print(f"  not assessed: {' '.join(found['not_assessed'])}")
    if "not_assessed_percent" in found:
        print(f"  not assessed: {found['not_assessed_percent']} % of its emission, "
              f"in part {found['partly_assessed_percent']} %")  # fmt: skip
