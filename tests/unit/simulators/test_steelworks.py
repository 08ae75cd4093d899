"""The steelworks in its details: vapour, heats, holders, what is shown, its scenario file."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from firmware_configs.profile import load_profile
from simulators.plants import load_any
from simulators.rhythm import OFF, ON
from simulators.scenario import FOLDER, ScenarioError
from simulators.steelworks.heats import CHARGING, TAPPING, WORKING
from simulators.steelworks.vapour import saturation_mpa
from tests.unit.simulators.works import WORKS, ten_minutes, works

TEXT = (FOLDER / "steelworks.toml").read_text(encoding="utf-8")
GAS_METERS = ("bf-gas", "co-gas", "converter-gas")


def test_same_seed_same_bytes_and_another_seed_others() -> None:
    assert works(300, seed=4).text() == works(300, seed=4).text()
    assert works(300, seed=4).text() != works(300, seed=5).text()


def test_a_longer_run_only_has_more_lines() -> None:
    short, long = works(300), works(600)
    before_end = short.text().rpartition('{"type":"end"')[0]
    assert long.text().startswith(before_end)


# -- vapour ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milli_c", "kpa", "rel"),
    [
        (10, 0.611657, 2e-6),       # IAPWS SR1-86(1992), table 1: 273.16 K
        (99_974, 101.325, 1e-4),    # the same: 373.1243 K, here cut to a thousandth
        (25_000, 3.1699, 1e-4),     # steam tables (IAPWS-95)
        (40_000, 7.3849, 1e-4),
        (60_000, 19.946, 1e-4),
    ],
)  # fmt: skip
def test_saturation_pressure(milli_c: int, kpa: float, rel: float) -> None:
    assert saturation_mpa(milli_c) / 1e6 == pytest.approx(kpa, rel=rel)


@pytest.mark.parametrize("device", GAS_METERS)
def test_a_gas_meter_shows_wet_gas(device: str) -> None:
    """By the ideal gas law; what is dry of it, by the vapour's share, is what the truth made."""
    run = ten_minutes(1)
    shown = {name: float(value) for name, value in run.plant.readings()[device].items()}
    kelvin, kpa = 273.15 + shown["temperature"], shown["pressure"]
    normal = shown["flow_actual"] * (273.15 / kelvin) * (kpa / 101.325)
    assert shown["flow"] == pytest.approx(normal, rel=2e-5)
    line = run.plant.networks[device.replace("bf", "blast_furnace").replace(
        "co-", "coke_oven-").replace("-", "_")]  # fmt: skip
    vapour = saturation_mpa(round(shown["temperature"] * 1000)) / 1e6 / kpa
    wet, dry = line.clean.wet_mmol, line.clean.dry_mmol
    assert dry == pytest.approx(wet * (1 - vapour), abs=1.5)  # vapour is cut off to whole mmol
    assert wet == 0 or 0.02 < vapour < 0.25


# -- heats, holders, flares --------------------------------------------------------------------


def test_a_heat_from_charge_to_tap() -> None:
    """Charge 60 s, blow 180 s, tap 80 s: tapped in the step before 320 s; the next follows."""
    (first,) = (row for row in ten_minutes(1).of_type("heat") if row["shop"] == "converter")
    assert (first["heat"], first["start_s"], first["t_s"]) == (1, "0.0", "319.8")
    assert Decimal(first["metal_kg"]) == 31_500
    run = works(0)
    seen = {0: run.plant.converter.vessel.state}
    for step in range(1, 1700):
        run.plant.step()
        seen[step] = run.plant.converter.vessel.state
    changes = [(step, now) for step, now in seen.items() if step and now != seen[step - 1]]
    assert seen[0] == CHARGING
    assert changes[:2] == [(299, WORKING), (1199, TAPPING)]


def test_a_converter_waits_for_hot_metal_and_pigs_are_cast_when_there_is_too_much() -> None:
    few = replace(WORKS, blast_furnace=replace(WORKS.blast_furnace, ladles_t=10))
    run = works(1500, few)  # 17 t to come at 290 t/h: 211 s
    assert run.plant.converter.vessel.heats == 1
    assert run.plant.converter.vessel.heat is not None
    assert 200 < run.plant.converter.vessel.heat.start_step * 0.2 < 225
    full = replace(
        WORKS,
        blast_furnace=replace(WORKS.blast_furnace, ladles_t=150),
        converter=replace(WORKS.converter, hot_metal_t=400),
    )
    pigs = Decimal(works(100, full).end["mass_kg"]["out"]["pig_iron"])
    assert pigs == pytest.approx(Decimal(1600), abs=100)  # 20 s at 290 t/h


def test_the_blow_shows_in_the_gas() -> None:
    """Air before it; then good gas, kept; at both ends of the blow the shop flares."""
    run = works(0)
    kept = flared = air = 0
    for _ in range(1500):
        run.plant.step()
        shown = run.plant.readings()
        hood, centre = shown["converter-gas-analyser"], shown["energy-centre"]
        if shown["converter-gas"]["flow"] > 0:
            kept += 1
            assert hood["co"] > 60
            assert centre["shop_flare"] == 0
        elif centre["shop_flare"] > 0:
            flared += 1
        else:
            air += 1
            assert hood["o2"] == pytest.approx(20.95)
            assert hood["co"] == 0
    assert (kept, flared) == (630, 270)  # of 900 steps of blow: 15 to 85 %


