"""`stackproof cloud month screen|alike`: what a collector keeps of screenings for its pages."""

import argparse
import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.commands.outputs import write_file
from cloud.outputs.errors import OutputError
from evidence.errors import MalformedError

#: whoever serves a plant comes first
NICE = 10


def add_screening_command(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add the commands to `stackproof cloud month`."""
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


def add_alike_command(month: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add the command to `stackproof cloud month`."""
    alike = month.add_parser(
        "alike",
        help="series that are the same at two plants, of what `screen` wrote of one month of each",
        description="What a collector makes for its page of all plants, at low priority. To hold "
        "archives against each other yourself: stackproof screen.",
    )
    alike.add_argument("screened", type=Path, nargs="+", metavar="SCREENED.json")
    alike.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.json")
    alike.set_defaults(run=_alike)


def _screen(args: argparse.Namespace) -> int:
    from cloud.screening.kept import encode, kept_of
    from cloud.screening.makers import makers_of
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
            kept = kept_of(screen_archives(files), args.archive[-1].name)
            if not kept.why_not:
                makers, unread = makers_of(files[-1][1])
                kept = replace(kept, makers=makers, pdfs_unread=unread)
        except OSError as error:
            raise OutputError(str(error)) from error
    write_file(args.out, f"{args.archive[-1].stem}-screening.json", encode(kept))
    return 0


def _alike(args: argparse.Namespace) -> int:
    from cloud.screening.alike import encode, series_of
    from cloud.screening.kept import decode

    os.nice(NICE)
    screened = []
    for path in args.screened:
        try:
            screened.append((path.name, decode(path.read_bytes())))
        except OSError as error:
            raise OutputError(f"{path}: cannot be read: {error.strerror}") from error
        except MalformedError as error:
            raise OutputError(f"{path}: {error}") from error
    write_file(args.out, "alike.json", encode(series_of(screened)))
    return 0
