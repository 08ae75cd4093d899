"""`stackproof verify …` and `stackproof keys …`. The only file of the room that prints."""

import argparse
import datetime as dt
import json
import sys
import time
from pathlib import Path

from evidence.errors import EvidenceError, KeyFileError
from evidence.findings import CODES, Report, Verdict
from evidence.keys import (
    certificate_to_pem,
    generate,
    issue,
    key_sha256,
    load_certificate,
    load_private,
    load_trust,
    public_key,
    write_private,
)
from evidence.points import NAME_ID

EXIT_CANNOT = 2
ROOT_DAYS, LEAF_DAYS = 7300, 1825
PROGRESS_S = 1.0


def main(argv: list[str]) -> int:
    """Run `verify …` or `keys …`; the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (EvidenceError, OSError) as error:
        print(f"stackproof {argv[0]}: {error}", file=sys.stderr)
        return EXIT_CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stackproof", description="Evidence, checked offline.")
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = rooms.add_parser(
        "verify",
        help="check a sealed archive: signatures, log, seal, figures",
        epilog="Exit status: 0 passed, 1 failed, 2 cannot decide or cannot run.",
    )
    verify.add_argument("archive", type=Path, help="the archive (.tar)")
    verify.add_argument(
        "--trust", type=Path, metavar="FILE", help="PEM keys or certificates you trust"
    )
    verify.add_argument(
        "--no-recompute", action="store_true", help="leave the figures unchecked (faster)"
    )
    verify.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verify.set_defaults(run=_verify)
    keys = rooms.add_parser("keys", help="make keys and certificates")
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser(
        "new",
        help="make a plant's root, gateway and collector keys; existing ones are kept",
        description="Writes ROLE.pem (private, mode 0600) and ROLE.crt. Keep root.pem offline.",
    )
    new.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    new.add_argument("--plant", required=True, help="plant id")
    new.add_argument(
        "--gateway", action="append", default=[], metavar="ID", help="gateway id; may be repeated"
    )
    new.add_argument("--collector", default="collector", metavar="NAME", help="collector's name")
    new.add_argument("--kind", choices=("ed25519", "p256"), default="ed25519", help="key kind")
    new.set_defaults(run=_keys_new)
    return parser


def _verify(args: argparse.Namespace) -> int:
    # the recomputation loads numpy and the calculation library: only when it is asked for
    from evidence.verifier.run import verify

    trust = load_trust(args.trust) if args.trust else None
    said_at = time.monotonic()

    def progress(text: str) -> None:
        nonlocal said_at
        if sys.stderr.isatty() and time.monotonic() - said_at >= PROGRESS_S:
            said_at = time.monotonic()
            print(f"\r… {text:<60}", end="", file=sys.stderr, flush=True)

    try:
        file = args.archive.open("rb")
    except OSError as error:
        raise KeyFileError(f"{args.archive}: cannot be read: {error.strerror}") from error
    with file:
        report = verify(file, trust=trust, recompute=not args.no_recompute, progress=progress)
    if sys.stderr.isatty():
        print(f"\r{'':<64}\r", end="", file=sys.stderr)
    if args.json:
        print(json.dumps(report.as_map(), ensure_ascii=False, indent=1))
    else:
        _print_report(args.archive, report)
    return report.verdict.exit_status


def _print_report(archive: Path, report: Report) -> None:
    word = {
        Verdict.PASSED: "PASSED",
        Verdict.FAILED: "FAILED",
        Verdict.CANNOT_DECIDE: "CANNOT DECIDE",
    }[report.verdict]
    print(f"{word}  {archive}")
    print(f"  identity: {report.identity}")
    counted = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
    print(f"  looked at: {counted}")
    for finding in report.findings:
        print(f"  {finding.code}  {finding.where}: {finding.sentence}")
    for code, count in report.suppressed():
        print(f"  {code}  {count} more like these. {CODES[code]}")
    print("  not checked:")
    for sentence in report.not_checked:
        print(f"    {sentence}")


def _keys_new(args: argparse.Namespace) -> int:
    for name in (args.plant, args.collector, *args.gateway):
        if not NAME_ID.fullmatch(name):
            raise KeyFileError(f"{name!r} must match {NAME_ID.pattern}")
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate starts when it is made
    folder: Path = args.out
    root_key, root_pem = folder / "root.pem", folder / "root.crt"
    if not root_key.exists():
        key = generate(args.kind)
        write_private(root_key, key)
        certificate = issue(
            "root", args.plant, args.plant, key.public_key(), issuer=key, not_before=now,
            days=ROOT_DAYS,
        )  # fmt: skip
        root_pem.write_bytes(certificate_to_pem(certificate))
        print(f"{root_pem}: root of {args.plant}; keep {root_key.name} offline")
    root = load_private(root_key), load_certificate(root_pem)
    leaves = [("collector", args.collector), *(("gateway", name) for name in args.gateway)]
    for role, name in leaves:
        path = folder / f"{name}.pem"
        if path.exists():
            continue
        key = generate(args.kind)
        write_private(path, key)
        certificate = issue(
            role, args.plant, name, key.public_key(), issuer=root, not_before=now, days=LEAF_DAYS
        )
        path.with_suffix(".crt").write_bytes(certificate_to_pem(certificate))
        print(f"{path.with_suffix('.crt')}: {role} {args.plant}/{name}")
    fingerprint = key_sha256(public_key(root[1])).hex()
    print(f"root key SHA-256: {fingerprint}")
    return 0
