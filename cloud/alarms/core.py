"""The life of an alarm: signals and a time in, happenings out. Pure.

           is so                so for on_delay           over                 over for off_delay
    (none) ─────▶ rising ──────────────▶ raised ◀───────────▶ falling ──────────────▶ (none)
                    └── over ──▶ (none)           so again

Acknowledging says that somebody has seen it; it never clears. A shelf puts an alarm out of the way
for some hours, with a reason: while it lies there the alarm is followed and not told, and when the
shelf ends and it still stands, it is new again.

An alarm that stands for several (the pots of a line that repeat) is one: it is told again, and is
to be acknowledged again, when one joins that people were not told of, but not at once (`again_s`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from cloud.alarms.rules import Rules

SECOND_NS = 1_000_000_000
#: a shelf's hours that one may choose: the rest of the hour, a shift, a day at most
SHELF_HOURS = (1, 8, 24)


class Key(NamedTuple):
    """Which alarm: there is one of it at a time.

    Attributes:
        plant: plant id.
        kind: as in `rules.toml`; "edge.NAME" and "collector.NAME" for those told by others.
        gateway: whose facts it is about; "" for the plant as a whole.
        about: device, "LINE/POT", line, point or month; "" where the gateway says all.
    """

    plant: str
    kind: str
    gateway: str
    about: str


class Verdict(StrEnum):
    """What the facts say just then."""

    ON = "on"
    BETWEEN = "between"  # between two limits: what was, stays


@dataclass(frozen=True)
class Signal:
    """Something that is so; what has no signal is not.

    Attributes:
        key: of which alarm.
        values: what its text names, JSON-ready.
        verdict: on, or between.
        members: of an alarm that stands for several, as pots of a line: which.
    """

    key: Key
    values: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict = Verdict.ON
    members: frozenset[str] = frozenset()


class Phase(StrEnum):
    """Where in its life an alarm is."""

    RISING = "rising"
    RAISED = "raised"
    FALLING = "falling"


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        key: which.
        phase: rising is not told to anybody yet.
        since_ns: of the phase, UTC ns.
        values: what its text names.
        priority: 1 to 3.
        number: of this raising, never used twice at a plant; 0 while it rises.
        raised_ns: when, 0 while it rises.
        acknowledged_by, acknowledged_ns: account id and when; "" and 0 before.
        members: which ones people were told that it stands for.
        told_ns: when they were told last, UTC ns.
    """

    key: Key
    phase: Phase
    since_ns: int
    values: Mapping[str, Any]
    priority: int
    number: int = 0
    raised_ns: int = 0
    acknowledged_by: str = ""
    acknowledged_ns: int = 0
    members: frozenset[str] = frozenset()
    told_ns: int = 0


@dataclass(frozen=True)
class Shelf:
    """An alarm out of the way: by whom, why, and until when (UTC ns)."""

    by: str
    reason: str
    from_ns: int
    until_ns: int


class What(StrEnum):
    """What happens to an alarm."""

    RAISED = "raised"
    MORE = "more"  # another one has joined those that it stands for
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    SHELF_ENDED = "shelf-ended"


@dataclass(frozen=True)
class Happening:
    """One line of the log.

    Attributes:
        at_ns: when, UTC ns.
        what: it.
        alarm: as it was then.
        by: account id of who did it, "" for nobody.
        note: the reason of a shelf.
        is_told: it counts as new, and people are notified: not so while it lies on a shelf.
    """

    at_ns: int
    what: What
    alarm: Alarm
    by: str = ""
    note: str = ""
    is_told: bool = False


@dataclass
class Book:
    """Alarms and shelves by key, and the next number."""

    alarms: dict[Key, Alarm] = field(default_factory=dict)
    shelves: dict[Key, Shelf] = field(default_factory=dict)
    next_number: int = 1

    def copy(self) -> "Book":
        """Another with the same alarms and shelves."""
        return Book(dict(self.alarms), dict(self.shelves), self.next_number)

    def by_plant(self) -> dict[str, "Book"]:
        """A book for each plant that has any, all with this next number."""
        books: dict[str, Book] = {}
        for key in {*self.alarms, *self.shelves}:
            books.setdefault(key.plant, Book(next_number=self.next_number))
        for key, alarm in self.alarms.items():
            books[key.plant].alarms[key] = alarm
        for key, shelf in self.shelves.items():
            books[key.plant].shelves[key] = shelf
        return books

    def standing(self) -> list[Alarm]:
        """Raised and not cleared."""
        return [one for one in self.alarms.values() if one.phase is not Phase.RISING]

    def find(self, number: int) -> Alarm | None:
        """The standing alarm of a number."""
        return next((one for one in self.standing() if one.number == number), None)


