"""[uplink] of a site file, and the same words of a relay file: broker, proxy, TLS files. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from edge.route import PORTS, PROXY_PORTS, TLS_SCHEMES, WEBSOCKET_SCHEMES, Proxy, Route
from edge.site.way import OutboxWay, UdpWay, read_way
from firmware_configs.fields import Fields

UPLINK_MODES = ("mqtt", "one-way")
NS_PER_DAY = 86_400 * 1_000_000_000

#: what stands in requests to proxies and WebSockets
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_PATH = re.compile(r"(/[A-Za-z0-9._~/-]{0,200})?")


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of an mqtts or wss url.

    Attributes:
        ca: who certifies the broker and its clients.
        key: of this gateway for TLS, made by `stackproof edge enrol`.
        certificate: of it, as the collector's people handed it over.
    """

    ca: Path
    key: Path
    certificate: Path


@dataclass(frozen=True)
class Uplink:
    """How signed objects leave.

    Attributes:
        mode: "mqtt", or "one-way": objects and receipts are carried as files.
        url: broker, "mqtts://host:port", "wss://host:port/path", or mqtt and ws without TLS; ""
            on a one-way site.
        collector: certificate (PEM) of the collector whose receipts free the spool.
        spool_bytes_max: bound of the spool on disk; no reading is taken beyond it.
        spool_age_max_ns: age of the oldest object without a receipt at which an alarm begins;
            with a way out, the age to which the ring keeps what has left.
        way: how objects leave a one-way site by themselves; None: by hand, or not one-way.
        tls: of an mqtts or wss url, None for any other.
        proxy: the hop before the broker; None: it is reached by itself.
    """

    mode: str
    url: str
    collector: Path
    spool_bytes_max: int
    spool_age_max_ns: int
    way: OutboxWay | UdpWay | None = None
    tls: TlsFiles | None = None
    proxy: Proxy | None = None

    @property
    def route(self) -> Route:
        """The way to the broker; not of a one-way site."""
        return Route.of(self.url, self.proxy)


def read_uplink(fields: Fields, folder: Path) -> Uplink:
    """What the table says; mistakes are told to `fields`."""
    mode = fields.choice("mode", UPLINK_MODES, default="mqtt")
    url = ""
    if mode == "mqtt":
        url = fields.text("url", why='the broker, such as "mqtt://127.0.0.1:1883"')
        check_broker(fields, "url", url)
    elif fields.raw("url") is not None:
        fields.complain("url", "a one-way site has no broker: remove url, or use mode mqtt")
    uplink = Uplink(
        mode=mode,
        url=url,
        collector=file_of(fields, "collector", folder),
        spool_bytes_max=fields.integer(
            "spool_mib_max", 16, 1_000_000, default=8192
        ) * 1024 * 1024,
        spool_age_max_ns=fields.integer(
            "spool_age_max_days", 1, 3650, default=90
        ) * NS_PER_DAY,
        way=read_way(fields, folder, is_one_way=mode == "one-way"),
        tls=read_tls(fields, folder, url),
        proxy=read_proxy(fields, folder, url),
    )  # fmt: skip
    fields.finish()
    return uplink


def read_tls(fields: Fields, folder: Path, url: str) -> TlsFiles | None:
    """The files of an mqtts or wss url, None for another; no key switches verification off."""
    names = ("ca", "key", "certificate")
    if url.partition(":")[0].lower() in TLS_SCHEMES:
        return TlsFiles(*(file_of(fields, name, folder) for name in names))
    for name in names:
        if fields.has(name):
            fields.raw(name)
            fields.complain(name, "belongs to an mqtts:// or wss:// url")
    return None


def read_proxy(fields: Fields, folder: Path, url: str) -> Proxy | None:
    """The proxy before the broker, None without one."""
    proxy = fields.optional_text("proxy")
    login = file_of(fields, "proxy_login", folder) if fields.has("proxy_login") else None
    if not proxy:
        if login is not None:
            fields.complain("proxy_login", "belongs to a proxy")
        return None
    if not url:
        fields.complain("proxy", "belongs to a url")
        return None
    parts = _split(proxy)
    if parts is None or parts.scheme not in PROXY_PORTS or not _is_bare(parts):
        # what stands before an @ may be a password: it is not repeated
        fields.complain(
            "proxy",
            "must look like http://host:3128 or socks5://host:1080, and no more; user and password "
            'belong in a file: proxy_login = "file:…"',
        )
        return None
    return Proxy.of(proxy, login)


def check_broker(fields: Fields, key: str, url: str) -> None:
    """Complain about a broker's URL that is none."""
    parts = _split(url)
    fits = parts is not None and parts.scheme in PORTS
    if parts is not None and parts.scheme in WEBSOCKET_SCHEMES and _PATH.fullmatch(parts.path):
        parts = parts._replace(path="")
    if url and (parts is None or not fits or not _is_bare(parts)):
        said = "" if "@" in url else f"{url!r} "  # before an @ may stand a password
        fields.complain(
            key,
            f"{said}must look like mqtt://host:1883, mqtts://host:8883, ws://host:80/mqtt or "
            "wss://host:443/mqtt, and no more",
        )


def _split(url: str) -> SplitResult | None:
    """Its parts; None where host or port are none."""
    try:
        parts = urlsplit(url)
        good = parts.port != 0 and _HOST.fullmatch(parts.hostname or "")
        (parts.hostname or "").encode("idna")  # as looking it up does
    except ValueError:  # a port that is none; a label that is empty or too long
        return None
    return parts if good else None


def _is_bare(parts: SplitResult) -> bool:
    """Nothing but scheme, host and port."""
    extra = parts.username or parts.password or parts.path.strip("/")
    return not (extra or parts.query or parts.fragment)


def file_of(fields: Fields, key: str, folder: Path) -> Path:
    """The file that a reference "file:…" names."""
    value = fields.text(key, why='a reference such as "file:keys/edge-1.pem"')
    if value and not value.startswith("file:"):
        # what stands there may be the secret itself: it is not repeated
        fields.complain(key, 'must be a reference: "file:" and a path')
    return folder / value.removeprefix("file:")
