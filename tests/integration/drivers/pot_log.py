"""A pot controller's database in an SQLite file, and a driver that reads it."""

import sqlite3
import struct
from pathlib import Path

from edge.drivers.base import DeviceSpec, Sample
from edge.drivers.table.driver import TableDriver
from evidence.quality import Quality
from tests.unit.edge.drivers.row_specs import table_spec

T = "2026-06-15 00:00:{:02}"
T_S = 1_781_481_600  # date -u -d '2026-06-15 00:00:00' +%s


class Plant:
    """A pot controller's database, written by its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute(
            "CREATE TABLE pot_log (id INTEGER PRIMARY KEY, taken_at TEXT, pot, volts, temp)"
        )

    def put(self, *rows: tuple[int, int, object, object]) -> None:
        """(id, pot, volts, temp) each; taken at second id."""
        self.db.executemany(
            "INSERT INTO pot_log VALUES (?, ?, ?, ?, ?)",
            [(i, T.format(i % 60), pot, v, t) for i, pot, v, t in rows],
        )

    def spec(self, **more: object) -> DeviceSpec:
        return table_spec(self.path, **more)


async def connected(spec: DeviceSpec) -> TableDriver:
    driver = TableDriver(spec)
    await driver.connect()
    return driver


def volts(samples: object) -> list[int | None]:
    """Of pot 1 and 2, in millivolts; None where nothing is new."""
    assert isinstance(samples, list)
    for sample in samples:
        assert isinstance(sample, Sample)
        if sample.raw is None:
            assert sample.quality is Quality.NOT_SAMPLED
    return [None if s.raw is None else struct.unpack("<q", s.raw)[0] for s in samples[:2]]
