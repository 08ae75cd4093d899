"""One potline: its coefficients, its masks, its names."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block
from edge.calc.effects.pot import Effect
from edge.calc.effects.potline import PotEffect, Potline
from edge.calc.errors import PlantError
from edge.calc.inputs import Inputs, plant_points

S = 10**9
NOON = 1_781_496_000 * S
Config = dict[str, Any]


def line_of(config: Config) -> Potline:
    return Potline(config, config["potlines"][0], plant_points(config))


def test_metal_rate_is_faraday_times_efficiency(config: Config) -> None:
    """8.0537 kg/(kA·d) × 94.5 %, per count of 0.001 kA and pot, in t/h."""
    expected = Fraction("8.0537") * Fraction("0.945") / 24 / 1000 / 1000
    assert line_of(config).metal_t_h == expected


@pytest.mark.parametrize(("ka", "kg_a_day"), [(200, 1522), (460, 3501)])
def test_metal_of_a_pot_day(config: Config, ka: int, kg_a_day: int) -> None:
    """Reference values at 94.5 %: 200 kA makes 1522, 460 kA 3501 kg a cell-day."""
    rate = line_of(config).metal_t_h * ka * 1000  # t/h
    assert round(float(rate * 24 * 1000)) == kg_a_day


def test_a_current_in_amperes_gives_the_same_metal(config: Config) -> None:
    in_ka = line_of(config).metal_t_h
    for fields in config["points"]:
        if fields["id"] == "pg.line_current":
            fields["quantity"], fields["decimals"] = {"kind": "current", "unit": "A"}, 0
    assert line_of(config).metal_t_h == in_ka  # a count is 1 A either way


@pytest.mark.parametrize("efficiency", ["50", "94.5", "100"])
def test_efficiencies_that_are_percentages(config: Config, efficiency: str) -> None:
    config["potlines"][0]["current_efficiency_percent"] = efficiency
    assert line_of(config).metal_t_h > 0


@pytest.mark.parametrize("efficiency", ["0.945", "49.9", "100.1", "-94", "0"])
def test_efficiencies_that_are_not(config: Config, efficiency: str) -> None:
    config["potlines"][0]["current_efficiency_percent"] = efficiency
    with pytest.raises(PlantError, match="percentage between 50 and 100"):
        line_of(config)


def test_every_edition_and_gwp_set_can_be_chosen(config: Config) -> None:
    line = config["potlines"][0]
    for edition, technology in (("ipcc-2006", "VSS"), ("ndrc-2013", "CWPB"), ("ipcc-2019", "HSS")):
        for gwp in ("sar", "ar4", "ar5", "ar6"):
            line["technology"], line["indicator"] = technology, {"edition": edition, "gwp": gwp}
            assert line_of(config).indicator.co2e_t_per_kg > 5


def fed(
    config: Config, make_block: Callable[..., Block], values: dict[str, list[float]],
    bad: dict[str, list[int]] | None = None,
) -> Any:  # fmt: skip
    line = line_of(config)
    inputs = Inputs(config, line.point_ids)
    line.place(inputs)
    n = len(next(iter(values.values())))
    ticks = [NOON + k * S for k in range(n)]
    return line.feed(inputs.align(inputs.decode([make_block(config, 0, ticks, values, bad)])))


def test_masks_of_a_tick(config: Config, make_block: Callable[..., Block]) -> None:
    values = {
        "pg.pot-01.state": [1, 1, 1], "pg.pot-02.state": [1, 2, 1], "pg.pot-03.state": [5, 5, 5],
        "pg.line_current": [460.0, 460.0, 460.0],
    }  # fmt: skip
    bad = {"pg.pot-02.state": [0, 0, 128], "pg.pot-01.voltage": [0, 129, 0]}
    found = fed(config, make_block, values, bad)
    assert found.producing.tolist() == [2, 1, 1]
    assert found.states_known.tolist() == [[True] * 3, [True, True, False], [True] * 3]
    assert found.known.tolist() == [
        [True, False, True], [True, True, False], [True, True, True],
    ]  # fmt: skip
    assert found.current.tolist() == [460_000] * 3
    assert found.current_ok.all()


def test_an_effect_gets_the_names_of_its_pot_and_line(config: Config) -> None:
    effect = Effect(1, NOON, None, 3 * S, 62_400 * S, 25_000, 2, ("hole", "running"))
    found = line_of(config).named(effect)
    assert found == PotEffect("line-1", "02", effect, 3)
    assert found.as_map() == {
        "potline": "line-1", "pot": "02", "start_ns": NOON, "end_ns": None,
        "polarised_ns": 3 * S, "integral_v_s": "62.400000000000", "v_max": "25.000",
        "crossings": 2, "flags": ["hole", "running"],
    }  # fmt: skip


def test_an_effect_survives_its_list_form() -> None:
    effect = Effect(1, NOON, NOON + S, S, 5, 25_000, 1, ("hole",))
    assert Effect.from_list(effect.as_list()) == effect
    assert effect.as_list()[-1] == ["hole"]


@pytest.mark.parametrize(
    ("key", "value"), [("id", 5), ("technology", None), ("pots", "abc"), ("line_current", 7)]
)
def test_names_must_be_names(config: Config, key: str, value: object) -> None:
    config["potlines"][0][key] = value
    with pytest.raises((PlantError, TypeError)):
        line_of(config)


def test_quiet_pots_cost_no_state(config: Config, make_block: Callable[..., Block]) -> None:
    line = line_of(config)
    inputs = Inputs(config, line.point_ids)
    line.place(inputs)
    values = {f"pg.pot-{n}.state": [1] * 50 for n in ("01", "02", "03")}
    values |= {f"pg.pot-{n}.voltage": [4.2] * 50 for n in ("01", "02", "03")}
    ticks = [NOON + k * S for k in range(50)]
    line.feed(inputs.align(inputs.decode([make_block(config, 0, ticks, values)])))
    assert line.detector.snapshot()["busy"] == []
    assert np.asarray(line.detector.producing.total_ns).tolist() == [49 * S] * 3
