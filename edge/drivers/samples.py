"""The samples of one read as arrays: what a device of many points gives, many times a second. Pure.

A sequence of `Sample` for whoever wants one; the pipeline takes the arrays.
"""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from edge.drivers.base import Sample
from evidence.quality import Quality

RAW_BYTES = 8  # of the longest number
NO_TIME = np.iinfo(np.int64).min
TIME_MAX = 2**62  # the year 2116; a source's time further off from 1970 is taken for this


class Samples(Sequence[Sample]):
    """One sample a point, in the order of the points.

    Attributes:
        sizes: bytes of each point's number.
        raw: uint8 [points][RAW_BYTES], each number little-endian with zeros behind, all zeros where
            there is none.
        has_raw: bool [points].
        quality: uint8 [points].
        source_ns: int64 [points], NO_TIME where the source put none; None when it never does.
    """

    __slots__ = ("has_raw", "quality", "raw", "sizes", "source_ns")

    def __init__(self, sizes: Sequence[int], reason: Quality) -> None:
        """No value for any point, for this reason."""
        count = len(sizes)
        self.sizes = sizes
        self.raw = np.zeros((count, RAW_BYTES), dtype=np.uint8)
        self.has_raw = np.zeros(count, dtype=bool)
        self.quality = np.full(count, reason, dtype=np.uint8)
        self.source_ns: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(cls, sizes: Sequence[int], samples: Sequence[Sample]) -> "Samples":
        """These samples; ValueError when they or their bytes are not as many as the sizes say."""
        made = cls(sizes, Quality.NOT_SAMPLED)
        if len(samples) != len(sizes):
            raise ValueError(f"{len(samples)} samples for {len(sizes)} points")
        raws = [sample.raw for sample in samples]
        padded = bytearray()
        for size, raw in zip(sizes, raws, strict=True):
            if raw is not None and len(raw) != size:
                raise ValueError(f"{len(raw)} bytes for a number of {size}")
            padded += (raw or b"").ljust(RAW_BYTES, b"\0")
        made.raw[:] = np.frombuffer(padded, dtype=np.uint8).reshape(-1, RAW_BYTES)
        made.has_raw[:] = [raw is not None for raw in raws]
        made.quality[:] = [sample.quality for sample in samples]
        times = [sample.source_ns for sample in samples]
        if any(time is not None for time in times):
            made.source_ns = np.array([NO_TIME if t is None else _near(t) for t in times])
        return made

    def put(self, index: int, sample: Sample) -> None:
        """Another sample, without a source time, in the place of this one."""
        size = self.sizes[index]
        raw = bytes(size) if sample.raw is None else sample.raw
        self.raw[index, :size] = np.frombuffer(raw, dtype=np.uint8)
        self.has_raw[index] = sample.raw is not None
        self.quality[index] = sample.quality

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        raw = self.raw[index, : self.sizes[index]].tobytes() if self.has_raw[index] else None
        time = NO_TIME if self.source_ns is None else int(self.source_ns[index])
        return Sample(raw, Quality(int(self.quality[index])), None if time == NO_TIME else time)

    def __len__(self) -> int:
        return len(self.sizes)

    def __eq__(self, other: object) -> Any:  # noqa: ANN401 - NotImplemented is one answer
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # its arrays change

    def __repr__(self) -> str:
        return f"Samples({list(self)})"


def _near(time: int) -> int:
    return max(-TIME_MAX, min(TIME_MAX, time))
