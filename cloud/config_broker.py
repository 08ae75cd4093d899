"""[broker] of CLOUD.toml: which broker, how it is reached, who certifies for it. I/O: files.

```toml
[broker]
mode = "external"
url = "mqtts://broker.example:8883"
ca = "file:broker/ca.crt"                 # who certifies the broker
certificate = "file:broker/collector.crt"
key = "file:broker/collector.pem"
register = "file:broker"                  # requests and certificates of gateways; optional
ca_key = "file:broker/ca.pem"             # or pkcs11:…; without it somebody else signs
certificate_days = 30

[[broker.relay]]                          # optional: who forwards for one-way sites
certificate = "file:broker/relay-west.crt"
streams = ["smelter/edge-1"]              # plant/gateway
```
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cloud.collector.topics import SLICE_ID
from cloud.config_file import parse_file
from cloud.errors import CloudConfigError
from cloud.transport.broker_files import KnownRelay, KnownSlice
from cloud.transport.register import CA, Register
from cloud.transport.tls import TlsFiles
from evidence.broker_certificates import (
    CLIENT_DAYS,
    RELAY_PREFIX,
    gateway_name,
    key_of_der,
    name_of,
    uri_of,
)
from evidence.errors import EvidenceError, TokenAwayError
from evidence.keys import load_certificate, public_key
from evidence.points import NAME_ID
from evidence.token_key import patient_signer
from firmware_configs.fields import Fields, Problem

log = logging.getLogger("stackproof.cloud.transport")

BROKER_MODES = ("embedded", "external")
_TLS = ("ca", "certificate", "key")


@dataclass(frozen=True)
class BrokerConfig:
    """Which broker.

    Attributes:
        embedded: start one.
        port: of the embedded one; 0 takes a free port.
        url: of the external one, "" otherwise.
        tls: what the collector shows and believes; None for an url without TLS.
        register: certificates of gateways; None where somebody else makes them.
        relays: who forwards for gateways.
    """

    embedded: bool
    port: int
    url: str
    tls: TlsFiles | None = None
    register: Register | None = None
    relays: Sequence[KnownRelay] = ()


def read_broker(fields: Fields, folder: Path) -> BrokerConfig:
    """What the table says; mistakes are told to `fields`, paths are relative to `folder`."""
    embedded = fields.choice("mode", BROKER_MODES, default="embedded") == "embedded"
    port, url, tls = 0, "", None
    if embedded:
        port = fields.integer("port", 0, 65_535, default=1883)
        for key in ("url", *_TLS, "register", "ca_key", "certificate_days", "relay"):
            if fields.has(key):
                fields.raw(key)
                fields.complain(key, 'belongs to mode = "external"')
        fields.finish()
        return BrokerConfig(embedded, port, url)
    url = fields.text("url", why='"mqtts://host:port" of the broker')
    scheme = _scheme(fields, url)
    if fields.has("port"):
        fields.raw("port")
        fields.complain("port", 'belongs to mode = "embedded"; the url has the port')
    tls = _tls(fields, folder, scheme)
    register = _register(fields, folder)
    relays = _relays(fields, folder)
    fields.finish()
    return BrokerConfig(embedded, port, url, tls, register, relays)


def _scheme(fields: Fields, url: str) -> str:
    if not url:
        return ""
    said = "" if "@" in url else f"{url!r} "  # before an @ may stand a password
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("mqtt", "mqtts") and parts.hostname and (parts.port or 1) > 0
    except ValueError as error:
        fields.complain("url", f"{said}is no address: {error}" if said else "is no address")
        return ""
    if not known:
        fields.complain("url", f'{said}is not "mqtts://host:port" or "mqtt://host:port"')
    elif parts.username or parts.password:
        fields.complain("url", "must not hold a password: it would be seen in logs and lists")
    return parts.scheme


def _tls(fields: Fields, folder: Path, scheme: str) -> TlsFiles | None:
    named = [key for key in _TLS if fields.has(key)]
    if scheme != "mqtts":
        for name in named:
            fields.raw(name)
            fields.complain(name, "belongs to an mqtts:// url")
        return None
    ca, certificate, key = (_file(fields, name, folder) for name in _TLS)
    if ca is None or certificate is None or key is None:
        return None
    files = TlsFiles(ca, certificate, key)
    for where, reason in files.problems():
        fields.complain(where, reason)
    return files


def _register(fields: Fields, folder: Path) -> Register | None:
    days = fields.integer("certificate_days", 1, 397, default=CLIENT_DAYS)
    reference = fields.text("ca_key", default="")
    if not fields.has("register"):
        if reference:
            fields.complain("register", 'is missing: ca_key signs there; write "file:broker"')
        return None
    path = _file(fields, "register", folder)
    if path is None:
        return None
    try:
        signer = patient_signer(reference, folder, path / CA, _ca_is_away) if reference else None
        return Register(path, signer, days)
    except EvidenceError as error:
        fields.complain("ca_key" if reference else "register", str(error))
        return None


def _ca_is_away(error: TokenAwayError) -> None:
    """Certificates wait for it; evidence does not."""
    log.warning("broker.ca_key: %s; no certificate is made until it is", error)


def _relays(fields: Fields, folder: Path) -> Sequence[KnownRelay]:
    found = list[KnownRelay]()
    for table in fields.children("relay"):
        path, streams = _file(table, "certificate", folder), _streams(table)
        table.finish()
        if path is None or not streams:
            continue
        try:
            certificate = load_certificate(path)
            name = name_of(certificate)
            uri = uri_of(name, public_key(certificate))
        except EvidenceError as error:
            table.complain("certificate", str(error))
            continue
        if not name.startswith(RELAY_PREFIX):
            table.complain("certificate", f"{path} is for {name}, which is no relay's name")
        elif name in [relay.name for relay in found]:
            table.complain("certificate", f"{name} stands here twice: list all its streams in one")
        found.append(KnownRelay(name, uri, streams))
    return found


def slice_now(path: Path) -> KnownSlice:
    """A collector and those who speak to it, as its CLOUD.toml and register say now.

    It may be a copy, of another collector's: private keys are not read.

    Raises:
        CloudConfigError: what is needed of it cannot be read.
        EvidenceError: a certificate or key that it names cannot.
    """
    problems = list[Problem]()
    root = Fields(parse_file(path, problems), file=str(path), prefix="", problems=problems)
    if problems:
        raise CloudConfigError(problems)
    fields = root.child("broker")
    slice_id = root.child("cloud").text("slice", why="two hex digits")
    if slice_id and not SLICE_ID.fullmatch(slice_id):
        problems.append(Problem(str(path), "cloud.slice", f"{slice_id!r} is not two hex digits"))
    register, certificate = (_file(fields, n, path.parent) for n in ("register", "certificate"))
    relays = _relays(fields, path.parent)
    if problems or register is None or certificate is None:
        raise CloudConfigError(problems)
    own, held = load_certificate(certificate), Register(register, None)
    gateways = [
        (one.plant, one.gateway, uri_of(gateway_name(one.plant, one.gateway), key))
        for one in held.approved()
        for key in (key_of_der(one.path.read_bytes()),)
    ]
    return KnownSlice(
        path, register, slice_id, name_of(own), uri_of(name_of(own), public_key(own)), gateways,
        relays, sorted(held.ended()),
    )  # fmt: skip


def _streams(fields: Fields) -> Sequence[tuple[str, str]]:
    named, found = fields.sequence("streams"), list[tuple[str, str]]()
    for one in named:
        plant, _, gateway = str(one).partition("/")
        if NAME_ID.fullmatch(plant) and NAME_ID.fullmatch(gateway):
            found.append((plant, gateway))
    if not named or len(found) < len(named):
        fields.complain("streams", 'must be a list of gateways that it forwards: "plant/gateway"')
    return found


def _file(fields: Fields, key: str, folder: Path) -> Path | None:
    value = fields.text(key, why='"file:…": stackproof cloud broker new makes such files')
    if not value.startswith("file:"):
        if value:
            # what stands there may be the key itself: it is not repeated
            fields.complain(key, 'is not a reference; write "file:path"')
        return None
    return folder / value.removeprefix("file:")
