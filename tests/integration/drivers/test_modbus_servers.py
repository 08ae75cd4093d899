"""The Modbus driver against pymodbus's own server, with the project's profiles on the wire.

The words put into the server are the profiles' hand-computed vectors, so that neither the
simulators' encoder nor the driver is its own judge.
"""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.drivers import open_driver
from edge.drivers.base import BoundPoint, DeviceSpec
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.tcp_wire import TcpWire
from edge.drivers.raw import unpack
from evidence.points import Dtype, Point, exact
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register, list_profiles, load_profile
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.drivers.opened import opened
from tests.recording import note_pymodbus
from tests.unit.edge.drivers.specs import register, spec

PROFILES = [n for n in list_profiles() if load_profile(n).protocol == "modbus"]


def point_of(row: Register) -> BoundPoint:
    return BoundPoint(
        Point(id=f"dev.{row.name}", quantity=row.quantity, dtype=row.dtype,
              decimals=row.point_decimals, role=row.role, states=row.states),
        row,
    )  # fmt: skip


def blocks(profile: Profile) -> tuple[list[SimData], list[SimData]]:
    """The profile's first vector of each register as (holding, input) blocks of a server."""
    found: dict[str, list[SimData]] = {"holding": [], "input": []}
    done: set[str] = set()
    for vector in (v for v in profile.vectors if v.register):
        row = profile.register(vector.register)
        if row.name not in done and row.table in found and row.address is not None:
            done.add(row.name)
            data = SimData(row.address, values=list(vector.words), datatype=DataType.REGISTERS)
            found[row.table].append(data)
    return found["holding"], found["input"]


async def serve(*devices: SimDevice) -> AsyncIterator[int]:
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", 0), trace_pdu=note_pymodbus)
    await server.serve_forever(background=True)
    assert server.transport is not None
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # a Server
    finally:
        await server.shutdown()


@pytest.mark.parametrize("name", PROFILES)
async def test_each_profiles_vectors_read_true_over_the_wire(name: str) -> None:
    profile = load_profile(name)
    holding, inputs = blocks(profile)
    spare = [SimData(60000, values=[0], datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(1, simdata=(bits, bits, holding or spare, inputs or spare))
    vectors = {}
    for vector in (v for v in profile.vectors if v.register):
        vectors.setdefault(vector.register, vector)
    rows = [profile.register(n) for n in vectors]
    async for port in serve(device):
        driver = open_driver(
            DeviceSpec("dev", f"modbus+tcp://127.0.0.1:{port}?unit=1", profile,
                       tuple(point_of(r) for r in rows), 2.0)
        )  # fmt: skip
        await driver.connect()
        await driver.read()  # finds the holes this server refuses
        samples = await driver.read()
        await driver.close()
    assert [s.quality for s in samples] == [Quality.GOOD] * len(rows)
    for row, sample in zip(rows, samples, strict=True):
        assert sample.raw is not None
        number = Decimal(unpack(sample.raw, row.dtype)).scaleb(-row.decimals)
        meant = (exact(vectors[row.name].value) - exact(row.offset)) / exact(row.scale)
        assert exact(str(number)) == meant, row.name


async def test_the_gate_stops_a_write_before_it_is_sent() -> None:
    async with (
        Responder() as device,
        opened(ModbusDriver(spec(device.url, register("r", Dtype.U16)))) as driver,
    ):
        bus = driver._seat._bus
        assert bus is not None
        wire = bus._wire
        assert isinstance(wire, TcpWire)
        connection = wire._connection
        assert connection is not None
        for code in set(range(256)) - {1, 2, 3, 4}:
            write = bytes.fromhex("0001 0000 0006 01") + bytes([code]) + bytes.fromhex("0000 0001")
            with pytest.raises(RuntimeError, match="must never leave the edge"):
                connection.send(write)
        await driver.read()
        assert [q.code for q in device.questions] == [3]
