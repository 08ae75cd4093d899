"""The product's processes in a folder, for tests and benches: started, watched, killed, ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from simulators.demo_files import PLANT, write_cloud_file, write_site_file
from tests.system.playing import stackproof


@dataclass
class Rig:
    """A running product in a folder."""

    work: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    COMMANDS: ClassVar[dict[str, tuple[str, ...]]] = {
        "sim": (
            *("sim", "run", "smelter", "--json", "--out", "{work}/truth"),
            *("--modbus-port", "0", "--opcua-port", "0"),
        ),
        "cloud": ("cloud", "run", "{work}/cloud.toml"),
        "edge": ("edge", "run", "{work}/site.toml"),
    }

    def start(self, name: str) -> None:
        """Start one part; its output is appended to `<name>.log`."""
        arguments = [part.format(work=self.work) for part in self.COMMANDS[name]]
        with (self.work / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "stackproof", *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL one part (the broker is the collector's child)."""
        if name == "broker":
            # a collector that was killed just before may still be starting
            self.wait("a broker", (self.work / "cloud/ready.json").exists, 30)
            os.kill(int(self.ready()["broker_pid"]), signal.SIGKILL)
            return
        self.processes[name].kill()
        self.processes[name].wait()

    def ready(self) -> dict[str, Any]:
        """The collector's ready file."""
        return dict(json.loads((self.work / "cloud/ready.json").read_text()))

    def streams(self) -> list[dict[str, Any]]:
        """The collector's view of the streams; empty while it cannot be asked."""
        try:
            with urllib.request.urlopen(f"{self.ready()['http']}/api/v1/streams", timeout=5) as a:
                return list(json.load(a))
        except (OSError, ValueError):
            return []

    def receipted(self) -> int:
        """Newest seq under receipt, -1 before the first or while the collector is away."""
        return max((int(row["receipted_seq"]) for row in self.streams()), default=-1)

    def wait(self, what: str, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait for something to be true."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if condition():
                return
            time.sleep(0.1)
        logs = "\n".join(f"{p.name}: {p.read_text()[-2000:]}" for p in self.work.glob("*.log"))
        raise AssertionError(f"{what} did not happen within {timeout_s} s\n{logs}")

    def stop(self) -> None:
        """End everything."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    work: Path, devices_hook: Callable[[list[dict[str, Any]]], None] | None = None
) -> Iterator[Rig]:
    """Simulator, collector with broker, and edge, running and delivering.

    Args:
        work: an empty folder.
        devices_hook: may change the simulator's list of devices before the site file is written.
    """
    rig = Rig(work)
    made = stackproof("keys", "new", "--out", str(work / "keys"), "--plant", PLANT,
                      "--gateway", "edge-1")  # fmt: skip
    assert made.returncode == 0, made.stderr
    broker = free_port()
    cloud = write_cloud_file(work, archives=work / "archives", port=free_port())
    cloud.write_text(cloud.read_text().replace("port = 0", f"port = {broker}", 1))
    try:
        rig.start("sim")
        log = work / "sim.log"
        rig.wait("the simulator", lambda: "ready" in log.read_text(), 30)
        devices = json.loads(log.read_text().splitlines()[0])["devices"]
        if devices_hook is not None:
            devices_hook(devices)
        write_site_file(work, devices, broker=f"mqtt://127.0.0.1:{broker}")
        rig.start("cloud")
        rig.start("edge")
        rig.wait("the first receipt", lambda: rig.receipted() >= 1, 40)
        yield rig
    finally:
        rig.stop()
