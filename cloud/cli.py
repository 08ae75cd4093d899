"""`stackproof cloud …`: run the collector, check its file, close months. Prints; nothing else does.

Months are closed by the running collector: this program asks it over HTTP on loopback, with the
token the collector leaves in its state folder.
"""

import argparse
import asyncio
import json
import logging
import re
import shutil
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from cloud.clock import SystemClock
from cloud.config import load_cloud, read_state_dir
from cloud.errors import CloudConfigError, CloudError
from evidence.errors import EvidenceError
from evidence.points import NAME_ID

EXIT_FINE, EXIT_FAILED, EXIT_CANNOT = 0, 1, 2

#: a month of a large plant is folded and packed in minutes
CLOSE_S = 3_600.0
ANSWER_S = 10.0

#: what the API takes
MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class _NotRunningError(CloudError):
    """There is no running collector to ask."""


class _RefusedError(CloudError):
    """The collector refused what was asked."""


def main(argv: list[str]) -> int:
    """Run one subcommand; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except CloudConfigError as error:
        _print_problems(error, as_json=getattr(args, "json", False))
        return EXIT_CANNOT
    except _RefusedError as error:
        print(f"stackproof cloud: {error}", file=sys.stderr)
        return EXIT_FAILED
    except (CloudError, EvidenceError) as error:
        print(f"stackproof cloud: {error}", file=sys.stderr)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stackproof cloud", description="Collector, months and the live page."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="validate CLOUD.toml and the keys it names")
    run = commands.add_parser("run", help="run the collector until SIGTERM")
    month = commands.add_parser("month", help="close and list months").add_subparsers(
        required=True, metavar="COMMAND"
    )
    close = month.add_parser("close", help="close and seal a month")
    listing = month.add_parser("list", help="list sealed months")
    for command, act in ((check, _check), (run, _run), (close, _close), (listing, _list)):
        command.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
        command.set_defaults(run=act)
    for command in (check, close, listing):
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    close.add_argument("--plant", required=True, type=_plant_id, help="plant id")
    close.add_argument(
        "--month", required=True, type=_month, help="YYYY-MM in the plant's time zone"
    )
    close.add_argument("--interim", action="store_true", help="so far; may be repeated")
    close.add_argument("--out", type=Path, metavar="DIR", help="also copy the archive there")
    listing.add_argument("--plant", type=_plant_id, help="only this plant")
    return parser


def _plant_id(text: str) -> str:
    if not NAME_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no plant id (it must match {NAME_ID.pattern})"
        )
    return text


def _month(text: str) -> str:
    if not MONTH.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2026-09")
    return text


def _print_problems(error: CloudConfigError, *, as_json: bool) -> None:
    if as_json:
        problems = [problem._asdict() for problem in error.problems]
        print(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
        return
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s' if count > 1 else ''}; nothing was started", file=sys.stderr)


def _check(args: argparse.Namespace) -> int:
    config = load_cloud(args.config)
    gateways = sum(len(identity.gateways) for identity in config.plants)
    facts = {"problems": [], "plants": len(config.plants), "gateways": gateways}
    if args.json:
        print(json.dumps(facts))
    else:
        print(f"{args.config}: fine; {len(config.plants)} plant(s), {gateways} gateway(s)")
    return EXIT_FINE


def _run(args: argparse.Namespace) -> int:
    # imported on use: `check` and `month` need no server, and start in a third of the time
    from cloud.process import run_cloud

    config = load_cloud(args.config)
    logging.basicConfig(
        level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for order in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(order, stop.set)
        await run_cloud(config, SystemClock(), stop, _say)

    asyncio.run(run())
    return EXIT_FINE


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _close(args: argparse.Namespace) -> int:
    closing = "interim" if args.interim else "final"
    path = f"months/{args.plant}/{args.month}/close"
    facts = _ask(args.config, path, {"closing": closing}, timeout_s=CLOSE_S)
    archive = Path(facts["archive"])
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        archive = Path(shutil.copy2(archive, args.out))
    if args.json:
        print(json.dumps({**facts, "archive": str(archive)}, ensure_ascii=False))
    else:
        print(archive)
    return EXIT_FINE


def _list(args: argparse.Namespace) -> int:
    plants = [args.plant] if args.plant else [row["id"] for row in _ask(args.config, "plants")]
    months = [
        row
        for plant in plants
        for row in _ask(args.config, f"months?{urllib.parse.urlencode({'plant': plant})}")
    ]
    if args.json:
        print(json.dumps({"months": months}, ensure_ascii=False))
        return EXIT_FINE
    for row in months:
        print(f"{row['plant']}  {row['month']}  {row['bytes']:>12,} bytes  {row['archive']}")
    return EXIT_FINE


def _ask(
    config: Path, path: str, order: dict[str, str] | None = None, timeout_s: float = ANSWER_S
) -> Any:  # noqa: ANN401 - whatever the API answers, as JSON
    """Ask the running collector; with an `order` it is a POST.

    Raises:
        _NotRunningError: nobody answers.
        _RefusedError: it says no; the sentence is its own.
    """
    state = read_state_dir(config)
    try:
        base = json.loads((state / "ready.json").read_text())["http"]
        token = (state / "api.token").read_text().strip()
    except (OSError, ValueError, KeyError) as error:
        raise _NotRunningError(
            f"no collector runs with {config} (no readable {state / 'ready.json'}); start it with: "
            f"stackproof cloud run {config}"
        ) from error
    request = urllib.request.Request(  # noqa: S310 - the address is the collector's own
        f"{base}/api/v1/{path}",
        data=None if order is None else json.dumps(order).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    # a proxy from the environment has no business between this machine and itself
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise _RefusedError(_sentence(error)) from error
    except OSError as error:  # URLError is one, and so is a time-out
        raise _NotRunningError(f"the collector at {base} does not answer: {error}") from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        detail = json.load(error)["detail"]
    except (ValueError, KeyError, TypeError):
        return f"the collector answered {error.code} {error.reason}"
    return detail if isinstance(detail, str) else f"the collector refuses it: {_refused(detail)}"


def _refused(detail: object) -> str:
    """FastAPI's list of what is wrong with a request, as words: "month: should match …"."""
    rows = detail if isinstance(detail, list) else []
    named = [
        f"{'.'.join(map(str, row.get('loc', [])))}: {row.get('msg', 'is wrong')}"
        for row in rows
        if isinstance(row, dict)
    ]
    return "; ".join(named) or "it does not say why"
