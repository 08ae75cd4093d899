"""The Modbus meters as a foreign client sees them, over a real socket."""

import socket
import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from firmware_configs.profile import load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.served import ServeError

AC = load_profile("stackproof/ac-meter")
GAS = load_profile("stackproof/gas-meter")
RATIOS = {"ct_ratio": "800/5", "vt_ratio": "10000/100"}

AC_NOW = {
    "serial": 10482201, "voltage_l1": 5773.5, "voltage_l2": 5770.0, "voltage_l3": 5780.0,
    "current_l1": 226.4, "current_l2": 224.0, "current_l3": 225.6, "frequency": 50.01,
    "power": 3600.0, "energy_import": 12345678.4,
}  # fmt: skip
GAS_NOW = {
    "serial": 20771934, "flow": 812.5, "temperature": -5.0, "pressure": 400.0,
    "volume": 4294967.296,
}  # fmt: skip


@pytest_asyncio.fixture
async def ac() -> AsyncIterator[ModbusMeter]:
    meter = ModbusMeter(AC, host="127.0.0.1", port=0, ratios=RATIOS)
    await meter.start()
    yield meter
    await meter.stop()


@pytest_asyncio.fixture
async def gas() -> AsyncIterator[ModbusMeter]:
    meter = ModbusMeter(GAS, host="127.0.0.1", port=0, ratios={})
    await meter.start()
    await meter.publish(GAS_NOW, 0)
    yield meter
    await meter.stop()


def port_of(meter: ModbusMeter) -> int:
    return int(meter.url.removeprefix("modbus+tcp://127.0.0.1:").removesuffix("?unit=1"))


class Client:
    """A pymodbus client on one meter."""

    def __init__(self, meter: ModbusMeter) -> None:
        self.link = AsyncModbusTcpClient("127.0.0.1", port=port_of(meter), timeout=2, retries=0)

    async def __aenter__(self) -> AsyncModbusTcpClient:
        assert await self.link.connect()
        return self.link

    async def __aexit__(self, *error: object) -> None:
        self.link.close()


def exception_of(answer: ModbusPDU) -> int:
    assert answer.isError(), answer
    return int(answer.exception_code)


async def test_ac_meter_shows_secondary_values(ac: ModbusMeter) -> None:
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        now = (await client.read_holding_registers(0x10, count=10)).registers
        energy = (await client.read_holding_registers(0x0BB8, count=2)).registers
        serial = (await client.read_holding_registers(0, count=2)).registers
    # 57.735 V half up, 57.70, 57.80; 1.415, 1.400, 1.410 A; 50.01 Hz; hole; 0.22500 kW
    assert now == [5774, 5770, 5780, 1415, 1400, 1410, 5001, 0, 0, 22500]
    # 12 345 678.4 kWh / 16 000 = 771.604 90 kWh: 77 160 490 = 0x0499_602A
    assert energy == [0x0499, 0x602A]
    # 10 482 201 = 0x009F_F219
    assert serial == [0x009F, 0xF219]


async def test_gas_meter_puts_the_low_word_first(gas: ModbusMeter) -> None:
    async with Client(gas) as client:
        now = (await client.read_holding_registers(100, count=5)).registers
        volume = (await client.read_holding_registers(200, count=4)).registers
        serial = (await client.read_input_registers(0, count=2)).registers
    assert now == [0x2000, 0x444B, 0xFFCE, 0x1A80, 0x0006]
    assert volume == [0, 0, 1, 0]
    # 20 771 934 = 0x013C_F45E
    assert serial == [0xF45E, 0x013C]


async def test_the_next_value_replaces_the_last(gas: ModbusMeter) -> None:
    async with Client(gas) as client:
        await gas.publish({**GAS_NOW, "flow": -118.625}, 0)
        words = (await client.read_holding_registers(100, count=2)).registers
    assert struct.unpack(">f", struct.pack(">HH", words[1], words[0]))[0] == -118.625


async def test_before_the_first_value_it_is_busy(ac: ModbusMeter) -> None:
    async with Client(ac) as client:
        assert exception_of(await client.read_holding_registers(0, count=2)) == 6
        await ac.publish(AC_NOW, 0)
        assert not (await client.read_holding_registers(0, count=2)).isError()


async def test_tables_are_separate(gas: ModbusMeter) -> None:
    """The serial number is an input register: the holding register of that number is not there."""
    async with Client(gas) as client:
        assert exception_of(await client.read_holding_registers(0, count=2)) == 2
        assert exception_of(await client.read_input_registers(100, count=2)) == 2


@pytest.mark.parametrize(
    ("address", "count"), [(2, 1), (0x0F, 2), (0x1A, 1), (0, 100), (0x0BBA, 1), (0xFFFF, 1)]
)
async def test_where_there_is_nothing(address: int, count: int, ac: ModbusMeter) -> None:
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        assert exception_of(await client.read_holding_registers(address, count=count)) == 2


async def test_a_short_hole_may_be_read_through(ac: ModbusMeter) -> None:
    """The profile allows holes of 8: 0x17 between frequency and power answers zero."""
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        assert (await client.read_holding_registers(0x16, count=3)).registers == [5001, 0, 0]


async def test_every_write_is_refused(ac: ModbusMeter) -> None:
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        assert exception_of(await client.write_register(0x10, 1)) == 1
        assert exception_of(await client.write_registers(0x10, [1, 2])) == 1
        assert exception_of(await client.write_coil(0xFFF0, value=True)) == 1
        assert (await client.read_holding_registers(0x10, count=1)).registers == [5774]


async def test_bits_are_refused(ac: ModbusMeter) -> None:
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        assert (await client.read_coils(0, count=1)).isError()
        assert (await client.read_discrete_inputs(0xFFF0, count=1)).isError()


async def test_another_unit_gets_an_exception(ac: ModbusMeter) -> None:
    await ac.publish(AC_NOW, 0)
    async with Client(ac) as client:
        assert exception_of(await client.read_holding_registers(0, count=1, device_id=2)) == 11


async def test_one_answer_never_mixes_two_steps(ac: ModbusMeter) -> None:
    """All registers of an answer come from one publishing, however quickly they follow."""
    async with Client(ac) as client:
        for n in range(50):
            level = 1000.0 + n
            await ac.publish({**AC_NOW, **{f"voltage_l{p}": level for p in (1, 2, 3)}}, 0)
            words = (await client.read_holding_registers(0x10, count=3)).registers
            assert len(set(words)) == 1


async def test_a_taken_port_is_said() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        meter = ModbusMeter(AC, host="127.0.0.1", port=port, ratios=RATIOS)
        with pytest.raises(ServeError) as caught:
            await meter.start()
    assert str(caught.value) == (
        f"stackproof/ac-meter: cannot listen on 127.0.0.1:{port}; is it taken?"
    )


def test_an_opcua_profile_is_no_modbus_meter() -> None:
    gateway = load_profile("stackproof/pot-gateway")
    with pytest.raises(ServeError, match="line_current: table None is not served"):
        ModbusMeter(gateway, host="127.0.0.1", port=0, ratios={})
