"""XLSX: sheets written by openpyxl and by hand, bombs, and what is no spreadsheet."""

import datetime as dt
import io
import re
import zipfile

import openpyxl
import pytest

from edge.drivers.folder import sheet
from edge.drivers.folder.content import FileRefusedError, Line
from edge.drivers.folder.sheet import sheet_lines
from tests.unit.edge.drivers.row_specs import sheets

HEAD = ["taken_at", "pot", "volts", "temp"]
AT = dt.datetime(2026, 6, 15, 8)  # noqa: DTZ001 - a spreadsheet knows no zone


def book(*rows: list[object], name: str = "Results") -> bytes:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active.title = name
    for row in rows:
        made.active.append(row)
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def lines(data: bytes) -> list[Line]:
    return list(sheet_lines(data, sheets()))


def test_rows_with_their_number_values_as_they_are() -> None:
    data = book(HEAD, [AT, 1, 4.273, " x "], [], [AT, "P2", None, 960], [AT, 3])
    assert lines(data) == [
        (2, [AT, 1, 4.273, "x"]),
        (4, [AT, "P2", None, 960]),
        (5, [AT, 3, None, None]),
    ]


def test_a_cell_behind_the_columns_makes_the_row_too_long() -> None:
    ((_, cells),) = lines(book(HEAD, [AT, 1, 4.2, 960, "remark"]))
    assert len(cells) == 5


def test_a_formula_gives_what_it_was_worth_when_saved_or_nothing() -> None:
    """Openpyxl writes no values beside formulas, as Excel would."""
    assert lines(book(HEAD, [AT, 1, "=1+1", 5])) == [(2, [AT, 1, None, 5])]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no XLSX file"),
        (b"taken_at,pot,volts,temp\n", "no XLSX file"),
        (book(HEAD, name="Other"), "has no sheet 'Results', but 'Other'"),
        (book(), "header"),
        (book(["a", "b"]), "its header is"),
        (book(HEAD)[:-30], "no XLSX file"),
    ],
)
def test_what_is_not_as_declared_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        lines(data)


def zipped(name: str, content: bytes, count: int = 1) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}{name}", content)
    return held.getvalue()


def test_a_bomb_is_refused_before_anything_is_unpacked() -> None:
    data = zipped("x.xml", bytes(sheet.UNPACKED_MAX // 8 + 1), 8)
    assert len(data) < 200_000
    with pytest.raises(FileRefusedError, match="more than 64 MiB unpacked"):
        lines(data)


def test_a_bomb_that_lies_about_its_size_unpacks_no_further_than_it_says() -> None:
    """Its directory says 10 bytes: zipfile stops there, and the checksum is wrong."""
    data = bytearray(book(HEAD, *[[AT, 1, 4.2, 960]] * 2_000))
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 24 : at + 28] = (10).to_bytes(4, "little")
        at = data.find(b"PK\x01\x02", at + 1)
    with pytest.raises(FileRefusedError):
        lines(bytes(data))


def test_many_parts_and_encryption_are_refused() -> None:
    with pytest.raises(FileRefusedError, match="more than 1000 parts"):
        lines(zipped("x", b"", 1_001))
    data = bytearray(book(HEAD))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(FileRefusedError, match="encrypted"):
        lines(bytes(data))


def test_more_rows_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.drivers.folder.sheet.ROWS_MAX", 3)
    assert len(lines(book(HEAD, [AT, 1, 2, 3], [AT, 1, 2, 3]))) == 2
    with pytest.raises(FileRefusedError, match="more than 3 rows"):
        lines(book(HEAD, *[[AT, 1, 2, 3]] * 3))


def test_entities_that_grow_are_not_expanded() -> None:
    """The billion laughs, in the sheet's own XML."""
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]><worksheet>&l9;</worksheet>'
    )
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(HEAD, [AT, 1, 2, 3]))) as old,
        zipfile.ZipFile(held, "w") as new,
    ):
        for member in old.infolist():
            is_sheet = member.filename == "xl/worksheets/sheet1.xml"
            new.writestr(member.filename, xml if is_sheet else old.read(member))
    with pytest.raises(FileRefusedError):
        lines(held.getvalue())


NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"


def with_part(name: str, xml: str | bytes) -> bytes:
    """A good spreadsheet with another part."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(HEAD, [AT, 1, 2, 3]))) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, xml if member.filename == name else old.read(member))
    return held.getvalue()


def sheet_xml(inside: str, head: str = "") -> str:
    return f'{head}<worksheet xmlns="{NS}"><sheetData>{inside}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("name", "xml"),
    [
        (SHEET, sheet_xml(f"<row>{'<c/>' * 100_000}</row>")),
        (SHEET, sheet_xml(f"<row/><row>{'<c/>' * 500_000}")),
        (SHEET, sheet_xml(f"<x/></row >{'<c/>' * 100_000}")),
        (SHEET, f'<a:worksheet xmlns:a="{NS}"><a:row>{"<a:c/>" * 100_000}</a:row></a:worksheet>'),
        (STYLES, f'<styleSheet xmlns="{NS}">{"<a/>" * 500_000}</styleSheet>'),
    ],
)
def test_more_tags_than_there_is_room_for_are_refused(name: str, xml: str) -> None:
    data = with_part(name, xml)
    assert len(data) < 30_000  # and 64 MiB of them are gigabytes
    with pytest.raises(FileRefusedError, match="more tags than there is room for"):
        lines(data)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (sheet_xml("<row><!--</row>--></row>"), "comment, entity or NUL"),
        (sheet_xml("<row><?a </row>?></row>"), "comment, entity or NUL"),
        (sheet_xml("<row/>").encode("utf-16"), "comment, entity or NUL"),
        (sheet_xml("", '<?xml version="1.0" encoding="cp037"?>'), "not UTF-8"),
        (sheet_xml("", "<?xml version='1.0' encoding = 'utf-7'?>"), "not UTF-8"),
    ],
)
def test_a_part_whose_tags_cannot_be_counted_is_refused(xml: str | bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        lines(with_part(SHEET, xml))


def test_a_large_sheet_is_within_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As other programs write it: a prefix, a declaration, parts longer than a block."""
    monkeypatch.setattr("edge.drivers.folder.parts._BLOCK", 100)
    cells = "<a:c><a:v>1</a:v></a:c>" * 4
    xml = '\ufeff<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n' + (
        f'<a:worksheet xmlns:a="{NS}"><a:sheetData>'
        + "<a:row>" + "".join(f'<a:c t="str"><a:v>{name}</a:v></a:c>' for name in HEAD) + "</a:row>"
        + f"<a:row>{cells}</a:row>" * 500 + "</a:sheetData></a:worksheet>"
    )  # fmt: skip
    assert lines(with_part(SHEET, xml))[-1] == (501, [1, 1, 1, 1])


def test_dates_that_are_none_are_not_told_one_by_one(recwarn: pytest.WarningsRecorder) -> None:
    data = book(HEAD, [AT, 1, 2, 3])
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        xml = old.read(SHEET).decode()
    (style,) = re.findall(r'<c r="A2" (s="[0-9]+")', xml)
    bad = f'<row r="3"><c r="A3" {style}><v>1e99</v></c></row></sheetData>'
    found = lines(with_part(SHEET, xml.replace("</sheetData>", bad)))
    assert found[-1][1] == ["#VALUE!", None, None, None]
    assert not recwarn.list


def test_it_is_installed_here() -> None:
    assert sheet.is_installed()
