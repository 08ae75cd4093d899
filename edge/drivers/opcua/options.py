"""What the query of an OPC UA device's URL sets: how values come, and how often. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: option -> its default, least and greatest value; the page shows a change within 250 ms
_NUMBERS = {
    "publishing_ms": (250, 50, 10_000),
    "sampling_ms": (100, 10, 60_000),
    "queue": (10, 1, 1_000),
}
MODES = ("read", "subscribe")
NAMES = ("mode", *_NUMBERS)

KEEPALIVE_MS = 5_000  # the server says "still here" this often when nothing changes
LIFETIME_MS = 60_000  # it keeps a subscription nobody fetches from this long


@dataclass(frozen=True)
class Options:
    """How values are to come.

    Attributes:
        is_subscribing: the server pushes changes; else every value is asked for at every read.
        publishing_ms: how often the server sends what has changed.
        sampling_ms: how often it looks at a value.
        queue: changes of one value it keeps between two sendings; the oldest go first.
    """

    is_subscribing: bool = False
    publishing_ms: float = _NUMBERS["publishing_ms"][0]
    sampling_ms: float = _NUMBERS["sampling_ms"][0]
    queue: int = _NUMBERS["queue"][0]

    @property
    def publishing_s(self) -> float:
        """`publishing_ms` in seconds."""
        return self.publishing_ms / 1000

    @property
    def keepalives(self) -> int:
        """Publishing intervals without a change after which the server says "still here"."""
        return max(1, round(KEEPALIVE_MS / self.publishing_ms))

    @property
    def lifetimes(self) -> int:
        """Publishing intervals the server keeps a subscription that nobody fetches from."""
        return max(3 * self.keepalives, round(LIFETIME_MS / self.publishing_ms))


@dataclass(frozen=True)
class Revised:
    """What the server made of these wishes.

    Attributes:
        publishing_ms: how often it sends.
        statuses: for each item the StatusCode, Good when it is watched.
        sampling_ms: the slowest sampling of a watched item; 0 when nothing is watched.
    """

    publishing_ms: float
    statuses: tuple[Any, ...]
    sampling_ms: float


def read_options(given: Mapping[str, str]) -> Options:
    """The options of a URL's query; ValueError names the one that cannot work."""
    mode = given.get("mode", MODES[0])
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is not one of {' '.join(MODES)}")
    numbers: dict[str, int] = {}
    for name, (default, low, high) in _NUMBERS.items():
        text = given.get(name, str(default))
        if name in given and mode != "subscribe":
            raise ValueError(f"{name} has no effect without mode=subscribe")
        if not (text.isascii() and text.isdecimal() and low <= int(text[:9]) <= high):
            raise ValueError(f"{name} {text!r} is not a whole number in {low}..{high}")
        numbers[name] = int(text)
    return Options(mode == "subscribe", **numbers)
