"""`stackproof sim serve` as its own process: one device from its profile, read by strangers."""

import asyncio
import ctypes
import json
import signal
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec
from evidence.quality import Quality
from firmware_configs.profile import load_profile
from tests.integration.drivers import libmodbus
from tests.integration.simulators.test_drivers_read_true import bound_points, value_of
from tests.integration.simulators.test_sim_run import Run, ended, spawn, truth, until_ready

pytestmark = pytest.mark.asyncio
GAS = load_profile("stackproof/gas-meter")


@asynccontextmanager
async def serving(*argv: str) -> AsyncIterator[Run]:
    process = await spawn("serve", *argv)
    try:
        yield Run(process, await until_ready(process))
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == (0, "")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def place(run: Run) -> Any:
    return urlsplit(run.said["url"])


def float_of(words: list[int]) -> float:
    """Low word first, as the gas meter's map says."""
    return float(struct.unpack(">f", struct.pack(">HH", words[1], words[0]))[0])


async def test_what_it_says() -> None:
    async with serving("stackproof/gas-meter", "--port", "0", "--set", "pressure=123.456") as run:
        assert run.lines[0] == (
            "Simulated natural-gas flow computer: profile stackproof/gas-meter, seed 1; "
            "values are made up"
        )
        assert run.lines[1].startswith('url = "modbus+tcp://127.0.0.1:')
        rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in run.lines[2:7]}
        assert rows["flow"].split("  ")[-1] == "700 to 1100 Nm3/h"
        assert rows["pressure"].split("  ")[-1] == "123.456 kPa, set"


async def test_pymodbus_reads_it_over_tcp() -> None:
    argv = ("--port", "0", "--unit", "17", "--set", "pressure=123.456", "--json")
    async with serving("stackproof/gas-meter", *argv) as run:
        client = AsyncModbusTcpClient("127.0.0.1", port=place(run).port, timeout=5, retries=0)
        assert await client.connect()
        words = (await client.read_holding_registers(100, count=5, device_id=17)).registers
        client.close()
        assert 700 <= float_of(words[:2]) <= 1100
        assert words[4] * 65536 + words[3] == 123456


async def test_the_serial_line_is_read_by_pymodbus_and_by_our_driver() -> None:
    async with serving("stackproof/gas-meter", "--pty", "--set", "flow=812.5", "--json") as run:
        client = AsyncModbusSerialClient(place(run).path, baudrate=19200, timeout=5, retries=0)
        assert await client.connect()
        answer = await client.read_holding_registers(100, count=2, device_id=1)
        client.close()
        assert float_of(answer.registers) == 812.5
        points = tuple(bound_points(GAS, "d", {}))
        driver = open_driver(
            DeviceSpec(id="d", url=run.said["url"], profile=GAS, points=points, timeout_s=5)
        )
        await driver.connect()
        samples = list(await driver.read())
        await driver.close()
        assert {sample.quality for sample in samples} == {Quality.GOOD}
        assert float(value_of(samples[1], points[1].point)) == 812.5


@pytest.mark.skipif(libmodbus.find() is None, reason="libmodbus is not installed")
async def test_libmodbus_reads_it_over_tcp() -> None:
    async with serving(
        "stackproof/gas-meter", "--port", "0", "--set", "flow=812.5", "--json"
    ) as run:
        words = await asyncio.to_thread(_by_libmodbus, place(run).port, 100, 2)
        assert float_of(words) == 812.5


def _by_libmodbus(port: int, address: int, count: int) -> list[int]:
    """modbus_new_tcp, modbus_connect, modbus_read_registers of modbus.h 3.1."""
    lib = ctypes.CDLL(libmodbus.find(), use_errno=True)
    lib.modbus_new_tcp.restype = ctypes.c_void_p
    lib.modbus_new_tcp.argtypes = [ctypes.c_char_p, ctypes.c_int]
    for name in ("modbus_connect", "modbus_close", "modbus_free"):
        getattr(lib, name).argtypes = [ctypes.c_void_p]
    lib.modbus_set_slave.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.modbus_read_registers.argtypes = [
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_uint16),
    ]  # fmt: skip
    context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", port))
    found = (ctypes.c_uint16 * count)()
    try:
        assert lib.modbus_set_slave(context, 1) == 0
        assert lib.modbus_connect(context) == 0
        assert lib.modbus_read_registers(context, address, count, found) == count
        lib.modbus_close(context)
    finally:
        lib.modbus_free(context)
    return list(found)


