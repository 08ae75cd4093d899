"""Every figure is the same decimal string in statement, workbook, typing sheet and report."""

from pathlib import Path
from typing import Any

import pytest

from cloud.outputs.layout import SECTORS
from tests.unit.cloud.outputs.collected import collected, figures_of
from tests.unit.cloud.outputs.months import needs_font

pytestmark = needs_font


@pytest.fixture(scope="module", params=SECTORS)
def made(request: Any, archives: dict[str, Path], tmp_path_factory: Any) -> dict[str, Any]:
    """What the commands make of a sector's archive, and what its statement says."""
    archive = archives[request.param]
    folder = tmp_path_factory.mktemp("papers")
    return collected(archive, folder, archive.parent / "trust.pem")


def test_every_sealed_figure_stands_in_the_report_as_it_is(made: dict[str, Any]) -> None:
    figures = set(figures_of(made["statement"]["output"]))
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
