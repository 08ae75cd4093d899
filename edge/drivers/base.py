"""What a driver owes the agent: raw counts with quality and source time, and never a write.

A driver talks to one device. It never raises for one bad point: that point comes back with a bad
quality. It raises `DeviceError` when the whole device is out of reach, and the agent's device
task backs off and tries again. A driver holds no schedule, no cache of last good values and no
thread of its own that outlives `close()`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.traffic import Traffic
from evidence.points import Point
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register, Setting

POSITION_BYTES_MAX = 4096
MARK_BYTES_MAX = 32  # of a mark; a thing's SHA-256
NOTE_BYTES_MAX = 512  # of what is noted with a mark
EVENTS_PER_READ = 16  # of one device; what is more waits for the next read


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

    def traffic(self) -> Traffic:
        """What it will send, made by the code that sends it; nothing is opened for that."""

    async def connect(self) -> None:
        """Open the connection; DeviceError when that fails."""

    async def read(self) -> Sequence[Sample]:
        """One sample a point, in the order of the points given at construction.

        A list, or `edge.drivers.samples.Samples` where there are many.

        Raises:
            DeviceError: no point could be had because the device as a whole is out of reach.
                The connection is then already closed; the caller calls `connect()` again.
        """

    async def close(self) -> None:
        """Give everything back; never raises."""


@runtime_checkable
class DeliversOnce(Protocol):
    """A driver whose source is no meter: each of its rows is delivered in one read and no other.

    What a read delivers counts when its tick is committed: position and marks are kept in the
    tick's own transaction and given back in `DeviceSpec` at the next start. Until then the poller
    keeps the answer and asks for no other, so a driver never goes back by itself. A read that
    raises has delivered nothing. A point without a new row is NOT_SAMPLED, never its last value.
    """

    def position(self) -> bytes | None:
        """Up to where the last read has delivered, at most POSITION_BYTES_MAX; None: nothing yet.

        It belongs to the device's id: it must stay readable when the profile changes.
        """

    def take_marks(self) -> Mapping[bytes, bytes]:
        """What is delivered for ever since the last call: mark -> what is noted with it.

        For what no position can say, such as the hash of each file that was read.
        """


@runtime_checkable
class TellsEvents(Protocol):
    """A driver that has something to be signed beside its samples."""

    def take_events(self) -> Sequence[Mapping[str, Any]]:
        """Events since the last call, at most EVENTS_PER_READ, each with its "kind" and "device".

        They are signed with the tick that the last read is for, at its instant ("at_ns" is not the
        driver's to say), and only once.
        """


@runtime_checkable
class ReadsSettings(Protocol):
    """A driver that can ask a device for the settings its profile names.

    Settings are asked for one at a time, after a read that was answered and never beside one; what
    becomes of a question costs that setting only. The poller decides when.
    """

    def connection(self) -> int:
        """Another number after each new connection: another device may answer there."""

    async def read_setting(self, setting: Setting) -> str | Quality:
        """What the device says, as text, at most VALUE_MAX characters; or why there is nothing.

        Raises:
            DeviceError: it could not be asked. The connection is left to the next read.
        """


@dataclass(frozen=True)
class Progress:
    """What is committed with the samples of one read, in one transaction.

    Attributes:
        position: as `DeliversOnce.position`; None leaves the committed one.
        marks: as `DeliversOnce.take_marks`.
        events: as `TellsEvents.take_events`.
        settings: what is known of a meter's settings (`edge.settings`); None leaves it.
    """

    position: bytes | None = None
    marks: Mapping[bytes, bytes] = field(default_factory=dict)
    events: tuple[Mapping[str, Any], ...] = ()
    settings: bytes | None = None

    def __post_init__(self) -> None:
        sizes = [(len(mark), len(note)) for mark, note in self.marks.items()]
        if (
            len(self.position or b"") > POSITION_BYTES_MAX
            or any(mark > MARK_BYTES_MAX or note > NOTE_BYTES_MAX for mark, note in sizes)
            or len(self.events) > EVENTS_PER_READ
        ):
            raise ValueError("a driver's position, marks or events are more than a tick carries")


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
        stated: setting -> (value, reason) of each value a person answers for; the last holds now.
        position: what a source that `DeliversOnce` has delivered, as committed; None: nothing.
        marks: likewise, mark -> note.
    """

    id: str
    url: str
    profile: Profile
    points: tuple[BoundPoint, ...]
    timeout_s: float = 1.0
    security: OpcUaSecurity | None = None
    stated: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    position: bytes | None = None
    marks: Mapping[bytes, bytes] = field(default_factory=dict)
