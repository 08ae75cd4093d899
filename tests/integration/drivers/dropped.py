"""A folder that files are dropped into, its driver, and what is committed of it."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.drivers.base import Sample
from edge.drivers.folder.driver import FolderDriver
from firmware_configs.row_source import FolderSource
from tests.unit.edge.drivers.row_specs import files, folder_spec

HEAD = "taken_at,pot,volts,temp\n"
T_S = 1_781_481_600  # date -u -d '2026-06-15 00:00:00' +%s


def rows(*of: tuple[int, str, str]) -> str:
    """(second, pot, volts) each."""
    return HEAD + "".join(f"2026-06-15 00:00:{s:02},{pot},{v},\n" for s, pot, v in of)


class Drop:
    """A folder, and a driver with what is committed of it, killed and started at will."""

    def __init__(self, path: Path, source: FolderSource | None = None) -> None:
        self.path, self.source = path, source or files()
        self.position: bytes | None = None
        self.marks: dict[bytes, bytes] = {}
        self.events: list[Mapping[str, Any]] = []
        self.driver: FolderDriver | None = None
        self.revision = "1"

    def put(self, name: str, text: str | bytes, at_s: int = 0) -> Path:
        path = self.path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if at_s:
            os.utime(path, (at_s, at_s))
        return path

    async def start(self) -> FolderDriver:
        spec = folder_spec(
            self.path, self.source, position=self.position, marks=self.marks, revision=self.revision
        )
        self.driver = FolderDriver(spec)
        await self.driver.connect()
        return self.driver

    async def kill(self) -> None:
        """What was not committed is gone."""
        if self.driver is not None:
            await self.driver.close()
        self.driver = None

    async def read(self, *, commits: bool = True) -> list[Sample]:
        driver = self.driver or await self.start()
        samples = list(await driver.read())
        position, marks, events = driver.position(), driver.take_marks(), driver.take_events()
        if commits:
            self.position = position or self.position
            self.marks |= marks
            self.events += events
        return samples

    async def volts(self, *, commits: bool = True) -> list[int | None]:
        samples = await self.read(commits=commits)
        return [None if s.raw is None else struct.unpack("<q", s.raw)[0] for s in samples[:2]]

    def told(self, *keys: str) -> list[tuple[Any, ...]]:
        return [tuple(event.get(key) for key in ("kind", *keys)) for event in self.events]


NOTHING = [None, None]
