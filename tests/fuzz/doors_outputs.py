"""Doors of the papers: what a platform exports, what an accountant writes, an archive on a desk."""

import functools
from pathlib import Path

from cloud.outputs.book import book_of
from cloud.outputs.checked import read_checked, read_ledgers
from cloud.outputs.compare import compare, read_export
from cloud.outputs.errors import OutputError
from cloud.outputs.layout import SECTORS, parse_layout, sector_layout
from cloud.outputs.ledger import parse_code
from cloud.outputs.report import report_paper
from cloud.outputs.words import LANGUAGES
from cloud.outputs.xlsx_write import workbook_bytes
from cloud.records.tables import TableError
from tests.fuzz.doors import Door, file_door, pure
from tests.fuzz.doors_archive import _month_bent
from tests.fuzz.mutating import package_bent, spoilt, toml_bent
from tests.unit.cloud.outputs.months import evidence_input, month_of
from tests.unit.evidence import sealed_month as sm

OURS = (OutputError,)
_BOOK = book_of([month_of(evidence_input())], sector_layout("steel"))


@functools.cache
def _export() -> bytes:
    return workbook_bytes(_BOOK)


def _compared(data: bytes) -> object:
    return compare(_BOOK, read_export(data))


def _reported(path: Path) -> object:
    checked = read_checked(path, None, None)
    read_ledgers(path)
    return [report_paper(checked, language).as_map() for language in LANGUAGES]


def _layouts(_: Path) -> list[bytes]:
    folder = Path(__file__).parents[2] / "cloud/outputs/layouts"
    return [(folder / f"{sector}.toml").read_bytes() for sector in SECTORS]


DOORS: list[Door] = [
    pure("export of the platform", _compared, [_export()], package_bent,
         (TableError,), "cloud.outputs.compare.read_export", weight=8),
    Door("layout of a workbook", ("cloud.outputs.layout.parse_layout",), _layouts,
         lambda _: lambda data: parse_layout(data, "own.toml"), toml_bent, OURS, weight=2),
    pure("code of a ledger", lambda d: parse_code(d.decode("utf-8", "replace")),
         [b"stackproof:ledger:1:mini:coal.total:2026-10:1/2:" + b"0" * 64], spoilt, (),
         "cloud.outputs.ledger.parse_code"),
    file_door("archive that papers are made of", _reported, lambda _: [sm.honest()], _month_bent,
              OURS, "cloud.outputs.sealed.read_sealed", "cloud.outputs.checked.read_checked",
              "cloud.outputs.checked.read_hours", "cloud.outputs.checked.read_ledgers",
              file="a.tar", weight=8),
]  # fmt: skip
