"""A plant's month played as the collector counts it, ten seconds at a time, with its alarms.

Readings are those of `stackproof sim month`; a case may spoil a totaliser's registers on the way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cloud.accumulated.counters import Lately, counters_of
from cloud.accumulated.desk import LEAST_NS
from cloud.alarms import core
from cloud.alarms.conditions import blindness
from cloud.alarms.core import Book, Happening, What
from cloud.alarms.counters import counter_signals
from cloud.alarms.facts import PlantFacts
from cloud.alarms.rules import default_rules
from edge.calc.blocks import Block, GroupBlock, Int64
from edge.calc.folds.live_sums import LiveSums
from edge.calc.folds.papers import Paper
from evidence.recompute import blocks_of, month_bounds
from simulators.month_plants import month_plant
from simulators.month_play import HOUR_S, Order, hours
from simulators.plants import load_any

MONTH, GATEWAY, SECOND = "2026-10", "edge-1", 10**9
FROM_NS = month_bounds("Asia/Shanghai", MONTH)[0]
STEP_S = 10
#: registers of a totaliser and seconds since the month began -> the registers that are read
Spoil = Callable[[Int64, Int64], Int64]


@dataclass(frozen=True)
class Told:
    """An alarm that was raised or cleared, at a second of the month."""

    second: int
    kind: str
    about: str
    what: str


class PlayedCounters:
    """One plant; `told` is what people would have been told of its totalisers."""

    def __init__(
        self,
        name: str,
        spoil: dict[str, Spoil] | None = None,
        *,
        interval_s: int = 1,
        pots: int = 0,
    ) -> None:
        scenario = load_any(name)
        of = {"points": pots + 60, "pots": pots} if pots else {"points": None, "pots": None}
        plant = month_plant(scenario, **of, seed=None, interval_s=interval_s)
        self.config = plant.configuration(bytes(32))
        self._interval_s = interval_s
        self._order = Order(plant, self.config, FROM_NS, 31, STEP_S, final=True)
        self._spoil = {self._row(point): of for point, of in (spoil or {}).items()}
        self.sums = LiveSums(self.config, FROM_NS, is_start=True)
        self.papers: Sequence[Paper] = ()
        self.told: list[Told] = []
        self._book, self._lately = Book(), Lately()

    def _row(self, point: str) -> tuple[int, int]:
        """Its group, and its row there."""
        number = next(n for n, one in enumerate(self.config["points"]) if one["id"] == point)
        for place, group in enumerate(self.config["groups"]):
            if number in group["points"]:
                return place, group["points"].index(number)
        raise LookupError(point)

    def play(self, seconds: int) -> "PlayedCounters":
        """From the month's first second on."""
        for block, second in self._blocks(seconds):
            self.sums.feed([block])
            self._look(second)
        return self

    def look_on(self, until_s: int) -> None:
        """Nothing more is counted; time goes on."""
        for second in range(self._second, until_s, STEP_S):
            self._look(second)

    def _blocks(self, seconds: int) -> Iterator[tuple[Block, int]]:
        source = self._order.plant.begin(FROM_NS)
        for hour, (body, _) in enumerate(hours(self._order, source)):
            (block,) = blocks_of(body)
            for at in range(0, HOUR_S, STEP_S):
                if hour * HOUR_S + at >= seconds:
                    return
                ticks = (n // self._interval_s for n in (at, at + STEP_S))
                yield self._spoilt(block.between(*ticks)), hour * HOUR_S + at + STEP_S

    def _spoilt(self, block: Block) -> Block:
        since_s = (block.ticks_ns - FROM_NS) // SECOND
        groups = []
        for group in block.groups:
            raw = group.raw
            for (place, row), of in self._spoil.items():
                if place == group.group:
                    raw = raw.copy()
                    read = of(np.rint(raw[row].astype(np.float64)).astype(np.int64), since_s)
                    raw[row] = read.astype(raw.dtype)
            groups.append(GroupBlock(group.group, raw, group.quality))
        return Block(block.schedule, block.ticks_ns, tuple(groups))

    def _look(self, second: int) -> None:
        self._second = second
        counters = counters_of(self.sums, self.papers, self._lately, LEAST_NS)
        rules, now_ns = default_rules(), FROM_NS + second * SECOND
        facts = PlantFacts("works", now_ns, self._snapshot(now_ns), counters=counters)
        signals = counter_signals(facts, rules)
        blind = blindness(facts, rules)
        for one in core.step(self._book, "works", signals, blind=blind, rules=rules, now_ns=now_ns):
            self.told.append(_told(one, second))

    def _snapshot(self, now_ns: int) -> dict[str, Any]:
        row = {"id": GATEWAY, "online": True, "received_ns": now_ns, "receipt_ns": now_ns,
               "interval_ns": self._interval_s * SECOND, "spool": None}  # fmt: skip
        points = {one["id"]: {"gateway": GATEWAY} for one in self.config["points"]}
        return {"gateways": [row], "points": points}

    def raised(self) -> list[tuple[str, str]]:
        """Kind and point of each alarm that was raised."""
        return [(one.kind, one.about) for one in self.told if one.what == What.RAISED]


def _told(one: Happening, second: int) -> Told:
    return Told(second, one.alarm.key.kind, one.alarm.key.about, one.what)
