"""The database in which the pot controllers' effects stand, as their service fills it. I/O: SQLite.

Its schema and habits: `TRUTH.md`. It is added to, never begun anew: keys go on where they ended.
"""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.plant import Smelter
from simulators.played import Played
from simulators.pot_controller import SCAN_S, Noted, PotControllers
from simulators.served import ServeError

#: the controllers' clock is so much ahead of the truth
AHEAD_S = 7
#: the service asks the controllers every so often, pot by pot
COLLECT_S = 10
ZONE = ZoneInfo("Asia/Shanghai")

_SCHEMA = """\
CREATE TABLE IF NOT EXISTS effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pot INTEGER NOT NULL,
    started TEXT NOT NULL,
    duration_s INTEGER NOT NULL,
    max_v REAL NOT NULL,
    kind INTEGER NOT NULL
)"""


class EffectTable:
    """The table of one potline."""

    def __init__(self, path: Path, pots: int) -> None:
        """The file is made when it is not there; ServeError when it cannot be."""
        self.started_ns = 0
        self._controllers = PotControllers(pots)
        self._waiting: list[Noted] = []
        try:
            with contextlib.ExitStack() as failed:
                self._db = failed.enter_context(contextlib.closing(sqlite3.connect(path)))
                self._db.execute(_SCHEMA)
                failed.pop_all()
        except sqlite3.Error as error:
            raise ServeError(f"{path}: is no database of effects: {error}") from None

    def __enter__(self) -> "EffectTable":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def watch(self, plant: Played) -> None:
        """Called after each step of the plant, once `started_ns` is the UTC instant of step 0."""
        steps = round(SCAN_S / plant.step_s)
        if plant.step_number % steps or not isinstance(plant, Smelter):
            return
        at_s = plant.step_number // steps * SCAN_S
        line = plant.potline
        self._waiting += self._controllers.scan(at_s, line.voltage_v.tolist(), line.state.tolist())
        if at_s % COLLECT_S == 0:
            self._collect()

    def _collect(self) -> None:
        """Pot by pot, whichever effect was first."""
        rows = [
            (noted.pot, self._stamp(noted.start_s), noted.duration_s, round(noted.max_v, 1),
             noted.kind)
            for noted in sorted(self._waiting, key=lambda noted: noted.pot)
        ]  # fmt: skip
        self._waiting = []
        with self._db:
            self._db.executemany(
                "INSERT INTO effects (pot, started, duration_s, max_v, kind) "
                "VALUES (?, ?, ?, ?, ?)", rows,
            )  # fmt: skip

    def _stamp(self, at_s: int) -> str:
        """Local time of the controllers' clock, to the second."""
        start = datetime.fromtimestamp(self.started_ns // 10**9, UTC)
        return f"{(start + timedelta(seconds=at_s + AHEAD_S)).astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
