"""`stackproof cloud run` as a process, in a folder with a small plant's keys."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import confined
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.ports import free_port
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, ExamplePlant, make_plant

TEXT = f"{CLOUD_HEAD}[broker]\nport = {{port}}\n[http]\nport = 0\naccounts = false\n{CLOUD_PLANT}"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "stackproof", "cloud", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), check=False, capture_output=True, text=True, timeout=60
    )


def wait(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came in time")


class Cloud:
    """A folder with CLOUD.toml, and the process that runs it."""

    def __init__(self, folder: Path, plant: str = "mini", slice_id: str = "00") -> None:
        self.folder = folder
        self.plant: ExamplePlant = make_plant(folder, plant)
        self.config = folder / "CLOUD.toml"
        self.log = folder / "cloud.log"
        text = TEXT.format(port=free_port()).replace("mini", plant)
        self.config.write_text(text.replace('slice = "00"', f'slice = "{slice_id}"'))
        self.process: subprocess.Popen[bytes] | None = None
        self.unit = ""  # of which it is to be a service

    def start(self, *options: str) -> dict[str, Any]:
        """Start it and wait for its ready file."""
        (self.folder / "state/ready.json").unlink(missing_ok=True)
        run_it = command("run", self.config, *options)
        with self.log.open("wb") as log:  # a pipe that nobody reads would hold it up one day
            self.process = subprocess.Popen(
                confined.command(self.unit, *run_it) if self.unit else run_it,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return wait(self.ready)

    def ready(self) -> dict[str, Any] | None:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.log.read_text()}")
        path = self.folder / "state/ready.json"
        return json.loads(path.read_text()) if path.exists() else None

    def end(self, order: int = signal.SIGTERM) -> tuple[int, str]:
        """(exit status, everything it printed)."""
        assert self.process is not None
        self.process.send_signal(order)
        return self.process.wait(timeout=20), self.log.read_text()

    def publisher(self, url: str) -> SpoolPublisher:
        key = self.plant.collector.public_key
        return SpoolPublisher(url, self.plant.gateways["edge-1"], key, "00")