def test_holders_fill_when_the_boilers_stand_and_the_flare_burns() -> None:
    run = ten_minutes(1)
    power = [(row["t_s"], row["state"]) for row in run.of_type("power")]
    assert power == [("0.0", ON), ("300.0", OFF), ("390.0", ON)]
    first, second = (row for row in run.of_type("flare") if row["gas"] == "blast_furnace_gas")
    assert first["burns"] is True
    assert 300 < Decimal(first["t_s"]) < 390
    assert (second["burns"], second["t_s"]) == (False, "390.0")


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_ever_negative_and_nobody_runs_short(seed: int) -> None:
    run = works(0, seed=seed)
    for _ in range(3000):
        run.plant.step()
        for name, line in run.plant.networks.items():
            assert 0 <= line.filled_percent <= 100
            assert min(line.held.amounts().values()) >= 0
            assert line.filled_percent > getattr(WORKS, name).least_percent
        shown = run.plant.shown
        for gas in (shown.sinter_stack, shown.power_stack, shown.hood, shown.shop_flare):
            assert min(gas.amounts().values()) >= 0
        stocks = (run.plant.coke, run.plant.sinter, run.plant.hot_metal)
        assert all(stock.held.mass_ug > 0 for stock in stocks)


# -- what is shown -----------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 700, 1700])
def test_readings_fit_the_profiles_and_their_ranges(steps: int) -> None:
    """At the charge, in a blow, and while the boilers stand."""
    shown = works(steps).plant.readings()
    assert {device.id for device in WORKS.devices} == set(shown)
    for device in WORKS.devices:
        profile = load_profile(device.profile)
        assert {register.name for register in profile.registers} == set(shown[device.id])
        for register in profile.registers:
            value = Decimal(shown[device.id][register.name])
            if register.range_min is not None and register.range_max is not None:
                assert Decimal(register.range_min) <= value <= Decimal(register.range_max)
            if register.states:
                assert value in {raw for raw, _ in register.states}


def test_meters_say_the_transformers_they_stand_behind() -> None:
    said = [(device.ratios, device.settings) for device in WORKS.devices if device.ratios]
    assert len(said) == 3
    for ratios, settings in said:
        assert ratios["ct_ratio"] == f"{settings['ct_primary']}/{settings['ct_secondary']}"


def test_counters_are_the_truth() -> None:
    run = ten_minutes(2)
    shown, end = run.plant.readings(), run.end
    for device, row, name in (
        ("coking-coal", "total", "coking_coal"), ("bf-coal", "total", "coal"),
        ("sinter-ore", "total_1", "ore"),
    ):  # fmt: skip
        assert Decimal(shown[device][row]) * 1000 == Decimal(end["mass_kg"]["in"][name])
    steel = sum(Decimal(shown[f"{shop}-steel"]["total"]) for shop in ("converter", "arc"))
    assert steel * 1000 == Decimal(end["mass_kg"]["out"]["steel"])
    assert Decimal(shown["grid"]["energy_import"]) * Decimal("3.6") == pytest.approx(
        Decimal(end["electricity_mj"]["imported"]), rel=Decimal("1e-20")
    )
    made = sum(Decimal(text) for text in end["gas_mol"]["blast_furnace_gas"]["made"].values())
    assert Decimal(shown["bf-gas"]["volume"]) == made * Decimal("0.022414")


def test_what_burns_is_the_only_dry_flow_of_the_centre() -> None:
    """Summed over some steps it is what the truth used and flared; another is wetter by vapour."""
    run = works(0)
    nm3 = 0.0
    before = run.plant.networks["blast_furnace_gas"]
    start = (before.used + before.flared).dry_mmol
    for _ in range(100):
        run.plant.step()
        nm3 += float(run.plant.readings()["energy-centre"]["bf_burnt"]) * 0.2 / 3600
    burnt = (before.used + before.flared).dry_mmol - start
    assert nm3 == pytest.approx(burnt * 22.414e-6, rel=1e-9)


# -- scenario file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "key", "reason"),
    [
        ("h2_percent = 58 ", "h2_percent = 68 ", "coke", "103.5 percent"),
        ("metal_iron_percent = 94.7 ", "metal_iron_percent = 95.9 ", "blast_furnace", "100.5"),
        ("holder_c = 32", "holder_c = 39", "blast_furnace_gas", "is warmer than the washed gas"),
        ("other_least_mw = 200", "other_least_mw = 150", "users.other_least_mw", "can make"),
        ("charge_s = 60", "charge_s = 0", "converter.charge_s", "1..7200"),
        ("tap_s = 80", "tap_s = 80\nslag_t = 3", "converter.slag_t", "unknown"),
    ],
)
def test_mistakes_in_a_scenario(
    was: str, becomes: str, key: str, reason: str, tmp_path: Path
) -> None:  # fmt: skip
    assert was in TEXT
    (tmp_path / "try.toml").write_text(TEXT.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_any("try", folder=tmp_path)
    (problem,) = caught.value.errors
    assert problem.key == key
    assert reason in problem.reason
