"""The way to a broker: its url, and the proxy before it if there is one. Pure."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: scheme -> its port where the url names none
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
TLS_SCHEMES, WEBSOCKET_SCHEMES = ("mqtts", "wss"), ("ws", "wss")
#: of a proxy; 1080 is RFC 1928's
PROXY_PORTS = {"http": 3128, "socks5": 1080}
WEBSOCKET_PATH = "/mqtt"  # of nats-server, of paho, and of most brokers


@dataclass(frozen=True)
class Proxy:
    """A proxy that leads out of the plant; it looks the broker's name up.

    Attributes:
        scheme: "http" (CONNECT) or "socks5".
        host, port: where it listens.
        login: file of one line, "user:password"; None: it asks for none.
    """

    scheme: str
    host: str
    port: int
    login: Path | None = None

    @classmethod
    def of(cls, url: str, login: Path | None = None) -> "Proxy":
        """Of "http://host:port" or "socks5://host:port"."""
        parts = urlsplit(url)
        port = parts.port or PROXY_PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname or "", port, login)


@dataclass(frozen=True)
class Route:
    """How a broker is reached.

    Attributes:
        host, port: the broker's, as its certificate and the proxy call it.
        path: of the WebSocket; "" for MQTT over TCP.
        proxy: the hop before; None: the broker is reached by itself.
    """

    host: str
    port: int
    path: str = ""
    proxy: Proxy | None = None

    @classmethod
    def of(cls, url: str, proxy: Proxy | None = None) -> "Route":
        """Of a url that `edge.site.uplink.check_broker` takes."""
        parts = urlsplit(url)
        is_websocket = parts.scheme in WEBSOCKET_SCHEMES
        path = (parts.path if parts.path.strip("/") else WEBSOCKET_PATH) if is_websocket else ""
        port = parts.port or PORTS.get(parts.scheme, PORTS["mqtt"])
        host = parts.hostname or "127.0.0.1"
        return cls(host, port, path, proxy)

    @property
    def is_here(self) -> bool:
        """The broker is on this machine: what is said to it passes no network."""
        return self.proxy is None and self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def place(self) -> str:
        """`host:port` as a proxy, a Host header and people are told."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
