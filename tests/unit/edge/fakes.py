"""Devices and clocks that do as a test says."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from evidence.frame import Clock as ClockState
from evidence.points import Point
from evidence.quality import Quality


@dataclass
class FakeDevice:
    """How one device behaves from now on.

    Attributes:
        connects: False: nobody accepts the connection.
        connect_s: how long connecting takes.
        answers: False: reads raise DeviceError.
        read_s: how long a read takes; None: it never ends.
        retry: what its DeviceErrors say about trying again.
        error: raised by reads instead of anything else (a defect in the driver).
        short: how many samples too few a read gives.
        value: raw value of every point.
        values: raw value of a point, instead of `value`.
        quality: of every sample.
        source_ns: source time of every sample.
        calls: connect, read, close -> how often.
        is_open: connected and not closed.
    """

    connects: bool = True
    connect_s: float = 0.0
    answers: bool = True
    read_s: float | None = 0.0
    retry: bool = True
    error: Exception | None = None
    short: int = 0
    value: float = 5000
    values: Callable[[Point], float] | None = None
    quality: Quality = Quality.GOOD
    source_ns: int | None = None
    calls: Counter[str] = field(default_factory=Counter)
    is_open: bool = False


class FakeDriver:
    """A driver of a `FakeDevice`."""

    def __init__(self, spec: DeviceSpec, device: FakeDevice) -> None:
        self._spec, self._device = spec, device

    async def connect(self) -> None:
        device = self._device
        device.calls["connect"] += 1
        await asyncio.sleep(device.connect_s)
        if not device.connects:
            raise DeviceError(f"device {self._spec.id}: nobody there", retry=device.retry)
        device.is_open = True

    async def read(self) -> Sequence[Sample]:
        device = self._device
        device.calls["read"] += 1
        if device.read_s is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(device.read_s)
        if device.error is not None:
            raise device.error
        if not device.answers:
            device.is_open = False
            raise DeviceError(f"device {self._spec.id}: no answer", retry=device.retry)
        samples = []
        for bound in self._spec.points[device.short :]:
            value = device.value if device.values is None else device.values(bound.point)
            raw = np.array(value, dtype=bound.point.dtype.numpy_name).tobytes()
            samples.append(Sample(raw, device.quality, device.source_ns))
        return samples

    async def close(self) -> None:
        self._device.calls["close"] += 1
        self._device.is_open = False


class Devices(dict[str, FakeDevice]):
    """Fake devices by id, made on first use."""

    def __missing__(self, device_id: str) -> FakeDevice:
        return self.setdefault(device_id, FakeDevice())

    def opener(self, spec: DeviceSpec) -> FakeDriver:
        """A driver for the device of a spec."""
        return FakeDriver(spec, self[spec.id])


@dataclass
class ShiftedClock:
    """The machine's clocks, with a wall clock that can be set."""

    offset_ns: int = 0

    def wall_ns(self) -> int:
        return time.time_ns() + self.offset_ns

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def state(self) -> ClockState:
        return ClockState("simulated", None, self.monotonic_ns(), bytes(16))


@dataclass
class HandClock:
    """A monotonic clock that moves when told."""

    now_ns: int = 0

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
