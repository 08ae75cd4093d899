"""Readings with a reservation: used like any other, and counted apart."""

from collections.abc import Callable
from typing import Any

import pytest

from edge.calc.blocks import Block
from edge.calc.statements.statement import compute
from evidence.quality import Quality
from tests.unit.edge.calc.folds.test_month import Plant


@pytest.fixture
def plant(config: dict[str, Any], make_block: Callable[..., Block]) -> Plant:
    return Plant(config, make_block)


def test_readings_with_a_reservation_are_used_and_counted_apart(plant: Plant) -> None:
    """Ten of pot 01 are stuck, two of pot 02 too fast and one jumped; two currents are bad."""
    codes = {0: Quality.TOO_FAST, 1: Quality.TOO_FAST, 5: Quality.JUMPED}
    for second in range(10):
        bad = {
            "pg.pot-01.voltage": [Quality.STUCK],
            "pg.pot-02.voltage": [codes.get(second, Quality.GOOD)],
            "pg.line_current": [Quality.NO_ANSWER if second < 2 else Quality.GOOD],
        }
        plant.fold.feed(plant.blocks(second, bad=bad))
    plant.second = 10
    made = plant.result()
    rows = made["completeness"]
    assert rows["pg.pot-01.voltage"] == {
        "usable": 10, "expected": 10, "percent": "100.00", "reserved": 10,
    }  # fmt: skip
    assert rows["pg.pot-02.voltage"]["reserved"] == 3
    assert rows["pg.line_current"] == {"usable": 8, "expected": 10, "percent": "80.00"}
    assert made["reservations"] == {"19": 2, "20": 10, "21": 1}
    assert compute(made)["period"] == made["period"], "no figure is made of them"


def test_without_reservations_nothing_is_said_of_them(plant: Plant) -> None:
    made = plant.run(10).result()
    assert "reservations" not in made
    assert all("reserved" not in row for row in made["completeness"].values())


def test_they_are_counted_over_a_change_of_the_configuration(
    plant: Plant, config: dict[str, Any]
) -> None:
    """A point that is left out in between keeps what it had."""
    bad = {"pg.pot-01.voltage": [Quality.STUCK]}
    plant.fold.feed(plant.blocks(0, bad=bad))
    plant.fold.configure(
        {**config, "schedules": [{"interval_ns": 2 * 10**9}, config["schedules"][1]]}
    )
    plant.fold.feed(plant.blocks(2, bad=bad))
    plant.second = 4
    made = plant.result()
    assert made["completeness"]["pg.pot-01.voltage"]["reserved"] == 2
    assert made["reservations"] == {"20": 2}


def test_a_reading_that_is_no_number_has_no_reservation(plant: Plant) -> None:
    """It is not usable, whatever its quality says."""
    bad = {"pg.pot-01.voltage": [Quality.STUCK]}
    plant.fold.feed(plant.blocks(0, bad=bad, pg__pot_01=float("nan")))
    blocks = plant.blocks(1, bad=bad)
    blocks[0].groups[0].raw[0] = float("nan")
    plant.fold.feed(blocks)
    plant.second = 2
    assert plant.result()["completeness"]["pg.pot-01.voltage"]["reserved"] == 1
