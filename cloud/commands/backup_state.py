"""`stackproof cloud backup-state` and `restore-state`: what is kept beside folders. Prints."""

import argparse
from collections.abc import Container
from pathlib import Path
from typing import Any

from cloud.clock import instant
from cloud.config import read_state_dir
from cloud.database.bring_over import KEPT
from cloud.state_copy import copy_state, put_back

NAME = "state"


def add_state_backup_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `backup-state` and `restore-state` to the commands of `stackproof cloud`."""
    backup = commands.add_parser(
        "backup-state",
        help="copy accounts, what reviewers opened, alarms and shifts; the collector may run",
        description="Secrets are in it: keep it as you keep the collector's key.",
        epilog="Exit status: 0 copied and sound, 2 not: nothing is left under the copy's name.",
    )
    backup.add_argument(
        "config", type=Path, nargs="?", default=Path("CLOUD.toml"), metavar="CLOUD.toml",
        help="the collector's file",
    )  # fmt: skip
    backup.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help=f"the copy is FOLDER/{NAME}"
    )
    backup.set_defaults(run=_backup)
    restore = commands.add_parser(
        "restore-state",
        help="put such a copy where this collector has none",
        epilog="Exit status: 0 in place and sound, 2 not: nothing was changed.",
    )
    restore.add_argument("backup", type=Path, metavar="BACKUP", help="the folder of the copy")
    restore.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    restore.set_defaults(run=_restore)


def back_up(config: Path, out: Path, plants: Container[str] = ()) -> None:
    """Copy what the collector of a CLOUD.toml keeps beside its evidence to `out`/state.

    Where one of `plants`, which are copied there too, is called so, to `out`/state_: none is.
    """
    to = out / (f"{NAME}_" if NAME in plants else NAME)
    print(f"backed up {KEPT}: {copy_state(read_state_dir(config), to)} bytes: {to}")


def _backup(args: argparse.Namespace) -> int:
    back_up(args.config, args.out)
    return 0


def _restore(args: argparse.Namespace) -> int:
    state = read_state_dir(args.config)
    size, newest_ns = put_back(args.backup, state)
    print(f"restored {KEPT}: {size} bytes: {state}")
    print("sessions, links and tokens are not in it: people sign in anew, tokens are made anew")
    if newest_ns:
        print(
            f"the newest row of its security log is of {instant(newest_ns)}: who was ended since, "
            "or got another role or password, is let in as before that"
        )
    print("the collector uses it from its next start on")
    return 0
