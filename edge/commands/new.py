"""`stackproof edge new`: a site file of a sector to start from. I/O: prints, writes one file."""

import argparse
import sys
from pathlib import Path

from edge.errors import EdgeError

TEMPLATES = Path(__file__).parent.parent / "site/templates"
SECTORS = tuple(sorted(path.stem for path in TEMPLATES.glob("*.toml")))


def add_new_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to `stackproof edge`."""
    new = commands.add_parser(
        "new",
        help="a site file of a sector, with comments, to be filled in",
        epilog='What is "?" in it is the plant\'s own: stackproof edge check names what is left. '
        "A file that is there is not overwritten.",
    )
    new.add_argument("sector", choices=SECTORS)
    new.add_argument("--out", type=Path, metavar="SITE.toml", help="instead of printing it")
    new.set_defaults(run=_new)


def _new(args: argparse.Namespace) -> int:
    text = (TEMPLATES / f"{args.sector}.toml").read_text(encoding="utf-8")
    if args.out is None:
        print(text, end="")
        return 0
    try:
        with args.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise EdgeError(f"{args.out}: cannot be written: {error.strerror}") from error
    print(f"{args.out}: next: stackproof edge check {args.out}", file=sys.stderr)
    return 0
