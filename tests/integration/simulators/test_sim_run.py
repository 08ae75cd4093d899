"""`stackproof sim run` as its own process: what it says, serves, writes, and how it ends."""

import asyncio
import json
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from simulators.played import TruthLine
from simulators.scenario import Device
from tests.unit.simulators.kilns import KILN, kiln
from tests.unit.simulators.smelters import QUICK, played
from tests.unit.simulators.works import WORKS, works

ROOT = Path(__file__).parents[3]
PROGRAM = "import sys; from simulators.cli import main; sys.exit(main(sys.argv[1:]))"
pytestmark = pytest.mark.asyncio(loop_scope="module")

PORTS = ("--modbus-port", "0", "--opcua-port", "0")


@dataclass
class Run:
    """A running simulator.

    Attributes:
        process: the child.
        lines: what it printed up to "ready".
    """

    process: asyncio.subprocess.Process
    lines: list[str]

    @property
    def said(self) -> dict[str, Any]:
        """The JSON line."""
        answer: dict[str, Any] = json.loads(self.lines[0])
        return answer

    def url(self, device: str) -> str:
        """Where a device is served."""
        return next(str(row["url"]) for row in self.said["devices"] if row["id"] == device)


async def spawn(*argv: str, cwd: Path = ROOT) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *argv,
        cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


async def until_ready(process: asyncio.subprocess.Process) -> list[str]:
    """What it says before it is ready."""
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(30):
        while line := (await process.stdout.readline()).decode().rstrip("\n"):
            if line == "ready":
                break
            lines.append(line)
    return lines


@asynccontextmanager
async def running(*argv: str, scenario: str = "smelter", cwd: Path = ROOT) -> AsyncIterator[Run]:
    process = await spawn("run", scenario, *PORTS, *argv, cwd=cwd)
    try:
        yield Run(process, await until_ready(process))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    return process.returncode, err.decode()


def text_of(path: str) -> str:
    return Path(path).read_text(encoding="ascii")


