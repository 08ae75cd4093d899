"""How much room there is on the disks that the collector writes on. I/O: asks the system.

A disk of another machine that hangs answers never, and whoever asks waits with it: each is asked by
a thread of its own, of which there is one at a time.
"""

import asyncio
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import NamedTuple

#: seconds that a disk has to answer, and between two looks whether it has
WAIT_S, LOOK_S = 1.0, 0.002


class Room(NamedTuple):
    """Bytes of a disk: all, and those that are free for us."""

    size: int
    free: int


class Disks:
    """The disks that some folders lie on.

    Args:
        folders: what lies there -> where.
    """

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        self._folders = dict(folders or {})
        self._asking, self._found = dict[str, Thread](), dict[str, Room]()

    async def rooms(self) -> Mapping[str, Room]:
        """What lies there -> room; without one that is away or does not answer."""
        for name in self._folders:
            if not self._is_asked(name):
                self._asking[name] = Thread(target=self._ask, args=(name,), daemon=True)
                self._asking[name].start()
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            if not any(map(self._is_asked, self._folders)):
                break
            await asyncio.sleep(LOOK_S)
        return {name: room for name, room in self._found.items() if not self._is_asked(name)}

    def _is_asked(self, name: str) -> bool:
        return name in self._asking and self._asking[name].is_alive()

    def _ask(self, name: str) -> None:
        try:
            usage = shutil.disk_usage(self._folders[name])
        except OSError:  # away: `plant_in_order` says it
            self._found.pop(name, None)
        else:
            self._found[name] = Room(usage.total, usage.free)
