"""Follows every plant's facts and keeps its alarms; tells people, and takes what they decide.

Looks every few seconds, beside the collector: what it reads of the live hub is read in the event
loop, the rest in a worker thread. Nothing here is evidence.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

from cloud.accumulated.counters import CounterTold
from cloud.alarms import core
from cloud.alarms.conditions import (
    CONFIG_CHANGED,
    OF_THE_COLLECTOR,
    OFFLINE,
    blindness,
    signals,
    silent_gateways,
)
from cloud.alarms.configured import Configured, ConfigWatch
from cloud.alarms.core import SECOND_NS, Alarm, Book, Happening, Shelf
from cloud.alarms.facts import Effect, Expiring, PlantFacts, Unheard, effects_of, lost_ones
from cloud.alarms.hearing import Hearing
from cloud.alarms.levels import Levels
from cloud.alarms.rates import DAY_NS, HOUR_NS, Rates, rates_of
from cloud.alarms.rules import Rules, default_rules
from cloud.alarms.store import AlarmStore
from cloud.clock import Clock
from cloud.collector.desk import PlantEvidence
from cloud.errors import NotServedError, StoreError
from cloud.live.hub import LiveHub
from cloud.month.states import State
from evidence.errors import EvidenceError
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.alarms")

LOOK_S = 5.0
#: seconds of rest for each second of looking: readings are to have most of the time
REST = 9.0
#: months are read, and certificates looked at, so often
SLOW_NS = 600 * SECOND_NS
#: effects this old still count for a pot that comes again
EFFECTS_NS = 48 * HOUR_NS
CLEARED_NS = 2 * HOUR_NS
#: lines of a plant's log that wait for a disk that takes nothing: the newest
UNKEPT_MAX = 100
#: states of a month that is closed for good
_CLOSED = {State.CLOSED, State.SEALED, State.AMENDED}


class MonthRows(Protocol):
    """What is asked of months."""

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """Every month of a plant, newest first."""

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """A month's row with its checklist."""


class KeyRows(Protocol):
    """What is asked of keys."""

    def stream(self, plant: str, gateway: str) -> Mapping[str, Any]:
        """Which key a gateway uses, and its certificates; LookupError where there are none.

        NotServedError while the plant is not served.
        """


class CountedRows(Protocol):
    """What is asked of what was counted."""

    def counters(self, plant: str) -> Sequence[CounterTold]:
        """Totalisers of the running month, and of earlier ones that wait for a person."""

    def checks(self, plant: str) -> Sequence[tuple[str, str]]:
        """(month, flag) of cross-checks that are outside, of the same months."""


class _NothingCounted:
    def counters(self, plant: str) -> Sequence[CounterTold]:
        return ()

    def checks(self, plant: str) -> Sequence[tuple[str, str]]:
        return ()


Tell = Callable[[Sequence[Happening]], None]


