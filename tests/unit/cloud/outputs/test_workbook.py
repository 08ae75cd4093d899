"""The platform's workbook: a published month to the cent, exact cells, no formulas."""

import io
from dataclasses import replace
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # it has no types
import pytest

from cloud.outputs.book import Book, book_of, file_name_of
from cloud.outputs.checked import read_book
from cloud.outputs.errors import OutputError
from cloud.outputs.figures import rounded
from cloud.outputs.layout import SECTORS, parse_layout, sector_layout
from cloud.outputs.xlsx_write import workbook_bytes
from tests.unit.cloud.outputs.months import (
    EVIDENCE_FUELS,
    EVIDENCE_INTENSITY,
    EVIDENCE_MATERIALS,
    EVIDENCE_PRODUCTS,
    EVIDENCE_TOTAL,
    evidence_input,
    month_of,
)

ENTERPRISE = "企业层级生产数据及排放量表"
STEEL = Path("cloud/outputs/layouts/steel.toml")


def shown(book: Book) -> dict[tuple[str, ...], dict[str, str]]:
    """(sheet, labels …) -> heading -> text, as a person reads the file."""
    workbook = openpyxl.load_workbook(io.BytesIO(workbook_bytes(book)))
    found = {}
    for sheet in workbook.worksheets:
        rows = [[_as_shown(cell) for cell in row] for row in sheet.iter_rows()]
        head = next((row for row in rows if "10月" in row), None)
        for row in rows[rows.index(head) + 1 :] if head else []:
            labels = tuple(row[: head.index("参数名称") + 1]) if head else ()
            found[(sheet.title, *labels)] = dict(zip(head or [], row, strict=True))
    return found


def _as_shown(cell: object) -> str:
    value, form = getattr(cell, "value", None), str(getattr(cell, "number_format", ""))
    if isinstance(value, int | float):
        return f"{value:.{len(form.partition('.')[2])}f}"
    return "" if value is None else str(value)


def test_a_published_month_comes_out_to_the_cent() -> None:
    rows = shown(book_of([month_of(evidence_input())], sector_layout("steel")))

    def june(*labels: str) -> str:
        return rows[(ENTERPRISE, *labels)]["6月"]

    for name, (amount, ncv, carbon, emission) in EVIDENCE_FUELS.items():
        of = "化石燃料燃烧排放", name
        assert (june(*of, "消耗量"), june(*of, "低位发热量")) == (amount, ncv)
        assert (june(*of, "单位热值含碳量"), june(*of, "二氧化碳排放量")) == (carbon, emission)
    for source, amounts, label in (
        ("过程排放", EVIDENCE_MATERIALS, "消耗量"),
        ("含碳产品隐含的排放", EVIDENCE_PRODUCTS, "产量"),
    ):  # fmt: skip
        for name, (amount, factor, emission) in amounts.items():
            items = (label, "二氧化碳排放因子", "二氧化碳排放量")
            assert [june(source, name, item) for item in items] == [amount, factor, emission]
    assert june("生产数据", "粗钢", "单位粗钢碳排放量") == EVIDENCE_INTENSITY
    assert rows["排放量汇总表", "企业层级排放总量"]["6月"] == EVIDENCE_TOTAL


def test_basis_and_meter_are_told_from_provenance(archives: dict[str, Path]) -> None:
    rows = shown(read_book([archives["steel"]], None))
    scrap = ("工序-生产线生产数据及排放量表", "转炉炼钢工序", "converter", "过程排放", "废钢")
    used = rows[*scrap, "消耗量"]
    assert (used["取值方式"], used["是否配备直接计量器具"]) == ("实测值", "是")
    assert rows[*scrap, "二氧化碳排放因子"]["取值方式"] == "缺省值"
    assert rows[*scrap, "二氧化碳排放量"]["取值方式"] == "计算值"
    anode = (ENTERPRISE, "能源作为原材料用途的排放", "炭阳极", "炭阳极毛耗量")
    assert shown(read_book([archives["aluminium"]], None))[anode]["取值方式"] == "计算值"  # typed


def test_months_stand_beside_each_other_and_a_year_is_their_sum() -> None:
    may = evidence_input("2026-05")
    may["fuel"] = [{"kind": "无烟煤", "quantity": "1000", "ncv": "24", "carbon_content": "0.02749"}]
    book = book_of([month_of(evidence_input()), month_of(may)], sector_layout("steel"))
    rows = shown(book)
    coal = ENTERPRISE, "化石燃料燃烧排放", "无烟煤"
    of = [rows[(*coal, "消耗量")][k] for k in ("4月", "5月", "6月", "全年")]
    assert of == ["", "1000", "2317.68", "3317.68"]
    # by hand: (24 × 1000 + 25.024 × 2317.68) ÷ 3317.68 = 24.71535…
    assert rows[(*coal, "低位发热量")]["全年"] == "24.715"
    # 1000 × 24 × 0.02749 × 44/12 = 2419.12; + 5845.97
    assert rows[(*coal, "二氧化碳排放量")]["全年"] == "8265.09"
    assert book.file_name == "某钢铁钢铁-炼钢-粗钢2026年6月月度存证.xlsx"


