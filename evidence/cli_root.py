"""`stackproof keys enrol|revoke|replace`: what only the plant's root can do, as files. Prints."""

import argparse
import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evidence.certify import certify, decode_request, objection_to
from evidence.errors import KeyFileError, MalformedError
from evidence.key_files import REFERENCE, id_of, must_not_exist, now, read_small, write_new
from evidence.keys import (
    Certificate,
    Signer,
    certificate_to_der,
    certificate_to_pem,
    identity,
    is_issued_by,
    key_sha256,
    load_certificate,
    public_key,
)
from evidence.orders import Order, Replace, Revoke, encode_order
from evidence.signers import FILE, open_signer

DAYS, DAYS_MAX = 1825, 7300
_SHA256 = re.compile("[0-9a-f]{64}")
#: a --through that was not given; None is: it never was good
_UNSAID = -1
#: of what `stackproof cloud stream` prints
_STATE = {"plant": str, "gateway": str, "seq": int, "head": str, "through_ns": int, "key": str}


def add_root_commands(commands: Any) -> None:
    """Add `enrol`, `revoke` and `replace` to the commands of `stackproof keys`."""
    _add_enrol(commands)
    _add_revoke(commands)
    _add_replace(commands)


def _add_enrol(commands: Any) -> None:
    enrol = commands.add_parser(
        "enrol",
        help="sign the certificate a request asks for",
        description="Checks that the request is signed by its own key and of the root's plant, and "
        "writes the certificate. A gateway's goes to the gateway and into the collector's key "
        "folder; a collector's into CLOUD.toml and to every gateway. What the key is for is said "
        "here: the request is written by whoever asks.",
    )
    enrol.add_argument("--csr", type=Path, required=True, metavar="FILE", help="the request")
    enrol.add_argument(
        "--name", required=True, type=id_of, metavar="ID",
        help="whose key it is: gateway id, or collector's name",
    )  # fmt: skip
    enrol.add_argument(
        "--role", choices=("gateway", "collector"), default="gateway",
        help="what it may be (gateway); a collector's key gives receipts and seals months",
    )  # fmt: skip
    _add_root(enrol, "the certificate")
    enrol.add_argument(
        "--key-sha256", required=True, metavar="HEX", help="of its key, as the gateway showed it"
    )
    enrol.add_argument("--days", type=_days, default=DAYS, metavar="N", help=f"valid for ({DAYS})")
    enrol.set_defaults(run=_enrol)


def _enrol(args: argparse.Namespace) -> int:
    must_not_exist(args.out)
    signer, root = open_root(args)
    try:
        request = decode_request(read_small(args.csr))
    except MalformedError as error:
        raise KeyFileError(f"{args.csr}: {error}") from error
    sha256 = key_sha256(request.key).hex()
    if sha256 != args.key_sha256.lower():
        raise KeyFileError(
            f"{args.csr} asks for key {sha256}, not for the one you were told: do not sign; ask "
            "the gateway's people what `keys csr` printed"
        )
    plant = id_of(identity(root)[1])
    if (request.role, request.plant, request.name) != (args.role, plant, args.name):
        raise KeyFileError(
            f"{args.csr} asks for {request.role} {request.plant}/{request.name}, and you would "
            f"make it {args.role} {plant}/{args.name}: --role and --name are yours to say, of what "
            "the gateway's people told you, and the plant is the root's"
        )
    begins = now()
    ends = begins + dt.timedelta(days=args.days)
    if not root.not_valid_before_utc <= begins <= ends <= root.not_valid_after_utc:
        raise KeyFileError(
            f"the root is valid {root.not_valid_before_utc:%Y-%m-%d} to "
            f"{root.not_valid_after_utc:%Y-%m-%d}; the certificate would end {ends:%Y-%m-%d}: "
            "choose fewer --days"
        )
    made = certify(request, signer, root, not_before=begins, days=args.days)
    write_new(args.out, certificate_to_pem(made))
    print(f"{args.out}: {request.role} {request.plant}/{request.name}, until {ends:%Y-%m-%d}")
    if request.role == "collector":
        print("next: to the collector (CLOUD.toml, [cloud] certificate, or collector in this")
        print("plant's [[plant]]) and to every gateway (site file, [uplink] collector)")
        return 0
    print("next: to the gateway (site file, certificate), and to the collector's key folder:")
    print("stackproof cloud keys CLOUD.toml")
    return 0