def truth(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    """One simulator for all tests that only look at it; it must end well when they are done."""
    folder = tmp_path_factory.mktemp("run")
    async with running("--json", "--seed", "5", "--pots", "30", "--out", str(folder)) as started:
        yield started
        started.process.send_signal(signal.SIGTERM)
        assert await ended(started.process) == (0, "")
        assert truth(folder)[-1]["type"] == "end"


async def test_a_secured_server_tells_whom_to_trust() -> None:
    async with running("--json", "--pots", "3", "--secured", "--for", "0.2") as started:
        trust = {row["id"]: row.get("trust", "") for row in started.said["devices"]}
        assert re.fullmatch("sha256:[0-9a-f]{64}", trust["pot-gateway"])
        assert trust["ac-1"] == ""
        assert await ended(started.process) == (0, "")


async def test_served_values_are_the_truth(run: Run) -> None:
    """Voltages read over the wire are those of the step their source time names."""
    started_ns = run.said["started_ns"]
    readings: list[tuple[int, float]] = []
    async with Client(run.url("pot-gateway")) as client:
        index = await client.get_namespace_index("urn:stackproof:sim:potline")
        node = client.get_node(f"ns={index};s=Pot01.Voltage")
        for _ in range(15):
            value = await node.read_data_value()
            assert value.SourceTimestamp is not None
            assert value.Value is not None
            at_ns = round(value.SourceTimestamp.timestamp() * 1000) * 1_000_000
            readings.append(((at_ns - started_ns) // 100_000_000, value.Value.Value))
            await asyncio.sleep(0.1)
    assert len({step for step, _ in readings}) > 5  # it moves, several times a second
    last_step = max(step for step, _ in readings)
    wanted = played(last_step, pots=30, seed=5)
    for step, voltage_v in readings:
        single = struct.unpack("<f", struct.pack("<f", wanted.voltage_v[step, 0]))[0]
        assert voltage_v == single
    # What has happened so far is in the file while it runs: a kill would lose nothing of it.
    assert text_of(run.said["truth"]).startswith(wanted.text())


async def test_meters_move_with_the_plant(run: Run) -> None:
    port = int(run.url("ac-1").split(":")[-1].split("?")[0])
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=2, retries=0)
    assert await client.connect()
    counts = []
    for _ in range(2):
        high, low = (await client.read_holding_registers(0x0BB8, count=2)).registers
        counts.append(high * 65536 + low)
        await asyncio.sleep(1.5)
    client.close()
    # 3.4 to 3.8 MW for a second and a half are 1.4 to 1.6 kWh, 0.16 kWh a count.
    assert 7 <= counts[1] - counts[0] <= 12
    start_kwh = Decimal(str(QUICK.electricity.start_kwh))
    assert 0 <= counts[0] * Decimal("0.16") - start_kwh < 100


async def test_what_it_says_as_json(run: Run) -> None:
    said = run.said
    assert len(run.lines) == 1
    assert (said["scenario"], said["pots"], said["seed"]) == ("smelter", 30, 5)
    path = Path(said["truth"])
    assert path.name == "truth.jsonl"
    start = json.loads((path.parent / "truth-start.json").read_text())
    assert start == {"scenario": "smelter", "seed": 5, "started_ns": said["started_ns"]}
    rows = {row.pop("id"): row for row in said["devices"]}
    urls = {device: row.pop("url") for device, row in rows.items()}
    assert rows == {
        "ac-1": {
            "profile": "stackproof/ac-meter",
            "ct_ratio": "800/5",
            "vt_ratio": "10000/100",
        },
        "gas-1": {"profile": "stackproof/gas-meter"},
        "pot-gateway": {"profile": "stackproof/pot-gateway", "each": "1-30"},
    }
    assert len(set(urls.values())) == 3
    assert urls["pot-gateway"].startswith("opc.tcp://127.0.0.1:")
    assert urls["pot-gateway"].endswith("/potline")
    assert urls["gas-1"].startswith("modbus+tcp://127.0.0.1:")
    assert urls["gas-1"].endswith("?unit=1")


async def test_it_ends_by_itself_with_the_bytes_of_its_seed(tmp_path: Path) -> None:
    async with running("--for", "2.5", "--seed", "3", "--out", str(tmp_path)) as run:
        assert await ended(run.process) == (0, "")
    straight = played(25, seed=3)
    straight.plant.finish()
    assert (tmp_path / "truth.jsonl").read_bytes() == straight.text().encode()
    assert run.lines[0] == "scenario smelter, seed 3, 24 pots"
    assert [line.split()[0] for line in run.lines[1:4]] == ["id=ac-1", "id=gas-1", "id=pot-gateway"]
    assert run.lines[1].endswith("profile=stackproof/ac-meter ct_ratio=800/5 vt_ratio=10000/100")
    assert run.lines[4] == f"truth={tmp_path / 'truth.jsonl'}"


async def test_interrupted_and_without_out(tmp_path: Path) -> None:
    """Ctrl-C ends it well; without --out the line says that no truth is kept."""
    async with running(cwd=tmp_path) as run:
        run.process.send_signal(signal.SIGINT)
        assert await ended(run.process) == (0, "")
    assert run.lines[-1] == "truth is not kept: give --out DIR"
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a Path would be a blocking call to the linter


async def test_a_taken_port_ends_it_at_once() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = await spawn("run", "smelter", "--modbus-port", str(port), "--opcua-port", "0")
        code, err = await ended(process)
    assert code == 2
    assert err == f"stackproof/ac-meter: cannot listen on 127.0.0.1:{port}; is it taken?\n"


@pytest.mark.parametrize(
    ("scenario", "devices", "gateway", "point", "lines"),
    [
        ("kiln", KILN.devices, "kiln-dcs", "stack.co2", kiln(10, seed=5).lines),
        ("steelworks", WORKS.devices, "energy-centre", "bf-gas.flow", works(10, seed=5).lines),
    ],
)
async def test_another_plant_with_a_fault(  # noqa: PLR0917 - a case of a table
    scenario: str, devices: Sequence[Device], gateway: str, point: str, lines: list[TruthLine],
    tmp_path: Path,
) -> None:  # fmt: skip
    fault = f"at=1 for=0.6 kind=drift on={point} by=0.5"
    argv = ("--json", "--out", str(tmp_path), "--for", "2", "--seed", "5", "--fault", fault)
    async with running(*argv, scenario=scenario) as run:
        assert [row["id"] for row in run.said["devices"]] == [device.id for device in devices]
        assert run.url(gateway).endswith(f"/{gateway}")
        assert "pots" not in run.said
        assert await ended(run.process) == (0, "")
    written = truth(tmp_path)
    told = [line for line in written if line["type"].startswith("fault")]
    assert [(line["type"], line["t_s"]) for line in told] == [
        ("fault-start", "1.0"), ("fault-end", "1.6"),
    ]  # fmt: skip
    # a fault touches what is shown, not the plant
    assert [line for line in written if line not in told] == lines
