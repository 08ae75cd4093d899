"""A plant of ten devices whose links and broker fail for a while, and the judge of what was kept.

Everything runs as it does at a plant: agent, broker and collector are processes of their own, the
devices are one more, and both of the agent's links go through a `Relay`. What happened is judged
from the collector's evidence files and from what the devices say they have answered.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evidence import cbor, cose
from evidence.blocks import decompress
from evidence.quality import Quality
from tests.integration.edge.brokers import Broker
from tests.integration.edge.streams import frames, mistakes, told
from tests.recording import RECORD
from tests.system.counting import DEVICES, REGISTERS, value, write_profile
from tests.system.relay import Relay
from tests.unit.cloud.kept import FILE
from tests.unit.cloud.read_plant import read_plant
from tests.unit.edge.sites import GATEWAY, HEAD, PLANT, keys, replaced, write_keys

SECOND_NS = 10**9
AWAY_S = 2.0  # a killed agent is started again after so long, as in the measurements of others
ALIVE_S = 60.0

CLOUD = """\
format = 1
[cloud]
slice = "00"
state_dir = "cloud"
key = "file:keys/collector.pem"
certificate = "file:keys/collector.crt"
[broker]
mode = "external"
url = "{broker}"
[http]
port = 0
accounts = false
[[plant]]
id = "{plant}"
root = "file:keys/root.crt"
gateways = ["file:keys/{gateway}.crt"]
"""

DEVICE = """\
[[device]]
id = "dev-{number}"
url = "modbus+tcp://127.0.0.1:{port}?unit=1"
profile = "{profile}"
provenance = "meter-direct"
"""


@dataclass(frozen=True)
class Outage:
    """One failure and what came after it.

    Attributes:
        name: what failed.
        began_ns, ended_ns: when it did, and when it was over.
        killed_ns, running_ns: when the agent was killed meanwhile, and when it took ticks again.
        live_s: from the end until the collector had values taken after it.
        receipted_s: from the end until every object waiting was under receipt.
    """

    name: str
    began_ns: int
    ended_ns: int
    killed_ns: int | None
    running_ns: int | None
    live_s: float
    receipted_s: float


@dataclass
class Scene:
    """The running plant; `with scene(...) as made` starts and ends it."""

    folder: Path
    broker: Broker
    uplink: Relay
    field_bus: Relay
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)

    # -- processes --------------------------------------------------------------------------------

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=log, text=True,
                stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    def start_agent(self) -> int:
        """Start the agent; the instant at which it began to take ticks."""
        self.start("edge", "stackproof", "edge", "run", str(self.folder / "site.toml"))
        line = self._line("edge")
        assert line.endswith("running\n"), (line, self.log("edge"))
        return time.time_ns()

    def end(self, name: str, number: int = signal.SIGTERM) -> str:
        """End a process; what it printed since it was last listened to."""
        process = self.processes.pop(name)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=30)
        assert number == signal.SIGKILL or process.returncode == 0, self.log(name)
        return printed

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def _line(self, name: str) -> str:
        stdout = self.processes[name].stdout
        assert stdout is not None
        return stdout.readline()

    def start_all(self, seconds_before_broker: float) -> None:
        """Devices, agent without a broker, then the broker, then the collector."""
        self.start("devices", "tests.system.counting", str(DEVICES))
        ports = json.loads(self._line("devices"))
        write_keys(self.folder / "keys")
        profile = write_profile(self.folder)
        uplink = f"mqtt://127.0.0.1:{self.uplink.forward(self.broker.port)}"
        self.uplink.shut()
        text = replaced(HEAD, {"mqtt://127.0.0.1:1883": uplink})
        for number, port in enumerate(ports):
            through = self.field_bus.forward(port)
            text += DEVICE.format(number=number, port=through, profile=profile)
        (self.folder / "site.toml").write_text(text + "[statement]\n")
        cloud = CLOUD.format(broker=self.broker.url, plant=PLANT, gateway=GATEWAY)
        (self.folder / "cloud.toml").write_text(cloud)
        began_ns = self.start_agent()
        time.sleep(seconds_before_broker)
        self.start("cloud", "stackproof", "cloud", "run", str(self.folder / "cloud.toml"))
        self._start_broker()
        self._note("broker away at the start", began_ns, None, None)

    # -- failures ---------------------------------------------------------------------------------

    def stop_broker(self, seconds: float, *, kill: bool) -> None:
        """SIGTERM of the broker: its port refuses."""
        self.broker.stop()
        self.uplink.shut()
        self._over("broker stopped", seconds, kill, self._start_broker)

    def silence_uplink(self, seconds: float, *, kill: bool) -> None:
        """The link to the broker swallows everything, then resets."""
        self.uplink.silence()
        self._over("link to broker silent", seconds, kill, self.uplink.restore)

    def silence_devices(self, seconds: float, *, kill: bool) -> None:
        """The links to all devices swallow everything, then reset."""
        self.field_bus.silence()
        self._over("links to devices silent", seconds, kill, self.field_bus.restore)

    def _start_broker(self) -> None:
        self.broker.start()
        self.uplink.open()

    def _over(self, name: str, seconds: float, kill: bool, mend: Callable[[], None]) -> None:
        """Let an outage last, with a kill of the agent half way; then end it and look."""
        began_ns = time.time_ns()
        ends_s = time.monotonic() + seconds
        killed_ns = running_ns = None
        if kill:
            time.sleep(seconds / 2)
            killed_ns = time.time_ns()
            self.end("edge", signal.SIGKILL)
            time.sleep(AWAY_S)
            running_ns = self.start_agent()
        time.sleep(max(0.0, ends_s - time.monotonic()))
        mend()
        self._note(name + (", agent killed" if kill else ""), began_ns, killed_ns, running_ns)

    def _note(
        self, name: str, began_ns: int, killed_ns: int | None, running_ns: int | None
    ) -> None:
        ended_ns = time.time_ns()

        def since_s() -> float:
            return (time.time_ns() - ended_ns) / 1e9

        self._wait(lambda: self._gateway()["tick_ns"] >= ended_ns)
        live_s = since_s()
        self._wait(lambda: self._is_all_receipted(ended_ns))
        receipted_s = since_s()
        self._wait(lambda: self._reads_good(ended_ns))
        times = began_ns, ended_ns, killed_ns, running_ns
        self.outages.append(Outage(name, *times, live_s, receipted_s))

    def _is_all_receipted(self, ended_ns: int) -> bool:
        gateway = self._gateway()
        return bool(gateway["tick_ns"] >= ended_ns and gateway["spool"]["frames"] == 0)

    def _reads_good(self, ended_ns: int) -> bool:
        values = self._snapshot().get("values", {})
        read = [values.get(f"dev-{d}.r00") for d in range(DEVICES)]
        return all(v and v[1] == Quality.GOOD and v[2] >= ended_ns for v in read)

    def _gateway(self) -> dict[str, Any]:
        """The collector's live view of the gateway, with tick_ns 0 while it has none."""
        for found in self._snapshot().get("gateways", []):
            if found["tick_ns"] is not None:
                return dict(found)
        return {"tick_ns": 0, "spool": {"frames": 1}}

    def _snapshot(self) -> dict[str, Any]:
        """What the page is shown; empty while the collector cannot be asked."""
        try:
            ready = json.loads((self.folder / "cloud/ready.json").read_text())
            url = f"{ready['http']}/api/v1/live/snapshot?plant={PLANT}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError):
            return {}

    def _wait(self, condition: Callable[[], bool]) -> None:
        until_s = time.monotonic() + ALIVE_S
        while not condition():
            assert time.monotonic() < until_s, self.log("edge")[-2000:] + self.log("cloud")[-2000:]
            time.sleep(0.25)  # a thousand points are asked for: that takes the collector a while

    # -- the end ----------------------------------------------------------------------------------

    def judge(self) -> "Verdict":
        """Stop everything and compare."""
        self.end("edge")
        self.end("cloud")
        said = json.loads(self.end("devices"))
        for code in said["codes"]:
            RECORD.note("Modbus", f"FC {code}")
        key = keys().collector_key
        held = read_plant(self.folder / FILE, key, PLANT)[GATEWAY]
        return Verdict.of(held, said["polled"], self.outages)


