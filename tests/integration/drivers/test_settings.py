"""Settings over the wire: what drivers make of them, and that no reading is the worse for it."""

from dataclasses import replace

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.dlt645.driver import Dlt645Driver
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Setting
from firmware_configs.profile import load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.served import ServeError
from tests.integration.drivers.dlt645_responder import Meter
from tests.integration.drivers.opened import opened
from tests.integration.drivers.test_dlt645_answers import GOOD, ITEMS, TIMEOUT_S, device, row
from tests.integration.simulators.test_modbus_meter import AC, AC_NOW, GAS, GAS_NOW, RATIOS
from tests.unit.edge.drivers.specs import register, spec

AC_SAYS = {
    "serial": "10482201", "firmware": "SIM-1.4", "ct_primary": "800", "ct_secondary": "5",
    "totaliser_resets": "0", "parameter_changes": "3",
}  # fmt: skip
GAS_SAYS = {
    "serial": "20771934", "k_factor": "45.250", "low_flow_cutoff": "12.5", "parameter_changes": "7"
}  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "now", "ratios", "says"),
    [(AC, AC_NOW, RATIOS, AC_SAYS), (GAS, GAS_NOW, {}, GAS_SAYS)],
    ids=["ac-meter", "gas-meter"],
)
async def test_a_simulated_meter_says_what_it_was_set_to(
    profile: object, now: dict[str, float], ratios: dict[str, str], says: dict[str, str]
) -> None:
    """The simulator encodes apart from the drivers; the serial number comes from the register."""
    model = AC if profile is AC else GAS
    settings = {name: value for name, value in says.items() if name != "serial"}
    meter = ModbusMeter(model, host="127.0.0.1", port=0, ratios=ratios, settings=settings)
    await meter.start()
    await meter.publish(now, 0)
    rows = [r for r in model.registers if r.name != "serial"]
    async with opened(ModbusDriver(spec(meter.url, *rows))) as driver:
        first = await driver.read()
        assert {s.name: await driver.read_setting(s) for s in model.settings} == says
        assert await driver.read() == first
        meter.set_setting("parameter_changes", "8")
        assert await driver.read_setting(model.settings[-1]) == "8"
    await meter.stop()


def test_what_no_meter_can_be_set_to() -> None:
    meter = ModbusMeter(AC, host="127.0.0.1", port=0, ratios=RATIOS)
    for name, value in (
        ("span", "1"), ("ct_primary", "5.5"), ("ct_primary", "65536"), ("ct_primary", "-1"),
        ("ct_primary", "x"), ("firmware", "longer than eight"), ("firmware", "名"),
    ):  # fmt: skip
        with pytest.raises(ServeError):
            meter.set_setting(name, value)


async def test_a_modbus_setting_that_is_refused_or_not_asked() -> None:
    meter = ModbusMeter(AC, host="127.0.0.1", port=0, ratios=RATIOS)
    await meter.start()
    await meter.publish(AC_NOW, 0)
    driver = ModbusDriver(spec(meter.url, register("a", Dtype.U16, address=0x0010)))
    setting = Setting("k", "k_factor", "", register("k", Dtype.U16, address=0x4000))
    with pytest.raises(DeviceError):
        await driver.read_setting(setting)
    await driver.connect()
    first = driver.connection()
    assert await driver.read_setting(setting) is Quality.DEVICE_REFUSED
    assert (await driver.read())[0].quality is Quality.GOOD
    await driver.close()
    await driver.connect()
    assert driver.connection() != first
    await driver.close()
    await meter.stop()


NUMBER, RATIO = 0x04000402, 0x04000306


def of_meter(name: str, di: int, format_: str, dtype: Dtype) -> Setting:
    return Setting(name, "serial", "", row(name, di, format_, dtype))


async def test_settings_of_a_dlt645_meter() -> None:
    """12 digits of the meter's number; a ratio of 6; DIs as DL/T 645-2007, appendix A."""
    items = ITEMS | {NUMBER: bytes.fromhex("896745230100"), RATIO: bytes.fromhex("600000")}
    async with Meter(items) as meter:
        driver = Dlt645Driver(device(meter))
        await driver.connect()
        first = driver.connection()
        assert await driver.read() == GOOD
        number = of_meter("serial", NUMBER, "XXXXXXXXXXXX", Dtype.U64)
        assert await driver.read_setting(number) == "123456789"
        assert await driver.read_setting(of_meter("r", RATIO, "XXXXXX", Dtype.U32)) == "60"
        refused = of_meter("x", 1, "XXXX", Dtype.U16)
        assert await driver.read_setting(refused) is Quality.DEVICE_REFUSED
        meter.twist = lambda _control, di: [] if di == 2 else None
        silent = of_meter("y", 2, "XXXX", Dtype.U16)
        assert await driver.read_setting(silent) is Quality.NO_ANSWER
        meter.twist = lambda _control, _di: None
        assert await driver.read() == GOOD
        await driver.close()
        with pytest.raises(DeviceError):
            await driver.read_setting(number)
        await driver.connect()
        assert driver.connection() != first
        await driver.close()
    assert TIMEOUT_S < 1


async def test_settings_of_an_opcua_server() -> None:
    """A node of the plant, the server's own version text (i=2264), one that is not there."""
    profile = load_profile("stackproof/pot-gateway")
    gateway = OpcUaGateway(profile, host="127.0.0.1", port=0, pots=1)
    await gateway.start()
    plain = [r for r in profile.registers if "{n" not in r.name]
    readings = {r.name: 7.5 for r in plain} | {"pot-01.voltage": 4.25, "pot-01.state": 1}
    await gateway.publish(readings, 10**18)
    driver = OpcUaDriver(spec(gateway.url, *plain, timeout_s=2.0))
    with pytest.raises(DeviceError):
        await driver.read_setting(Setting("n", "span_high", "", plain[0]))
    await driver.connect()
    first = await driver.read()
    assert {sample.quality for sample in first} == {Quality.GOOD}
    text = register("v", Dtype.U16, node="i=2264", namespace=None)
    assert await driver.read_setting(Setting("n", "span_high", "", plain[0])) == "7.5"
    version = await driver.read_setting(Setting("v", "firmware", "", text, is_text=True))
    assert isinstance(version, str)
    assert version
    number = await driver.read_setting(Setting("v", "firmware", "", text))
    assert number is Quality.WRONG_ANSWER, "a text is no number"
    gone = replace(plain[0], node="ns={ns};s=nowhere")
    assert await driver.read_setting(Setting("g", "firmware", "", gone)) is Quality.DEVICE_REFUSED
    other = replace(plain[0], namespace="urn:nobody")
    assert await driver.read_setting(Setting("g", "firmware", "", other)) is Quality.DEVICE_REFUSED
    assert [s.raw for s in await driver.read()] == [s.raw for s in first]
    number_of_session = driver.connection()
    await driver.close()
    await driver.connect()
    assert driver.connection() != number_of_session
    await driver.close()
    await gateway.stop()
