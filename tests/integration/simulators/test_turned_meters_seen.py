"""What the agent makes of a meter set differently, of a clock that jumped, another certificate.

The meter is the simulator's, the fault is asked for as on the command line.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.commissioning.doctor_opcua import examine_opcua
from edge.commissioning.findings import State
from edge.commissioning.value import shown
from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.opcua.security import ENCRYPT, OpcUaSecurity
from edge.settings import MeterSettings
from evidence.point_rules import PointRules
from evidence.quality import Quality
from firmware_configs.profile import Profile, load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from tests.integration.drivers.opcua_pki import CLIENT_URI, make
from tests.integration.simulators.test_drivers_read_true import bound_points, value_of
from tests.integration.simulators.test_faults_seen import POT, POT_NOW, Bench
from tests.integration.simulators.test_modbus_meter import AC, AC_NOW, GAS, GAS_NOW, RATIOS
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.settings_months import config, month, says

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recorded")]

PM = load_profile("schneider/pm5350")
AC_SAID = {"serial": "1", "firmware": "SIM-1.4", "ct_primary": "800", "ct_secondary": "5",
           "totaliser_resets": "0", "parameter_changes": "3"}  # fmt: skip
GAS_SAID = {"k_factor": "45.250", "low_flow_cutoff": "12.5", "parameter_changes": "7"}
SECOND = 10**9


class Turned(Bench):
    """A meter that tells its settings, asked for them as the agent does."""

    driver: ModbusDriver

    def __init__(self, meter: ModbusMeter, now: Mapping[str, float], driver: ModbusDriver) -> None:
        super().__init__(meter, now, driver)
        self.profile = meter.profile
        self.settings = MeterSettings("d", meter.profile, {})
        self._now_ns = 0

    async def said(self) -> Mapping[str, str]:
        """All of them, read once."""
        self.settings.begin(self._now_ns)
        event = None
        while event is None:
            self._now_ns += SECOND
            if (row := self.settings.due(self._now_ns)) is not None:
                event = self.settings.take(await self.driver.read_setting(row), self._now_ns)
        self._now_ns += 7200 * SECOND
        found: Mapping[str, str] = event["read"]
        return found

    async def values(self, ratios: Mapping[str, str]) -> dict[str, Decimal]:
        """Register name -> what a site file with these ratios makes of it."""
        points = bound_points(self.profile, "d", ratios)
        read = await self.read()
        return {
            bound.register.name: value_of(sample, bound.point)
            for bound, sample in zip(points, read, strict=True)
            if sample.quality is Quality.GOOD
        }


@asynccontextmanager
async def turned(
    profile: Profile, said: Mapping[str, str], now: Mapping[str, float], ratios: Mapping[str, str]
) -> AsyncIterator[Turned]:
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios=ratios, settings=said)
    await meter.start()
    points = tuple(bound_points(profile, "d", ratios))
    driver = ModbusDriver(
        DeviceSpec(id="d", url=meter.url, profile=profile, points=points, timeout_s=2.0)
    )
    made = Turned(meter, now, driver)
    await made.show(0)
    await driver.connect()
    try:
        yield made
    finally:
        await driver.close()
        await meter.stop()


async def test_another_transformer_behind_a_meter_that_reports_secondary_values() -> None:
    """400/5 in place of 800/5: twice the current at its terminals, and the site still says 160."""
    async with turned(AC, AC_SAID, AC_NOW, RATIOS) as meter:
        before, said = await meter.values(RATIOS), await meter.said()
        assert (said["ct_primary"], said["parameter_changes"]) == ("800", "3")
        await meter.befall("kind=ct-ratio on=d by=0.5")
        await meter.show(2, energy_import=AC_NOW["energy_import"] + 1600)
        after, said_now = await meter.values(RATIOS), await meter.said()
    assert meter.settings.departures == [
        "d ct_primary reads '400' A; before it was '800' A",
        "d parameter_changes reads '4'; before it was '3'",
    ]
    assert after["power"] == 2 * before["power"] == 7200
    assert after["voltage_l1"] == before["voltage_l1"]
    # 1600 kWh true are 3200 counted; both ends cut off to counts of 0.16 kWh
    assert abs(after["energy_import"] - before["energy_import"] - 3200) <= Decimal("0.16")
    told = {0: [says(1, said["ct_primary"])], 1: [says(12, said_now["ct_primary"])]}
    codes = [finding.code for finding in sm.check(month(config(), told)).findings]
    assert "E-METER-SETTING" in codes


async def test_a_ratio_set_wrong_in_a_meter_that_reports_primary_values() -> None:
    """The PM5350 is told 400 A where the transformer has 800: it shows half of what flows."""
    now = dict.fromkeys((r.name for r in PM.registers), 100.0)
    said = {"ct_primary": "800", "ct_secondary": "5"}
    async with turned(PM, said, now, {}) as meter:
        await meter.said()
        await meter.befall("kind=ct-ratio on=d by=0.5")
        after = await meter.values({})
        assert (await meter.said())["ct_primary"] == "400"
    assert meter.settings.departures[0].startswith("d ct_primary reads '400'")
    kinds = {r.name: r.quantity.kind for r in PM.registers}
    followed = {"current", "power", "reactive-power", "apparent-power"}
    assert {float(v) for n, v in after.items() if kinds[n] in followed} == {50.0}
    assert {float(v) for n, v in after.items() if kinds[n] == "voltage"} == {100.0}


async def test_a_k_factor_twice_as_large_shows_half_the_gas() -> None:
    async with turned(GAS, GAS_SAID, GAS_NOW, {}) as meter:
        await meter.said()
        await meter.befall("kind=k-factor on=d")
        await meter.show(2, volume=GAS_NOW["volume"] + 10)
        after = await meter.values({})
        assert (await meter.said())["k_factor"] == "90.500"
    assert [text.partition(";")[0] for text in meter.settings.departures] == [
        "d k_factor reads '90.500' pulses/m3",
        "d parameter_changes reads '8'",
    ]
    assert after["flow"] == Decimal("406.25")
    assert after["volume"] - Decimal("4294967.296") == 5  # not 10
    assert after["pressure"] == 400


async def test_a_reset_counter_is_counted() -> None:
    async with turned(AC, AC_SAID, AC_NOW, RATIOS) as meter:
        await meter.said()
        await meter.befall("kind=counter-reset on=d")
        assert (await meter.said())["totaliser_resets"] == "1"
        assert (await meter.values(RATIOS))["energy_import"] == 0
    assert meter.settings.departures == ["d totaliser_resets reads '1'; before it was '0'"]


@pytest.mark.parametrize(
    ("by", "apart_s", "quality"), [("-3600", 3600, Quality.STALE), ("30", -30, Quality.GOOD)]
)
async def test_a_clock_that_jumps_back_is_stale_and_ahead_is_signed_as_an_age_below_zero(
    by: str, apart_s: int, quality: Quality
) -> None:
    gateway = OpcUaGateway(POT, host="127.0.0.1", port=0, pots=1)
    await gateway.start()
    points = tuple(p for p in bound_points(POT, "d", {}) if p.n in {None, 1})
    spec = DeviceSpec(id="d", url=gateway.url, profile=POT, points=points, timeout_s=5.0)
    driver = open_driver(spec)
    made = Bench(gateway, POT_NOW, driver)
    try:
        await made.befall(f"kind=clock-jump on=d by={by} for=1")
        await driver.connect()
        (current, *_) = await made.read()
        now_ns = 10**18 + 1
        assert current.source_ns is not None
        assert now_ns - current.source_ns == pytest.approx(apart_s * SECOND, abs=2000)
        limited = replace(points[0].point, rules=PointRules(stale_after_s="60"))
        assert shown(limited, current, now_ns).quality is quality
    finally:
        await driver.close()
        await gateway.stop()


async def test_another_certificate_is_refused_by_the_agent_and_named_by_the_doctor(
    tmp_path: Path,
) -> None:
    gateway = OpcUaGateway(POT, host="127.0.0.1", port=0, pots=1, is_secured=True)
    await gateway.start()
    client = make(tmp_path, "client", CLIENT_URI, number=2)
    security = OpcUaSecurity(ENCRYPT, client.pem, client.key, thumbprint=gateway.thumbprint)
    points = tuple(p for p in bound_points(POT, "d", {}) if p.n in {None, 1})
    spec = DeviceSpec(
        id="d", url=gateway.url, profile=POT, points=points, timeout_s=5.0, security=security
    )
    made = Bench(gateway, POT_NOW, open_driver(spec))

    async def failing() -> list[tuple[str, str, str]]:
        checks = await examine_opcua(spec, SystemClock())
        return [(c.layer, c.sentence, c.todo) for c in checks if c.state is State.FAILED]

    try:
        await made.show(0)
        before, known = await failing(), gateway.thumbprint
        await made.befall("kind=certificate on=d")
        ((layer, sentence, todo),) = await failing()
    finally:
        await gateway.stop()
    assert before == []
    assert gateway.thumbprint != known
    grouped = ":".join(gateway.thumbprint[at : at + 2] for at in range(0, 64, 2)).upper()
    assert layer == "certificate"
    assert f"the server's certificate is not trusted: SHA-256 thumbprint {grouped}" in sentence
    assert todo.endswith("only by a thumbprint that the server itself shows")
