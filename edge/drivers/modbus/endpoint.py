"""Where a Modbus device hangs: a TCP endpoint or a serial line, its unit id, how fast it is asked.

Pure: no I/O, nothing is opened. Devices whose URLs name the same endpoint share one connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from edge.drivers.address import parse_address, parse_path, wrong
from edge.drivers.base import DeviceSpec
from edge.drivers.serial_line import BAUDS, SerialLine

PORT = 502  # Modbus Messaging on TCP/IP 1.0b, 4.3.1.3
FRAME_MAX = 256  # bytes of the longest RTU frame; Modbus over serial line 1.02, 2.5.1
ANSWER_HEAD = 5  # unit, function code, number of bytes, CRC
_REQUEST = 8  # unit, function code, address, quantity, CRC
_UNITS = {"modbus+tcp": (0, 255), "": (1, 247)}  # serial line 1.02, 2.2: 0 is broadcast
_RATE_MAX = 1000
_STALE_MAX = 10_000


@dataclass(frozen=True)
class Host:
    """A Modbus server that is reached by TCP.

    Attributes:
        host: name or IP address.
        port: 1..65535.
        is_rtu: RTU frames with their CRC in the stream, as a transparent serial converter sends
            them, instead of Modbus TCP packets.
    """

    host: str
    port: int
    is_rtu: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Line(SerialLine):
    """A serial line, and what frames on it take."""

    @property
    def silence_s(self) -> float:
        """Silence between two frames; Modbus over serial line 1.02, 2.5.1.1."""
        return 3.5 * self.byte_s if self.baud <= 19200 else 0.00175

    def exchange_s(self, data_bytes: int) -> float:
        """Seconds question and answer take on the wire, the device's own time to answer aside.

        Args:
            data_bytes: how many bytes of data the answer carries.
        """
        return 2 * self.silence_s + (_REQUEST + ANSWER_HEAD + data_bytes) * self.byte_s


Endpoint = Host | Line


def is_tcp(endpoint: Endpoint) -> TypeGuard[Host]:
    """True of a Modbus TCP server; False where RTU frames travel, by line or converter."""
    return isinstance(endpoint, Host) and not endpoint.is_rtu


@dataclass(frozen=True)
class Place:
    """One device's place on an endpoint.

    Attributes:
        endpoint: where it hangs.
        unit: its unit id.
        gap_s: least time between two questions of anybody on the endpoint, 0 if no cap is set.
        stale_after: reads of ours after which a value overheard is no value any more (listening).
    """

    endpoint: Endpoint
    unit: int
    gap_s: float = 0.0
    stale_after: int = 2

    def __str__(self) -> str:
        return f"{self.endpoint}, unit {self.unit}"


def parse_place(spec: DeviceSpec) -> Place:
    """What the device's URL says.

    `modbus+tcp://host[:502][?unit=1]`, `modbus+rtu-tcp://host:port?unit=1`,
    `modbus+rtu:///dev/ttyS0?unit=1&baud=9600&parity=E[&stop_bits=1]` and `modbus+listen:///…` alike
    with `stale_after`. All that ask take `requests_per_s`, the most questions a second there.

    Raises:
        DeviceError: with `retry` False, saying which part is wrong.
    """
    scheme = spec.url.partition("://")[0].lower()
    if scheme in ("modbus+tcp", "modbus+rtu-tcp"):
        address = parse_address(spec, port=PORT, options=("unit", "requests_per_s"))
        if address.path not in ("", "/"):
            raise wrong(spec, f"takes no path {address.path!r}; write {scheme}://host:port?unit=1")
        endpoint: Endpoint = Host(address.host, address.port, scheme == "modbus+rtu-tcp")
        options = address.options
    else:
        of_scheme = "stale_after" if scheme == "modbus+listen" else "requests_per_s"
        path, options = parse_path(spec, options=("unit", "baud", "parity", "stop_bits", of_scheme))
        endpoint = _line(spec, path, options)
    least, most = _UNITS.get(scheme, _UNITS[""])
    rate = _number(spec, "requests_per_s", options.get("requests_per_s", "0"), 0, _RATE_MAX)
    return Place(
        endpoint,
        _number(spec, "unit", options.get("unit", "1"), least, most),
        1 / rate if rate else 0.0,
        _number(spec, "stale_after", options.get("stale_after", "2"), 1, _STALE_MAX),
    )


def _line(spec: DeviceSpec, path: str, options: Mapping[str, str]) -> Line:
    for key in ("unit", "baud", "parity"):  # a guess would look like a dead device
        if key not in options:
            raise wrong(spec, f"says no {key}; write {path}?unit=1&baud=9600&parity=E&stop_bits=1")
    baud = _number(spec, "baud", options["baud"], BAUDS[0], BAUDS[-1])
    if baud not in BAUDS:
        raise wrong(spec, f"baud {baud} is not one of {' '.join(map(str, BAUDS))}")
    parity = options["parity"]
    if parity not in ("N", "E", "O"):
        raise wrong(spec, f"parity {parity!r} is not one of N E O")
    return Line(path, baud, parity, _number(spec, "stop_bits", options.get("stop_bits", "1"), 1, 2))


def _number(spec: DeviceSpec, key: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not least <= int(text) <= most:
        raise wrong(spec, f"{key} {text!r} is not in {least}..{most}")
    return int(text)
