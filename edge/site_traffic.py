"""What the devices of a site send, endpoint by endpoint, and whether it can be kept. Pure.

Every figure is a least one: it counts the wire and the pauses that are set, not the time a device
takes to answer. What cannot be kept by these figures cannot be kept at all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.drivers.traffic import EACH_READ, Request, Traffic
from edge.schedule import DEADLINE_SHARE


@dataclass(frozen=True)
class Asked:
    """One device's part.

    Attributes:
        id: of the device.
        interval_ns: from one read to the next.
        traffic: what its driver says.
    """

    id: str
    interval_ns: int
    traffic: Traffic

    def per_s(self, request: Request) -> float:
        """How often a request is made; 0 for what is asked once a connection."""
        if request.every_s is None:
            return 0.0
        return 1e9 / self.interval_ns if request.every_s == EACH_READ else 1 / request.every_s

    @property
    def each_read(self) -> list[Request]:
        """What is asked at each of its reads."""
        return [r for r in self.traffic.requests if r.every_s == EACH_READ]


@dataclass(frozen=True)
class Endpoint:
    """What is connected to, and everything that passes there.

    Attributes:
        devices: of the site that are read there, in the order of the file.
        wait_s: how long the agent waits for the answers of a tick.
    """

    devices: tuple[Asked, ...]
    wait_s: float

    @property
    def first(self) -> Traffic:
        """The first device's; what is one for the endpoint stands there."""
        return self.devices[0].traffic

    @property
    def connections(self) -> int:
        """How many are open at a time."""
        if self.first.is_listening:
            return 0
        return 1 if self.first.is_shared else len(self.devices)

    @property
    def requests_per_s(self) -> float:
        """All requests."""
        return sum(per_s for _, per_s in self._all())

    @property
    def sent_bytes_per_s(self) -> float:
        """What goes out, headers of TCP and IP aside."""
        return sum(len(request.sent) * per_s for request, per_s in self._all())

    @property
    def answer_bytes_per_s(self) -> float:
        """What comes back, likewise."""
        return sum(request.answer_bytes * per_s for request, per_s in self._all())

    @property
    def line_share(self) -> float:
        """Share of its time the serial line is busy, 0 where it is not known."""
        return sum(request.line_s * per_s for request, per_s in self._all())

    @property
    def gap_s(self) -> float:
        """Least time from an answer to the next question there; the slowest device decides."""
        return max(asked.traffic.gap_s for asked in self.devices)

    @property
    def busy_share(self) -> float:
        """Share of its time that questions, answers and gaps fill; from 1 on they do not fit."""
        return sum((request.line_s + self.gap_s) * per_s for request, per_s in self._all())

    @property
    def tick_s(self) -> float:
        """Least time until the last answer of a tick at which all its devices are read."""
        asked = [request for device in self.devices for request in device.each_read]
        together = sum(r.line_s for r in asked) + self.gap_s * max(0, len(asked) - 1)
        alone = (
            sum(r.line_s for r in device.each_read)
            + max(self.gap_s, device.traffic.pause_s) * max(0, len(device.each_read) - 1)
            for device in self.devices
        )
        return max(together, *alone)

    def _all(self) -> Iterator[tuple[Request, float]]:
        for asked in self.devices:
            for request in asked.traffic.requests:
                yield request, asked.per_s(request)


def endpoints_of(devices: Sequence[Asked]) -> list[Endpoint]:
    """The site's endpoints, in the order of its devices."""
    shortest_ns = min((asked.interval_ns for asked in devices), default=0)
    found: dict[tuple[str, str], list[Asked]] = {}
    for asked in devices:
        found.setdefault((asked.traffic.protocol, asked.traffic.endpoint), []).append(asked)
    wait_s = DEADLINE_SHARE * shortest_ns / 1e9
    return [Endpoint(tuple(there), wait_s) for there in found.values()]


class Objection(NamedTuple):
    """What can never be kept: the device, the key of its table, and what to change."""

    device: str
    key: str
    reason: str


def objections(devices: Sequence[Asked]) -> Iterator[Objection]:
    """What of it can never be kept.

    Args:
        devices: those that have no other problem.
    """
    yield from _disagreements(devices)
    for endpoint in endpoints_of(devices):
        yield from _cannot_keep(endpoint)


def _disagreements(devices: Sequence[Asked]) -> Iterator[Objection]:
    """Devices that use one line or port in ways that exclude each other."""
    first: dict[str, Asked] = {}
    for asked in devices:
        mine = asked.traffic
        if not mine.is_shared:
            continue
        other = first.setdefault(mine.endpoint, asked)
        theirs = other.traffic
        if (mine.protocol, mine.settings) != (theirs.protocol, theirs.settings):
            yield Objection(
                asked.id,
                "url",
                f"{mine.endpoint} is used as {_use(mine)} here and as {_use(theirs)} by "
                f"{other.id}; it is opened once and can be one of them only",
            )


def _use(traffic: Traffic) -> str:
    return f"{traffic.protocol}, {traffic.settings}" if traffic.settings else traffic.protocol


def _cannot_keep(endpoint: Endpoint) -> Iterator[Objection]:
    slowest = max(endpoint.devices, key=lambda asked: asked.traffic.gap_s)
    where, capped = endpoint.first.endpoint, endpoint.gap_s > 0
    if endpoint.line_share >= 1:
        yield Objection(
            slowest.id,
            "interval_s",
            f"{where} would be busy {endpoint.line_share:.0%} of its time: raise "
            "interval_s or baud, or read fewer points",
        )
    elif capped and endpoint.busy_share >= 1:
        yield Objection(
            slowest.id,
            "url",
            f"requests_per_s {1 / endpoint.gap_s:g} cannot be kept: what is read on "
            f"{where} is {endpoint.requests_per_s:g} requests a second; allow {_rate(endpoint)} or "
            "more, raise interval_s, or read fewer points",
        )
    elif endpoint.tick_s > endpoint.wait_s:
        asked = sum(len(device.each_read) for device in endpoint.devices)
        slow = max(endpoint.devices, key=lambda device: device.traffic.pause_s)
        causes = [
            *([f"requests_per_s {1 / endpoint.gap_s:g}"] if capped else []),
            *([f"pause_ms {slow.traffic.pause_s * 1000:g}"] if slow.traffic.pause_s else []),
            *(["the line's speed"] if endpoint.line_share else []),
        ]
        yield Objection(
            slowest.id,
            "interval_s",
            f"the {asked} requests of one tick on {where} take at least "
            f"{endpoint.tick_s:.2f} s by {' and '.join(causes)}, and the agent waits "
            f"{endpoint.wait_s:.2f} s for them ({DEADLINE_SHARE:g} of the site's shortest "
            "interval_s): raise that, or read fewer points",
        )


def _rate(endpoint: Endpoint) -> int:
    """The least whole number of requests a second that the reads of an endpoint fit into."""
    return math.floor(endpoint.requests_per_s / (1 - endpoint.line_share)) + 1
