"""What the month engine asks of the collector, and tells it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from cloud.collector.desk import PlantEvidence
from cloud.collector.intake import Intake
from cloud.collector.service import Collector
from cloud.collector.topics import Sender
from cloud.errors import StoreError
from cloud.records.desk import RecordDesk
from cloud.records.papers import Papers
from evidence.documents.review import CLOSED_OWING


class Sources(Protocol):
    """The collector, as the engine sees it; tests put plain objects in its place."""

    def plants(self) -> Sequence[str]:
        """Ids of the plants that are served, sorted."""

    def evidence(self, plant: str) -> PlantEvidence:
        """A plant's evidence; LookupError, StoreError for one that is not served."""

    def papers(self, plant: str) -> Papers | None:
        """A plant's documents, None where they cannot be read."""

    def missing(self, plant: str) -> Mapping[str, int]:
        """Stream -> objects that later ones show to be missing."""

    def flags(self, plant: str, month: str) -> Sequence[str]:
        """Flags that the statement of a month that is not closed would carry, as far as known."""

    async def turn(self) -> None:
        """Waited for before each piece that is counted: evidence goes first."""

    async def decide(self, plant: str, month: str, body: Mapping[str, Any], signed_s: int) -> None:
        """Log a signed document: who closes an incomplete month, and why.

        Raises:
            EvidenceError: it cannot be written so.
            StoreError: the disk refuses.
        """

    async def alarm(self, plant: str, reason: str, sentence: str) -> None:
        """Something about the plant stands; "" for a sentence ends it."""


class CollectorSources:
    """The running collector. Call from any thread but `alarm`: from the event loop's."""

    def __init__(
        self, collector: Collector, intake: Intake, records: RecordDesk,
        flags_of: Callable[[str, str], Sequence[str]] = lambda _plant, _month: (),
    ) -> None:  # fmt: skip
        self._collector, self._intake, self._records = collector, intake, records
        self._flags_of = flags_of

    def plants(self) -> Sequence[str]:
        """See `Sources`."""
        return list(self._intake.plants)

    def evidence(self, plant: str) -> PlantEvidence:
        """See `Sources`."""
        return self._intake.plant(plant).reader

    def papers(self, plant: str) -> Papers | None:
        """See `Sources`."""
        try:
            return self._records.papers(plant)
        except StoreError:
            return None  # the checklist says so: what is owed then is the disk's repair

    def missing(self, plant: str) -> Mapping[str, int]:
        """See `Sources`."""
        found = {}
        for stream in self.evidence(plant).streams():
            missed = self._intake.missing.of(Sender(plant, stream))
            if missed is not None:
                found[stream] = missed.last - missed.first + 1
        return found

    def flags(self, plant: str, month: str) -> Sequence[str]:
        """See `Sources`."""
        return self._flags_of(plant, month)

    async def turn(self) -> None:
        """See `Sources`."""
        await self._collector.quiet()

    async def decide(self, plant: str, month: str, body: Mapping[str, Any], signed_s: int) -> None:
        """See `Sources`."""
        await self._records.sign(plant, CLOSED_OWING, month, body, signed_s)

    async def alarm(self, plant: str, reason: str, sentence: str) -> None:
        """See `Sources`."""
        future = self._collector.submit(lambda: self._collector.stand(plant, reason, sentence))
        await asyncio.wrap_future(future)
