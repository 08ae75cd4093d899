"""`stackproof keys site`: the plant's root orders a gateway another site file. Prints."""

import argparse
from pathlib import Path
from typing import Any

from evidence.cli_root import add_order_options, open_root
from evidence.errors import KeyFileError, LimitError, MalformedError
from evidence.key_files import id_of, must_not_exist, read_small, write_new
from evidence.keys import identity
from evidence.site_order import NUMBER_MAX, SITE_BYTES_MAX, SiteOrder, encode_site_order


def add_site_command(commands: Any) -> None:
    """Add `site` to the commands of `stackproof keys`."""
    site = commands.add_parser(
        "site",
        help="order that a gateway runs on another site file",
        description="Writes the site file and its number, signed by the root. Check the file first "
        "(stackproof edge check, where its keys are, or --traffic). A gateway obeys whose site "
        "file says [remote] orders = true; what it says of itself, its keys and its way to the "
        "collector no order changes.",
    )
    site.add_argument("--gateway", required=True, type=id_of, metavar="ID", help="gateway id")
    site.add_argument("--site", type=Path, required=True, metavar="FILE", help="the new site file")
    site.add_argument(
        "--number", required=True, type=_number, metavar="N",
        help="higher than of every order to this gateway before (stackproof edge status shows it)",
    )  # fmt: skip
    add_order_options(site)
    site.set_defaults(run=_site)


def _site(args: argparse.Namespace) -> int:
    must_not_exist(args.out)
    signer, root = open_root(args)
    plant = identity(root)[1]
    data = read_small(args.site, SITE_BYTES_MAX)
    try:
        order = SiteOrder(plant, args.gateway, args.number, data, args.reason)
        write_new(args.out, encode_site_order(order, signer))
    except (MalformedError, LimitError) as error:
        raise KeyFileError(f"{error}") from error
    print(f"{args.out}: {plant}/{args.gateway} is to run on {args.site}, order {args.number}")
    print("next: into the collector's key folder, its name ending in .order, then")
    print("stackproof cloud keys CLOUD.toml")
    return 0


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > NUMBER_MAX:
        raise KeyFileError(f"--number {text!r} must be 1 to {NUMBER_MAX}")
    return int(text)
