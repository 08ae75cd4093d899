"""Alarms and shifts of the fake plant; with an operator, a busy shift that was played before."""

import argparse
from collections.abc import Mapping
from typing import Any

from cloud.alarms.core import Book, Key, Signal, step
from cloud.alarms.desk import AlarmDesk
from cloud.alarms.facts import Effect
from cloud.alarms.rules import default_rules
from cloud.alarms.store import AlarmStore
from cloud.clock import SystemClock
from cloud.live.hub import LiveHub
from cloud.shift.desk import ShiftDesk
from cloud.shift.store import LEFT, CountedTo, Note
from tests.e2e.fake_plant import GATEWAY, NS, PLANT
from tests.unit.cloud.app_examples import Nothing, alarm_parts
from tests.unit.cloud.kept import brief

MINUTE_NS = 60 * NS
GAS = {"points": 2, "of": 2, "names": "gas-1.volume, gas-1.flow"}
FLOW = {"points": 1, "of": 2, "names": "gas-2.flow"}
#: pot, minutes ago, seconds
EFFECTS = (("04", 140, 55), ("09", 95, 71), ("04", 50, 62), ("12", 33, 185), ("21", 6, 44))


async def alarm_desks(
    hub: LiveHub, clock: SystemClock, months: Any, so_far: Any, options: argparse.Namespace
) -> tuple[AlarmDesk, ShiftDesk]:
    """Desks that look at the fake plant from now on."""
    store = AlarmStore(brief())
    if options.operator:
        play(store, clock.wall_ns())
    alarms, shifts = alarm_parts(hub, clock, months, Nothing(), so_far, store=store, plant=PLANT)
    if options.operator:
        hand_over(shifts, clock.wall_ns())
    await alarms.look(PLANT)
    return alarms, shifts


def play(store: AlarmStore, now_ns: int) -> None:
    """An hour of it: what failed and came back, a meter that is away, effects of some pots."""
    book, found = Book(), []
    missing = signal("collector.missing", "", {"count": 29, "first": 12, "last": 40})
    away, beyond = signal("meter-silent", "gas-1", GAS), signal("meter-range", "gas-2", FLOW)
    for minutes, signals in ((60, [beyond, missing]), (52, [beyond, missing]), (46, []),
                             (40, [away]), (38, [away])):  # fmt: skip
        found += step(
            book, PLANT, signals, blind=lambda _: False, rules=default_rules(),
            now_ns=now_ns - minutes * MINUTE_NS,
        )  # fmt: skip
    effects = [
        Effect(GATEWAY, "line-1", pot, (at := now_ns - minutes * MINUTE_NS), at + lasted_s * NS,
               False, lasted_s * NS, "31.4", "0.212")
        for pot, minutes, lasted_s in EFFECTS
    ]  # fmt: skip
    store.keep(book, PLANT, found, effects)


def signal(kind: str, about: str, values: Mapping[str, Any]) -> Signal:
    return Signal(Key(PLANT, kind, GATEWAY, about), values)


def hand_over(shifts: ShiftDesk, now_ns: int) -> None:
    """A note of the leaving operator, and what the month had counted before: 121 t less."""
    store, shift = shifts._store, shifts.shift(PLANT)
    store.count({PLANT: CountedTo(shift.from_ns - MINUTE_NS, "2026-11", "tCO2e", "4200.00")})
    text = "Pot 04: anode 12 changed at half past.\n12 号槽下料器堵料，已疏通，请继续观察。"
    store.add(PLANT, shift.from_ns, Note(now_ns, "zhang-min", LEFT, text))
