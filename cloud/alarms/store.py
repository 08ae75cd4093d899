"""Alarms, shelves, their log and the effects, kept in the database. I/O: that.

The collector's own record, not signed and no evidence: what it tells of is proved by the log. It is
kept so that a restart neither raises an alarm twice nor forgets who saw it. Any thread.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    delete,
    func,
    insert,
    select,
)

from cloud.alarms.core import Alarm, Book, Happening, Key, Phase, Shelf, What
from cloud.alarms.facts import Effect, Heard, Unheard
from cloud.database import schema_kept as kept
from cloud.database.engine import Database
from cloud.database.put import put_over
from cloud.database.schema import ALARM_NUMBER, setting

#: of one plant the newest are kept: some months at the target of six an hour and three lines an
#: alarm; what a gateway raises and clears without end pushes out no other's
EVENTS_OF_PLANT_MAX = 50_000
#: of one plant: of what cleared lately, whoever looks at alarms reads no more
CLEARED_MAX = 1_000
#: likewise, of a plant: a year of 400 pots at 0.3 a pot-day is 44,000
EFFECTS_MAX = 100_000
LEVELS_NS = 8 * 86_400 * 10**9
_EVENT, _EFFECT = kept.alarm_event.c, kept.alarm_effect.c


@dataclass(frozen=True)
class Event:
    """One line of the log: a happening with its number in it."""

    id: int
    happening: Happening


class AlarmStore:
    """Alarms in the database; any call raises StoreError when that is away or refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, plants: Sequence[str]) -> Book:
        """Alarms and shelves of these plants as they were kept."""
        book, alarms, shelves = Book(), kept.alarm, kept.alarm_shelf
        with self._database.reading() as connection:
            for row in connection.execute(select(alarms).where(alarms.c.plant.in_(plants))):
                book.alarms[_key(row)] = Alarm(
                    _key(row), Phase(row.phase), row.since_ns, json.loads(row.told), row.priority,
                    row.number, row.raised_ns, row.seen_by, row.seen_ns,
                    frozenset(json.loads(row.members)), row.told_ns,
                )  # fmt: skip
            for row in connection.execute(select(shelves).where(shelves.c.plant.in_(plants))):
                book.shelves[_key(row)] = Shelf(row.by, row.reason, row.from_ns, row.until_ns)
            book.next_number = _next_number(connection)
        return book

    def keep(
        self, book: Book, plant: str, found: Sequence[Happening], effects: Iterable[Effect] = ()
    ) -> None:
        """Keep a plant's alarms and shelves, what happened, and effects; all of it or nothing."""
        alarms = [_alarm_row(one) for one in book.alarms.values() if one.key.plant == plant]
        shelves = [
            {**key._asdict(), **asdict(one)}
            for key, one in book.shelves.items() if key.plant == plant
        ]  # fmt: skip
        rows = [_effect_row(plant, one) for one in effects]
        with self._database.writing() as connection:
            for table, now in ((kept.alarm, alarms), (kept.alarm_shelf, shelves)):
                connection.execute(delete(table).where(table.c.plant == plant))
                _add(connection, table, now)
            put_over(connection, kept.alarm_effect, rows)
            number = max(book.next_number, _next_number(connection))  # others share the database
            put_over(connection, setting, [{"name": ALARM_NUMBER, "value": str(number)}])
            _add(connection, kept.alarm_event, list(map(_event_row, found)))
            if found:
                _bound(connection, _EVENT.at_ns, plant, EVENTS_OF_PLANT_MAX)
            if rows:
                _bound(connection, _EFFECT.start_ns, plant, EFFECTS_MAX)

    def events(self, plants: Sequence[str], *, before: int = 0, count: int = 200) -> list[Event]:
        """What happened at these plants, the newest first; of those before an id, 0 for all."""
        asked = _of(plants).order_by(_EVENT.id.desc()).limit(count)
        return self._events(asked.where(_EVENT.id < before) if before else asked)

    def between(self, plants: Sequence[str], from_ns: int, to_ns: int) -> list[Event]:
        """What happened at these plants in a stretch of time (UTC ns, end exclusive), in order."""
        return self._events(_of(plants).where(*_within(from_ns, to_ns)).order_by(_EVENT.id))

    def cleared(self, plants: Sequence[str], from_ns: int, to_ns: int) -> list[Event]:
        """Alarms of these plants that cleared then, the newest first; `CLEARED_MAX` a plant."""
        nth = func.row_number().over(partition_by=_EVENT.plant, order_by=_EVENT.id.desc())
        every = _of(plants).add_columns(nth.label("nth"))
        told = every.where(*_within(from_ns, to_ns), _EVENT.what == What.CLEARED.value).subquery()
        asked = select(told).where(told.c.nth <= CLEARED_MAX)
        return self._events(asked.order_by(told.c.id.desc()))

    def _events(self, asked: Select[Any]) -> list[Event]:
        with self._database.reading() as connection:
            return [_event(row) for row in connection.execute(asked)]

    def told_since(self, plants: Sequence[str], from_ns: int) -> list[int]:
        """When people were told of alarms since an instant, UTC ns, ascending."""
        asked = select(_EVENT.at_ns).where(_EVENT.plant.in_(plants), _EVENT.at_ns >= from_ns)
        with self._database.reading() as connection:
            return list(connection.scalars(asked.where(_EVENT.is_told).order_by(_EVENT.at_ns)))

    def effects(self, plant: str, from_ns: int, to_ns: int = 2**63 - 1) -> list[Effect]:
        """Effects of a plant that started in a stretch of time (UTC ns), oldest first."""
        asked = select(kept.alarm_effect).where(_EFFECT.plant == plant, _EFFECT.start_ns >= from_ns)
        with self._database.reading() as connection:
            rows = connection.execute(
                asked.where(_EFFECT.start_ns < to_ns).order_by(_EFFECT.start_ns)
            )
            return [_effect(row) for row in rows]

    def heard(self, plant: str) -> dict[str, Heard]:
        """How far each gateway of potlines was heard."""
        table = kept.alarm_heard
        with self._database.reading() as connection:
            rows = connection.execute(select(table).where(table.c.plant == plant))
            return {row.gateway: Heard(row.from_ns, row.tick_ns) for row in rows}

    def unheard(self, plant: str) -> list[Unheard]:
        """Stretches whose log is still to be read, oldest first."""
        table = kept.alarm_unheard
        asked = select(table).where(table.c.plant == plant).order_by(table.c.from_ns)
        with self._database.reading() as connection:
            rows = connection.execute(asked)
            return [Unheard(row.gateway, row.from_ns, row.to_ns) for row in rows]

    def note_heard(self, plant: str, gateway: str, heard: Heard) -> None:
        """A gateway was heard up to a tick."""
        row = {"plant": plant, "gateway": gateway, **asdict(heard)}
        with self._database.writing(lasts=False) as connection:
            put_over(connection, kept.alarm_heard, [row])

    def note_unheard(self, plant: str, one: Unheard) -> None:
        """The log of a stretch is to be read."""
        with self._database.writing() as connection:
            put_over(connection, kept.alarm_unheard, [{"plant": plant, **asdict(one)}])

    def drop_unheard(self, plant: str, one: Unheard) -> None:
        """Its log was read."""
        of = kept.alarm_unheard.c
        named = of.plant == plant, of.gateway == one.gateway, of.from_ns == one.from_ns
        with self._database.writing() as connection:
            connection.execute(delete(kept.alarm_unheard).where(*named))

    def note_level(self, plant: str, point: str, at_ns: int, mean: float) -> None:
        """Keep a ten-minute mean of an emission rate; those older than eight days go."""
        of, row = kept.alarm_level.c, {"plant": plant, "point": point}
        old = of.plant == plant, of.at_ns < at_ns - LEVELS_NS
        with self._database.writing(lasts=False) as connection:
            put_over(connection, kept.alarm_level, [{**row, "at_ns": at_ns, "mean": mean}])
            connection.execute(delete(kept.alarm_level).where(*old))

    def levels(self, plant: str, point: str) -> list[tuple[int, float]]:
        """(UTC ns, mean) of an emission rate, oldest first."""
        of = kept.alarm_level.c
        asked = select(of.at_ns, of.mean).where(of.plant == plant, of.point == point)
        with self._database.reading() as connection:
            return [(row.at_ns, row.mean) for row in connection.execute(asked.order_by(of.at_ns))]