@pytest.mark.parametrize("place", [("--port", "0"), ("--pty",)], ids=["tcp", "pty"])
async def test_a_dlt645_meter_is_read_by_our_driver(place: tuple[str, ...]) -> None:
    argv = ("--set", "voltage_a=231.4", "--address", "123456789012", "--json")
    async with serving("stackproof/dlt645-meter", *place, *argv) as run:
        profile = load_profile("stackproof/dlt645-meter")
        points = tuple(bound_points(profile, "d", {}))
        driver = open_driver(
            DeviceSpec(id="d", url=run.said["url"], profile=profile, points=points, timeout_s=5)
        )
        await driver.connect()
        samples = list(await driver.read())
        await driver.close()
        assert {sample.quality for sample in samples} == {Quality.GOOD}
        at = [bound.register.name for bound in points].index("voltage_a")
        assert float(value_of(samples[at], points[at].point)) == 231.4


async def test_a_logger_calls_and_is_read_by_our_driver() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = ("--to", f"127.0.0.1:{port}", "--every", "1", "--set", "o2=6.25", "--json")
    async with serving("stackproof/cems-logger", *argv) as run:
        profile = load_profile("stackproof/cems-logger")
        points = tuple(bound_points(profile, "d", {}))
        driver = open_driver(
            DeviceSpec(id="d", url=run.said["url"], profile=profile, points=points, timeout_s=5)
        )
        await driver.connect()
        try:
            for _ in range(600):  # it calls once a second
                samples = list(await driver.read())
                if {sample.quality for sample in samples} == {Quality.GOOD}:
                    break
                await asyncio.sleep(0.1)
        finally:
            await driver.close()
        assert {sample.quality for sample in samples} == {Quality.GOOD}
        at = [bound.register.name for bound in points].index("o2")
        assert float(value_of(samples[at], points[at].point)) == 6.25


async def test_an_opcua_profile_is_served_too() -> None:
    async with serving("stackproof/pot-gateway", "--port", "0", "--each", "2", "--json") as run:
        names = [row["name"] for row in run.said["rows"]]
        assert [name for name in names if name.startswith("pot-")] == [
            "pot-01.voltage", "pot-02.voltage", "pot-01.state", "pot-02.state",
        ]  # fmt: skip
        async with Client(run.said["url"]) as client:
            index = await client.get_namespace_index("urn:stackproof:sim:potline")
            current = await client.get_node(f"ns={index};s=Line.Current").read_value()
            assert 0.8 <= current <= 1.6


async def test_a_fault_is_shown_and_told(tmp_path: Path) -> None:
    fault = "at=0.2 for=0.3 kind=stuck on=device.flow"
    async with serving(
        "stackproof/gas-meter", "--port", "0", "--fault", fault, "--out", str(tmp_path),
        "--change", "0.7:device.k_factor=46", "--for", "1", "--json",
    ) as run:  # fmt: skip
        assert await ended(run.process) == (0, "")
        lines = truth(tmp_path)
        assert [line["type"] for line in lines] == [
            "device", "fault-start", "fault-end", "change", "end",
        ]  # fmt: skip
        assert [line.get("t_s") for line in lines] == [None, "0.2", "0.5", "0.7", "1.0"]
        assert (lines[3]["setting"], lines[3]["value"]) == ("k_factor", "46")
        assert lines[1]["points"] == ["flow"]
        assert 700 <= float(lines[1]["values"]["flow"]) <= 1100


async def test_same_seed_same_lines() -> None:
    said = []
    for _ in range(2):
        async with serving("stackproof/ac-meter", "--port", "0", "--seed", "9", "--json") as run:
            said.append(json.dumps(run.said["rows"]))
    assert said[0] == said[1]
