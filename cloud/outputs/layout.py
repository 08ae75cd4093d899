"""How a platform's workbook is laid out: data with a source and a confidence, one file a sector.

The platform's form is nobody's published standard, so nothing of it is in the program: an
accountant who sees another heading copies the file and changes it. Pure but for the package's
own files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cloud.outputs.errors import OutputError
from edge.calc.factors import CONFIDENCES
from firmware_configs.fields import Fields, Problem
from firmware_configs.toml import NotTomlError, parse_toml

SECTORS = ("aluminium", "cement", "steel")
UNVERIFIED = "unverified"
HOLDS = ("facts", "lines", "enterprise", "units")
#: what a sheet's columns may hold; "months" stands for twelve of them
COLUMNS = (
    "line_type", "line_name", "source", "material", "item", "value", "basis", "direct", "unit",
    "months", "year",
)  # fmt: skip
CATEGORIES = (
    "fuel", "process", "product", "anode", "pfc", "carbonate", "clinker", "substitute", "auxiliary",
)  # fmt: skip
FACTS = ("name", "id", "edition", "year", "sector")
PLACES_MAX = 12


@dataclass(frozen=True)
class Item:
    """One row of a material, or one single figure.

    Attributes:
        item: its label.
        parameter: of a statement's line; "" for a single figure.
        figure: dotted path of the single figure, "" where the platform's has none of ours.
        unit: as stackproof writes it; "" takes the parameter's own.
        places: decimals at most; None leaves the figure as it is.
        source, material: labels of a single figure's row.
        year: "sum", "mean" or "" (no year's figure) of a single figure.
        weight: dotted path of what a mean is weighted with.
    """

    item: str
    parameter: str = ""
    figure: str = ""
    unit: str = ""
    places: int | None = None
    source: str = ""
    material: str = ""
    year: str = ""
    weight: str = ""


@dataclass(frozen=True)
class Block:
    """The rows of all materials of one category.

    Attributes:
        category: of the statement's lines.
        source: label of the emission source.
        material: label instead of the kind's own name, "" for that.
        items: in the platform's order.
    """

    category: str
    source: str
    material: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        title: its name.
        holds: one of `HOLDS`: facts of the plant; its process lines; figures of the enterprise;
            figures of each process line.
        confidence: one of the rule sets' confidences.
        columns: of `COLUMNS`.
        headings: column -> heading, where it is not the layout's.
        facts: (label, fact or ""), for "facts".
        blocks, figures: for "enterprise" and "units".
    """

    title: str
    holds: str
    confidence: str
    columns: tuple[str, ...]
    headings: Mapping[str, str]
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    figures: tuple[Item, ...]


@dataclass(frozen=True)
class Layout:
    """A platform's workbook for one sector.

    Attributes:
        id, sector, title_zh, title_en, file_name, source, confidence: what it is.
        units: stackproof's unit -> the platform's.
        basis: "measured", "default", "calculated" -> the platform's word.
        direct: "yes", "no" -> the platform's word.
        line_types: beginning of a process unit's id -> the platform's line type.
        line_names: process unit's id -> the line's name there.
        materials: "category.kind" -> the platform's name of a material.
        headings: column -> heading; "month" holds {month}.
        sheets: in order.
    """

    id: str
    sector: str
    title_zh: str
    title_en: str
    file_name: str
    source: str
    confidence: str
    units: Mapping[str, str]
    basis: Mapping[str, str]
    direct: Mapping[str, str]
    line_types: Mapping[str, str]
    line_names: Mapping[str, str]
    materials: Mapping[str, str]
    headings: Mapping[str, str]
    sheets: tuple[Sheet, ...]

    def unit(self, unit: str) -> str:
        """A unit as the platform writes it."""
        return self.units.get(unit, unit)

    def line_type(self, unit_id: str) -> str:
        """The platform's type of a process unit; its id where no beginning fits."""
        fits = [start for start in self.line_types if unit_id.startswith(start)]
        return self.line_types[max(fits, key=len)] if fits else unit_id

    def line_name(self, unit_id: str) -> str:
        """The platform's name of a process unit."""
        return self.line_names.get(unit_id, unit_id)

    def heading(self, sheet: Sheet, column: str) -> str:
        """What stands above a column."""
        return sheet.headings.get(column) or self.headings.get(column, column)


def sector_layout(sector: str) -> Layout:
    """The layout that comes with the program; OutputError for a sector without one."""
    if sector not in SECTORS:
        raise OutputError(f"sector {sector!r} has no layout; write one and give it with --layout")
    file = resources.files("cloud.outputs").joinpath(f"layouts/{sector}.toml")
    return parse_layout(file.read_bytes(), f"layouts/{sector}.toml")


def parse_layout(content: bytes, name: str) -> Layout:
    """A layout file's bytes; OutputError names every wrong key.

    Args:
        content: of the file.
        name: of the file, for the sentences.
    """
    try:
        table = parse_toml(content)
    except NotTomlError as error:
        raise OutputError(f"{name}: {error}") from error
    problems: list[Problem] = []
    layout = _layout(Fields(table, file=name, prefix="", problems=problems))
    if problems:
        raise OutputError("\n".join(map(str, problems)))
    return layout


def _layout(fields: Fields) -> Layout:
    fields.integer("format", 1, 1)
    title = fields.child("title")
    sheets: dict[str, Sheet] = {}
    for table in fields.children("sheet"):
        sheet = _sheet(table, sheets)
        if sheet.title in sheets:
            table.complain("title", f"sheet {sheet.title!r} stands twice")
        sheets[sheet.title] = sheet
    if not sheets:
        fields.complain("sheet", "is missing: a workbook has at least one [[sheet]]")
    layout = Layout(
        id=fields.text("id"),
        sector=fields.choice("sector", SECTORS),
        title_zh=title.text("zh"),
        title_en=title.text("en"),
        file_name=_file_name(fields),
        source=fields.text("source"),
        confidence=fields.choice("confidence", CONFIDENCES),
        units=_words(fields, "units"),
        basis=_words(fields, "basis", ("measured", "default", "calculated")),
        direct=_words(fields, "direct", ("yes", "no")),
        line_types=_words(fields, "line_types"),
        line_names=_words(fields, "line_names"),
        materials=_words(fields, "materials"),
        headings=_words(fields, "columns"),
        sheets=tuple(sheets.values()),
    )
    if "{month}" not in layout.headings.get("month", ""):
        fields.complain("columns.month", "must hold {month}")
    title.finish()
    fields.finish()
    return layout


def _file_name(fields: Fields) -> str:
    name = fields.text("file_name")
    try:
        name.format(enterprise="", year="", month=1)
    except (LookupError, ValueError):
        fields.complain(
            "file_name", "may hold {enterprise}, {year} and {month}, nothing else in {}"
        )
    return name


def _words(fields: Fields, key: str, names: Sequence[str] = ()) -> Mapping[str, str]:
    """A table of texts; with `names`, exactly of these."""
    if not names and not fields.has(key):
        return {}
    child = fields.child(key)
    asked = names or tuple(_keys(fields.raw(key)))
    words = {name: child.text(name) for name in asked}
    child.finish()
    return words


def _keys(value: Any) -> Sequence[str]:  # noqa: ANN401 - whatever TOML holds
    return list(value) if isinstance(value, dict) else ()


def _sheet(fields: Fields, before: Mapping[str, Sheet]) -> Sheet:
    of = fields.text("rows_of", default="-")
    if of != "-" and of not in before:
        fields.complain("rows_of", f"no sheet {of!r} stands before this one")
    blocks = tuple(map(_block, fields.children("rows")))
    sheet = Sheet(
        title=fields.text("title"),
        holds=fields.choice("holds", HOLDS),
        confidence=fields.choice("confidence", CONFIDENCES),
        columns=tuple(_columns(fields)),
        headings=_words(fields, "headings"),
        facts=tuple(map(_fact, fields.children("facts"))),
        blocks=before[of].blocks if of in before else blocks,
        figures=tuple(map(_figure, fields.children("figures"))),
    )
    fields.finish()
    return sheet


def _columns(fields: Fields) -> list[str]:
    found = []
    for name in fields.sequence("columns"):
        if name in COLUMNS and name not in found:
            found.append(str(name))
        else:
            fields.complain("columns", f"{name!r} is none of {' '.join(COLUMNS)}, or stands twice")
    return found


def _fact(fields: Fields) -> tuple[str, str]:
    label, fact = fields.text("item"), ""
    if fields.has("fact"):
        fact = fields.choice("fact", FACTS)
    fields.finish()
    return label, fact


def _block(fields: Fields) -> Block:
    block = Block(
        category=fields.choice("category", CATEGORIES),
        source=fields.text("source"),
        material=fields.text("material", default="-").strip("-"),
        items=tuple(map(_item, fields.children("items"))),
    )
    fields.finish()
    return block


def _item(fields: Fields) -> Item:
    item = Item(
        item=fields.text("item"),
        parameter=fields.text("parameter"),
        unit=_optional(fields, "unit"),
        places=_places(fields),
    )
    fields.finish()
    return item


def _figure(fields: Fields) -> Item:
    item = Item(
        item=fields.text("item"),
        figure=_optional(fields, "figure"),
        unit=_optional(fields, "unit"),
        places=_places(fields),
        source=_optional(fields, "source"),
        material=_optional(fields, "material"),
        year=fields.choice("year", ("sum", "mean")) if fields.has("year") else "",
        weight=_optional(fields, "weight"),
    )
    fields.finish()
    return item


def _places(fields: Fields) -> int | None:
    return fields.integer("places", 0, PLACES_MAX) if fields.has("places") else None


def _optional(fields: Fields, key: str) -> str:
    return fields.text(key) if fields.has(key) else ""
