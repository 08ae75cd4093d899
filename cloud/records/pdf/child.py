"""The process that reads one PDF: its bytes on stdin, a paper's JSON on stdout, and then it ends.

Before it looks at the file it gives up what it does not need: no file and no socket can be opened
any more, memory, time and output are bounded. `python -m cloud.records.pdf.child`; whoever starts
it kills it when it is late (`cloud.records.pdf.apart`).
"""

import codecs
import json
import re
import resource
import sys

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped] # it comes without types
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped] # likewise
import zxingcpp

from cloud.records.pdf.apart import EXIT_MEMORY
from evidence.documents.document import FILE_BYTES_MAX, is_plain
from evidence.documents.observed.paper import CODE_MAX, CODES_MAX, LINE_MAX, TEXT_MAX

MEMORY_BYTES, CPU_S = 1 << 30, 20
PAGES_MAX, SIDE_MAX_PX, SCALE = 20, 2_400, 200 / 72
#: stdin, stdout and stderr: whatever else would be opened has no number left
DESCRIPTORS = 3
_END = re.compile(rb"startxref\s{1,8}[0-9]{1,15}\s{1,8}%%EOF")
_BYTE_RANGE = re.compile(rb"/ByteRange\s{0,8}\[")
_HEAD = 1024
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def confine() -> None:
    """Give up what reading a file from stdin does not need; nothing gives it back."""
    codecs.lookup("utf-16-le")  # PDFium's texts; a file, which cannot be opened afterwards
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(limit, (most, most))


def read_pdf(data: bytes) -> dict[str, object]:
    """A paper's fields, as `evidence.documents.observed.paper.parse_paper` takes them as JSON."""
    is_linear = b"/Linearized" in data[:_HEAD]
    paper: dict[str, object] = {
        "pages": 0, "pages_read": 0, "made": "", "changed": "", "producer": "", "text": "",
        "codes": [], "unread": "",
        # a linearised file is written once and has two ends
        "revisions": min(max(len(_END.findall(data)) - is_linear, 1), 1_000_000),
        "signatures": min(len(_BYTE_RANGE.findall(data)), 1_000_000),
    }  # fmt: skip
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        is_locked = error.err_code == pdfium_c.FPDF_ERR_PASSWORD
        return paper | {"unread": "password" if is_locked else "broken"}
    try:
        return paper | _contents(document)
    except pdfium.PdfiumError:
        return paper | {"unread": "broken"}


def _contents(document: pdfium.PdfDocument) -> dict[str, object]:
    facts = document.get_metadata_dict()
    pages = min(len(document), PAGES_MAX)
    text, codes = "", list[str]()
    for i in range(pages):
        page = document[i]
        text += page.get_textpage().get_text_bounded() + "\n"
        codes += _codes(page)
        page.close()
    return {
        "pages": len(document), "pages_read": pages, "text": _plain(text, TEXT_MAX),
        "codes": codes[:CODES_MAX],
        "made": _plain(facts.get("CreationDate", ""), LINE_MAX),
        "changed": _plain(facts.get("ModDate", ""), LINE_MAX),
        "producer": _plain(facts.get("Producer", ""), LINE_MAX),
    }  # fmt: skip


def _codes(page: pdfium.PdfPage) -> list[str]:
    """Contents of the QR codes on a page, looked at as people see it."""
    longest = max(*page.get_size(), 1.0)
    picture = page.render(scale=min(SCALE, SIDE_MAX_PX / longest), grayscale=True).to_numpy()
    grey = np.ascontiguousarray(picture.reshape(picture.shape[0], -1))
    found = zxingcpp.read_barcodes(grey, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    return sorted(_plain(code.text, CODE_MAX) for code in found if code.valid)


def _plain(text: str, longest: int) -> str:
    """Without what steers a terminal; lines stay, a lone half of a character goes."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join("".join(c for c in line if is_plain(c)) for line in lines)
    return kept.encode("utf-8", "ignore").decode("utf-8")[:longest]


def main() -> None:
    """Read stdin, print the paper."""
    confine()
    try:
        printed = json.dumps(read_pdf(sys.stdin.buffer.read(FILE_BYTES_MAX + 1)))
    except MemoryError:
        sys.exit(EXIT_MEMORY)
    sys.stdout.write(printed)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
