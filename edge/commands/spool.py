"""`stackproof edge status`, `export`, `receipts`: what a person does beside the agent.

All read the spool while the agent runs and change nothing in it. I/O: prints.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from edge import receipt_files
from edge.clock import SystemClock
from edge.custody import judge_receipt
from edge.errors import NotOursError, OthersError, SiteConfigError, TwoLogsError
from edge.export import export, unsigned_note
from edge.identity import Addressee, Problems, open_collector, open_gateway_certificate
from edge.site.config import Site, load_site
from edge.spool import is_in_use
from edge.spool_reader import SpoolReader
from edge.status import is_well, lines, status_of
from evidence.archive.export import write_receipts
from evidence.key_files import write_new
from evidence.keys import Certificate
from evidence.suites import PublicKey

EXIT_FINE, EXIT_FOUND = 0, 1
TAKEN_S = 10.0  # how long to wait until the running agent has acted on a receipt file


def add_spool_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add them to `stackproof edge`."""
    status = commands.add_parser(
        "status",
        help="how the gateway stands: spool, receipts, key, clock, alarms",
        epilog="Works beside a running agent. Exit status: 0 fine, 1 no agent runs, an alarm "
        "stands or a device does not answer, 2 cannot tell.",
    )
    status.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    status.add_argument("--json", action="store_true", help="one JSON object on stdout")
    status.add_argument("--check", action="store_true", help="read the whole spool for damage")
    status.set_defaults(run=_status)
    out = commands.add_parser(
        "export",
        help="write signed objects of the spool to a file for the collector",
        epilog="For sites without a way to the collector: carry the file there (stackproof cloud "
        "import CLOUD.toml FILE), bring the receipts back (stackproof edge receipts import "
        "SITE.toml FILE). Nothing is freed by exporting; the same objects give the same file. "
        "It is readable for its owner and group only.",
    )
    out.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    out.add_argument(
        "--from", dest="first", type=_seq, metavar="SEQ", help="default: oldest without a receipt"
    )
    out.add_argument("--to", dest="last", type=_seq, metavar="SEQ", help="default: the newest")
    out.add_argument(
        "--out", type=Path, metavar="FILE", help="file or folder; default: here, named for its span"
    )
    out.set_defaults(run=_export)
    receipts = commands.add_parser(
        "receipts", help="receipts as files: brought here, or taken away"
    )
    actions = receipts.add_subparsers(required=True, metavar="ACTION")
    take = actions.add_parser(
        "import",
        help="hand the collector's receipts to the agent, which frees what they cover",
        epilog="The file comes from stackproof cloud receipts export. Receipts of other gateways "
        "in it are passed over.",
    )
    take.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    take.add_argument("file", type=Path, metavar="FILE", help="receipt file")
    take.set_defaults(run=_import)
    give = actions.add_parser(
        "export",
        help="write the newest receipt that this gateway holds",
        epilog="The collector's signed word for what it has of this gateway: proof at the plant "
        "that readings were handed in, and of the log that they stand in.",
    )
    give.add_argument("site", type=Path, metavar="SITE.toml", help="the site file")
    give.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    give.set_defaults(run=_give)


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no seq: a whole number from 0 on")
    return int(text)


def _opened(path: Path) -> tuple[Site, Certificate, PublicKey]:
    """Site, gateway's certificate and collector's key; SiteConfigError with every problem."""
    site, problems = load_site(path), Problems(path)
    certificate = open_gateway_certificate(site, problems)
    collector = open_collector(site, problems)
    if certificate is None or collector is None or problems:
        raise SiteConfigError(problems)
    return site, certificate, collector


def _status(args: argparse.Namespace) -> int:
    site, certificate, collector = _opened(args.site)
    spool = SpoolReader(site.gateway.spool)
    try:
        damage = spool.damage() if args.check else ""
        status = status_of(
            site,
            spool,
            SystemClock(),
            certificate=certificate,
            collector=collector,
            damage=damage,
        )
    finally:
        spool.close()
    text = json.dumps(status, ensure_ascii=False, indent=1) if args.json else None
    print(text or "\n".join(lines(status)))
    return EXIT_FINE if is_well(status) else EXIT_FOUND


def _export(args: argparse.Namespace) -> int:
    site = load_site(args.site)
    spool = SpoolReader(site.gateway.spool)
    try:
        owner = site.plant.id, site.gateway.id
        span, path = export(spool, owner, first=args.first, last=args.last, out=args.out)
        unsigned = unsigned_note(spool)
    finally:
        spool.close()
    print(f"{path}: seq {span.first} to {span.last} of {span.plant}/{span.stream}")
    if unsigned:
        print(f"stackproof edge: {unsigned}", file=sys.stderr)
    return EXIT_FINE


def _import(args: argparse.Namespace) -> int:
    site, _, collector = _opened(args.site)
    kept, seq, problems = _judged(site, args.file, collector)
    for problem in problems:
        print(f"stackproof edge: {args.file}: {problem}", file=sys.stderr)
    if not kept:
        return EXIT_FOUND
    dropped = receipt_files.drop(site.gateway.receipts, write_receipts(kept))
    if is_in_use(site.gateway.spool):
        done = _taken(dropped)
        late = "the agent has not done it yet (a large backlog is freed in minutes): see its log"
        state = f"freed up to seq {seq}" if done else late
    else:
        state = f"up to seq {seq}; no agent is running: it is taken when the next one starts"
    print(f"{args.file}: {state}")
    return EXIT_FOUND if problems else EXIT_FINE


def _give(args: argparse.Namespace) -> int:
    site = load_site(args.site)
    spool = SpoolReader(site.gateway.spool)
    try:
        receipt, seq = spool.receipt(), spool.receipted_seq()
    finally:
        spool.close()
    if not receipt:
        print("stackproof edge: nothing is under receipt here yet", file=sys.stderr)
        return EXIT_FOUND
    write_new(args.out, write_receipts([receipt]))
    print(f"{args.out}: {site.plant.id}/{site.gateway.id} is under receipt up to seq {seq}")
    return EXIT_FINE


def _judged(site: Site, file: Path, collector: PublicKey) -> tuple[list[bytes], int, list[str]]:
    """Receipts for the agent, the newest seq they cover, and what is wrong with others."""
    who = Addressee(site.plant.id, site.gateway.id, collector)
    kept: list[bytes] = []
    problems: list[str] = []
    spool = SpoolReader(site.gateway.spool)
    try:
        seq, others = spool.receipted_seq(), 0
        for data in receipt_files.receipts_of(file):
            try:
                seq = max(seq, judge_receipt(data, spool, who).receipt.seq)
            except TwoLogsError as error:  # the agent must see it: it keeps the proof
                problems.append(str(error))
            except OthersError:
                others += 1
                continue
            except NotOursError as error:
                problems.append(str(error))
                continue
            kept.append(data)
    finally:
        spool.close()
    if not kept and not problems:
        problems.append(f"{others} receipts, none for {who.plant}/{who.gateway}")
    return kept, seq, problems


def _taken(path: Path) -> bool:
    """True when the running agent has acted on the file."""
    ends_s = time.monotonic() + TAKEN_S
    while path.exists() and time.monotonic() < ends_s:
        time.sleep(0.1)
    return not path.exists() and not path.with_suffix(receipt_files.REFUSED).exists()
