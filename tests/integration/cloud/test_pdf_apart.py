"""Hostile PDFs end cleanly: the process that reads them may do little, and is killed when late."""

import subprocess
import sys
import time
import zlib
from datetime import datetime

import pytest

from cloud.records.pdf import apart
from cloud.records.pdf.apart import Limits, read_apart
from evidence.documents.observed.observation import CHINA
from evidence.documents.observed.paper import PAPER_BYTES_MAX, Paper
from tests.fraud.lab_report import LabReport

REPORT = LabReport(
    "Huatan 华碳", "HT-2026-0412", datetime(2026, 4, 9, 15, 2, tzinfo=CHINA),
    (("carbon", "ad", "64.31"), ("carbon", "ar", "59.98")),
)  # fmt: skip


def pdf_of(
    *objects: bytes, page: bytes = b"/MediaBox [0 0 200 200]", kids: bytes = b"3 0 R"
) -> bytes:
    """A PDF by hand: catalogue, pages, one page; `objects` begin at number 4."""
    first = (
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [%s] /Count %d>>" % (kids, kids.count(b"R")),
        b"<</Type /Page /Parent 2 0 R /Contents 4 0 R " + page + b">>",
    )  # fmt: skip
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate((*first, *objects), 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(places) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    trailer = b"trailer <</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, len(data))
    return data + head + table + trailer


def stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (more, len(data), data)


def test_a_report_is_read() -> None:
    paper = read_apart(REPORT.pdf())
    assert (paper.unread, paper.pages, paper.revisions, paper.signatures) == ("", 1, 1, 0)
    assert paper.codes == ((REPORT.code,),)
    assert paper.made == "D:20260409070200Z"
    assert {"HT-2026-0412", "2026-04-09", "64.31"} <= set(paper.text.split())


@pytest.mark.parametrize(
    ("data", "unread"),
    [
        (b"%PDF-1.7 nothing else", {"broken"}),
        (b"", {"broken"}),
        (REPORT.pdf()[:6000], {"broken"}),
        # 8 GiB of zeros in 8 MiB, packed twice
        (pdf_of(stream(zlib.compress(zlib.compress(bytes(1 << 28))),
                       b"/Filter [/FlateDecode /FlateDecode]")), {"", "memory", "died", "time"}),
        # a picture of 60,000 x 60,000 points
        (pdf_of(stream(b"200 0 0 200 0 0 cm /I Do"),
                stream(zlib.compress(bytes(1000)),
                       b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 "
                       b"/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode"),
                page=b"/MediaBox [0 0 200 200] /Resources <</XObject <</I 5 0 R>>>>"),
         {"", "memory", "died"}),
        # a page of 14 million km
        (pdf_of(stream(b""), page=b"/MediaBox [0 0 40000000000000 40000000000000]"),
         {"", "broken", "died"}),
        # a form that draws itself twice, 60 deep at most in PDFium
        (pdf_of(stream(b"/F Do /F Do"),
                stream(b"/F Do /F Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
                                       b"/Resources <</XObject <</F 5 0 R>>>>"),
                page=b"/MediaBox [0 0 9 9] /Resources <</XObject <</F 5 0 R>>>>"),
         {"", "time", "died"}),
    ],
    ids=["no-pdf", "nothing", "half", "bomb", "picture", "page", "itself"],
)  # fmt: skip
def test_hostile_files_end(data: bytes, unread: set[str]) -> None:
    begun_s = time.monotonic()
    assert read_apart(data, Limits(pages=20, seconds=20)).unread in unread
    assert time.monotonic() - begun_s < 60  # killed at 20 s; the rest is a busy machine


@pytest.mark.parametrize(
    ("program", "unread"),
    [
        ("import sys; sys.stdin.buffer.read(); print('{}')", "answer"),
        (f"import sys; sys.stdin.buffer.read(); print('x' * {2 * PAPER_BYTES_MAX})", "died"),
        ("import time; time.sleep(600)", "time"),
        ("import os; os.kill(os.getpid(), 11)", "died"),
        ("import sys; sys.exit(3)", "memory"),
    ],
)
def test_a_reader_that_was_taken_over_is_not_believed(
    program: str, unread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.Popen
    monkeypatch.setattr(
        apart.subprocess, "Popen",
        lambda _, **more: real([sys.executable, "-c", program], **more),
    )  # fmt: skip
    limits = Limits(pages=20, seconds=1 if unread == "time" else 60)
    assert read_apart(b"%PDF-" * 100_000, limits) == Paper(unread=unread)


def test_the_reader_opens_no_file_and_no_socket() -> None:
    """What it has given up, it cannot take back."""
    program = """
import errno, os, resource, socket
from cloud.records.pdf.child import confine
confine(20)
for attempt in (lambda: os.open("/etc/passwd", os.O_RDONLY), socket.socket, os.pipe):
    try:
        attempt()
    except OSError as error:
        assert error.errno == errno.EMFILE
    else:
        raise AssertionError("it could")
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
assert hard == 3
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr
