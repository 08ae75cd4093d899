"""`stackproof cloud broker …`: a broker's CA, configuration, certificates of gateways. Prints.

`new`, `relay`, `node`, `config`, `reload` and `sign` work on files; the others ask the running
collector, on its machine or, with `--url` and `--token`, as a person.
"""

import argparse
import base64
import datetime as dt
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.asking import RunningCollector
from cloud.clock import SystemClock
from cloud.commands.ids import plant_id
from cloud.config import load_cloud
from cloud.errors import CloudError
from cloud.transport.broker_files import ROUTE_PORT
from cloud.transport.own import put
from cloud.transport.register import CA, CRL, NODES, SERVER, SERVER_KEY, Register
from cloud.transport.rows import WORDS, Served, names_of, remembered
from cloud.transport.served import FILES, alone, barred, behind, known_of, serve_again, write
from cloud.transport.taken import take_in
from evidence.broker_certificates import (
    CLIENT_DAYS,
    REQUEST_BYTES_MAX,
    SERVER_DAYS,
    Ca,
    certify_client,
    certify_node,
    certify_server,
    collector_name,
    make_ca,
    name_of,
    node_name,
    relay_name,
)
from evidence.key_files import REFERENCE, must_not_exist, open_to_all, read_small, write_new
from evidence.keys import (
    FileSigner,
    certificate_to_pem,
    generate,
    load_certificate,
    public_key,
    write_private,
)
from evidence.owners import make_folder
from evidence.signers import open_signer
from evidence.suites import PublicKey

CA_KEY = "file:ca.pem"


def add_broker_commands(commands: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    """Add `broker` to the commands of `stackproof cloud`."""
    broker = commands.add_parser("broker", help="TLS with the broker: certificates, configuration")
    parts = broker.add_subparsers(required=True, metavar="COMMAND")
    _add_files(parts)
    request = parts.add_parser("request", help="take in a request that `edge enrol` wrote")
    requests = parts.add_parser("requests", help="who asks for a certificate, and who has one")
    approve = parts.add_parser("approve", help="certify a gateway's key that you have compared")
    revoke = parts.add_parser("revoke", help="a gateway's key lets nobody in any more")
    for command, act in (
        (request, _request), (requests, _requests), (approve, _approve), (revoke, _revoke),
    ):  # fmt: skip
        command.add_argument(
            "config",
            type=Path,
            metavar="CLOUD.toml",
            help="the collector's file; not read with --url",
        )
        command.add_argument("--url", help="of a collector elsewhere, https://…; then with --token")
        command.add_argument("--token", type=Path, metavar="FILE", help="a token with `system`")
        command.set_defaults(run=act)
    request.add_argument("request", type=Path, metavar="FILE", help="file of `edge enrol`")
    request.add_argument(
        "--out", type=Path, metavar="FILE", help="write the certificate, if its key is approved"
    )
    requests.add_argument("--json", action="store_true", help="one JSON object on stdout")
    for command in (approve, revoke):
        command.add_argument("--plant", required=True, type=plant_id, help="plant id")
        command.add_argument("--gateway", required=True, type=plant_id, help="gateway id")
        command.add_argument("--key", required=True, metavar="HEX", help="its TLS key's SHA-256")
    approve.add_argument("--out", type=Path, metavar="FILE", help="write the certificate there too")
    revoke.add_argument("--reason", required=True, help="for people, at most 200 characters")


def _add_files(parts: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    new = parts.add_parser(
        "new",
        help="make a CA, and certificates of broker and collector; anew past half of their life",
    )
    new.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    new.add_argument(
        "--host", action="append", required=True, help="name or address of the broker; repeatable"
    )
    new.add_argument("--slice", help="the collector's slice (that of its certificate; 00)")
    new.add_argument("--ca-key", metavar="REF", help=f"the CA's key: {REFERENCE} (DIR/ca.pem)")
    new.set_defaults(run=_new)
    relay = parts.add_parser("relay", help="make a key and certificate for a relay, to carry there")
    relay.add_argument("folder", type=Path, metavar="DIR", help="folder of `new`")
    relay.add_argument("--name", required=True, type=plant_id, help="lower-case letters, digits, -")
    relay.add_argument("--ca-key", metavar="REF", help=f"the CA's key: {REFERENCE} (DIR/ca.pem)")
    relay.set_defaults(run=_relay)
    node = parts.add_parser("node", help="one broker of several: its key and certificate")
    node.add_argument("folder", type=Path, metavar="DIR", help="folder of `new`")
    node.add_argument("--name", required=True, type=plant_id, help="lower-case letters, digits, -")
    node.add_argument(
        "--host", action="append", required=True,
        help="name or address it is reached by, by the other nodes at the first; repeatable",
    )  # fmt: skip
    node.add_argument("--ca-key", metavar="REF", help=f"the CA's key: {REFERENCE} (DIR/ca.pem)")
    node.set_defaults(run=_node)
    _add_config(parts)
    reload = parts.add_parser(
        "reload", help="write all configurations of a register again, and tell the brokers"
    )
    reload.add_argument("config", type=Path, metavar="CLOUD.toml", help="the collector's file")
    reload.set_defaults(run=_reload)
    sign = parts.add_parser(
        "sign", help="where the CA's key is: certify what was approved, write the revocation list"
    )
    sign.add_argument("register", type=Path, metavar="DIR", help="copy of the register's folder")
    sign.add_argument("--ca-key", required=True, metavar="REF", help=f"the CA's key: {REFERENCE}")
    sign.add_argument("--days", type=int, default=CLIENT_DAYS, help=f"valid for ({CLIENT_DAYS})")
    sign.set_defaults(run=_sign)


def _add_config(parts: Any) -> None:  # noqa: ANN401 - argparse's own type is private
    config = parts.add_parser(
        "config",
        help="write a broker's configuration: TLS and permissions",
        description="What is not said stays as it was written into this folder last.",
    )
    config.add_argument(
        "config", type=Path, nargs="+", metavar="CLOUD.toml",
        help="the collector's file; nats: of each that has a slice there, nodes are the first's",
    )  # fmt: skip
    config.add_argument("--for", dest="kind", choices=sorted(FILES), required=True)
    config.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for it")
    config.add_argument("--at", metavar="DIR", help="where it will be at the broker (--out)")
    config.add_argument("--listen", help="address to listen on (127.0.0.1)")
    config.add_argument("--port", type=int, help="port (8883)")
    config.add_argument(
        "--user", help="whom the broker runs as, who must read it (whoever writes it)"
    )
    config.add_argument(
        "--websocket", type=int, metavar="PORT",
        help="nats: MQTT over WebSocket too, wss://host:PORT/mqtt; 0: no more",
    )  # fmt: skip
    config.add_argument(
        "--node", type=plant_id, metavar="NAME", help="nats: the one of `node`, of several"
    )
    config.add_argument(
        "--route-port", type=int, metavar="PORT",
        help=f"on which nodes reach each other ({ROUTE_PORT})",
    )  # fmt: skip
    config.set_defaults(run=_config)


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(SystemClock().wall_ns() / 1e9, dt.UTC)


# -- files ----------------------------------------------------------------------------------------


def _new(args: argparse.Namespace) -> int:
    folder: Path = args.out
    reference = args.ca_key or CA_KEY
    if reference == CA_KEY and not any((folder / name).exists() for name in ("ca.pem", CA)):
        write_private(folder / "ca.pem", generate("p256"))
    signer = open_signer(reference, folder)
    if not (folder / CA).exists():
        made = make_ca(f"stackproof broker {args.host[0]}"[:64], signer, _now())
        write_new(folder / CA, certificate_to_pem(made))
    register, now = Register(folder, signer), _now()
    ca, server, own = Ca(signer, register.ca), folder / SERVER, folder / "collector.crt"
    name = collector_name(args.slice or "00")
    if args.slice is None and own.exists():
        name = name_of(load_certificate(own))
    made = certify_server(args.host, _key(folder / SERVER_KEY, server), ca, now)
    print(put(server, made, ca.certificate, now))
    made = certify_client(name, _key(folder / "collector.pem", own), ca, now, SERVER_DAYS)
    print(put(own, made, ca.certificate, now))
    if not (folder / CRL).exists():
        register.write_list(now)
    return 0


def _relay(args: argparse.Namespace) -> int:
    folder, name = args.folder, relay_name(args.name)
    signer, now = open_signer(args.ca_key or CA_KEY, folder), _now()
    ca = Ca(signer, Register(folder, signer).ca)
    key, certificate = folder / f"{name}.pem", folder / f"{name}.crt"
    made = certify_client(name, _key(key, certificate), ca, now, SERVER_DAYS)
    print(put(certificate, made, ca.certificate, now))
    print(f"to the relay: {key} {certificate} {folder / CA}; here keep the certificate alone")
    print(f'CLOUD.toml: [[broker.relay]] certificate = "file:…/{name}.crt", streams; then config')
    return 0


def _node(args: argparse.Namespace) -> int:
    signer, now = open_signer(args.ca_key or CA_KEY, args.folder), _now()
    ca, name = Ca(signer, Register(args.folder, signer).ca), node_name(args.name)
    folder: Path = args.folder / NODES / args.name
    make_folder(folder)
    made = certify_node(name, args.host, _key(folder / SERVER_KEY, folder / SERVER), ca, now)
    print(put(folder / SERVER, made, ca.certificate, now))
    print("when all nodes are there: broker config --node for each, and for each that was")
    return 0


def _key(path: Path, certificate: Path) -> PublicKey:
    """The public half of a private key, which is made where there is none.

    Where the private key was carried away and the certificate is here, the certificate's.
    """
    if not path.exists():
        if certificate.exists():
            return public_key(load_certificate(certificate))
        write_private(path, generate("p256"))
    return FileSigner.load(path).public_key


def _config(args: argparse.Namespace) -> int:
    files = [path.resolve() for path in args.config]
    register = _register(files[0])
    if len(files) > 1 and args.kind != "nats":
        raise CloudError(
            "mosquitto takes one revocation list of a CA, and each register has its own: "
            "several collectors at one broker are --for nats"
        )
    if args.websocket and args.kind != "nats":
        raise CloudError(
            "mosquitto lets revoked certificates in over WebSocket (it looks at no crlfile there): "
            "use --for nats, or have gateways reach mosquitto through a proxy with mqtts://"
        )
    if args.node is not None and args.kind != "nats":
        raise CloudError("mosquitto is one process: several as one are --for nats")
    with alone(args.out):
        before = _written_last(args, register)
        served = replace(before, **_told(args), collectors=[*map(str, files)], words=WORDS)
        known = known_of(files)
        said = [_left_out(before, served), *register.mend_list(_now())]
        said += write(served, known, [one.register for one in known.slices])
    said += [barred(served), take_in(served)]
    for one in known.slices:
        keys = f"{len(one.gateways)} gateway key(s)"
        print(f"{args.out}: {' '.join(names_of(served))}, slice {one.slice_id}, {keys}")
    print(f"{args.out}: the broker listens on {served.listen}, port {served.port}")
    print(*filter(None, said), sep="\n")
    return 0


def _written_last(args: argparse.Namespace, register: Register) -> Served:
    """This folder's configuration as it was written last; where it never was, as by default."""
    out = str(args.out.resolve())
    rows = (row for row in remembered(register.folder) if (row.out, row.kind) == (out, args.kind))
    return replace(next(rows, Served(args.kind, out, out, "127.0.0.1", 8883)), sha256="")


def _told(args: argparse.Namespace) -> dict[str, Any]:
    """What was said of it this time."""
    names = ("at", "listen", "port", "user", "route_port")
    told = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.websocket is not None:
        told["websocket"] = args.websocket or None
    if args.node is not None:
        told["node"] = node_name(args.node)
    return told


def _left_out(before: Served, served: Served) -> str:
    left = [name for name in before.collectors if name not in served.collectors]
    return f"left out, and so cut off with its gateways: {' '.join(left)}" if left else ""


def _reload(args: argparse.Namespace) -> int:
    path = args.config.resolve()
    register = _register(path)
    print(*serve_again(path, register), sep="\n")
    left = behind(path, register)
    for sentence in left:
        print(f"{args.config}: {sentence}", file=sys.stderr)
    return int(bool(left))


def _register(path: Path) -> Register:
    if (register := load_cloud(path).broker.register) is None:
        raise CloudError(f"{path}: [broker] needs a register")
    return register


def _sign(args: argparse.Namespace) -> int:
    register = Register(args.register, open_signer(args.ca_key, Path()), args.days)
    for approved in register.approved():
        made, name = register.certificate(approved, _now()), f"{approved.plant}/{approved.gateway}"
        if made is not None:
            print(f"{name} key {approved.key[:16]}: until {made.not_valid_after_utc:%Y-%m-%d}")
    for sentence in register.write_list(_now()):
        print(sentence)
    print("next: bring issued/ and crl.pem back to the collector's folder")
    return 0


# -- the running collector ------------------------------------------------------------------------


def _collector(args: argparse.Namespace) -> RunningCollector:
    if args.url is None:
        return RunningCollector(args.config)
    if args.token is None:
        raise CloudError("--url needs --token FILE: whoever approves says who it is")
    if said := open_to_all(args.token):
        print(said, file=sys.stderr)
    token = read_small(args.token).decode("ascii", "replace").strip()
    return RunningCollector.at(args.url, token)


def _request(args: argparse.Namespace) -> int:
    _is_free(args.out)
    data = base64.b64encode(read_small(args.request, REQUEST_BYTES_MAX)).decode()
    row = _collector(args).order("broker/requests", {"request": data})
    print(f"{row['plant']}/{row['gateway']}: key SHA-256 {row['key']}")
    if row["certificate"]:
        print("its key is approved already")
        _write(args.out, row)
    else:
        print("it waits. Compare the key with what `edge enrol` printed at the gateway, then:")
        print(
            f"stackproof cloud broker approve {args.config} --plant {row['plant']} --gateway "
            f"{row['gateway']} --key {row['key']} --out FILE"
        )
    return 0


def _requests(args: argparse.Namespace) -> int:
    found = _collector(args).get("broker")
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    for row in found["waiting"]:
        what = row["problem"] or f"key SHA-256 {row['key']}"
        print(f"{row['plant']}/{row['gateway']}: waits: {what}")
    for row in found["approved"]:
        ends = dt.datetime.fromisoformat(row["until"]) if row["until"] else None
        until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "no certificate yet"
        print(f"{row['plant']}/{row['gateway']}: key {row['key']}, {until}")
    return 0


def _approve(args: argparse.Namespace) -> int:
    _is_free(args.out)
    order = {"gateway": args.gateway, "key": args.key.lower()}
    row = _collector(args).order(f"plants/{args.plant}/broker/approve", order)
    _write(args.out, row)
    return _tell_next(row, "approved")


def _is_free(out: Path | None) -> None:
    """KeyFileError when it is not: asked before the order, which stands whatever comes of it."""
    if out is not None:
        must_not_exist(out)


def _write(out: Path | None, row: Mapping[str, str]) -> None:
    if out is None:
        return
    if not row["certificate"]:
        print(f"{out}: not written: the CA's key is elsewhere. broker sign there, then here")
        print("broker request CLOUD.toml FILE --out …, with the gateway's request once more")
        return
    write_new(out, row["certificate"].encode())
    print(f"{out}: to the gateway (SITE.toml, [uplink] certificate)")


def _revoke(args: argparse.Namespace) -> int:
    order = {"gateway": args.gateway, "key": args.key.lower(), "reason": args.reason}
    row = _collector(args).order(f"plants/{args.plant}/broker/revoke", order)
    print(f"{CRL}: {row['list']}")
    return _tell_next(row, "revoked")


def _tell_next(row: Mapping[str, str], done: str) -> int:
    print(f"{row['plant']}/{row['gateway']}: key {row['key']} {done}")
    print(row["broker"])
    return 0
