"""How every month of a plant stands: facts, documents and a time, put together. Any thread.

It reads what was counted, never the log. Rows of months are made again when something was counted,
closed or verified, or a minute is over; a month's own checklist whenever it is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cloud.closing.log import MonthClose
from cloud.closing.seam import following
from cloud.errors import StoreError
from cloud.month.checklist import Checklist, Known, checklist, due_in_all
from cloud.month.deadlines import deadline_of
from cloud.month.expected import Plans
from cloud.month.facts import Archive, Facts, Position
from cloud.month.figured import figures_row
from cloud.month.rows import VerdictOf, checklist_row, issues_row, month_row
from cloud.month.sources import Sources
from cloud.month.states import MonthFacts, Standing, newest_final, standing
from cloud.records.papers import Papers
from edge.calc.local_time import PlantDays, clock_of

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
#: months that are looked at: a gateway whose clock had forgotten the time signed readings of 1970
MONTHS_MAX = 120
#: months whose sealed figures are remembered: a smelter's are a hundred kilobytes
FIGURES_MAX = 256
#: the minute of rows that are to be made again
_NEVER = -1


Of = TypeVar("Of", MonthClose, Archive)


@lru_cache(1_024)
def _end_ns(zone: str, month: str) -> int:
    """The first instant of the next month: asked for by each plant each minute."""
    return PlantDays(zone).month_bounds(month)[1]


def _by_month(found: Iterable[Of]) -> Mapping[str, list[Of]]:
    """Month -> what is of it, in the same order; none of any other."""
    made = defaultdict[str, list[Of]](list)
    for one in found:
        made[one.month].append(one)
    return made


@dataclass(frozen=True)
class _Now:
    """What all months of a plant stand on."""

    plant: str
    zone: str
    positions: Mapping[str, Position]
    missing: Mapping[str, int]
    papers: Papers | None


class MonthBook:
    """Looks up how months stand.

    Args:
        facts: what was counted.
        sources: the collector.
        plans: control plans.
        folder: where archives stand.
        verdict_of: what was found of an archive when it was verified here.

    Attributes:
        facts: as given.
    """

    def __init__(
        self, facts: Facts, sources: Sources, plans: Plans, folder: Path,
        verdict_of: VerdictOf = lambda _: None,
    ) -> None:  # fmt: skip
        self.facts, self._sources, self._plans = facts, sources, plans
        self._folder, self._verdict_of = folder, verdict_of
        self._over: dict[tuple[str, str], tuple[object, Checklist]] = {}
        self._rows: dict[str, tuple[int, list[Mapping[str, Any]]]] = {}
        self._figures: dict[tuple[str, str], tuple[bytes, Mapping[str, Any]]] = {}

    def forget(self, plant: str) -> None:
        """Something is known anew: the next who asks for rows gets new ones. Any thread."""
        _, made = self._rows.get(plant, (0, []))
        self._rows[plant] = _NEVER, made

    def rows(self, plant: str, now_ns: int) -> list[Mapping[str, Any]]:
        """JSON-ready rows of all months, newest first."""
        minute = now_ns // MINUTE_NS
        held = self._rows.get(plant)
        if held is None or held[0] != minute:
            every, made, now = self.facts.closes(plant), list[Mapping[str, Any]](), self._now(plant)
            # by months once: of ten years each month would go through all of them
            closed, standing_there = _by_month(every), _by_month(self.facts.archives(plant))
            before = {row["month"]: row for row in held[1]} if held is not None else {}
            for month in reversed(self._months(plant, now_ns, every)):
                closes, archives = closed[month], standing_there[month]
                found = self._of_row(now, month, closes, now_ns)
                of = self._standing(found, month, now_ns, closes, archives)
                row = self._row(plant, found, of, closes, archives)
                # what stays the same stays: else Python goes through all of it once a minute
                made.append(before[month] if before.get(month) == row else row)
            if self._rows.get(plant) is not held:  # something is known anew since it was begun
                return made
            held = self._rows[plant] = minute, made
        return held[1]

    def month(self, plant: str, month: str, now_ns: int) -> Mapping[str, Any] | None:
        """JSON-ready: a month's row with its checklist; None for one that the plant has not."""
        every = self.facts.closes(plant)
        if month not in self._months(plant, now_ns, every):
            return None
        closes, archives = _by_month(every)[month], _by_month(self.facts.archives(plant))[month]
        known = replace(
            self._known(self._now(plant), month, closes),
            segments=self.facts.segments(plant), days=self.facts.days(plant, month),
        )  # fmt: skip
        found = self._counted(checklist(known, now_ns), plant, now_ns)
        of = self._standing(found, month, now_ns, closes, archives)
        row = self._row(plant, found, of, closes, archives)
        figures = self._figured(plant, month, archives, closes)
        told = issues_row(row["archives"], self._verdict_of, figures)
        return {**row, **checklist_row(found, closes), "figures": figures, **told}

    def _figured(
        self, plant: str, month: str, archives: Sequence[Archive], closes: Sequence[MonthClose]
    ) -> Mapping[str, Any] | None:
        """Figures of the archive that stands, if the log closed its statement; read once."""
        closed = {close.statement_sha256 for close in closes}
        for one in archives:
            if one.is_replaced or one.statement not in closed:
                continue
            held = self._figures.get((plant, month))
            if held is not None and held[0] == one.statement:
                return held[1]
            made = figures_row(self._folder / one.name, one.statement)
            if made is not None:
                if len(self._figures) >= FIGURES_MAX:
                    self._figures.clear()
                self._figures[plant, month] = one.statement, made
            return made
        return None

    def _of_row(
        self, of: "_Now", month: str, closes: Sequence[MonthClose], now_ns: int
    ) -> Checklist:
        """What a row tells of a month; of one that is over it is made again when something came."""
        known = self._known(of, month, closes)
        end_ns = _end_ns(of.zone, month)
        reach = {stream: min(at.at_ns, end_ns) for stream, at in of.positions.items()}
        papers = None if known.papers is None else len(known.papers.standing)
        stands_on = (
            self.facts.changes(of.plant, month), reach, known.missing, known.expected, papers,
            known.close, of.zone, tuple(known.flags),
        )  # fmt: skip
        held = self._over.get((of.plant, month))
        if held is not None and held[0] == stands_on:
            return held[1]
        days = self.facts.days(of.plant, month, devices=False)
        made = self._counted(checklist(replace(known, days=days), now_ns), of.plant, now_ns)
        if now_ns >= end_ns and not made.events:  # those end with time
            slim = replace(made, days=(), streams=(), documents=())
            self._over[of.plant, month] = stands_on, slim
        return made

    def _counted(self, of: Checklist, plant: str, now_ns: int) -> Checklist:
        """A checklist with the readings of all devices, and how many were due."""
        due = due_in_all(self.facts.segments(plant), of.month, of.zone, now_ns)
        return replace(of, counted=self.facts.counted(plant, of.month), due=due)

    def _now(self, plant: str) -> "_Now":
        return _Now(
            plant, self.zone(plant), self.facts.positions(plant), self._sources.missing(plant),
            self._sources.papers(plant),
        )  # fmt: skip

    def _known(self, of: "_Now", month: str, closes: Sequence[MonthClose]) -> Known:
        """What a checklist is made of, without days and devices."""
        papers, expected = of.papers, None
        try:
            expected = self._plans.expected(of.plant, month)
        except StoreError:  # a month without its plan would need nothing: its documents are owed
            papers = None
        return Known(
            month, of.zone, of.positions, {}, [], of.missing, expected, papers,
            newest_final(closes, month), self._sources.flags(of.plant, month),
        )  # fmt: skip

    def _standing(
        self,
        found: Checklist,
        month: str,
        now_ns: int,
        closes: Sequence[MonthClose],
        archives: Sequence[Archive],
    ) -> Standing:
        close = newest_final(closes, month)
        facts = MonthFacts(
            from_ns=found.from_ns,
            to_ns=found.to_ns,
            blocking=len(found.blocking),
            owed=len(found.owed),
            newest_ns=found.newest_ns,
            close=close,
            is_sealed=close is not None
            and any(one.statement == close.statement_sha256 for one in archives),
            deadline=deadline_of(month),
            came_after=bool(found.after or found.late),
        )
        return standing(facts, now_ns)

    def _row(
        self, plant: str, found: Checklist, of: Standing, closes: Sequence[MonthClose],
        archives: Sequence[Archive],
    ) -> dict[str, Any]:  # fmt: skip
        placed = [(one, self._folder / one.name) for one in archives]
        close = newest_final(closes, found.month)
        return month_row(plant, found, of, close, placed, verdict_of=self._verdict_of)

    def zone(self, plant: str) -> str:
        """The plant's time zone, as its newest configuration in force says it."""
        segments = [one[-1] for one in self.facts.segments(plant).values()]
        newest = max(segments, key=lambda one: one.from_ns, default=None)
        return "Asia/Shanghai" if newest is None else newest.layout.zone

    def _months(self, plant: str, now_ns: int, closes: Sequence[MonthClose]) -> list[str]:
        """From the first reading, or the first close, to now, oldest first; the last of them.

        Readings of a clock that is ahead have their month when it has come.
        """
        shown = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).astimezone(
            clock_of(self.zone(plant))
        )
        now = shown.strftime("%Y-%m")
        first = self.facts.first_month(plant) or now
        named = {now, *(close.month for close in closes), min(first, now)}
        found, month = [], min(named)
        while month <= max(named):
            found.append(month)
            month = following(month)
        return found[-MONTHS_MAX:]
