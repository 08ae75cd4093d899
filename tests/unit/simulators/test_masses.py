"""Masses and energies: what goes in comes out, by laws and sums made here again."""

import math
from decimal import Decimal

import numpy as np
import pytest

from simulators.faraday import ALUMINA_KG_KG, METAL_KG_KAH
from tests.unit.simulators.smelters import QUICK, Played, played, smelter

STEPS = 6000


@pytest.fixture(scope="module")
def run() -> Played:
    return played(STEPS, seed=7)


class TestFaraday:
    """The two constants, against published figures."""

    def test_metal_of_a_kiloampere_day(self) -> None:
        # 8.0537 kg Al a kA-day at full efficiency (usual textbook figure).
        assert round(METAL_KG_KAH * 24, 3) == pytest.approx(8.054, abs=0.001)

    def test_metal_of_a_pot_day(self) -> None:
        # 175 kA at 93 %: a published course exercise gives 1312 kg a pot-day, rounded inputs.
        metal_kg = METAL_KG_KAH * 175 * 24 * 0.93
        assert metal_kg == pytest.approx(1312, rel=0.002)

    def test_alumina_of_a_tonne(self) -> None:
        # 2 Al2O3 -> 4 Al: 101.9613 / (2 × 26.98154) = 1.889 t of alumina a t of aluminium.
        assert round(ALUMINA_KG_KG, 3) == 1.889


def test_metal_is_current_times_time(run: Played) -> None:
    """Sum of current over the steps, in kiloampere-hours, times Faraday and efficiency."""
    kah = math.fsum(run.current_ka[1:].tolist()) * 0.1 / 3600
    wanted = kah * 0.335573 * 0.945
    made = run.plant.potline.metal_kg
    for pot in range(24):
        if pot in (run.plant.potline.start_up_pot, run.plant.potline.bridged_pot):
            assert made[pot] == 0
        else:
            assert made[pot] == pytest.approx(wanted, rel=1e-5)


def test_alumina_balance_closes_pot_by_pot(run: Played) -> None:
    line = run.plant.potline
    start_kg = 30 * 2.6 / 100
    left = start_kg + line.fed_kg - line.metal_kg * ALUMINA_KG_KG
    assert np.allclose(left, line.alumina_kg, rtol=0, atol=1e-9)
    assert line.alumina_kg.min() > 0


def test_metal_balance_closes_in_the_truth(run: Played) -> None:
    first, *_, last = run.of_type("totals")
    made = Decimal(last["metal_made_kg"]) - Decimal(first["metal_made_kg"])
    tapped = Decimal(last["metal_tapped_kg"]) - Decimal(first["metal_tapped_kg"])
    held = Decimal(last["metal_held_kg"]) - Decimal(first["metal_held_kg"])
    assert abs(made - tapped - held) <= Decimal("0.002")
    assert made > 400
    assert tapped > 400


def test_alumina_balance_closes_in_the_truth(run: Played) -> None:
    first, *_, last = run.of_type("totals")
    change = {
        key: Decimal(last[key]) - Decimal(first[key])
        for key in ("alumina_fed_kg", "metal_made_kg", "alumina_kg")
    }
    used = change["metal_made_kg"] * Decimal("1.88944")
    assert abs(change["alumina_fed_kg"] - used - change["alumina_kg"]) < Decimal("0.05")


def test_pots_add_up_to_the_line(run: Played) -> None:
    last = run.of_type("totals")[-1]
    assert len(last["pot_metal_made_kg"]) == 22
    total = sum(Decimal(kg) for kg in last["pot_metal_made_kg"].values())
    assert abs(total - Decimal(last["metal_made_kg"])) <= Decimal("0.02")


def test_taps_add_up_to_the_counter(run: Played) -> None:
    counter = int(QUICK.tap.start_kg)
    for row in run.of_type("tap"):
        counter += int(row["metal_kg"])
        assert row["metal_tapped_kg"] == str(counter)
    assert run.plant.readings()["pot-gateway"]["metal_tapped"] == Decimal(counter) / 1000


def test_every_producing_pot_is_tapped_in_turn(run: Played) -> None:
    pots = [row["pot"] for row in run.of_type("tap")]
    # A period of two minutes for 22 pots, ten minutes played.
    assert len(pots) == pytest.approx(5 * 22, abs=3)
    assert {pots.count(pot) for pot in set(pots)} <= {4, 5}
    assert len(set(pots)) == 22


def test_direct_current_energy_is_the_integral(run: Played) -> None:
    volts = run.voltage_v.sum(axis=1) + 24 * QUICK.line.busbar_v
    kwh = math.fsum((volts[:-1] * run.current_ka[:-1]).tolist()) * 0.1 / 3600
    assert float(run.of_type("totals")[-1]["dc_energy_kwh"]) == pytest.approx(kwh, abs=0.001)


def test_line_voltage_is_the_sum_of_the_pots(run: Played) -> None:
    readings = run.plant.readings()["pot-gateway"]
    pots = [float(readings[f"pot-{n:02}.voltage"]) for n in range(1, 25)]
    assert float(readings["line_voltage"]) == pytest.approx(math.fsum(pots) + 24 * 0.15)


def test_counters_of_meters_are_the_integrals() -> None:
    plant = smelter(seed=3).plant
    energy, volume = Decimal("12345678.4"), Decimal("8214553.25")
    for _ in range(3000):
        readings = plant.readings()
        energy += Decimal(readings["ac-1"]["power"]) / 36000
        volume += Decimal(readings["gas-1"]["flow"]) / 36000
        plant.step()
    readings = plant.readings()
    assert readings["ac-1"]["energy_import"] == pytest.approx(float(energy), abs=1e-5)
    assert readings["gas-1"]["volume"] == pytest.approx(float(volume), abs=1e-5)
    assert energy > Decimal("12345678.4") + 270  # 3.4 MW at least, five minutes
    assert volume > Decimal("8214553.25") + 58


def test_phases_add_up_to_the_power() -> None:
    plant = smelter(seed=4).plant
    for _ in range(500):
        plant.step()
    ac = plant.readings()["ac-1"]
    watts = sum(float(ac[f"voltage_l{p}"]) * float(ac[f"current_l{p}"]) * 0.92 for p in (1, 2, 3))
    assert watts / 1000 == pytest.approx(ac["power"])
    assert len({ac[f"current_l{p}"] for p in (1, 2, 3)}) == 3


def test_services_stay_in_their_ranges_and_move() -> None:
    plant = smelter(seed=5).plant
    seen: dict[str, list[float]] = {}
    for _ in range(3000):
        plant.step()
        readings = {**plant.readings()["ac-1"], **plant.readings()["gas-1"]}
        for name, value in readings.items():
            seen.setdefault(name, []).append(float(value))
    for name, low, high in [
        ("power", 3400, 3800), ("frequency", 49.97, 50.03), ("flow", 700, 1100),
        ("temperature", 18, 24), ("pressure", 395, 405), ("voltage_l2", 5738, 5809),
    ]:  # fmt: skip
        assert low <= min(seen[name]) < max(seen[name]) <= high, name