@pytest.mark.parametrize(
    ("text", "places", "due"),
    [("66.9144", 2, "66.91"), ("0.125", 2, "0.13"), ("2", 2, "2"), ("1036.00445", 2, "1036.00"),
     ("0.01532", 5, "0.01532"), ("-0.005", 2, "-0.01"), ("12.3456", None, "12.3456")],
)  # fmt: skip
def test_a_figure_is_rounded_once_and_half_up(text: str, places: int | None, due: str) -> None:
    assert rounded(text, places) == due


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "a\x00b/..:c"])
def test_text_is_never_a_formula_nor_a_path(name: str) -> None:
    book = book_of([month_of(evidence_input(), name)], sector_layout("steel"))
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes(book)))["企业基本信息表"]
    cell = sheet["B3"]
    assert (cell.data_type, cell.value) == ("s", name.replace("\x00", "�"))
    assert not set(book.file_name) & set('/\\:|"\x00')


def test_a_files_name_has_what_every_file_system_takes() -> None:
    """A plant's name has 200 characters at most, a scan's 120; of Chinese each is three bytes."""
    october, november = (
        book_of([month_of(evidence_input(month), "钢" * 200)], sector_layout("steel")).file_name
        for month in ("2026-10", "2026-11")
    )
    # 52 are 156 of 157 bytes; of the last 80, 49 are the layout's, and 10 are 30 of the other 31
    ends = "钢" * 10 + "钢铁-炼钢-粗钢2026年10月月度存证.xlsx"
    assert october == "钢" * 52 + "…" + ends
    assert november == october.replace("10月", "11月")
    assert (
        file_name_of("a.b/" + "检" * 120 + ".pdf") == "a.b_" + "检" * 51 + "…" + "检" * 25 + ".pdf"
    )
    assert file_name_of("x" * 160 + "y" * 81) == "x" * 157 + "…" + "y" * 80
    assert file_name_of("x" * 240) == "x" * 240
    assert file_name_of("a.pdf") == "a.pdf"


def test_what_is_unverified_or_simulated_is_told_on_every_sheet(archives: dict[str, Path]) -> None:
    for sector in SECTORS:
        book = read_book([archives[sector]], None)
        for sheet in openpyxl.load_workbook(io.BytesIO(workbook_bytes(book))).worksheets:
            top = [str(row[0].value) for row in sheet.iter_rows(max_row=2)]
            assert "SIMULATED" in top[0]
            if sector != "steel":
                assert "UNVERIFIED" in top[1]
        assert workbook_bytes(book) == workbook_bytes(book)


def test_a_layout_is_changed_without_a_program() -> None:
    text = (
        STEEL.read_text().replace('"低位发热量"', '"低位热值"').replace("{month}月", "{month} 月")
    )
    layout = parse_layout(text.encode(), "own.toml")
    book = book_of([month_of(evidence_input())], layout)
    assert "低位热值" in {row.texts.get("item") for page in book.pages for row in page.rows}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('sector = "steel"', 'sector = "glass"', "sector"),
        ("places = 5", "places = 50", "items[0].places"),
        ('holds = "facts"', 'hold = "facts"', "unknown key"),
        ('file_name = "{enterprise}', 'file_name = "{password}', "file_name"),
        ('month = "{month}月"', 'month = "月"', "must hold {month}"),
        ('rows_of = "企业层级生产数据及排放量表"', 'rows_of = "别的"', "no sheet"),
        ("format = 1", "format = [", "own.toml"),
    ],
)
def test_what_is_wrong_in_a_layout_is_named(old: str, new: str, told: str) -> None:
    text = STEEL.read_text().replace(old, new, 1)
    with pytest.raises(OutputError) as error:
        parse_layout(text.encode(), "own.toml")
    assert told in str(error.value)


def test_months_that_do_not_belong_together_are_refused() -> None:
    june, layout = month_of(evidence_input()), sector_layout("steel")
    other = replace(june, plant={**june.plant, "id": "other"}, given=evidence_input("2026-05"))
    year = replace(june, given=evidence_input("2025-06"))
    for months in ([june, june], [june, other], [june, year]):
        with pytest.raises(OutputError):
            book_of(months, layout)
    with pytest.raises(OutputError, match="is for cement"):
        book_of([june], sector_layout("cement"))
