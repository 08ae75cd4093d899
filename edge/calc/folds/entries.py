"""The entries of a statement section: what each counts, by which meters, in the rule set's units.

An entry is what becomes one row of the statement's input: a fuel, a material, a product, clinker.
Its amount is one totaliser, or what came and what left where those have meters of their own; each
totaliser may have a flow beside it, for the check and for the live rates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from edge.calc.errors import PlantError
from edge.calc.factors import DEFAULT_FACTORS, Kind, RuleSet, find_kind
from edge.calc.methods.combustion import co2_per_unit, fuel_parameters
from edge.calc.statements.statement_table import USES
from evidence.points import NAME_ID, Point, exact

Points = Mapping[str, Point]

#: how the figure of record is made -> what a statement section may hold
SECTIONS = {
    DEFAULT_FACTORS: ("metal", "anode", "fuels", "auxiliary", "beside"),
    "mass-balance": ("fuels", "process", "products", "output", "burnt", "auxiliary", "beside"),
    "clinker-factor": (
        "fuels",
        "clinker",
        "substitutes",
        "output",
        "kiln_feed",
        "auxiliary",
        "beside",
    ),
}
#: list of the section -> (table of the statement's input, what its kind is called there)
LISTS = {
    "fuels": ("fuel", "kind"),
    "process": ("process", "material"),
    "products": ("product", "product"),
    "clinker": ("clinker", "kind"),
    "substitutes": ("substitute", "kind"),
}
ELECTRICITY = "electricity"
#: what stands beside the figures and makes none: check -> its name in the input, unit it counts in
BESIDE = "beside"
SECOND_METER, STACK_CO2, HEAT_USED = "second-meter", "stack-co2", "heat-used"
_BESIDE_UNITS = {STACK_CO2: "t", HEAT_USED: "MWh"}
#: tables of which no figure of the total is made
APART = frozenset({"auxiliary", BESIDE})
#: rule of an entry whose amount documents tell; its totaliser that brings them to the month
RECORDS, BRIDGE = "records", "bridge"
#: totaliser of an entry -> (its flow, its name in the input, whether it is added)
_METERS = {
    "point": ("flow_point", "quantity", 1),
    "purchased": ("purchased_flow", "purchased", 1),
    "output": ("output_flow", "output", -1),
}
#: unit of a totaliser -> (unit the rule set counts in, how many of that one of it is)
_AMOUNTS: dict[str, tuple[str, Fraction]] = {
    "Nm3": ("10^4 Nm3", Fraction(1, 10_000)),
    "10^4 Nm3": ("10^4 Nm3", Fraction(1)),
    "t": ("t", Fraction(1)),
    "kg": ("t", Fraction(1, 1000)),
    "Wh": ("MWh", Fraction(1, 1_000_000)),
    "kWh": ("MWh", Fraction(1, 1000)),
    "MWh": ("MWh", Fraction(1)),
}
#: likewise of a flow: what passes in an hour
_FLOWS = {f"{unit}/h": amount for unit, amount in _AMOUNTS.items()}
_FLOWS |= {unit.removesuffix("h"): amount for unit, amount in _AMOUNTS.items() if unit[-1] == "h"}

#: at which the rule sets' factors are
_CONDITIONS = {"reference": "0C-101.325kPa", "moisture": "dry", "fuel_basis": "ar"}


@dataclass(frozen=True)
class EntryMeter:
    """One totaliser of an entry.

    Attributes:
        key: of its quantity in the input: "quantity", "purchased", "output".
        sign: 1, or -1 where what it counts has left.
        point: the totaliser.
        amount: statement units (t, 10^4 Nm3, MWh) per count of it.
        flow: the point whose integral stands beside it, or None.
        flow_amount: statement units an hour per count of the flow.
    """

    key: str
    sign: int
    point: Point
    amount: Fraction
    flow: Point | None = None
    flow_amount: Fraction = Fraction(0)


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        table: of the statement's input ("fuel", "product"); "metal" makes several.
        words: what stands beside its figures there: kind (by its id), use, unit.
        kind: id of the kind, "" where there is none.
        meters: one, or one for each part of the amount; none where documents tell it.
        bridge: brings what documents tell to the month, and makes no amount itself; or None.
        co2_per_unit: tCO2 per statement unit, all defaults; 0 where no line is made of it.
        fields: as it was signed.
    """

    table: str
    words: Mapping[str, str]
    meters: tuple[EntryMeter, ...]
    kind: str = ""
    co2_per_unit: Fraction = Fraction(0)
    fields: Mapping[str, Any] = field(default_factory=dict)
    bridge: EntryMeter | None = None

    @property
    def read(self) -> tuple[EntryMeter, ...]:
        """Every totaliser that is read for it."""
        return self.meters if self.bridge is None else (*self.meters, self.bridge)

    @property
    def has_flows(self) -> bool:
        """Each of its totalisers has a flow beside it."""
        return bool(self.meters) and all(meter.flow is not None for meter in self.meters)

    @property
    def source(self) -> str:
        """What the documents of its factors and amounts are about, "" for none."""
        # of kiln_feed and anode, which are no entries, "source" is a sentence
        return str(self.fields.get("source", ""))

    @property
    def is_recorded(self) -> bool:
        """Its amount is of documents, and no meter's."""
        return self.fields.get("rule") == RECORDS


