"""Live rates of a cement works and a steelworks: tCO2 an hour of what has a flow.

Steel has two views that are never added: `month` is what the month's statement counts (carbon
bought less carbon sold), as far as it flows; `now` is carbon that leaves by the stacks (what
burns, by-product gas with it); their difference has a point of its own. Cement's clinker has no
meter as a rule: what the kiln feed makes of it by the raw-meal ratio is an indicator beside the
figure. Everything is counts of 10^-6, rounded once each; sums are of those counts. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.factors import DEFAULT_FACTORS
from edge.calc.fixed import scale
from edge.calc.folds.entries import LISTS, Entry, Rated
from edge.calc.folds.live_values import Values, given, total
from edge.calc.folds.plant import PlantFactors
from edge.calc.inputs import Readings

DECIMALS = 6
_ONE = 10**DECIMALS  # counts of a t/h
FUEL, TOTAL = "plant.fuel_co2_t_h", "plant.co2e_t_h"
CLINKER, CLINKER_CO2 = "plant.clinker_indicator_t_h", "plant.clinker_indicator_co2_t_h"
CEMENT_INDICATOR = "plant.co2_indicator_t_h"
MONTH, NOW = "plant.month_co2_t_h", "plant.now_co2_t_h"
RECONCILIATION = "plant.reconciliation_co2_t_h"  # now - month

Weights = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class Rate:
    """One computed point.

    Attributes:
        id: of the point.
        kind, unit: of its quantity.
        flows: (point, value per count of it), each rounded and then added.
        of: (rate before this one, 1 or -1), added.
    """

    id: str
    kind: str = "emission-flow"
    unit: str = "t/h"
    flows: Weights = ()
    of: tuple[tuple[str, int], ...] = ()


def rates(factors: PlantFactors) -> list[Rate]:
    """The rates of a plant, in order; none for aluminium, whose points are by potline."""
    if factors.rules.record == DEFAULT_FACTORS:
        return []
    tables = {table: factors.of(table) for table, _ in LISTS.values()}
    found = [
        Rate(name, flows=_flows(entry))
        for table, entries in tables.items()
        for name, entry in zip(_names(table, entries), entries, strict=True)
        if entry.has_flows
    ]
    if fuels := _whole(tables, "fuel"):
        found.append(Rate(FUEL, of=_signed(fuels)))
    return [*found, *(_cement if factors.rules.clinkers else _steel)(factors, tables)]


def rate_values(
    made: Sequence[Rate], readings: Readings, row: Mapping[str, int]
) -> dict[str, Values]:
    """Counts and qualities of rates by id; NO_INPUT, never 0, where a flow is not usable."""
    values: dict[str, Values] = {}
    for rate in made:
        parts = [
            (scale(readings.counts[row[point_id]], factor), given(readings.ok[row[point_id]]))
            for point_id, factor in rate.flows
        ]
        parts += [(sign * values[name][0], values[name][1]) for name, sign in rate.of]
        values[rate.id] = total(parts, len(readings.ticks_ns))
    return values


Tables = Mapping[str, Sequence[Entry]]


def _cement(factors: PlantFactors, tables: Tables) -> list[Rate]:
    found = []
    fuels, substitutes = _whole(tables, "fuel"), _whole(tables, "substitute")
    if (feed := factors.kiln_feed) is not None:
        found.append(Rate(CLINKER, "mass-flow", flows=(_weight(feed, Fraction(1)),)))
        found.append(Rate(CLINKER_CO2, flows=(_weight(feed, feed.co2_per_unit),)))
        if fuels and substitutes is not None:
            added = [*fuels, CLINKER_CO2]
            found.append(Rate(CEMENT_INDICATOR, of=_signed(added, substitutes)))
    clinker = _whole(tables, "clinker")
    if fuels and clinker and substitutes is not None:
        of = _signed([*fuels, *clinker], substitutes)
        found.append(Rate(TOTAL, unit="tCO2e/h", of=of))
    return found


def _steel(factors: PlantFactors, tables: Tables) -> list[Rate]:
    names = _names("burnt", factors.burnt)
    found = [
        Rate(name, flows=(_weight(flow, flow.co2_per_unit),))
        for name, flow in zip(names, factors.burnt, strict=True)
    ]
    if names:
        found.append(Rate(NOW, of=_signed(names)))
    fuels, process, products = (_whole(tables, t) for t in ("fuel", "process", "product"))
    if fuels and process is not None and products is not None:
        found.append(Rate(MONTH, of=_signed([*fuels, *process], products)))
        if names:
            found.append(Rate(RECONCILIATION, of=_signed([NOW], [MONTH])))
    return found


def _names(table: str, entries: Sequence[Entry | Rated]) -> list[str]:
    return [f"plant.{table}-{i}.{entry.kind}.co2_t_h" for i, entry in enumerate(entries, 1)]


def _whole(tables: Tables, table: str) -> list[str] | None:
    """Names of the rates of all entries of a table; None when one of them has no flow."""
    entries = tables[table]
    return _names(table, entries) if all(entry.has_flows for entry in entries) else None


def _flows(entry: Entry) -> Weights:
    return tuple(
        (meter.flow.id, _ONE * meter.sign * meter.flow_amount * entry.co2_per_unit)
        for meter in entry.meters
        if meter.flow is not None
    )


def _weight(rated: Rated, factor: Fraction) -> tuple[str, Fraction]:
    return rated.flow.id, _ONE * rated.amount * factor


def _signed(added: Sequence[str], subtracted: Sequence[str] = ()) -> tuple[tuple[str, int], ...]:
    return *((name, 1) for name in added), *((name, -1) for name in subtracted)
