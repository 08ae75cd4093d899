"""The one command: finds the room that a subcommand belongs to and hands the arguments over.

Rooms are imported on use, so that `stackproof verify` needs nothing but the base install. No
subcommand is implemented here, and there is no I/O but the help text.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

_ROOMS = ("evidence", "firmware_configs", "edge", "cloud", "simulators", "witness", "stackproof")


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Attributes:
        summary: one line for the help text.
        module: has `main(argv: list[str]) -> int`.
        extra: the install extra its packages come with; empty for the base install.
        keeps_name: the module serves several subcommands and gets the name as first argument.
    """

    summary: str
    module: str
    extra: str = ""
    keeps_name: bool = False


COMMANDS = {
    "demo": Command("a simulated plant, from register to sealed month", "simulators.demo", "all"),
    "edge": Command("the agent at the plant, and its spool", "edge.cli", "edge"),
    "profile": Command("device profiles: list, show, check", "firmware_configs.cli"),
    "sim": Command("simulated plants over real protocols", "simulators.cli", "simulators"),
    "cloud": Command("collector, evidence, keys, months, live page", "cloud.cli", "cloud"),
    "verify": Command("check a sealed month, offline", "evidence.cli", keeps_name=True),
    "month": Command("a sealed month down to one reading, offline", "evidence.cli_month"),
    "plan": Command("the control plan of a year: new, check", "edge.commands.plan", "edge"),
    "calc": Command("the calculation library by hand", "edge.calc.cli"),
    "keys": Command("keys, certificates, orders about them", "evidence.cli", keeps_name=True),
    "record": Command("documents of persons: sign, show, send, check, …", "cloud.commands.records"),
    "relay": Command("the far side of a one-way site", "edge.relay.cli", "edge"),
    "witness": Command("keeps and cosigns the logs of plants", "witness.cli"),
    "compare": Command("whether sealed months are one history", "evidence.cli", keeps_name=True),
    "screen": Command("statistical questions to sealed months", "evidence.cli", keeps_name=True),
}

EXIT_CANNOT_RUN = 2
# 128 + the signal's number, as shells count
_EXIT_INTERRUPTED, _EXIT_UNREAD = 130, 141  # SIGINT, SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: arguments without the program's name; the process's own when None.

    Returns:
        The exit code: 0 fine, 1 findings or failure, 2 cannot run or cannot decide; 130 when
        interrupted, 141 when the output's reader left (`stackproof verify … | head`).
    """
    _open_what_is_closed()
    try:
        try:
            status = _run(list(sys.argv[1:] if argv is None else argv))
        except SystemExit:  # argparse has explained itself
            sys.stdout.flush()
            raise
        sys.stdout.flush()  # a reader that left is noticed here, not when the interpreter ends
    except BrokenPipeError:
        _close_output()
        return _EXIT_UNREAD
    return status


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name in ("-h", "--help"):
        sys.stdout.write(usage())
        return 0
    if name == "--version":
        sys.stdout.write(f"stackproof {import_module('evidence.version').VERSION}\n")
        return 0
    command = COMMANDS.get(name)
    if command is None:
        problem = f"stackproof: no command {name!r}\n\n" if name else ""
        sys.stderr.write(problem + usage())
        return EXIT_CANNOT_RUN
    return _dispatch(name, command, arguments[1:])


def usage() -> str:
    """The help text: one line a subcommand."""
    rows = "".join(f"  {name:<9}{command.summary}\n" for name, command in COMMANDS.items())
    return (
        "usage: stackproof [--version] COMMAND [ARGUMENT...]\n\n"
        f"{rows}\n"
        "`stackproof COMMAND --help` tells more.\n"
    )


def _dispatch(name: str, command: Command, arguments: list[str]) -> int:
    try:
        module = import_module(command.module)
        return int(module.main([name, *arguments] if command.keeps_name else arguments))
    except ModuleNotFoundError as error:  # of a room, or of what it imports on use
        missing = (error.name or "").partition(".")[0]
        if missing in _ROOMS:
            raise  # a defect of ours: show it whole
        target = f'"stackproof[{command.extra}]"' if command.extra else "stackproof"
        sys.stderr.write(
            f"stackproof: {name} needs the package {missing}, which is not installed; "
            f"run: pip install {target}\n"
        )
        return EXIT_CANNOT_RUN
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except MemoryError:  # a traceback's status is 1, which says that an archive failed
        sys.stderr.write(f"stackproof {name}: this machine has too little memory for it\n")
        return EXIT_CANNOT_RUN


def _open_what_is_closed() -> None:
    """Of `>&-` the status alone is asked for; no file that is read is to stand in its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _close_output() -> None:
    """Let what is still in the buffers go nowhere; the interpreter would complain about it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
