"""Alarms, shelves, their log and the effects, in a file beside the evidence (SQLite).

The collector's own record, not signed and no evidence: what it tells of is proved by the log. It is
kept so that a restart neither raises an alarm twice nor forgets who saw it. Any thread; one at a
time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.alarms.core import Alarm, Book, Happening, Key, Phase, Shelf, What
from cloud.alarms.facts import Effect, Heard, Unheard
from cloud.kept_file import KeptFile

FILE = "alarms.db"
FORMAT = 2
#: the newest are kept
EVENTS_MAX = 500_000
#: of these of one plant, some months at the target of six an hour and three lines an alarm: what a
#: gateway raises and clears without end pushes out no other's
EVENTS_OF_PLANT_MAX = 50_000
#: of one plant: of what cleared lately, whoever looks at alarms reads no more
CLEARED_MAX = 1_000
#: likewise, of a plant: a year of 400 pots at 0.3 a pot-day is 44,000
EFFECTS_MAX = 100_000
LEVELS_NS = 8 * 86_400 * 10**9

_SCHEMA = """
CREATE TABLE alarm (
    plant TEXT, kind TEXT, gateway TEXT, about TEXT, phase TEXT, since_ns INTEGER, told TEXT,
    priority INTEGER, number INTEGER, raised_ns INTEGER, seen_by TEXT, seen_ns INTEGER,
    members TEXT NOT NULL DEFAULT '[]', told_ns INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (plant, kind, gateway, about)
) WITHOUT ROWID;
CREATE TABLE shelf (
    plant TEXT, kind TEXT, gateway TEXT, about TEXT, by TEXT, reason TEXT, from_ns INTEGER,
    until_ns INTEGER, PRIMARY KEY (plant, kind, gateway, about)
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER, plant TEXT, what TEXT, kind TEXT,
    gateway TEXT, about TEXT, priority INTEGER, number INTEGER, raised_ns INTEGER, told TEXT,
    by TEXT, note TEXT, is_told INTEGER
);
CREATE INDEX event_of_plant ON event (plant, at_ns);
CREATE TABLE effect (
    plant TEXT, gateway TEXT, potline TEXT, pot TEXT, start_ns INTEGER, end_ns INTEGER,
    is_lost INTEGER, polarised_ns INTEGER, v_max TEXT, cf4_kg TEXT,
    PRIMARY KEY (plant, start_ns, gateway, potline, pot)
) WITHOUT ROWID;
CREATE TABLE level (
    plant TEXT, point TEXT, at_ns INTEGER, mean REAL, PRIMARY KEY (plant, point, at_ns)
) WITHOUT ROWID;
CREATE TABLE next (number INTEGER);
INSERT INTO next VALUES (1);
"""
#: how far the gateways of potlines were heard, and what of their log is still to be read
_HEARING = """
CREATE TABLE heard (
    plant TEXT, gateway TEXT, from_ns INTEGER, tick_ns INTEGER, PRIMARY KEY (plant, gateway)
) WITHOUT ROWID;
CREATE TABLE unheard (
    plant TEXT, gateway TEXT, from_ns INTEGER, to_ns INTEGER, PRIMARY KEY (plant, gateway, from_ns)
) WITHOUT ROWID;
"""
#: repeats were one alarm a pot
_MEMBERS = """
ALTER TABLE alarm ADD COLUMN members TEXT NOT NULL DEFAULT '[]';
ALTER TABLE alarm ADD COLUMN told_ns INTEGER NOT NULL DEFAULT 0;
DELETE FROM alarm WHERE kind = 'pot-repeat';
DELETE FROM shelf WHERE kind = 'pot-repeat';
"""
_UPGRADES = {1: _MEMBERS + _HEARING}
_EVENT = (
    "SELECT id, at_ns, plant, what, kind, gateway, about, priority, number, raised_ns, told, by,"
    " note, is_told FROM event"
)
_OF_PLANTS = "WHERE plant IN (SELECT value FROM json_each(?))"
_CLEARED = f"""WHERE id IN (SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY plant ORDER BY id DESC) AS nth
    FROM event {_OF_PLANTS} AND at_ns >= ? AND at_ns < ? AND what = '{What.CLEARED}'
) WHERE nth <= ?) ORDER BY id DESC"""  # noqa: S608 - constants of this file
_TOLD = f"SELECT at_ns FROM event {_OF_PLANTS} AND at_ns >= ? AND is_told ORDER BY at_ns"  # noqa: S608 - constants of this file
_PUT_ALARM = "INSERT INTO alarm VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_SHELF = "INSERT INTO shelf VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_EFFECT = "INSERT OR REPLACE INTO effect VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_EVENT = "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#: by their count: ids go on where lines of a plant that tells without end have gone
_BOUND_EVENTS = """
DELETE FROM event WHERE id IN (
    SELECT id FROM event ORDER BY id LIMIT (SELECT max(0, count(*) - ?) FROM event))
