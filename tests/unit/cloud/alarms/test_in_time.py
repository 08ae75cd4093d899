"""Every condition from what is measured to its end, through hub, desk and file, over a restart.

Instants are seconds after T0 (2026-09-21T14:13:20Z, 22:13:20 at the plant), by hand from the delays
and limits of `rules.toml`: of each boundary the second before it is looked at, too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cloud.alarms.desk import AlarmDesk
from cloud.alarms.rules import Rules, default_rules
from cloud.alarms.store import AlarmStore
from cloud.live.hub import LiveHub
from cloud.month.sealed import sealed_row
from tests.unit.cloud.app_examples import no_evidence
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
    values,
)
from tests.unit.cloud.month.month_facts import found

SILENT = None
COLLECTOR_ENDS_NS = int(datetime(2026, 10, 22, 12, tzinfo=UTC).timestamp()) * NS
#: of every point of the plant
VALUES = {**values(), "p.current": ["300.0", 0, None], "ac.energy": ["9.0", 0, None]}
Input = Mapping[str, Any] | None


class Facts:
    """What the collector's other parts say: months, certificates of meters and gateways."""

    def __init__(self) -> None:
        self.level, self.due, self.ends = "normal", "", "2031-10-01T12:00:00+00:00"
        self.server_ends, self.behind = self.ends, False
        self.unkept_s: float | None = None
        self.verified: Mapping[str, Any] | None = found()
        self.away_s: float | None = None

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        owed = [{"blocks": True}]
        archive = {"newest": True, "replaced": False, "sha256": "ab", "verified": self.verified}
        return [{"month": "2026-08", "state": "sealed", "level": self.level, "deadline": "d",
                 "days_left": 1, "owed": owed, "archives": [archive],
                 "sealed": sealed_row(archive)}]  # fmt: skip

    def month(self, plant: str, month: str) -> Mapping[str, Any]:
        due = {"device": "d", "due": self.due, "number": "7"}
        return {"certificates": [due] if self.due else []}

    def stream(self, plant: str, gateway: str) -> Mapping[str, Any]:
        return {"key": "ab", "certificates": [{"key": "ab", "not_after": self.ends}]}

    def of_broker(self) -> Mapping[str, int]:
        return {"server": int(datetime.fromisoformat(self.server_ends).timestamp()) * NS}


class Story(NamedTuple):
    """What is so at which second, and what happens to the alarms of a kind."""

    kind: str
    says: Sequence[tuple[int, Input]]
    happens: Sequence[tuple[int, str]]
    own: Mapping[str, float] = {}


def meter(quality: int) -> Input:
    return {"values": {**VALUES, "p.01.voltage": [None, quality, T0]}}


def waits(second: int, age_s: int) -> Input:
    """The spool's oldest reading is so old."""
    spool = {"frames": 9, "bytes": 900, "head_seq": 6, "receipted_seq": 4}
    return {"spool": {**spool, "oldest_ns": T0 + (second - age_s) * NS}}


def told(reason: str) -> Input:
    row = {"gateway": GATEWAY, "reason": reason, "count": 1, "newest_ns": T0, "since_ns": T0}
    return {"collector": [row]}


def runs(start_s: int, end_s: int | None = None) -> Input:
    return {"effects": [effect(start_s, end_s)]}


def rate(t_h: str) -> Input:
    return {"values": {**VALUES, "plant.co2e_t_h": [t_h, 0, None]}}


WELL: Input = {}
WITHOUT = {"values": {k: v for k, v in VALUES.items() if k != "p.02.voltage"}}
FIVE = {"effects": [effect(-1_000 * n, 30 - 1_000 * n) for n in range(5)]}


def faulty(kind: str, is_so: Input, on_s: int, off_s: int) -> Story:
    """So from second 0 to 199: raised after the one delay, cleared after the other."""
    on = [(s, is_so) for s in sorted({0, max(0, on_s - 1), on_s, 199})]
    off = [(s, WELL) for s in sorted({200, 200 + off_s - 1, 200 + off_s})]
    return Story(kind, [*on, *off], [(on_s, "raised"), (200 + off_s, "cleared")])


