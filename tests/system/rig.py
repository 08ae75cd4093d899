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
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from simulators.demo_files import PLANT, TIME_ZONE, write_cloud_file, write_site_file
from tests.system.playing import SOUND, stackproof, tick_mistakes, verify


@dataclass
class Rig:
    """A running product in a folder.

    Attributes:
        work: the folder.
        processes: by part.
        logged: bytes of each log when its part was started last.
        programs: by part, the folder of another program than this one.
    """

    work: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logged: dict[str, int] = field(default_factory=dict)
    programs: dict[str, Path] = field(default_factory=dict)

    #: module, and its arguments
    COMMANDS: ClassVar[dict[str, tuple[str, ...]]] = {
        "sim": (
            *("stackproof", "sim", "run", "smelter", "--json", "--out", "{work}/truth"),
            *("--modbus-port", "0", "--opcua-port", "0"),
        ),
        "cloud": ("stackproof", "cloud", "run", "{work}/cloud.toml"),
        "edge": ("stackproof", "edge", "run", "{work}/site.toml"),
    }

    def start(self, name: str) -> None:
        """Start one part; its output is appended to `<name>.log`."""
        arguments = [part.format(work=self.work) for part in self.COMMANDS[name]]
        with (self.work / f"{name}.log").open("ab") as log:
            self.logged[name] = log.tell()
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.programs.get(name),  # where -m finds the module first
            )

    def sealed_month(self) -> Path:
        """The archive of the month so far: it verifies, and no tick is missing or there twice."""
        month = datetime.now(ZoneInfo(TIME_ZONE)).strftime("%Y-%m")
        closed = stackproof("cloud", "month", "close", str(self.work / "cloud.toml"), "--plant",
                            PLANT, "--month", month, "--interim")  # fmt: skip
        assert closed.returncode == 0, closed.stderr
        archive = self.work / "archives" / f"{PLANT}-{month}.tar"
        status, report = verify(archive, "--trust", str(self.work / "keys/root.crt"))
        assert status in SOUND, report
        assert tick_mistakes(archive) == []
        return archive

    def kill(self, name: str) -> None:
        """SIGKILL one part (the broker is the collector's child)."""
        if name == "broker":
            # a collector or broker that was killed just before may still be starting
            self.wait("a broker", self._has_broker, 60)
            os.kill(int(self.ready()["broker_pid"]), signal.SIGKILL)
            return
        self.processes[name].kill()
        self.processes[name].wait()

    def _has_broker(self) -> bool:
        """Does the collector that runs now say where its broker is, and is that one alive?"""
        try:
            ready = self.ready()
            os.kill(int(ready["broker_pid"]), 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return bool(ready["pid"] == self.processes["cloud"].pid)

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

    def wait_for_frames(self, count: int, timeout_s: float = 60) -> None:
        """Wait until so many more objects are under receipt, each closed as soon as it can be.

        An agent that is told nothing closes a frame every 10 s.
        """
        last = max(self.receipted(), 0) + count
        self.wait(f"receipt of {last}", lambda: self.close_frame() and self.receipted() >= last,
                  timeout_s)  # fmt: skip

    def close_frame(self) -> bool:
        """Have the agent close its frame with the next tick; False while it cannot be told."""
        log = (self.work / "edge.log").read_bytes()
        is_running = b": running" in log[self.logged["edge"] :]
        if is_running:
            self.processes["edge"].send_signal(signal.SIGUSR1)
        return is_running

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
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    work: Path,
    devices_hook: Callable[[list[dict[str, Any]]], None] | None = None,
    **programs: Path,
) -> Iterator[Rig]:
    """Simulator, collector with broker, and edge, running and delivering.

    Args:
        work: an empty folder.
        devices_hook: may change the simulator's list of devices before the site file is written.
        programs: as the rig's.
    """
    rig = Rig(work, programs=programs)
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
        rig.wait_for_frames(1)
        yield rig
    finally:
        rig.stop()
