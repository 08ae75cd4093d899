"""The process that reads one file: its bytes on stdin, a paper's JSON on stdout, and then it ends.

Before it looks at the file it gives up what it does not need: no file and no socket can be opened
any more, memory, time and output are bounded. `python -m cloud.records.pdf.child PAGES SECONDS`;
whoever starts it kills it when it is late (`cloud.records.pdf.apart`).
"""

import codecs
import io
import json
import re
import resource
import sys

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped] # it comes without types
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped] # it comes without types
import zxingcpp

from cloud.records.media import JPEG, PNG, is_of_type
from cloud.records.pdf.apart import EXIT_MEMORY, REPORT
from cloud.records.pdf.png import A4_WIDE, PictureError, pdf_of_png
from evidence.documents.document import FILE_BYTES_MAX, is_plain
from evidence.documents.observed.paper import CODE_MAX, CODES_MAX, LINE_MAX, TEXT_MAX

MEMORY_BYTES = 1 << 30
#: 200 dpi, enough for a module of 0.4 mm, up to A3
SIDE_MAX_PX, SCALE = 4_800, 200 / 72
#: stdin, stdout and stderr: whatever else would be opened has no number left
DESCRIPTORS = 3
_END = re.compile(rb"startxref\s{1,8}[0-9]{1,15}\s{1,8}%%EOF")
_BYTE_RANGE = re.compile(rb"/ByteRange\s{0,8}\[")
_HEAD = 1024
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def confine(seconds: int) -> None:
    """Give up what reading a file from stdin does not need; nothing gives it back."""
    codecs.lookup("utf-16-le")  # PDFium's texts; a file, which cannot be opened afterwards
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(limit, (most, most))


def read_paper(data: bytes, pages_max: int = REPORT.pages) -> dict[str, object]:
    """A paper's fields, as `evidence.documents.observed.paper.parse_paper` takes them as JSON."""
    is_linear = b"/Linearized" in data[:_HEAD]
    paper: dict[str, object] = {
        "pages": 0, "pages_read": 0, "made": "", "changed": "", "producer": "", "author": "",
        "text": "", "codes": [], "unread": "",
        # a linearised file is written once and has two ends
        "revisions": min(max(len(_END.findall(data)) - is_linear, 1), 1_000_000),
        "signatures": min(len(_BYTE_RANGE.findall(data)), 1_000_000),
    }  # fmt: skip
    try:
        document = _opened(data)
        return paper | _facts(document, data) | _contents(document, pages_max)
    except PictureError:
        return paper | {"unread": "broken"}
    except pdfium.PdfiumError as error:
        is_locked = error.err_code == pdfium_c.FPDF_ERR_PASSWORD
        return paper | {"unread": "password" if is_locked else "broken"}


def _opened(data: bytes) -> pdfium.PdfDocument:
    """A PDF, or a picture as a page as wide as A4."""
    if is_of_type(data, PNG):
        return pdfium.PdfDocument(pdf_of_png(data))
    if not is_of_type(data, JPEG):
        return pdfium.PdfDocument(data)
    document = pdfium.PdfDocument.new()
    picture = pdfium.PdfImage.new(document)
    picture.load_jpeg(io.BytesIO(data), inline=True)
    width, height = picture.get_px_size()
    if not width or not height:
        raise PictureError("it has no header")
    tall = A4_WIDE * height / width
    picture.set_matrix(pdfium.PdfMatrix().scale(A4_WIDE, tall))
    page = document.new_page(A4_WIDE, tall)
    page.insert_obj(picture)
    page.gen_content()
    return document


def _contents(document: pdfium.PdfDocument, pages_max: int) -> dict[str, object]:
    pages, left = min(len(document), pages_max), CODES_MAX
    text, codes = "", list[list[str]]()
    for i in range(pages):
        page = document[i]
        if len(text) < TEXT_MAX:
            text += page.get_textpage().get_text_bounded() + "\n"
        codes.append(_codes(page)[:left])
        left -= len(codes[-1])
        page.close()
    return {
        "pages": len(document), "pages_read": pages, "text": _plain(text, TEXT_MAX),
        "codes": codes,
    }  # fmt: skip


def _facts(document: pdfium.PdfDocument, data: bytes) -> dict[str, object]:
    """What a PDF says of itself; a picture's page is ours, and says nothing."""
    if is_of_type(data, JPEG):
        return {}
    facts = document.get_metadata_dict()
    return {
        "made": _plain(facts.get("CreationDate", ""), LINE_MAX),
        "changed": _plain(facts.get("ModDate", ""), LINE_MAX),
        "producer": _plain(facts.get("Producer", ""), LINE_MAX),
        "author": _plain(facts.get("Author", ""), LINE_MAX),
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
    pages, seconds = map(int, sys.argv[1:])
    confine(seconds)
    try:
        paper = read_paper(sys.stdin.buffer.read(FILE_BYTES_MAX + 1), pages)
        printed = json.dumps(paper, ensure_ascii=False).encode()
    except MemoryError:
        sys.exit(EXIT_MEMORY)
    sys.stdout.buffer.write(printed)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