"""
_BOUND_EVENTS_OF_PLANT = """
DELETE FROM event WHERE plant = ? AND at_ns <= (
    SELECT at_ns FROM event WHERE plant = ? ORDER BY at_ns DESC LIMIT 1 OFFSET ?)
"""
_BOUND_EFFECTS = """
DELETE FROM effect WHERE plant = ? AND start_ns <= (
    SELECT start_ns FROM effect WHERE plant = ? ORDER BY start_ns DESC LIMIT 1 OFFSET ?)
"""


@dataclass(frozen=True)
class Event:
    """One line of the log: a happening with its number in it."""

    id: int
    happening: Happening


class AlarmStore(KeptFile):
    """The open file.

    Args:
        folder: the file goes there.

    Raises:
        StoreError: it cannot be used, or is of a newer version; any call may, when the disk
            refuses.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, _SCHEMA + _HEARING, FORMAT, "alarms", _UPGRADES)

    def load(self) -> Book:
        """Alarms and shelves as they were kept."""
        book = Book()
        for row in self._ask("SELECT * FROM alarm"):
            key, (phase, since_ns, told, *rest) = Key(*row[:4]), row[4:]
            priority, number, raised_ns, by, seen_ns, members, told_ns = rest
            book.alarms[key] = Alarm(
                key, Phase(phase), since_ns, json.loads(told), priority, number, raised_ns, by,
                seen_ns, frozenset(json.loads(members)), told_ns,
            )  # fmt: skip
        for row in self._ask("SELECT * FROM shelf"):
            book.shelves[Key(*row[:4])] = Shelf(*row[4:])
        ((book.next_number,),) = self._ask("SELECT number FROM next")
        return book

    def keep(
        self, book: Book, plant: str, found: Sequence[Happening], effects: Iterable[Effect] = ()
    ) -> None:
        """Keep a plant's alarms and shelves, what happened, and effects; all of it or nothing."""
        alarms = [
            (*one.key, one.phase, one.since_ns, _json(one.values), one.priority, one.number,
             one.raised_ns, one.acknowledged_by, one.acknowledged_ns,
             _json(sorted(one.members)), one.told_ns)
            for one in book.alarms.values() if one.key.plant == plant
        ]  # fmt: skip
        shelves = [
            (*key, one.by, one.reason, one.from_ns, one.until_ns)
            for key, one in book.shelves.items() if key.plant == plant
        ]  # fmt: skip
        rows = [
            (plant, one.gateway, one.potline, one.pot, one.start_ns, one.end_ns, one.is_lost,
             one.polarised_ns, one.v_max, one.cf4_kg)
            for one in effects
        ]  # fmt: skip
        with self._changing() as sql:
            sql.execute("DELETE FROM alarm WHERE plant = ?", (plant,))
            sql.execute("DELETE FROM shelf WHERE plant = ?", (plant,))
            sql.executemany(_PUT_ALARM, alarms)
            sql.executemany(_PUT_SHELF, shelves)
            sql.executemany(_PUT_EFFECT, rows)
            sql.execute("UPDATE next SET number = ?", (book.next_number,))
            sql.executemany(_PUT_EVENT, map(_event_row, found))
            if found:
                sql.execute(_BOUND_EVENTS_OF_PLANT, (plant, plant, EVENTS_OF_PLANT_MAX))
                sql.execute(_BOUND_EVENTS, (EVENTS_MAX,))
            if rows:
                sql.execute(_BOUND_EFFECTS, (plant, plant, EFFECTS_MAX))

    def events(self, plants: Sequence[str], *, before: int = 0, count: int = 200) -> list[Event]:
        """What happened at these plants, the newest first; of those before an id, 0 for all."""
        return self._events(
            f"{_OF_PLANTS} AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?",
            plants, before, before, count,
        )  # fmt: skip

    def between(self, plants: Sequence[str], from_ns: int, to_ns: int) -> list[Event]:
        """What happened at these plants in a stretch of time (UTC ns, end exclusive), in order."""
        asked = f"{_OF_PLANTS} AND at_ns >= ? AND at_ns < ? ORDER BY id"
        return self._events(asked, plants, from_ns, to_ns)

    def cleared(self, plants: Sequence[str], from_ns: int, to_ns: int) -> list[Event]:
        """Alarms of these plants that cleared then, the newest first; `CLEARED_MAX` a plant."""
        return self._events(_CLEARED, plants, from_ns, to_ns, CLEARED_MAX)

    def _events(self, asked: str, plants: Sequence[str], *values: int) -> list[Event]:
        rows = self._ask(f"{_EVENT} {asked}", json.dumps(list(plants)), *values)
        return [_event(row) for row in rows]

    def told_since(self, plants: Sequence[str], from_ns: int) -> list[int]:
        """When people were told of alarms since an instant, UTC ns, ascending."""
        return [at_ns for (at_ns,) in self._ask(_TOLD, json.dumps(list(plants)), from_ns)]

    def effects(self, plant: str, from_ns: int, to_ns: int = 2**63 - 1) -> list[Effect]:
        """Effects of a plant that started in a stretch of time (UTC ns), oldest first."""
        rows = self._ask(
            "SELECT gateway, potline, pot, start_ns, end_ns, is_lost, polarised_ns, v_max, cf4_kg"
            " FROM effect WHERE plant = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns",
            plant, from_ns, to_ns,
        )  # fmt: skip
        return [_effect(row) for row in rows]

    def heard(self, plant: str) -> dict[str, Heard]:
        """How far each gateway of potlines was heard."""
        asked = "SELECT gateway, from_ns, tick_ns FROM heard WHERE plant = ?"
        return {row[0]: Heard(*row[1:]) for row in self._ask(asked, plant)}

    def unheard(self, plant: str) -> list[Unheard]:
        """Stretches whose log is still to be read, oldest first."""
        asked = "SELECT gateway, from_ns, to_ns FROM unheard WHERE plant = ? ORDER BY from_ns"
        return [Unheard(*row) for row in self._ask(asked, plant)]

    def note_heard(self, plant: str, gateway: str, heard: Heard) -> None:
        """A gateway was heard up to a tick."""
        row = (plant, gateway, heard.from_ns, heard.tick_ns)
        self._ask("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?)", *row)

    def note_unheard(self, plant: str, one: Unheard) -> None:
        """The log of a stretch is to be read."""
        row = (plant, one.gateway, one.from_ns, one.to_ns)
        self._ask("INSERT OR REPLACE INTO unheard VALUES (?, ?, ?, ?)", *row)

    def drop_unheard(self, plant: str, one: Unheard) -> None:
        """Its log was read."""
        asked = "DELETE FROM unheard WHERE plant = ? AND gateway = ? AND from_ns = ?"
        self._ask(asked, plant, one.gateway, one.from_ns)

    def note_level(self, plant: str, point: str, at_ns: int, mean: float) -> None:
        """Keep a ten-minute mean of an emission rate; those older than eight days go."""
        self._ask("INSERT OR REPLACE INTO level VALUES (?, ?, ?, ?)", plant, point, at_ns, mean)
        self._ask("DELETE FROM level WHERE plant = ? AND at_ns < ?", plant, at_ns - LEVELS_NS)

    def levels(self, plant: str, point: str) -> list[tuple[int, float]]:
        """(UTC ns, mean) of an emission rate, oldest first."""
        asked = "SELECT at_ns, mean FROM level WHERE plant = ? AND point = ? ORDER BY at_ns"
        return [(int(at_ns), float(mean)) for at_ns, mean in self._ask(asked, plant, point)]


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _event_row(one: Happening) -> tuple[object, ...]:
    alarm, key = one.alarm, one.alarm.key
    return (
        one.at_ns, key.plant, one.what, key.kind, key.gateway, key.about, alarm.priority,
        alarm.number, alarm.raised_ns, _json(alarm.values), one.by, one.note, one.is_told,
    )  # fmt: skip


def _effect(row: tuple[Any, ...]) -> Effect:
    gateway, potline, pot, start_ns, end_ns, is_lost, polarised_ns, v_max, cf4_kg = row
    return Effect(
        gateway, potline, pot, start_ns, end_ns, bool(is_lost), polarised_ns, v_max, cf4_kg
    )


def _event(row: tuple[Any, ...]) -> Event:
    ident, at_ns, plant, what, kind, gateway, about, priority, number, raised_ns, *rest = row
    told, by, note, is_told = rest
    key = Key(plant, kind, gateway, about)
    alarm = Alarm(key, Phase.RAISED, at_ns, json.loads(told), priority, number, raised_ns)
    return Event(ident, Happening(at_ns, What(what), alarm, by, note, bool(is_told)))
