"""Effects that nobody heard of: unknown while the gateway is silent, then what its log says.

The small plant's pot 01 is at 31.5 V from second 12 to 18 and at 4.25 V from second 19 on: by hand
one effect of 7 s. Seconds are after its first reading.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cloud.alarms.desk import AlarmDesk, is_unsure
from cloud.alarms.facts import Effect
from cloud.alarms.store import AlarmStore
from cloud.errors import StoreError
from cloud.live.hub import LiveHub
from cloud.shift.desk import watched
from tests.unit.cloud.alarms.key_examples import EndingKeys
from tests.unit.cloud.app_examples import Months
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.live_examples import ManualClock, message
from tests.unit.cloud.month_examples import Desk
from tests.unit.evidence import sealed_month as sm

S = sm.SECOND
T0 = sm.START_NS


class Smelter:
    """The small plant's evidence, and a collector's desk of alarms over it."""

    def __init__(self, evidence: Desk, folder: Path) -> None:
        self.evidence, self.folder, self.clock = evidence, folder, ManualClock(T0)
        self.start()

    def start(self) -> None:
        self.hub = LiveHub(self.clock)
        self.hub.on_config(sm.PLANT, sm.STREAM, sm.configuration())
        self.store = AlarmStore(kept_in(self.folder))
        self.desk = AlarmDesk(
            self.store, self.hub, Months(), EndingKeys(), lambda _: self.evidence.reader,
            self.clock, {}, plants=[sm.PLANT],
        )  # fmt: skip

    def restart(self) -> None:
        self.start()

    def at(self, second: int, *, effects: list[dict[str, Any]] | None = None) -> None:
        """A look at that second; with `effects` a live message that tells them comes before."""
        self.clock.now_ns = now_ns = T0 + second * S
        if effects is not None:
            told = message(0, effects=effects) | {"plant": sm.PLANT, "gateway": sm.STREAM}
            told |= {"tick_ns": now_ns, "sent_ns": now_ns, "values": {}}
            self.hub.on_live(sm.PLANT, sm.STREAM, json.dumps(told).encode())
        asyncio.run(self.desk.look(sm.PLANT))

    def sealed(self, second: int) -> None:
        """All that was read up to that second is in the log."""
        self.hub.on_sealed(sm.PLANT, sm.STREAM, 5, T0 + second * S, T0 + second * S)

    def effects(self) -> list[Effect]:
        return self.desk.effects(sm.PLANT, T0 - 3_600 * S)

    def unheard(self) -> list[tuple[int, int | None]]:
        """Stretches since the first reading whose effects are not known, seconds."""
        return [
            ((one.from_ns - T0) // S, None if one.to_ns is None else (one.to_ns - T0) // S)
            for one in self.desk.unheard(sm.PLANT, T0, T0 + 86_400 * S)
        ]

    def kinds(self) -> set[str]:
        found = {alarm.key.kind for alarm, _ in self.desk.standing([sm.PLANT])}
        return found - {"certificate", "certificate-ends"}


@pytest.fixture
def smelter(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Smelter:
    monkeypatch.setattr("cloud.alarms.hearing.READ_S", 1e9)  # however slow the machine is
    return Smelter(desk, tmp_path)


RUNS = {
    "potline": "line-1", "pot": "01", "start_ns": T0 + 12 * S, "end_ns": None,
    "polarised_ns": 3 * S, "v_max": "31.5", "cf4_kg": None, "flags": ["running"],
}  # fmt: skip


def test_an_effect_of_a_silent_gateway_is_unknown_and_then_what_the_log_says(
    smelter: Smelter,
) -> None:
    smelter.at(0, effects=[])
    smelter.at(15, effects=[RUNS])
    assert smelter.effects()[0].is_running
    smelter.at(46)  # silent for 31 s
    (one,) = smelter.effects()
    assert (one.is_running, one.unknown_ns, one.is_lost) == (False, T0 + 15 * S, False)
    assert smelter.unheard()[-1] == (15, None)
    (pot,) = watched([one], 180 * S)
    assert (pot.is_running, pot.unknown_ns, pot.longest_ns) == (False, T0 + 15 * S, 3 * S)
    smelter.at(300)  # three minutes are over: nobody knows that it lasted so long
    assert smelter.kinds() == {"gateway-offline"}
    # back after twenty minutes: it does not run, and when it ended is not known yet
    smelter.at(1_200, effects=[])
    (one,) = smelter.effects()
    assert (one.is_lost, one.end_ns, one.unknown_ns) == (True, None, None)
    assert smelter.unheard()[-1] == (12, 1_200)
    smelter.evidence.deliver()
    smelter.sealed(50)  # not all of the silence is there
    smelter.at(1_205, effects=[])
    assert smelter.effects()[0].is_lost
    smelter.sealed(1_200)
    smelter.at(1_210, effects=[])
    smelter.at(1_215, effects=[])  # the stretch before the first message, then the silence
    (one,) = smelter.effects()
    assert (one.end_ns, one.polarised_ns, one.is_lost) == (T0 + 19 * S, 7 * S, False)
    assert smelter.unheard() == []
    # the live page has it too, and later messages do not take it away
    smelter.at(1_220, effects=[])
    (row,) = smelter.hub.effects(sm.PLANT)
    assert (row["end_ns"], row["lost"]) == (T0 + 19 * S, False)
    assert smelter.effects() == [one]


def test_effects_from_before_the_first_start_come_out_of_the_log(smelter: Smelter) -> None:
    smelter.evidence.deliver()
    smelter.sealed(1_200)
    smelter.at(1_200, effects=[])
    (one,) = smelter.effects()
    assert (one.pot, one.start_ns, one.end_ns) == ("01", T0 + 12 * S, T0 + 19 * S)
    assert (one.v_max, one.polarised_ns) == ("31.500", 7 * S)
    # it counts for a pot that comes again within the day, here after another restart
    smelter.restart()
    smelter.at(1_205)
    assert len(smelter.hub.effects(sm.PLANT)) == 1
    smelter.at(5_000, effects=[{**RUNS, "start_ns": T0 + 4_999 * S}])
    assert smelter.kinds() == {"pot-repeat"}


def test_since_when_effects_are_known(smelter: Smelter) -> None:
    """From where the log begins (second 0), whatever silences were read since; two days at most."""

    def known_from() -> int:
        return (smelter.desk._hearing.known_from(sm.PLANT)[sm.STREAM] - T0) // S

    smelter.at(900, effects=[])
    assert known_from() == 900  # the log of before is not read
    smelter.evidence.deliver()
    smelter.sealed(900)
    smelter.at(905, effects=[])
    assert known_from() == 0
    smelter.at(3_000, effects=[RUNS])
    assert known_from() == 3_000
    smelter.restart()
    smelter.sealed(3_000)
    smelter.at(3_005, effects=[RUNS])
    assert known_from() == 0
    smelter.at(300_000, effects=[])  # away for longer than two days
    smelter.sealed(300_000)
    smelter.at(300_005, effects=[])
    assert known_from() == 300_000  # nothing of the two days is in the log


def test_a_gateways_clock_that_was_ahead_hides_no_silence(smelter: Smelter) -> None:
    smelter.evidence.deliver()
    smelter.sealed(300)
    smelter.at(300, effects=[])
    smelter.at(90_000, effects=[])
    smelter.at(310, effects=[])  # set back: it never was there, and its log is not waited for
    assert smelter.unheard() == [(300, 310)]
    smelter.sealed(310)
    smelter.at(315, effects=[])
    assert smelter.unheard() == []
    assert smelter.desk._hearing.known_from(sm.PLANT)[sm.STREAM] <= T0 + 315 * S
    smelter.at(900, effects=[])
    assert smelter.unheard() == [(315, 900)]


def test_a_short_silence_and_a_quick_restart_read_nothing(smelter: Smelter) -> None:
    smelter.evidence.deliver()
    smelter.sealed(9_999)
    smelter.at(0, effects=[])
    smelter.at(5, effects=[])
    smelter.at(500, effects=[])
    smelter.restart()
    smelter.at(900, effects=[])
    assert smelter.unheard() == []
    assert [one.start_ns for one in smelter.effects()] == []


def test_alarms_of_a_silent_gateway_say_that_nobody_knows(smelter: Smelter) -> None:
    smelter.at(12, effects=[RUNS])
    smelter.at(195, effects=[RUNS])
    assert smelter.kinds() == {"effect-long"}
    smelter.at(600)
    smelter.at(720)
    unsure = {
        alarm.key.kind: is_unsure(smelter.desk, alarm)
        for alarm, _ in smelter.desk.standing([sm.PLANT])
    }
    assert (unsure["effect-long"], unsure["gateway-offline"]) == (True, False)


def test_a_long_log_is_read_in_turns_with_rest_between(
    smelter: Smelter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is a turn here: the small plant's log is one step, and its end another."""
    smelter.evidence.deliver()
    smelter.sealed(1_200)
    monkeypatch.setattr("cloud.alarms.hearing.READ_S", 0.0)
    monkeypatch.setattr("cloud.alarms.hearing.REST", 1e9)
    smelter.at(1_200, effects=[])
    smelter.at(1_205, effects=[])
    assert (smelter.effects(), len(smelter.desk.unheard(sm.PLANT, 0, T0))) == ([], 1)
    monkeypatch.setattr("cloud.alarms.hearing.REST", 0.0)
    smelter.desk._hearing._rests_s = 0.0
    smelter.at(1_210, effects=[])
    assert [one.end_ns for one in smelter.effects()] == [T0 + 19 * S]
    assert smelter.unheard() == []


def test_evidence_that_cannot_be_read_is_told_and_read_later(
    smelter: Smelter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bytes) -> Any:
        raise StoreError("disk away")

    smelter.evidence.deliver()
    smelter.sealed(1_200)
    monkeypatch.setattr("cloud.alarms.hearing.AGAIN_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr("cloud.alarms.logged.decode_body", refuse)
        smelter.at(1_200, effects=[])
    assert "effects of its log are not known yet" in caplog.text
    assert "disk away" in caplog.text
    assert [to for _, to in smelter.unheard()] == [1_200]
    smelter.at(1_205, effects=[])
    assert [one.end_ns for one in smelter.effects()] == [T0 + 19 * S]
    assert smelter.unheard() == []
