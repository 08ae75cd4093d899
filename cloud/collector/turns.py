"""Which plants have news, and when they are to be looked at: at once among few, late among many.

What one object costs alone, several cost together: of many plants each is given time to gather.
"""

import time
from typing import Protocol

from cloud.collector.desk import PlantEvidence
from cloud.errors import StoreError

#: of so many plants each is looked at whenever it has news
AT_ONCE = 50


class Evidence(Protocol):
    """Whose evidence is followed."""

    def evidence(self, plant: str) -> PlantEvidence:
        """A plant's evidence; LookupError for a plant that is not there."""


def size_of(desk: Evidence, plant: str) -> int | None:
    """Entries of a plant's log; None while it cannot be had: whoever looks then learns why."""
    try:
        return desk.evidence(plant).size
    except (StoreError, LookupError):
        return None


class Turns:
    """Whose turn it is, of plants that something follows. One thread at a time.

    Args:
        each_s: of more plants than `AT_ONCE`, seconds of rest after a look for each one more.
    """

    def __init__(self, each_s: float) -> None:
        self._each_s = each_s
        self._looked: dict[str, tuple[object, float]] = {}

    def is_due(self, plant: str, news: object, of: int) -> bool:
        """Is a plant to be looked at?

        Args:
            plant: plant id.
            news: another value whenever there is something new of it, as the size of its log.
            of: how many plants there are.
        """
        if plant not in self._looked:
            return True
        known, at_s = self._looked[plant]
        return news != known and time.monotonic() >= at_s + self._each_s * max(0, of - AT_ONCE)

    def looked(self, plant: str, news: object) -> None:
        """All that was new of a plant by then was looked at."""
        self._looked[plant] = news, time.monotonic()

    def forget(self, plant: str) -> None:
        """A plant is to be looked at again, at once."""
        self._looked.pop(plant, None)
