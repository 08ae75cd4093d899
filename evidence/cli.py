"""`stackproof verify …` and `stackproof keys …`. The only file of the room that prints."""

import argparse
import datetime as dt
import json
import sys
import time
from pathlib import Path

from cryptography import x509

from evidence.errors import EvidenceError, KeyFileError
from evidence.keys import (
    certificate_to_pem,
    generate,
    identity,
    issue,
    key_sha256,
    load_certificate,
    load_certificates,
    load_private,
    load_trust,
    public_key,
    write_private,
)
from evidence.points import NAME_ID
from evidence.report_text import report_lines
from evidence.suites import PrivateKey
from evidence.timestamp import is_available

EXIT_CANNOT = 2
ROOT_DAYS, LEAF_DAYS = 7300, 1825
PROGRESS_S, PROGRESS_LINE_S = 1.0, 15.0


class _Progress:
    """Says on stderr what is being done: over and over on one line of a terminal, else in lines."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every_s = PROGRESS_S if self._is_terminal else PROGRESS_LINE_S
        self._begun_s = self._said_s = time.monotonic()

    def tell(self, text: str) -> None:
        """Say it if it is time to."""
        now_s = time.monotonic()
        if now_s - self._said_s < self._every_s:
            return
        self._said_s = now_s
        line = f"{now_s - self._begun_s:.0f} s: {text}"
        shown = f"\r{line:<79}" if self._is_terminal else f"{line}\n"
        print(shown, end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Wipe the line of a terminal."""
        if self._is_terminal:
            print(f"\r{'':<79}\r", end="", file=sys.stderr, flush=True)


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
        "--trust",
        type=Path,
        metavar="FILE",
        help="PEM file of the root certificate or public key you got from the plant by another way",
    )
    verify.add_argument(
        "--tsa", type=Path, metavar="FILE",
        help="PEM file of the time stamp authority's root certificate you trust",
    )  # fmt: skip
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
    tsa = load_certificates(args.tsa) if args.tsa else None
    if tsa is not None and not is_available():
        raise KeyFileError("--tsa needs rfc3161-client; run: pip install 'stackproof[tsa]'")
    try:
        file = args.archive.open("rb")
    except OSError as error:
        raise KeyFileError(f"{args.archive}: cannot be read: {error.strerror}") from error
    progress = _Progress()
    with file:
        report = verify(
            file, trust=trust, tsa=tsa, recompute=not args.no_recompute, progress=progress.tell
        )
    progress.end()
    if args.json:
        print(json.dumps(report.as_map(), ensure_ascii=False, indent=1))
    else:
        for line in report_lines(str(args.archive), report):
            print(line)
    return report.verdict.exit_status


def _keys_new(args: argparse.Namespace) -> int:
    names = [args.collector, *args.gateway]
    for name in (args.plant, *names):
        if not NAME_ID.fullmatch(name):
            raise KeyFileError(f"{name!r} must match {NAME_ID.pattern}")
    if len({"root", *names}) != len(names) + 1:
        raise KeyFileError("collector and gateways need names of their own, and none is 'root'")
    folder: Path = args.out
    root_key = _key(folder / "root.pem", args.kind)
    root_path = folder / "root.crt"
    if not root_path.exists():
        _issue(root_path, "root", args.plant, root_key, issuer=root_key)
        print(f"{root_path}: root of {args.plant}; keep root.pem offline")
    root = load_certificate(root_path)
    if identity(root)[:2] != ("root", args.plant):
        raise KeyFileError(f"{root_path} is the {identity(root)[0]} of {identity(root)[1]}")
    for name in names:
        role = "collector" if name == args.collector else "gateway"
        key, path = _key(folder / f"{name}.pem", args.kind), folder / f"{name}.crt"
        if not path.exists():
            _issue(path, role, args.plant, key, issuer=(root_key, root))
            print(f"{path}: {role} {args.plant}/{name}")
    print(f"root key SHA-256: {key_sha256(public_key(root)).hex()}")
    return 0


def _key(path: Path, kind: str) -> PrivateKey:
    """The key of a file, made if there is none."""
    if not path.exists():
        write_private(path, generate(kind))
    return load_private(path)


def _issue(
    path: Path,
    role: str,
    plant: str,
    key: PrivateKey,
    *,
    issuer: tuple[PrivateKey, x509.Certificate] | PrivateKey,
) -> None:
    """Write the certificate of a key; its name is that of the file, a root's that of the plant."""
    certificate = issue(
        role,
        plant,
        plant if role == "root" else path.stem,
        key.public_key(),
        issuer=issuer,
        not_before=dt.datetime.now(dt.UTC),  # noqa: TID251 - a certificate starts when it is made
        days=ROOT_DAYS if role == "root" else LEAF_DAYS,
    )
    path.write_bytes(certificate_to_pem(certificate))
