"""A platform's workbook as rows, from the months of a year and a layout. Pure.

`book_of` is what the workbook, the typing sheet, the report and the comparison all start from:
there is one place where a figure gets its label and its places.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from cloud.outputs.errors import OutputError
from cloud.outputs.figures import (
    AMOUNTS,
    CALCULATED,
    EMISSION,
    Value,
    figure_at,
    name_of,
    parameter_value,
    rounded,
    weight_in,
    year_text,
)
from cloud.outputs.layout import Block, Item, Layout, Sheet
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.words import in_both
from edge.calc.decimal_text import parse_decimal
from edge.calc.factors import RuleSet

Line = Mapping[str, Any]
#: the figure that a month is known by
TOTAL = "output.totals.total_t"
#: of a file's name: Linux takes 255, and a Chinese character has three; of what stands behind a
#: plant's name, as the month
_NAME_BYTES_MAX, _END_BYTES = 240, 80


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Attributes:
        texts: column -> text, of all columns but months and year.
        values: month number -> its figure.
        year: the year's figure, "" for none.
        is_ours: archives can have a figure for it; the platform's alone are not compared.
        is_total: the months' total; nobody reads it without what it lacks.
    """

    texts: Mapping[str, str]
    values: Mapping[int, Value]
    year: str = ""
    is_ours: bool = True
    is_total: bool = False


@dataclass(frozen=True)
class Page:
    """A sheet with its rows."""

    sheet: Sheet
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Book:
    """A workbook.

    Attributes:
        layout: how it looks.
        months: in order, at least one.
        pages: in the layout's order.
    """

    layout: Layout
    months: tuple[SealedMonth, ...]
    pages: tuple[Page, ...]

    @property
    def file_name(self) -> str:
        """What the platform calls such a file; of the newest month, without "/" and the like."""
        newest = self.months[-1]
        name = self.layout.file_name.format(
            enterprise=newest.plant["name"], year=newest.month[:4], month=int(newest.month[5:])
        )
        return file_name_of(name)

    @property
    def beside_total(self) -> str:
        """Both languages of what belongs beside the months' total, "" for nothing."""
        told = [
            f"{month.month}{in_both(month.state.beside_total)}"
            for month in self.months
            if month.state.beside_total("en")
        ]
        return " · ".join(told)

    @property
    def simulated(self) -> bool:
        """Some month of it is of a simulated plant."""
        return any(month.simulated for month in self.months)


def file_name_of(name: str) -> str:
    """A name that every file system takes; what is too long loses its middle.

    Its end tells one month's file from another's, which would go over it.
    """
    fit = "".join(mark if mark.isprintable() and mark not in '/\\:*?"<>|' else "_" for mark in name)
    whole = fit.encode()
    if len(whole) <= _NAME_BYTES_MAX:
        return fit
    begins = whole[: _NAME_BYTES_MAX - _END_BYTES - len("…".encode())]
    ends = whole[-_END_BYTES:]
    return f"{begins.decode(errors='ignore')}…{ends.decode(errors='ignore')}"


def book_of(months: Sequence[SealedMonth], layout: Layout) -> Book:
    """The workbook of some months of one plant's year; OutputError where they are not that."""
    ordered = tuple(sorted(months, key=lambda month: month.month))
    numbers = [month.month for month in ordered]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise OutputError(f"{', '.join(twice)}: given more than once; which one counts?")
    if len({month.month[:4] for month in ordered}) > 1:
        raise OutputError(f"{numbers[0]} and {numbers[-1]} are of different years")
    if len({str(month.plant["id"]) for month in ordered}) > 1:
        raise OutputError("the archives are of different plants")
    for month in ordered:
        if month.rules.sector != layout.sector:
            raise OutputError(
                f"{month.month} is of the sector {month.rules.sector}, layout {layout.id} is for "
                f"{layout.sector}"
            )
    pages = tuple(
        Page(sheet, tuple(_filled(row, layout) for row in _rows(sheet, ordered, layout)))
        for sheet in layout.sheets
    )
    return Book(layout, ordered, pages)


def _rows(sheet: Sheet, months: Sequence[SealedMonth], layout: Layout) -> Iterator[Row]:
    if sheet.holds == "facts":
        for label, fact in sheet.facts:
            yield Row({"item": label, "value": _fact(months[-1], fact)}, {})
        return
    units = list(dict.fromkeys(u for month in months for u in month.output["units"]))
    if sheet.holds == "lines":
        for unit in units:
            yield Row(_place(layout, unit), {})
        return
    for unit in units if sheet.holds == "units" else [None]:
        for block in sheet.blocks:
            yield from _block_rows(block, months, layout, unit)
    for item in sheet.figures:
        yield _single(item, months)


