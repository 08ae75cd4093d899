"""A meter's settings over hours and over the end of a month: in time that is a number.

The agent reads them within each hour. Somebody turns the ratio ten seconds before midnight of the
31st, after the month's last reading of it: May's frames say what it was, June's say what it is, and
who looks at both, at the site's statement or at the agent's alarm finds it.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.agent import Agent
from edge.drivers.base import DeviceSpec
from edge.spool import Spool
from evidence.findings import Report
from evidence.meter_settings import HOUR_NS, KIND
from evidence.verifier.meter_settings import SettingsCheck
from tests.integration.edge.conftest import NoUplink
from tests.integration.edge.streams import frames, mistakes
from tests.property.edge.virtual_loop import VirtualClock, VirtualLoop
from tests.unit.edge.fakes import FakeDevice
from tests.unit.edge.sites import AC, HEAD, config_of, site_of, who
from tests.unit.edge.test_poller_settings import SettingsDriver

S = 10**9
#: in Shanghai, as the site has it by default
MIDNIGHT_NS = int(dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC).timestamp()) * S
TURNED_NS = MIDNIGHT_NS - 10 * S
HOURS = 3

STATED = """\
[[device.stated]]
setting = "ct_primary"
value = "800"
reason = "type plate"
"""
Event = dict[str, Any]


class Month:
    """Three hours of one meter around the end of a month, and what was signed in them."""

    def __init__(self, folder: Path, stated: str = "") -> None:
        text = HEAD + AC + 'interval_s = "30"\n' + stated + "[statement]\n"
        self.site = site_of(folder, text)
        self.config = config_of(self.site)
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, MIDNIGHT_NS - HOURS * HOUR_NS // 2)
        self.objects: list[bytes] = []

    def opener(self, spec: DeviceSpec) -> SettingsDriver:
        driver = SettingsDriver(spec, FakeDevice())
        driver.answers = {setting.name: "0" for setting in spec.profile.settings}
        driver.answers["ct_primary"] = "800"
        turned_s = (TURNED_NS - self.clock.start_ns) / S
        self.loop.call_at(turned_s, driver.answers.update, {"ct_primary": "400"})
        return driver

    def run(self) -> "Month":
        try:
            self.loop.finish(self._run())
        finally:
            self.loop.close()
        spool = Spool(self.site.gateway.spool, bytes_max=2**30)
        self.objects = [stored.data for stored in spool.objects(0, 100_000)]
        spool.close()
        assert mistakes(self.objects) == []
        return self

    async def _run(self) -> None:
        stop = asyncio.Event()
        agent = Agent(self.site, self.config, who(), clock=self.clock, opener=self.opener)
        task = asyncio.create_task(agent.run(stop))
        await asyncio.sleep(HOURS * 3600)
        stop.set()
        await task

    def events(self, kind: str) -> list[Event]:
        told = (dict(event) for _, body in frames(self.objects) for event in body.events)
        return [event for event in told if event["kind"] == kind]

    def findings(self, *, of_may: bool, of_june: bool) -> Sequence[str]:
        """What the verifier says of an archive of these frames."""
        report = Report()
        check = SettingsCheck(report, "edge-1")
        for header, body in frames(self.objects):
            if of_june if body.t0_ns >= MIDNIGHT_NS else of_may:
                check.read(header.cfg, self.config, body, f"seq {header.seq}")
        check.finish()
        return [finding.code for finding in report.findings]


@pytest.fixture(autouse=True)
def no_uplink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.delivery.MqttUplink", NoUplink)


def test_they_are_read_within_each_hour_and_a_change_between_two_months_is_found(
    tmp_path: Path,
) -> None:
    month = Month(tmp_path).run()
    read = month.events(KIND)
    times = [month.clock.start_ns, *(event["at_ns"] for event in read)]
    times.append(month.clock.start_ns + HOURS * HOUR_NS)
    assert all(b - a <= HOUR_NS for a, b in itertools.pairwise(times))
    assert 4 <= len(read) <= 5, "at the start, and then every 45 to 60 minutes"
    before = [e["read"]["ct_primary"] for e in read if e["at_ns"] < MIDNIGHT_NS]
    after = [e["read"]["ct_primary"] for e in read if e["at_ns"] >= MIDNIGHT_NS]
    assert (set(before), set(after)) == ({"800"}, {"400"})
    assert all(e["unread"] == {} for e in read)
    # each month by itself looks well where nothing is stated; both together do not
    assert month.findings(of_may=True, of_june=False) == []
    assert month.findings(of_may=False, of_june=True) == []
    assert month.findings(of_may=True, of_june=True) == ["E-METER-SETTING"]
    # the agent remembers over the end of the month, and says so in June's frames
    (alarm,) = month.events("meter-setting")
    assert alarm["at_ns"] >= MIDNIGHT_NS


def test_what_is_stated_fails_the_new_month_by_itself(tmp_path: Path) -> None:
    month = Month(tmp_path, STATED).run()
    assert month.findings(of_may=True, of_june=False) == []
    assert month.findings(of_may=False, of_june=True) == ["E-METER-SETTING"]
