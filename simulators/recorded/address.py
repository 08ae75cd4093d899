"""Where the device stands that is recorded: its URL taken apart. Pure.

The schemes and options are those of a site file. Written apart from the edge's, which this room
does not import.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from simulators.recorded.recording import RecordingError

MODBUS_TCP, RTU_TCP, RTU_LINE, OPC_TCP = "modbus+tcp", "modbus+rtu-tcp", "modbus+rtu", "opc.tcp"
_OPTIONS = {
    MODBUS_TCP: ("unit",), RTU_TCP: ("unit",), RTU_LINE: ("unit", "baud", "parity", "stop_bits"),
    OPC_TCP: (),
}  # fmt: skip
BAUDS = ("1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200")
_PORT = 502


@dataclass(frozen=True)
class Place:
    """A device's place.

    Attributes:
        url: as it was given.
        scheme: one of this module's.
        host, port: of a network.
        path: of a serial line.
        unit: Modbus unit id.
        baud, parity, stop_bits: of a serial line.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str
    unit: int
    baud: int
    parity: str
    stop_bits: int


def place_of(url: str) -> Place:
    """The place a URL names; RecordingError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RecordingError(f"{url!r}: {error}") from None
    known = _OPTIONS.get(parts.scheme)
    if known is None:
        raise RecordingError(f"{url!r}: what can be recorded begins with {' '.join(_OPTIONS)}")
    if parts.username is not None or parts.password is not None:
        raise RecordingError(
            "a url takes no user name or password: they would stand in the recording"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - set(known)):
        raise RecordingError(f"{url!r}: unknown: {' '.join(unknown)}; known: {' '.join(known)}")
    if (parts.scheme == RTU_LINE) == bool(host):
        raise RecordingError(f"{url!r}: write scheme://host:port, or scheme:///dev/... of a line")
    if parts.scheme == RTU_LINE and (missing := {"unit", "baud", "parity"} - options.keys()):
        raise RecordingError(f"{url!r}: says no {' '.join(sorted(missing))}")
    if options.get("baud", "9600") not in BAUDS:
        raise RecordingError(f"{url!r}: baud is one of {' '.join(BAUDS)}")
    if options.get("parity", "N") not in {"N", "E", "O"}:
        raise RecordingError(f"{url!r}: parity is N, E or O")
    return Place(
        url=url, scheme=parts.scheme, host=host, port=_PORT if port is None else port,
        path=parts.path, unit=_whole(url, options, "unit", 1, (0, 255)),
        baud=int(options.get("baud", "9600")),
        parity=options.get("parity", "N"),
        stop_bits=_whole(url, options, "stop_bits", 1, (1, 2)),
    )  # fmt: skip


def _whole(
    url: str, options: dict[str, str], key: str, default: int, limits: tuple[int, int]
) -> int:
    text = options.get(key, str(default))
    if not (text.isascii() and text.isdigit()) or not limits[0] <= int(text) <= limits[1]:
        raise RecordingError(f"{url!r}: {key} is no whole number in {limits[0]}..{limits[1]}")
    return int(text)
