"""A kiln and a steelworks of a few meters, all read every second, and two readings of each."""

from collections.abc import Mapping
from typing import Any

from edge.calc.folds.live import PlantCalc, computed_points
from edge.calc.folds.month import MonthFold
from evidence.points import Dtype, Point, Quantity, Role
from tests.unit.edge.calc.conftest import NOON, SECOND, block

Config = dict[str, Any]
GAS = {"reference": "0C-101.325kPa", "moisture": "dry"}


def total(name: str) -> Point:
    """A totaliser of tonnes."""
    return Point(name, Quantity("mass", "t"), Dtype.F64, 2, Role.TOTALISER)


def flow(name: str) -> Point:
    """A flow of tonnes an hour."""
    return Point(name, Quantity("mass-flow", "t/h"), Dtype.F64, 3)


def gas_flow(name: str) -> Point:
    """A flow of dry gas at 0 °C."""
    return Point(name, Quantity("gas-flow", "Nm3/h", **GAS), Dtype.F64, 0)


def _entry(name: str, **words: str) -> Config:
    return {**words, "rule": "totaliser", "point": f"{name}.total", "flow_point": f"{name}.flow"}


def _config(sector: str, rules: str, points: list[Point], statement: Config) -> Config:
    return {
        "format": 1,
        "plant": {
            "id": "p1", "name": "Test works", "sector": sector,
            "time_zone": "Asia/Shanghai", "rule_set": rules, "simulated": True,
        },
        "schedules": [{"interval_ns": SECOND}],
        "points": [point.as_map() for point in points],
        "groups": [{"schedule": 0, "dtype": Dtype.F64.value, "computed": False,
                    "points": list(range(len(points)))}],
        "potlines": [],
        "statement": statement,
    }  # fmt: skip


def kiln() -> Config:
    """Coal and bought slag with flows, a weighed kiln feed, no clinker meter."""
    points = [total("coal.total"), flow("coal.flow"), total("slag.bought"), flow("slag.flow"),
              flow("meal.feed"), total("clinker.total"), flow("clinker.flow")]  # fmt: skip
    statement = {
        "fuels": [_entry("coal", kind="bituminous", use="kiln", unit="kiln-1")],
        "substitutes": [{
            "kind": "电石渣", "rule": "totaliser", "purchased": "slag.bought",
            "purchased_flow": "slag.flow",
        }],
        "kiln_feed": {
            "kind": "portland", "flow_point": "meal.feed", "meal_per_clinker": "1.55",
            "source": "typed in a test",
        },
    }  # fmt: skip
    return _config("cement", "cets-ag-02.01-v01-2024", points, statement)


def with_clinker(config: Config) -> Config:
    """The kiln with a clinker weigher, which is the output too."""
    config["statement"]["clinker"] = [_entry("clinker", kind="portland")]
    config["statement"]["output"] = {"point": "clinker.total", "rule": "totaliser"}
    return config


def steelworks() -> Config:
    """Coking coal bought and coke sold, electrodes, steel; two gases that burn."""
    points = [
        total("coal.bought"), flow("coal.flow"), total("coke.sold"), flow("coke.flow"),
        total("rods.total"), flow("rods.flow"), total("steel.total"), flow("steel.flow"),
        gas_flow("bfg.flow"), gas_flow("ng.flow"),
    ]  # fmt: skip
    statement = {
        "fuels": [
            {"kind": "washed-coal", "rule": "totaliser", "purchased": "coal.bought",
             "purchased_flow": "coal.flow"},
            {"kind": "coke", "rule": "totaliser", "output": "coke.sold",
             "output_flow": "coke.flow"},
        ],
        "process": [_entry("rods", material="electrode")],
        "products": [_entry("steel", product="crude-steel")],
        "output": {"point": "steel.total", "rule": "totaliser"},
        "burnt": [
            {"kind": "blast-furnace-gas", "flow_point": "bfg.flow"},
            {"kind": "natural-gas", "flow_point": "ng.flow"},
        ],
    }  # fmt: skip
    return _config("steel", "cets-ag-03.01-v01-2024", points, statement)


#: what the meters show at first and at last, and what flows
KILN = {
    "coal.total": (1000, 1100), "coal.flow": (12, 12), "slag.bought": (0, 50), "slag.flow": (5, 5),
    "meal.feed": (341, 341), "clinker.total": (20_000, 21_000), "clinker.flow": (220, 220),
}  # fmt: skip
STEELWORKS = {
    "coal.bought": (500, 1500), "coal.flow": (60, 60), "coke.sold": (0, 100), "coke.flow": (6, 6),
    "rods.total": (1, 11), "rods.flow": (0.5, 0.5), "steel.total": (0, 2000),
    "steel.flow": (120, 120), "bfg.flow": (300_000, 300_000), "ng.flow": (5000, 5000),
}  # fmt: skip
Shown = Mapping[str, tuple[float, float]]


def month(config: Config, shown: Shown, bad: Mapping[str, list[int]] | None = None) -> Config:
    """The statement's input of two ticks, a second apart; `bad` gives quality codes."""
    fold = MonthFold()
    fold.configure(config)
    fold.feed([block(config, 0, [NOON, NOON + SECOND], shown, bad)])
    return fold.result(NOON, NOON + 2 * SECOND, "interim")


def live(
    config: Config, shown: Shown, bad: Mapping[str, list[int]] | None = None
) -> dict[str, tuple[int, int]]:
    """(count, quality) of each computed point at the first of the two ticks."""
    made = PlantCalc(config).feed([block(config, 0, [NOON, NOON + SECOND], shown, bad)])
    return {
        point.id: (int(made.counts[row, 0]), int(made.quality[row, 0]))
        for row, point in enumerate(computed_points(config))
    }
