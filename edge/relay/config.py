"""RELAY.toml as frozen types, every problem found in one pass. I/O: reads that file."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.broker_tls import BrokerTls
from edge.errors import SiteConfigError
from edge.route import Proxy, Route
from edge.site.config import SITE_BYTES_MAX, slice_of
from edge.site.metrics import Metrics, read_metrics
from edge.site.uplink import check_broker, read_proxy, read_tls
from edge.site.way import address_of
from evidence.errors import KeyFileError
from evidence.keys import load_certificate, public_key
from evidence.points import NAME_ID
from evidence.suites import PublicKey
from firmware_configs.fields import Fields, Problem
from firmware_configs.toml import NotTomlError, parse_toml

STREAMS_MAX = 100
#: what a relay's people do about its certificate
ASK = "At the collector: stackproof cloud broker relay"


@dataclass(frozen=True)
class RelayStream:
    """A gateway whose objects are forwarded; of any other they are dropped.

    Attributes:
        plant, gateway, slice: its place in the topic tree.
        collector: whose receipts are believed.
    """

    plant: str
    gateway: str
    slice: str
    collector: PublicKey

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.plant}/{self.gateway}"


@dataclass(frozen=True)
class RelayConfig:
    """Everything the file says.

    Attributes:
        state_dir: where what waits for a receipt is kept.
        queue_bytes_max: bound of that, for each stream.
        folder: where files of exported spools are put; None: nowhere.
        udp: host and port where datagrams are taken; None: nowhere.
        url: the broker.
        tls: of an mqtts or wss url, None for any other.
        streams: at least one.
        metrics: where Prometheus is answered; None: nowhere.
        proxy: the hop before the broker; None: it is reached by itself.
    """

    path: Path
    state_dir: Path
    queue_bytes_max: int
    folder: Path | None
    udp: tuple[str, int] | None
    url: str
    tls: BrokerTls | None
    streams: Sequence[RelayStream]
    metrics: Metrics | None = None
    proxy: Proxy | None = None

    @property
    def route(self) -> Route:
        """The way to the broker."""
        return Route.of(self.url, self.proxy)


def load_relay(path: Path) -> RelayConfig:
    """Read the file.

    Raises:
        SiteConfigError: with every problem in it; unreadable and non-TOML files too.
    """
    problems: list[Problem] = []
    root = Fields(_table(path), file=str(path), prefix="", problems=problems)
    if root.raw("format") != 1:
        root.complain("format", "must be 1: write format = 1 above all tables")
    relay = root.child("relay")
    folder = path.parent
    url = relay.text("broker", why='the broker, such as "mqtt://127.0.0.1:1883"')
    config = RelayConfig(
        path=path,
        state_dir=folder / relay.text("state_dir", default="relay"),
        queue_bytes_max=relay.integer("queue_mib_max", 16, 1_000_000, default=8192) * 1024 * 1024,
        folder=folder / relay.text("folder") if relay.has("folder") else None,
        udp=_udp(relay),
        url=url,
        tls=_tls(relay, folder, url),
        streams=_streams(root, folder),
        metrics=read_metrics(root.child("metrics")) if root.has("metrics") else None,
        proxy=read_proxy(relay, folder, url),
    )
    check_broker(relay, "broker", url)
    if config.folder is None and config.udp is None:
        relay.complain("folder", "is missing: name a folder, or udp, or both")
    relay.finish()
    root.finish()
    if problems:
        raise SiteConfigError(problems)
    return config


def _tls(fields: Fields, folder: Path, url: str) -> BrokerTls | None:
    files = read_tls(fields, folder, url)
    if files is None:
        return None
    return BrokerTls("", files.ca, files.key, files.certificate, ask=ASK)


def _table(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(SITE_BYTES_MAX + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise SiteConfigError([Problem(str(path), "", reason)]) from error
    if len(data) > SITE_BYTES_MAX:
        raise SiteConfigError([Problem(str(path), "", "too large for a relay file")])
    try:
        return dict(parse_toml(data))
    except NotTomlError as error:
        raise SiteConfigError([Problem(str(path), "", f"is not TOML: {error}")]) from error


def _udp(fields: Fields) -> tuple[str, int] | None:
    """Loopback unless told otherwise, as every listener here."""
    listen, may_be_remote = fields.optional_text("udp"), fields.raw("allow_remote")
    if not isinstance(may_be_remote, bool | None):
        fields.complain("allow_remote", "must be true or false")
    if not listen:
        return None
    found = address_of(listen)
    if found is None:
        fields.complain("udp", f'{listen!r} must be an IP address and a port: "127.0.0.1:5514"')
    elif not ipaddress.ip_address(found[0]).is_loopback and not may_be_remote:
        fields.complain(
            "udp", f"{found[0]} can be reached from other machines: say allow_remote = true"
        )
    return found


def _streams(root: Fields, folder: Path) -> Sequence[RelayStream]:
    tables, found = root.children("stream"), list[RelayStream]()
    if not 1 <= len(tables) <= STREAMS_MAX:
        root.complain("stream", f"write 1 to {STREAMS_MAX} tables [[stream]], one a gateway")
    for fields in tables:
        names = [fields.text(key, why="lower-case letters, digits and -") for key in _NAMES]
        for key, name in zip(_NAMES, names, strict=True):
            if name and not NAME_ID.fullmatch(name):
                fields.complain(key, f"{name!r} must match {NAME_ID.pattern}")
        if names in [[s.plant, s.gateway] for s in found]:
            fields.complain("gateway", f"{'/'.join(names)} stands here twice")
        slice_id, collector = slice_of(fields), _collector(fields, folder)
        if collector is not None:
            found.append(RelayStream(names[0], names[1], slice_id, collector))
        fields.finish()
    return found


_NAMES = ("plant", "gateway")


def _collector(fields: Fields, folder: Path) -> PublicKey | None:
    named = fields.text("collector", why='a reference such as "file:collector.crt"')
    if not named.startswith("file:"):
        if named:
            fields.complain("collector", f'{named!r} must be a reference: "file:" and a path')
        return None
    try:
        return public_key(load_certificate(folder / named.removeprefix("file:")))
    except KeyFileError as error:
        fields.complain("collector", str(error))
        return None
