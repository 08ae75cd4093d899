"""Amounts that persons signed in the place of what a counter counted over a drop or a leap. Pure.

A correction counts when a second person approved it. It is about the point, and meets the drops and
leaps whose two readings its period touches: its value takes the place of what these counted
together. FIGURES.md section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.folds.counter import Break
from edge.calc.folds.papers import Paper, Papers, touches
from evidence.counts import count_to_text
from evidence.points import Point

CORRECTION = "counter-correction"
_BELOW = 10**15


@dataclass(frozen=True)
class Correction:
    """One that is used.

    Attributes:
        paper: the document.
        met: drops and leaps that it is of.
        value: in the point's unit.
    """

    paper: Paper
    met: Sequence[Break]
    value: Fraction

    @property
    def counted(self) -> int:
        """Counts that it takes the place of."""
        return sum(one.counted for one in self.met)

    def added(self, decimals: int) -> Fraction:
        """By how much it moves the total, in the point's unit."""
        return self.value - Fraction(self.counted, 10**decimals)

    def as_map(self, decimals: int) -> dict[str, Any]:
        """Measured and corrected amount, with its document."""
        return {
            "sha256": self.paper.sha256,
            "from_ns": self.paper.body["from_ns"],
            "to_ns": self.paper.body["to_ns"],
            "counted": count_to_text(self.counted, decimals),
            "value": exact_text(self.value),
        }


def corrections_of(
    point: Point, breaks: Sequence[Break], papers: Papers
) -> tuple[list[Correction], bool]:
    """Those that can be used, by hash; and whether all can be."""
    about = [
        paper
        for paper in papers.counting(CORRECTION, point.id)
        if touches((paper.body["from_ns"], paper.body["to_ns"]), papers.period)
    ]
    met = {paper.sha256: _met(paper, breaks) for paper in about}
    found = []
    for paper in sorted(about, key=lambda paper: paper.sha256):
        own, value = met[paper.sha256], Fraction(paper.body["value"])
        others = [one for sha256, of in met.items() if sha256 != paper.sha256 for one in of]
        is_fit = paper.body["unit"] == point.quantity.unit and 0 <= value < _BELOW
        if own and is_fit and not any(one in others for one in own):
            found.append(Correction(paper, own, value))
    return found, len(found) == len(about)


def _met(paper: Paper, breaks: Sequence[Break]) -> list[Break]:
    from_ns, to_ns = paper.body["from_ns"], paper.body["to_ns"]
    return [one for one in breaks if from_ns <= one.tick_ns and to_ns >= one.since_ns]
