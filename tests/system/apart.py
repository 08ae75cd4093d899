"""A plant and its collector with a link between them that fails; days of readings wait at first.

Devices and agent run on the plant's side, broker and collector on the other, each a process. What
is at the collector in the end is judged as in `tests.system.outages`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from edge.site.config import load_site
from edge.spool import Spool
from edge.stream import Stream
from evidence.frame import Body, Clock, Gap, Section
from evidence.groups import Group
from evidence.points import Dtype
from evidence.quality import Quality
from tests.ports import free_port
from tests.system.counting import DEVICES, REGISTERS, value, write_profile
from tests.system.links import PlantLink
from tests.system.outages import CLOUD, DEVICE, SECOND_NS, Verdict, cells_of
from tests.unit.cloud.kept import FILE
from tests.unit.cloud.read_plant import read_plant
from tests.unit.edge.sites import GATEWAY, HEAD, PLANT, config_of, keys, replaced, who, write_keys

TICKS = 10  # a frame of the backlog, 1 Hz; a gap is signed before each where it follows none
ENDED_S = 60  # before the agent starts; after a quarter of an hour it would not believe its clock
WAIT_S = 240.0
_BROKER = """\
server_name = apart
listen = "127.0.0.1:-1"
jetstream {{ store_dir = "{folder}/js", max_memory_store = 64MB, max_file_store = 256MB }}
mqtt {{ listen = "0.0.0.0:{port}" }}
"""


@dataclass
class Apart:
    """Both sides; `with apart(...) as made` starts and ends them.

    Attributes:
        waiting: when each frame begins that was in the spool before the agent started, UTC s.
        gaps: how many of them tell of a gap before them.
        ages_s: how old the newest values at the collector were, each time they were looked at.
        ticks: instants of those values.
        wait_s: how long anything may take.
    """

    folder: Path
    link: PlantLink
    waiting: list[int] = field(default_factory=list)
    gaps: int = 0
    wait_s: float = WAIT_S
    ages_s: list[float] = field(default_factory=list)
    ticks: set[int] = field(default_factory=set)
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def start(self, name: str, side: tuple[str, ...], *command: str | Path) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*side, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    def start_all(self, frames: int, every_s: int) -> None:
        """Everything but the agent; its spool holds so many frames, one every so many seconds."""
        python = (sys.executable, "-m")
        self.start("devices", self.link.near, *python, "tests.system.counting", str(DEVICES))
        port = free_port()
        (self.folder / "nats.conf").write_text(_BROKER.format(folder=self.folder, port=port))
        self.start("broker", self.link.far, Path(sys.executable).with_name("nats-server"),
                   "-c", self.folder / "nats.conf")  # fmt: skip
        self._write_files(port, json.loads(self._line("devices")))
        self._fill(frames, every_s)
        self.wait("the broker", lambda: "Server is ready" in self.log("broker"))
        self.start("cloud", self.link.far, *python, "stackproof", "cloud", "run",
                   self.folder / "cloud.toml")  # fmt: skip
        self.start("asking", self.link.far, *python, "tests.system.asking")
        self.wait("the collector", lambda: (self.folder / "cloud/ready.json").exists())

    def start_agent(self) -> None:
        """Start it; it takes ticks by the end of this."""
        self.start("edge", self.link.near, sys.executable, "-m", "stackproof", "edge", "run",
                   self.folder / "site.toml")  # fmt: skip
        assert self._line("edge").endswith("running\n"), self.log("edge")

    def _write_files(self, port: int, devices: list[int]) -> None:
        write_keys(self.folder / "keys")
        profile = write_profile(self.folder)
        text = replaced(HEAD, {"mqtt://127.0.0.1:1883": self.link.lead_to(port)})
        for number, at in enumerate(devices):
            text += DEVICE.format(number=number, port=at, profile=profile)
        (self.folder / "site.toml").write_text(text + "[statement]\n")
        cloud = CLOUD.format(broker=f"mqtt://127.0.0.1:{port}", plant=PLANT, gateway=GATEWAY)
        (self.folder / "cloud.toml").write_text(cloud)

    def _fill(self, frames: int, every_s: int) -> None:
        site = load_site(self.folder / "site.toml")
        config = config_of(site)
        (group,) = config["groups"]
        cells = cells_of(config, group)
        spool = Spool(site.gateway.spool, bytes_max=site.uplink.spool_bytes_max)
        stream = Stream(spool, who())
        first_s = int(time.time()) - ENDED_S - (frames - 1) * every_s
        stream.take_up_key(first_s * SECOND_NS)
        stream.append_config(config, first_s * SECOND_NS)
        before_s = None
        for n in range(frames):
            at_s = first_s + n * every_s
            stream.append_frame(_frame(at_s, before_s, cells), b"", (at_s + TICKS) * SECOND_NS)
            self.waiting.append(at_s)
            before_s = at_s + TICKS - 1 if every_s > TICKS else None
            self.gaps += before_s is not None
        self.gaps -= before_s is not None  # none comes after the last
        spool.close()

    def end(self, name: str) -> str:
        """End a process; what it printed since it was last listened to."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.communicate(timeout=60)[0]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def _line(self, name: str) -> str:
        stdout = self.processes[name].stdout
        assert stdout is not None
        return stdout.readline()

    def wait(self, what: str, condition: Callable[[], bool]) -> float:
        """Seconds until something is true."""
        began_s = time.monotonic()
        while not condition():
            if time.monotonic() > began_s + self.wait_s:
                logs = "\n".join(self.log(name)[-2000:] for name in ("edge", "cloud"))
                raise AssertionError(f"no {what}\n{self.gateway()}\n{self.ages_s[-20:]}\n{logs}")
            time.sleep(0.05)
        return time.monotonic() - began_s

    # -- what the collector knows -----------------------------------------------------------------

    def gateway(self) -> dict[str, Any]:
        """Its live view of the gateway; without `tick_ns` while it has none."""
        address = json.loads((self.folder / "cloud/ready.json").read_text())["http"]
        asking = self.processes["asking"]
        assert asking.stdin is not None
        asking.stdin.write(f"{address}/api/v1/live/snapshot?plant={PLANT}\n")
        asking.stdin.flush()
        told = json.loads(self._line("asking")) or {}
        found: list[dict[str, Any]] = told.get("gateways", [])
        return found[0] if found else {"tick_ns": None}

    def look(self) -> dict[str, Any]:
        """The same, with the age of its newest values noted once there are any."""
        gateway = self.gateway()
        if gateway["tick_ns"] is not None:
            self.ages_s.append(time.time() - gateway["tick_ns"] / SECOND_NS)
            self.ticks.add(gateway["tick_ns"])
        return gateway

    def is_drained(self, after_s: float = 0.0) -> bool:
        """Is all under receipt but the newest frame, and are there values of after that instant?"""
        gateway = self.look()
        tick_ns = gateway["tick_ns"]
        is_new = tick_ns is not None and tick_ns > after_s * SECOND_NS
        return is_new and gateway["spool"]["frames"] <= 1

    def command(self, *arguments: str) -> list[str]:
        """A command of the product on the collector's side."""
        return [*self.link.far, sys.executable, "-m", "stackproof", *arguments]

    def ask(self, *arguments: str) -> str:
        """What it prints, run in the test's folder."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.stdout, done.stderr
        return done.stdout

    def judge(self) -> Verdict:
        """Stop everything and compare."""
        for name in ("edge", "cloud", "broker"):
            self.end(name)
        said = json.loads(self.end("devices"))
        held = read_plant(self.folder / FILE, keys().collector_key, PLANT)[GATEWAY]
        return Verdict.of(held, said["polled"], ())


def _frame(at_s: int, before_s: int | None, cells: Any) -> Body:
    """The devices' values of `TICKS` seconds, as the agent would have signed them."""
    readings = [
        [value(at_s + n, d, r) for d in range(DEVICES) for r in range(REGISTERS)]
        for n in range(TICKS)
    ]
    raw = np.array(readings, dtype="<f4").T[cells]
    group = Group(0, Dtype.F32, raw, np.full(raw.shape, Quality.GOOD, np.uint8))
    lag_ms = np.zeros((DEVICES, TICKS), np.int32)
    section = Section(0, at_s * SECOND_NS, SECOND_NS, TICKS, (group,), lag_ms,
                      tuple(range(DEVICES)))  # fmt: skip
    gap = None if before_s is None else Gap(before_s * SECOND_NS, at_s * SECOND_NS, "restart")
    # real readings do not compress as counted ones do: 7 kB a frame, as 500 points take
    noise = {
        "kind": "test",
        "at_ns": at_s * SECOND_NS,
        "noise": Random(at_s).randbytes(5_900).hex(),
    }
    clock = Clock("free", None, 1, bytes(16))
    return Body(at_s * SECOND_NS, clock, sections=(section,), gap=gap, events=(noise,))


@contextmanager
def apart(folder: Path, link: PlantLink, *, frames: int, every_s: int) -> Iterator[Apart]:
    """Everything but the agent runs."""
    made = Apart(folder, link)
    try:
        made.start_all(frames, every_s)
        yield made
    finally:
        for process in made.processes.values():
            process.terminate()
            process.communicate(timeout=30)
