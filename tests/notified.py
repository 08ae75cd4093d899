"""The manager of a machine's services, as far as a program sees it: a socket that hears it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path


class Manager:
    """What a service tells is heard here."""

    def __init__(self, door: socket.socket, environment: dict[str, str]) -> None:
        self._door, self.environment = door, environment

    def heard(self, timeout_s: float = 0.0) -> list[str]:
        """Every line of the next datagram; none when none comes in time."""
        self._door.settimeout(timeout_s or 1e-9)
        try:
            return self._door.recv(4096).decode().split("\n")
        except (TimeoutError, BlockingIOError):
            return []

    async def hear(self, line: str, timeout_s: float = 30.0) -> list[str]:
        """The next datagram that holds this line."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            if line in (lines := self.heard()):
                return lines
            await asyncio.sleep(0.01)
        raise AssertionError(f"{line} was not told")


@contextlib.contextmanager
def manager(folder: Path, name: str = "", **more: str) -> Iterator[Manager]:
    """A manager with its socket in `folder`, or of an abstract name."""
    address = f"@{name}" if name else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(f"\0{name}" if name else address)
        yield Manager(door, {"NOTIFY_SOCKET": address, **more})
