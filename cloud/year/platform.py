"""What is handed to the national platform, a month at a time: a folder, as there is no interface.

The platform takes no programs: people upload by hand. `Platform` is what a program would call the
day there is one; `UploadFolder` lays files out in the order of the page they are uploaded on,
`UploadZip` packs the same. Names of materials are the list's (`cloud.outputs.materials`). File I/O.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from cloud.outputs.book import book_of, file_name_of
from cloud.outputs.checked import read_checked
from cloud.outputs.errors import OutputError
from cloud.outputs.layout import Layout, sector_layout
from cloud.outputs.materials import HERE, Material, materials_of
from cloud.outputs.report import report_paper
from cloud.outputs.sealed import SealedMonth, opened
from cloud.outputs.sheets import NOTES
from cloud.outputs.typeset import chinese_font, pdf_bytes
from cloud.outputs.xlsx_write import sheets_bytes, workbook_bytes
from cloud.year.sealed_year import SealedYear
from cloud.year.tables import material_rows
from evidence.archive import paths
from evidence.documents.document import Document
from evidence.findings import Verdict

#: of all files in a ZIP: it is made in memory on its way to a browser
ZIP_BYTES_MAX = 256 * 1024 * 1024
MATERIALS, ATTACHED, OTHER, REPORT = "材料清单.xlsx", "附件", "99-其他", "月度核算报告.pdf"


@dataclass(frozen=True)
class UploadFile:
    """One file of a month's upload.

    Attributes:
        path: below the month, "/" between folders.
        data: its bytes.
    """

    path: str
    data: bytes


class Platform(Protocol):
    """Takes a month."""

    def deliver(self, month: str, files: Iterator[UploadFile]) -> Sequence[str]:
        """Hand over a month.

        Args:
            month: "YYYY-MM".
            files: in the order they are uploaded; each is made when it is asked for.

        Returns:
            Where each file went.

        Raises:
            OutputError: it was not taken.
        """


class UploadFolder:
    """A folder to upload from by hand: one folder a month, whole or not there."""

    def __init__(self, folder: Path) -> None:
        """Below `folder`, which is made; a month's folder must not be there yet."""
        self._folder = folder

    def deliver(self, month: str, files: Iterator[UploadFile]) -> Sequence[str]:
        """See `Platform`."""
        target, written = self._folder / month, list[str]()
        if target.exists():
            raise OutputError(f"{target}: is there already; nothing is overwritten")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=f".{month}-") as folder:
                part = Path(folder) / month
                part.mkdir()
                for file in files:
                    path = part / file.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("xb") as out:
                        out.write(file.data)
                    written.append(str(target / file.path))
                part.rename(target)
        except OSError as error:
            raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
        return written


class UploadZip:
    """The same in one file, to be carried to where it is uploaded: one folder a month.

    Args:
        file: open for writing.
    """

    def __init__(self, file: ZipFile) -> None:
        self._file, self._left = file, ZIP_BYTES_MAX

    def deliver(self, month: str, files: Iterator[UploadFile]) -> Sequence[str]:
        """See `Platform`."""
        written = list[str]()
        for file in files:
            self._left -= len(file.data)
            if self._left < 0:
                raise OutputError(
                    f"{month}: the year's files have more than {ZIP_BYTES_MAX} bytes together: lay "
                    "them out with stackproof cloud year export"
                )
            written.append(f"{month}/{file.path}")
            # without the hour: the same months make the same bytes
            self._file.writestr(ZipInfo(written[-1]), file.data, ZIP_DEFLATED)
        return written


def deliver_year(
    year: SealedYear, platform: Platform, layout: Layout | None, *, with_report: bool
) -> list[str]:
    """Hand over each month of a year; where each file went.

    Args:
        year: what is handed over.
        platform: to whom.
        layout: of the workbook; None for that of the sector.
        with_report: with the month's report, which verifies the archive and needs a Chinese font.
    """
    written: list[str] = []
    if with_report:
        chinese_font()  # before minutes of verification, not after them
    for month in year.months:
        path = year.files[month.month]
        files = upload_files(path, month, layout, with_report=with_report)
        written += platform.deliver(month.month, files)
    return written


def upload_files(
    path: Path, month: SealedMonth, layout: Layout | None, *, with_report: bool
) -> Iterator[UploadFile]:
    """A month's files: workbook, report, list of materials, what is attached to its documents.

    Raises:
        OutputError: with the report, that the archive does not pass: nothing of it is handed over.
    """
    report = [UploadFile(REPORT, _report(path, layout))] if with_report else []
    book = book_of([month], layout or sector_layout(month.rules.sector))
    yield UploadFile(book.file_name, workbook_bytes(book))
    yield from report
    materials = materials_of(month)
    yield UploadFile(MATERIALS, sheets_bytes([(NOTES, material_rows([(month, materials)]))]))
    yield from _attached(path, month, materials)


def _report(path: Path, layout: Layout | None) -> bytes:
    checked = read_checked(path, layout, trust=None)
    if checked.report.verdict is not Verdict.PASSED:
        verdict = checked.report.verdict.value
        raise OutputError(f"{path}: {verdict}; see stackproof verify. Nothing of it is handed over")
    return pdf_bytes(report_paper(checked, "zh"))


def _attached(
    path: Path, month: SealedMonth, materials: Sequence[Material]
) -> Iterator[UploadFile]:
    """Each attached file once, below the material that its document may be."""
    folders = {
        kind: f"{number:02}-{file_name_of(material.names['zh'])}"
        for number, material in enumerate(materials, 1)
        if material.state == HERE
        for kind in sorted(material.kinds)
    }
    with opened(path) as archive:
        seen = set()
        for document in sorted(month.documents, key=_order):
            folder = folders.get(document.kind, OTHER)
            for attached in document.files:
                sha256 = attached.sha256.hex()
                where = f"{paths.RECORDS}files/{sha256}"
                if where in archive and (folder, sha256) not in seen:
                    seen.add((folder, sha256))
                    name = file_name_of(f"{document.about}-{sha256[:8]}-{attached.name}")
                    data = b"".join(archive.chunks(where))
                    yield UploadFile(f"{ATTACHED}/{folder}/{name}", data)


def _order(document: Document) -> tuple[str, str, int]:
    return document.kind, document.about, document.signed_s