#: no value for more than 60 s while the gateway is there, and a minute of that
UNTOLD = Story(
    "meter-stale",
    [(0, WELL), (60, WITHOUT), (61, WITHOUT), (120, WITHOUT), (121, WITHOUT), (150, WITHOUT),
     (210, WITHOUT), (211, WITHOUT), (300, WITHOUT), (301, WELL), (360, WELL), (361, WELL)],
    [(121, "raised"), (361, "cleared")],
)  # fmt: skip
STORIES = [
    faulty("meter-silent", meter(128), 60, 60),
    faulty("meter-fault", meter(134), 60, 60),
    faulty("meter-range", meter(135), 60, 300),
    faulty("meter-stuck", meter(20), 60, 300),
    faulty("meter-stale", meter(136), 60, 60),
    UNTOLD,
    # silent after 30 s, and two minutes of that; cleared half a minute after it is heard
    Story("gateway-offline", [(0, WELL), (30, SILENT), (31, SILENT), (150, SILENT), (151, SILENT),
                              (200, WELL), (229, WELL), (230, WELL)],
          [(151, "raised"), (230, "cleared")]),
    # raised above an hour, cleared at ten minutes and less: between them it stays
    Story("backlog", [(0, waits(0, 3_600)), (1, waits(1, 3_601)), (60, waits(60, 3_660)),
                      (61, waits(61, 3_661)), (90, waits(90, 601)), (200, waits(200, 600)),
                      (259, WELL), (260, WELL)], [(61, "raised"), (260, "cleared")]),
    faulty("edge.spool-filling", {"alarms": ["spool-filling"]}, 0, 60),
    faulty("edge.spool-full", {"alarms": ["spool-full"]}, 0, 60),
    faulty("edge.disk-low", {"alarms": ["disk-low"]}, 30, 60),
    faulty("broker-behind", {"behind": True}, 30, 60),
    faulty("broker-unkept", {"unkept": 12.5}, 5, 120),
    # it ends and is started again, and keeps nothing all the while
    Story("broker-unkept", [(0, {"unkept": 11}), (4, {"unkept": 15, "away": 1}),
                            (8, {"unkept": 19}), (150, {"unkept": 161, "away": 1}),
                            (300, {"away": 1}), (400, WELL), (519, WELL), (520, WELL)],
          [(8, "raised"), (520, "cleared")]),
    faulty("collector.damaged", told("damaged"), 0, 60),
    faulty("collector.not-written", told("not-written"), 30, 60),
    faulty("collector.not-served", told("not-served"), 30, 60),
    faulty("collector.fork", told("fork"), 0, 60),
    Story("collector.missing", [(0, told("missing")), (299, told("missing")),
                                (300, told("missing")), (301, WELL)],
          [(300, "raised"), (301, "cleared")]),
    # 2026-10-01T12:00Z ends: seven days before it is second 251,200
    Story("certificate", [(0, {"ends": "2026-10-01T12:00:00+00:00"}), (251_199, WELL),
                          (251_200, WELL)], [(0, "raised"), (251_200, "cleared")]),
    Story("certificate-ends", [(0, {"ends": "2026-10-01T12:00:00+00:00"}), (251_199, WELL),
                               (251_200, WELL), (300_000, {"ends": "2031-10-01T12:00:00+00:00"})],
          [(251_200, "raised"), (300_000, "cleared")]),
    # thirty days before 2026-10-22T12:00Z: 2026-09-22T12:00Z
    Story("certificate", [(0, {"ends": "2026-10-22T12:00:00+00:00"}), (78_399, WELL),
                          (78_400, WELL)], [(78_400, "raised")]),
    Story("certificate-broker", [(0, {"server_ends": "2026-10-22T12:00:00+00:00"}),
                                 (78_399, WELL), (78_400, WELL),
                                 (78_500, {"server_ends": "2028-10-22T12:00:00+00:00"})],
          [(78_400, "raised"), (78_500, "cleared")]),
    Story("certificate-collector", [(0, WELL), (78_399, WELL), (78_400, WELL)],
          [(78_400, "raised")]),
    # due 2026-10-06: fourteen days are left from the plant's midnight on; a new one is signed in
    Story("calibration", [(0, {"due": "2026-10-06"}), (6_399, WELL), (6_400, WELL),
                          (6_900, {"due": ""}), (6_999, WELL)],
          [(6_400, "raised"), (6_999, "cleared")]),
    # months are read every ten minutes
    Story("month-risk", [(0, {"level": "urgent"}), (100, {"level": "normal"}), (599, WELL),
                         (600, WELL)], [(0, "raised"), (600, "cleared")]),
    Story("month-late", [(0, {"level": "urgent"}), (600, {"level": "alarm"}),
                         (1_200, {"level": "normal"})], [(600, "raised"), (1_200, "cleared")]),
    # until a sound archive has replaced it: one that waits for its verdict ends nothing
    Story("month-failed", [(0, {"verified": found(code="E-FILE-HASH")}), (600, {"verified": None}),
                           (1_200, {"verified": found()})], [(0, "raised"), (1_200, "cleared")]),
    Story("month-incomplete", [(0, WELL), (600, {"verified": found("no-clinker")}),
                               (1_200, {"verified": None}), (1_800, {"verified": found()})],
          [(600, "raised"), (1_800, "cleared")]),
    # above 7 t/h from when five minutes of it are there, for ten minutes; 10 % of the width of 4 is
    # 0.4: over at a mean of 6.6 and less, for a quarter of an hour. At 3,000 the mean of ten
    # minutes is (6.7 + 6.7 + 6.5) / 3 = 6.63, at 3,300 (6.7 + 6.5 + 6.5) / 3 = 6.57
    Story("emission", [(0, rate("8.0")), (299, rate("8.0")), (300, rate("8.0")),
                       (600, rate("8.0")), (899, rate("8.0")), (900, rate("8.0")),
                       *((s, rate("6.7")) for s in range(1_200, 3_000, 300)),
                       *((s, rate("6.5")) for s in range(3_000, 5_100, 300))],
          [(900, "raised"), (4_200, "cleared")], {"low_t_h": 3, "high_t_h": 7}),
    Story("effect-long", [(0, runs(0)), (180, runs(0)), (181, runs(0)), (300, runs(0, 299))],
          [(181, "raised"), (300, "cleared")]),
    # again within ten minutes of the end; stands for half an hour after the newest start
    Story("quench-failed", [(10, runs(0, 10)), (610, runs(610)), (620, runs(610, 620)),
                            (2_410, WELL), (2_411, WELL)],
          [(610, "raised"), (2_411, "cleared")]),
    Story("pot-repeat", [(10, runs(0, 10)), (611, runs(611)), (620, runs(611, 620)),
                         (7_811, WELL), (7_812, WELL)], [(611, "raised"), (7_812, "cleared")]),
    # two pots at 0.3: 0.6 a day; five are (5 - 0.6) / 0.775 = 5.7 sigmas. The first of the five
    # (second -4,000) leaves the 24 h at 82,401, and four are no rate
    Story("line-rate", [(0, FIVE), (60, WELL), (1_799, WELL), (1_800, WELL), (82_400, WELL),
                        (82_401, WELL), (86_000, WELL), (86_001, WELL)],
          [(1_800, "raised"), (86_001, "cleared")]),
    # too few: nothing for 24 h where 2 a pot-day are the least: (4 - 0) / 2 = 2 sigmas
    Story("line-rate", [*((s, WELL) for s in range(0, 86_400, 500)), (86_399, WELL),
                        (86_400, WELL), (86_900, WELL), (87_400, WELL), (87_900, WELL),
                        (88_199, WELL), (88_200, WELL), (88_300, {"effects": [
                            effect(88_000 + n, 88_000 + n) for n in (0, 60, 120, 180)]}),
                        (91_899, WELL), (91_900, WELL)],
          [(88_200, "raised"), (91_900, "cleared")],
          {"low_per_pot_day": 2, "high_per_pot_day": 9, "raise_sigmas": 1.5, "clear_sigmas": 0.5}),
]  # fmt: skip


