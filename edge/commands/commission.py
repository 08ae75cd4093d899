"""`stackproof edge commission`: the commissioning page. I/O: prints its address, serves it."""

import argparse
import contextlib
import ipaddress
import secrets
import signal
import threading
from pathlib import Path

from edge.clock import SystemClock
from edge.commands.commissioning import add_wait, quiet
from edge.commissioning.site_part import read_part

EXIT_FINE = 0
LISTEN = "127.0.0.1:8610"


def add_commission_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to `stackproof edge`."""
    commission = commands.add_parser(
        "commission",
        help="a page in the browser: devices, registers, face values, clock, round trip, record",
        epilog="Served on this machine's loopback alone, to who has the address that is printed; "
        "from another machine: ssh -L 8610:127.0.0.1:8610 GATEWAY. Reads only. Beside a running "
        "agent it is one client more, and asks you before it is. What was typed is kept while this "
        "command runs, and no longer: save the record. Ends with Ctrl-C. Exit status: 0 ended, 2 "
        "cannot run.",
    )
    commission.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    commission.add_argument(
        "--listen", type=_listen, default=_listen(LISTEN), metavar="HOST:PORT",
        help=f"a loopback address; port 0 takes a free one; default {LISTEN}",
    )  # fmt: skip
    add_wait(commission)
    commission.set_defaults(run=_commission)


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as {LISTEN}") from None
    if not address.is_loopback:
        raise argparse.ArgumentTypeError(f"{host} is no loopback address of this machine")
    if not (port.isascii() and port.isdecimal() and int(port[:6]) <= 65_535):
        raise argparse.ArgumentTypeError(f"{port!r} is no port")
    return str(address), int(port)


def _commission(args: argparse.Namespace) -> int:
    from edge.commissioning.page.server import serving  # the agent does without http.server
    from edge.commissioning.page.session import Session

    quiet()
    part = read_part(args.site, is_rest_right=True)
    session = Session(args.site, part, SystemClock(), args.wait)
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    host, port = args.listen
    with serving(session, host, port, secrets.token_urlsafe(16)) as server:
        print(f"open {server.url} (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            stop.wait()
    return EXIT_FINE
