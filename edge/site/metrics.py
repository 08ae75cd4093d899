"""[metrics] of a site file: where the agent answers Prometheus; absent: nowhere. Pure."""

import ipaddress
from dataclasses import dataclass

from edge.site.way import address_of
from firmware_configs.fields import Fields


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
    address = address_of(listen)
    found = None if address is None else Metrics(*address)
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
