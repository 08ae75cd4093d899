"""The entries of the site file's `[statement]`: fuels, materials, products, clinker, electricity.

Which of them a plant may have, and whether their units fit, the calculation says (`edge.signed`).
"""

from collections.abc import Mapping
from typing import Any

from edge.calc.folds.entries import BRIDGE, HEAT_USED, RECORDS, SECOND_METER, STACK_CO2
from edge.calc.statements.statement_table import USES
from edge.site.points import SitePoints, Uses, read_counter, read_point, read_totaliser
from evidence.documents.document import ABOUT
from evidence.points import NAME_ID, exact
from firmware_configs.fields import Fields

FUEL_KINDS = ("gas-volume", "mass", "solid-fuel-mass")
FUEL_FLOWS = ("gas-flow", "mass-flow")
MASS, MASS_FLOW = ("mass",), ("mass-flow",)
AUXILIARY_KINDS = ("electricity",)
#: t of raw meal, as weighed, for a tonne of clinker; carbonates alone take some 1.5
MEAL_MIN, MEAL_MAX = 1, 3

#: table of the site file -> (list of the configuration, its words, its amount may be in parts)
_TABLES = {
    "fuel": ("fuels", ("kind", "use", "unit"), True),
    "process": ("process", ("material", "unit"), True),
    "product": ("products", ("product", "unit"), False),
    "clinker": ("clinker", ("kind", "unit"), False),
    "substitute": ("substitutes", ("kind", "unit"), True),
}
#: list of the configuration -> table of the site file
TABLES = {key: table for table, (key, _, _) in _TABLES.items()}
_WHY = {
    "kind": "a kind of the rule set, such as natural-gas",
    "material": "a material of the rule set, such as electrode",
    "product": "a product of the rule set, such as crude-steel",
}
#: check -> quantities of its totaliser
_BESIDE_KINDS = {
    SECOND_METER: ("gas-volume", "mass", "solid-fuel-mass"),
    STACK_CO2: ("mass", "emission"),
    HEAT_USED: ("energy",),
}
_PARTS = ("purchased", "output")
_METERS = ("point", "flow_point", *_PARTS, *(f"{part}_flow" for part in _PARTS))


class _Reader:
    """Reads entries of one statement section."""

    def __init__(self, points: SitePoints, uses: Uses) -> None:
        self._points, self._uses = points, uses

    def entry(self, fields: Fields, table: str, place: str) -> Mapping[str, str]:
        _, words, may_be_parts = _TABLES[table]
        kinds, flows = (FUEL_KINDS, FUEL_FLOWS) if table == "fuel" else (MASS, MASS_FLOW)
        entry = {words[0]: fields.text(words[0], why=_WHY[words[0]])}
        if "use" in words and fields.has("use"):
            entry["use"] = fields.choice("use", USES)
        if fields.has("unit"):
            entry["unit"] = fields.text("unit")
            if not NAME_ID.fullmatch(entry["unit"]):
                fields.complain("unit", f"{entry['unit']!r} must match {NAME_ID.pattern}")
        entry |= read_source(fields, "source")
        is_metered = any(fields.raw(key) is not None for key in _METERS)
        if fields.raw("rule") == RECORDS or (fields.has("rule") and not is_metered):
            entry |= self.recorded(fields, place, kinds)
            fields.finish()
            return entry
        parts = [key for key in _PARTS if may_be_parts and fields.has(key)]
        if parts and fields.has("point"):
            fields.complain("point", f"give either it or {' and '.join(parts)}")
        for key in parts or ["point"]:
            entry |= self.meter(fields, key, place, kinds, flows)
        fields.finish()
        return entry

    def recorded(self, fields: Fields, place: str, kinds: tuple[str, ...]) -> dict[str, str]:
        """An amount that no meter counts: invoices, stock-takes and counts tell it.

        A totaliser may bring them to the month where they are of another period.
        """
        found = {"rule": fields.choice("rule", (RECORDS,))}
        if not fields.has("source"):
            fields.complain("rule", "documents tell this amount: source says what they are about")
        for key in _METERS:
            if fields.raw(key) is not None:
                fields.complain(key, f'give either it or rule = "{RECORDS}"')
        if fields.has(BRIDGE):
            found[BRIDGE] = read_counter(
                fields, self._points, self._uses, place, kinds=kinds, key=BRIDGE
            )
        return found

    def meter(
        self, fields: Fields, key: str, place: str, kinds: tuple[str, ...], flows: tuple[str, ...]
    ) -> dict[str, str]:
        """A totaliser and the flow beside it."""
        found = read_totaliser(fields, self._points, self._uses, place, kinds=kinds, key=key)
        gauge = "flow_point" if key == "point" else f"{key}_flow"
        if kinds == ("energy",):
            gauge = "power_point"
        if fields.has(gauge):
            found[gauge] = self.flow(fields, place, flows, key=gauge)
        return found

    def flow(
        self, fields: Fields, place: str, kinds: tuple[str, ...], *, key: str = "flow_point"
    ) -> str:
        return read_point(fields, key, self._points, self._uses, place, kinds=kinds)


