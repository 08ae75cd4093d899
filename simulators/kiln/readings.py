"""What the line's instruments show, by device id and register name. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from simulators import chemistry as of
from simulators.served import Readings

if TYPE_CHECKING:
    from simulators.kiln.plant import Kiln

#: What the profiles name these.
RUNNING, MEASURING = 1, 0

_FEEDERS = {
    "coal-kiln": "kiln_coal",
    "coal-calciner": "calciner_coal",
    "alternative": "alternative",
}


@dataclass(frozen=True)
class Flows:
    """What flows in this step, t/h: gross raw meal and fuels, truly."""

    meal_t_h: float = 0.0
    kiln_coal_t_h: float = 0.0
    calciner_coal_t_h: float = 0.0
    alternative_t_h: float = 0.0


def readings_of(kiln: "Kiln") -> dict[str, Readings]:
    """All devices."""
    stack = _stack(kiln)
    meter, flows, mass = kiln.feed_meter, kiln.flows, kiln.totals.mass_ug
    feeders: dict[str, Readings] = {
        device: {
            "feed": getattr(flows, f"{name}_t_h"),
            "total": Decimal(mass[name]).scaleb(-12),
            "state": RUNNING,
        }
        for device, name in _FEEDERS.items()
    }
    fuels: dict[str, float | Decimal] = {
        "kiln_coal_feed": flows.kiln_coal_t_h,
        "kiln_coal_total": feeders["coal-kiln"]["total"],
        "calciner_coal_feed": flows.calciner_coal_t_h,
        "calciner_coal_total": feeders["coal-calciner"]["total"],
        "alternative_fuel_feed": flows.alternative_t_h,
        "alternative_fuel_total": feeders["alternative"]["total"],
    }
    return {
        "kiln-feed": {"feed": meter.shown_t_h, "total": meter.total_t, "state": RUNNING},
        **feeders,
        "stack": stack,
        "kiln-dcs": {
            "raw_meal_feed": meter.shown_t_h,
            "raw_meal_total": meter.total_t,
            **fuels,
            "preheater_exit_temperature": kiln.burning.exit_c,
            "calciner_temperature": kiln.burning.calciner_c,
            "tertiary_air_temperature": 0.9 * kiln.burning.calciner_c,
            "kiln_drive_current": 2.4 * flows.meal_t_h,
            "kiln_state": RUNNING,
            "raw_mill_state": kiln.mill.state,
            "stack_flow": stack["flow"],
            "stack_co2": stack["co2"],
            "stack_o2": stack["o2"],
            "stack_moisture": stack["moisture"],
            "analyser": MEASURING,
        },
    }


def _stack(kiln: "Kiln") -> Readings:
    """Wet gas as it is: shares of all of it, flow at 0 degC, 101.325 kPa, wet."""
    gas = kiln.stack
    wet = gas.wet_mmol
    return {
        "co2": 100.0 * gas.co2 / wet,
        "o2": 100.0 * gas.o2 / wet,
        "moisture": 100.0 * gas.h2o / wet,
        "flow": wet * of.NM3_MMOL * 3600.0 / float(kiln.step_s),
        "temperature": kiln.mill.stack_c,
        "pressure": 100.2,
        "state": MEASURING,
    }
