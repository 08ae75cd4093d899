"""The embedded store of series: one SQLite file a slice, bounded by age and by plant."""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud.clock import Clock
from cloud.series.bucket import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    SECOND_NS,
    STEPS,
    Bucket,
    Series,
    Stored,
    bucket_of,
)
from cloud.series.database import SeriesFile, drop_marks, set_mark
from cloud.series.store import Batch, Mark, StoreState
from evidence.errors import LimitError
from evidence.log_lines import about

#: days that hours and days are kept: a sixtieth of the minutes and less
COARSE_DAYS = 3_653
_PRUNE_S = 3_600
#: of a plant, for as long as the file is there: ids of all plants' are held
SERIES_MAX = 200_000
#: of so many series a plant's buckets stay as long as is said, of twice as many half as long: a
#: gateway that sends old ticks of all the points it may have would write tens of GB in an hour
LONG_SERIES = 2_000
#: what one change deletes: rows, but for one series', and series
PRUNE_ROWS, PRUNE_SERIES = 2**18, 1_000
#: step -> seconds of it that an hour or day that still runs is put together from after a start
_RUNNING_S = {MINUTE_S: HOUR_S, HOUR_S: DAY_S + HOUR_S, DAY_S: 0}

log = logging.getLogger("stackproof.cloud.series")

_READ = (
    "SELECT series, from_s, count, low, high, last, mean, rest, worst FROM bucket"
    " WHERE series = ? AND step_s = ? AND from_s >= ? AND from_s < ? ORDER BY from_s"
)
_AGED = (
    "SELECT id, series.plant, through_ns FROM series LEFT JOIN mark"
    " ON mark.plant = series.plant AND mark.gateway = series.gateway"
)
_DELETE = "DELETE FROM bucket WHERE series = ? AND step_s = ? AND from_s < ?"


@dataclass
class _Plant:
    """What is known of a plant's buckets.

    Attributes:
        many: step -> how many of its series have some.
        counted_s: when that was counted; what came since is added.
    """

    many: dict[int, int]
    counted_s: int


