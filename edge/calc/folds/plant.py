"""What the live calculation needs of a plant's statement section, as exact factors.

Everything is resolved once, at construction; a configuration that cannot be calculated with is
refused with a sentence (PlantError), never half used.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.errors import CalcError, PlantError, UnknownRuleSetError
from edge.calc.factors import DEFAULT_FACTORS, RuleSet, gwp_row, rule_set, statement_rule_sets
from edge.calc.folds.entries import SECTIONS, Entry, Rated, burnt, entries, kiln_feed
from edge.calc.inputs import plant_points
from evidence.points import exact

_KG_A_TONNE = 1000


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
class PlantFactors:
    """What is counted, by which meters, with which factors.

    Attributes:
        rules: the plant's rule set.
        anode_co2: tCO2 per t of metal, or None when the site file gives no anode consumption.
        entries: of the statement section, in the order in which a statement lists totalisers.
        burnt: steel: flows of what burns.
        kiln_feed: cement: the raw meal whose clinker is estimated, or None.
    """

    rules: RuleSet
    anode_co2: Fraction | None
    entries: tuple[Entry, ...]
    burnt: tuple[Rated, ...] = ()
    kiln_feed: Rated | None = None

    def of(self, table: str) -> tuple[Entry, ...]:
        """The entries of one table of the statement's input."""
        return tuple(entry for entry in self.entries if entry.table == table)


def plant_factors(config: Mapping[str, Any]) -> PlantFactors:
    """Resolve the statement section of a signed configuration."""
    rules = rule_set(config["plant"]["rule_set"])
    if rules.id not in statement_rule_sets():
        raise UnknownRuleSetError(
            f"no figures are made by {rules.id!r}, only by: {' '.join(statement_rule_sets())}"
        )
    statement = config.get("statement", {})
    if foreign := [key for key in statement if key not in SECTIONS[rules.record]]:
        raise PlantError(
            f"statement.{foreign[0]}: {rules.id} ({rules.sector}) has none; it has: "
            f"{' '.join(SECTIONS[rules.record])}"
        )
    if config.get("potlines") and rules.record != DEFAULT_FACTORS:
        raise PlantError(f"potlines: {rules.id} ({rules.sector}) has none")
    points = plant_points(config, only=set(_texts(statement)))
    feed = statement.get("kiln_feed")
    return PlantFactors(
        rules=rules,
        anode_co2=_anode(rules, statement.get("anode")),
        entries=tuple(entries(rules, statement, points)),
        burnt=tuple(burnt(rules, statement, points)),
        kiln_feed=kiln_feed(rules, feed, points) if feed else None,
    )


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a configuration
    """Every text in it: the ids of points are among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


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
