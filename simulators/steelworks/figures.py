"""What a steelworks scenario says: types and limits. No physics, no parsing."""

from dataclasses import dataclass
from decimal import Decimal

from simulators.faults import Fault
from simulators.fuels import FuelFigures
from simulators.scenario import Device, figure


@dataclass(frozen=True)
class CokeFigures:
    """Coke ovens; percent are by mass of coal as charged, of the gas by volume of dry gas.

    Attributes:
        coal_least_t_h, coal_most_t_h: coal charged.
        period_s: seconds between two turning points; of ore and burden too.
        carbon_percent, water_percent: of the coal.
        ncv_kj_kg: its lower heating value as charged.
        gas_nm3_t: dry gas a t of coal.
        h2_percent, ch4_percent, co_percent, co2_percent: of the gas; the rest is nitrogen.
        tar_percent, benzol_percent: made of the coal.
        liquor_percent: water formed from the coal, beside its own.
        stock_t, stock_carbon_percent: coke that lies there at the start.
    """

    coal_least_t_h: float = figure(10, 1000)
    coal_most_t_h: float = figure(10, 1000)
    period_s: float = figure(1, 86400)
    carbon_percent: float = figure(50, 90)
    water_percent: float = figure(0, 15)
    ncv_kj_kg: float = figure(20000, 35000)
    gas_nm3_t: float = figure(200, 450)
    h2_percent: float = figure(40, 70)
    ch4_percent: float = figure(15, 40)
    co_percent: float = figure(2, 12)
    co2_percent: float = figure(0, 8)
    tar_percent: float = figure(1, 6)
    benzol_percent: float = figure(0, 3)
    liquor_percent: float = figure(0, 8)
    stock_t: float = figure(100, 1e6)
    stock_carbon_percent: float = figure(80, 95)


@dataclass(frozen=True)
class SinterFigures:
    """The sinter strand.

    Attributes:
        ore_least_t_h, ore_most_t_h: ore fines fed.
        water_percent: of what is fed.
        limestone_percent: calcite added, of the ore.
        breeze_percent: coke breeze added, of the ore.
        air_nm3_t: drawn through the bed, a t of ore.
        stack_c: temperature of its stack.
        stock_t: sinter that lies there at the start.
    """

    ore_least_t_h: float = figure(10, 2000)
    ore_most_t_h: float = figure(10, 2000)
    water_percent: float = figure(0, 12)
    limestone_percent: float = figure(0, 25)
    breeze_percent: float = figure(2, 8)
    air_nm3_t: float = figure(1000, 4000)
    stack_c: float = figure(60, 250)
    stock_t: float = figure(100, 1e6)


@dataclass(frozen=True)
class BlastFurnaceFigures:
    """The blast furnace, its hot metal and where that waits.

    Attributes:
        burden_least_t_h, burden_most_t_h: sinter and pellets charged.
        sinter_percent: of the burden.
        iron_percent: of the burden.
        oxygen_per_iron: atoms of oxygen a atom of iron that the burden brings.
        coke_kg_t, coal_kg_t: a t of hot metal; the coal is blown in.
        blast_oxygen_percent: of the dry blast, by volume.
        co_used_percent, h2_used_percent: how much of the gas's CO and H2 has burnt.
        metal_iron_percent, metal_carbon_percent: of the hot metal.
        ladles_t, ladles_most_t: hot metal that waits at the start, and at most; what is more is
            cast into pigs.
    """

    burden_least_t_h: float = figure(10, 2000)
    burden_most_t_h: float = figure(10, 2000)
    sinter_percent: float = figure(0, 100)
    iron_percent: float = figure(45, 68)
    oxygen_per_iron: float = figure(1.2, 1.5)
    coke_kg_t: float = figure(200, 700)
    coal_kg_t: float = figure(0, 250)
    blast_oxygen_percent: float = figure(20.95, 40)
    co_used_percent: float = figure(35, 60)
    h2_used_percent: float = figure(20, 60)
    metal_iron_percent: float = figure(90, 96)
    metal_carbon_percent: float = figure(3.5, 5)
    ladles_t: float = figure(0, 10000)
    ladles_most_t: float = figure(10, 10000)


@dataclass(frozen=True)
class ConverterFigures:
    """The oxygen converter, heat by heat.

    Attributes:
        hot_metal_t, scrap_t, lime_t: charged.
        charge_s, blow_s, tap_s: of a heat; the next begins when the hot metal for it is there.
        steel_carbon_percent, scrap_carbon_percent: of steel and scrap.
        oxidised_percent: of the metal, into the slag.
        slag_oxygen_percent: oxygen the slag takes, by mass of the metal oxidised.
        co_percent: of the carbon, leaving the bath as CO.
        hood_percent: of that CO, burnt by air drawn in at the hood.
        recover_from_percent, recover_to_percent: of the blow; the gas before and after is flared.
    """

    hot_metal_t: float = figure(1, 400)
    scrap_t: float = figure(0, 150)
    lime_t: float = figure(0, 40)
    charge_s: float = figure(1, 7200)
    blow_s: float = figure(10, 7200)
    tap_s: float = figure(1, 7200)
    steel_carbon_percent: float = figure(0.01, 1)
    scrap_carbon_percent: float = figure(0.01, 1)
    oxidised_percent: float = figure(1, 15)
    slag_oxygen_percent: float = figure(10, 120)
    co_percent: float = figure(70, 100)
    hood_percent: float = figure(2, 30)
    recover_from_percent: float = figure(0, 50)
    recover_to_percent: float = figure(50, 100)


