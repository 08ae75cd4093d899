"""A source that gives each row once, as a driver; what it has is in the test's hands."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from evidence.quality import Quality


@dataclass
class FakeSource:
    """Numbered rows: row n gives every point the value n.

    Attributes:
        rows: how many there are.
        read_s: how long a read takes.
        answers: False: reads raise DeviceError, and deliver nothing.
        defect: raised by reads, once.
        opened: positions and marks that drivers were made with.
        given: rows that reads have given, again and again where they were not committed.
    """

    rows: int = 0
    read_s: float = 0.0
    answers: bool = True
    defect: Exception | None = None
    opened: list[tuple[bytes | None, int]] = field(default_factory=list)
    given: list[int] = field(default_factory=list)

    def opener(self, spec: DeviceSpec) -> "FakeSourceDriver":
        """A driver of it."""
        return FakeSourceDriver(spec, self)


class FakeSourceDriver:
    """Every second row is marked, and every row is an event."""

    def __init__(self, spec: DeviceSpec, source: FakeSource) -> None:
        self._spec, self._source = spec, source
        self._next = 1 if spec.position is None else int(spec.position) + 1
        self._marks: dict[bytes, bytes] = {}
        self._events: list[dict[str, Any]] = []
        source.opened.append((spec.position, len(spec.marks)))

    async def connect(self) -> None: ...

    async def read(self) -> Sequence[Sample]:
        source = self._source
        await asyncio.sleep(source.read_s)
        if source.defect is not None:
            error, source.defect = source.defect, None
            raise error
        if not source.answers:
            raise DeviceError("device dev: no answer")
        if self._next > source.rows:
            return [Sample(None, Quality.NOT_SAMPLED)] * len(self._spec.points)
        number, self._next = self._next, self._next + 1
        source.given.append(number)
        self._events.append({"kind": "row", "device": self._spec.id, "number": number})
        if number % 2 == 0:
            self._marks[number.to_bytes(4, "big")] = b"even"
        samples = []
        for bound in self._spec.points:
            raw = number.to_bytes(bound.point.dtype.size, "little")
            samples.append(Sample(raw, Quality.GOOD, number))
        return samples

    async def close(self) -> None: ...

    def position(self) -> bytes | None:
        return None if self._next == 1 else str(self._next - 1).encode()

    def take_marks(self) -> Mapping[bytes, bytes]:
        marks, self._marks = self._marks, {}
        return marks

    def take_events(self) -> Sequence[Mapping[str, Any]]:
        events, self._events = self._events, []
        return events
