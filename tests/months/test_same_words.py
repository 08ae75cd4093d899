"""The same words on every surface: what `verify` says of a month, papers and pages say too.

Each archive goes through the product: the command as text and JSON, screening, workbook, typing
sheet, the report as PDF, and the collector's own verification, shown by its pages.
"""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.brought.desk import report_of
from cloud.cli import main as cloud
from evidence import cli
from evidence.keys import certificate_to_pem
from tests.months.spoilt import SPOILT, Spoilt
from tests.unit.cloud.month.month_facts import found
from tests.unit.cloud.outputs.months import needs_font
from tests.unit.cloud.review.review_examples import SealedMonths
from tests.unit.cloud.test_month_states import pages
from tests.unit.evidence import sealed_month as sm

NAMES = (
    "cement without either",
    "steel without products",
    "smelter without metal",
    "cement with a coal meter left out",
    "cement with half a month",
)
CHOSEN = [one for one in SPOILT if one.name in NAMES]
TOTAL = {"en": re.compile(r"tCO2e( — .*)"), "zh": re.compile(r"tCO2e(——.*)")}
UNVERIFIED = {"en": ("PASSED", "NOT VERIFIED"), "zh": ("通过", "未验证")}
#: what a screening leaves out, and says so
NOT_RECOMPUTED = {"en": "; NOT RECOMPUTED", "zh": "；未重算"}

pytestmark = needs_font


def squeezed(text: str) -> str:
    """Without the breaks and hyphens that a page's width makes."""
    return re.sub(r"\s|\ufffe|-", "", text)


def pdf_text(path: Path, pages_max: int | None = None) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        texts = [page.get_textpage().get_text_range() for page in list(pdf)[:pages_max]]
    return squeezed("".join(texts))


def cells(path: Path) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(io.BytesIO(path.read_bytes())):
        for row in sheet.values:
            yield from (str(cell) for cell in row if cell is not None)


def test_five_months_are_chosen() -> None:
    assert len(CHOSEN) == len(NAMES) == 5


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("one", CHOSEN, ids=lambda one: one.name)
def test_every_surface_says_the_same_words(
    one: Spoilt, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, trust = tmp_path / "month.tar", tmp_path / "root.pem"
    archive.write_bytes(one.archive())
    trust.write_bytes(certificate_to_pem(sm.keys().certificates["root"]))
    order = [str(archive), "--trust", str(trust), "--lang", language]

    assert cli.main(["verify", *order]) == 3
    text = capsys.readouterr().out
    headline = text.partition(f"  {archive}\n")[0]
    (beside,) = TOTAL[language].findall(text)
    if language == "en":
        assert one.words in headline
        assert one.words in beside

    assert cli.main(["verify", *order, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["headline"] == headline
    cli.main(["screen", *order])
    assert f"  {archive}: {headline}{NOT_RECOMPUTED[language]}\n" in capsys.readouterr().out

    assert cloud(["month", "report", *order, "-o", str(tmp_path / "report.pdf")]) == 0
    first = pdf_text(tmp_path / "report.pdf", 1)
    assert squeezed(headline) in first
    assert squeezed(beside) in first

    unverified = headline.replace(*UNVERIFIED[language], 1)
    assert cloud(["month", "workbook", str(archive), "-o", str(tmp_path / "book.xlsx")]) == 0
    book = list(cells(tmp_path / "book.xlsx"))
    assert any(unverified in cell for cell in book)
    assert any(beside in cell for cell in book)
    assert cloud(["month", "typing-sheet", str(archive), "-o", str(tmp_path / "typing.pdf")]) == 0
    typing = pdf_text(tmp_path / "typing.pdf")
    assert squeezed(unverified) in typing
    assert squeezed(beside) in typing

    report, _ = asyncio.run(report_of(archive, trust.read_bytes()))
    months = SealedMonths(tmp_path)
    months.verdict = {**found(), "state": json.dumps(report["state"])}
    for name, html in pages(months, language).items():
        shown = unescape(html)
        assert headline in shown, name
        assert name == "months" or beside in shown, name