@dataclass(frozen=True)
class ArcFurnaceFigures:
    """The electric arc furnace, heat by heat.

    Attributes:
        scrap_t, lime_t, coal_t: charged.
        coal_carbon_percent: of the coal charged; the rest is ash.
        electrode_kg, electrode_carbon_percent: electrodes used up a heat.
        oxygen_nm3: blown a heat.
        energy_mwh: a heat, at its usual pace.
        charge_s, melt_s, tap_s: of a heat.
        steel_carbon_percent, scrap_carbon_percent, oxidised_percent, slag_oxygen_percent: as of
            the converter.
        air_nm3_h: drawn into its exhaust while it melts.
    """

    scrap_t: float = figure(1, 400)
    lime_t: float = figure(0, 40)
    coal_t: float = figure(0, 20)
    coal_carbon_percent: float = figure(50, 99)
    electrode_kg: float = figure(0, 2000)
    electrode_carbon_percent: float = figure(90, 100)
    oxygen_nm3: float = figure(0, 50000)
    energy_mwh: float = figure(0.1, 500)
    charge_s: float = figure(1, 7200)
    melt_s: float = figure(10, 14400)
    tap_s: float = figure(1, 7200)
    steel_carbon_percent: float = figure(0.01, 1)
    scrap_carbon_percent: float = figure(0.01, 1)
    oxidised_percent: float = figure(1, 15)
    slag_oxygen_percent: float = figure(10, 120)
    air_nm3_h: float = figure(1000, 2e6)


@dataclass(frozen=True)
class GasFigures:
    """One gas from its scrubber to its users: saturated all the way, colder in the holder.

    Attributes:
        clean_least_c, clean_most_c: temperature behind the scrubber, where it is metered.
        line_kpa: pressure there and in the holder, absolute.
        holder_m3: what the holder holds at most, as it is (wet, at its temperature).
        holder_c: temperature in the holder.
        start_percent: how full it is at the start.
        least_percent: users get nothing below it.
        full_from_percent: the power plant takes all it may from here on, nothing at the least.
        power_mw: what it may take of this gas.
    """

    clean_least_c: float = figure(1, 80)
    clean_most_c: float = figure(1, 80)
    line_kpa: float = figure(90, 150)
    holder_m3: float = figure(100, 1e6)
    holder_c: float = figure(1, 60)
    start_percent: float = figure(1, 99)
    least_percent: float = figure(1, 50)
    full_from_percent: float = figure(10, 100)
    power_mw: float = figure(0, 1000)


@dataclass(frozen=True)
class UserFigures:
    """Who burns the gases (MW by lower heating value), and who needs power.

    Attributes:
        stoves_blast_furnace_mw, stoves_efficiency_percent: hot-blast stoves.
        ovens_blast_furnace_mw, ovens_coke_oven_mw: heating of the coke ovens.
        ignition_coke_oven_mw: of the sinter strand.
        mill_coke_oven_mw, mill_converter_mw: reheating furnaces of the rolling mill.
        excess_air_percent: of all of them, of the boilers and of the flares.
        power_on_s, power_off_s: how long the boilers run, and stand.
        power_efficiency_percent: power made, of the heat of the gases.
        purge_nm3_h: air the boilers' fans blow all the time.
        stack_c: temperature of the power plant's stack.
        other_least_mw, other_most_mw: power all others need beside the arc furnace.
        voltage_v: of the grid, to neutral.
        power_factor: of every load.
    """

    stoves_blast_furnace_mw: float = figure(0, 2000)
    stoves_efficiency_percent: float = figure(50, 95)
    ovens_blast_furnace_mw: float = figure(0, 1000)
    ovens_coke_oven_mw: float = figure(0, 1000)
    ignition_coke_oven_mw: float = figure(0, 100)
    mill_coke_oven_mw: float = figure(0, 1000)
    mill_converter_mw: float = figure(0, 1000)
    excess_air_percent: float = figure(0, 100)
    power_on_s: float = figure(1, 1e6)
    power_off_s: float = figure(1, 1e6)
    power_efficiency_percent: float = figure(20, 60)
    purge_nm3_h: float = figure(100, 1e6)
    stack_c: float = figure(60, 250)
    other_least_mw: float = figure(1, 2000)
    other_most_mw: float = figure(1, 2000)
    voltage_v: float = figure(100, 500000)
    power_factor: float = figure(0.1, 1)


@dataclass(frozen=True)
class SteelworksScenario:
    """Everything that is played; with a seed it determines every figure of every step.

    Attributes:
        name, description, seed, step_s, publish_steps, totals_s, devices, faults: as of a smelter.
    """

    name: str
    description: str
    seed: int
    step_s: Decimal
    publish_steps: int
    totals_s: Decimal
    coke: CokeFigures
    sinter: SinterFigures
    blast_furnace: BlastFurnaceFigures
    coal: FuelFigures
    converter: ConverterFigures
    arc_furnace: ArcFurnaceFigures
    blast_furnace_gas: GasFigures
    coke_oven_gas: GasFigures
    converter_gas: GasFigures
    users: UserFigures
    devices: tuple[Device, ...]
    faults: tuple[Fault, ...] = ()
