"""`stackproof cloud accounts …`: first administrators, the list, the security log. Prints.

Asked of the running collector, on its own machine.
"""

import argparse
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud.accounts.digest import Anchor, compared
from cloud.accounts.roles import ADMINISTRATORS, EVERY_PLANT
from cloud.accounts.security_log import LogRow, broken_at, syslog_line
from cloud.asking import RunningCollector
from cloud.clock import SystemClock, instant
from cloud.commands.ids import plant_id
from evidence.documents.actions import ACTIONS
from evidence.documents.plainly import body_of

PAGE_ROWS = 1_000


def add_account_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `accounts` to the commands of `stackproof cloud`."""
    accounts = commands.add_parser("accounts", help="administrators, the list, the security log")
    parts = accounts.add_subparsers(required=True, metavar="COMMAND")
    invite = parts.add_parser("invite", help="a one-time link for an administrator")
    invite.add_argument("--name", required=True, help="the person's name")
    invite.add_argument("--organisation", required=True, help="whom the person works for")
    invite.add_argument("--role", required=True, choices=ADMINISTRATORS)
    link = parts.add_parser(
        "link", help="another one-time link: an administrator's password or phone is lost"
    )
    for command in (invite, link):
        command.add_argument("--id", required=True, type=plant_id, help="account id")
        command.add_argument("--lang", default="en", choices=("en", "zh"), help="of the page")
        command.add_argument("--base", help='address of the pages, "https://collector.example"')
    listing = parts.add_parser("list", help="every account there is or was")
    log = parts.add_parser(
        "log",
        help="the security log",
        epilog="Exit status: 0 fine, 1 a row does not follow the one before it, or is not the one "
        "that an evidence log names, 2 cannot run or nothing to compare with.",
    )
    form = log.add_mutually_exclusive_group()
    form.add_argument("--syslog", action="store_true", help="lines of RFC 5424")
    form.add_argument(
        "--check", action="store_true",
        help="print no rows: compare all of them with what the plants' evidence logs say of them",
    )  # fmt: skip
    log.add_argument("--after", type=int, default=0, metavar="NUMBER", help="only rows behind it")
    for command, act in ((invite, _invite), (link, _renew), (listing, _list), (log, _log)):
        command.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
        command.add_argument("--json", action="store_true", help="JSON on stdout")
        command.set_defaults(run=act)


def _invite(args: argparse.Namespace) -> int:
    order = {
        "account": args.id, "name": args.name, "organisation": args.organisation, "role": args.role,
    }  # fmt: skip
    collector = RunningCollector(args.config)
    return _print_link(args, collector, collector.order("administrators", order))


def _renew(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    return _print_link(args, collector, collector.order(f"administrators/{args.id}/link", {}))


def _print_link(args: argparse.Namespace, collector: RunningCollector, answer: Any) -> int:  # noqa: ANN401 - JSON
    link = f"{(args.base or collector.base).rstrip('/')}/{args.lang}{answer['link']}"
    if args.json:
        print(json.dumps({"account": args.id, "link": link}))
        return 0
    print(link)
    print(f"for {args.id} alone; works once, within two days", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace) -> int:
    rows = RunningCollector(args.config).get("accounts")
    if args.json:
        print(json.dumps({"accounts": rows}, ensure_ascii=False, indent=1))
        return 0
    for row in rows:
        of_all = EVERY_PLANT if row["role"] == "reviewer" else ""
        where = row["region"] or ",".join(row["plants"]) or of_all
        print(f"{row['account']}: {row['role']} {where}".rstrip() + f", {row['state']}")
    print(f"{len(rows)} account(s)")
    return 0


def _rows(collector: RunningCollector, after: int) -> Iterator[LogRow]:
    while True:
        rows = collector.get(f"security-log?after={after}&count={PAGE_ROWS}")["rows"]
        yield from (LogRow(**row) for row in rows)
        if not rows:
            return
        after = int(rows[-1]["seq"])


def _anchors(collector: RunningCollector, plants: list[str]) -> Iterator[Anchor]:
    for plant in plants:
        first = 0
        while rows := collector.get(f"plants/{plant}/documents?kind={ACTIONS}&from={first}"):
            for row in rows:
                body = body_of(ACTIONS, row["body"])
                yield Anchor.of(plant, row["index"], row["received_ns"], body)
            first = int(rows[-1]["index"]) + 1


def _check(args: argparse.Namespace) -> int:
    collector = RunningCollector(args.config)
    health = collector.get("health")
    anchors = list(_anchors(collector, health["served"]))  # first: the security log only grows
    found = compared(_rows(collector, 0), anchors, SystemClock().wall_ns())
    left_out = sorted(set(health["amiss"]) - set(health["served"]))
    behind = max(0, found.newest - max((anchor.number for anchor in anchors), default=0))
    if args.json:
        print(json.dumps({
            "finding": found.finding, "entries": len(anchors), "compared": found.compared,
            "newest": found.newest, "behind": behind, "plants_left_out": left_out,
        }))  # fmt: skip
    elif found.finding:
        print(found.finding, file=sys.stderr)
    elif anchors:
        print(
            f"{found.compared} of {len(anchors)} entries of the plants' logs name rows that are "
            f"kept, and all of these agree; {behind} newer row(s) are in no plant's log yet"
        )
    else:
        print(f"no plant's log names any of the {found.newest} row(s) yet", file=sys.stderr)
    if left_out and not args.json:
        print(f"not served, and left out: {', '.join(left_out)}", file=sys.stderr)
    return 1 if found.finding else 0 if anchors else 2


def _log(args: argparse.Namespace) -> int:
    if args.check:
        return _check(args)
    host, before = socket.gethostname(), None
    for row in _rows(RunningCollector(args.config), args.after):
        if args.json:
            print(json.dumps(vars(row), ensure_ascii=False))
        elif args.syslog:
            print(syslog_line(row, host))
        else:
            by = f" by {row.by}" if row.by and row.by != row.account else ""
            place = f" from {row.address}" if row.address else ""
            told = f"{row.account or '-'}: {row.event}{by}{place} {row.detail}".rstrip()
            print(f"{row.seq} {instant(row.at_ns)} {told}")
        if before is not None and broken_at((before, row)):
            print(f"row {row.seq} does not follow row {before.seq}", file=sys.stderr)
            return 1
        before = row
    return 0
