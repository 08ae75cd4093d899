"""What a driver owes the agent: raw counts with quality and source time, and never a write.

A driver talks to one device. It never raises for one bad point: that point comes back with a bad
quality. It raises `DeviceError` when the whole device is out of reach, and the agent's device
task backs off and tries again. A driver holds no schedule, no cache of last good values and no
thread of its own that outlives `close()`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.drivers.opcua.security import OpcUaSecurity
from evidence.points import Point
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register


class DeviceError(Exception):
    """The whole device is out of reach or cannot be used; the sentence says what to do.

    Attributes:
        retry: True when trying again later may help (link down), False when it cannot (the
            address is not of this driver's form).
        key: the key of the device's table in the site file that is wrong, as far as one is.
    """

    def __init__(self, sentence: str, *, retry: bool = True, key: str = "url") -> None:
        super().__init__(sentence)
        self.retry = retry
        self.key = key


@dataclass(frozen=True)
class BoundPoint:
    """A point together with the profile row that says where it stands in the device.

    Attributes:
        point: the point as signed.
        register: the profile row.
        n: the number that fills "{n}" (also "{n:02}") in the row's node template; None if none.
    """

    point: Point
    register: Register
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one read gave for one point.

    Attributes:
        raw: the value's own bytes in the point's dtype, little-endian, exactly as the wire gave
            them (NaN bits kept), of a bit field or BCD the number they hold; None when the wire
            gave none.
        quality: a bad quality with raw bytes means "the wire said this, do not use it".
        source_ns: UTC nanoseconds the source put on the value; None when it puts none.
    """

    raw: bytes | None
    quality: Quality
    source_ns: int | None = None


class Driver(Protocol):
    """One device, read-only."""

    async def connect(self) -> None:
        """Open the connection; DeviceError when that fails."""

    async def read(self) -> Sequence[Sample]:
        """One sample a point, in the order of the points given at construction.

        Raises:
            DeviceError: no point could be had because the device as a whole is out of reach.
                The connection is then already closed; the caller calls `connect()` again.
        """

    async def close(self) -> None:
        """Give everything back; never raises."""


@dataclass(frozen=True)
class DeviceSpec:
    """One device of the site file, ready for a driver.

    Attributes:
        id: device id of the site file.
        url: "modbus+tcp://host:port?unit=1" or "opc.tcp://host:port/path".
        profile: the resolved device profile.
        points: what to read, in frame order.
        timeout_s: how long one answer may take.
        security: of an OPC UA device; None for the others.
    """

    id: str
    url: str
    profile: Profile
    points: tuple[BoundPoint, ...]
    timeout_s: float = 1.0
    security: OpcUaSecurity | None = None