class EmbeddedSeries:
    """Series in a file; `cloud.series.store.SeriesStore` says what each method does.

    Args:
        path: the file.
        retention_days: of minutes; hours and days stay for `COARSE_DAYS`.
        clock: what is old goes by it.

    Raises:
        StoreError: the file cannot be used.
    """

    def __init__(self, path: Path, retention_days: int, clock: Clock) -> None:
        self._file, self._clock, self._days = SeriesFile(path, "embedded"), clock, retention_days
        self._ids: dict[Series, int] = {}
        self._plants, self._short = dict[str, _Plant](), dict[str, int]()
        # series of all plants, also of those that left, to be looked at for what is too old
        self._old, self._pruned_s = list[tuple[int, str, int | None]](), 0

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """See `SeriesStore`."""
        return self._file.marks(plant)

    def is_full(self) -> bool:
        """See `SeriesStore`: what is put is there at once."""
        return False

    def put(self, batch: Batch) -> None:
        """See `SeriesStore`; what is too old to be kept is not written."""
        plant, now_s = batch.plant, self._clock.wall_ns() // SECOND_NS
        try:
            with self._file.changing() as sql:
                held = self._plants.get(plant)
                if held is None or now_s - held.counted_s >= _PRUNE_S:
                    held = self._plants[plant] = self._counted(sql, plant, now_s)
                for step_s in batch.rows:
                    self._write(sql, held, step_s, batch, now_s)
                set_mark(sql, plant, batch.gateway, batch.mark, batch.after)
                self._prune(sql, now_s)
        except BaseException:
            self._ids.clear()  # some may be of series whose rows were rolled back
            self._plants.pop(plant, None)
            self._pruned_s = 0
            raise
        self._tell(plant, held)

    def refused(self, plant: str) -> str:
        """See `SeriesStore`: `put` itself raises."""
        return ""

    def _write(
        self, sql: sqlite3.Connection, of: _Plant, step_s: int, batch: Batch, now_s: int
    ) -> None:
        ended, running_s = batch.rows[step_s], batch.mark.through_ns // SECOND_NS
        running_s -= _RUNNING_S[step_s]
        first_ns = min(self._oldest_s(step_s, now_s), running_s) * SECOND_NS
        # keys of all first: how many there are says how long they stay
        keyed = [(one, self._keys(sql, of, one.series)) for one in ended if one.from_ns >= first_ns]
        oldest_s = self._oldest_s(step_s, now_s, of)
        first_ns = min(oldest_s, running_s) * SECOND_NS
        rows = [
            (key, step_s, *stored)
            for columns, keys in keyed
            if columns.from_ns >= first_ns
            for key, stored in zip(keys, columns.stored(), strict=True)
        ]
        if len(ended) > 1:  # a series' buckets stand side by side in the file
            rows.sort()
        sql.executemany("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        if rows and running_s < oldest_s:  # those before are needed no more
            keys = {key for _, keys in keyed for key in keys}
            sql.executemany(_DELETE, [(key, step_s, running_s) for key in keys])

    def _oldest_s(self, step_s: int, now_s: int, of: _Plant | None = None) -> int:
        """First instant that is kept; of a plant whose series are many, a later one."""
        days = self._days if step_s == MINUTE_S else COARSE_DAYS
        many = LONG_SERIES if of is None else max(LONG_SERIES, of.many[step_s])
        return now_s - DAY_S * days * LONG_SERIES // many

    def _tell(self, plant: str, held: _Plant) -> None:
        """How long minutes stay, in the log whenever that is a day less."""
        many = held.many[MINUTE_S]
        days = self._days * LONG_SERIES // max(LONG_SERIES, many)
        if days < self._short.get(plant, self._days):
            told = "%s: has %d series, more than %d: its minutes stay %d days, hours less long, too"
            log.warning(told, plant, many, LONG_SERIES, days, extra=about(plant))
        self._short[plant] = days

    def _counted(self, sql: sqlite3.Connection, plant: str, now_s: int) -> _Plant:
        asked = (
            "SELECT count(*) FROM series WHERE plant = ? AND EXISTS (SELECT 1 FROM bucket"
            " WHERE series = id AND step_s = ? AND from_s >= ?)"
        )
        many = {
            step_s: sql.execute(asked, (plant, step_s, self._oldest_s(step_s, now_s))).fetchone()[0]
            for step_s in STEPS
        }
        return _Plant(many, now_s)

    def _prune(self, sql: sqlite3.Connection, now_s: int) -> None:
        """Delete some of what is too old: all of it at once would take minutes."""
        if now_s - self._pruned_s >= _PRUNE_S and not (self._old and self._pruned_s):
            self._old = sql.execute(_AGED).fetchall()
            self._pruned_s = now_s
        deleted, ends = 0, max(0, len(self._old) - PRUNE_SERIES)
        while len(self._old) > ends and deleted < PRUNE_ROWS:
            key, plant, through_ns = self._old.pop()
            for step_s in STEPS:
                oldest_s = self._oldest_s(step_s, now_s, self._plants.get(plant))
                if through_ns:
                    oldest_s = min(oldest_s, through_ns // SECOND_NS - _RUNNING_S[step_s])
                deleted += sql.execute(_DELETE, (key, step_s, oldest_s)).rowcount

    def _keys(self, sql: sqlite3.Connection, of: _Plant, every: Sequence[Series]) -> list[int]:
        ids = self._ids
        if new := [series for series in every if series not in ids]:
            added = sql.executemany(
                "INSERT OR IGNORE INTO series (plant, gateway, point, quantity, decimals)"
                " VALUES (?, ?, ?, ?, ?)", new
            ).rowcount  # fmt: skip
            of.many = {step_s: many + added for step_s, many in of.many.items()}
            asked, plants = "SELECT * FROM series WHERE plant = ?", {series.plant for series in new}
            found = (row for plant in plants for row in sql.execute(asked, (plant,)))
            known = {told: key for key, *told_ in found for told in [tuple(told_)]}
            if len(known) > len(plants) * SERIES_MAX:
                raise LimitError(f"{' '.join(plants)} has more than {SERIES_MAX} series")
            ids.update({series: known[series] for series in new})
        return [ids[series] for series in every]

    def read(
        self, step_s: int, plant: str, from_ns: int, to_ns: int, *, gateway: str = "",
        point: str = "",
    ) -> Mapping[Series, Sequence[Bucket]]:  # fmt: skip
        """See `SeriesStore`."""
        asked, values = "SELECT * FROM series WHERE plant = ?", [plant]
        for column, value in (("point", point), ("gateway", gateway)):
            if value:
                asked += f" AND {column} = ?"
                values.append(value)
        span = -(-from_ns // SECOND_NS), -(-to_ns // SECOND_NS)
        found: dict[Series, list[Bucket]] = {}
        for key, *told in self._file.rows(asked, *values):
            rows = self._file.rows(_READ, key, step_s, *span)
            if rows:
                held = [bucket_of(Stored(*row[1:])) for row in rows]  # type: ignore[arg-type] # columns
                found[Series(*told)] = held  # type: ignore[arg-type] # columns
        return found

    def forget(self, plant: str) -> None:
        """See `SeriesStore`; its buckets go, too."""
        with self._file.changing() as sql:
            of = "(SELECT id FROM series WHERE plant = ?)"
            sql.execute(f"DELETE FROM bucket WHERE series IN {of}", (plant,))  # noqa: S608 - our own words
            drop_marks(sql, plant)

    def state(self) -> StoreState:
        """See `SeriesStore`."""
        short = {plant: days for plant, days in self._short.copy().items() if days < self._days}
        return StoreState("sqlite", self._file.trouble, short_days=short)

    def close(self) -> None:
        """See `SeriesStore`."""
        self._file.close()
