"""What the agent's driver makes of each fault: the quality code, or the error of the device.

The meter is the simulator's, the fault is asked for as on the command line. Stuck, drift and spike
are values like any other to a driver; what the agent says of them, the quality rules' tests tell
(`tests/unit/edge/test_quality_history.py`), and here only that the value is what was asked for.
"""

import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from edge.drivers import open_driver
from edge.drivers.base import DeviceError, DeviceSpec, Driver, Sample
from evidence.quality import Quality
from firmware_configs.profile import load_profile
from simulators.dlt645_meter import Dlt645Meter
from simulators.fault_plan import FaultPlan
from simulators.faults import fault_of_text
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.served import CanFail, Readings
from tests.integration.simulators.test_drivers_read_true import bound_points
from tests.integration.simulators.test_modbus_meter import GAS, GAS_NOW

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recorded")]

POT = load_profile("stackproof/pot-gateway")
DLT = load_profile("stackproof/dlt645-meter")
POT_NOW = {"line_current": 460.0, "line_voltage": 90.0, "metal_tapped": 100.0,
           "pot-01.voltage": 4.0, "pot-01.state": 1}  # fmt: skip
TIMEOUT_S = 0.3
#: the driver asks for flow, temperature and pressure together, for the volume, for the serial
FLOW, TEMPERATURE, PRESSURE, VOLUME = 1, 2, 3, 4


class Bench:
    """A device that stands still, its driver, and the step at which it is shown."""

    def __init__(self, device: CanFail, now: Readings, driver: Driver) -> None:
        self.device, self.driver, self.plan = (
            device,
            driver,
            FaultPlan([], devices={}, step_s=Decimal(1), record=lambda _: None),
        )
        self._now = now

    async def befall(self, text: str) -> None:
        """The fault begins with this step."""
        self.plan = FaultPlan(
            [fault_of_text(text)],
            devices={"d": self.device}, step_s=Decimal(1), record=lambda _: None,
        )  # fmt: skip
        self.plan.at(1, lambda: {"d": self._now})
        await self.show(1)

    async def show(self, step: int, **values: float) -> None:
        self._now = {**self._now, **values}
        self.device.behave(self.plan.manner("d", step))
        await self.device.publish(self.plan.show("d", self._now, step), 10**18 + step)

    async def qualities(self) -> list[Quality]:
        return [sample.quality for sample in await self.driver.read()]

    async def read(self) -> list[Sample]:
        return list(await self.driver.read())


@asynccontextmanager
async def bench(*, on_pty: bool = False) -> AsyncIterator[Bench]:
    meter = ModbusMeter(GAS, host="127.0.0.1", port=0, ratios={}, on_pty=on_pty)
    await meter.start()
    points = tuple(bound_points(GAS, "d", {}))
    driver = open_driver(
        DeviceSpec(id="d", url=meter.url, profile=GAS, points=points, timeout_s=TIMEOUT_S)
    )
    made = Bench(meter, GAS_NOW, driver)
    await made.show(0)
    await driver.connect()
    try:
        assert set(await made.qualities()) == {Quality.GOOD}
        yield made
    finally:
        await driver.close()
        await meter.stop()


def f32(sample: Sample) -> float:
    assert sample.raw is not None
    return float(struct.unpack("<f", sample.raw)[0])


async def test_drop_is_a_device_that_does_not_answer() -> None:
    async with bench() as made:
        await made.befall("kind=drop on=d for=1")
        with pytest.raises(DeviceError, match=r"no answer to .* within 0\.3 s"):
            await made.read()
        await made.show(2)  # over
        await made.driver.connect()
        assert set(await made.qualities()) == {Quality.GOOD}


async def test_drop_on_a_line() -> None:
    async with bench(on_pty=True) as made:
        await made.befall("kind=drop on=d for=1")
        with pytest.raises(DeviceError, match="no answer"):
            await made.read()


async def test_a_delay_below_the_timeout_costs_nothing() -> None:
    async with bench() as made:
        await made.befall("kind=delay on=d by=0.02")
        assert set(await made.qualities()) == {Quality.GOOD}


@pytest.mark.parametrize("kind", ["delay", "late"])
async def test_beyond_the_timeout_it_is_no_answer(kind: str) -> None:
    async with bench() as made:
        await made.befall(f"kind={kind} on=d by=1")
        with pytest.raises(DeviceError, match="no answer"):
            await made.read()


@pytest.mark.parametrize("on_pty", [False, True])
async def test_a_late_answer_is_nobodys(on_pty: bool) -> None:
    """Whenever the answer of before comes, no number that is read is another register's."""
    async with bench(on_pty=on_pty) as made:
        await made.befall("kind=late on=d by=0.35 for=1")
        with pytest.raises(DeviceError):
            await made.read()
        await made.show(2)  # over; late answers are still under way
        for _ in range(20):
            try:
                await made.driver.connect()
                samples = await made.read()
            except DeviceError:
                continue
            flow = samples[FLOW]
            assert flow.quality is not Quality.GOOD or f32(flow) == 812.5
            if all(sample.quality is Quality.GOOD for sample in samples):
                return
        pytest.fail("it never came back")


async def test_a_wrong_length_is_a_wrong_answer() -> None:
    async with bench() as made:
        await made.befall("kind=wrong-length on=d for=1")
        assert set(await made.qualities()) == {Quality.WRONG_ANSWER}
        await made.show(2)
        assert set(await made.qualities()) == {Quality.GOOD}


