"""The desk over a live hub: what is kept over a restart, and what people decide."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.alarms.core import Book, Happening
from cloud.alarms.desk import AlarmDesk, is_unsure
from cloud.alarms.store import AlarmStore
from cloud.beside import beside
from cloud.collector.standing import DAMAGED, NOT_SERVED, NOT_WRITTEN, Standing
from cloud.errors import NotServedError, StoreError
from cloud.live.hub import LiveHub
from tests.unit.cloud.alarms.key_examples import EndingKeys
from tests.unit.cloud.app_examples import Months, no_evidence
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.live_examples import (
    GATEWAY,
    NS,
    PLANT,
    T0,
    ManualClock,
    configuration,
    effect,
    payload,
    point,
    values,
)


class Works:
    """A collector's parts over one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.folder = folder
        self.start()

    def start(self) -> None:
        """As the collector starts: the hub knows nothing of what was."""
        self.hub = LiveHub(self.clock)
        self.hub.on_config(PLANT, GATEWAY, configuration())
        self.store = AlarmStore(kept_in(self.folder))
        self.told: list[str] = []
        self.desk = AlarmDesk(
            self.store, self.hub, Months(), EndingKeys(), no_evidence, self.clock, {},
            lambda found: self.told.extend(one.alarm.key.kind for one in found),
            plants=[PLANT],
        )  # fmt: skip

    def at(self, second: int, **message: Any) -> None:
        """A live message of that second, unless there is none, and a look."""
        self.clock.now_ns = T0 + second * NS
        if message:
            self.hub.on_live(PLANT, GATEWAY, payload(second, **message))
        asyncio.run(self.desk.look(PLANT))

    def kinds(self) -> list[str]:
        return [alarm.key.kind for alarm, _ in self.desk.standing([PLANT])]


@pytest.fixture
def works(tmp_path: Path) -> Works:
    return Works(tmp_path)


RUNNING = {"effects": [effect(0)]}


def test_from_live_messages_over_a_restart_to_the_end(works: Works) -> None:
    works.at(0, **RUNNING)
    works.at(181, **RUNNING)
    # the month is late: September's deadline is by cloud/month, as of T0 it is open
    assert works.kinds() == ["effect-long", "certificate"]
    assert works.told == ["certificate", "effect-long"]
    (number,) = [a.number for a, _ in works.desk.standing([PLANT]) if a.key.kind == "effect-long"]
    works.desk.acknowledge(PLANT, number, "li")
    with pytest.raises(LookupError):
        works.desk.acknowledge("maxi", number, "li")
    works.start()
    works.at(200)  # nothing is heard yet: nothing is known of the effect
    assert works.kinds() == ["effect-long", "certificate"]
    works.at(205, **RUNNING)
    assert works.told == []
    assert works.desk.unacknowledged([PLANT]) == 1
    works.at(210, effects=[effect(0, 208)])
    assert works.kinds() == ["certificate"]
    (kept,) = works.store.effects(PLANT, T0)
    assert (kept.pot, kept.end_ns) == ("01", T0 + 208 * NS)


def test_an_effect_that_ended_while_nobody_listened_is_lost_and_not_long(works: Works) -> None:
    works.at(0, **RUNNING)
    works.start()
    works.at(4_000)  # its gateway is not heard yet: it may run still
    assert [one.is_running for one in works.store.effects(PLANT, T0)] == [True]
    works.at(4_005, effects=[])  # ended more than ten minutes ago: the gateway tells it no more
    assert works.kinds() == ["certificate"]
    (kept,) = works.store.effects(PLANT, T0)
    assert (kept.is_lost, kept.is_running, kept.end_ns) == (True, False, None)


