"""Real brokers on loopback for tests: ours (nats-server, supervised) and Debian's mosquitto."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from cloud.broker import Broker

MOSQUITTO = "mosquitto"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Mosquitto:
    """One mosquitto process on a fixed port; `kill` and `start` as often as wanted."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        program = shutil.which(MOSQUITTO)
        assert program is not None
        self.process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + 5
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not come up")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(5)


@contextlib.asynccontextmanager
async def running_broker(kind: str, folder: Path) -> AsyncIterator[Broker | Mosquitto]:
    """A broker of a kind: "nats-server" or "mosquitto"."""
    await asyncio.to_thread(folder.mkdir)
    if kind == MOSQUITTO:
        mosquitto = Mosquitto(folder, free_port())
        await asyncio.to_thread(mosquitto.start)
        try:
            yield mosquitto
        finally:
            await asyncio.to_thread(mosquitto.stop)
        return
    broker = Broker(folder, 0)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
