"""The computed points of a plant: what the edge shows and signs while it happens.

They are informative: a statement is computed from raw points and records only. The verifier
recomputes them from the frames and compares the counts.
"""

from collections.abc import Mapping
from typing import Any

from edge.calc.factors import DEFAULT_FACTORS
from edge.calc.folds.live_rates import DECIMALS, rates
from edge.calc.folds.plant import plant_factors, reading_configuration
from evidence.points import Dtype, Point, Provenance, Quantity, Role, Scaling

#: suffix -> (quantity kind, unit, decimals), in order, one of each a potline. Day figures count
#: from plant-local midnight; *_now and *_h are the last tick's.
LINE_POINTS: dict[str, tuple[str, str, int]] = {
    "producing": ("count", "1", 0),  # pots in a producing state
    "effects_running": ("count", "1", 0),
    "aef_day": ("rate", "1/d", 4),  # effects per producing cell-day
    "aed_day": ("duration", "min", 4),  # polarised minutes per effect
    "aem_day": ("rate", "min/d", 4),  # polarised minutes per producing cell-day
    "metal_t_h": ("mass-flow", "t/h", 6),  # Faraday × current efficiency
    "cf4_now_kg_h": ("emission-flow", "kg/h", 6),  # indicator: slope × what runs now
    "c2f6_now_kg_h": ("emission-flow", "kg/h", 6),
    "pfc_indicator_tco2e_h": ("emission-flow", "tCO2e/h", 6),  # of the two above; never summed
    "pfc_record_tco2e_h": ("emission-flow", "tCO2e/h", 6),  # metal × rule-set default factors
    "anode_co2_t_h": ("emission-flow", "t/h", 6),
}
GAS, CO2E, ENERGY = "plant.gas_co2_t_h", "plant.co2e_t_h", "plant.energy_day_kwh"
ENERGY_DECIMALS = 3
_EFFECT_STATES = ((0, "none"), (1, "running"))


def computed_points(config: Mapping[str, Any]) -> list[Point]:
    """The computed points of a configuration, in the order `PlantCalc` gives their counts.

    Per potline L: "L.producing", "L.effects_running", "L.aef_day", "L.aed_day", "L.aem_day",
    "L.metal_t_h", "L.cf4_now_kg_h", "L.c2f6_now_kg_h", "L.pfc_indicator_tco2e_h",
    "L.pfc_record_tco2e_h", "L.anode_co2_t_h" (when the site file gives anode consumption), then
    "L.pot-NN.effect" per pot. Then "plant.gas_co2_t_h" (fuels with flow meters),
    "plant.co2e_t_h" (anode + gas + PFC figure of record; only when every part of it is metered)
    and "plant.energy_day_kwh" (electricity totalisers). Cement and steel have, instead of the
    points before the last, those of `live_rates.rates`.

    Raises:
        PlantError: the configuration cannot be calculated with.
    """
    with reading_configuration():
        factors = plant_factors(config)
        anode = factors.anode_co2 is not None
        fuels = factors.of("fuel")
        metered = all(fuel.has_flows for fuel in fuels)
        made = rates(factors)
        points = [_point(rate.id, rate.kind, rate.unit, DECIMALS) for rate in made]
        for line in config.get("potlines", ()):
            points += [
                _point(f"{line['id']}.{name}", *LINE_POINTS[name])
                for name in LINE_POINTS
                if anode or name != "anode_co2_t_h"
            ]
            points += [_effect_point(f"{line['id']}.pot-{pot['id']}") for pot in line["pots"]]
        if fuels and metered and factors.rules.record == DEFAULT_FACTORS:
            points.append(_point(GAS, "emission-flow", "t/h", 6))
        if config.get("potlines") and anode and metered:
            points.append(_point(CO2E, "emission-flow", "tCO2e/h", 6))
        if factors.of("auxiliary"):
            points.append(_point(ENERGY, "energy", "kWh", ENERGY_DECIMALS))
        return points


def _point(point_id: str, kind: str, unit: str, decimals: int) -> Point:
    return Point(
        id=point_id,
        quantity=Quantity(kind, unit),
        dtype=Dtype.I64,
        decimals=decimals,
        provenance=Provenance.COMPUTED,
        scaling=Scaling(raw_decimals=decimals),  # the raw integer is the count
    )


def _effect_point(prefix: str) -> Point:
    return Point(
        id=f"{prefix}.effect",
        quantity=Quantity("state", "1"),
        dtype=Dtype.I64,
        decimals=0,
        role=Role.STATE,
        provenance=Provenance.COMPUTED,
        states=_EFFECT_STATES,
    )
