"""What an attached file is, by its bytes and not by its name. Pure; nothing is ever executed."""

import io
import zipfile

from evidence.documents.document import MEDIA_TYPES
from evidence.plan.plan import PLAN_BYTES_MAX
from firmware_configs.toml import NotTomlError, parse_toml

PDF, JPEG, PNG, CSV, XLSX, TOML = MEDIA_TYPES

_BEGINNINGS = {PDF: b"%PDF-", JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n"}
_ZIP, _WORKBOOK, _MACROS = b"PK\x03\x04", "xl/workbook.xml", "xl/vbaProject.bin"
#: control characters but tab, line feed and carriage return
_CONTROLS = frozenset(range(32)) - {9, 10, 13}


def is_of_type(data: bytes, media_type: str) -> bool:
    """True when bytes are of one of `MEDIA_TYPES`, as far as their form tells."""
    if media_type in _BEGINNINGS:
        return data.startswith(_BEGINNINGS[media_type])
    if media_type == CSV:
        return _is_text(data)
    if media_type == TOML:
        return _is_toml(data)
    return media_type == XLSX and _is_workbook(data)


def type_of(data: bytes) -> str | None:
    """Which of `MEDIA_TYPES` bytes are of, None for none of them."""
    return next((one for one in (PDF, JPEG, PNG, XLSX, TOML, CSV) if is_of_type(data, one)), None)


def _is_toml(data: bytes) -> bool:
    """TOML with something in it, no longer than a control plan may be."""
    if len(data) > PLAN_BYTES_MAX:
        return False
    try:
        return bool(parse_toml(data))
    except NotTomlError:
        return False


def _is_text(data: bytes) -> bool:
    """Text in UTF-8 or, as spreadsheet programs in China write it, GB 18030."""
    if any(data.startswith(beginning) for beginning in (*_BEGINNINGS.values(), _ZIP)):
        return False
    if not _CONTROLS.isdisjoint(data):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _is_workbook(data: bytes) -> bool:
    """A zip with a workbook in it and no macros; only its table of contents is read."""
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        return False
    return _WORKBOOK in names and _MACROS not in names
