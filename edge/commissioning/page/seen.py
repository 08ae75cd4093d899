"""What the page has seen, and when. Plain types."""

from dataclasses import dataclass

from edge.commissioning.findings import LAYERS, Check, State
from edge.commissioning.look import Look
from edge.commissioning.record import Record


@dataclass(frozen=True)
class DeviceSeen:
    """A device.

    Attributes:
        at_ns: UTC nanoseconds.
        took_ms: for all its points, connecting included; where it gave none it says nothing.
        checks: the doctor's.
        looks: one a point; () where something failed.
    """

    at_ns: int
    took_ms: float
    checks: tuple[Check, ...]
    looks: tuple[Look, ...]

    @property
    def failed(self) -> Check | None:
        """The lowest layer that fails: what is above it may fail because of it."""
        bad = [check for check in self.checks if check.state is State.FAILED]
        return min(bad, key=lambda check: LAYERS.index(check.layer), default=None)

    @property
    def is_warned(self) -> bool:
        """Something works, and a person should know of it."""
        return any(check.state is State.WARNING for check in self.checks)


@dataclass(frozen=True)
class PointSeen:
    """A point, looked at singly.

    Attributes:
        at_ns: UTC nanoseconds.
        look: None when its device was out of reach.
        trouble: why; "" when it was not.
    """

    at_ns: int
    look: Look | None
    trouble: str


@dataclass(frozen=True)
class Made:
    """The record as a file.

    Attributes:
        record: what is in it.
        name: what the file is called.
        data: the file.
        sha256: of it, hex.
    """

    record: Record
    name: str
    data: bytes
    sha256: str
