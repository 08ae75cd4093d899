"""Devices whose rows are delivered once, for the driver contract: an SQLite file, a folder."""

import asyncio
import sqlite3
import tempfile
import threading
from pathlib import Path

from edge.drivers.base import DeviceSpec
from evidence.points import Dtype
from evidence.quality import Quality
from tests.conformance.bench import TIMEOUT_S, Bench
from tests.unit.edge.drivers.row_specs import column, files, row_spec, table


class TableBench(Bench):
    """An SQLite file: gone when it is moved away, silent when another program locks it."""

    asks = "SQL"
    bad = Quality.WRONG_ANSWER

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "pots.db"
        self.url = f"sqlite+ro://{self._path}"

    def spec(self, url: str = "") -> DeviceSpec:
        columns = ("id", "at", "a", "b", "c")
        source = table("SELECT id, at, a, b, c FROM t", columns=columns, time="at", name="")
        rows = [column(name, name, Dtype.F32) for name in "abc"]
        return row_spec(url or self.url, source, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, a, b, c)")

    async def feed(self) -> None:
        self._db.execute(
            "INSERT INTO t (at, a, b, c) VALUES ('2026-06-15 08:00:00', 123456.0, 'x', 123456.0)"
        )

    def clear(self) -> None:
        self._db.execute("DELETE FROM t")

    async def stop(self) -> None:
        self._db.close()
        self._folder.cleanup()

    async def cut(self) -> None:
        self._path.rename(self._path.with_suffix(".away"))

    async def back(self) -> None:
        self._path.with_suffix(".away").rename(self._path)

    def silence(self, is_silent: bool) -> None:
        if is_silent != self._db.in_transaction:
            self._db.execute("BEGIN EXCLUSIVE" if is_silent else "COMMIT")

    async def connections(self) -> int:
        return await own_threads("table")


class FolderBench(Bench):
    """A folder: gone when it is moved away."""

    bad = Quality.WRONG_ANSWER
    can_be_silent = False

    def __init__(self) -> None:
        self._held = tempfile.TemporaryDirectory()
        self._path = Path(self._held.name) / "drop"
        self.url = f"folder://{self._path}"
        self._number = 0

    def spec(self, url: str = "") -> DeviceSpec:
        source = files(columns=("at", "a", "b", "c"), time="at", name="")
        rows = [column(name, name, Dtype.F32) for name in "abc"]
        return row_spec(url or self.url, source, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        self._path.mkdir()

    async def feed(self) -> None:
        """A file of its own: other bytes under another name."""
        self._number += 1
        file = self._path / f"{self._number}.csv"
        blanks = " " * self._number
        file.write_text(f"at,a,b,c\n2026-06-15 08:00:00,123456{blanks},x,123456\n")

    def clear(self) -> None:
        for file in self._path.iterdir():
            file.unlink()

    async def stop(self) -> None:
        self._held.cleanup()

    async def cut(self) -> None:
        self._path.rename(self._path.with_name("away"))

    async def back(self) -> None:
        self._path.with_name("away").rename(self._path)

    def silence(self, is_silent: bool) -> None: ...

    async def connections(self) -> int:
        return await own_threads("folder")


async def own_threads(kind: str) -> int:
    """Threads of drivers, each with one connection, once those that end have ended."""
    for _ in range(60):
        found = sum(thread.name.startswith(f"{kind}-dev") for thread in threading.enumerate())
        if not found:
            break
        await asyncio.sleep(0.01)
    return found
