"""What each plant emits now, at all collectors: for pages, and for programs as JSON. Pure.

A rate without a usable value has none, never 0. One that its collector told some time ago grows
older here; where the collector is not heard any more it has no value either, and is stale.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.front.heard import NS, Heard, Part
from cloud.front.lists import of_whom
from cloud.front.parts import LOOK_S
from cloud.front.shapes import PlantFacts, Rate, Summary
from cloud.live.summary import STALE_INTERVALS
from evidence.quality import FIRST_BAD

#: nanoseconds since its collector told it after which a rate is old, whatever it was then
TOLD_MAX_NS = int(STALE_INTERVALS * LOOK_S * NS)


@dataclass(frozen=True)
class Now:
    """A rate of a plant as the front knows it at an instant.

    Attributes:
        plant: facts of the plant.
        heard: its collector.
        rate: as its collector told it last; None for a plant that has none, or was not told of.
        is_none: the plant has no rate, says its collector now.
        since_ns: since it was told.
    """

    plant: PlantFacts
    heard: Heard
    rate: Rate | None
    is_none: bool
    since_ns: int

    @property
    def part(self) -> Part:
        """Of which it is."""
        return self.heard.parts["overview"]

    @property
    def point(self) -> str:
        """Id of its point, "" for none."""
        return self.rate.point if self.rate else ""

    @property
    def grade(self) -> str:
        """How far it is to be trusted: "good", "reserved", "stale", "bad", "none"."""
        if self.rate is None:
            return "none"
        if self.part.amiss:
            return "stale"
        return graded(self.rate, self.since_ns)

    @property
    def value(self) -> str | None:
        """Decimal text in the rate's unit; None where nothing is known as of now, or it is bad."""
        if self.rate is None or self.part.amiss or self.rate.value is None:
            return None
        return str(self.rate.value) if self.grade in ("good", "reserved", "stale") else None

    @property
    def age_ns(self) -> int | None:
        """Of the newest value that was told, shown or not; None where none was."""
        if self.rate is None or self.rate.age_ns is None:
            return None
        return self.rate.age_ns + self.since_ns

    def as_map(self) -> dict[str, Any]:
        """JSON-ready."""
        told = None if self.part.amiss else self.rate
        return {
            "plant": self.plant.id, "name": self.plant.name, "simulated": self.plant.simulated,
            "point": self.point, "unit": self.rate.unit if self.rate else "",
            "value": self.value, "quality": told.quality if told else None, "grade": self.grade,
            "why": dict(told.why) if told else {}, "age_ns": self.age_ns,
            **of_whom(self.heard, self.part),
        }  # fmt: skip


def graded(rate: Rate, since_ns: int) -> str:
    """A rate's grade so long after its collector told it."""
    if rate.grade != "none" and rate.quality is not None and rate.quality >= FIRST_BAD:
        return "bad"
    is_old = since_ns > TOLD_MAX_NS and rate.grade in ("good", "reserved")
    return "stale" if is_old else rate.grade


def rates(all_heard: Sequence[Heard], now_ns: int) -> list[Now]:
    """Every rate of every plant at every collector, a plant without one too: by plant, collector.

    Args:
        all_heard: every collector.
        now_ns: by the front's clock.
    """
    found = [one for heard in all_heard for one in _of(heard, now_ns)]
    return sorted(found, key=lambda one: (one.plant.id, one.heard.name))


def _of(heard: Heard, now_ns: int) -> Iterator[Now]:
    part = heard.parts["overview"]
    since_ns = now_ns - (now_ns if part.heard_ns is None else part.heard_ns)
    told = {one.plant.id: one for one in (part.seen.plants if part.seen else ())}
    for plant in heard.plants:
        summary = told.get(plant)
        facts = summary.plant if summary else PlantFacts(id=plant)
        known = _rates(summary)
        is_none = summary is not None and part.amiss is None and not known
        for rate in known or (None,):
            yield Now(facts, heard, rate, is_none, since_ns)


def _rates(summary: Summary | None) -> Sequence[Rate]:
    if summary is None:
        return ()
    return [*([summary.headline] if summary.headline else ()), *summary.beside]


def placed(found: Sequence[Now]) -> list[tuple[tuple[str, ...], Now]]:
    """Each with its place in the list of all."""
    return [((one.plant.id, one.point, one.heard.name), one) for one in found]
