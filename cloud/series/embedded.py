"""The embedded store of series: one SQLite file a slice, bounded by age."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloud.clock import Clock
from cloud.series.bucket import (
    DAY_S,
    MINUTE_S,
    SECOND_NS,
    STEPS,
    Bucket,
    Series,
    Stored,
    bucket_of,
)
from cloud.series.columns import Columns
from cloud.series.database import SeriesFile, drop_marks, set_mark
from cloud.series.store import Batch, Mark, StoreState
from evidence.errors import LimitError

#: days that hours and days are kept: a sixtieth of the minutes and less
COARSE_DAYS = 3_653
_PRUNE_S = 3_600
#: of a plant, for as long as the file is there: ids of all plants' are held
SERIES_MAX = 200_000

_READ = (
    "SELECT series, from_s, count, low, high, last, mean, rest, worst FROM bucket"
    " WHERE series = ? AND step_s = ? AND from_s >= ? AND from_s < ? ORDER BY from_s"
)


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
        self._pruned_s: dict[str, int] = {}

    def marks(self, plant: str) -> Mapping[str, Mark]:
        """See `SeriesStore`."""
        return self._file.marks(plant)

    def is_full(self) -> bool:
        """See `SeriesStore`: what is put is there at once."""
        return False

    def put(self, batch: Batch) -> None:
        """See `SeriesStore`; what is too old to be kept is not written."""
        now_s = self._clock.wall_ns() // SECOND_NS
        try:
            with self._file.changing() as sql:
                for step_s, ended in batch.rows.items():
                    self._write(sql, step_s, ended, self._oldest_s(step_s, now_s) * SECOND_NS)
                if now_s - self._pruned_s.get(batch.plant, 0) >= _PRUNE_S:
                    self._prune(sql, batch.plant, now_s)
                    self._pruned_s.pop(batch.plant, None)
                set_mark(sql, batch.plant, batch.gateway, batch.mark, batch.after)
        except BaseException:
            self._ids.clear()  # some may be of series whose rows were rolled back
            raise
        self._pruned_s.setdefault(batch.plant, now_s)

    def refused(self, plant: str) -> str:
        """See `SeriesStore`: `put` itself raises."""
        return ""

    def _write(
        self, sql: sqlite3.Connection, step_s: int, ended: Sequence[Columns], oldest_ns: int
    ) -> None:
        rows = [
            (key, step_s, *stored)
            for columns in ended
            if columns.from_ns >= oldest_ns
            for key, stored in zip(self._keys(sql, columns.series), columns.stored(), strict=True)
        ]
        if len(ended) > 1:  # a series' buckets stand side by side in the file
            rows.sort()
        sql.executemany("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _oldest_s(self, step_s: int, now_s: int) -> int:
        return now_s - DAY_S * (self._days if step_s == MINUTE_S else COARSE_DAYS)

    def _prune(self, sql: sqlite3.Connection, plant: str, now_s: int) -> None:
        keys = sql.execute("SELECT id FROM series WHERE plant = ?", (plant,)).fetchall()
        for step_s in STEPS:
            sql.executemany(
                "DELETE FROM bucket WHERE series = ? AND step_s = ? AND from_s < ?",
                [(key, step_s, self._oldest_s(step_s, now_s)) for (key,) in keys],
            )

    def _keys(self, sql: sqlite3.Connection, every: Sequence[Series]) -> list[int]:
        ids = self._ids
        if new := [series for series in every if series not in ids]:
            sql.executemany(
                "INSERT OR IGNORE INTO series (plant, gateway, point, quantity, decimals)"
                " VALUES (?, ?, ?, ?, ?)", new
            )  # fmt: skip
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
        return StoreState("sqlite", self._file.trouble)

    def close(self) -> None:
        """See `SeriesStore`."""
        self._file.close()