@dataclass(frozen=True)
class Rated:
    """A flow that no figure is made of.

    Attributes:
        flow: the point.
        kind: id of the fuel that burns, or of the clinker that becomes of the raw meal.
        amount: t or 10^4 Nm3 of it an hour per count of the flow.
        co2_per_unit: tCO2 per unit of it.
    """

    flow: Point
    kind: str
    amount: Fraction
    co2_per_unit: Fraction


def lists_of(rules: RuleSet) -> list[str]:
    """The lists of a statement's input that a rule set's entries make, in order."""
    return [LISTS[key][0] for key in SECTIONS[rules.record] if key in LISTS]


def entries(rules: RuleSet, statement: Mapping[str, Any], points: Points) -> Iterator[Entry]:
    """Every entry, in the order in which a statement lists totalisers.

    Raises:
        PlantError: an entry that cannot be calculated with.
    """
    if metal := statement.get("metal"):
        yield Entry("metal", {}, _meters(Kind("metal", ""), metal, points), fields=metal)
    for key in LISTS:
        for fields in statement.get(key, ()):
            yield _entry(rules, key, fields, points)
    if output := statement.get("output"):
        yield Entry("output", {}, _meters(Kind("output", ""), output, points), fields=output)
    for fields in statement.get("auxiliary", ()):
        if fields["kind"] == ELECTRICITY:
            meters = _meters(Kind(ELECTRICITY, "", "MWh"), fields, points, flow="power_point")
            yield Entry("auxiliary", {"kind": ELECTRICITY}, meters, ELECTRICITY, fields=fields)
    for fields in statement.get(BESIDE, ()):
        yield _beside(fields, statement, points)


def _beside(fields: Mapping[str, Any], statement: Mapping[str, Any], points: Points) -> Entry:
    check = fields["check"]
    if check == SECOND_METER:
        if fields["of"] not in set(_totalisers(statement)):
            raise PlantError(f"statement.beside: {fields['of']} is no totaliser of the statement")
        unit, _ = _AMOUNTS.get(_known(points, fields["of"]).quantity.unit, ("", None))
    else:
        unit = _BESIDE_UNITS[check]
    if not NAME_ID.fullmatch(fields.get("unit", "-")):
        raise PlantError(f"statement.beside: unit must match {NAME_ID.pattern}")
    words = {key: fields[key] for key in ("check", "of", "unit") if key in fields}
    words["counted_in"] = unit
    return Entry(
        BESIDE, words, _meters(Kind(check, "", unit), fields, points), check, fields=fields
    )


def _totalisers(statement: Mapping[str, Any]) -> Iterator[str]:
    """Those that make figures."""
    single = [statement[key] for key in ("metal", "output") if key in statement]
    for fields in [*single, *(fields for key in LISTS for fields in statement.get(key, ()))]:
        yield from (fields[key] for key in _METERS if key in fields)


def burnt(rules: RuleSet, statement: Mapping[str, Any], points: Points) -> Iterator[Rated]:
    """What is burnt, as its flows are metered; PlantError as of `entries`."""
    for fields in statement.get("burnt", ()):
        kind, factor = _kind(rules, "fuels", fields, where="burnt")
        flow = _known(points, fields["flow_point"])
        yield Rated(flow, kind.id, _counted(kind, flow, _FLOWS), factor)