def _fact(month: SealedMonth, fact: str) -> str:
    facts = {
        "edition": month.rules.edition,
        "year": month.month[:4],
        "name": str(month.plant["name"]),
        "id": str(month.plant["id"]),
        "sector": str(month.plant["sector"]),
    }
    return facts.get(fact, "")


def _place(layout: Layout, unit: str) -> dict[str, str]:
    return {"line_type": layout.line_type(unit), "line_name": layout.line_name(unit)}


def lines_of(output: Mapping[str, Any]) -> list[Line]:
    """A statement's lines, and its auxiliary figures as lines of that category."""
    beside = [
        {
            "category": "auxiliary",
            "kind": entry["kind"],
            "quantity": entry["quantity"]["value"],
            "parameters": {"quantity": entry["quantity"]},
        }
        for entry in output["auxiliary"]
    ]
    return [*output["lines"], *beside]


def _block_rows(
    block: Block, months: Sequence[SealedMonth], layout: Layout, unit: str | None
) -> Iterator[Row]:
    """The rows of each material of a category, of one process unit or (None) of all together."""
    found: dict[str, dict[int, list[Line]]] = {}
    for month in months:
        for line in lines_of(month.output):
            if line["category"] == block.category and unit in (None, line.get("unit")):
                by_month = found.setdefault(line["kind"], {})
                by_month.setdefault(_number(month), []).append(line)
    for kind, by_month in found.items():
        name = material_of(layout, block, months[-1].rules, kind)
        texts = {"source": block.source, "material": name, "line_type": block.source}
        if unit is not None:
            texts |= _place(layout, unit)
        for item in block.items:
            row = _item_row(item, by_month)
            if row.values:
                yield replace(row, texts={**texts, **row.texts})


def material_of(layout: Layout, block: Block, rules: RuleSet, kind: str) -> str:
    """What the platform calls a material."""
    named = layout.materials.get(f"{block.category}.{kind}")
    return block.material or named or name_of(rules, block.category, kind)


def _item_row(item: Item, by_month: Mapping[int, Sequence[Line]]) -> Row:
    values, weights, unit = dict[int, Value](), list[Fraction](), item.unit
    for number, lines in by_month.items():
        name = item.parameter
        if name != EMISSION and not all(name in line["parameters"] for line in lines):
            continue
        values[number] = parameter_value(lines, name, item.places)
        weights.append(sum((weight_in(line, name) for line in lines), Fraction(0)))
        unit = unit or str(lines[0]["parameters"][name]["unit"])
    year = ""
    if values:
        year = year_text(
            list(values.values()), weights,
            is_amount=item.parameter in AMOUNTS, places=item.places,
        )  # fmt: skip
    return Row({"item": item.item, "unit": unit}, values, year)


def _single(item: Item, months: Sequence[SealedMonth]) -> Row:
    values, weights = dict[int, Value](), list[Fraction]()
    for month in months:
        whole = {"input": month.given, "output": month.output}
        text = figure_at(whole, item.figure) if item.figure else None
        if text is not None:
            basis = _single_basis(month, item.figure)
            values[_number(month)] = Value(rounded(text, item.places), text, basis)
            weight = figure_at(whole, item.weight) if item.weight else None
            weights.append(parse_decimal(weight) if weight else Fraction(0))
    year = ""
    if values and item.year:
        year = year_text(
            list(values.values()), weights, is_amount=item.year == "sum", places=item.places
        )
    texts = {"source": item.source, "material": item.material, "item": item.item}
    return Row(
        {**texts, "unit": item.unit}, values, year,
        is_ours=bool(item.figure), is_total=item.figure == TOTAL,
    )  # fmt: skip


def _single_basis(month: SealedMonth, figure: str) -> str:
    """An output that readings gave is measured; all else that stands alone is calculated."""
    table, _, key = figure.rpartition(".")
    provenance = month.given.get("output", {}).get("provenance", {}).get(key, {})
    is_read = table == "input.output" and set(provenance) == {"frames"}
    return "measured" if is_read else CALCULATED


def _number(month: SealedMonth) -> int:
    return int(month.month[5:])


def _filled(row: Row, layout: Layout) -> Row:
    """With the platform's words for unit, basis and meter; of the newest month."""
    texts = dict(row.texts)
    if "unit" in texts:
        texts["unit"] = layout.unit(texts["unit"])
    if row.values:
        newest = row.values[max(row.values)]
        texts["basis"] = layout.basis[newest.basis]
        if newest.direct is not None and newest.basis != "default":
            texts["direct"] = layout.direct["yes" if newest.direct else "no"]
    return replace(row, texts=texts)
