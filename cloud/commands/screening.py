"""`stackproof cloud month screen`: a month's screening as a collector keeps it for its pages."""

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

from cloud.commands.outputs import write_file
from cloud.outputs.errors import OutputError

#: whoever serves a plant comes first
NICE = 10


def add_screening_command(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add the command to `stackproof cloud month`."""
    screen = month.add_parser(
        "screen",
        help="what stands out of the last archive, held against the others, as JSON for the pages",
        description="What a collector makes for its pages, at low priority. To read it yourself: "
        "stackproof screen.",
    )
    screen.add_argument(
        "archive", type=Path, nargs="+", metavar="A.tar",
        help="sealed months of one plant, the one that it is about last",
    )  # fmt: skip
    screen.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.json")
    screen.set_defaults(run=_screen)


def _screen(args: argparse.Namespace) -> int:
    from cloud.screening.kept import encode, kept_of
    from evidence.screen.screened import screen_archives

    os.nice(NICE)
    with contextlib.ExitStack() as opened:
        files = []
        for path in args.archive:
            try:
                files.append((path.name, opened.enter_context(path.open("rb"))))
            except OSError as error:
                raise OutputError(f"{path}: cannot be read: {error.strerror}") from error
        try:
            screened = screen_archives(files)
        except OSError as error:
            raise OutputError(str(error)) from error
    kept = kept_of(screened, args.archive[-1].name)
    write_file(args.out, f"{args.archive[-1].stem}-screening.json", encode(kept))
    return 0
