"""The kiln line in its details: mill, meter, tapes, what is shown, and its scenario file."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from firmware_configs.profile import load_profile
from simulators.kiln.silos import Silos
from simulators.plants import load_any
from simulators.rhythm import OFF, ON
from simulators.scenario import FOLDER, ScenarioError
from tests.unit.simulators.kilns import KILN, half_an_hour, kiln

TEXT = (FOLDER / "kiln.toml").read_text(encoding="utf-8")


def test_same_seed_same_bytes_and_another_seed_others() -> None:
    assert kiln(300, seed=4).text() == kiln(300, seed=4).text()
    assert kiln(300, seed=4).text() != kiln(300, seed=5).text()


def test_a_longer_run_only_has_more_lines() -> None:
    short, long = kiln(300), kiln(600)
    before_end = short.text().rpartition('{"type":"end"')[0]
    assert long.text().startswith(before_end)


# -- mill --------------------------------------------------------------------------------------


def test_the_mill_runs_and_stands_and_the_stack_shows_it() -> None:
    """Three minutes on, one off, at 0.2 s a step; off it is drier, hotter and less thinned."""
    run = kiln(890)
    on = run.plant.readings()["stack"]
    for _ in range(22):
        run.plant.step()
    off = run.plant.readings()["stack"]
    changes = [(line["t_s"], line["state"]) for line in run.of_type("mill")]
    assert changes == [("0.0", ON), ("180.0", OFF)]
    assert off["moisture"] < on["moisture"]
    assert off["temperature"] > on["temperature"]
    assert off["co2"] > on["co2"]
    assert off["o2"] < on["o2"]
    assert off["flow"] < on["flow"]


def test_stack_gas_is_of_the_right_size() -> None:
    """1.7 to 2.3 Nm3 wet a kg of clinker, CO2 15 to 30 vol%, as leaks allow."""
    run = half_an_hour(1)
    gas = run.plant.stack
    assert 0.15 < gas.co2 / gas.wet_mmol < 0.30
    assert gas.co2 + gas.h2o + gas.n2 + gas.o2 == gas.wet_mmol
    mol = sum(Decimal(amount) for amount in run.end["stack_mol"].values())
    nm3_kg = mol * Decimal("0.022414") / Decimal(run.end["clinker_made_kg"])
    assert Decimal("1.7") < nm3_kg < Decimal("2.3")


# -- kiln feed meter ---------------------------------------------------------------------------


def test_the_feed_meter_shows_too_much_and_ever_more() -> None:
    """1.5 % at the start, 0.5 % more an hour: 1.75 after half an hour, in the mean 1.625."""
    end = half_an_hour(1).end
    assert Decimal(end["meal_meter_error_percent"]) == Decimal("1.75")
    shown, true = Decimal(end["meal_shown_kg"]), Decimal(end["meal_fed_kg"])
    assert shown / true == pytest.approx(Decimal("1.01625"), abs=Decimal("0.0001"))


# -- tapes -------------------------------------------------------------------------------------


def test_silos_are_taped_on_the_thirtieth_at_four() -> None:
    """The scenario begins at 15:58; taped is reckoned with a density that is 2 % too small."""
    first, second = half_an_hour(1).of_type("tape")
    assert [first["local"], first["t_s"]] == ["2026-10-30T16:00:00", "120.0"]
    assert (first["silo"], second["silo"]) == (1, 2)
    for tape in (first, second):
        taped = (Decimal(40) - Decimal(tape["depth_m"])) * 660 * Decimal("1.45")
        assert Decimal(tape["taped_t"]) == pytest.approx(taped, abs=Decimal("0.06"))
        true_t = Decimal(tape["clinker_kg"]) / 1000
        # 2 % and at most 0.4 m (0.005 m of rounding) of 660 m2 at 1.45 t/m3
        assert abs(taped - true_t / Decimal("1.02")) <= Decimal("0.405") * 660 * Decimal("1.45")


def test_they_are_taped_once_a_month_and_on_a_short_months_last_day() -> None:
    begins = KILN.local_start.replace(year=2027, month=1, hour=17, minute=0)
    silos = Silos(KILN.silos, local_start=begins, seed=np.random.SeedSequence(1))
    days = [day for day in range(90) if silos.tapes(timedelta(days=day))]
    at = [silos.local(timedelta(days=day)).date().isoformat() for day in days]
    # at 17:00 of each day: the first 17:00 after 16:00 of 28 February, 30 March, 30 April is later
    assert at == ["2027-02-28", "2027-03-30"]


def test_trucks_empty_one_silo_and_then_the_other() -> None:
    """2001 steps of 55.555555556 kg; in the 1800th 800 ug of them are not there any more."""
    few = replace(KILN.silos, clinker_1_t=100, clinker_2_t=100, despatch_t_h=1000)
    end = kiln(2000, replace(KILN, silos=few)).end
    assert Decimal(end["clinker_despatched_kg"]) == Decimal("111166.666666756")
    first, second = (Decimal(mass) for mass in end["clinker_silos_kg"])
    assert first + second == 200_000 + Decimal(end["clinker_made_kg"]) - Decimal("111166.666666756")
    assert 0 < second < 20_000  # 201 steps of what the kiln makes, some 58 kg/s


# -- what is shown -----------------------------------------------------------------------------


def test_readings_fit_the_profiles_and_their_ranges() -> None:
    run = half_an_hour(2)
    shown = run.plant.readings()
    assert [device.id for device in KILN.devices] == list(shown)
    for device in KILN.devices:
        profile = load_profile(device.profile)
        assert {register.name for register in profile.registers} == set(shown[device.id])
        for register in profile.registers:
            value = Decimal(shown[device.id][register.name])
            if register.range_min is not None and register.range_max is not None:
                assert Decimal(register.range_min) < value < Decimal(register.range_max)
            if register.states:
                assert value in {raw for raw, _ in register.states}


def test_there_is_no_clinker_meter() -> None:
    names = [name for shown in half_an_hour(2).plant.readings().values() for name in shown]
    assert not [name for name in names if "clinker" in name]


def test_fuel_counters_are_the_truth() -> None:
    run = half_an_hour(2)
    shown = run.plant.readings()["coal-calciner"]["total"]
    assert Decimal(shown) * 1000 == Decimal(run.end["calciner_coal_kg"])


def test_the_calciner_is_held() -> None:
    degrees = [Decimal(line["calciner_c"]) for line in half_an_hour(3).of_type("totals")]
    assert all(850 < each < 890 for each in degrees)


# -- scenario file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "key", "reason"),
    [
        ("caco3_percent = 75.6", "caco3_percent = 86", "meal", "its parts are 104.8 percent"),
        ("2026-10-30T15:58:00", "soon", "local_start", "no local time"),
        ("2026-10-30T15:58:00", "2026-10-30T15:58:00Z", "local_start", "no local time"),
        ("wall_mw = 18", "wall_mw = 1800", "burning.wall_mw", "1..100"),
        ("hour = 16", "hour = 16\nminute = 3", "silos.minute", "unknown"),
        ("feed_least_t_h = 330", "feed_least_t_h = 360", "meal.feed_least_t_h", "is more than"),
    ],
)
def test_mistakes_in_a_scenario(
    was: str, becomes: str, key: str, reason: str, tmp_path: Path
) -> None:  # fmt: skip
    (tmp_path / "try.toml").write_text(TEXT.replace(was, becomes), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_any("try", folder=tmp_path)
    (problem,) = caught.value.errors
    assert problem.key == key
    assert reason in problem.reason
