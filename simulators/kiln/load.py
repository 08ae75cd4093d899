"""Reads a kiln scenario from its TOML document; every mistake is named with its key."""

from datetime import datetime
from typing import Any

from firmware_configs.fields import Fields
from simulators.fuels import FuelFigures
from simulators.kiln.figures import (
    BurningFigures,
    KilnScenario,
    MealFigures,
    MillFigures,
    SiloFigures,
)
from simulators.scenario import common_of, figures_of


def kiln_scenario(name: str, fields: Fields) -> KilnScenario:
    """The scenario; what is wrong is among the problems of `fields`."""
    scenario = KilnScenario(
        **common_of(name, "kiln", fields),
        local_start=_local(fields),
        meal=figures_of(fields, "meal", MealFigures),
        coal=figures_of(fields, "coal", FuelFigures),
        alternative=figures_of(fields, "alternative", FuelFigures),
        burning=figures_of(fields, "burning", BurningFigures),
        mill=figures_of(fields, "mill", MillFigures),
        silos=figures_of(fields, "silos", SiloFigures),
    )
    for key, solid in (("meal", scenario.meal), ("coal", scenario.coal),
                       ("alternative", scenario.alternative)):  # fmt: skip
        if (parts := _parts(solid)) > 100:
            fields.complain(key, f"its parts are {parts:g} percent together")
    fields.finish()
    return scenario


def _parts(solid: Any) -> float:  # noqa: ANN401 - meal or fuel
    mass = ("caco3", "dolomite", "sio2", "carbon", "hydrogen", "oxygen", "nitrogen", "water")
    return sum(getattr(solid, f"{name}_percent", 0.0) for name in mass)


def _local(fields: Fields) -> datetime:
    text = fields.text("local_start")
    try:
        found = datetime.fromisoformat(text) if text else datetime(2026, 1, 1)  # noqa: DTZ001 - local
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        fields.complain("local_start", f"{text!r} is no local time like 2026-10-30T15:58:00")
        return datetime(2026, 1, 1)  # noqa: DTZ001 - a calendar of the scenario's own
    return found