def _add_revoke(commands: Any) -> None:
    revoke = commands.add_parser(
        "revoke",
        help="order that a gateway's key is good no further than an object",
        description="Writes an order signed by the root. Objects after --through that the key "
        "signs are put aside by the collector, and fail every archive they stand in, also those "
        "that the collector has: nothing takes such an order back.",
    )
    revoke.add_argument(
        "--state", type=Path, metavar="FILE",
        help="what `stackproof cloud stream` printed while the key was in use: gateway, key and "
        "the last object are those; without it all three are said",
    )  # fmt: skip
    revoke.add_argument("--gateway", type=id_of, metavar="ID", help="gateway id")
    revoke.add_argument("--key", metavar="KEY", help="its SHA-256 (hex), or file:PATH of its .crt")
    revoke.add_argument(
        "--through", type=_through, metavar="SEQ", default=_UNSAID,
        help="the last object it was good for; none: it never was",
    )  # fmt: skip
    add_order_options(revoke)
    revoke.set_defaults(run=_revoke)


def _add_replace(commands: Any) -> None:
    replace = commands.add_parser(
        "replace",
        help="order that a new device continues the stream of a lost one",
        description="Writes an order signed by the root: the stream goes on, after the last object "
        "that the collector holds, with the new device's key; the old key ends there.",
    )
    replace.add_argument(
        "--certificate", type=Path, required=True, metavar="FILE", help="of the new device's key"
    )
    replace.add_argument(
        "--state", type=Path, required=True, metavar="FILE",
        help="where the stream stands: what `stackproof cloud stream` prints there",
    )  # fmt: skip
    add_order_options(replace)
    replace.set_defaults(run=_replace)


def add_order_options(command: Any) -> None:
    """Who signs an order, where it goes, and why."""
    _add_root(command, "the order")
    command.add_argument("--reason", required=True, help="for people, at most 200 characters")


def _add_root(command: Any, what: str) -> None:
    command.add_argument("--root", required=True, metavar="REF", help=f"root key: {REFERENCE}")
    command.add_argument(
        "--root-certificate", type=Path, required=True, metavar="FILE", help="root.crt"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=what)


def _revoke(args: argparse.Namespace) -> int:
    signer, root = open_root(args)
    plant = identity(root)[1]
    if args.state is not None:
        gateway, key, newest = _stands(args, plant)
        through = newest if args.through == _UNSAID else args.through
        lost = newest - (-1 if through is None else through)
        if lost < 0:
            raise KeyFileError(f"--through {through}: by {args.state} the newest is {newest}")
    elif None in (args.gateway, args.key) or args.through == _UNSAID:
        raise KeyFileError("give --state, or --gateway, --key and --through")
    else:
        gateway, key, through, lost = args.gateway, _named_key(args, root), args.through, 0
    _write_order(args, signer, Revoke(plant, gateway, key, through, args.reason))
    until = "for all objects" if through is None else f"after object {through}"
    print(f"{args.out}: key {key.hex()} of {plant}/{gateway} ends {until}")
    if lost:
        print(f"{lost} object(s) that the collector has count no more, through {newest}")
    print("next: into the collector's key folder: stackproof cloud keys CLOUD.toml")
    print("a stream whose key in use ends goes on by keys rotate before, or keys replace after it")
    return 0


def _stands(args: argparse.Namespace, plant: str) -> tuple[str, bytes, int]:
    """Gateway, key in use and newest object, as the collector told it."""
    if args.gateway is not None or args.key is not None:
        raise KeyFileError("--state says gateway and key: leave --gateway and --key out")
    state = _state(args.state, plant)
    if state["seq"] in state["revoked"].values():
        raise KeyFileError(
            f"{args.state} is of after an order that ended a key at object {state['seq']}: its key "
            "is the next one, which has signed nothing yet. Give the file from before that order"
        )
    return state["gateway"], bytes.fromhex(state["key"]), state["seq"]


