"""`stackproof relay …`: run the relay, check its file, see how it stands. I/O: prints."""

import argparse
import asyncio
import contextlib
import faulthandler
import json
import signal
from pathlib import Path

from edge.clock import SystemClock
from edge.commissioning.findings import has_failed
from edge.errors import EdgeError, SpoolError
from edge.relay.config import RelayConfig, load_relay
from edge.relay.queue import Queue
from edge.relay.service import COUNTS_S, Relay, queue_path
from edge.relay.status import is_amiss, lines, status_of
from edge.relay.support import add_support_command
from edge.spool_reader import SEQ_MAX
from evidence.errors import EvidenceError
from evidence.log_lines import FORMS, TEXT, Say, complain, start_logging, teller
from evidence.service import ServiceManager

EXIT_FINE, EXIT_FOUND, EXIT_CANNOT = 0, 1, 2


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    try:
        # a file that is refused needs help all the more: `support` reads it by itself
        given = [load_relay(args.relay)] if "relay" in args else []
        return int(args.run(args, *given))
    except (EdgeError, EvidenceError, OSError) as error:
        form = getattr(args, "log_format", TEXT)
        complain(form, "relay", [f"stackproof relay: {error}"])
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof relay",
        description="The far side of a one-way site: takes its objects as files or datagrams and "
        "forwards them over MQTT, unchanged. It holds no key of a plant.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="validate a relay file")
    run = commands.add_parser("run", help="run the relay until SIGTERM")
    status = commands.add_parser(
        "status",
        help="what waits, what is missing and how to bring it",
        epilog="Works beside a running relay. Exit status: 0 fine, 1 objects are missing, have "
        "no receipt, wait for an hour or are not believed, files were refused, something fails, "
        "the disk is low, or the broker certificate ends soon, 2 cannot tell.",
    )
    forget = commands.add_parser(
        "forget",
        help="let go of objects that somebody forged",
        epilog="Works beside a running relay. What the gateway made, and was forgotten by mistake, "
        "can be exported again at the site. Exit status: 0 done, 2 cannot.",
    )
    doctor = commands.add_parser(
        "doctor",
        help="names the hop to the broker that fails, and what to do",
        epilog="Looks at proxy, broker and both certificates, and says hello under a client id of "
        "its own, beside a running relay too. Exit status: 0 nothing fails, 1 something does, 2 "
        "cannot run.",
    )
    listed = ((check, _check), (run, _run), (status, _status), (doctor, _doctor), (forget, _forget))
    for command, does in listed:
        command.add_argument("relay", type=Path, metavar="RELAY.toml", help="the relay's file")
        command.set_defaults(run=does)
    add_support_command(commands)
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument(
        "--log-format", default=TEXT, choices=FORMS, help="json: one object a line (default: text)"
    )
    forget.add_argument("stream", metavar="PLANT/GATEWAY", help="whose, as status names it")
    forget.add_argument(
        "--from", dest="first", type=int, required=True, metavar="SEQ", help="the first seq"
    )
    forget.add_argument(
        "--to", dest="last", type=int, required=True, metavar="SEQ", help="and the last"
    )
    for command in (status, doctor):
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _check(_: argparse.Namespace, config: RelayConfig) -> int:
    if config.tls is not None:
        config.tls.context()  # `run` goes on without: what comes in waits for the broker anyway
    print(f"{config.path}: fine. {len(config.streams)} streams to {config.url}")
    return EXIT_FINE


def _run(args: argparse.Namespace, config: RelayConfig) -> int:
    start_logging(args.log_level, args.log_format)
    asyncio.run(_serve(config, teller(args.log_format, "stackproof.relay")))
    return EXIT_FINE


async def _serve(config: RelayConfig, say: Say) -> None:
    from edge.relay.metrics import serving  # a server's modules: `check` and `status` need none

    stop, loop, clock = asyncio.Event(), asyncio.get_running_loop(), SystemClock()
    manager, relay = ServiceManager(), Relay(config, clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def ready() -> None:
        faulthandler.enable()  # the watchdog's SIGABRT: the log shows where each thread stood
        say("relay: running")
        manager.ready("running", COUNTS_S)

    with serving(config, clock, relay.life):
        await relay.run(stop, ready, manager.alive)
    say("relay: stopped")


def _status(args: argparse.Namespace, config: RelayConfig) -> int:
    status = status_of(config, SystemClock())
    text = json.dumps(status, ensure_ascii=False, indent=1) if args.json else None
    print(text or "\n".join(lines(config, status)))
    return EXIT_FOUND if is_amiss(status) else EXIT_FINE


def _forget(args: argparse.Namespace, config: RelayConfig) -> int:
    found = [stream for stream in config.streams if stream.name == args.stream]
    if not found:
        raise SpoolError(f"{args.stream}: {config.path} names no such stream, as PLANT/GATEWAY")
    if not 0 <= args.first <= args.last <= SEQ_MAX:
        raise SpoolError(f"--from {args.first} --to {args.last}: seqs go from 0 to {SEQ_MAX}")
    path = queue_path(config, found[0].plant, found[0].gateway)
    count = 0
    if path.exists():
        with contextlib.closing(Queue(path, bytes_max=config.queue_bytes_max)) as queue:
            count = queue.forget(args.first, args.last)
    print(f"{args.stream}: {count} objects forgotten; what the gateway made can be exported again")
    return EXIT_FINE


def _doctor(args: argparse.Namespace, config: RelayConfig) -> int:
    from edge.commissioning import doctor_text  # what a running relay never needs
    from edge.commissioning.doctor_broker import examine_route

    now_ns = SystemClock().wall_ns()
    looking = examine_route(config.route, "relay-doctor", config.tls, now_ns, "relay")
    checks = asyncio.run(looking)
    text = json.dumps(doctor_text.as_map(checks), ensure_ascii=False) if args.json else None
    print(text or "\n".join(doctor_text.lines(checks)))
    return EXIT_FOUND if has_failed(checks) else EXIT_FINE
