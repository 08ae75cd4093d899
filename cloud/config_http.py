"""[http] of CLOUD.toml: where pages and API are served, and whether one needs an account. Pure."""

import ipaddress
from dataclasses import dataclass

from firmware_configs.fields import Fields


@dataclass(frozen=True)
class Address:
    """Where pages and API are served.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        names: names browsers may use for it besides the loopback ones; empty for this machine only.
    """

    host: str
    port: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class HttpConfig(Address):
    """Likewise of a collector.

    Attributes:
        accounts: reading needs an account.
        visitors_operate: without accounts, whoever is on this machine acknowledges alarms too.
    """

    accounts: bool
    visitors_operate: bool = False

    def open_note(self, url: str) -> str:
        """A sentence for the log of a collector that needs no accounts; "" for others.

        Args:
            url: of its pages.
        """
        if self.accounts:
            return ""
        if not self.names:
            acts = " and acknowledges alarms" if self.visitors_operate else ""
            return (
                f"accounts = false: everyone on this machine reads everything{acts}. "
                "Before you connect a real plant, delete the line from [http] in CLOUD.toml."
            )
        return (
            f"accounts = false: everyone who reaches {url} reads all plants, months and documents. "
            "Delete the line from [http] in CLOUD.toml."
        )


def read_http(fields: Fields) -> HttpConfig:
    """What the table says; mistakes are told to `fields`."""
    accounts = _switch(fields, "accounts", default=True)
    visitors_operate = _switch(fields, "visitors_operate", default=False)
    at = read_address(fields)
    if visitors_operate and (accounts or at.names):
        fields.complain(
            "visitors_operate",
            "is for a demo: it needs accounts = false, a loopback host and no names",
        )
    return HttpConfig(at.host, at.port, at.names, accounts, visitors_operate)


def read_address(fields: Fields) -> Address:
    """Likewise; whatever else stands there and was not asked for before is a mistake."""
    host = fields.text("host", default="127.0.0.1")
    port = fields.integer("port", 0, 65_535, default=8600)
    allow_remote = _switch(fields, "allow_remote", default=False)
    if not _is_loopback(host) and not allow_remote:
        fields.complain(
            "host",
            f"{host} can be reached from other machines, and the pages have no TLS of their own: "
            "put a proxy in front, or say allow_remote = true",
        )
    names = fields.sequence("names")
    if not all(isinstance(name, str) and name for name in names):
        fields.complain("names", 'must be a list of names: ["collector.example"]')
        names = []
    fields.finish()
    shown = () if _is_loopback(host) and not names else (host, *names)
    return Address(host, port, shown)


def _switch(fields: Fields, key: str, *, default: bool) -> bool:
    value = fields.raw(key)
    if not isinstance(value, bool | None):
        fields.complain(key, "must be true or false")
        return default
    return default if value is None else value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
