"""Tables as they are read: decimals to the digit, dates, formulas, and what is too much.

Workbooks are written by hand, part by part, as ECMA-376 has them; what openpyxl writes is read too.
"""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from cloud.records.cells import Cell, format_of, number_cell
from cloud.records.spreadsheet import read_table
from cloud.records.tables import BYTES_MAX, TableError
from cloud.records.workbook import letters

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: styles: 0 general, 1 percent, 2 a day, 3 a moment, 4 a duration, 5 a colour in brackets
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts>
<numFmt numFmtId="164" formatCode="yyyy/m/d\\ h:mm;@"/><numFmt numFmtId="165" formatCode="[h]:mm"/>
<numFmt numFmtId="166" formatCode="[Red]0.00&quot; d&quot;"/></numFmts>
<cellXfs><xf numFmtId="0"/><xf numFmtId="9"/><xf numFmtId="14"/><xf numFmtId="164"/>
<xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>"""
TEXTS = f"""<sst xmlns="{MAIN}"><si><t>source</t></si><si><r><t>co</t></r><r><t>al </t></r>
<rPh sb="0" eb="1"><t>mei</t></rPh></si></sst>"""


RELATIONS = '<Relationships><Relationship Id="rId7" Target="worksheets/a.xml"/></Relationships>'


def workbook(
    sheet: str, *, namespace: str = MAIN, settings: str = "", rels: str = RELATIONS, **parts: str
) -> bytes:
    """A workbook of two sheets, the first of which has these rows."""
    made = {
        "xl/workbook.xml": f'<workbook xmlns="{namespace}" xmlns:r="{REL}">{settings}<sheets>'
        '<sheet name="十月" sheetId="1" r:id="rId7"/><sheet name="old" sheetId="2" r:id="rId8"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": rels,
        "xl/worksheets/a.xml": f'<worksheet xmlns="{namespace}"><sheetData>{sheet}</sheetData>'
        "</worksheet>",
        "xl/styles.xml": STYLES, "xl/sharedStrings.xml": TEXTS,
        **{f"xl/{name.replace('s__', 's/')}.xml": text for name, text in parts.items()},
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in made.items():
            package.writestr(name, text)
    return out.getvalue()


def cell_of(xml: str, **more: Any) -> Cell:
    return read_table(workbook(f'<row r="4">{xml}</row>', **more)).rows[4][2]


@pytest.mark.parametrize(
    ("xml", "cell"),
    [
        # what spreadsheets write for 0.1, 120.55 and 1e-7: 15 digits were typed
        ('<c r="B4"><v>0.10000000000000001</v></c>', Cell("0.1")),
        ('<c r="B4"><v>120.55000000000001</v></c>', Cell("120.55")),
        ('<c r="B4"><v>1E-7</v></c>', Cell("0.0000001")),
        ('<c r="B4"><v>1.2300000000000001E+20</v></c>', Cell("123000000000000000000")),
        ('<c r="B4"><v>12.50</v></c>', Cell("12.50")),
        ('<c r="B4"><v>-0.5</v></c>', Cell("-0.5")),
        ('<c r="B4"><v>1E+400</v></c>', Cell("1E+400", "number")),
        ('<c r="B4"><v>NaN</v></c>', Cell("NaN", "number")),
        ('<c r="B4" t="s"><v>1</v></c>', Cell("coal")),
        ('<c r="B4" t="inlineStr"><is><t> 12.50 </t></is></c>', Cell("12.50")),
        ('<c r="B4" t="str"><v>x</v></c>', Cell("x")),
        ('<c r="B4" t="b"><v>1</v></c>', Cell("true")),
        ('<c r="B4" t="e"><v>#DIV/0!</v></c>', Cell("#DIV/0!", "error")),
        ('<c r="B4"><f>1+1</f><v>2</v></c>', Cell("=1+1", "formula")),
        ('<c r="B4" t="str"><f>A1</f><v>x</v></c>', Cell("=A1", "formula")),
        ('<c r="B4"><f t="shared" si="0"/><v>2</v></c>', Cell("=2", "formula")),
        ('<c r="B4" s="1"><v>0.10000000000000001</v></c>', Cell("0.1", "percent")),
        # 46296 is 2026-10-01: days from 1899-12-30
        ('<c r="B4" s="2"><v>46296</v></c>', Cell("2026-10-01")),
        ('<c r="B4" s="2"><v>46296.5</v></c>', Cell("2026-10-01 12:00")),
        ('<c r="B4" s="3"><v>46296</v></c>', Cell("2026-10-01 00:00")),
        # 8:20 is 500/1440 of a day, which no binary fraction is
        ('<c r="B4" s="3"><v>46296.347222222219</v></c>', Cell("2026-10-01 08:20")),
        ('<c r="B4" s="3"><v>60</v></c>', Cell("60", "date")),
        ('<c r="B4" s="4"><v>1.5</v></c>', Cell("1.5", "time")),
        ('<c r="B4" s="5"><v>1.5</v></c>', Cell("1.5")),
    ],
)
def test_a_cell_is_what_was_typed(xml: str, cell: Cell) -> None:
    assert cell_of(xml) == cell


def test_days_may_be_counted_from_1904_and_the_namespace_be_the_strict_one() -> None:
    sheet = '<row><c s="2"><v>1</v></c><c s="2"><v>44834</v></c></row>'
    read = read_table(workbook(sheet, settings='<workbookPr date1904="1"/>'))
    assert read.rows == {1: {1: Cell("1904-01-02"), 2: Cell("2026-10-01")}}  # 46296 - 1462
    assert cell_of('<c r="B4"><v>1</v></c>', namespace=STRICT) == Cell("1")
    assert (read.sheet, read.unread) == ("十月", ("old",))


BOMB = "<row><c t='inlineStr'><is><t>" + "x" * (17 * 1024 * 1024) + "</t></is></c></row>"
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (workbook(BOMB), "bytes"),
        (workbook("", worksheets__a=ENTITIES), "broken"),
        (workbook("", worksheets__a="<worksheet>"), "broken"),
        (workbook('<row r="x"/>'), "broken"),
        (workbook('<row><c r="!1"><v>1</v></c></row>'), "broken"),
        (workbook('<row><c t="s"><v>9</v></c></row>'), "broken"),
        (workbook('<row><c s="99"><v>9</v></c></row>'), "broken"),
        (workbook('<row><c r="CW1"><v>9</v></c></row>'), "columns"),
        (workbook("<row><c><v>9</v></c></row>" * 1002), "rows"),
        (workbook(""), "empty"),
        (workbook("", workbook=f'<workbook xmlns="{MAIN}"/>'), "empty"),
        (workbook("", rels="<Relationships/>"), "broken"),
        (workbook("", externalLinks__externalLink1="<x/>"), "more"),
        (b"a,b\n" * (BYTES_MAX // 4 + 1), "bytes"),
        (b'a,"b', "broken"),
        (b"\n\n", "empty"),
        (b"%PDF-1.7", "type"),
        (b"PK\x03\x04", "type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_or_too_large_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(TableError) as refused:
        read_table(data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "data",
    [
        "源流,数值\ncoal,12.50\n".encode(),
        "源流;数值\r\ncoal;12.50\r\n".encode("utf-8-sig"),
        "源流\t数值\ncoal\t12.50".encode("gb18030"),
        '"源流","数值"\n" coal ","12.50"\n'.encode(),
    ],
)
def test_csv_of_every_sort_is_the_same_table(data: bytes) -> None:
    rows = {1: {1: Cell("源流"), 2: Cell("数值")}, 2: {1: Cell("coal"), 2: Cell("12.50")}}
    assert read_table(data).rows == rows


def test_a_csv_cell_that_is_a_formula_is_none() -> None:
    assert read_table(b'a\n"=HYPERLINK(1)"').rows[2][1].problem == "formula"


def test_what_a_library_writes_is_read() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["source", 12.5, None, True, "0012"])
    book.save(out)
    assert read_table(out.getvalue()).rows == {
        1: {1: Cell("source"), 2: Cell("12.5"), 4: Cell("true"), 5: Cell("0012")}
    }


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", "number"), ("0.00E+00", "number"), ('0" days"', "number"),
        ("#,##0.00", "number"),
        ("0.0%", "percent"), ("yyyy-m", "day"), ('yyyy"年"m"月"d"日"', "day"), ("mmm-yy", "day"),
        ("[$-804]yyyy/m/d hh:mm:ss", "moment"), ("h:mm AM/PM", "time"), ("[mm]:ss", "time"),
    ],
)  # fmt: skip
def test_number_formats_tell_what_a_number_is(code: str, shown: str) -> None:
    assert format_of(170, code) == shown


def test_small_things() -> None:
    assert [letters(n) for n in (1, 26, 27, 100, 702, 703)] == ["A", "Z", "AA", "CV", "ZZ", "AAA"]
    assert number_cell("0E-40", "number") == Cell("0")
