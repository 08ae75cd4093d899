"""The typing sheet: the workbook's figures as a printable list, in the platform's order. Pure.

For a works that types: a number a field, and a box to tick. Both languages on one sheet.
"""

from cloud.outputs.blocks import Paper, heading, table, text
from cloud.outputs.book import Book, Page
from cloud.outputs.sheets import bands, headline_of
from cloud.outputs.words import both, in_both

#: columns of labels that the list has, in order
LABELS = ("line_type", "line_name", "source", "material")


def typing_sheet(book: Book) -> Paper:
    """The list of the newest month of a book."""
    newest = book.months[-1]
    month = int(newest.month[5:])
    paper = Paper(
        title=both("typing.title"),
        language="zh",
        running=f"{newest.plant['name']} · {newest.month}",
        footer=f"{both('notes.archive')} {newest.sha256}",
        bands=bands(book),
        landscape=True,
    )
    paper.blocks.append(heading(f"{newest.plant['name']} {newest.month}", 1))
    paper.blocks.append(text(headline_of(newest)))
    paper.blocks.append(text(both("typing.how"), "small"))
    number = 0
    for page in book.pages:
        rows = _rows(page, month, number, in_both(newest.state.beside_total))
        if rows:
            number += len(rows)
            paper.blocks.append(heading(page.sheet.title))
            head = ("no", "field", "basis", "direct", "unit", "figure", "typed")
            paper.blocks.append(
                table(
                    [both(f"typing.{key}") for key in head],
                    rows,
                    widths=[0, 6, 1.4, 1.8, 1.6, 2.4, 0.8],
                    align="rlllcrc".replace("c", "l", 1),
                    size=8.5,
                )
            )
    return paper


def _rows(page: Page, month: int, before: int, beside_total: str) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in page.rows:
        if month not in row.values:
            continue
        labels = [row.texts.get(label, "") for label in LABELS if label in page.sheet.columns]
        field = " · ".join(filter(None, [*labels, row.texts["item"]]))
        field += beside_total if row.is_total else ""
        direct = row.texts.get("direct", "") if "direct" in page.sheet.columns else ""
        rows.append(
            [str(before + len(rows) + 1), field, row.texts["basis"], direct,
             row.texts["unit"], row.values[month].text, "□"]
        )  # fmt: skip
    return rows