def _named_key(args: argparse.Namespace, root: Certificate) -> bytes:
    """The key to revoke, by its hash or by its certificate."""
    if _SHA256.fullmatch(args.key):
        return bytes.fromhex(args.key)
    if not args.key.startswith(FILE):
        raise KeyFileError(f"--key {args.key!r}: write 64 hex digits, or file:PATH of a .crt")
    return _certified(Path(args.key.removeprefix(FILE)), root, args.gateway)


def _certified(path: Path, root: Certificate, gateway: str) -> bytes:
    """`key_sha256` of a gateway's certificate by this root."""
    certificate = load_certificate(path)
    plant = identity(root)[1]
    if objection_to(certificate, "gateway", plant, gateway, root=root):
        sentence = f"{path} is no certificate of gateway {plant}/{gateway} by this root"
        raise KeyFileError(f"{sentence}; make one with keys csr and keys enrol")
    return key_sha256(public_key(certificate))


def _replace(args: argparse.Namespace) -> int:
    signer, root = open_root(args)
    plant = identity(root)[1]
    state = _state(args.state, plant)
    new = _certified(args.certificate, root, state["gateway"])
    old = bytes.fromhex(state["key"])
    if new == old:
        sentence = "is of the key in use: a new device needs a key of its own (keys csr)"
        raise KeyFileError(f"{args.certificate} {sentence}")
    certificate = certificate_to_der(load_certificate(args.certificate))
    order = Replace(
        plant, state["gateway"], old, certificate, state["seq"], bytes.fromhex(state["head"]),
        state["through_ns"], args.reason,
    )  # fmt: skip
    _write_order(args, signer, order)
    print(f"{args.out}: {plant}/{state['gateway']} goes on after object {state['seq']} with key")
    print(f"{new.hex()}; key {old.hex()} ends there")
    print("next: into the collector's key folder (stackproof cloud keys CLOUD.toml), and into the")
    print("new device's site file, [gateway]: continues and root")
    return 0


def _state(path: Path, plant: str) -> Mapping[str, Any]:
    """Where a stream of this plant stands, as the collector told it."""
    fix = "ask again, at the collector: stackproof cloud stream CLOUD.toml --plant … --gateway …"
    try:
        state = json.loads(read_small(path))
    except (ValueError, RecursionError) as error:
        raise KeyFileError(f"{path}: not JSON: {error}; {fix}") from error
    if not isinstance(state, dict):
        raise KeyFileError(f"{path}: not the state of a stream; {fix}")
    for name, kind in _STATE.items():
        value = state.get(name)
        is_so = type(value) is kind
        if not is_so or (name in ("head", "key") and not _SHA256.fullmatch(str(value))):
            raise KeyFileError(f"{path}: {name} is missing or not as the collector says it; {fix}")
    if not isinstance(state.setdefault("revoked", {}), dict):
        raise KeyFileError(f"{path}: revoked is not as the collector says it; {fix}")
    if state["plant"] != plant:
        raise KeyFileError(f"{path} is of plant {state['plant']}; this is {plant}'s root")
    return state


def _write_order(args: argparse.Namespace, signer: Signer, order: Order) -> None:
    must_not_exist(args.out)
    try:
        data = encode_order(order, signer)
    except MalformedError as error:
        raise KeyFileError(f"{error}") from error
    write_new(args.out, data)


def open_root(args: argparse.Namespace) -> tuple[Signer, Certificate]:
    """The root's signer and certificate; KeyFileError when they do not belong together."""
    certificate = load_certificate(args.root_certificate)
    if identity(certificate)[0] != "root" or not is_issued_by(certificate, certificate):
        raise KeyFileError(f"{args.root_certificate} is no plant's root certificate")
    signer = open_signer(args.root, Path())
    if key_sha256(signer.public_key) != key_sha256(public_key(certificate)):
        raise KeyFileError(f"{args.root_certificate} does not belong to {args.root}")
    return signer, certificate


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAYS_MAX:
        raise KeyFileError(f"--days {text!r} must be 1 to {DAYS_MAX}")
    return int(text)


def _through(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise KeyFileError(f"--through {text!r} must be an object's seq, or none")
    return int(text)
