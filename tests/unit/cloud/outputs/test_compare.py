"""The platform's export against archives: labels find cells; each that is other is named, once."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.cli import main
from cloud.outputs.book import book_of
from cloud.outputs.compare import Difference, compare, not_compared, read_export, same
from cloud.outputs.layout import sector_layout
from cloud.outputs.xlsx_write import workbook_bytes
from cloud.records import workbook as reader
from cloud.records.tables import Bounds, TableError
from tests.unit.cloud.outputs.months import EVIDENCE_FUELS, evidence_input, month_of

BOOK = book_of([month_of(evidence_input())], sector_layout("steel"))
ENTERPRISE, SUMMARY = "企业层级生产数据及排放量表", "排放量汇总表"
Change = Callable[[Any], None]


def exported(change: Change = lambda _: None) -> bytes:
    """Our own workbook, changed as somebody else's hand or program would."""
    workbook = openpyxl.load_workbook(io.BytesIO(workbook_bytes(BOOK)))
    change(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def differences(change: Change) -> list[Difference]:
    return compare(BOOK, read_export(exported(change)))


def cell(workbook: Any, *labels: str, column: str = "6月", sheet: str = ENTERPRISE) -> Any:
    """The cell in the row with these labels."""
    rows = workbook[sheet].iter_rows()
    head = next(row for row in rows if "6月" in [c.value for c in row])
    row = next(row for row in rows if set(labels) <= {c.value for c in row})
    return row[[c.value for c in head].index(column)]


def set_to(value: object, *labels: str, **where: str) -> Change:
    def change(workbook: Any) -> None:
        cell(workbook, *labels, **where).value = value

    return change


def as_the_platform_may_write_it(workbook: Any) -> None:
    """Another order of sheets and columns, merged labels, a title above, full width, text."""
    workbook.move_sheet(SUMMARY, -3)
    sheet = workbook[ENTERPRISE]
    for row in sheet.iter_rows(min_row=3):
        if row[0].value == sheet.cell(row[0].row - 1, 1).value or row[0].value == "":
            row[1].value = f" {row[1].value}　"
    sheet.insert_cols(4, 2)
    sheet.insert_rows(1, 3)
    sheet["A1"].value = "2026年度 月度存证"
    for row in sheet.iter_rows():
        for one in row:
            if one.value == "6月":
                one.value = "６ 月"
            elif one.value == "10⁴Nm³":
                one.value = "10^4Nm3"
            elif isinstance(one.value, float):
                one.value = f"{one.value:,.5f}"
    workbook[SUMMARY].title = "排放量 汇总表"


def merge_labels(workbook: Any) -> None:
    """A label stands in the first row of its merged cell only."""
    before = [None, None]
    for row in workbook[ENTERPRISE].iter_rows(min_row=2):
        now = [row[0].value, row[1].value]
        if now[0] == before[0]:
            row[0].value = None
            if now[1] == before[1]:
                row[1].value = None
        before = now


def other_names(workbook: Any) -> None:
    """Materials as the rule set's document calls them, and an idle one with its factor."""
    sheet = workbook[ENTERPRISE]
    for row in sheet.iter_rows():
        if row[1].value == "电炉高碳锰铁":
            row[1].value = "高碳锰铁合金"
    head = [c.value for c in sheet[1]]
    for item, unit, value in (("消耗量", "t", 0), ("二氧化碳排放因子", "tCO₂/t", 0.037)):
        row = ["过程排放", "镍铁", item, "缺省值", unit, *[None] * 12]
        row[head.index("6月")] = value
        sheet.append(row)


@pytest.mark.parametrize(
    "change", [lambda _: None, as_the_platform_may_write_it, merge_labels, other_names]
)
def test_what_says_the_same_differs_in_nothing(change: Change) -> None:
    assert differences(change) == []


def drop_row(workbook: Any) -> None:
    at = cell(workbook, "焦炭", "消耗量")
    workbook[ENTERPRISE].delete_rows(at.row)


def add_row(workbook: Any) -> None:
    head = [c.value for c in workbook[ENTERPRISE][1]]
    row: list[object] = ["化石燃料燃烧排放", "柴油", "消耗量", "实测值", "t", *[None] * 12]
    row[head.index("6月")] = 12.5
    workbook[ENTERPRISE].append(row)


def repeat_row(workbook: Any) -> None:
    at = cell(workbook, "焦炭", "消耗量")
    workbook[ENTERPRISE].append([c.value for c in workbook[ENTERPRISE][at.row]])


def drop_sheet(workbook: Any) -> None:
    del workbook[SUMMARY]


COKE = "化石燃料燃烧排放 · 焦炭 · 消耗量"
CASES: list[tuple[Change, tuple[str, ...]]] = [
    (set_to(66522.45, "焦炭", "消耗量"), ("differs", COKE, "6月", "66522.44", "66522.45")),
    (set_to(None, "焦炭", "消耗量"), ("missing", COKE, "6月", "66522.44", "")),
    (set_to("—", "焦炭", "消耗量"), ("missing", COKE, "6月", "66522.44", "")),
    (set_to("=1+1", "焦炭", "消耗量"), ("differs", COKE, "6月", "66522.44", "=1+1")),
    (set_to("=A1" * 20, "焦炭", "消耗量"), ("differs", COKE, "6月", "66522.44", "=A1" * 13 + "=")),
    (set_to("n/a", "焦炭", "消耗量"), ("differs", COKE, "6月", "66522.44", "n/a")),
    (set_to("缺省值", "焦炭", "消耗量", column="取值方式"),
     ("differs", COKE, "取值方式", "实测值", "缺省值")),
    (set_to("kg", "焦炭", "消耗量", column="单位"), ("differs", COKE, "单位", "t", "kg")),
    (drop_row, ("missing", COKE, "6月", "66522.44", "")),
    (add_row, ("extra", "化石燃料燃烧排放 · 柴油 · 消耗量", "6月", "", "12.5")),
    (repeat_row, ("extra", COKE, "6月", "", "66522.44")),
    (set_to(1214057.48, "企业层级排放总量", sheet=SUMMARY),
     ("differs", "企业层级排放总量", "6月", "1214057.49", "1214057.48")),
]  # fmt: skip


@pytest.mark.parametrize(("change", "due"), CASES)
def test_each_cell_that_is_other_is_named_once(change: Change, due: tuple[str, ...]) -> None:
    (found,) = differences(change)
    assert (found.kind, found.row, found.column, found.sealed, found.found) == due
    assert ("!" in found.place) is (found.found != "")


def test_a_sheet_that_is_not_there_is_named() -> None:
    (found,) = differences(drop_sheet)
    assert (found.kind, found.sheet, found.sealed) == ("missing", SUMMARY, SUMMARY)


def test_what_archives_have_no_figure_for_is_said_and_not_compared() -> None:
    assert not_compared(BOOK) == [
        "工序层级排放总量", "掺烧自产二次能源的化石燃料发电设施排放总量", "其他排放总量"
    ]  # fmt: skip
    assert differences(set_to(390764.54, "工序层级排放总量", sheet=SUMMARY)) == []


def test_labels_are_held_together_without_what_does_not_tell_them_apart() -> None:
    assert same(" 工序／生产线 ") == same("工序-生产线")
    assert same("ＧＪ/10⁴Nm³") == same("GJ/10^4 Nm3")
    assert same("消耗量") != same("消耗电量")
    assert len({same(name) for name in EVIDENCE_FUELS}) == len(EVIDENCE_FUELS)


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def with_parts(**more: bytes) -> bytes:
    """A whole workbook with parts beside it or instead of its own."""
    with zipfile.ZipFile(io.BytesIO(exported())) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    return packed(parts | {name.replace("__", "/"): data for name, data in more.items()})


ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet>&a;</worksheet>'
HOSTILE = {
    "no zip": b"PK\x03\x04 and then nothing",
    "empty": b"",
    "a bomb": packed({"xl/workbook.xml": bytes(reader.UNPACKED_MAX + 1)}),
    "many parts": packed({f"p{n}": b"" for n in range(reader.PARTS_MAX + 1)}),
    "links to other": with_parts(xl__externalLinks__externalLink1=b"<x/>"),
    "macros": with_parts(**{"xl__vbaProject.bin": b"x"}),
    "connections": with_parts(**{"xl__connections.xml": b"<x/>"}),
    "no XLSX": packed({"hello.txt": b"hello"}),
    "cannot be read": with_parts(**{"xl__worksheets__sheet3.xml": ENTITY}),
    "too large": bytes(reader.FILE_BYTES_MAX + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(TableError) as error:
        read_export(HOSTILE[name])
    assert len(str(error.value)) > len("a sentence")
    assert str(error.value).isprintable()


def test_too_many_rows_or_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TableError, match="more than 10 rows"):
        reader.read_workbook(exported(), Bounds(sheets=100, rows=10, columns=100))
    monkeypatch.setattr(reader, "CELLS_MAX", 100)
    with pytest.raises(TableError, match="more than 100 cells"):
        read_export(exported())


def test_the_command_tells_by_its_exit_status(
    archives: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = str(archives["steel"])
    assert main(["month", "workbook", archive, "-o", str(tmp_path)]) == 0
    export = capsys.readouterr().out.strip()
    assert main(["month", "compare", export, "--archive", archive]) == 0
    assert "0 cell(s)" in capsys.readouterr().out
    workbook = openpyxl.load_workbook(export)
    at = workbook[SUMMARY]["L4"]  # below two bands and the headings
    at.value = 1
    workbook.save(export)
    assert main(["month", "compare", export, "--archive", archive, "--json"]) == 1
    assert '"kind": "differs"' in capsys.readouterr().out
    assert main(["month", "compare", str(tmp_path / "none"), "--archive", archive]) == 2
    assert main(["month", "compare", archive, "--archive", archive]) == 2
    cut = tmp_path / "cut.tar"
    cut.write_bytes(archives["steel"].read_bytes()[:-1024])
    assert main(["month", "workbook", str(cut), "-o", str(tmp_path)]) == 2
    assert "E-CONTAINER" in capsys.readouterr().err
