"""Quarter-hours of readings: by hand, and whatever pieces they come in."""

import itertools
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block, GroupBlock
from edge.calc.screening.quarters import QUARTER_NS, Quarters
from evidence.quality import Quality
from tests.unit.edge.calc.screening.quick_month import FROM_NS, MINUTE_NS

_POINTS: list[dict[str, Any]] = [
    {"id": "rate", "quantity": {"kind": "power", "unit": "kW"}, "dtype": 69, "decimals": 1,
     "role": "gauge", "provenance": "meter-direct", "scaling": {"raw_decimals": 1}},
    {"id": "total", "quantity": {"kind": "energy", "unit": "kWh"}, "dtype": 69, "decimals": 0,
     "role": "totaliser", "provenance": "meter-direct"},
]  # fmt: skip
CONFIG = {
    "points": _POINTS,
    "schedules": [{"interval_ns": MINUTE_NS}],
    "groups": [{"schedule": 0, "dtype": 69, "computed": False, "points": [0, 1]}],
}


def folded(raw: Any, quality: Any, cuts: tuple[int, ...] = ()) -> Quarters:
    quarters = Quarters(FROM_NS, FROM_NS + 2 * QUARTER_NS)
    quarters.configure(CONFIG, ["total"])
    ticks = FROM_NS + np.arange(raw.shape[1], dtype=np.int64) * MINUTE_NS
    whole = Block(0, ticks, (GroupBlock(0, raw, quality),))
    edges = (0, *cuts, raw.shape[1])
    for first, last in itertools.pairwise(edges):
        quarters.feed([whole.between(first, last)])
    return quarters


def readings() -> tuple[Any, Any]:
    """Rate 10.0, 10.1, ... kW; one marked, one silent, one reserved. Total rises by two."""
    raw = np.stack([100 + np.arange(31), 50 + 2 * np.arange(31)]).astype("<u2")
    quality = np.zeros(raw.shape, dtype=np.uint8)
    quality[0, 3:6] = Quality.MAINTENANCE, Quality.NO_ANSWER, Quality.UNCERTAIN
    raw[0, 20] = raw[0, 19]
    return raw, quality


def test_by_hand() -> None:
    """The point a figure is made of comes first; a tick after the period is not looked at."""
    quarters = folded(*readings())
    assert [p.id for p in quarters.points] == ["total", "rate"]
    kept = quarters.kept
    assert kept.taken[:2].tolist() == [[15, 15], [15, 15]]
    assert kept.good[1].tolist() == [13, 15]
    assert kept.marked[1].tolist() == [1, 0]
    assert kept.reserved[1].tolist() == [1, 0]
    # 14 steps in a quarter, and one over the hole of two
    assert kept.pairs[:2].tolist() == [[14, 14], [12, 14]]
    assert kept.equal[1].tolist() == [0, 1]
    assert kept.sum[0].tolist() == [28, 30]
    assert kept.sum[1, 1] == pytest.approx(sum(11.5 + i / 10 for i in range(15)) - 0.1)
    assert quarters.extremes.values[1].tolist() == [129, 128]


@pytest.mark.parametrize("cuts", [(1,), (7, 8, 22), (15,), tuple(range(1, 30))])
def test_in_any_pieces(cuts: tuple[int, ...]) -> None:
    whole, pieces = folded(*readings()), folded(*readings(), cuts=cuts)
    for name in whole.kept.__dataclass_fields__:
        if name != "digits":  # a reading at the end of a piece has no step out of it
            np.testing.assert_allclose(
                getattr(pieces.kept, name), getattr(whole.kept, name), rtol=1e-6
            )
    assert (pieces.extremes.arrivals == whole.extremes.arrivals).all()


def test_prints_are_of_the_steps_alone() -> None:
    raw, quality = readings()
    quality[:] = 0
    higher, other = raw + np.uint16(7), raw.copy()
    other[0, 8:] += np.uint16(1)
    prints = [folded(one, quality).kept.print[1, 0] for one in (raw, higher, other)]
    assert prints[0] == prints[1] != prints[2]