@contextmanager
def scene(folder: Path, broker: str, seconds_before_broker: float = 3.0) -> Iterator[Scene]:
    """A plant that runs and delivers; its agent was started before its broker."""
    with Relay() as uplink, Relay() as field_bus:
        made = Scene(folder, Broker(broker, folder / "broker"), uplink, field_bus)
        try:
            made.start_all(seconds_before_broker)
            yield made
        finally:
            for process in made.processes.values():
                process.kill()
                process.communicate()
            made.broker.stop()


@dataclass(frozen=True)
class Verdict:
    """What the collector has, against what the devices have answered.

    Attributes:
        mistakes: sentences: a broken chain, a tick twice or out of order, a hole without a signed
            gap, a value that is not the device's of that second.
        ticks: instants in the collector's evidence, in order.
        polls: answered polls (one device, one second, all its registers).
        undelivered: of them, those of a second the collector has nothing of.
        under_way: of these, those of a second in which the agent was killed: not committed yet.
        marked: answered, and kept as a bad reading: the answer came too late, or not through.
        gaps: (seconds, reason) of each signed gap.
        device_s: for each outage, how long after its end the last device read good again.
    """

    mistakes: list[str]
    ticks: list[int]
    polls: int
    undelivered: int
    under_way: int
    marked: int
    gaps: list[tuple[float, str]]
    device_s: list[float]

    @classmethod
    def of(
        cls, objects: Sequence[bytes], polled: Sequence[Sequence[int]], outages: Sequence[Outage]
    ) -> "Verdict":
        """Judge a stream."""
        wrong = mistakes(objects)
        good: dict[int, np.ndarray[Any, np.dtype[np.bool_]]] = {}
        for second, values, quality in _readings(objects):
            is_good = quality == Quality.GOOD
            expected = [[value(second, d, r) for r in range(REGISTERS)] for d in range(DEVICES)]
            if not np.array_equal(values[is_good], np.array(expected)[is_good]):
                wrong.append(f"second {second}: a value is not the device's")
            if second in good:
                wrong.append(f"second {second}: twice")
            good[second] = is_good.all(axis=1)
        answered = [(d, s) for d, seconds in enumerate(polled) for s in seconds]
        lost = [s for _, s in answered if s not in good]
        killed = {o.killed_ns // SECOND_NS for o in outages if o.killed_ns is not None}
        return cls(
            mistakes=wrong,
            ticks=list(good),
            polls=len(answered),
            undelivered=len(lost),
            under_way=sum(s in killed for s in lost),
            marked=sum(s in good and not good[s][d] for d, s in answered),
            gaps=told(objects).gaps,
            device_s=[_back_s(good, o.ended_ns) for o in outages],
        )


def _back_s(good: dict[int, np.ndarray[Any, np.dtype[np.bool_]]], ended_ns: int) -> float:
    """Seconds from an instant to the first tick from which on every device reads good."""
    for second in good:
        if second * SECOND_NS >= ended_ns and good[second].all():
            return second - ended_ns / SECOND_NS
    return float("inf")


def cells_of(config: Mapping[str, Any], group: Mapping[str, Any]) -> Any:
    """Where each point of a group stands among the registers of all devices in order."""
    names = [config["points"][index]["id"] for index in group["points"]]
    return np.array([int(n[4]) * REGISTERS + int(n[-2:]) for n in names])  # "dev-3.r07"


def _readings(objects: Sequence[bytes]) -> Iterator[tuple[int, Any, Any]]:
    """(second, values [device, register], qualities likewise) of every tick, in order."""
    config = cbor.decode(decompress(cose.parse(objects[0]).payload))
    (group,) = config["groups"]
    order = cells_of(config, group)
    for _, body in frames(objects):
        for section in body.sections:
            (rows,) = section.groups
            for column, tick_ns in enumerate(section.ticks_ns().tolist()):
                assert tick_ns % SECOND_NS == 0
                shape = np.zeros((2, DEVICES * REGISTERS))
                shape[0, order] = rows.raw[:, column]
                shape[1, order] = rows.quality[:, column]
                values, quality = shape.reshape(2, DEVICES, REGISTERS)
                yield tick_ns // SECOND_NS, values, quality
