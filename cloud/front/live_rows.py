"""What each plant emits now, in a language: a row each rate, by plant and collector. Pure.

A row's texts are made where it is shown: a page shows a hundred of some thousands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cloud.api import month_texts as texts
from cloud.api.amounts import amount
from cloud.api.rendering import STRINGS
from cloud.front.heard import NS, Heard
from cloud.front.rates import Now, rates
from cloud.front.view import DQ, Cell, of_earlier, why
from evidence.quality import sentence


@dataclass(frozen=True)
class LiveRow:
    """A rate of a plant at a collector."""

    of: Now
    language: str

    @property
    def key(self) -> str:
        """Which row of the table it is."""
        return f"{self.of.plant.id}/{self.of.point}@{self.of.heard.name}"

    @property
    def name(self) -> str:
        """Its plant's name, or its id."""
        return self.of.plant.name or self.of.plant.id

    @property
    def link(self) -> str:
        """The plant's page at its collector."""
        return f"{self.of.heard.pages}/{self.language}/plants/{self.of.plant.id}"

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.of.plant.id, self.of.plant.name, self.of.heard.name)

    @property
    def is_needing(self) -> bool:
        """It is not good; a plant that has no rate is as it should be."""
        return self.of.grade != "good" and not self.of.is_none

    @property
    def figure(self) -> str:
        """Which view of the emission it is, "" where nothing is to be said."""
        return STRINGS[self.language].get(f"plants.figure.{self.of.point}", self.of.point)

    @property
    def value(self) -> Cell:
        """With its unit; a dash where there is none."""
        of = self.of
        if of.value is None or of.rate is None:
            return Cell("–", DQ)
        text = amount(f"{Decimal(of.value):.2f}", of.rate.unit)
        return Cell(text, "" if of.grade == "good" else DQ)

    @property
    def quality(self) -> Cell:
        """Its quality in words, and why it is not good."""
        return Cell(self._quality(), "" if self.of.grade == "good" else DQ)

    def _quality(self) -> str:
        of, language = self.of, self.language
        if of.part.amiss:
            earlier = of_earlier(of.part, language) or why(language, of.part.amiss)
            return texts.told(language, "front.live.stale", why=earlier) if of.rate else earlier
        if of.rate is None:
            return texts.told(language, "plants.no_figure" if of.is_none else "none.yet")
        if of.grade in ("none", "stale"):
            return texts.told(language, "none.yet" if of.grade == "none" else "front.live.old")
        told = of.rate.why.get("zh" if language == "zh" else "en") if of.grade == "bad" else ""
        return told or sentence(of.rate.quality or 0, language)

    @property
    def age(self) -> Cell:
        """Of the newest value that was told."""
        if self.of.age_ns is None:
            return Cell(texts.told(self.language, "review.nothing"), DQ)
        text = texts.age(self.language, max(0, self.of.age_ns) // NS)
        return Cell(text, "" if self.of.grade in ("good", "reserved") else DQ)


def live_rows(all_heard: Sequence[Heard], now_ns: int, language: str) -> list[LiveRow]:
    """Every rate; see `rates`."""
    return [LiveRow(one, language) for one in rates(all_heard, now_ns)]
