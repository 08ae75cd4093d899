"""Papers of a month that lacks clinker: its state on page 1 and beside every total, by command."""

import io
import json
import re
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.cli import main
from evidence import cli
from tests.unit.cloud.outputs.months import needs_font

TOTAL = "企业层级排放总量"
LACKS = {
    "en": "clinker is missing (mandatory), production of clinker_t is missing (mandatory)",
    "zh": "缺少熟料（必报项）、缺少产量 clinker_t（必报项）",
}
BESIDE = {"en": f" — {LACKS['en']}", "zh": f"——{LACKS['zh']}"}
SENTENCE = {
    "en": "The statement has no line for clinker. The rule set demands one, so the total is too",
    "zh": "核算表没有熟料项。核算规则要求必须填报，因此排放总量偏低。",
}
NOT_COVERED = {"en": "Not covered by the PFC figure", "zh": "PFC 数据未覆盖"}
NOT_CHECKED = {"en": "The meters themselves: a signature proves", "zh": "计量器具本身："}


def squeezed(text: str) -> str:
    """Without the breaks and hyphens that a page's width makes."""
    return re.sub(r"\s|\ufffe|-", "", text)


def pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [squeezed(page.get_textpage().get_text_range()) for page in pdf]


@needs_font
@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_one_of_the_report_says_what_verify_says(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    archive, trust = str(archives["cement"]), str(archives["cement"].parent / "trust.pem")
    assert cli.main(["verify", archive, "--trust", trust, "--lang", language]) == 3
    headline = capsys.readouterr().out.partition("  /")[0]
    assert LACKS[language] in headline
    order = ["month", "report", archive, "--trust", trust, "--lang", language]
    assert main([*order, "-o", str(tmp_path / "report.pdf")]) == 0
    assert LACKS["en"] in capsys.readouterr().err
    first, *others = pages(tmp_path / "report.pdf")
    # the band, the fact "Verification", and beside the total
    assert first.count(squeezed(headline)) == 2
    assert squeezed(BESIDE[language]) in first
    assert squeezed(SENTENCE[language]) in first
    assert squeezed(NOT_CHECKED[language]) in first
    assert all(squeezed(headline) in page for page in others)
    platform = next(page for page in others if TOTAL in page)
    assert f"{TOTAL}{squeezed(BESIDE[language])}" in platform


def test_the_workbook_has_it_beside_the_total_and_says_that_nobody_verified(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["month", "workbook", str(archives["cement"]), "-o", str(tmp_path)]) == 0
    said = capsys.readouterr()
    book = openpyxl.load_workbook(io.BytesIO(Path(said.out.strip()).read_bytes()))
    headline = f"NOT VERIFIED, INCOMPLETE: {LACKS['en']}"
    assert headline in said.err
    rows = [[str(cell) for cell in row if cell] for sheet in book for row in sheet.values]
    (total,) = (row for row in rows if row and row[0] == TOTAL)
    assert total[-1] == f"2026-10{BESIDE['zh']} {BESIDE['en']}"
    zh = f"未验证，不完整：{LACKS['zh']}"
    for sheet in book:
        assert [f"2026-10 {zh} {headline}"] in [[c for c in row if c] for row in sheet.values]
    assert any(row[:2] == ["2026-10", "W-INCOMPLETE"] and SENTENCE["en"] in row[2] for row in rows)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_screening_begins_with_it(
    archives: dict[str, Path], capsys: pytest.CaptureFixture[str], language: str
) -> None:
    archive, trust = str(archives["cement"]), str(archives["cement"].parent / "trust.pem")
    cli.main(["screen", archive, "--trust", trust, "--lang", language])
    told = capsys.readouterr().out
    assert LACKS[language] in told.splitlines()[1]
    assert f"    W-INCOMPLETE  {SENTENCE[language]}" in told
    cli.main(["screen", archive, "--trust", trust, "--lang", language, "--json"])
    (state,) = json.loads(capsys.readouterr().out)["states"]
    assert LACKS[language] in state["headline"]
    assert not state["complete"]
    assert state["sentences"][0].startswith(SENTENCE[language])


@needs_font
def test_the_typing_sheet_has_it_beside_the_field_to_type(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "typing.pdf"
    assert main(["month", "typing-sheet", str(archives["cement"]), "-o", str(out)]) == 0
    text = "".join(pages(out))
    assert f"{TOTAL}{squeezed(BESIDE['zh'] + BESIDE['en'])}" in text
    assert squeezed(f"NOT VERIFIED, INCOMPLETE: {LACKS['en']}") in text


def test_papers_of_a_year_have_it_beside_each_total(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, out = str(archives["cement"]), tmp_path / "year.xlsx"
    for paper in ("statement", "footprint"):
        assert main(["year", paper, archive, "-o", str(out)]) == 0
        rows = [list(row) for sheet in openpyxl.load_workbook(out) for row in sheet.values]
        beside = [row for row in rows if any("clinker is missing" in str(cell) for cell in row[1:])]
        assert len(beside) >= (2 if paper == "statement" else 1), paper  # the month's, the year's
        out.unlink()
    capsys.readouterr()
    assert main(["year", "statement", archive, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["state"]
    assert not told["complete"]
    assert {"no-clinker", "no-output:clinker_t"} <= {issue["flag"] for issue in told["issues"]}


@needs_font
def test_what_the_pfc_figure_does_not_cover_stands_on_page_one(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    for language in ("en", "zh"):
        out = tmp_path / f"{language}.pdf"
        order = ["month", "report", str(archives["aluminium"]), "--lang", language]
        assert main([*order, "-o", str(out)]) == 0
        first = pages(out)[0]
        assert squeezed(NOT_COVERED[language]) in first
        assert squeezed(NOT_CHECKED[language]) in first


def test_an_upload_folder_says_it_too(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "upload"
    order = ["year", "export", str(archives["cement"]), "--no-report", "-o", str(out)]
    assert main(order) == 0
    assert LACKS["en"] in capsys.readouterr().err
    (workbook,) = [path for path in out.glob("2026-10/*.xlsx") if path.name != "材料清单.xlsx"]
    cells = [str(cell) for sheet in openpyxl.load_workbook(workbook) for row in sheet.values
             for cell in row]  # fmt: skip
    assert any(BESIDE["zh"] in cell for cell in cells)
