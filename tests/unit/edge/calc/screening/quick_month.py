"""A smelter's month made at once: the configuration of `sim month`, readings by numpy.

What the physics of simulators adds is measured elsewhere (tests/fraud/test_screened_months.py).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Block, GroupBlock
from edge.calc.folds.papers import Paper
from edge.calc.screening.month import Balance, Change, ScreenedMonth
from edge.calc.screening.quarters import Quarters
from evidence.screen.reader import used_points
from simulators.month_plants import month_plant
from simulators.plants import load_any

MINUTE_NS, DAY = 60 * 10**9, 1440
FROM_NS = 1_780_243_200 * 10**9  # 2026-06-01 in China
PURE_METAL_KG_KAH = 8.0537 / 24  # Faraday's law, rule set physics


_POTS = [f"pot-{number:03}.voltage" for number in (1, 2, 3)]
_KEPT = {
    "line.current", "gas.flow", "ac.power", "line.metal", "gas.volume", "ac.energy", *_POTS
}  # fmt: skip


@cache
def _configuration() -> dict[str, Any]:
    """Three pots, and what belongs to figures; the rest only takes time."""
    plant = month_plant(load_any("smelter-normal"), points=50, pots=12, seed=1, interval_s=60)
    config = plant.configuration(bytes(32))
    points = config["points"]
    for group in config["groups"]:
        group["points"] = [i for i in group["points"] if points[i]["id"] in _KEPT]
    config["groups"] = [group for group in config["groups"] if group["points"]]
    line = config["potlines"][0]
    line["pots"] = [pot for pot in line["pots"] if pot["voltage"] in _POTS]
    return config


class Month:
    """Readings that may be bent before they are looked at.

    Attributes:
        raw, quality: point id -> [minutes].
        config: of all of it.
    """

    def __init__(self, seed: int, days: int = 30) -> None:
        self.config = copy.deepcopy(_configuration())
        self.days, rng = days, np.random.default_rng(seed)
        n = days * DAY
        slow = np.interp(np.arange(n), np.arange(0, n + 240, 240), rng.uniform(-1, 1, n // 240 + 1))
        current = 460 * (1 + 0.01 * slow) + rng.normal(0, 0.2, n)
        volts = [4.1 + rng.normal(0, 0.02, n) for _ in _POTS]
        flow = 900 + 150 * slow + rng.normal(0, 3, n)
        power = 1.06 * current * sum(volts) + rng.normal(0, 50, n)
        metal = current * len(_POTS) * PURE_METAL_KG_KAH * 0.94
        self.raw: dict[str, npt.NDArray[Any]] = {
            "line.current": current, "gas.flow": flow, "ac.power": power,
            **dict(zip(_POTS, volts, strict=True)),
            **{
                name: 1e6 + np.cumsum(rate) / 60
                for name, rate in (
                    ("line.metal", metal), ("gas.volume", flow), ("ac.energy", power)
                )
            },
        }  # fmt: skip
        self.quality = {name: np.zeros(n, dtype=np.uint8) for name in self.raw}

    def block(self, config: Mapping[str, Any], at_ns: int, first: int, last: int) -> Block:
        """Readings of some days by a configuration of these points."""
        ids, cut = [point["id"] for point in config["points"]], slice(first * DAY, last * DAY)
        groups = tuple(
            GroupBlock(
                g,
                np.stack([self.raw[ids[i]][cut] for i in group["points"]]).astype(
                    _TYPES[group["dtype"]]
                ),
                np.stack([self.quality[ids[i]][cut] for i in group["points"]]),
            )
            for g, group in enumerate(config["groups"])
            if not group["computed"]
        )
        return Block(0, at_ns + np.arange(cut.start, cut.stop, dtype=np.int64) * MINUTE_NS, groups)

    def screened(
        self, plant: str = "smelter-a", month: str = "2026-06", *, at_ns: int = FROM_NS,
        statement: Mapping[str, Any] | None = None, papers: Sequence[Paper] = (),
        changes: Sequence[Change] = (), balances: Sequence[Balance] = (),
        clock_steps_ns: Sequence[int] = (),
    ) -> ScreenedMonth:  # fmt: skip
        """As the questions look at it."""
        to_ns = at_ns + self.days * DAY * MINUTE_NS
        quarters = Quarters(at_ns, to_ns)
        quarters.configure(self.config, list(used_points(self.config)))
        quarters.feed([self.block(self.config, at_ns, 0, self.days)])
        given = statement or {"input": {}, "output": {}}
        return ScreenedMonth(
            plant, month, at_ns, to_ns, self.config, quarters, given, tuple(changes),
            tuple(clock_steps_ns), papers, balances,
        )  # fmt: skip


_TYPES = {69: "<u2", 77: "<i2", 70: "<u4", 85: "<f4", 64: "<u1"}


def bent(seed: int, bend: Callable[[Month], None], days: int = 30) -> Month:
    """A month of which one thing was made up."""
    month = Month(seed, days)
    bend(month)
    return month


def peaks(values: npt.NDArray[Any], count: int, seed: int = 1) -> list[int]:
    """Minutes at which the load is in its highest twentieth."""
    high = np.flatnonzero(values > np.quantile(values, 0.95))
    return sorted(np.random.default_rng(seed).choice(high, count, replace=False).tolist())
