"""CSV as strict as it was declared: encoding, header, cells; a bad row costs itself."""

import pytest

from edge.drivers.folder.content import FileRefusedError, Line, csv_lines
from tests.unit.edge.drivers.row_specs import files

HEAD = b"taken_at,pot,volts,temp\n"


def lines(data: bytes, **changes: object) -> list[Line]:
    return list(csv_lines(data, files(**changes)))


def test_rows_with_the_number_of_their_line() -> None:
    assert lines(HEAD + b"2026-06-15 08:00:00,1,4.2,960\r\n\r\n2026-06-15 08:00:01, 2 ,,\n") == [
        (2, ["2026-06-15 08:00:00", "1", "4.2", "960"]),
        (4, ["2026-06-15 08:00:01", "2", None, None]),
    ]


def test_a_quoted_cell_may_hold_delimiter_quote_and_line_end() -> None:
    """RFC 4180, section 2, rules 6 and 7; lines are counted in the file, not in records."""
    assert lines(HEAD + b'a,"1,5","say ""x""","two\nlines"\nb,2,3,4\n') == [
        (2, ["a", "1,5", 'say "x"', "two\nlines"]),
        (4, ["b", "2", "3", "4"]),
    ]


def test_the_declared_delimiter_and_encoding() -> None:
    """0xb2db is 槽 in GBK (GB/T 2312 row 18, cell 59)."""
    columns = ("时间", "槽", "volts", "temp")
    source = {"columns": columns, "time": "时间", "name": "槽", "encoding": "gbk", "delimiter": ";"}
    data = b"\xca\xb1\xbc\xe4;\xb2\xdb;volts;temp\n2026-06-15 08:00:00;\xb2\xdb1;4,2;1\n"
    assert lines(data, **source) == [(2, ["2026-06-15 08:00:00", "槽1", "4,2", "1"])]
    with pytest.raises(FileRefusedError, match="byte 2 is not utf-8"):
        lines(data, **{**source, "encoding": "utf-8"})


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert lines(b"\xef\xbb\xbf" + HEAD + b"a,1,2,3\n") == [(2, ["a", "1", "2", "3"])]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begin with a header"),
        (b"\n" + HEAD, "begin with a header"),
        (b"a,1,2,3\n", "its header is 'a 1 2 3', not 'taken_at pot volts temp'"),
        (b"pot,taken_at,volts,temp\n", "its header is"),
        (b"taken_at;pot;volts;temp\n", "its header is"),
        (b"taken_at,pot,volts,temp,more\n", "its header is"),
        (b'taken_at,"pot"x,volts,temp\n', "its header is not CSV"),
        (HEAD + b"a,1,2\0,3\n", "NUL"),
        (HEAD + b"a,1,\xff,3\n", "byte 28 is not utf-8"),
        (b"\xff\xfe" + HEAD.decode().encode("utf-16-le"), "byte 0 is not utf-8"),
    ],
)
def test_a_file_of_another_form_is_refused_whole(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        lines(data)


def test_more_lines_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.drivers.folder.content.ROWS_MAX", 3)
    assert len(lines(HEAD + b"a,1,2,3\n" * 2)) == 2
    with pytest.raises(FileRefusedError, match="more than 3 lines"):
        lines(HEAD + b"a,1,2,3\n" * 3)


def test_a_row_that_is_no_csv_costs_itself() -> None:
    found = lines(HEAD + b'a,1,2,3\nb,"1"x,2,3\nc,1,2,3\n')
    assert [line for line, _ in found] == [2, 3, 4]
    assert isinstance(found[1][1], str)
    assert found[1][1].startswith("is not CSV:")
    assert found[2][1] == ["c", "1", "2", "3"]


def test_a_quote_that_is_never_closed_is_told_with_the_line_it_begins_in() -> None:
    (found,) = lines(HEAD + b'a,"1,2,3\nb,1,2,3\n')
    assert found[0] == 2
    assert isinstance(found[1], str)


def test_a_row_without_end_costs_itself_and_few_cells() -> None:
    """One of 16 MiB was millions of cells; the next lines keep their numbers."""
    told = "is not CSV: it has more than 100000 characters"
    assert lines(HEAD + b"a," * 60_000 + b"\nb,1,2,3\n") == [
        (2, told), (3, ["b", "1", "2", "3"])
    ]  # fmt: skip
    assert lines(HEAD + b'a,"' + b"b\n" * 60_000)[0] == (2, told)


def test_lines_end_as_they_do_in_a_text_file() -> None:
    """By CR, LF or both, and by nothing else that Python takes for a line's end."""
    found = lines(HEAD.rstrip(b"\n") + b"\r\na,\x0b,2,3\rb,\xe2\x80\xa8,2,3\n\nc,1,2,3")
    assert found == [
        (2, ["a", "\x0b", "2", "3"]), (3, ["b", "\u2028", "2", "3"]), (5, ["c", "1", "2", "3"])
    ]  # fmt: skip
