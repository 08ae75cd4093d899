"""[metrics] of a site file: where the agent answers Prometheus; absent: nowhere. Pure."""

import ipaddress
import re
from dataclasses import dataclass

from firmware_configs.fields import Fields

_LISTEN = re.compile(r"(?P<host>[0-9.]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
PORT_MAX = 65_535


@dataclass(frozen=True)
class Metrics:
    """Where /metrics is served: an IP address and a TCP port (1 to 65535)."""

    host: str
    port: int


def read_metrics(fields: Fields) -> Metrics | None:
    """What the table says; mistakes are told to `fields`."""
    listen = fields.text("listen", why='an address and port, such as "127.0.0.1:9464"')
    may_be_remote = fields.raw("allow_remote")
    if not isinstance(may_be_remote, bool | None):
        fields.complain("allow_remote", "must be true or false")
    found = _address(listen)
    if listen and found is None:
        fields.complain("listen", f'{listen!r} must be an IP address and a port: "127.0.0.1:9464"')
    elif found and not ipaddress.ip_address(found.host).is_loopback and not may_be_remote:
        fields.complain(
            "listen",
            f"{found.host} can be reached from other machines, and whoever asks is answered: use "
            "127.0.0.1, or say allow_remote = true",
        )
    fields.finish()
    return found


def _address(listen: str) -> Metrics | None:
    parts = _LISTEN.fullmatch(listen)
    if parts is None or not 0 < int(parts["port"]) <= PORT_MAX:
        return None
    host = parts["host"].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return Metrics(host, int(parts["port"]))