def kiln_feed(rules: RuleSet, fields: Mapping[str, Any], points: Points) -> Rated:
    """The clinker that becomes of a kiln's raw meal: an indicator, never a figure of record.

    Raises:
        PlantError: it cannot be calculated with.
    """
    kind, factor = _kind(rules, "clinker", fields, where="kiln_feed")
    ratio = exact(fields["meal_per_clinker"])
    if ratio <= 0:
        raise PlantError("statement.kiln_feed.meal_per_clinker: must be above zero")
    flow = _known(points, fields["flow_point"])
    return Rated(flow, kind.id, _counted(kind, flow, _FLOWS) / ratio, factor)


def _entry(rules: RuleSet, key: str, fields: Mapping[str, Any], points: Points) -> Entry:
    table, name = LISTS[key]
    kind, factor = _kind(rules, key, fields)
    words = {name: kind.id} | {word: fields[word] for word in ("use", "unit") if word in fields}
    if words.get("use", USES[0]) not in USES:
        raise PlantError(f"statement.{key}: use must be one of {' '.join(USES)}")
    if not NAME_ID.fullmatch(words.get("unit", "-")):
        raise PlantError(f"statement.{key}: unit {words['unit']!r} must match {NAME_ID.pattern}")
    if fields.get("rule") != RECORDS:
        return Entry(table, words, _meters(kind, fields, points), kind.id, factor, fields)
    bridge = None
    if BRIDGE in fields:
        point = _known(points, fields[BRIDGE])
        bridge = EntryMeter(BRIDGE, 1, point, _counted(kind, point, _AMOUNTS))
    return Entry(table, words, (), kind.id, factor, fields, bridge)


def _kind(
    rules: RuleSet, key: str, fields: Mapping[str, Any], where: str = ""
) -> tuple[Kind, Fraction]:
    """What an entry of a list is about, and tCO2 per unit of it."""
    table, name = LISTS[key]
    kind = find_kind(rules.kinds(table), fields[name])
    if kind is None:
        raise PlantError(f"statement.{where or key}: {rules.id} has no {table} {fields[name]!r}")
    if table == "fuel":
        own = fuel_parameters(rules, kind, {}, use=fields.get("use", ""))
        return kind, co2_per_unit(rules, own)
    return kind, rules.row(f"{table}.{kind.id}.factor").value


def _meters(
    kind: Kind, fields: Mapping[str, Any], points: Points, flow: str = "flow_point"
) -> tuple[EntryMeter, ...]:
    meters = []
    for key, (gauge, name, sign) in _METERS.items():
        if key not in fields:
            continue
        point = _known(points, fields[key])
        made = EntryMeter(name, sign, point, _counted(kind, point, _AMOUNTS))
        beside = fields.get(flow if key == "point" else gauge)
        if beside is not None:
            rate = _known(points, beside)
            made = replace(made, flow=rate, flow_amount=_counted(kind, rate, _FLOWS))
        meters.append(made)
    if not meters:
        raise PlantError(f"statement: an entry has none of {' '.join(_METERS)}")
    return tuple(meters)


def _counted(kind: Kind, point: Point, units: Mapping[str, tuple[str, Fraction]]) -> Fraction:
    """Statement units per count; PlantError where the point is not counted in them."""
    unit, amount = units.get(point.quantity.unit, ("", Fraction(0)))
    if unit != kind.unit:
        raise PlantError(
            f"{point.id}: {point.quantity.unit} does not fit {kind.id}, counted in {kind.unit}"
        )
    for name, needed in _CONDITIONS.items():
        given = getattr(point.quantity, name)
        if given not in {None, needed}:
            raise PlantError(
                f"{point.id}: it is counted at {given}; {kind.id} needs {needed} "
                "(let the meter or its profile convert it)"
            )
    return Fraction(amount / 10**point.decimals)


def _known(points: Points, point_id: str) -> Point:
    """A point by id; PlantError when there is none."""
    if point_id not in points:
        raise PlantError(f"statement: no such point: {point_id}")
    return points[point_id]