def read_source(fields: Fields, key: str) -> dict[str, str]:
    """What documents of persons are about, where the table names it under this key."""
    if not fields.has(key):
        return {}
    about = fields.text(key, why="what documents are about, such as coal-1")
    if not ABOUT.fullmatch(about):
        fields.complain(key, f"{about!r} must match {ABOUT.pattern}, as documents are about")
    return {key: about}


def read_entries(fields: Fields, points: SitePoints, uses: Uses) -> dict[str, Any]:
    """All entries, in the form of the signed configuration; absent tables are left out.

    Args:
        fields: the statement section.
        points: of the devices.
        uses: what is counted so far; what counts nothing itself is not taken from it.
    """
    reader, statement = _Reader(points, uses), dict[str, Any](fuels=[], auxiliary=[])
    for table, (key, _, _) in _TABLES.items():
        found = [
            reader.entry(inner, table, f"statement.{table}[{index}]")
            for index, inner in enumerate(_tables(fields, table))
        ]
        if found:
            statement[key] = found
    for index, inner in enumerate(fields.children("auxiliary")):
        kind = {"kind": inner.choice("kind", AUXILIARY_KINDS)}
        place = f"statement.auxiliary[{index}]"
        meter = reader.meter(inner, "point", place, ("energy",), ("power",))
        statement["auxiliary"].append(kind | meter)
        inner.finish()
    if beside := _beside(fields, points, uses):
        statement["beside"] = beside
    if fields.has("output"):
        output = fields.child("output")
        place = "statement.output"
        statement["output"] = read_totaliser(output, points, Uses(), place, kinds=MASS)
        output.finish()
    if burnt := _burnt(fields, _Reader(points, Uses())):
        statement["burnt"] = burnt
    if fields.has("kiln_feed"):
        statement["kiln_feed"] = _kiln_feed(fields.child("kiln_feed"), _Reader(points, Uses()))
    return statement


def _beside(fields: Fields, points: SitePoints, uses: Uses) -> list[dict[str, str]]:
    """Totalisers that make no figure: a second meter, CO2 of stacks, heat that was used."""
    found = []
    for index, inner in enumerate(fields.children("beside")):
        place, check = f"statement.beside[{index}]", inner.choice("check", tuple(_BESIDE_KINDS))
        entry = {"check": check}
        if check == SECOND_METER:
            entry["of"] = inner.text("of", why="the totaliser of the statement that it is held to")
        elif inner.has("unit"):
            entry["unit"] = inner.text("unit", why="the unit of the works, as of its fuels")
        kinds = _BESIDE_KINDS.get(check, ())
        found.append(entry | read_totaliser(inner, points, uses, place, kinds=kinds))
        inner.finish()
    return found


def _tables(fields: Fields, table: str) -> list[Fields]:
    """A table's entries; [statement.clinker] may stand alone, as most works have one."""
    alone = table == "clinker" and isinstance(fields.raw(table), dict)
    return [fields.child(table)] if alone else fields.children(table)


def _burnt(fields: Fields, reader: _Reader) -> list[dict[str, str]]:
    """What burns, as its flows are metered: steel's view of now."""
    found = []
    for index, inner in enumerate(fields.children("burnt")):
        kind = inner.text("kind", why="a fuel of the rule set, such as blast-furnace-gas")
        flow = reader.flow(inner, f"statement.burnt[{index}]", FUEL_FLOWS)
        found.append({"kind": kind, "flow_point": flow})
        inner.finish()
    return found


def _kiln_feed(fields: Fields, reader: _Reader) -> Mapping[str, str]:
    ratio = fields.decimal("meal_per_clinker", why="t of raw meal, as weighed, for t of clinker")
    if not MEAL_MIN <= exact(ratio) <= MEAL_MAX:
        fields.complain("meal_per_clinker", f"{ratio!r} is not in {MEAL_MIN}..{MEAL_MAX} t/t")
    found = {
        "kind": fields.text("kind", why="a clinker of the rule set, such as portland"),
        "flow_point": reader.flow(fields, "statement.kiln_feed", MASS_FLOW),
        "meal_per_clinker": ratio,
        "source": fields.text("source", why="where this typed ratio comes from"),
    }
    fields.finish()
    return found