async def played(story: Story, folder: Path, restarts: Sequence[int]) -> list[tuple[int, str]]:
    """What happens to its kind; the collector starts anew right before these seconds."""
    clock, facts = ManualClock(), Facts()
    own = default_rules().of(story.kind)
    own = replace(own, limits={**own.limits, **story.own})
    rules = {PLANT: Rules({**default_rules().by_kind, story.kind: own})}
    store: AlarmStore | None = None
    for second, says in story.says:
        if store is None or second in restarts:
            hub, store = LiveHub(clock), AlarmStore(kept_in(folder))
            hub.on_config(PLANT, GATEWAY, configuration())
            desk = AlarmDesk(store, hub, facts, facts, no_evidence, clock, rules,
                             broker_ends=facts.of_broker,
                             collector_ends={PLANT: COLLECTOR_ENDS_NS},
                             is_broker_behind=lambda: facts.behind,
                             broker_unkept_s=lambda: facts.unkept_s,
                             broker_away_s=lambda: facts.away_s,
                             plants=[PLANT])  # fmt: skip
        clock.now_ns = T0 + second * NS
        if says is not None:
            more = dict(says)
            hub.on_alarms(PLANT, more.pop("collector", []))
            facts.behind, facts.unkept_s = more.pop("behind", False), more.pop("unkept", None)
            facts.away_s = more.pop("away", None)
            for name in {"level", "due", "ends", "server_ends", "verified"} & more.keys():
                setattr(facts, name, more.pop(name))
            hub.on_live(PLANT, GATEWAY, payload(second, **{"values": VALUES, **more}))
        await desk.look(PLANT)
    assert store is not None
    happened = [
        ((one.happening.at_ns - T0) // NS, one.happening.what.value)
        for one in store.events([PLANT], count=100)[::-1]
        if one.happening.alarm.key.kind == story.kind
    ]
    return happened


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.kind)
def test_raised_and_cleared_at_the_second(story: Story, tmp_path: Path) -> None:
    assert asyncio.run(played(story, tmp_path, ())) == list(story.happens)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.kind)
