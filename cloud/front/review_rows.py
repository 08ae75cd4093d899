"""How far the review of each closed month is, in a language, the newest month first. Pure.

A month is reviewed at its own collector, by one's own account: each row leads to it there. Those of
a collector that is not heard stay, and say of which instant they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from cloud.api import month_texts as texts
from cloud.api.rendering import STRINGS
from cloud.front.heard import Heard, Part, rows
from cloud.front.shapes import Level, Review
from cloud.front.view import ALERT, DQ, Cell, of_earlier

#: of a question, the one that presses most first
STATES = ("overdue", "open", "answered")


@dataclass(frozen=True)
class ReviewRow:
    """A closed month at a collector."""

    of: Review
    heard: Heard
    part: Part
    language: str

    @property
    def key(self) -> str:
        """Which row of the table it is."""
        return f"{self.of.plant}/{self.of.month}@{self.heard.name}"

    @property
    def link(self) -> str:
        """The month's review at its collector."""
        of = self.of
        return f"{self.heard.pages}/{self.language}/plants/{of.plant}/months/{of.month}/review"

    @property
    def words(self) -> Sequence[str]:
        """Texts in which words are looked for."""
        return (self.of.plant, self.of.month, self.heard.name)

    @property
    def is_needing(self) -> bool:
        """A question is not answered, or a level returned it."""
        return bool(self.of.open or self.of.overdue) or "return" in self.of.levels.values()

    @property
    def state(self) -> str:
        """Of the month."""
        return STRINGS[self.language][f"month.state.{self.of.state}"]

    @property
    def note(self) -> str:
        """Of which instant it is, "" for now."""
        return of_earlier(self.part, self.language)

    @property
    def points(self) -> Cell:
        """Its questions, by state."""
        counts = {state: getattr(self.of, state) for state in STATES}
        said = [
            texts.told(self.language, f"review.count.{state}", n=n)
            for state, n in counts.items() if n
        ]  # fmt: skip
        look = ALERT if self.of.overdue else DQ if self.of.open else ""
        text = texts.told(self.language, "front.and").join(said)
        return Cell(text or texts.told(self.language, "review.nothing"), look)

    @property
    def due(self) -> str:
        """The first day an answer is owed by."""
        return self.of.next_due or texts.told(self.language, "review.nothing")

    @property
    def levels(self) -> Sequence[tuple[str, Cell]]:
        """What each level decided; a level that did not decide has the month still."""
        return [(level, self._level(self.of.levels.get(level, ""))) for level in get_args(Level)]

    def _level(self, state: str) -> Cell:
        look = {"return": ALERT, "older": DQ}.get(state, "")
        return Cell(texts.told(self.language, f"review.state.{state or 'none'}"), look)


def review_rows(all_heard: Sequence[Heard], language: str) -> list[ReviewRow]:
    """Every closed month's review, the newest month first, then by plant.

    Args:
        all_heard: every collector.
        language: "en" or "zh".
    """
    found = [
        ReviewRow(one, heard, part, language)
        for heard, part in rows(all_heard, "reviews")
        for one in (part.seen.reviews if part.seen else ())
    ]
    found.sort(key=lambda row: (row.of.plant, row.heard.name))
    return sorted(found, key=lambda row: row.of.month, reverse=True)
