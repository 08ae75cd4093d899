"""What a store of series does, whichever it is. One contract, held by one test for all of them.

A store is a projection: it says itself how far the log was followed into it, and what it lost is
followed again. Buckets are put as a whole, and one put twice stands once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cloud.errors import StoreError
from cloud.series.bucket import Bucket, Series
from cloud.series.columns import Columns


class SeriesAwayError(StoreError):
    """The store cannot be asked just now, or refuses: what it has not yet comes from the log."""


class SeriesRefusedError(StoreError):
    """The store does not take what it was given of one plant; it takes other plants'."""


class Mark(NamedTuple):
    """How far a stream was followed: every tick before `through_ns` is in the store.

    Attributes:
        next_seq: the first object that may hold later ticks.
        head: SHA-256 of the object before it, b"" before the first.
        through_ns: a whole minute.
    """

    next_seq: int = 0
    head: bytes = b""
    through_ns: int = 0


@dataclass(frozen=True)
class Batch:
    """What one stretch of a stream came to.

    Attributes:
        plant, gateway: whose.
        rows: seconds of a bucket -> buckets that ended.
        mark: how far the stream was followed with it.
        after: the mark it goes on from; its own stands only where this one does. None: any.
    """

    plant: str
    gateway: str
    rows: Mapping[int, Sequence[Columns]]
    mark: Mark
    after: Mark | None = None


@dataclass(frozen=True)
class StoreState:
    """How a store is.

    Attributes:
        kind: "sqlite" or "influxdb".
        trouble: what keeps it from taking more, a sentence; "" when nothing does.
        waiting: batches it took and has not put yet.
        lost: how often all that was in it was found to be gone: no mark stood then.
        short_days: plant -> how long its minutes stay, where that is less long than is configured.
    """

    kind: str
    trouble: str = ""
    waiting: int = 0
    lost: int = 0
    short_days: Mapping[str, int] = field(default_factory=dict)


class SeriesStore(Protocol):
    """Buckets of all plants of a collector. Any thread.

    `marks`, `put`, `read` and `forget` raise SeriesAwayError or StoreError. What is too old to be
    kept counts as put.
    """

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """Gateway -> how far its stream is in the store for good."""

    def is_full(self) -> bool:
        """It waits for something: bring no more just now. One thread asks this, and puts."""

    def put(self, batch: Batch) -> None:
        """Take a batch, whole; it may be put later, and its mark counts from then on.

        Raises:
            SeriesRefusedError: an earlier one of the plant was refused: see `refused`.
        """

    def refused(self, plant: str) -> str:
        """Why a batch of a plant was refused since this was asked, a sentence; "" if none was.

        Neither it nor what was put after it has a mark: who asks begins again at the mark.
        """

    def read(
        self, step_s: int, plant: str, from_ns: int, to_ns: int, *, gateway: str = "",
        point: str = "",
    ) -> Mapping[Series, Sequence[Bucket]]:  # fmt: skip
        """Buckets with from_ns <= their first instant < to_ns, oldest first.

        Args:
            step_s: one of `STEPS`.
            plant: plant id.
            from_ns: UTC nanoseconds.
            to_ns: UTC nanoseconds.
            gateway: only of this one; "" for all.
            point: only this one; "" for all.
        """

    def forget(self, plant: str) -> None:
        """The plant's log is another one, or all is to be made again: no mark stands."""

    def state(self) -> StoreState:
        """How it is just now."""

    def close(self) -> None:
        """Let go; what was taken and not put is followed again after the next start."""
