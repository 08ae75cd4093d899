"""A month's screening in a language, for pages; and the plot of one of its answers."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from cloud.api import month_texts as texts
from cloud.api.guard import Given, GuardedRoute
from cloud.api.reviewed import Queued
from cloud.api.routes import MonthPath, PlantPath, found
from cloud.api.services import Services
from cloud.api.without_paths import without_paths
from cloud.screening.desk import Looked
from cloud.screening.kept import Kept
from edge.calc.screening.screen import Answer
from evidence.findings import shown
from evidence.screen.screened import question_names
from evidence.screen.svg import svg
from evidence.screen.texts import question_text, report_text, sentence_of

router = APIRouter(prefix="/api/v1/plants/{plant}/months/{month}", route_class=GuardedRoute)

SVG = "image/svg+xml"
#: rows that the page of all plants has
ROWS_MAX = 100
#: plants that it names of those that are not screened
REFUSED_MAX = 50
_VERDICT = "verdict."
#: minus strength, plant and rank of an answer, and the answer
_Ranked = tuple[float, str, int, Answer]


@router.get(
    "/screening/{rank}.svg", response_class=Response, responses={200: {"content": {SVG: {}}}}
)
def plot(
    given: Given, plant: PlantPath, month: MonthPath, rank: int,
    language: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:  # fmt: skip
    """The series that an answer of a month's screening is about; nothing in it can be clicked."""
    with found():
        kept = given.screenings.whole(given.months.rows(plant), month)
    out = [] if kept is None else kept.out
    drawn = out[rank - 1].result.plot if 0 < rank <= len(out) else None
    if drawn is None:
        raise HTTPException(404, f"{plant} {month} has no plot {rank}")
    result = out[rank - 1].result
    name = question_text(result.question, "name", language)
    title = f"{rank}. {name} · {plant} {month} · {shown(result.where)}"
    return Response(svg(title, drawn), media_type=SVG)


@dataclass(frozen=True)
class Row:
    """An answer that stands out.

    Attributes:
        plant: plant id.
        rank: among those of its month, from 1.
        strength: by which answers of several months are ranked.
        name, sentence, chance, causes: in the page's language.
        where: point, figure or document.
        statistic: the number with its unit.
        has_plot: a series shows it.
    """

    plant: str
    rank: int
    strength: float
    name: str
    where: str
    statistic: str
    sentence: str
    chance: str
    causes: str
    has_plot: bool


def rows_of(kept: Kept, language: str) -> list[Row]:
    """What stands out of a month, in words."""
    return [_row(rank, answer, language) for rank, answer in enumerate(kept.out, 1)]


def _row(rank: int, answer: Answer, language: str) -> Row:
    result = answer.result
    if answer.among is None:
        chance = report_text("limit", language, times=f"{result.beyond:.1f}")
    else:
        chance = report_text(
            "chance", language, chance=f"{result.chance:.2g}", among=f"{answer.among:.2g}"
        )
    name, causes = (question_text(result.question, part, language) for part in ("name", "causes"))
    return Row(
        result.plant, rank, answer.strength, name, shown(result.where), result.statistic,
        shown(sentence_of(result, language)), chance, causes, result.plot is not None,
    )  # fmt: skip


class ScreeningView:
    """A month's screening for its template.

    Args:
        looked: how it stands.
        archive: name of the month's archive.
        language: "en" or "zh".
    """

    def __init__(self, looked: Looked, archive: str, language: str) -> None:
        self.looked, self._archive, self._language = looked, archive, language
        self.rows = [] if looked.kept is None else rows_of(looked.kept, language)

    def state(self) -> str:
        """Why there are no rows, a sentence; "" where it was screened."""
        kept = self.looked.kept
        turn = self.looked.turn
        if turn.failed:
            why = without_paths(turn.failed)
            return texts.told(self._language, "review.screening.failed", why=why, tries=turn.tries)
        if kept is None:
            before = turn.before
            return texts.told(self._language, "review.screening.waits", before=before)
        if kept.why_not.startswith(_VERDICT):
            why = report_text(kept.why_not.removeprefix(_VERDICT), self._language)
            return texts.told(
                self._language, "review.screening.not-verified", archive=self._archive, why=why
            )
        if kept.why_not:
            why = shown(kept.why_not)
            return report_text("unfit", self._language, archive=self._archive, why=why)
        return ""

    def is_waiting(self) -> bool:
        """It is being made: nothing is amiss."""
        return self.looked.kept is None and not self.looked.turn.failed

    def said(self) -> list[str]:
        """What holds of all rows: what they are not, the level, what else was looked at or not."""
        kept, language = self.looked.kept, self._language
        if kept is None or kept.why_not:
            return []
        beside = ", ".join(kept.months[:-1])
        key = "review.screening.beside" if beside else "review.screening.alone"
        return [
            report_text("level", language, percent=f"{100 * kept.level:g}"),
            texts.told(language, key, months=beside),
            *(report_text(f"note.{name}", language, **facts) for name, facts in kept.notes),
        ]

    def count(self) -> str:
        """How many stand out."""
        kept = self.looked.kept
        n = 0 if kept is None else len(kept.out) + kept.more
        return report_text("out" if n else "none", self._language, n=n)

    def more(self) -> int:
        """How many stand out that have no row."""
        return 0 if self.looked.kept is None else self.looked.kept.more

    def asked(self) -> list[str]:
        """Every question with what it looked at."""
        kept, language = self.looked.kept, self._language
        told = []
        for name in question_names() if kept is not None else ():
            looked, out = kept.asked.get(name, (0, 0)) if kept is not None else (0, 0)
            key = "asked_row" if looked else "nothing"
            said = question_text(name, "name", language)
            told.append(report_text(key, language, name=said, looked=looked, out=out))
        return told


