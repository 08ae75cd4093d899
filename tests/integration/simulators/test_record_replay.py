"""A device is recorded and played: the edge's driver reads of the play what it read of the device.

What is recorded: our own simulators, libmodbus on TCP and on a serial line, and node-opcua, which
are not ours. A run in which one of them was asked more than reading fails (`tests/recording.py`).
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from edge.drivers import open_driver
from evidence.points import Dtype
from evidence.quality import FIRST_BAD, Quality
from firmware_configs.profile import Profile, load_profile
from simulators.cli import main
from simulators.clock import SystemClock
from simulators.frames import Question
from simulators.links import TcpLink
from simulators.manner import Manner
from simulators.modbus_frames import RtuFrames
from simulators.modbus_meter import ModbusMeter
from simulators.modbus_pdu import FAILURE, answer_of
from simulators.recorded.recording import Ask, Recording, Rounds
from simulators.recorded.replayed_modbus import ReplayedModbus
from simulators.recorded.replayed_opcua import ReplayedOpcUa
from simulators.recorded.text import read_recording
from tests.integration.drivers.modbus_others import libmodbus_rtu, libmodbus_tcp
from tests.integration.drivers.opcua_others import NAMESPACE, node_opcua
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make
from tests.integration.drivers.opened import numbers, opened
from tests.integration.simulators.test_sim_run import Run, ended, spawn, until_ready
from tests.unit.edge.drivers.specs import register, spec

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recorded")]

GAS = load_profile("stackproof/gas-meter")
SHOWN = {"serial": 20771934, "flow": 812.5, "volume": 8214553, "temperature": 21.25,
         "pressure": 401.5}  # fmt: skip


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_ns(self) -> int:
        return 1_795_571_679_535_000_000 + int(self.s * 1e9)

    def elapsed_s(self) -> float:
        return self.s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


async def recorded_of(path: Path, url: str, *more: str) -> Recording:
    """What the command writes of a device, in another thread: it has a loop of its own."""
    code = await asyncio.to_thread(main, ["record", url, "--out", str(path), *more])
    assert code == 0
    return read_recording(await asyncio.to_thread(path.read_bytes))


@asynccontextmanager
async def played(recording: Recording, clock: Hands, *, on_pty: bool = False) -> AsyncIterator[str]:
    meter = ReplayedModbus(
        recording, Rounds(recording, speed=1, is_looped=False), host="127.0.0.1", port=0,
        on_pty=on_pty, as_slow=False, clock=clock,
    )  # fmt: skip
    await meter.start()
    try:
        yield meter.url
    finally:
        await meter.stop()


async def test_our_own_meter_round_by_round_with_its_exceptions(tmp_path: Path) -> None:
    meter = ModbusMeter(GAS, host="127.0.0.1", port=0, ratios={})
    await meter.start()
    await meter.publish(SHOWN, 0)
    first = await numbers(meter.url, GAS)
    made = await recorded_of(tmp_path / "1", meter.url, "--profile", GAS.id, "--rounds", "1")
    await meter.publish(SHOWN | {"flow": 640.0}, 0)
    second = await numbers(meter.url, GAS)
    more = await recorded_of(tmp_path / "2", meter.url, "--profile", GAS.id, "--rounds", "1")
    meter.behave(Manner(exception=FAILURE))
    refused = await numbers(meter.url, GAS)
    last = await recorded_of(tmp_path / "3", meter.url, "--profile", GAS.id, "--rounds", "1")
    await meter.stop()
    assert first["flow"] == 812.5
    assert second["flow"] == 640.0
    joined = Recording(
        made.head,
        [
            type(a)(number, a.t_ms + 1000 * number, a.took_ms, a.ask, a.cells, a.exception)
            for number, part in enumerate((made, more, last))
            for a in part.answers
        ],
    )
    clock = Hands()
    async with played(joined, clock) as url:
        for wanted in (first, second, refused):
            assert await numbers(url, GAS) == wanted
            clock.s += 1.0
    async with played(joined, Hands(), on_pty=True) as url:
        assert await numbers(url, GAS) == first


@pytest.mark.parametrize("serve", [libmodbus_tcp, libmodbus_rtu])
async def test_a_server_of_libmodbus_by_ranges(serve: Any, tmp_path: Path) -> None:
    lines = ["holding 1990 f32 CDAB 123456", "holding 1997 u16 ABCD 4660"]
    lines.append("input 3 i32 ABCD -50000")
    profile = profile_of(tmp_path)
    with serve(tmp_path, tmp_path, lines) as url:
        ranges = ("--ranges", "holding:1985-2004", "input:0-9", "--rounds", "2", "--every", "1")
        recording = await recorded_of(tmp_path / "recording", url, *ranges)
        live = await numbers(url, profile)
    assert (live["a"], live["b"], live["c"]) == (123456, 4660, -50000)
    refused = {answer.ask for answer in recording.answers if answer.exception == 2}
    assert Ask("holding", 1985, 20) in refused  # the server's cells end at 1999
    seen = [a.ask for a in recording.answers if a.cells and a.ask.table == "holding"]
    assert {cell for ask in seen for cell in ask.cells} == set(range(1985, 2000))
    async with played(recording, Hands()) as url:
        assert await numbers(url, profile) == live


class Noise(RtuFrames):
    """A converter that puts noise, and a late answer of another count, before each answer."""

    def frame(self, question: Question, pdu: bytes) -> bytes:
        late = super().frame(question, bytes([question.pdu[0], 2, 0x12, 0x34]))
        return b"\x00\xff" + late + super().frame(question, pdu)


async def test_rtu_over_tcp_with_noise_and_what_is_silent_stays_so(tmp_path: Path) -> None:
    cells = {"holding": dict(enumerate(range(500, 520))), "coil": dict.fromkeys(range(20), 1)}

    def ask(question: Question) -> bytes | None:
        is_dead = question.pdu[:3] == b"\x03\x00\x0a"
        return None if is_dead else answer_of(question.pdu, cells)

    link = TcpLink("127.0.0.1", 0, clock=SystemClock(), frames=Noise)
    await link.start(ask)
    ranges = ("--ranges", "holding:0-19", "coil:0-16", "--block", "10", "--wait", "1")
    url = f"modbus+rtu-tcp://{link.place}?unit=9"
    recording = await recorded_of(tmp_path / "r", url, *ranges, "--rounds", "2", "--every", "1")
    await link.stop()
    said = [(a.round, a.ask, a.cells, a.exception) for a in recording.answers]
    for number in (0, 1):
        assert said[3 * number : 3 * number + 3] == [
            (number, Ask("holding", 0, 10), tuple(range(500, 510)), None),
            (number, Ask("holding", 10, 10), None, None),
            (number, Ask("coil", 0, 17), (1,) * 17, None),
        ]
    async with played(recording, Hands()) as url:
        client = AsyncModbusTcpClient("127.0.0.1", port=urlsplit(url).port, timeout=0.5, retries=0)
        assert await client.connect()
        some = await client.read_holding_registers(3, count=4, device_id=9)
        assert some.registers == [503, 504, 505, 506]
        unseen = await client.read_holding_registers(30, count=1, device_id=9)
        assert unseen.exception_code == 2
        with pytest.raises(ModbusIOException):
            await client.read_holding_registers(8, count=4, device_id=9)
        client.close()


def profile_of(folder: Path) -> Profile:
    row = '[[register]]\nname = "{}"\ntable = "{}"\naddress = {}\ntype = "{}"\nunit = "1"\n' \
          'kind = "count"\nsource = "test"\n{}'  # fmt: skip
    head = (
        'format = 1\nvendor = "test"\nmodel = "l"\nrevision = "1"\ntitle = "t"\n'
        'protocol = "modbus"\nquality_level = "simulated"\nsource = "test"\n'
        'address_notation = "0-based"\nword_order = "big"\nbyte_order = "big"\n'
    )
    rows = [
        row.format("a", "holding", 1990, "f32", 'point_decimals = 1\nword_order = "little"\n'),
        row.format("b", "holding", 1997, "u16", ""), row.format("c", "input", 3, "i32", ""),
    ]  # fmt: skip
    path = folder / "l.toml"
    path.write_text("\n".join([head, *rows]))
    return load_profile(str(path))


async def test_a_server_of_node_opcua_by_browsing(tmp_path: Path) -> None:
    server = make(tmp_path, "server", SERVER_URI, number=1)
    other = node_opcua(tmp_path, server, make(tmp_path, "client", CLIENT_URI, number=2))
    rows = [
        register(name.lower(), dtype, node="ns={ns};s=" + name, namespace=NAMESPACE)
        for name, dtype in (
            ("Boolean", Dtype.U8), ("Int16", Dtype.I16), ("UInt64", Dtype.U64),
            ("Float", Dtype.F32), ("Double", Dtype.F64), ("Unsure", Dtype.F32),
            ("Broken", Dtype.F32),
        )
    ]  # fmt: skip

    async def read(url: str) -> list[tuple[bytes | None, Quality]]:
        """A value that is bad is played without what stood in it (OPC UA part 4, 7.7.1)."""
        async with opened(open_driver(spec(url, *rows, timeout_s=5.0))) as driver:
            read = await driver.read()
        return [(s.raw if s.quality < FIRST_BAD else None, s.quality) for s in read]

    try:
        live = await read(other.url)
        recording = await recorded_of(tmp_path / "recording", other.url, "--rounds", "1")
    finally:
        other.stop()
    assert live[2] == (bytes.fromhex("efcdab8967452301"), Quality.GOOD)
    rounds = Rounds(recording, speed=1, is_looped=False)
    replayed = ReplayedOpcUa(recording, rounds, host="127.0.0.1", port=0, clock=Hands())
    await replayed.start()
    try:
        assert await read(replayed.url) == live
    finally:
        await replayed.stop()


async def test_the_command_serves_a_recording(tmp_path: Path) -> None:
    meter = ModbusMeter(GAS, host="127.0.0.1", port=0, ratios={})
    await meter.start()
    await meter.publish(SHOWN, 0)
    path = tmp_path / "gas.jsonl"
    await recorded_of(path, meter.url, "--profile", GAS.id, "--rounds", "1")
    await meter.stop()
    process = await spawn("replay", str(path), "--modbus-port", "0", "--json")
    run = Run(process, await until_ready(process))
    assert (run.said["profile"], run.said["rounds"]) == (GAS.id, 1)
    assert (await numbers(run.said["url"], GAS))["flow"] == 812.5
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["modbus+tcp://127.0.0.1:1", "--ranges", "holding:0-9"], "127.0.0.1:1 cannot be opened"),
        (["modbus+tcp://127.0.0.1:1"], "say what is asked: --profile NAME or --ranges"),
        (["opc.tcp://127.0.0.1:1", "--ranges", "holding:0-9"], "--ranges are of Modbus"),
        (["opc.tcp://127.0.0.1:1"], "opc.tcp://127.0.0.1:1 cannot be opened"),
        (
            ["modbus+tcp://127.0.0.1:1", "--profile", "stackproof/kiln-dcs"],
            "stackproof/kiln-dcs is a profile of opcua, not of modbus",
        ),
    ],
)
async def test_what_cannot_be_recorded_is_told_and_leaves_no_file(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none"
    assert await asyncio.to_thread(main, ["record", *arguments, "--out", str(path)]) == 2
    assert sentence in capsys.readouterr().err
    assert not path.exists()
