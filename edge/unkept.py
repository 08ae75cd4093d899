"""What one device gave and the disk does not have yet: handed out until it is committed. Pure.

A meter's reading belongs to its tick and is never kept here. What may be said only once is: the
answer of a source that delivers each row once, however late it came, and events and settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.drivers.base import EVENTS_PER_READ, Progress, Sample
from edge.settings import MeterSettings

EVENTS_KEPT = 256  # of a device whose ticks are not committed: the newest


@dataclass(frozen=True)
class Polled:
    """What one poll gave.

    Attributes:
        samples: one for every point of the device, in their order.
        monotonic_ns: when the answer was complete, None when there was none.
        progress: what is to be committed with the samples; None when nothing is.
    """

    samples: Sequence[Sample]
    monotonic_ns: int | None
    progress: Progress | None = None


class Unkept:
    """Of one device.

    Attributes:
        answer: of a source that delivers once, and not committed.
    """

    def __init__(self, settings: MeterSettings) -> None:
        self._settings = settings
        self.answer: Polled | None = None
        self._events: list[Mapping[str, Any]] = []
        self._given: tuple[Polled | None, int, bytes | None] = None, 0, None

    def tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        """These are to be signed with the next tick that has room for them."""
        self._events = [*self._events, *events][-EVENTS_KEPT:]

    def hand_out(self, polled: Polled) -> Polled:
        """What one tick is to carry: this answer, and what waits."""
        answer = self.answer if polled.progress is not None else None
        events, settings = tuple(self._events[:EVENTS_PER_READ]), self._settings.unkept
        self._given = answer, len(events), settings
        if not events and settings is None:
            return polled
        progress = replace(polled.progress or Progress(), events=events, settings=settings)
        return replace(polled, progress=progress)

    def committed(self) -> Progress | None:
        """What was handed out last is on disk; what the source delivered with it, if it did."""
        (answer, events, settings), self._given = self._given, (None, 0, None)
        self._events = self._events[events:]
        if self._settings.unkept is settings:
            self._settings.unkept = None
        if answer is None:
            return None
        self.answer = None
        return answer.progress
