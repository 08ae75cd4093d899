"""A smelter's simulated month: which points it has, and what its statement is made of.

A large plant. Of 500 points, 275 are 12-bit transmitters, 125 are analogue inputs of a controller
(0..27648), 50 are 32-bit floats (pot voltages and line current among them), 25 are counters and 25
are states; other numbers of points are shared out alike. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.points import Dtype, Point, Quantity, Role, Scaling
from simulators.month_config import Described, MonthDevice, Said

LINE, RULES = "line-1", "cets-ag-04.01-v01-2024"
DEVICES = 12
#: floats that are no pot voltages: line current and voltage, gas flow, power, and others
OTHER_FLOATS, OTHER_FLOATS_LEAST = 26, 4
COUNTERS_LEAST = 3  # metal, gas, energy
POINTS_LIMITS = (50, 5000)

_STATES = (
    (0, "unknown"), (1, "producing"), (2, "baking"), (3, "start-up"), (4, "abnormal"),
    (5, "bridged"), (6, "stopped"),
)  # fmt: skip
_GAS = {"reference": "0C-101.325kPa", "moisture": "dry"}


@dataclass(frozen=True)
class Mix:
    """How many points of each kind; `fit` makes one."""

    pots: int
    narrow: int  # 12-bit, u16
    wide: int  # 0..27648, i16
    counters: int  # u32
    states: int  # u8
    other_floats: int = OTHER_FLOATS

    @property
    def floats(self) -> int:
        """32-bit floats, pot voltages first."""
        return self.pots + self.other_floats

    @property
    def points(self) -> int:
        """All measured points."""
        return self.narrow + self.wide + self.floats + self.counters + self.states

    @classmethod
    def fit(cls, points: int, pots: int) -> "Mix":
        """Share out `points`; ValueError when so many pots leave no room for the rest."""
        few = max(COUNTERS_LEAST, points // 20)
        rest = points - pots - OTHER_FLOATS - 2 * few
        others = OTHER_FLOATS
        if rest < 2:  # a small plant has few floats beside its pots
            others = max(OTHER_FLOATS_LEAST, OTHER_FLOATS + rest - 2)
            rest = points - pots - others - 2 * few
        if rest < 2:
            raise ValueError(f"{pots} pots do not fit into {points} points: give more points")
        narrow = round(rest * 275 / 400)
        return cls(pots, narrow, rest - narrow, few, few, others)


def described(mix: Mix, plant: str, interval_s: int) -> Described:
    """The plant of a mix of points, by its id, read every so many seconds."""
    stations = [
        MonthDevice(f"station-{n + 1:02}", "stackproof/sim-month", "1", "via-control-system")
        for n in range(DEVICES)
    ]
    return Described(
        plant=plant, said=Said("Simulated smelter", "aluminium", RULES, _statement()),
        interval_s=interval_s, devices=stations, groups=_groups(mix),
        potlines=[_potline(mix, interval_s)],
    )  # fmt: skip


def _groups(mix: Mix) -> list[tuple[Dtype, list[Point]]]:
    """Number type and points of each measured group, in order."""
    temperature, pressure = Quantity("temperature", "degC"), Quantity("pressure", "kPa")
    narrow = [
        Point(f"temperature-{n:04}", temperature, Dtype.U16, 1, scaling=Scaling(scale="0.25"))
        for n in range(mix.narrow)
    ]
    wide = [
        Point(f"pressure-{n:04}", pressure, Dtype.I16, 2, scaling=Scaling(scale="600/27648"))
        for n in range(mix.wide)
    ]
    volts = [Point(voltage_id(n), Quantity("voltage", "V"), Dtype.F32, 4) for n in range(mix.pots)]
    known = [
        Point("line.current", Quantity("current", "kA"), Dtype.F32, 3),
        Point("line.voltage", Quantity("voltage", "V"), Dtype.F32, 2),
        Point("gas.flow", Quantity("gas-flow", "Nm3/h", **_GAS), Dtype.F32, 1),
        Point("ac.power", Quantity("power", "kW"), Dtype.F32, 1),
    ]
    others = [
        Point(f"flow-{n:04}", Quantity("mass-flow", "t/h"), Dtype.F32, 4)
        for n in range(mix.other_floats - len(known))
    ]
    counters = [
        Point("line.metal", Quantity("mass", "kg"), Dtype.U32, 0, Role.TOTALISER),
        Point("gas.volume", Quantity("gas-volume", "Nm3", **_GAS), Dtype.U32, 0, Role.TOTALISER),
        Point("ac.energy", Quantity("energy", "kWh"), Dtype.U32, 0, Role.TOTALISER),
    ]
    counters += [
        Point(f"mass-{n:04}", Quantity("mass", "kg"), Dtype.U32, 0, Role.TOTALISER)
        for n in range(mix.counters - len(counters))
    ]
    states = [
        Point(state_id(n), Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=_STATES)
        for n in range(mix.states)
    ]
    return [
        (Dtype.U16, narrow), (Dtype.I16, wide), (Dtype.F32, [*volts, *known, *others]),
        (Dtype.U32, counters), (Dtype.U8, states),
    ]  # fmt: skip


def voltage_id(pot: int) -> str:
    """Point id of a pot's voltage, 0-based."""
    return f"pot-{pot + 1:03}.voltage"


def state_id(number: int) -> str:
    """Point id of a state, 0-based."""
    return f"section-{number + 1:03}.state"


def _potline(mix: Mix, interval_s: int) -> Mapping[str, Any]:
    """All pots; where there are more pots than states, pots of one section share one.

    Two effects cannot be told apart by readings that lie further apart than they do.
    """
    merge_s = max(10, interval_s + interval_s // 2)
    sections = max(1, -(-mix.pots // mix.states))
    return {
        "id": LINE, "line_current": "line.current",
        "pots": [
            {"id": f"{n + 1:03}", "voltage": voltage_id(n), "state": state_id(n // sections)}
            for n in range(mix.pots)
        ],
        "technology": "PFPB-M", "current_efficiency_percent": "94.5",
        "anode_effect": {
            "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
            "t_merge_s": str(merge_s), "mode": "positive", "target_v": "4.2",
        },
        "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
    }  # fmt: skip


def _statement() -> Mapping[str, Any]:
    return {
        "metal": {"point": "line.metal", "rule": "totaliser"},
        "anode": {"gross_kg_per_t": "469", "source": "typed for the simulated month"},
        "fuels": [{
            "kind": "natural-gas", "point": "gas.volume", "rule": "totaliser",
            "flow_point": "gas.flow",
        }],
        "auxiliary": [{
            "kind": "electricity", "point": "ac.energy", "rule": "totaliser",
            "power_point": "ac.power",
        }],
    }  # fmt: skip
