"""A simulated line of 400 pots as facts, and a player that counts what an operator is told.

Not the product's arithmetic: starts are drawn from an exponential distribution of the pots' joint
rate, durations from what controllers need to quench.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from cloud.alarms.conditions import blindness, signals
from cloud.alarms.core import Book, Happening, step
from cloud.alarms.facts import Band, Effect, Level, PlantFacts
from cloud.alarms.rules import Rules, default_rules

NS = 1_000_000_000
HOUR_NS, DAY_NS = 3_600 * NS, 86_400 * NS
T0 = 1_790_000_000 * NS
STEP_NS = 60 * NS
POTS, METERS = 400, 20
DEVICES = [f"meter-{n}" for n in range(METERS)]
POINTS = {
    f"{name}.flow": {"computed": False, "gateway": "edge-1", "interval_ns": NS, "device": name}
    for name in DEVICES
}
LINE = {
    "id": "line-1", "gateway": "edge-1", "producing": ["1"],
    "pots": [{"id": f"{n:03}", "state": f"s{n}"} for n in range(POTS)],
}  # fmt: skip
Change = Callable[[int, dict[str, Any]], None]


def effects_of(hours: int, per_pot_day: float, seed: int) -> list[Effect]:
    """Two in a hundred go on for four minutes or more, the others are quenched in one or two."""
    draw, found, at_s = random.Random(seed), [], 0.0
    while True:
        at_s += draw.expovariate(per_pot_day * POTS / 86_400)
        if at_s > hours * 3_600:
            return found
        lasts_s = draw.uniform(240, 400) if draw.random() < 0.02 else draw.uniform(45, 140)
        found.append(effect(draw.randrange(POTS), at_s, lasts_s))


def effect(pot: int, at_s: float, lasts_s: float) -> Effect:
    start_ns, lasts_ns = T0 + int(at_s) * NS, int(lasts_s) * NS
    return Effect(
        "edge-1", "line-1", f"{pot:03}", start_ns, start_ns + lasts_ns, False, lasts_ns, "31.2",
        None,
    )  # fmt: skip


def snapshot_at(now_ns: int) -> dict[str, Any]:
    """All is well: 20 meters and a controller of 400 pots, at a gateway that is heard."""
    return {
        "plant": {"time_zone": "Asia/Shanghai"},
        "points": POINTS,
        "values": {name: ["1.0", 0, now_ns, None] for name in POINTS},
        "potlines": [LINE],
        "gateways": [{"id": "edge-1", "online": True, "received_ns": now_ns, "interval_ns": NS,
                      "tick_ns": now_ns, "spool": {"oldest_ns": now_ns - 10 * NS, "frames": 1}}],
        "alarms": [], "effects": [],
    }  # fmt: skip


def play(
    hours: int, effects: list[Effect], change: Change = lambda *_: None,
    means: Mapping[int, float] | Callable[[int], float] = lambda _: 100.0,
    rules: Rules | None = None, *, away: tuple[int, int] = (0, 0),
) -> list[Happening]:  # fmt: skip
    """What happens in so many hours; `change` puts faults into the snapshot of a second.

    `away`: from and to which second there is no broker.
    """
    book, found = Book(), list[Happening]()
    rules = rules or default_rules()
    for now_ns in range(T0, T0 + hours * HOUR_NS, STEP_NS):
        second = (now_ns - T0) // NS
        snapshot = snapshot_at(now_ns)
        change(second, snapshot)
        known = [
            one if one.end_ns is not None and one.end_ns <= now_ns
            else Effect(*(*_start(one), None, False, now_ns - one.start_ns, "31.2", None))
            for one in effects
            if now_ns - 2 * DAY_NS <= one.start_ns <= now_ns
        ]  # fmt: skip
        mean = means(second) if callable(means) else means[second]
        level = Level("plant.co2e_t_h", mean, "tCO2e/h", Band(85.0, 115.0, is_learned=True))
        away_ns = T0 + away[0] * NS if away[0] <= second < away[1] else None
        facts = PlantFacts(
            "mini", now_ns, snapshot, known, {"edge-1": (now_ns, T0)}, {"edge-1": T0}, level,
            broker_away_ns=away_ns,
        )  # fmt: skip
        found += step(
            book, "mini", signals(facts, rules), blind=blindness(facts, rules), rules=rules,
            now_ns=now_ns,
        )  # fmt: skip
    return found


def _start(one: Effect) -> tuple[str, str, str, int]:
    return one.gateway, one.potline, one.pot, one.start_ns


def told(found: list[Happening]) -> Counter[str]:
    """How often each kind was told."""
    return Counter(one.alarm.key.kind for one in found if one.is_told)


def worst_hour(found: list[Happening]) -> int:
    """The most that were told within any hour."""
    times = [one.at_ns for one in found if one.is_told]
    return max((sum(1 for t in times if at <= t < at + HOUR_NS) for at in times), default=0)