class AlarmDesk:
    """Alarms of all plants of a collector.

    Args:
        store: where they are kept.
        hub: the live state.
        months: of the collector.
        keys: of the collector.
        evidence_of: a plant's evidence; LookupError where there is none.
        clock: the collector's wall clock.
        rules: plant -> its own; those of the table for all others.
        tell: is given what people must be told of, in the worker thread.
        broker_away_s: for how long the collector has had no broker, s; None while it has.
        broker_unkept_s: for how long the broker has kept nothing that it took; None while it does.
        broker_ends: name -> end of what broker and collector show, UTC ns (`cloud.transport.own`).
        collector_ends: plant -> end of the certificate by which the collector signs, UTC ns.
        is_broker_behind: brokers do not do what the register of their certificates says.
        plants: of the collector, also those whose configuration is not known: one that was damaged
            at the start, or of which nothing has come yet.
        counted: of the collector; None where nothing is counted.
    """

    def __init__(  # noqa: PLR0917 - the composition root calls it by names
        self,
        store: AlarmStore,
        hub: LiveHub,
        months: MonthRows,
        keys: KeyRows,
        evidence_of: Callable[[str], PlantEvidence],
        clock: Clock,
        rules: Mapping[str, Rules],
        tell: Tell = lambda _: None,
        broker_away_s: Callable[[], float | None] = lambda: None,
        broker_ends: Callable[[], Mapping[str, int]] = dict,
        collector_ends: Mapping[str, int] | None = None,
        is_broker_behind: Callable[[], bool] = bool,
        plants: Sequence[str] = (),
        broker_unkept_s: Callable[[], float | None] = lambda: None,
        counted: CountedRows | None = None,
    ) -> None:
        self._store, self._hub, self._months, self._keys = store, hub, months, keys
        self._clock, self._rules, self._tell = clock, rules, tell
        self._broker_away_s, self._broker_ends = broker_away_s, broker_ends
        self._collector_ends, self._is_broker_behind = collector_ends or {}, is_broker_behind
        self._plants, self._broker_unkept_s = plants, broker_unkept_s
        self._counted = counted or _NothingCounted()
        self._turn = threading.Lock()
        kept = store.load(plants)
        self._books, self._next_number = kept.by_plant(), kept.next_number
        self._levels = Levels(store)
        self._hearing = Hearing(store, evidence_of)
        self._watch = ConfigWatch(evidence_of)
        self._first: dict[tuple[str, str], tuple[str, int]] = {}
        self._silent: dict[str, dict[str, int | None]] = {}
        self._shown: set[str] = set()  # plants whose kept effects the live pages have
        self._slow: dict[str, tuple[int, list[Mapping[str, Any]], list[Mapping[str, Any]]]] = {}
        self._effects: dict[str, set[Effect]] = {}
        self._ends: dict[tuple[str, str], list[Expiring]] = {}
        self._trouble: dict[str, str] = {}
        self._unkept: dict[str, list[Happening]] = {}

    # -- following --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look for ever; cancel it to end."""
        while True:
            plants = sorted({*self._hub.plants(), *self._plants})
            for plant in plants:
                began_s = time.monotonic()
                await self.look(plant)
                # after each plant, not after all: nobody is to wait for a look at a thousand
                rest_s = REST * (time.monotonic() - began_s)
                await asyncio.sleep(max(LOOK_S / len(plants), rest_s))
            if not plants:
                await asyncio.sleep(LOOK_S)

    async def look(self, plant: str) -> None:
        """Look at a plant once: from the event loop's thread."""
        try:
            if plant not in self._shown:
                since_ns = self._clock.wall_ns() - EFFECTS_NS
                kept = await asyncio.to_thread(self._store.effects, plant, since_ns)
                self._hub.on_effects(plant, [asdict(one) for one in kept])
                self._shown.add(plant)
            facts = self._read(plant)
            read = await asyncio.to_thread(self._follow, facts)
            self._hub.on_effects(plant, [asdict(one) for one in read])
            self._trouble.pop(plant, None)
        except Exception as error:  # a gateway may send what nobody thought of; others go on
            if repr(error) != self._trouble.get(plant):  # it is tried again every five seconds
                log.exception(
                    "plant %s: alarms are not followed just now", plant, extra=about(plant)
                )
            self._trouble[plant] = repr(error)

    def _read(self, plant: str) -> PlantFacts:
        """What is read in the loop's thread."""
        now_ns, snapshot = self._clock.wall_ns(), self._hub.known(plant)
        effects = self._hub.effects(plant) if snapshot["gateways"] else ()
        away_s, unkept_s = self._broker_away_s(), self._broker_unkept_s()
        level = self._levels.read(snapshot, lambda point: self._hub.history(plant, point))
        certificates = [
            one for row in snapshot["gateways"] for one in self._expiring(plant, row["id"])
        ]
        return PlantFacts(
            plant, now_ns, snapshot, effects_of(effects),
            ticks=self._ticks_of(plant, snapshot), level=level, certificates=certificates,
            broker_away_ns=None if away_s is None else now_ns - int(away_s * SECOND_NS),
            broker_unkept_ns=None if unkept_s is None else now_ns - int(unkept_s * SECOND_NS),
            broker_ends=self._broker_ends(), collector_ends_ns=self._collector_ends.get(plant),
            is_broker_behind=self._is_broker_behind(),
        )  # fmt: skip

    def _ticks_of(self, plant: str, snapshot: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
        """Newest tick and first one of its configuration, of each gateway that was heard."""
        found = {}
        for row in snapshot["gateways"]:
            if row["tick_ns"] is not None:
                key, first = (plant, row["id"]), (row["cfg"], row["tick_ns"])
                if self._first.setdefault(key, first)[0] != row["cfg"]:
                    self._first[key] = first
                found[row["id"]] = (row["tick_ns"], self._first[key][1])
        return found

    def _expiring(self, plant: str, gateway: str) -> list[Expiring]:
        try:
            row = self._keys.stream(plant, gateway)
        except LookupError:  # a gateway that nobody certified: its frames are refused and told of
            return []
        except NotServedError:  # which is an alarm by itself; what was known of its keys stands
            return self._ends.get((plant, gateway), [])
        ends = [
            datetime.fromisoformat(one["not_after"])
            for one in row["certificates"]
            if one["key"] == row["key"]
        ]
        found = [Expiring(gateway, int(max(ends).timestamp()) * SECOND_NS)] if ends else []
        self._ends[plant, gateway] = found
        return found

    def _follow(self, facts: PlantFacts) -> list[Effect]:
        """Follow what was read; gives the effects that the log has told since."""
        plant, now_ns = facts.plant, facts.now_ns
        rules = self._rules.get(plant, default_rules())
        kept = self._store.effects(plant, now_ns - EFFECTS_NS)
        read = self._heard(facts, kept)
        shown, lost = facts.effects, lost_ones(kept, facts.effects, facts.snapshot)
        changed = [*({*shown, *lost} - self._effects.get(plant, set())), *read]
        known = {one.key: one for one in (*kept, *lost, *shown, *read)}
        months, calibrations = self._slowly(facts)
        closed = {row["month"] for row in months if row["state"] in _CLOSED}
        level = self._levels.judged(plant, facts.level, rules.of("emission").limits, now_ns)
        whole = replace(
            facts, effects=sorted(known.values(), key=lambda one: one.start_ns), level=level,
            known_from=self._hearing.known_from(plant), months=months, calibrations=calibrations,
            counters=[one for one in self._counted.counters(plant) if one.month not in closed],
            checks=[one for one in self._counted.checks(plant) if one[0] not in closed],
            configured=self._configured(facts, rules),
        )  # fmt: skip
        with self._turn:
            book = self._book(plant)
            before = book.copy()
            found = core.step(
                book, plant, signals(whole, rules), blind=blindness(whole, rules),
                rules=rules, now_ns=now_ns,
            )  # fmt: skip
            if found or changed or before != book or plant in self._unkept:
                self._keep_or_wait(plant, found, changed)
            silent = silent_gateways(whole, rules)
            if not whole.is_configured:
                silent |= {key.gateway for key in book.alarms}
        if plant not in self._unkept:
            self._hearing.done(plant)
            self._effects[plant] = set(shown)
        self._silent[plant] = {
            gateway: self._hearing.last_tick_ns(plant, gateway) for gateway in silent
        }
        self._tell([one for one in found if one.is_told])
        return read

    def _configured(self, facts: PlantFacts, rules: Rules) -> list[Configured]:
        """Gateways whose configuration changed lately; none while the log cannot be read."""
        since_ns = facts.now_ns - int(rules.limit(CONFIG_CHANGED, "stands_s") * SECOND_NS)
        try:
            return self._watch.changes(facts.plant, since_ns)
        except (LookupError, StoreError, EvidenceError):  # the collector tells of that
            return []

    def _heard(self, facts: PlantFacts, kept: Sequence[Effect]) -> list[Effect]:
        """Effects that the log has told since; tried again where the disk does not take how far."""
        try:
            self._hearing.note(facts.plant, facts.snapshot, kept)
            return self._hearing.catch_up(facts.plant, facts.snapshot, facts.effects)
        except StoreError:  # `_keep_or_wait` tells of that disk
            return []

    def _slowly(self, facts: PlantFacts) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """Months and due calibrations, read every ten minutes."""
        plant, now_ns = facts.plant, facts.now_ns
        read_ns, months, due = self._slow.get(plant, (0, [], []))
        if now_ns - read_ns < SLOW_NS or not facts.is_configured:
            return months, due
        months = list(self._months.rows(plant))
        newest = self._months.month(plant, str(months[0]["month"])) if months else None
        due = list(newest["certificates"]) if newest is not None else []
        self._slow[plant] = now_ns, months, due
        return months, due

    # -- what people ask and decide ---------------------------------------------------------------

    def standing(self, plants: Sequence[str]) -> list[tuple[Alarm, Shelf | None]]:
        """What stands at these plants: the most urgent first, then the newest."""
        with self._turn:
            found = [
                (one, book.shelves.get(one.key))
                for plant in plants
                if (book := self._books.get(plant)) is not None
                for one in book.standing()
            ]
        return sorted(found, key=lambda pair: (pair[0].priority, -pair[0].raised_ns))

    def unacknowledged(self, plants: Sequence[str]) -> int:
        """How many nobody has seen yet, without those on a shelf."""
        return sum(
            not alarm.acknowledged_ns for alarm, shelf in self.standing(plants) if shelf is None
        )

    def rates(self, plants: Sequence[str]) -> Rates:
        """How many people were told of lately."""
        now_ns = self._clock.wall_ns()
        return rates_of(self._store.told_since(plants, now_ns - DAY_NS), now_ns)

    def effects(self, plant: str, from_ns: int, to_ns: int = 2**63 - 1) -> list[Effect]:
        """Effects that started in a stretch of time (UTC ns), oldest first.

        Of one that ran when its gateway fell silent nobody knows whether it runs still.
        """
        silent = self._silent.get(plant, {})
        return [
            replace(one, unknown_ns=silent[one.gateway] or one.start_ns + one.polarised_ns)
            if one.is_running and one.gateway in silent else one
            for one in self._store.effects(plant, from_ns, to_ns)
        ]  # fmt: skip

    def longest_ns(self, plant: str) -> int:
        """How long an effect may last at a plant before somebody has to go there."""
        rules = self._rules.get(plant, default_rules())
        return int(rules.limit("effect-long", "longest_s") * SECOND_NS)

    def unheard(self, plant: str, from_ns: int, to_ns: int) -> list[Unheard]:
        """Stretches (UTC ns) in which effects are not known, or not yet, that touch another."""
        silent = [
            Unheard(gateway, tick_ns, None)
            for gateway, tick_ns in self._silent.get(plant, {}).items()
            if tick_ns is not None
        ]
        return [
            one for one in (*self._hearing.unheard(plant), *silent)
            if one.from_ns < to_ns and (one.to_ns is None or one.to_ns > from_ns)
        ]  # fmt: skip

    def is_silent(self, plant: str, gateway: str) -> bool:
        """Nothing was heard of a gateway for too long."""
        return gateway in self._silent.get(plant, {})

    @property
    def store(self) -> AlarmStore:
        """The log of what happened."""
        return self._store

    def acknowledge(self, plant: str, number: int, by: str) -> None:
        """Somebody has seen an alarm; LookupError when it does not stand at this plant."""
        self._decide(plant, number, lambda book, now_ns: core.acknowledge(book, number, by, now_ns))

    def shelve(self, plant: str, number: int, hours: int, *, by: str, reason: str) -> None:
        """Out of the way; LookupError likewise, ValueError without a reason or for other hours."""
        self._decide(
            plant, number,
            lambda book, now_ns: core.shelve(
                book, number, hours, by=by, reason=reason, now_ns=now_ns
            ),
        )  # fmt: skip

    def take_down(self, plant: str, number: int, by: str) -> None:
        """Off its shelf; LookupError likewise, or when it lies on none."""

        def work(book: Book, now_ns: int) -> list[Happening]:
            alarm = book.find(number)
            if alarm is None or alarm.key not in book.shelves:
                raise LookupError(f"alarm {number} lies on no shelf")
            return core.take_down(book, alarm.key, by, now_ns)

        self._decide(plant, number, work)

    def _decide(
        self, plant: str, number: int, work: Callable[[Book, int], list[Happening]]
    ) -> None:
        with self._turn:
            book = self._book(plant)
            if book.find(number) is None:
                raise LookupError(f"plant {plant}: alarm {number} does not stand")
            before = book.copy()
            try:
                self._keep(plant, work(book, self._clock.wall_ns()))
            except StoreError:  # somebody waits for the answer, and can do it again
                self._books[plant] = before
                raise

    def _book(self, plant: str) -> Book:
        """A plant's own; numbers are of all plants together. Within the turn."""
        book = self._books.setdefault(plant, Book())
        book.next_number = self._next_number
        return book

    def _keep(self, plant: str, found: list[Happening], effects: Iterable[Effect] = ()) -> None:
        """On disk, with what it did not take before; StoreError where it still takes nothing."""
        book = self._books[plant]
        self._next_number = book.next_number
        self._store.keep(book, plant, [*self._unkept.get(plant, ()), *found], effects)
        if self._unkept.pop(plant, None) is not None:
            log.warning("plant %s: alarms are kept again", plant, extra=about(plant))

    def _keep_or_wait(self, plant: str, found: list[Happening], effects: list[Effect]) -> None:
        """Likewise, and later where the disk takes nothing: people are told of that disk, too."""
        try:
            self._keep(plant, found, effects)
        except StoreError as error:
            if plant not in self._unkept:
                said = "plant %s: alarms are told, and kept once the disk takes them: %s"
                log.error(said, plant, error, extra=about(plant))  # noqa: TRY400 - says all
            self._unkept[plant] = [*self._unkept.get(plant, ()), *found][-UNKEPT_MAX:]


def is_unsure(desk: AlarmDesk, alarm: Alarm) -> bool:
    """The alarm's gateway is silent, so that nobody knows whether it still holds."""
    key = alarm.key
    is_known = key.kind == OFFLINE or key.kind.startswith(OF_THE_COLLECTOR)
    return not is_known and desk.is_silent(key.plant, key.gateway)