def step(
    book: Book,
    plant: str,
    signals: Iterable[Signal],
    *,
    blind: Callable[[Key], bool],
    rules: Rules,
    now_ns: int,
) -> list[Happening]:
    """Follow the facts of a plant to an instant; `book` is changed.

    Args:
        book: all plants' alarms.
        plant: whose signals these are.
        signals: all that is so; of one key, one.
        blind: nothing can be known of this alarm just then: it stays as it is.
        rules: of the plant.
        now_ns: UTC ns, not before the last step's.
    """
    found = list(_end_shelves(book, plant, now_ns))
    by_key = {one.key: one for one in signals}
    for key in [key for key in book.alarms if key.plant == plant]:
        if key not in by_key and not blind(key):
            found += _over(book, book.alarms[key], rules, now_ns)
    for signal in by_key.values():
        if not blind(signal.key):
            found += _so(book, signal, rules, now_ns)
    return found


def _so(book: Book, signal: Signal, rules: Rules, now_ns: int) -> Iterator[Happening]:
    rule, key = rules.of(signal.key.kind), signal.key
    alarm = book.alarms.get(key)
    if signal.verdict is Verdict.BETWEEN and alarm is not None:
        book.alarms[key] = replace(alarm, values=signal.values or alarm.values)
        return
    if signal.verdict is Verdict.BETWEEN:
        return
    if alarm is None:
        alarm = Alarm(key, Phase.RISING, now_ns, signal.values, rule.priority)
    alarm = replace(alarm, values=signal.values, priority=rule.priority)
    if alarm.phase is Phase.FALLING:
        alarm = replace(alarm, phase=Phase.RAISED, since_ns=now_ns)
    if alarm.phase is Phase.RISING and now_ns - alarm.since_ns >= rule.on_delay_s * SECOND_NS:
        alarm = replace(
            alarm, phase=Phase.RAISED, since_ns=now_ns, raised_ns=now_ns, number=book.next_number,
            members=signal.members, told_ns=now_ns,
        )  # fmt: skip
        book.next_number += 1
        yield Happening(now_ns, What.RAISED, alarm, is_told=key not in book.shelves)
    elif alarm.phase is Phase.RAISED and not signal.members <= alarm.members:
        again_s = rule.limits.get("again_s", 0)
        if now_ns - alarm.told_ns >= again_s * SECOND_NS:  # until then the text alone says so
            alarm = replace(
                alarm, members=signal.members, told_ns=now_ns, acknowledged_by="",
                acknowledged_ns=0,
            )  # fmt: skip
            yield Happening(now_ns, What.MORE, alarm, is_told=key not in book.shelves)
    else:  # who left the list and comes again is news
        alarm = replace(alarm, members=alarm.members & signal.members)
    book.alarms[key] = alarm


def _over(book: Book, alarm: Alarm, rules: Rules, now_ns: int) -> Iterator[Happening]:
    if alarm.phase is Phase.RISING:
        del book.alarms[alarm.key]
        return
    if alarm.phase is Phase.RAISED:
        alarm = replace(alarm, phase=Phase.FALLING, since_ns=now_ns)
    book.alarms[alarm.key] = alarm
    if now_ns - alarm.since_ns >= rules.of(alarm.key.kind).off_delay_s * SECOND_NS:
        del book.alarms[alarm.key]
        yield Happening(now_ns, What.CLEARED, alarm)


def _end_shelves(book: Book, plant: str, now_ns: int) -> Iterator[Happening]:
    for key, shelf in list(book.shelves.items()):
        if key.plant == plant and shelf.until_ns <= now_ns:
            yield from take_down(book, key, "", now_ns)


def acknowledge(book: Book, number: int, by: str, now_ns: int) -> list[Happening]:
    """Somebody has seen it; LookupError when it does not stand, nothing when it is done already."""
    alarm = _standing(book, number)
    if alarm.acknowledged_ns:
        return []
    seen = replace(alarm, acknowledged_by=by, acknowledged_ns=now_ns)
    book.alarms[alarm.key] = seen
    return [Happening(now_ns, What.ACKNOWLEDGED, seen, by)]


def shelve(
    book: Book, number: int, hours: int, *, by: str, reason: str, now_ns: int
) -> list[Happening]:
    """Out of the way for some hours: of `SHELF_HOURS`. LookupError when it does not stand."""
    alarm = _standing(book, number)
    if hours not in SHELF_HOURS or not reason.strip():
        raise ValueError(f"{hours} h for {reason!r}: one of {SHELF_HOURS} hours, and a reason")
    until_ns = now_ns + hours * 3_600 * SECOND_NS
    book.shelves[alarm.key] = Shelf(by, reason.strip(), now_ns, until_ns)
    return [Happening(now_ns, What.SHELVED, alarm, by, reason.strip())]


def take_down(book: Book, key: Key, by: str, now_ns: int) -> list[Happening]:
    """A shelf ends; what stands still is new again. LookupError when there is none."""
    del book.shelves[key]
    alarm = book.alarms.get(key)
    if alarm is None or alarm.phase is Phase.RISING:
        return []
    alarm = replace(alarm, acknowledged_by="", acknowledged_ns=0)
    book.alarms[key] = alarm
    return [Happening(now_ns, What.SHELF_ENDED, alarm, by, is_told=not by)]


def _standing(book: Book, number: int) -> Alarm:
    alarm = book.find(number)
    if alarm is None:
        raise LookupError(f"alarm {number} does not stand")
    return alarm