def _next_number(connection: Connection) -> int:
    said = connection.scalar(select(setting.c.value).where(setting.c.name == ALARM_NUMBER))
    return 1 if said is None else int(said)


def _add(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _bound(connection: Connection, time: Column[int], plant: str, most: int) -> None:
    """Of a plant's rows the newest stay."""
    mine = time.table.c.plant == plant
    oldest = select(time).where(mine).order_by(time.desc()).offset(most).limit(1)
    last = connection.scalar(oldest)
    if last is not None:
        connection.execute(delete(time.table).where(mine, time <= last))


def _of(plants: Sequence[str]) -> Select[Any]:
    return select(kept.alarm_event).where(_EVENT.plant.in_(plants))


def _within(from_ns: int, to_ns: int) -> tuple[ColumnElement[bool], ...]:
    return _EVENT.at_ns >= from_ns, _EVENT.at_ns < to_ns


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _key(row: Row[Any]) -> Key:
    return Key(row.plant, row.kind, row.gateway, row.about)


def _alarm_row(one: Alarm) -> dict[str, Any]:
    return {
        **one.key._asdict(), "phase": one.phase.value, "since_ns": one.since_ns,
        "told": _json(one.values), "priority": one.priority, "number": one.number,
        "raised_ns": one.raised_ns, "seen_by": one.acknowledged_by, "seen_ns": one.acknowledged_ns,
        "members": _json(sorted(one.members)), "told_ns": one.told_ns,
    }  # fmt: skip


def _event_row(one: Happening) -> dict[str, Any]:
    alarm = one.alarm
    return {
        "at_ns": one.at_ns, "what": one.what.value, **alarm.key._asdict(),
        "priority": alarm.priority, "number": alarm.number, "raised_ns": alarm.raised_ns,
        "told": _json(alarm.values), "by": one.by, "note": one.note, "is_told": one.is_told,
    }  # fmt: skip


def _effect_row(plant: str, one: Effect) -> dict[str, Any]:
    return {
        "plant": plant, "start_ns": one.start_ns, "gateway": one.gateway, "potline": one.potline,
        "pot": one.pot, "end_ns": one.end_ns, "is_lost": one.is_lost,
        "polarised_ns": one.polarised_ns, "v_max": one.v_max, "cf4_kg": one.cf4_kg,
    }  # fmt: skip


def _effect(row: Row[Any]) -> Effect:
    return Effect(
        row.gateway, row.potline, row.pot, row.start_ns, row.end_ns, row.is_lost,
        row.polarised_ns, row.v_max, row.cf4_kg,
    )  # fmt: skip


def _event(row: Row[Any]) -> Event:
    told, number = json.loads(row.told), row.number
    alarm = Alarm(_key(row), Phase.RAISED, row.at_ns, told, row.priority, number, row.raised_ns)
    done = Happening(row.at_ns, What(row.what), alarm, row.by, row.note, row.is_told)
    return Event(row.id, done)
