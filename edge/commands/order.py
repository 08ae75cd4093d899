"""`stackproof edge order`: how site orders stand, and the file that one gave. Prints."""

import argparse
import json
import sys
from pathlib import Path

from edge.errors import SiteConfigError
from edge.identity import Problems, open_root
from edge.remote.folder import OrderFolder
from edge.remote.told import order_lines, orders_of
from edge.site.config import load_site
from evidence.keys import public_key
from firmware_configs.fields import Problem


def add_order_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `order` to `stackproof edge`."""
    order = commands.add_parser(
        "order",
        help="how site files by order stand, and the one in force",
        epilog="Exit status: 0 fine, 2 no order is in force (--file) or none are taken here.",
    )
    order.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    order.add_argument("--file", action="store_true", help="print the site file in force instead")
    order.add_argument("--json", action="store_true", help="one JSON object on stdout")
    order.set_defaults(run=_order)


def _order(args: argparse.Namespace) -> int:
    site, problems = load_site(args.site), Problems(args.site)
    root = open_root(site, problems, None)
    if site.remote is None or root is None:
        problems.add("remote.orders", "is not true: no site file is taken by order here")
        raise SiteConfigError(problems)
    if not args.file:
        orders = orders_of(site.gateway.orders)
        print(
            json.dumps(orders, ensure_ascii=False) if args.json else "\n".join(order_lines(orders))
        )
        return 0
    folder = OrderFolder(site.gateway.orders, site.plant.id, site.gateway.id, public_key(root))
    given = folder.state().in_force
    if given is None:
        reason = "no order is in force: the agent runs on this file"
        raise SiteConfigError([Problem(str(args.site), "", reason)])
    sys.stdout.write(folder.order(given).site.decode("utf-8", "replace"))
    return 0
