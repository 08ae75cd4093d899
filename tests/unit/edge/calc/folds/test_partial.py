"""A silent pot does not silence its potline: the figures speak of the other pots and say so."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block
from edge.calc.folds.live import PlantCalc
from evidence.counts import round_half_away
from evidence.quality import FIRST_BAD, Quality

S = 10**9
NOON = 1_781_496_000 * S  # 2026-06-15 12:00:00 +08:00
POTS = ("01", "02", "03")
#: metal of one producing pot, t/h at 460 kA: Faraday × current efficiency
METAL = Fraction("8.0537") * Fraction("94.5") / 100 / 24 / 1000 * 460

Bad = dict[str, list[int]]
Found = dict[str, tuple[int, int]]


@pytest.fixture
def found(config: dict[str, Any], make_block: Callable[..., Block]) -> Callable[[Bad], Found]:
    """Point -> (count, quality) at the last of five ticks; pot 01 is in an anode effect."""

    def run(bad: Bad) -> Found:
        values: dict[str, list[float]] = {f"pg.pot-{n}.voltage": [4.2] for n in POTS}
        values |= {f"pg.pot-{n}.state": [1.0] for n in POTS}
        values |= {"pg.pot-01.voltage": [30.0], "pg.line_current": [460.0]}
        slow = {"gas.flow": [3600.0], "ac.energy_import": [1000.0]}
        calc = PlantCalc(config)
        for second in range(5):
            blocks = [make_block(config, 0, [NOON + second * S], values, bad)]
            if second == 0:
                blocks.append(make_block(config, 1, [NOON], slow, {}))
            computed = calc.feed(blocks)
        pairs = zip(computed.counts[:, -1].tolist(), computed.quality[:, -1].tolist(), strict=True)
        return dict(zip([point.id for point in calc.points], pairs, strict=True))

    return run


def test_with_every_pot_everything_is_good(found: Callable[[Bad], Found]) -> None:
    values = found({})
    assert {quality for _, quality in values.values()} == {Quality.GOOD}
    assert values["line-1.metal_t_h"][0] == round_half_away(METAL * 3 * 10**6)


def test_a_pot_without_state_is_left_out_and_the_rest_is_partial(
    found: Callable[[Bad], Found],
) -> None:
    values = found({"pg.pot-02.state": [Quality.NO_ANSWER]})
    assert values["line-1.producing"] == (2, Quality.PARTIAL)
    assert values["line-1.effects_running"] == (1, Quality.PARTIAL)
    assert values["line-1.metal_t_h"] == (round_half_away(METAL * 2 * 10**6), Quality.PARTIAL)
    assert values["plant.co2e_t_h"][1] == Quality.PARTIAL
    assert values["plant.gas_co2_t_h"][1] == Quality.GOOD
    assert values["line-1.pot-02.effect"] == (0, Quality.NO_INPUT)


def test_a_pot_without_voltage_leaves_production_whole(found: Callable[[Bad], Found]) -> None:
    values = found({"pg.pot-02.voltage": [Quality.SENSOR_FAULT]})
    assert values["line-1.producing"] == (3, Quality.GOOD)
    assert values["plant.co2e_t_h"][1] == Quality.GOOD
    assert values["line-1.effects_running"] == (1, Quality.PARTIAL)
    assert values["line-1.cf4_now_kg_h"][1] == Quality.PARTIAL


def test_without_any_pot_there_is_no_value_and_never_a_zero(found: Callable[[Bad], Found]) -> None:
    values = found({f"pg.pot-{n}.state": [Quality.NOT_CONNECTED] for n in POTS})
    for name in ("line-1.producing", "line-1.metal_t_h", "plant.co2e_t_h"):
        assert values[name][1] == Quality.NO_INPUT


def test_a_whole_part_missing_takes_the_sum_with_it(found: Callable[[Bad], Found]) -> None:
    """A total without its gas is not a total of the others: nobody could tell it from a fall."""
    values = found({"pg.line_current": [Quality.NO_ANSWER]})
    assert values["plant.co2e_t_h"] == (0, Quality.NO_INPUT)
    assert values["line-1.producing"] == (3, Quality.GOOD)


def test_partial_is_a_usable_quality() -> None:
    assert Quality.PARTIAL < FIRST_BAD
    assert np.uint8(Quality.PARTIAL) == Quality.PARTIAL
