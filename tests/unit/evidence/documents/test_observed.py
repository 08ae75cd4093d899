"""Small rules behind the observations, by hand: bases, numbers, dates, PDFs that are innocent."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cloud.records.pdf.child import read_paper
from evidence.documents.document import Document
from evidence.documents.observed.numbers import as_written, number_of, says_day
from evidence.documents.observed.observation import day_ns, shown
from evidence.documents.observed.observe import observe
from evidence.documents.observed.paper import Paper, instant_of
from evidence.documents.observed.pdfs import observe_pdfs, pdfs_of
from evidence.documents.standing import Logged, Standing
from tests.unit.evidence.documents.papers import file_of

DAY_NS = day_ns("2026-04-09")


def result_of(values: dict[str, str], about: str = "C-1", **body: str) -> Document:
    rows = []
    for key, value in values.items():
        name, _, basis = key.partition("_")
        rows.append({"name": name, "basis": basis, "value": value, "unit": "%"})
    made: dict[str, Any] = {"report": "HT-2026-0412", "report_day": "2026-04-09",
                            "laboratory": "Huatan", "values": rows}  # fmt: skip
    file = file_of(about.encode())
    return Document("works", "lab", 1, "sample-result", about, made | body, files=(file,))


def standing_of(*documents: Document) -> Standing:
    standing = Standing()
    for i, document in enumerate(documents):
        standing.take(Logged(i, DAY_NS, bytes([i]) * 32, document, None))
    return standing


@pytest.mark.parametrize(
    ("values", "is_odd"),
    [
        # C_ad 60.00, M_ad 2.00, M_t 10.00: ar = 60 x 90/98 = 55.102; d = 60 x 100/98 = 61.224;
        # with A_d 20.00 daf = 61.224/0.8 = 76.531
        ({"carbon_ad": "60.00", "carbon_ar": "55.10"}, False),
        ({"carbon_ad": "60.00", "carbon_d": "61.22"}, False),
        ({"carbon_d": "61.22", "carbon_daf": "76.53", "ash_d": "20.00"}, False),
        ({"carbon_ar": "55.10", "carbon_daf": "76.53", "ash_d": "20.00"}, False),
        # as if M_t were 14.00: 60 x 86/98 = 52.653; 4 points of moisture are 4.4 % of the carbon
        ({"carbon_ad": "60.00", "carbon_ar": "52.65"}, True),
        ({"carbon_d": "61.22", "carbon_daf": "70.00", "ash_d": "20.00"}, True),
        ({"carbon_ad": "60.00", "carbon_d": "60.00"}, True),
        ({"carbon_ad": "0.6", "carbon_ar": "0.6"}, False),  # one digit says no more
        ({"ncv_ad": "24.00", "ncv_ar": "24.00"}, False),  # net heat is no matter of drying alone
    ],
)
def test_bases_are_held_to_the_moistures(values: dict[str, str], is_odd: bool) -> None:
    moistures = {"total-moisture_ar": "10.00", "moisture_ad": "2.00"}
    found = {one.code for one in observe(standing_of(result_of(moistures | values)))}
    assert ("S-BASES" in found) is is_odd


def test_without_both_moistures_nothing_is_said_of_bases() -> None:
    found = observe(standing_of(result_of({"carbon_ad": "60.00", "carbon_ar": "20.00"})))
    assert "S-BASES" not in {one.code for one in found}


@pytest.mark.parametrize(
    ("number", "day", "said"),
    [
        ("HT-2026-0412", date(2026, 4, 9), None),
        ("HT-2027-0001", date(2026, 4, 9), "2027"),
        ("HT-2025-0412", date(2026, 4, 9), "2025"),
        ("HT-2025-9000", date(2026, 2, 1), None),  # received in December
        ("（2026）华碳 0412 号", date(2026, 4, 9), None),
        ("HT20260331-07", date(2026, 4, 9), None),
        ("HT20260410-07", date(2026, 4, 9), "20260410"),
        ("HT20260412", date(2026, 4, 9), None),  # the 412th of 2026
        ("HT-202605-1", date(2026, 4, 9), "202605"),
        ("W2031", date(2026, 4, 9), None),  # a plain count
    ],
)
def test_dates_in_numbers(number: str, day: date, said: str | None) -> None:
    parsed = number_of(number)
    assert says_day(parsed, parsed.years, day) == said


def test_numbers_are_alike_however_they_are_typed() -> None:
    assert as_written("HT-2026-0412") == as_written(" ht－2026 – 0412")
    assert as_written("HT-2026-0412") != as_written("HT-2026-0413")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("D:199812231952-08'00'", datetime(1998, 12, 24, 3, 52, tzinfo=UTC)),  # ISO 32000-1 §7.9.4
        ("D:20260409150200+08'00'", datetime(2026, 4, 9, 7, 2, tzinfo=UTC)),
        ("D:20260409150200+08'00", datetime(2026, 4, 9, 7, 2, tzinfo=UTC)),  # PDF 2.0
        ("D:20260409", datetime(2026, 4, 9, tzinfo=UTC)),
        ("D:20261399", None),
        ("2026-04-09", None),
        ("D:00010101000000+08'00'", None),
    ],
)
def test_dates_of_files(text: str, instant: datetime | None) -> None:
    assert instant_of(text) == instant


def test_instants_are_shown_by_the_clocks_of_china() -> None:
    assert shown(DAY_NS) == "2026-04-09 00:00"
    assert shown(0) == "1970-01-01 08:00"
    assert shown(day_ns("0001-01-01")).endswith("1-01-01 08:00")  # a typed day may be any


TEXT = (
    "报告编号 HT-2026-0412 签发日期 2026 年 4 月 9 日 元素碳 64.310 % "
    "本报告仅对来样负责，未经本实验室书面批准不得复制"
)
GOOD = Paper(pages=1, pages_read=1, revisions=1, made="D:20260409", text=TEXT)


@pytest.mark.parametrize(
    ("paper", "codes"),
    [
        (GOOD, set()),
        (Paper(**vars(GOOD) | {"revisions": 3, "signatures": 2}), set()),  # two signed it
        (Paper(**vars(GOOD) | {"revisions": 3, "signatures": 1}), {"S-PDF-REVISED"}),
        (Paper(**vars(GOOD) | {"text": ""}), {"N-PDF-NO-TEXT"}),
        (Paper(**vars(GOOD) | {"made": ""}), set()),
        (Paper(**vars(GOOD) | {"codes": (("https://lab.example",),)}), set()),
        (Paper(**vars(GOOD) | {"codes": (("HT-2026-0411",),)}), {"S-PDF-QR-DISAGREES"}),
        (Paper(unread="password"), {"N-PDF-UNREAD"}),
    ],
)
def test_what_a_pdf_shows(paper: Paper, codes: set[str]) -> None:
    standing = standing_of(result_of({"carbon_ad": "64.31"}))
    (file,) = pdfs_of(standing)
    assert {one.code for one in observe_pdfs(standing, {file.sha256: paper})} == codes


def test_a_code_that_is_always_the_laboratorys_address_is_no_copy() -> None:
    documents = [
        result_of({"carbon_ad": f"6{i}.31"}, f"C-{i}", report=f"HT-2026-041{i}") for i in range(3)
    ]
    standing = standing_of(*documents)
    text = TEXT + " HT-2026-0410 HT-2026-0411 60.31 61.31 62.31"
    paper = Paper(**vars(GOOD) | {"codes": (("https://lab.example",),), "text": text})
    papers = {file.sha256: paper for file in pdfs_of(standing)}
    assert observe_pdfs(standing, papers) == []


def test_one_report_may_hold_several_samples_of_a_month() -> None:
    documents = [result_of({"carbon_ad": f"6{i}.31"}, f"C-{i}") for i in range(3)]
    assert "S-REPORT-SEEN" not in {one.code for one in observe(standing_of(*documents))}


def test_revisions_are_counted() -> None:
    """By what ISO 32000-1 §7.5.5 and §7.5.6 put at the end of each; a linearised file has two."""
    end = b"startxref\n9\n%%EOF\n"
    head = b"%PDF-1.7\n"
    assert read_paper(head + end)["revisions"] == 1
    assert read_paper(head + end * 3)["revisions"] == 3
    assert read_paper(head + b"<</Linearized 1>>" + end * 2)["revisions"] == 1
    assert read_paper(head + end * 2 + b"/ByteRange [0 1 2 3]")["signatures"] == 1
