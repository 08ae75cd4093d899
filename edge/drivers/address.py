"""A device's URL taken apart, with every mistake in it named before anything is connected.

Pure: no I/O, no name is looked up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

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
    parts, host, given_port = _split(spec)
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise wrong(spec, "names no host; write scheme://host:port")
    if given_port == 0:
        raise wrong(spec, "port 0 is not in 1..65535")
    return Address(host, given_port or port, parts.path, _options(spec, parts, options))


def parse_path(spec: DeviceSpec, *, options: Collection[str]) -> tuple[str, Mapping[str, str]]:
    """Take the URL of something on this machine apart: scheme:///dev/ttyS0?key=value.

    Args:
        spec: the device.
        options: names the URL's query may hold.

    Returns:
        The absolute path, and the URL's query, one value a key.

    Raises:
        DeviceError: with `retry` False, saying which part is wrong.
    """
    parts, host, _ = _split(spec)
    if host or parts.netloc:
        raise wrong(
            spec, f"names host {parts.netloc!r}; write scheme:///dev/... with three strokes"
        )
    if len(parts.path) < 2 or not parts.path.isprintable() or "%" in parts.path:
        raise wrong(spec, "names no device file; write scheme:///dev/...")
    return parts.path, _options(spec, parts, options)


def _split(spec: DeviceSpec) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(spec.url)
        port, host = parts.port, parts.hostname or ""
        host.encode("idna")  # what the system's look-up will do; it refuses "a..b"
    except ValueError as error:  # UnicodeError is one
        raise wrong(spec, f"{error}; write scheme://host:port") from None
    if parts.username is not None or parts.password is not None:
        raise wrong(spec, "takes no user name or password; secrets are never part of a url")
    if parts.fragment:
        raise wrong(spec, f"has '#{parts.fragment}', which means nothing here")
    return parts, host, port


def _options(spec: DeviceSpec, parts: SplitResult, known: Collection[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in known:
            raise wrong(spec, f"unknown option {key!r}; known: {' '.join(known) or 'none'}")
        if key in given:
            raise wrong(spec, f"option {key!r} stands there twice")
        given[key] = value
    return given