@pytest.mark.parametrize(
    ("fault", "quality"),
    [
        ("exception by=4", Quality.DEVICE_REFUSED),
        ("exception by=11", Quality.NO_ANSWER),  # a gateway: nobody behind it has answered
        ("busy", Quality.DEVICE_REFUSED),
    ],
)
async def test_a_refusal(fault: str, quality: Quality) -> None:
    async with bench() as made:
        await made.befall(f"kind={fault} on=d for=1")
        assert set(await made.qualities()) == {quality}
        await made.show(2)
        assert set(await made.qualities()) == {Quality.GOOD}


async def test_a_half_open_link_is_no_answer_and_a_new_link_is_answered() -> None:
    async with bench() as made:
        await made.befall("kind=half-open on=d")
        with pytest.raises(DeviceError, match="no answer"):
            await made.read()
        await made.driver.connect()
        assert set(await made.qualities()) == {Quality.GOOD}


async def test_nan_keeps_its_bits_and_the_profiles_no_value_is_a_sentinel() -> None:
    async with bench() as made:
        await made.befall("kind=nan on=d")
        samples = await made.read()
        assert samples[FLOW].quality is Quality.NOT_A_NUMBER
        assert samples[FLOW].raw == b"\x00\x00\xc0\x7f"
        assert [samples[i].quality for i in (TEMPERATURE, PRESSURE, VOLUME)] == (
            [Quality.SENTINEL] * 3
        )
        assert samples[0].quality is Quality.GOOD  # the serial number has nothing for it


async def test_swapped_words_are_a_wrong_number_that_no_driver_can_see() -> None:
    """812.5 is 444B2000; swapped it is 2000444B, some 1e-19: only the range tells."""
    async with bench() as made:
        await made.befall("kind=swap-words on=d.flow for=1")
        samples = await made.read()
        assert samples[FLOW].quality is Quality.GOOD
        assert samples[FLOW].raw == bytes.fromhex("4b440020")
        assert f32(samples[FLOW]) == pytest.approx(1.08e-19, rel=0.01)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("stuck", lambda now: 812.5),
        ("spike by=10", lambda now: now * 10),
        ("drift by=0.6", lambda now: now * 1.01),  # after one second: 0.6 / 60
    ],
)
async def test_values_that_are_wrong_and_look_right(
    fault: str, wanted: Callable[[float], float]
) -> None:
    async with bench() as made:
        await made.befall(f"kind={fault} on=d.flow")
        await made.show(2, flow=900.0)
        (flow,) = [s for i, s in enumerate(await made.read()) if i == FLOW]
        assert flow.quality is Quality.GOOD
        assert f32(flow) == pytest.approx(wanted(900.0), rel=1e-6)


async def test_a_reset_counter_reads_from_zero() -> None:
    """4294967.296 Nm3 before, 2.5 more after; the statement's roll-over rule is told elsewhere."""
    async with bench() as made:
        await made.befall("kind=counter-reset on=d")
        await made.show(2, volume=GAS_NOW["volume"] + 2.5)
        sample = (await made.read())[VOLUME]
        assert sample.quality is Quality.GOOD
        assert sample.raw is not None
        assert int.from_bytes(sample.raw, "little") == pytest.approx(2500, abs=1)  # thousandths


@pytest.mark.parametrize(
    ("fault", "quality"),
    [
        ("wrong-length", Quality.WRONG_ANSWER),
        ("exception by=2", Quality.DEVICE_REFUSED),
        ("nan", Quality.SENTINEL),
    ],
)
async def test_dlt645(fault: str, quality: Quality) -> None:
    meter = Dlt645Meter(
        DLT, host="127.0.0.1", port=0, address="123456789012", ratios={}
    )  # fmt: skip
    await meter.start()
    points = tuple(bound_points(DLT, "d", {}))
    driver = open_driver(
        DeviceSpec(id="d", url=meter.url, profile=DLT, points=points, timeout_s=2.0)
    )
    made = Bench(meter, {register.name: 1.0 for register in DLT.registers}, driver)
    try:
        await made.show(0)
        await driver.connect()
        assert set(await made.qualities()) == {Quality.GOOD}
        await made.befall(f"kind={fault} on=d")
        assert set(await made.qualities()) == {quality}
    finally:
        await driver.close()
        await meter.stop()


@pytest.mark.parametrize(
    ("fault", "quality"), [("exception", Quality.SENSOR_FAULT), ("busy", Quality.DEVICE_REFUSED)]
)
async def test_opcua_refusals(fault: str, quality: Quality) -> None:
    gateway = OpcUaGateway(POT, host="127.0.0.1", port=0, pots=1)
    await gateway.start()
    points = tuple(p for p in bound_points(POT, "d", {}) if p.n in {None, 1})
    driver = open_driver(
        DeviceSpec(id="d", url=gateway.url, profile=POT, points=points, timeout_s=2.0)
    )
    made = Bench(gateway, POT_NOW, driver)
    try:
        await made.show(0)
        await made.befall(f"kind={fault} on=d for=1")
        await driver.connect()
        assert set(await made.qualities()) == {quality}
    finally:
        await driver.close()
        await gateway.stop()
