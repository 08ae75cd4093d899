"""[uplink.outbox] and [uplink.udp] of a site file: how a one-way site's objects leave. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from firmware_configs.fields import Fields

PORT_MAX = 65_535
REPEATS_MAX = 8
DAY_S = 86_400
FIRST_AGAIN_S, THEN_AGAIN_S = 10, 600

_ADDRESS = re.compile(r"(?P<host>[0-9.]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True)
class OutboxWay:
    """Files for a ferry.

    Attributes:
        folder: where they are written.
        file_s: a file is closed when its oldest object has waited this long, seconds.
        file_bytes: or when its objects are so many bytes.
        bytes_max: of files in the folder; beyond it nothing is written until the ferry has
            taken some away.
    """

    folder: Path
    file_s: int
    file_bytes: int
    bytes_max: int


@dataclass(frozen=True)
class UdpWay:
    """Datagrams through a diode.

    Attributes:
        host, port: of the relay, or of the diode's near side.
        bytes_s: rate that is never exceeded, UDP payload.
        repeat_after_s: each object is sent when it is new, and once more at each of these ages.
    """

    host: str
    port: int
    bytes_s: int
    repeat_after_s: tuple[int, ...]


def read_way(fields: Fields, folder: Path, *, is_one_way: bool) -> OutboxWay | UdpWay | None:
    """What [uplink] says of the way out; None: objects are carried by hand alone."""
    tables = [key for key in ("outbox", "udp") if fields.has(key)]
    if tables and not is_one_way:
        fields.complain(tables[0], 'is for one-way sites: write mode = "one-way" too')
    if len(tables) == 2:
        fields.complain("udp", "one way out, not two: remove [uplink.outbox] or [uplink.udp]")
        fields.raw("udp")
    if not tables:
        return None
    table = fields.child(tables[0])
    return _outbox(table, folder) if tables[0] == "outbox" else _udp(table)


def _outbox(fields: Fields, folder: Path) -> OutboxWay:
    way = OutboxWay(
        folder=folder / fields.text("folder", why="where files for the ferry are written"),
        file_s=fields.integer("file_s", 1, DAY_S, default=60),
        file_bytes=fields.integer("file_kib_max", 64, 1024 * 1024, default=4096) * 1024,
        bytes_max=fields.integer("mib_max", 16, 1_000_000, default=2048) * 1024 * 1024,
    )
    fields.finish()
    return way


def _udp(fields: Fields) -> UdpWay:
    to = fields.text("to", why='the relay, such as "10.9.0.2:5514"')
    host, port = address_of(to) or ("", 0)
    if to and not host:
        fields.complain("to", f'{to!r} must be an IP address and a port: "10.9.0.2:5514"')
    ages = fields.sequence("repeat_after_s") or [FIRST_AGAIN_S, THEN_AGAIN_S]
    rises = all(type(a) is int and 0 < a <= DAY_S for a in ages) and ages == sorted(set(ages))
    if not rises or len(ages) > REPEATS_MAX:
        fields.complain(
            "repeat_after_s",
            f"must be 1 to {REPEATS_MAX} rising whole numbers of seconds, at most {DAY_S}",
        )
        ages = []
    way = UdpWay(
        host=host,
        port=port,
        bytes_s=fields.integer("kbit_s_max", 16, 1_000_000, default=2_000) * 125,
        repeat_after_s=tuple(ages),
    )
    fields.finish()
    return way


def address_of(text: str) -> tuple[str, int] | None:
    """Host and port of "10.9.0.2:5514" or "[fd00::2]:5514"; None when it is no such thing."""
    parts = _ADDRESS.fullmatch(text)
    if parts is None or not 0 < int(parts["port"]) <= PORT_MAX:
        return None
    host = parts["host"].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host, int(parts["port"])
