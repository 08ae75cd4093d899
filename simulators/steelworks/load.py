"""Reads a steelworks scenario from its TOML document; every mistake is named with its key."""

from firmware_configs.fields import Fields
from simulators.fuels import FuelFigures
from simulators.scenario import common_of, figures_of
from simulators.steelworks.figures import (
    ArcFurnaceFigures,
    BlastFurnaceFigures,
    CokeFigures,
    ConverterFigures,
    GasFigures,
    SinterFigures,
    SteelworksScenario,
    UserFigures,
)

#: The gases, as scenario, truth and shops name them.
GASES = ("blast_furnace_gas", "coke_oven_gas", "converter_gas")


def steelworks_scenario(name: str, fields: Fields) -> SteelworksScenario:
    """The scenario; what is wrong is among the problems of `fields`."""
    scenario = SteelworksScenario(
        **common_of(name, "steelworks", fields),
        coke=figures_of(fields, "coke", CokeFigures),
        sinter=figures_of(fields, "sinter", SinterFigures),
        blast_furnace=figures_of(fields, "blast_furnace", BlastFurnaceFigures),
        coal=figures_of(fields, "coal", FuelFigures),
        converter=figures_of(fields, "converter", ConverterFigures),
        arc_furnace=figures_of(fields, "arc_furnace", ArcFurnaceFigures),
        blast_furnace_gas=figures_of(fields, "blast_furnace_gas", GasFigures),
        coke_oven_gas=figures_of(fields, "coke_oven_gas", GasFigures),
        converter_gas=figures_of(fields, "converter_gas", GasFigures),
        users=figures_of(fields, "users", UserFigures),
    )
    _check(scenario, fields)
    fields.finish()
    return scenario


def _check(scenario: SteelworksScenario, fields: Fields) -> None:
    """What no single figure's limits say."""
    coke, iron = scenario.coke, scenario.blast_furnace
    parts = coke.h2_percent + coke.ch4_percent + coke.co_percent + coke.co2_percent
    if parts > 100:
        fields.complain("coke", f"parts of its gas are {parts:g} percent together")
    metal = iron.metal_iron_percent + iron.metal_carbon_percent
    if metal > 100:
        fields.complain("blast_furnace", f"hot metal has {metal:g} percent of iron and carbon")
    _check_gases(scenario, fields)


def _check_gases(scenario: SteelworksScenario, fields: Fields) -> None:
    users, most_mw = scenario.users, 0.0
    for key in GASES:
        gas: GasFigures = getattr(scenario, key)
        if gas.holder_c > gas.clean_least_c:
            fields.complain(
                key, f"the holder ({gas.holder_c:g} degC) is warmer than the washed gas: then it "
                f"is not saturated there"
            )  # fmt: skip
        if gas.least_percent >= gas.full_from_percent:
            fields.complain(key, "least_percent is not below full_from_percent")
        most_mw += gas.power_mw
    if most_mw * users.power_efficiency_percent / 100 > users.other_least_mw:
        fields.complain(
            "users.other_least_mw", "is less than the boilers can make: the meter at the grid does "
            "not count what flows out"
        )  # fmt: skip
