"""What stands in the papers of a sealed month, number for number, to be held against each other."""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pypdfium2  # type: ignore[import-untyped]  # it has no types

from cloud.cli import main
from cloud.outputs.sheets import NOTES

NUMBER = re.compile(r"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?(?![\w.])")
PDFS = ("typing.pdf", "zh.pdf", "en.pdf")


def collected(archive: Path, folder: Path, trust: Path) -> dict[str, Any]:
    """What the commands make of an archive, and what its statement says.

    Args:
        archive: a sealed month.
        folder: where its papers go.
        trust: certificates.
    """
    for command, name, more in (
        ("workbook", "book.xlsx", []), ("typing-sheet", "typing.pdf", []),
        ("report", "zh.pdf", ["--trust", str(trust)]), ("report", "en.pdf", ["--lang", "en"]),
    ):  # fmt: skip
        out = str(folder / name)
        assert main(["month", command, str(archive), "--out", out, *more]) == 0
    pages = {name: _pages(folder / name) for name in PDFS}
    return {
        "statement": statement_of(archive),
        "book": set(_cells(folder / "book.xlsx")),
        "texts": {name: numbers("\n".join(found)) for name, found in pages.items()},
        "pages": pages,
    }


def statement_of(archive: Path) -> dict[str, Any]:
    """A sealed month's statement.json."""
    with tarfile.open(archive) as tar:
        (name,) = (n for n in tar.getnames() if n.endswith("/data/statement.json"))
        made: dict[str, Any] = json.load(tar.extractfile(name))  # type: ignore[arg-type]  # a file
    return made


def numbers(text: str) -> set[str]:
    """Every number of a text, as it is written."""
    return set(NUMBER.findall(text))


def figures_of(output: Mapping[str, Any]) -> Iterator[str]:
    """Every figure of a statement's output."""
    for line in output["lines"]:
        yield line["emission_t"]
        yield from (parameter["value"] for parameter in line["parameters"].values())
    yield from output["totals"].values()
    yield from output["gases"].values()
    yield from filter(None, [output.get("intensity")])
    yield from (entry["quantity"]["value"] for entry in output["auxiliary"])


def _cells(path: Path) -> Iterator[str]:
    """Numbers of the sheets of figures, as they are shown; the two first hold names."""
    for sheet in openpyxl.load_workbook(path).worksheets[2:]:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, int | float) and sheet.title != NOTES:
                    places = len(str(cell.number_format).partition(".")[2])
                    yield f"{cell.value:.{places}f}"


def _pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]