def test_a_plant_that_is_not_served_any_more_is_told(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys are not to be had then either: no alarm of it was followed, this one least."""

    def not_served(*_: Any) -> None:
        raise NotServedError("the folder is away")

    works.at(0)
    monkeypatch.setattr(EndingKeys, "stream", not_served)
    standing = Standing()
    standing.rise(PLANT, "", NOT_SERVED, T0, "the folder is away")
    works.hub.on_alarms(PLANT, standing.rows(PLANT))
    works.at(5)
    works.at(36)  # it stands after thirty seconds
    assert works.told == ["certificate", "collector.not-served"]
    assert works.kinds() == ["collector.not-served", "certificate"]


def test_a_full_disk_keeps_no_alarm_from_being_told(
    works: Works, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Evidence and `state_dir` are on one disk: people were told of nothing, least of that."""

    def refuse(*_: Any) -> None:
        raise StoreError("disk full")

    for name in ("keep", "note_heard", "note_unheard", "note_level"):
        monkeypatch.setattr(works.store, name, refuse)
    standing = Standing()
    standing.rise(PLANT, "", NOT_WRITTEN, T0, "no space left")
    works.hub.on_alarms(PLANT, standing.rows(PLANT))
    works.at(0, **RUNNING)
    works.at(31, **RUNNING)
    assert works.told == ["certificate", "collector.not-written"]
    assert works.kinds() == ["collector.not-written", "certificate"]
    number = next(alarm.number for alarm, _ in works.desk.standing([PLANT]))
    with pytest.raises(StoreError):  # what a person decides is refused, and can be said again
        works.desk.acknowledge(PLANT, number, "li")
    assert works.desk.unacknowledged([PLANT]) == 2
    assert works.store.events([PLANT]) == []
    assert caplog.text.count("kept once the disk takes them: disk full") == 1
    monkeypatch.undo()
    works.at(36, **RUNNING)  # nothing is new but the disk
    assert works.told == ["certificate", "collector.not-written"]
    kept = [one.happening.alarm.key.kind for one in works.store.events([PLANT])]
    assert kept == ["collector.not-written", "certificate"]
    assert [one.pot for one in works.store.effects(PLANT, T0)] == ["01"]
    assert caplog.text.count("alarms are kept again") == 1
    works.start()
    assert works.kinds() == ["collector.not-written", "certificate"]


async def test_a_plant_that_was_damaged_at_the_start_has_an_alarm(works: Works) -> None:
    """No configuration of it is read then; what stood before is not known to be over."""
    for second in (0, 181):
        works.clock.now_ns = T0 + second * NS
        works.hub.on_live(PLANT, GATEWAY, payload(second, **RUNNING))
        await works.desk.look(PLANT)
    before = works.kinds()
    assert before == ["effect-long", "certificate"]
    works.start()
    works.hub = LiveHub(works.clock)
    loop, is_told = asyncio.get_running_loop(), asyncio.Event()

    def tell(found: Sequence[Happening]) -> None:
        works.told.extend(one.alarm.key.kind for one in found)
        if found:
            loop.call_soon_threadsafe(is_told.set)

    works.desk = AlarmDesk(
        works.store,
        works.hub,
        Months(),
        EndingKeys(),
        no_evidence,
        works.clock,
        {},
        tell,
        plants=[PLANT],
    )
    standing = Standing()
    standing.rise(PLANT, "", DAMAGED, T0, "torn")
    works.hub.on_alarms(PLANT, standing.rows(PLANT))
    async with beside(works.desk.run()):
        await asyncio.wait_for(is_told.wait(), 30)
    works.clock.now_ns += 3 * 86_400 * NS
    await works.desk.look(PLANT)
    assert works.told == ["collector.damaged"]
    assert works.kinds() == ["collector.damaged", *before]
    unsure = {one.key.kind: is_unsure(works.desk, one) for one, _ in works.desk.standing([PLANT])}
    assert unsure["effect-long"]
    assert not unsure["collector.damaged"]
    (shown,) = works.desk.effects(PLANT, T0)
    assert not shown.is_running
    assert works.hub.clock_of(PLANT).key == "Asia/Shanghai"  # for mails and pages


def test_what_one_gateway_tells_fills_no_log_of_alarms(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody signs its messages: by 500 pots that nobody has it pushed all else out in an hour."""
    monkeypatch.setattr("cloud.alarms.store.EVENTS_OF_PLANT_MAX", 20)
    works.at(0)
    (certificate,) = works.store.events([PLANT])
    others = replace(certificate.happening, alarm=replace(
        certificate.happening.alarm, key=certificate.happening.alarm.key._replace(plant="maxi")
    ))  # fmt: skip
    works.store.keep(Book(), "maxi", [others])
    invented = [effect(0, pot=f"x-{n}") for n in range(300)]
    works.at(400, effects=[*invented, effect(0, potline="line-9")])
    assert works.kinds() == ["certificate"]
    assert works.hub.refused["unknown-point"] == 301
    for second in range(405, 605, 5):  # a pot that is its own runs, and does not, at each look
        works.at(second, effects=[effect(0)] if second % 10 else [])
    assert len(works.store.events([PLANT], count=1_000)) <= 20
    now_ns = works.clock.now_ns + 1
    both = [
        one for one in works.store.between([PLANT], T0, now_ns) if one.happening.what == "cleared"
    ]
    assert len(both) > 5
    assert works.store.cleared([PLANT, "maxi"], T0, now_ns) == both[::-1]
    monkeypatch.setattr("cloud.alarms.store.CLEARED_MAX", 5)
    assert works.store.cleared([PLANT, "maxi"], T0, now_ns) == both[:-6:-1]
    assert [one.happening.at_ns for one in works.store.events(["maxi"])] == [T0]


def test_more_devices_than_anybody_reads_are_one_alarm_of_their_gateway(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration may have 20,000; a front takes no list of more alarms that stand."""
    monkeypatch.setattr("cloud.alarms.conditions.METERS_MAX", 3)
    config = configuration()
    first, names = len(config["points"]), [f"m{n}.volts" for n in range(5)]
    config["points"] += [point(one, "voltage", "V", 2, device=one[:2]) for one in names]
    config["groups"][0]["points"] += range(first, first + 5)
    works.hub.on_config(PLANT, GATEWAY, config)

    def silent(count: int, second: int) -> list[tuple[str, int, int]]:
        told = {name: ["4.2", 0, None] for name in names}
        told |= {name: [None, 128, None] for name in names[:count]}
        for later in (0, 61, 122):
            works.at(second + later, values={**values(), **told})
        return sorted(
            (alarm.key.about, alarm.values["points"], alarm.values["of"])
            for alarm, _ in works.desk.standing([PLANT]) if alarm.key.kind == "meter-silent"
        )  # fmt: skip

    # p.current and ac.energy never came: they are stale, not silent
    assert silent(3, 0) == [("m0", 1, 1), ("m1", 1, 1), ("m2", 1, 1)]
    assert silent(5, 200) == [("", 5, 11)]
    assert silent(2, 400) == [("m0", 1, 1), ("m1", 1, 1)]