@dataclass(frozen=True)
class ScreenedAcross:
    """One month of many plants, screened.

    Attributes:
        rows: what stands out, the strongest first.
        more: how many more stand out.
        screened: plants of which it is made.
        waiting: plants of which it is being made.
        refused: plants whose archive does not verify, or cannot be screened.
        refused_more: how many more there are.
    """

    rows: Sequence[Row]
    more: int
    screened: int
    waiting: int
    refused: Sequence[str]
    refused_more: int


def screened_across(
    given: Services, queued: Sequence[Queued], month: str, language: str
) -> ScreenedAcross:
    """Put together what is made of a month's archives, and have the rest made."""
    out, refused, more, screened, waiting = list[_Ranked](), list[str](), 0, 0, 0
    for one in queued:
        plant = str(one.row["plant"])
        if one.row["month"] != month or one.archive is None:
            continue
        looked = given.screenings.of(given.months.rows(plant), month, soon=False)
        if (
            looked is None
            or looked.turn.failed
            or (looked.kept is not None and looked.kept.why_not)
        ):
            refused.append(plant)
        elif looked.kept is None:
            waiting += 1
        else:
            screened += 1
            more += looked.kept.more
            out += [(-one.strength, plant, n, one) for n, one in enumerate(looked.kept.out, 1)]
    first = nsmallest(ROWS_MAX, out, key=lambda of: of[:3])  # texts are made of what is shown
    rows = [_row(rank, answer, language) for _, _, rank, answer in first]
    return ScreenedAcross(
        rows, more + len(out) - len(rows), screened, waiting, refused[:REFUSED_MAX],
        max(0, len(refused) - REFUSED_MAX),
    )  # fmt: skip


@dataclass(frozen=True)
class AlikeAcross:
    """Series that are the same at two of the plants somebody sees.

    Attributes:
        rows: pairs, the strongest first.
        more: how many more there are; of pairs that were not kept, for who sees all plants.
        plants: how many plants were compared, also those that one does not see; 0 before the first.
        age: of the comparison, in words.
        said: that it is being made, or why it is not; "" otherwise.
    """

    rows: Sequence[Row]
    more: int
    plants: int
    age: str
    said: str


def alike_across(given: Services, seen: Set[str], month: str, language: str) -> AlikeAcross:
    """A month's comparison of the plants of a collector, as far as somebody sees both plants.

    Args:
        given: the collector.
        seen: plants that somebody sees.
        month: "YYYY-MM".
        language: "en" or "zh".
    """
    wall_ns, everyone = given.clock.wall_ns, given.hub.plants()
    found = given.screenings.alike(
        month, lambda: [given.months.rows(plant) for plant in everyone], wall_ns
    )
    said = ""
    if found.turn is not None and found.turn.failed:
        why = without_paths(found.turn.failed)
        said = texts.told(language, "review.alike.failed", why=why, tries=found.turn.tries)
    elif found.turn is not None:
        said = texts.told(language, "review.alike.being", before=found.turn.before)
    if found.series is None:
        return AlikeAcross([], 0, 0, "", said)
    rows = [
        _pair(rank, answer, language) for rank, answer in enumerate(found.series.out, 1)
        if {answer.result.plant, answer.result.facts.get("plant", "")} <= seen
    ]  # fmt: skip
    age = texts.age(language, max(0, wall_ns() - found.series.made_ns) // 10**9)
    more = max(0, len(rows) - ROWS_MAX) + (found.series.more if seen >= set(everyone) else 0)
    return AlikeAcross(rows[:ROWS_MAX], more, found.series.plants, age, said)


def _pair(rank: int, answer: Answer, language: str) -> Row:
    """A row whose chance is among all pairs of plants."""
    chance, among = answer.result.chance or 0.0, answer.among or 0.0
    said = texts.told(language, "review.alike.chance", chance=f"{chance:.2g}", among=f"{among:.2g}")
    return replace(_row(rank, answer, language), chance=said)
