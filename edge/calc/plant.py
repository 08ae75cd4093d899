"""What the live calculation needs of a plant's statement section, as exact factors.

Everything is resolved once, at construction; a configuration that cannot be calculated with is
refused with a sentence (PlantError), never half used.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.combustion import co2_per_unit, fuel_parameters
from edge.calc.errors import CalcError, PlantError, UnknownRuleSetError
from edge.calc.factors import Kind, RuleSet, find_kind, gwp_row, live_rule_sets, rule_set
from edge.calc.inputs import plant_points
from evidence.points import Point, exact

_KG_A_TONNE = 1000
#: unit of a fuel's totaliser -> (unit the rule set counts in, how many of that one of it is)
_AMOUNT: dict[str, tuple[str, Fraction]] = {
    "Nm3": ("10^4 Nm3", Fraction(1, 10_000)),
    "10^4 Nm3": ("10^4 Nm3", Fraction(1)),
    "t": ("t", Fraction(1)),
    "kg": ("t", Fraction(1, 1000)),
}
_FLOW = {f"{unit}/h": amount for unit, amount in _AMOUNT.items()}
_ENERGY_KWH = {"Wh": Fraction(1, 1000), "kWh": Fraction(1), "MWh": Fraction(1000)}
_POWER_KW = {"W": Fraction(1, 1000), "kW": Fraction(1), "MW": Fraction(1000)}


@contextmanager
def reading_configuration() -> Iterator[None]:
    """Turn what a broken configuration map does to its reader into a PlantError."""
    try:
        yield
    except CalcError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise PlantError(f"configuration cannot be calculated with: {error!r}") from error


@dataclass(frozen=True)
class FuelMeter:
    """One fuel of the statement section.

    Attributes:
        kind: of the rule set.
        point: the totaliser, or None.
        flow: the flow meter, or None.
        amount: rule-set units (t, 10^4 Nm3) per count of the totaliser.
        flow_amount: rule-set units an hour per count of the flow.
        co2_per_unit: tCO2 per rule-set unit, all defaults.
    """

    kind: Kind
    point: Point
    flow: Point | None
    amount: Fraction
    flow_amount: Fraction
    co2_per_unit: Fraction


@dataclass(frozen=True)
class EnergyMeter:
    """One electricity meter: kWh per count of its totaliser, kW per count of its power."""

    point: Point
    power: Point | None
    kwh: Fraction
    kw: Fraction


@dataclass(frozen=True)
class PlantFactors:
    """Factors per tonne of metal and the meters.

    Attributes:
        rules: the plant's rule set.
        pfc_record: tCO2e per t of metal, the rule set's default factors.
        anode_co2: tCO2 per t of metal, or None when the site file gives no anode consumption.
        fuels, electricity: meters.
    """

    rules: RuleSet
    pfc_record: Fraction
    anode_co2: Fraction | None
    fuels: tuple[FuelMeter, ...]
    electricity: tuple[EnergyMeter, ...]


def plant_factors(config: Mapping[str, Any]) -> PlantFactors:
    """Resolve the statement section of a signed configuration."""
    rules = rule_set(config["plant"]["rule_set"])
    if rules.id not in live_rule_sets():
        raise UnknownRuleSetError(
            f"no figures are made of frames by {rules.id!r}, only by: {' '.join(live_rule_sets())}"
        )
    statement = config.get("statement", {})
    entries = [*statement.get("fuels", ()), *statement.get("auxiliary", ())]
    named = {e[key] for e in entries for key in ("point", "flow_point", "power_point") if key in e}
    points = plant_points(config, only=named)
    return PlantFactors(
        rules=rules,
        pfc_record=pfc_default_factor(rules),
        anode_co2=_anode(rules, statement.get("anode")),
        fuels=tuple(_fuel(rules, entry, points) for entry in statement.get("fuels", ())),
        electricity=tuple(
            _energy(entry, points)
            for entry in statement.get("auxiliary", ())
            if entry["kind"] == "electricity"
        ),
    )


def pfc_default_factor(rules: RuleSet) -> Fraction:
    """PFC in tCO2e per t of metal by the rule set's default factors and its own GWP set."""
    cf4 = rules.row("pfc.cf4_kg_t").value * gwp_row(rules.gwp, "cf4").value
    c2f6 = rules.row("pfc.c2f6_kg_t").value * gwp_row(rules.gwp, "c2f6").value
    return (cf4 + c2f6) / _KG_A_TONNE


def _anode(rules: RuleSet, fields: Mapping[str, Any] | None) -> Fraction | None:
    if not fields:
        return None
    gross_t_t = exact(fields["gross_kg_per_t"]) / _KG_A_TONNE
    if gross_t_t <= 0:
        raise PlantError("statement.anode.gross_kg_per_t: must be above zero")
    lost, sulfur, ash = (
        rules.row(f"anode.{name}_percent").value / 100 for name in ("loss", "sulfur", "ash")
    )
    ratio = rules.row("carbon.co2_ratio").value
    return gross_t_t * (1 - lost) * (1 - sulfur - ash) * ratio


def _fuel(rules: RuleSet, entry: Mapping[str, Any], points: Mapping[str, Point]) -> FuelMeter:
    kind = find_kind(rules.fuels, entry["kind"])
    if kind is None:
        raise PlantError(f"statement.fuels: {rules.id} has no fuel {entry['kind']!r}")
    point = _known(points, entry["point"])
    flow = _known(points, entry["flow_point"]) if "flow_point" in entry else None
    return FuelMeter(
        kind=kind,
        point=point,
        flow=flow,
        amount=_amount(kind, point, _AMOUNT),
        flow_amount=_amount(kind, flow, _FLOW) if flow is not None else Fraction(0),
        co2_per_unit=co2_per_unit(rules, fuel_parameters(rules, kind, {})),
    )


def _amount(kind: Kind, point: Point, units: Mapping[str, tuple[str, Fraction]]) -> Fraction:
    unit, amount = units.get(point.quantity.unit, ("", Fraction(0)))
    if unit != kind.unit:
        raise PlantError(
            f"{point.id}: {point.quantity.unit} does not fit {kind.id}, counted in {kind.unit}"
        )
    for name, needed in (("reference", "0C-101.325kPa"), ("moisture", "dry")):
        given = getattr(point.quantity, name)
        if given not in {None, needed}:
            raise PlantError(
                f"{point.id}: gas is counted at {given}; {kind.id} needs {needed} "
                "(let the meter or its profile convert it)"
            )
    return Fraction(amount / 10**point.decimals)


def _energy(entry: Mapping[str, Any], points: Mapping[str, Point]) -> EnergyMeter:
    point = _known(points, entry["point"])
    power = _known(points, entry["power_point"]) if "power_point" in entry else None
    if point.quantity.unit not in _ENERGY_KWH:
        raise PlantError(f"{point.id}: {point.quantity.unit} is no unit of energy")
    if power is not None and power.quantity.unit not in _POWER_KW:
        raise PlantError(f"{power.id}: {power.quantity.unit} is no unit of power")
    return EnergyMeter(
        point,
        power,
        _ENERGY_KWH[point.quantity.unit] / 10**point.decimals,
        _POWER_KW[power.quantity.unit] / 10**power.decimals if power else Fraction(0),
    )


def _known(points: Mapping[str, Point], point_id: str) -> Point:
    if point_id not in points:
        raise PlantError(f"statement: no such point: {point_id}")
    return points[point_id]