def test_a_restart_before_each_boundary_changes_nothing(story: Story, tmp_path: Path) -> None:
    """Of rising, raised and falling alarms; but of those that need some minutes of messages."""
    found = asyncio.run(played(story, tmp_path, restarts_of(story)))
    assert found == list(story.happens)


def restarts_of(story: Story) -> Sequence[int]:
    if story.kind == "emission":  # five minutes of it are needed: it stays as it was till then
        return (2_100,)
    if story is UNTOLD:  # three intervals, at least a minute, without a value are needed
        return (150,)
    return [second for second, _ in story.happens if second > 0]


async def test_a_one_way_site_is_heard_by_its_frames(tmp_path: Path) -> None:
    """Newest frame at 0: silent after two hours, and two minutes of that; frames again at 8,000."""
    clock, store, facts = ManualClock(), AlarmStore(kept_in(tmp_path)), Facts()
    hub = LiveHub(clock)
    hub.on_config(PLANT, GATEWAY, configuration())
    desk = AlarmDesk(store, hub, facts, facts, no_evidence, clock, {})
    stands = {}
    for second in (0, 121, 7_200, 7_201, 7_320, 7_321, 8_000, 8_029, 8_030):
        clock.now_ns = T0 + second * NS
        if second in (0, 8_000):
            hub.on_sealed(PLANT, GATEWAY, second, clock.now_ns, clock.now_ns)
        await desk.look(PLANT)
        stands[second] = [alarm.key.kind for alarm, _ in desk.standing([PLANT])]
    assert [second for second, kinds in stands.items() if kinds] == [7_321, 8_000, 8_029]
    assert stands[7_321] == ["gateway-offline"]
