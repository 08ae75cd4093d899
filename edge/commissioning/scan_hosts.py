"""Which known services listen on hosts that a person named. I/O: connects and hangs up.

Nothing is sent. No subnet is swept: that looks like an attack, and upsets small devices.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.commissioning.reach import Knock, knock_at, resolve

#: port -> (what it is registered for with IANA, what to type next)
PORTS: dict[int, tuple[str, str]] = {
    502: ("Modbus TCP", "stackproof edge scan modbus+tcp://{host}"),
    4840: ("OPC UA", "stackproof edge scan opc.tcp://{host}:4840"),
    5432: ("PostgreSQL", "a table of it: edge/drivers/table/README.md"),
    1883: ("MQTT", 'the site file: [uplink] url = "mqtt://{host}:1883"'),
}
HOSTS_MAX = 32
_RANGE = re.compile(r"[0-9.]+-[0-9.]+")


@dataclass(frozen=True)
class Service:
    """One port of one host.

    Attributes:
        host, port: where.
        name: what the port is known for.
        knock: what came of the try.
        next: what to type next, if it is open.
    """

    host: str
    port: int
    name: str
    knock: Knock
    next: str


def check_hosts(hosts: Sequence[str]) -> None:
    """ValueError when these are no hosts, or too many."""
    for host in hosts:
        if "/" in host or "*" in host or _RANGE.fullmatch(host):
            raise ValueError(
                f"{host!r} is no host: networks are not swept; name the hosts, or a device's URL"
            )
    if len(hosts) > HOSTS_MAX:
        raise ValueError(f"{len(hosts)} hosts are too many at once; {HOSTS_MAX} at most")


async def scan_hosts(
    hosts: Sequence[str], *, timeout_s: float, progress: Callable[[str], None]
) -> list[Service]:
    """Every known port of every host, one after another."""
    found: list[Service] = []
    for host in hosts:
        known = await resolve(host, 0)
        for port, (name, then) in PORTS.items():
            progress(f"{host} port {port}")
            knock = known if isinstance(known, Knock) else await knock_at(host, port, timeout_s)
            found.append(Service(host, port, name, knock, then.format(host=host)))
            if isinstance(known, Knock):
                break
    return found
