"""What a kiln scenario says: types and limits. No physics, no parsing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulators.faults import Fault
from simulators.fuels import FuelFigures
from simulators.scenario import Device, figure


@dataclass(frozen=True)
class MealFigures:
    """Raw meal at the kiln feed, percent by mass, and how much of it.

    Attributes:
        caco3_percent, dolomite_percent, sio2_percent, water_percent: of the meal as fed.
        feed_least_t_h, feed_most_t_h: what enters the preheater moves between these.
        period_s: seconds between two turning points; of the fuels too.
        dust_percent: of what enters, carried out by the gas again and put back into the silo.
        meter_error_percent: how much too much the kiln feed meter shows at the start.
        meter_drift_percent_h: how much more each hour.
    """

    caco3_percent: float = figure(60, 90)
    dolomite_percent: float = figure(0, 15)
    sio2_percent: float = figure(5, 25)
    water_percent: float = figure(0, 2)
    feed_least_t_h: float = figure(10, 1000)
    feed_most_t_h: float = figure(10, 1000)
    period_s: float = figure(1, 86400)
    dust_percent: float = figure(0, 20)
    meter_error_percent: float = figure(-20, 20)
    meter_drift_percent_h: float = figure(-10, 10)


@dataclass(frozen=True)
class BurningFigures:
    """Kiln, calciner, preheater and cooler.

    Attributes:
        kiln_coal_least_t_h, kiln_coal_most_t_h: coal of the kiln's burner.
        alternative_least_t_h, alternative_most_t_h: alternative fuel of the calciner.
        calciner_coal_t_h: where the calciner's controller starts.
        calciner_c: what it holds.
        heat_mj_k: heat the line stores a kelvin of calciner temperature.
        excess_air_percent: air beyond what the fuels need, up to the preheater's exit.
        exit_c: gas leaving the preheater when the calciner is as it should be.
        wall_mw: heat through the shell.
        cooling_nm3_kg: cooler air, Nm3 a kg of clinker; what the fuels do not take is exhaust.
        exhaust_c, clinker_c: temperature of the cooler's exhaust air and of cooled clinker.
    """

    kiln_coal_least_t_h: float = figure(1, 100)
    kiln_coal_most_t_h: float = figure(1, 100)
    alternative_least_t_h: float = figure(0, 100)
    alternative_most_t_h: float = figure(0, 100)
    calciner_coal_t_h: float = figure(1, 100)
    calciner_c: float = figure(800, 950)
    heat_mj_k: float = figure(10, 10000)
    excess_air_percent: float = figure(5, 60)
    exit_c: float = figure(250, 500)
    wall_mw: float = figure(1, 100)
    cooling_nm3_kg: float = figure(1.2, 3)
    exhaust_c: float = figure(100, 400)
    clinker_c: float = figure(60, 300)


@dataclass(frozen=True)
class MillFigures:
    """The raw mill, which dries with the kiln's gas while it runs.

    Attributes:
        on_s, off_s: how long it runs, and stands.
        rate_t_h: meal it makes while it runs.
        moisture_percent: water of what it grinds, by mass of it, all dried out.
        leak_on_percent, leak_off_percent: air drawn in behind the preheater, of the gas there.
        spray_t_h: water of the conditioning tower while the mill stands.
        stack_on_c, stack_off_c: temperature of the stack.
    """

    on_s: float = figure(1, 1e6)
    off_s: float = figure(1, 1e6)
    rate_t_h: float = figure(10, 1500)
    moisture_percent: float = figure(0, 15)
    leak_on_percent: float = figure(0, 150)
    leak_off_percent: float = figure(0, 150)
    spray_t_h: float = figure(0, 60)
    stack_on_c: float = figure(50, 250)
    stack_off_c: float = figure(50, 250)


@dataclass(frozen=True)
class SiloFigures:
    """Silos of meal and clinker, at the start and when they are taped.

    Attributes:
        meal_t: in the meal silo.
        clinker_1_t, clinker_2_t: in the two clinker silos.
        despatch_t_h: clinker drawn out, first from the second silo; when it is empty the kiln fills
            it and the other is emptied.
        area_m2, height_m: of a clinker silo.
        bulk_t_m3: what the tapers reckon with.
        bulk_error_percent: how much heavier clinker really lies.
        tape_error_m: greatest error of a depth, whichever way the surface lies.
        day, hour: the tape is on this day of the month, local time, at this hour.
    """

    meal_t: float = figure(100, 1e6)
    clinker_1_t: float = figure(100, 1e6)
    clinker_2_t: float = figure(100, 1e6)
    despatch_t_h: float = figure(0, 1000)
    area_m2: float = figure(10, 5000)
    height_m: float = figure(5, 100)
    bulk_t_m3: float = figure(1, 2)
    bulk_error_percent: float = figure(-10, 10)
    tape_error_m: float = figure(0, 2)
    day: float = figure(1, 31)
    hour: float = figure(0, 23)


@dataclass(frozen=True)
class KilnScenario:
    """Everything that is played; with a seed it determines every figure of every step.

    Attributes:
        name, description, seed, step_s, publish_steps, totals_s, devices, faults: as of a smelter.
        local_start: local time of the plant at step 0, a calendar of the scenario's own.
    """

    name: str
    description: str
    seed: int
    step_s: Decimal
    publish_steps: int
    totals_s: Decimal
    local_start: datetime
    meal: MealFigures
    coal: FuelFigures
    alternative: FuelFigures
    burning: BurningFigures
    mill: MillFigures
    silos: SiloFigures
    devices: tuple[Device, ...]
    faults: tuple[Fault, ...] = ()
