"""`stackproof screen …`: verifies archives, screens them, prints what stands out. Prints."""

import argparse
import json
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from evidence.cli_progress import Progress, can_print, readable
from evidence.errors import KeyFileError
from evidence.findings import shown
from evidence.key_files import read_small
from evidence.keys import load_trust
from evidence.screen.texts import LANGUAGES

EXIT_QUIET, EXIT_STANDS_OUT, EXIT_CANNOT = 0, 1, 2
_PLOTS_MAX = 200
_BALANCE_KEYS = {"plant", "name", "enters", "leaves"}


def add_screen_command(rooms: Any) -> None:
    """Add `screen` to the program's commands."""
    screen = rooms.add_parser(
        "screen",
        help="statistical questions to sealed months: what is unusual, and what else does it",
        description="Verify sealed months and ask them statistical questions, each with its chance "
        "level and innocent causes. Nothing it says is a verdict of fraud. Months of one plant, "
        "and plants, are also held against each other.",
        epilog="Exit status: 0 nothing stands out, 1 something does, 2 cannot run, or an archive "
        "does not verify.",
    )
    screen.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE", help="sealed (.tar)")
    screen.add_argument(
        "--trust", type=Path, metavar="FILE", help="PEM file of root certificates or keys, as of "
        "verify",
    )  # fmt: skip
    screen.add_argument(
        "--balances", type=Path, metavar="FILE",
        help="TOML of networks: [[balance]] with plant, name, enters = [points], leaves = [points]",
    )  # fmt: skip
    screen.add_argument(
        "--unverified", action="store_true",
        help="screen also archives that do not verify; the report says so",
    )  # fmt: skip
    screen.add_argument(
        "--out", type=Path, metavar="DIR", help="plots of what stands out go here, as SVG"
    )
    screen.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language, default en. 报告语言，默认 en"
    )
    screen.add_argument("--json", action="store_true", help="one JSON object on stdout")
    screen.set_defaults(run=_screen)


def _screen(args: argparse.Namespace) -> int:
    # numpy and the calculation library: only when they are asked for
    from evidence.screen.screened import screen_archives
    from evidence.screen.told import report_lines

    trust = load_trust(args.trust) if args.trust else None
    balances = read_balances(read_small(args.balances)) if args.balances else {}
    with ExitStack() as opened:
        files, progress = [], opened.enter_context(Progress())
        for path in args.archives:
            try:
                files.append((str(path), opened.enter_context(path.open("rb"))))
            except OSError as error:
                raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
        screened = screen_archives(
            files, trust=trust, balances=balances, unverified=args.unverified,
            progress=progress.tell,
        )  # fmt: skip
    language = readable(args.lang, "screen")
    if args.json:
        made = {
            "format": 1, "verified": screened.verified, "level": screened.level,
            "months": [f"{m.plant} {m.month}" for m in screened.months],
            "states": [
                {
                    "archive": archive, "headline": state.headline(args.lang), **state.as_map(),
                    "sentences": [
                        issue.sentence(args.lang) for issue in [*state.incomplete, *state.questions]
                    ],
                }
                for archive, state in screened.states.items()
            ],
            "refused": [vars(one) for one in screened.refused],
            "notes": [[key, dict(facts)] for key, facts in screened.notes],
            "answers": screened.rows(args.lang),
        }  # fmt: skip
        text = json.dumps(made, ensure_ascii=False, indent=1)
        print(text if can_print(text) else json.dumps(made, indent=1))
    else:
        for line in report_lines(screened, language):
            print(line)
    if args.out:
        _plots(args.out, screened, args.lang)
    if screened.refused or not screened.months:
        return EXIT_CANNOT
    return EXIT_STANDS_OUT if screened.standing_out else EXIT_QUIET


def _plots(folder: Path, screened: Any, language: str) -> None:
    from evidence.screen.svg import svg
    from evidence.screen.texts import question_text

    folder.mkdir(parents=True, exist_ok=True)
    for rank, answer in enumerate(screened.standing_out[:_PLOTS_MAX], 1):
        result = answer.result
        if result.plot is None:
            continue
        name = question_text(result.question, "name", language)
        title = shown(f"{rank}. {name} · {result.plant} {result.month} · {result.where}")
        path = folder / f"{rank:03}-{result.question}.svg"
        path.write_text(svg(title, result.plot), encoding="utf-8")


def read_balances(data: bytes) -> dict[str, Sequence[Any]]:
    """Networks by plant, of a file that a reviewer wrote.

    Raises:
        KeyFileError: it is not one; it says which table.
    """
    from edge.calc.screening.month import Balance

    try:
        given = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KeyFileError(f"balances: {error}") from error
    tables = given.get("balance")
    if set(given) != {"balance"} or not isinstance(tables, list):
        raise KeyFileError("balances: only [[balance]] tables are due")
    found: dict[str, list[Any]] = {}
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict) or set(table) != _BALANCE_KEYS:
            raise KeyFileError(
                f"balances: table {number}: {', '.join(sorted(_BALANCE_KEYS))} are due"
            )
        sides = [table["enters"], table["leaves"]]
        texts = [table["plant"], table["name"], *(one for s in sides if isinstance(s, list)
                                                  for one in s)]  # fmt: skip
        if not all(isinstance(s, list) and s for s in sides) or not all(
            isinstance(one, str) for one in texts
        ):
            raise KeyFileError(f"balances: table {number}: texts and lists of point ids are due")
        enters, leaves = (tuple(side) for side in sides)
        found.setdefault(table["plant"], []).append(Balance(table["name"], enters, leaves))
    return dict(found)
