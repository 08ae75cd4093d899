"""A shift's sheet, and the handing over. Reads the parts of the running collector."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cloud.alarms.core import Alarm, Shelf, What
from cloud.alarms.desk import AlarmDesk, MonthRows
from cloud.alarms.facts import Effect, Unheard
from cloud.alarms.store import Event
from cloud.clock import Clock
from cloud.config_alarms import DEFAULT_SHIFTS
from cloud.errors import StoreError
from cloud.live.hub import LiveHub
from cloud.shift.cut import SECOND_NS, Shift, shift_at
from cloud.shift.emission import ShiftEmission, emitted
from cloud.shift.store import LEFT, NOTE_MAX, TAKEN, CountedTo, Note, ShiftStore
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.shift")

COUNT_S = 60.0
#: months are counted some seconds behind; a count this near to a shift's edge is its edge
EDGE_NS = 600 * SECOND_NS
WATCH_MAX = 8
#: a pot with so many effects in a shift is to be watched
REPEATS = 2
_SILENT = ("gateway-offline", "backlog")
_BAD = "meter-"


class Accumulated(Protocol):
    """Figures of the month so far."""

    def of(self, plant: str) -> Mapping[str, Any]:
        """JSON-ready; LookupError for a plant this collector does not hold."""


@dataclass(frozen=True)
class Watched:
    """A pot to watch.

    Attributes:
        line, pot: which.
        effects: how many it had in the shift.
        longest_ns: the longest of them, as far as it is known.
        is_running: one runs.
        unknown_ns: one ran when its gateway fell silent then, UTC ns; None for none.
    """

    line: str
    pot: str
    effects: int
    longest_ns: int
    is_running: bool
    unknown_ns: int | None = None


@dataclass(frozen=True)
class Sheet:
    """What a shift leaves to the next.

    Attributes:
        plant, zone: id, and the zone of all its times.
        shift, before_ns, after_ns: which; beginnings of its neighbours, None after the running one.
        effects: of the shift, newest first.
        unheard: stretches in the shift whose effects are not known.
        watch: pots to watch: running, again, beyond the plant's limit.
        silent, bad: alarms of gateways and meters that stood in the shift, raised or cleared.
        owed: (month, what is owed) of months whose evidence is at risk.
        emission: None where too little was counted.
        standing: what stands now; None for a shift that is over.
        notes: left, and taken over.
        raised: alarms that people were told of in the shift.
    """

    plant: str
    zone: ZoneInfo
    shift: Shift
    before_ns: int
    after_ns: int | None
    effects: Sequence[Effect]
    unheard: Sequence[Unheard]
    watch: Sequence[Watched]
    silent: Sequence[Event]
    bad: Sequence[Event]
    owed: Sequence[tuple[str, Mapping[str, Any]]]
    emission: ShiftEmission | None
    standing: Sequence[tuple[Alarm, Shelf | None]] | None
    notes: Sequence[Note]
    raised: int


class ShiftDesk:
    """Shifts of all plants of a collector; `shifts` are when they begin, by plant."""

    def __init__(  # noqa: PLR0917 - the composition root calls it by names
        self,
        store: ShiftStore,
        hub: LiveHub,
        alarms: AlarmDesk,
        months: MonthRows,
        accumulated: Accumulated,
        clock: Clock,
        shifts: Mapping[str, Sequence[str]],
    ) -> None:
        self._store, self._hub, self._alarms, self._months = store, hub, alarms, months
        self._accumulated, self._clock, self._shifts = accumulated, clock, shifts
        self._trouble: dict[str, str] = {}  # by plant; "" of the file
        self._kept: dict[str, CountedTo] = {}

    # -- counting ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep once a minute how far each month was counted, for ever; cancel it to end."""
        while True:
            await asyncio.to_thread(self.count, self._hub.plants())
            await asyncio.sleep(COUNT_S)

    def count(self, plants: Sequence[str]) -> None:
        """Keep how far months were counted; nothing of one without a total, or that lags behind."""
        found: dict[str, CountedTo] = {}
        for plant in plants:
            with self._telling(plant):
                told = self._accumulated.of(plant)
                month = told.get("periods", {}).get("month", {})
                if month.get("total_t") is not None and not told["is_behind"]:
                    named = (told["through_ns"], told["month"], told["unit"], month["total_t"])
                    found[plant] = CountedTo(*named)
        new = {plant: one for plant, one in found.items() if self._kept.get(plant) != one}
        with self._telling(""):
            self._store.count(new)
            self._kept.update(new)

    @contextlib.contextmanager
    def _telling(self, plant: str) -> Iterator[None]:
        """What is amiss is told once; it is tried again."""
        try:
            yield
            self._trouble.pop(plant, None)
        except (StoreError, LookupError) as error:  # LookupError: given up meanwhile
            if str(error) != self._trouble.get(plant):
                told = "shifts are not counted just now: %s %s"
                log.warning(told, plant, error, extra=about(plant))
            self._trouble[plant] = str(error)

    # -- sheets -----------------------------------------------------------------------------------

    def shift(self, plant: str, at_ns: int | None = None) -> Shift:
        """The shift that an instant lies in, by default the running one.

        Raises:
            LookupError: no such plant.
        """
        at_ns = self._clock.wall_ns() if at_ns is None else at_ns
        return shift_at(self._shifts.get(plant, DEFAULT_SHIFTS), self._hub.zone(plant), at_ns)

    def sheet(self, plant: str, at_ns: int | None = None) -> Sheet:
        """The sheet of a shift; LookupError likewise."""
        now_ns, shift = self._clock.wall_ns(), self.shift(plant, at_ns)
        is_running = now_ns < shift.to_ns
        store = self._alarms.store
        events = store.between([plant], shift.from_ns, shift.to_ns)
        effects = self._alarms.effects(plant, shift.from_ns, shift.to_ns)
        begun = [one for one in events if one.happening.what in (What.RAISED, What.CLEARED)]
        counts = self._store.counts(plant, shift.from_ns - EDGE_NS, shift.to_ns)
        return Sheet(
            plant=plant, zone=self._hub.zone(plant), shift=shift,
            before_ns=self.shift(plant, shift.from_ns - 1).from_ns,
            after_ns=None if is_running else shift.to_ns,
            effects=effects[::-1], watch=watched(effects, self._alarms.longest_ns(plant)),
            unheard=self._alarms.unheard(plant, shift.from_ns, min(shift.to_ns, now_ns)),
            silent=[one for one in begun if one.happening.alarm.key.kind in _SILENT],
            bad=[one for one in begun if one.happening.alarm.key.kind.startswith(_BAD)],
            owed=self._owed(plant),
            emission=emitted(_within(counts, shift.from_ns)),
            standing=self._alarms.standing([plant]) if is_running else None,
            notes=self._store.notes(plant, shift.from_ns),
            raised=sum(one.happening.is_told for one in events),
        )  # fmt: skip

    def _owed(self, plant: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [
            (str(row["month"]), one)
            for row in self._months.rows(plant)
            if row["state"] in ("open", "waiting", "late")
            for one in row["owed"]
            if one["blocks"]
        ]

    # -- handing over -----------------------------------------------------------------------------

    def leave(self, plant: str, from_ns: int, by: str, text: str) -> None:
        """Leave a note to the next shift; ValueError when it is empty, too long, or of no shift."""
        if not text.strip() or len(text) > NOTE_MAX:
            raise ValueError(f"a note has 1 to {NOTE_MAX} characters")
        self._add(plant, from_ns, Note(self._clock.wall_ns(), by, LEFT, text.strip()))

    def take(self, plant: str, from_ns: int, by: str) -> None:
        """Take over from a shift; ValueError for who wrote its only notes, or nothing was left."""
        left = {one.by for one in self._store.notes(plant, from_ns) if one.what == LEFT}
        if not left - {by}:
            raise ValueError("somebody else must have left a note")
        self._add(plant, from_ns, Note(self._clock.wall_ns(), by, TAKEN, ""))

    def _add(self, plant: str, from_ns: int, note: Note) -> None:
        if self.shift(plant, from_ns).from_ns != from_ns or from_ns > note.at_ns:
            raise ValueError("no shift begins then")
        self._store.add(plant, from_ns, note)


def watched(effects: Sequence[Effect], limit_ns: int) -> list[Watched]:
    """Pots to watch of a shift's effects: running or unknown, with several, or beyond a limit."""
    counts = Counter((one.potline, one.pot) for one in effects)
    longest: Counter[tuple[str, str]] = Counter()
    running, unknown = set(), dict[tuple[str, str], int]()
    for one in effects:
        pot = (one.potline, one.pot)
        longest[pot] = max(longest[pot], lasted_ns(one))
        if one.is_running:
            running.add(pot)
        if one.unknown_ns is not None:
            unknown[pot] = one.unknown_ns
    chosen = {pot for pot, count in counts.items() if count >= REPEATS} | running
    chosen |= {pot for pot, lasted in longest.items() if lasted > limit_ns} | unknown.keys()
    found = [
        Watched(*pot, counts[pot], longest[pot], pot in running, unknown.get(pot)) for pot in chosen
    ]
    found.sort(
        key=lambda one: (
            not one.is_running, one.unknown_ns is None, -one.effects, -one.longest_ns
        )
    )  # fmt: skip
    return found[:WATCH_MAX]


def lasted_ns(one: Effect) -> int:
    """How long an effect lasted; of one without a known end, how long it is known to have been."""
    return one.polarised_ns if one.end_ns is None else one.end_ns - one.start_ns


def _within(counts: Sequence[CountedTo], from_ns: int) -> list[CountedTo]:
    """Counts from a shift's beginning on: the last one before it is its edge."""
    before = [one for one in counts if one.at_ns < from_ns]
    return [*before[-1:], *(one for one in counts if one.at_ns >= from_ns)]
