"""A potline's month at 1 Hz, fed to the month's fold: what that spends. Prints one JSON object.

    python -m tests.bench.load.pot_month POTS DAYS SECONDS_A_CALL

Voltages are made a piece at a time and thrown away. Counted are the CPU seconds of the fold alone
(states, detection, producing time and time outside), and, of the same samples, those of one numpy
comparison: what nobody can do without. Effects are laid where they can be told afterwards.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.effects.potline import Potline
from edge.calc.folds.month_line import MonthLine
from edge.calc.folds.month_plan import LinePlan
from edge.calc.inputs import Inputs, Readings, plant_points
from evidence.points import Dtype, Point, Quantity, Role
from tests.bench.load.spent import spent

S, DAY_S, PIECE_S = 10**9, 86_400, 600
START_S = 1_782_835_200  # 2026-07-01 00:00 in Shanghai
EFFECTS_A_POT_DAY = 0.2
SHORTEST_S, LONGEST_S = 20, 180
#: pots of their own: one is not read on days 2 and 3, two are stopped, one starts up for 3 days
UNREAD, STOPPED, STARTING = 0, (1, 2), 3
LOSSY, QUIET = 20, 4  # pots 4 to 19 lose a sample now and then; effects are laid from pot 20 on
_STATES = ((0, "unknown"), (1, "producing"), (3, "start-up"), (6, "stopped"))


def configuration(pots: int) -> dict[str, Any]:
    """A plant of one potline and nothing else; states are read pot by pot."""
    names = [f"{n + 1:03}" for n in range(pots)]
    state = Quantity("state", "1")
    points = [Point(f"{n}.v", Quantity("voltage", "V"), Dtype.F32, 3) for n in names]
    points += [Point(f"{n}.s", state, Dtype.U8, 0, Role.STATE, states=_STATES) for n in names]
    points.append(Point("current", Quantity("current", "kA"), Dtype.F32, 3))
    return {
        "plant": {"rule_set": "cets-ag-04.01-v01-2024"},
        "schedules": [{"interval_ns": S}],
        "points": [point.as_map() for point in points],
        "groups": [{"schedule": 0, "computed": False, "points": list(range(len(points)))}],
        "potlines": [{
            "id": "line-1", "line_current": "current", "technology": "PFPB-M",
            "pots": [{"id": n, "voltage": f"{n}.v", "state": f"{n}.s"} for n in names],
            "current_efficiency_percent": "94.5",
            "anode_effect": {
                "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
                "t_merge_s": "10", "mode": "positive", "target_v": "4.2",
            },
            "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
        }],
    }  # fmt: skip


def potline(config: dict[str, Any]) -> MonthLine:
    """Its month."""
    points, maps = plant_points(config), {p["id"]: p for p in config["points"]}
    (fields,) = config["potlines"]
    line = Potline(config, fields, points)
    line.place(Inputs(config, line.point_ids))
    return MonthLine(LinePlan(line, fields, tuple(maps[p] for p in line.point_ids)))


@dataclass
class Laid:
    """An effect: from a second of the month until before another."""

    pot: int
    from_s: int
    to_s: int


class Signals:
    """What is read, one piece after the other.

    Attributes:
        laid, polarised_s: effects so far, and how long they are until the end of the month.
    """

    def __init__(self, pots: int, days: int) -> None:
        self._rng = np.random.default_rng(7)
        self._pots, self._end_s = pots, days * DAY_S
        noise = self._rng.normal(4200, 40, (pots, 2 * PIECE_S))
        self._noise = noise.astype(np.int64)
        self._going_on: list[Laid] = []
        self._busy_until_s = [0] * pots
        self.laid = self.polarised_s = 0

    def piece(self, at_s: int) -> Readings:
        """The readings of the seconds from `at_s` on."""
        rng, pots = self._rng, self._pots
        counts = np.ones((2 * pots + 1, PIECE_S), dtype=np.int64)
        ok = np.ones(counts.shape, dtype=bool)
        first = int(rng.integers(PIECE_S))
        volts, states = counts[:pots], counts[pots : 2 * pots]
        volts[:] = self._noise[:, first : first + PIECE_S]
        if DAY_S <= at_s < 3 * DAY_S:
            ok[UNREAD] = False
        states[list(STOPPED)], volts[list(STOPPED)] = 6, 300
        if at_s < 3 * DAY_S:
            states[STARTING], volts[STARTING] = 3, 12_000
        if rng.random() < 0.3:
            ok[rng.integers(QUIET, LOSSY), rng.integers(PIECE_S)] = False
        self._lay(at_s)
        for effect in self._going_on:
            place = slice(max(0, effect.from_s - at_s), min(PIECE_S, effect.to_s - at_s))
            hot = volts[effect.pot, place]
            hot[:] = rng.integers(15_000, 40_000, len(hot))
        self._going_on = [e for e in self._going_on if e.to_s > at_s + PIECE_S]
        ticks = (START_S + at_s + np.arange(PIECE_S, dtype=np.int64)) * S
        return Readings(ticks, counts, ok)

    def _lay(self, at_s: int) -> None:
        rate = EFFECTS_A_POT_DAY * (self._pots - LOSSY) * PIECE_S / DAY_S
        for _ in range(self._rng.poisson(rate)):
            pot = int(self._rng.integers(LOSSY, self._pots))
            from_s = at_s + int(self._rng.integers(PIECE_S - 10))
            if from_s <= self._busy_until_s[pot]:
                continue
            to_s = from_s + int(self._rng.integers(SHORTEST_S, LONGEST_S))
            self._busy_until_s[pot] = to_s + 60
            self._going_on.append(Laid(pot, from_s, to_s))
            self.laid += 1
            self.polarised_s += min(to_s, self._end_s - 1) - from_s


def main(argv: list[str]) -> int:
    """Feed and print."""
    pots, days, seconds = map(int, argv)
    signals, month = Signals(pots, days), potline(configuration(pots))
    feeding_s = floor_s = 0.0
    first_day_mb = 0.0
    for at_s in range(0, days * DAY_S, PIECE_S):
        whole = signals.piece(at_s)
        for first in range(0, PIECE_S, seconds):
            part = slice(first, first + seconds)
            readings = Readings(
                whole.ticks_ns[part],
                np.ascontiguousarray(whole.counts[:, part]),
                np.ascontiguousarray(whole.ok[:, part]),
            )
            began_s = time.process_time()
            month.feed(readings)
            fed_s = time.process_time()
            (readings.counts[:pots] >= 8000).any()
            floor_s += time.process_time() - fed_s
            feeding_s += fed_s - began_s
        if at_s < DAY_S:
            first_day_mb = spent(os.getpid()).peak_mb
    found = month.as_map(at_month_end=True)
    print(json.dumps({
        "samples": pots * days * DAY_S, "cpu_s": feeding_s, "floor_s": floor_s,
        "laid": signals.laid, "found": found["effect_count"],
        "laid_s": signals.polarised_s, "found_s": int(found["polarised_s"]),
        "first_day_mb": first_day_mb, "peak_mb": spent(os.getpid()).peak_mb,
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
