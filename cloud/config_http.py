"""[http] of CLOUD.toml: where pages and API are served, and whether one needs an account. Pure."""

import ipaddress
from dataclasses import dataclass

from firmware_configs.fields import Fields


@dataclass(frozen=True)
class HttpConfig:
    """Where pages and API are served.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        names: names browsers may use for it besides the loopback ones.
        accounts: reading needs an account.
        visitors_operate: without accounts, whoever is on this machine acknowledges alarms too.
    """

    host: str
    port: int
    names: tuple[str, ...]
    accounts: bool
    visitors_operate: bool = False


def read_http(fields: Fields) -> HttpConfig:
    """What the table says; mistakes are told to `fields`."""
    host = fields.text("host", default="127.0.0.1")
    port = fields.integer("port", 0, 65_535, default=8600)
    switches = {"allow_remote": False, "accounts": True, "visitors_operate": False}
    for key in switches:
        value = fields.raw(key)
        if not isinstance(value, bool | None):
            fields.complain(key, "must be true or false")
        elif value is not None:
            switches[key] = value
    if not _is_loopback(host) and not switches["allow_remote"]:
        fields.complain(
            "host",
            f"{host} can be reached from other machines, and the pages have no TLS of their own: "
            "put a proxy in front, or say allow_remote = true",
        )
    names = fields.sequence("names")
    if not all(isinstance(name, str) and name for name in names):
        fields.complain("names", 'must be a list of names: ["collector.example"]')
        names = []
    if switches["visitors_operate"] and (switches["accounts"] or names or not _is_loopback(host)):
        fields.complain(
            "visitors_operate",
            "is for a demo: it needs accounts = false, a loopback host and no names",
        )
    fields.finish()
    shown = () if _is_loopback(host) and not names else (host, *names)
    return HttpConfig(host, port, shown, switches["accounts"], switches["visitors_operate"])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
