"""Every figure is the same decimal string in statement, workbook, typing sheet and report."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.cli import main
from cloud.outputs.layout import SECTORS
from cloud.outputs.sheets import NOTES
from tests.unit.cloud.outputs.months import needs_font

pytestmark = needs_font
NUMBER = re.compile(r"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?(?![\w.])")


@pytest.fixture(scope="module", params=SECTORS)
def made(request: Any, archives: dict[str, Path], tmp_path_factory: Any) -> dict[str, Any]:
    """What the commands make of a sector's archive, and what its statement says."""
    folder, archive = tmp_path_factory.mktemp("papers"), archives[request.param]
    trust = str(archive.parent / "trust.pem")
    for command, name, more in (
        ("workbook", "book.xlsx", []), ("typing-sheet", "typing.pdf", []),
        ("report", "zh.pdf", ["--trust", trust]), ("report", "en.pdf", ["--lang", "en"]),
    ):  # fmt: skip
        out = str(folder / name)
        assert main(["month", command, str(archive), "--out", out, *more]) == 0
    with tarfile.open(archive) as tar:
        name = f"{archive.stem}/data/statement.json"
        statement = json.load(tar.extractfile(name))  # type: ignore[arg-type]  # it is a file
    return {
        "statement": statement,
        "book": set(_cells(folder / "book.xlsx")),
        "texts": {n: _pdf_text(folder / n) for n in ("typing.pdf", "zh.pdf", "en.pdf")},
        "pages": {n: _pages(folder / n) for n in ("typing.pdf", "zh.pdf", "en.pdf")},
    }


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


def _pdf_text(path: Path) -> set[str]:
    return set(NUMBER.findall("\n".join(_pages(path))))


def _figures(output: dict[str, Any]) -> Iterator[str]:
    for line in output["lines"]:
        yield line["emission_t"]
        yield from (parameter["value"] for parameter in line["parameters"].values())
    yield from output["totals"].values()
    yield from output["gases"].values()
    yield from filter(None, [output.get("intensity")])
    yield from (entry["quantity"]["value"] for entry in output["auxiliary"])


def test_every_sealed_figure_stands_in_the_report_as_it_is(made: dict[str, Any]) -> None:
    figures = set(_figures(made["statement"]["output"]))
    assert len(figures) > 7
    for name in ("zh.pdf", "en.pdf"):
        assert figures - made["texts"][name] == set()


def test_every_figure_of_the_workbook_stands_in_both_papers(made: dict[str, Any]) -> None:
    assert len(made["book"]) > 4
    for name, text in made["texts"].items():
        assert made["book"] - text == set(), name


def test_emissions_and_totals_of_workbook_and_statement_are_one(made: dict[str, Any]) -> None:
    output = made["statement"]["output"]
    assert output["totals"]["total_t"] in made["book"]
    sums: dict[str, set[str]] = {}
    for line in output["lines"]:
        sums.setdefault(f"{line['category']} {line['kind']}", set()).add(line["emission_t"])
    single = {value for values in sums.values() if len(values) == 1 for value in values}
    assert single - made["book"] == set()


def test_every_page_says_that_the_plant_is_simulated(made: dict[str, Any]) -> None:
    bands = {"en.pdf": "SIMULATED", "typing.pdf": "SIMULATED", "zh.pdf": "模拟工厂"}
    for name, band in bands.items():
        assert all(band in page for page in made["pages"][name]), name


def test_the_report_says_how_to_check_it_and_what_was_not(made: dict[str, Any]) -> None:
    whole = "".join(made["pages"]["en.pdf"])
    assert "stackproof verify" in whole
    assert "The meters themselves" in whole  # of what was not checked
    assert "MISSING" in whole  # supporting material
