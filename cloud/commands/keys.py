"""`stackproof cloud keys|stream|missing|quarantine`: asked of the running collector. Prints.

Exit status 1 where something needs people: a file that does not count, objects that are missing,
objects that were put aside.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.clock import instant
from cloud.commands.ids import plant_id
from cloud.errors import CloudError

Row = Mapping[str, Any]


def add_key_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `keys`, `stream`, `missing` and `quarantine` to the commands of `stackproof cloud`."""
    keys = commands.add_parser(
        "keys",
        help="take in new certificates and orders from the plants' key folders",
        epilog="Exit status: 0 fine, 1 a file there does not count, 2 cannot run.",
    )
    missing = commands.add_parser(
        "missing",
        help="which objects have not arrived",
        epilog="Exit status: 0 none, 1 some are missing, 2 cannot run.",
    )
    quarantine = commands.add_parser(
        "quarantine",
        help="which objects were put aside, and why",
        epilog="The files lie in the plant's folder, under quarantine/. Exit status: 0 none, 1 "
        "some were put aside, 2 cannot run.",
    )
    for command, act in ((keys, _keys), (missing, _missing), (quarantine, _quarantine)):
        command.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
        command.add_argument("--plant", type=plant_id, help="only this plant")
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.set_defaults(run=act)
    stream = commands.add_parser(
        "stream",
        help="where a gateway's stream stands, as JSON: for `stackproof keys replace` and `revoke`",
    )
    stream.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    for option in ("--plant", "--gateway"):
        stream.add_argument(option, required=True, type=plant_id, help="its id")
    stream.set_defaults(run=_stream)


def _stream(args: argparse.Namespace) -> int:
    path = f"plants/{args.plant}/streams/{args.gateway}"
    print(json.dumps(RunningCollector(args.config).get(path), indent=1))
    return 0


def _keys(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    rows = [
        {"plant": plant, **collector.order(f"plants/{plant}/keys/reload", {})}
        for plant in _plants(collector, args.plant)
    ]

    def lines(row: Row) -> Iterable[str]:
        yield from (f"{row['plant']}: {sentence}" for sentence in row["taken"])
        yield from (f"{row['plant']}: NOT taken: {sentence}" for sentence in row["problems"])

    _print(args, "plants", rows, lines, "nothing new")
    is_amiss = _tell_amiss(collector, args.plant)
    return int(is_amiss or any(row["problems"] for row in rows))


def _missing(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    streams = _streams(collector, args.plant)
    rows = [
        {"plant": row["plant"], "gateway": row["gateway"], **row["missing"]}
        for row in streams
        if row["missing"]
    ]

    def lines(row: Row) -> Iterable[str]:
        first, last = row["first"], row["last"]
        what = f"{row['plant']}/{row['gateway']}: seq {first} to {last}"
        if row.get("is_receipted"):
            yield (
                f"{what}: the gateway holds receipts for them and sends them no more: this log was "
                "set back. Restore the newest backup (stackproof cloud restore), or the disk they "
                "are on"
            )
        elif row.get("because"):
            yield (
                f"{what}: seq {first} came and was not accepted ({row['because']}); exporting does "
                "not help: see the quarantine, then go on by a replace order (stackproof keys "
                "replace)"
            )
        else:
            yield (
                f"{what}, since {instant(row['since_ns'])}: "
                f"stackproof edge export SITE.toml --from {first} --to {last}"
            )

    _print(args, "missing", rows, lines, "nothing is missing")
    for row in streams:
        if row.get("confirmed_size") == 0:
            print(
                f"{row['plant']}/{row['gateway']}: not confirmed at the plant: its newest object "
                "names no receipt. To a one-way site carry one (stackproof cloud receipts export)",
                file=sys.stderr,
            )
    return int(bool(rows) or _tell_amiss(collector, args.plant))


def _quarantine(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    rows = [
        {"plant": plant, **kept}
        for plant in _plants(collector, args.plant)
        for kept in collector.get(f"plants/{plant}/quarantine")["kept"]
    ]

    def lines(row: Row) -> Iterable[str]:
        yield (
            f"{row['plant']}/{row['gateway']}: {row['reason']}, seq {row['seq']}, "
            f"{row['bytes']} bytes, received {instant(row['received_ns'])}, SHA-256 {row['sha256']}"
        )

    _print(args, "kept", rows, lines, "nothing was put aside")
    return int(bool(rows) or _tell_amiss(collector, args.plant))


def _tell_amiss(collector: RunningCollector, plant: str | None) -> bool:
    """Say on stderr which plants do not go on, and why; True when there are any."""
    amiss = collector.get("health")["amiss"]
    told = [
        (name, why)
        for name in sorted(amiss)
        if plant in (None, name)
        for why in amiss[name].values()
    ]
    for name, why in told:
        print(f"stackproof cloud: plant {name}: {why}", file=sys.stderr)
    return bool(told)


def _streams(collector: RunningCollector, plant: str | None) -> Sequence[Row]:
    """Every gateway's stream, or those of the plant that was named."""
    rows = [row for row in collector.get("streams") if plant in (None, row["plant"])]
    if plant is not None and not rows:
        raise CloudError(f"plant {plant}: the collector has no gateway of it")
    return rows


def _plants(collector: RunningCollector, plant: str | None) -> Sequence[str]:
    """The one that was named, or every plant that is served, with gateways or without."""
    return [plant] if plant is not None else list(collector.get("health")["served"])


def _print(
    args: argparse.Namespace,
    name: str,
    rows: Sequence[Row],
    lines: Callable[[Row], Iterable[str]],
    nothing: str,
) -> None:
    if args.json:
        print(json.dumps({name: rows}, ensure_ascii=False, indent=1))
        return
    for line in [line for row in rows for line in lines(row)] or [nothing]:
        print(line)
