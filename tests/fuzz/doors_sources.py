"""Doors of sources that are no meters: files that are dropped, statements, what a spool keeps."""

from pathlib import Path

from edge.drivers.base import DeviceError
from edge.drivers.folder.content import FileRefusedError, csv_lines
from edge.drivers.folder.driver import FolderDriver
from edge.drivers.folder.files import Folder
from edge.drivers.folder.sheet import sheet_lines
from edge.drivers.source_rows import RowReader, plain_number, text_number
from edge.drivers.table.driver import TableDriver
from edge.drivers.table.gate import StatementError, check_statement
from edge.drivers.waiting_rows import Delivered, take
from evidence import cbor
from firmware_configs.profile import ProfileError, load_profile
from simulators.recorded.recording import RecordingError
from simulators.recorded.text import read_recording
from tests.fuzz.doors import Call, Door, file_door, pure
from tests.fuzz.mutating import cbor_bent, lines_bent, spoilt, toml_bent
from tests.unit.edge.drivers.folder.test_sheet import AT, book
from tests.unit.edge.drivers.row_specs import files, folder_spec, sheets, table, table_spec
from tests.unit.edge.drivers.table.test_gate import GOOD
from tests.unit.firmware_configs.test_row_source import FOLDER, TABLE, XLSX
from tests.unit.simulators.test_recording import TEXT, UA_TEXT

_CSV = b'taken_at,pot,volts,temp\n2026-06-15 08:00:00,1,4.2,960\n2026-06-15 08:00:01,2,"1,5",\n'
_SHEET = book(["taken_at", "pot", "volts", "temp"], [AT, 1, 4.273, 960], [AT, "2", None, "x"])


def _rows_of(data: bytes, *, is_csv: bool) -> None:
    """To the end: rows, samples, and what a read takes of them."""
    source = files() if is_csv else sheets()
    number_of = text_number(".") if is_csv else plain_number
    reader = RowReader(folder_spec(Path("/x"), source), source.rows, number_of)
    lines = csv_lines(data, source) if is_csv else sheet_lines(data, source)
    rows = [(n, reader.row(cells)) for n, cells in lines if not isinstance(cells, str)]
    assert take(rows, Delivered()).waiting < max(1, len(rows))


def _dropped(folder: Path) -> Call:
    def call(data: bytes) -> None:
        (folder / "a.csv").write_bytes(data)
        made = Folder(folder, "*.csv")
        made.open()
        try:
            assert made.read("a.csv", made.listing().files["a.csv"]) == data
        finally:
            made.close()

    return call


_TABLE_POSITION = cbor.encode([1, 7, [9, 12], bytes(32), bytes(32)])
_FOLDER_POSITION = cbor.encode([1, "a.csv", bytes(32), 7, [9, 12]])
_MARK = cbor.encode([1, 0, "a.csv", bytes(32), bytes(8), 1, 2, 3, 4])


def _table_position(data: bytes) -> None:
    made = TableDriver(table_spec("/x.db", table(), position=data))
    assert made.position() is None or len(made.position() or b"") <= len(data) + 64


DOORS: list[Door] = [
    pure(
        "recording", read_recording, [TEXT.encode(), UA_TEXT.encode()], lines_bent,
        (RecordingError,), "simulators.recorded.text.read_recording",
    ),
    pure("dropped CSV", lambda d: _rows_of(d, is_csv=True), [_CSV], spoilt, (FileRefusedError,)),
    pure("dropped XLSX", lambda d: _rows_of(d, is_csv=False), [_SHEET], spoilt,
         (FileRefusedError,), weight=4),
    # any bytes are a file: what is in them is looked at by those that parse it
    Door("dropped file", ("edge.drivers.folder.files.read",), lambda _: [_CSV], _dropped, spoilt,
         ()),
    pure("statement", lambda d: check_statement(d.decode("utf-8", "replace")),
         [text.encode() for text in GOOD], spoilt, (StatementError,)),
    pure("position of a table", _table_position, [_TABLE_POSITION], cbor_bent, (DeviceError,),
         "edge.drivers.table.driver.decode"),
    pure("position of a folder", lambda d: FolderDriver(folder_spec(Path("/x"), position=d)),
         [_FOLDER_POSITION], cbor_bent, (DeviceError,)),
    pure("mark of a folder",
         lambda d: FolderDriver(folder_spec(Path("/x"), marks={bytes(32): d})),
         [_MARK], cbor_bent, (DeviceError,)),
    file_door("profile of rows", lambda path: load_profile(str(path)),
              lambda _: [text.encode() for text in (TABLE, FOLDER, XLSX)], toml_bent,
              (ProfileError,), file="rows.toml"),
]  # fmt: skip
