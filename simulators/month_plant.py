"""What a month can be made of: a plant that gives its readings an hour at a time. Plain types."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simulators.played import TruthLine

HOUR_S = 3600

Raw = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Hour:
    """An hour's readings, and what really happened in it.

    Attributes:
        raw, quality: [points][ticks] of each measured group of the configuration, in order.
        lag_ms: [devices][ticks], how long each took to answer.
        truth: lines of the truth.
    """

    raw: tuple[Raw, ...]
    quality: tuple[npt.NDArray[np.uint8], ...]
    lag_ms: npt.NDArray[np.int32]
    truth: tuple[TruthLine, ...] = ()


class MonthSource(Protocol):
    """A plant within its month."""

    def hour(self) -> Hour:
        """The next hour."""

    def finish(self) -> Sequence[TruthLine]:
        """The last lines of the truth; no more hours."""


class MonthPlant(Protocol):
    """A plant before its month, and how it is read. It is handed to another process: plain data."""

    @property
    def name(self) -> str:
        """The plant's id: its scenario's name."""

    @property
    def seed(self) -> int:
        """Of all readings."""

    @property
    def interval_s(self) -> int:
        """Seconds between two readings; a divisor of an hour."""

    def configuration(self, collector_sha256: bytes) -> dict[str, Any]:
        """The map the gateway signs, for a collector whose key has this fingerprint."""

    def begin(self, first_ns: int) -> MonthSource:
        """At the instant of its first reading, a full hour UTC and a local midnight."""
