"""The potline beside its effects: noise, alumina term, taps, start-up, bridge, current."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from simulators.potline import BRIDGED, PRODUCING, START_UP
from simulators.scenario import Scenario
from tests.unit.simulators.smelters import NORMAL, QUICK, played, smelter


def quiet(**line: float) -> Scenario:
    """A line at plant pace without blockages, taps, slow current or noise: only what is asked."""
    figures = {"variation": 0.0, "noise_least_mv": 0.0, "noise_most_mv": 0.0, **line}
    return replace(
        NORMAL,
        line=replace(NORMAL.line, **figures),
        blockage=replace(NORMAL.blockage, per_pot_day=1e-9),
        tap=replace(NORMAL.tap, period_s=864000),
    )


def test_a_quiet_pot_by_hand() -> None:
    # 1.65 + 2.35 (all ohmic at set point) + 0.045 × (2.6 − 3.5)² = 4.03645 V
    run = played(10, quiet())
    assert run.voltage_v[-1, 0] == pytest.approx(4.03645, abs=1e-9)


def test_voltage_follows_current() -> None:
    # A set point of 460 kA with the current 1 % low takes 1 % of 2.35 V = 23.5 mV.
    plant = smelter(quiet()).plant
    plant.potline.step(-0.01)
    assert plant.potline.current_ka == pytest.approx(455.4)
    assert plant.potline.voltage_v[0] == pytest.approx(4.03645 - 0.0235, abs=1e-4)


def test_noise_is_between_five_and_thirty_millivolts() -> None:
    run = played(3000, quiet(noise_least_mv=5, noise_most_mv=30), pots=50)
    ids = run.plant.potline.state == PRODUCING
    rms_mv = run.voltage_v[:, ids].std(axis=0) * 1000
    assert 4.5 < rms_mv.min() < 10
    assert 25 < rms_mv.max() < 32


def test_voltage_rises_as_alumina_falls() -> None:
    """A blocked pot: by 1 % of alumina from 2.6 to 1.6 the term grows from 36 to 162 mV."""
    run = played(60, replace(QUICK, line=quiet().line))
    start = int(run.of_type("effect-start")[0]["t_s"].replace(".", ""))
    pot = int(run.of_type("effect-start")[0]["pot"]) - 1
    before = run.voltage_v[1:start, pot]
    assert np.all(np.diff(before) > 0)
    assert before[-1] - before[0] == pytest.approx(0.162 - 0.036, abs=0.01)


def test_a_tap_lowers_the_voltage_while_it_lasts() -> None:
    scenario = replace(quiet(), tap=replace(NORMAL.tap, period_s=220, duration_s=3))
    run = played(150, scenario)
    row = run.of_type("tap")[0]
    end, pot = int(row["t_s"].replace(".", "")), int(row["pot"]) - 1
    assert run.voltage_v[end - 1, pot] == pytest.approx(4.03645 - 0.3, abs=1e-6)
    assert run.voltage_v[end - 30, pot] == pytest.approx(4.03645 - 0.3, abs=1e-6)
    assert run.voltage_v[end - 31, pot] == pytest.approx(4.03645, abs=1e-6)
    assert run.voltage_v[end, pot] == pytest.approx(4.03645, abs=1e-6)


def test_one_starts_up_and_one_is_bridged() -> None:
    run = played(600)
    line = run.plant.potline
    assert (line.state == START_UP).sum() == 1
    assert (line.state == BRIDGED).sum() == 1
    assert (line.state == PRODUCING).sum() == 22
    hot_v = run.voltage_v[:, line.start_up_pot]
    assert hot_v.min() > 6
    assert hot_v.max() < 40
    assert np.ptp(hot_v) > 10
    assert np.abs(run.voltage_v[:, line.bridged_pot]).max() < 0.02


def test_the_start_up_pot_becomes_a_producing_one() -> None:
    scenario = replace(QUICK, start_up=replace(QUICK.start_up, hot_s=20, settle_s=10))
    run = played(3000, scenario)
    pot = run.plant.potline.start_up_pot
    change = [row for row in run.of_type("state") if row["t_s"] != "0.0"]
    assert change == [{"type": "state", "t_s": "30.0", "pot": f"{pot + 1:02}", "state": 1}]
    assert run.voltage_v[:200, pot].min() > 8.5
    # Below the threshold for ten seconds before it counts as producing: no false effect.
    assert run.voltage_v[200:300, pot].max() < 8
    assert run.voltage_v[300:340, pot].max() < 6
    assert f"{pot + 1:02}" in {row["pot"] for row in run.of_type("effect-start")}
    assert f"{pot + 1:02}" in {row["pot"] for row in run.of_type("tap")}


def test_the_start_up_pot_has_no_effects_before_it_produces() -> None:
    run = played(2000)
    pot = f"{run.plant.potline.start_up_pot + 1:02}"
    assert pot not in {row["pot"] for row in run.of_type("effect-start")}


@pytest.mark.parametrize("pots", [3, 7, 24, 400])
def test_any_number_of_pots(pots: int) -> None:
    plant = smelter(pots=pots).plant
    for _ in range(100):
        plant.step()
    gateway = plant.readings()["pot-gateway"]
    assert sum(name.endswith(".voltage") for name in gateway) == pots
    states = [value for name, value in gateway.items() if name.endswith(".state")]
    assert sorted(states) == [1] * (pots - 2) + [3, 5]


def test_more_pots_leave_the_services_as_they_are() -> None:
    """Each part has its own random numbers: a longer line changes no meter."""
    few, many = smelter(pots=5).plant, smelter(pots=50).plant
    for _ in range(200):
        few.step()
        many.step()
    assert few.readings()["ac-1"] == many.readings()["ac-1"]
    assert few.readings()["gas-1"] == many.readings()["gas-1"]


def test_the_quench_waits_for_the_controller() -> None:
    """Until the controller answers, alumina keeps falling; then it rises until the end."""
    plant = smelter().plant
    while not plant.potline.effects:
        plant.step()
    pot, effect = next(iter(plant.potline.effects.items()))
    kg = []
    while pot in plant.potline.effects and plant.potline.effects[pot] is effect:
        kg.append(float(plant.potline.alumina_kg[pot]))
        plant.step()
    turn = int(np.argmin(kg))
    assert turn in (19, 20)  # two seconds after the start
    assert np.all(np.diff(kg[: turn + 1]) < 0)
    assert np.all(np.diff(kg[turn:]) > 0)


def test_masses_do_not_depend_on_the_step() -> None:
    """Half the step, the same minute: the physics is in seconds, not in steps."""
    fine = replace(quiet(), step_s=Decimal("0.05"))
    coarse = played(600, quiet()).plant.potline
    assert played(1200, fine).plant.potline.metal_kg == pytest.approx(coarse.metal_kg)
