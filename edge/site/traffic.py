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
        shortest_ns: the shortest interval of the site.
    """

    devices: tuple[Asked, ...]
    shortest_ns: int

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
    def tightest(self) -> Asked:
        """The device that has the least time to spare, of what the agent waits for it."""
        return max(self.devices, key=lambda asked: self.takes_s(asked) / self.wait_s(asked))

    @property
    def tick_s(self) -> float:
        """Least time until its last answer, at a tick at which all devices are read."""
        return self.takes_s(self.tightest)

    def wait_s(self, asked: Asked) -> float:
        """How long the agent waits for a device: a slow one is asked ahead of its tick."""
        return (asked.interval_ns - (1 - DEADLINE_SHARE) * self.shortest_ns) / 1e9

    def takes_s(self, asked: Asked) -> float:
        """Least time for a device's questions, while the others have theirs; each in turn."""
        own, line_s, turns = len(asked.each_read), 0.0, 0
        for other in self.devices:
            theirs = other.each_read
            reads = max(1, math.ceil(self.wait_s(asked) * 1e9 / other.interval_ns))
            between = min(own, len(theirs) * reads)
            line_s += between * sum(r.line_s for r in theirs) / max(1, len(theirs))
            turns += between
        together = line_s + self.gap_s * max(0, turns - 1)
        pause_s = max(self.gap_s, asked.traffic.pause_s)
        return max(together, sum(r.line_s for r in asked.each_read) + pause_s * max(0, own - 1))

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
    return [Endpoint(tuple(there), shortest_ns) for there in found.values()]


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
    yield from _twins(devices)
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


def _twins(devices: Sequence[Asked]) -> Iterator[Objection]:
    """Devices that are asked the same of the same: most often a table copied and half changed."""
    first: dict[tuple[str, str, str, tuple[str, ...]], str] = {}
    for asked in devices:
        where, how, told = asked.traffic.endpoint, asked.traffic.protocol, False
        for request in asked.traffic.requests if where else ():
            other = first.setdefault((where, how, request.what, request.items), asked.id)
            if request.points and other != asked.id and not told:
                told = True
                yield Objection(
                    asked.id,
                    "url",
                    f"asks {where} what {other} asks already ({request.what}): one meter would be "
                    "counted twice; correct unit or address, or remove one of the two devices",
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
    elif endpoint.tick_s > (wait_s := endpoint.wait_s(tightest := endpoint.tightest)):
        causes = [
            *([f"requests_per_s {1 / endpoint.gap_s:g}"] if capped else []),
            *([f"pause_ms {pause_s * 1000:g}"] if (pause_s := tightest.traffic.pause_s) else []),
            *(["the line's speed"] if endpoint.line_share else []),
        ]
        yield Objection(
            tightest.id,
            "interval_s",
            f"a read of it, in turn with what else is read on {where}, takes at least "
            f"{endpoint.tick_s:.2f} s by {' and '.join(causes)}, and the agent waits "
            f"{wait_s:.2f} s for it (interval_s, less {1 - DEADLINE_SHARE:.1g} of the site's "
            "shortest): raise interval_s, or read fewer points",
        )


def _rate(endpoint: Endpoint) -> int:
    """The least whole number of requests a second that the reads of an endpoint fit into."""
    return math.floor(endpoint.requests_per_s / (1 - endpoint.line_share)) + 1
