"""A device's URL taken apart, with every mistake in it named before anything is connected.

Pure: no I/O, no name is looked up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from edge.drivers.base import DeviceError, DeviceSpec


@dataclass(frozen=True)
class Address:
    """Where a device is reached.

    Attributes:
        host: name or IP address, IPv6 without brackets.
        port: TCP port, 1..65535.
        path: what follows the port, "" or beginning with "/".
        options: the URL's query, one value a key.
    """

    host: str
    port: int
    path: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def wrong(spec: DeviceSpec, reason: str) -> DeviceError:
    """The error for a device whose entry in the site file cannot work as it stands."""
    return DeviceError(f"device {spec.id}: url {spec.url!r}: {reason}", retry=False)


def parse_address(spec: DeviceSpec, *, port: int, options: Collection[str]) -> Address:
    """Take the device's URL apart.

    Args:
        spec: the device.
        port: the protocol's own port, used when the URL gives none.
        options: names the URL's query may hold.

    Raises:
        DeviceError: with `retry` False, saying which part is wrong.
    """
    try:
        parts = urlsplit(spec.url)
        given_port, host = parts.port, parts.hostname or ""
        host.encode("idna")  # what the system's look-up will do; it refuses "a..b"
    except ValueError as error:  # UnicodeError is one
        raise wrong(spec, f"{error}; write scheme://host:port") from None
    if parts.username is not None or parts.password is not None:
        raise wrong(spec, "takes no user name or password; secrets are never part of a url")
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise wrong(spec, "names no host; write scheme://host:port")
    if given_port == 0:
        raise wrong(spec, "port 0 is not in 1..65535")
    if parts.fragment:
        raise wrong(spec, f"has '#{parts.fragment}', which means nothing here")
    given: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in options:
            raise wrong(spec, f"unknown option {key!r}; known: {' '.join(options) or 'none'}")
        if key in given:
            raise wrong(spec, f"option {key!r} stands there twice")
        given[key] = value
    return Address(host, given_port or port, parts.path, given)
