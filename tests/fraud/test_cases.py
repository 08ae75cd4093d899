"""Cases modelled on published falsifications: each is found by its codes, or plainly cannot be.

The ministry's examples of March 2022 (2022年第一批突出环境问题), Inner Mongolia's of June 2021:
docs/sample-findings.md quotes what was published of each. Every paper here is signed by
its person and judged as the collector judges it; PDFs are real ones.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest

from evidence.documents.observed.observation import CODES
from evidence.documents.observed.observe import may_be_measured, observe
from evidence.documents.observed.pdfs import observe_pdfs
from evidence.documents.observed.stories import stories_of
from evidence.documents.standing import Standing
from tests.fraud.works import LAB, Month, Works, at, honest, later, read, reissued, retype

YEAR = [(2026, month) for month in range(1, 7)]
LAST = -1
JUNE = {"from_ns": at(2026, 6, 1, 0), "to_ns": at(2026, 7, 1, 0)}


def months() -> list[Month]:
    return [honest(*when) for when in YEAR]


def one_batch_as_many_months(by: Works, all_: list[Month]) -> list[Standing]:
    """集中送检伪造成分月送样、分月检测: all entered in one evening, dates typed month by month."""
    evening = at(2026, 8, 10, 20)
    for i, month in enumerate(all_):
        for daily in month.dailies:
            daily.is_registered = False
        for k, when in enumerate(month.steps.values()):
            when.logged = later(evening, i * 0.2 + k * 0.02)
    return []


def laboratory_backdates(by: Works, all_: list[Month]) -> list[Standing]:
    """篡改收样日期和检测日期: two months' samples come together, their dates are typed apart."""
    for month, minute in zip(all_[-2:], (0, 9), strict=True):
        for k, name in enumerate(("received", "tested", "result")):
            month.steps[name].logged = later(at(2026, 9, 1, 15), minute / 60 + k * 0.02)
    return []


def number_and_day_edited(by: Works, all_: list[Month]) -> list[Standing]:
    """篡改…报告日期、报告编号: what is typed is not what the laboratory's PDF says."""
    month = all_[LAST]
    day = month.report.issued - timedelta(days=4)
    month.typed = {"report": month.report.number[:-1] + "X", "report_day": f"{day:%Y-%m-%d}"}
    return []


def qr_code_removed(by: Works, all_: list[Month]) -> list[Standing]:
    """删除了原始检测报告的二维码."""
    reissued(all_[LAST], qr="")
    return []


def qr_code_of_another_report(by: Works, all_: list[Month]) -> list[Standing]:
    """The code of an older report is put on the page."""
    reissued(all_[LAST], qr=all_[0].report.code)
    return []


def carbon_edited(by: Works, all_: list[Month]) -> list[Standing]:
    """篡改部分…元素碳含量检测结果: typed lower than the report says."""
    month = all_[LAST]
    lower = {row[:2]: f"{float(row[2]) * 0.9:.2f}" for row in month.report.values[-2:]}
    retype(month, lower)
    return []


def moisture_invented(by: Works, all_: list[Month]) -> list[Standing]:
    """编造全水分数据用于折算收到基: four points more than the days had, all else agrees."""
    month = all_[LAST]
    rows = {row[:2]: row[2] for row in month.report.values}
    total, dried = float(rows["total-moisture", "ar"]) + 4, float(rows["moisture", "ad"])
    wet = float(rows["carbon", "ad"]) * (100 - total) / (100 - dried)
    changed = {("total-moisture", "ar"): f"{total:.2f}", ("carbon", "ar"): f"{wet:.2f}"}
    values = tuple((*row[:2], changed.get(row[:2], row[2])) for row in month.report.values)
    reissued(month, values=values)
    return []


def moisture_invented_badly(by: Works, all_: list[Month]) -> list[Standing]:
    """As before, but the figure as received was not made to fit."""
    month = all_[LAST]
    values = month.report.values
    reissued(month, values=(*values[:-1], ("carbon", "ar", f"{float(values[-1][2]) - 3:.2f}")))
    return []


def coal_made_up_later(by: Works, all_: list[Month]) -> list[Standing]:
    """企业未留存历史煤样…临时制作煤样代替月混合煤样: made four months later, and said so."""
    month, hours = all_[0], 110 * 24.0
    for daily in month.dailies:
        daily.is_registered = False
    for when in month.steps.values():
        when.typed, when.logged = later(when.typed, hours), later(when.logged, hours)
    issued = month.report.issued + timedelta(hours=hours)
    reissued(month, issued=issued, number=f"HT-2026-{issued.timetuple().tm_yday * 9:04}")
    return []


def report_backdated(by: Works, all_: list[Month]) -> list[Standing]:
    """A number of June under a day in February: the laboratory counts up, days must too."""
    month = all_[1]
    reissued(month, number="HT-2026-1800")
    return []


def report_copied_across_plants(by: Works, all_: list[Month]) -> list[Standing]:
    """One report serves two works, as it is."""
    other, theirs = Works("works-b"), honest(2026, 3, 1)
    other.month(theirs)
    all_[2].report = theirs.report
    all_[2].steps["tested"] = theirs.steps["tested"]
    all_[2].steps["result"].logged = later(theirs.steps["result"].logged, 30)
    return [other.standing()]


def pdf_edited_after_issue(by: Works, all_: list[Month]) -> list[Standing]:
    """利用可编辑的检测报告模板: an editor appends its revision to the laboratory's file."""
    document = pdfium.PdfDocument(all_[LAST].report.pdf())
    page = document[0]
    page.set_rotation(180)
    saved = io.BytesIO()
    document.save(saved, flags=pdfium_c.FPDF_INCREMENTAL)
    all_[LAST].pdf = saved.getvalue()
    return []


def pdf_made_long_after(by: Works, all_: list[Month]) -> list[Standing]:
    """The typed day is the one that is wanted; the PDF and its code are forty days younger."""
    issued = all_[0].report.issued + timedelta(days=40)
    all_[0].pdf = replace(all_[0].report, issued=issued).pdf()
    all_[0].typed = {"report_day": f"{all_[0].report.issued:%Y-%m-%d}"}
    return []


def no_retained_split(by: Works, all_: list[Month]) -> list[Standing]:
    """未留存煤样."""
    del all_[LAST].steps["retained"]
    return []


def result_before_receipt(by: Works, all_: list[Month]) -> list[Standing]:
    """The result is in the log before the laboratory says that it has the sample."""
    steps = all_[LAST].steps
    steps["received"].logged = later(steps["result"].logged, 1)
    return []


def dailies_never_registered(by: Works, all_: list[Month]) -> list[Standing]:
    """A composite of days nobody sampled."""
    for daily in all_[LAST].dailies[4:]:
        daily.is_registered = False
    return []


def dailies_chosen(by: Works, all_: list[Month]) -> list[Standing]:
    """Only the poorest coal goes into the composite, and one day counts ten times."""
    poor = sorted(all_[LAST].dailies, key=lambda one: one.moisture)[-10:]
    all_[LAST].parts = [(one.sample, one.tonnes) for one in poor]
    all_[LAST].parts[0] = (poor[0].sample, "2000")
    return []


def same_values_every_month(by: Works, all_: list[Month]) -> list[Standing]:
    """One analysis, printed under two months' numbers."""
    values = {row[:2]: row for row in all_[0].report.values}
    mine = all_[1].report.values
    kept = tuple(values[row[:2]] if row[0] in ("ash", "carbon") else row for row in mine)
    reissued(all_[1], values=kept)
    return []


def result_without_a_sample(by: Works, all_: list[Month]) -> list[Standing]:
    """A report is uploaded for a sample that nobody took."""
    for name in ("composed", "retained", "sent", "received", "tested"):
        del all_[LAST].steps[name]
    return []


def seal_broken_and_replaced(by: Works, all_: list[Month]) -> list[Standing]:
    """A sample that goes to the laboratory alone comes there under another seal, broken."""
    taken = at(2026, 6, 30, 17)
    body = {"place": "belt 3", "source": "coke", "mass_kg": "2", "seal": "K-1", "taken_ns": taken,
            **JUNE}  # fmt: skip
    by.sign("chen", "sample-taken", "K-202606", body, later(taken, 1))
    received = {"received_ns": later(taken, 40), "seal": "K-7", "is_seal_whole": False}
    by.sign("lab", "sample-received", "K-202606", received, later(taken, 41))
    return []


def result_corrected_by_the_works(by: Works, all_: list[Month]) -> list[Standing]:
    """The works' accountant corrects what the laboratory signed."""
    all_[LAST].pdf = b""
    month = all_.pop()
    first = by.month(month)
    values = [{"name": n, "basis": b, "value": v, "unit": "%"} for n, b, v in month.report.values]
    body = {"report": month.report.number, "report_day": f"{month.report.issued:%Y-%m-%d}",
            "laboratory": LAB, "values": values[:3]}  # fmt: skip
    by.sign(
        "li", "sample-result", month.sample, body, later(month.steps["result"].logged, 9), first
    )
    return []


def result_withdrawn_by_the_works(by: Works, all_: list[Month]) -> list[Standing]:
    """What the laboratory found does not please; it is taken back, and another sample tested."""
    month = all_.pop()
    first = by.month(month)
    gone = later(month.steps["result"].logged, 9)
    by.sign("li", "withdraw", month.sample, {"reason": "to be tested again"}, gone, first)
    return []


def no_receipt(by: Works, all_: list[Month]) -> list[Standing]:
    """No laboratory says that it ever had the sample."""
    del all_[LAST].steps["received"]
    return []


def composite_of_another_month(by: Works, all_: list[Month]) -> list[Standing]:
    """A good day of the month before is put in."""
    parts = [(one.sample, one.tonnes) for one in all_[LAST].dailies]
    all_[LAST].parts = [*parts, (all_[-2].dailies[3].sample, all_[-2].dailies[3].tonnes)]
    return []


def registered_when_it_was_tested(by: Works, all_: list[Month]) -> list[Standing]:
    """The composite comes into the log when the laboratory has it already."""
    steps = all_[LAST].steps
    steps["composed"].logged = later(steps["received"].logged, 0.2)
    return []


def said_tested_before_sent(by: Works, all_: list[Month]) -> list[Standing]:
    """The typed day of the test is one on which the works had the sample still."""
    steps = all_[LAST].steps
    steps["tested"].typed = later(steps["composed"].typed, -2)
    return []


def retained_in_the_future(by: Works, all_: list[Month]) -> list[Standing]:
    """A split is entered two days before it is said to be made."""
    steps = all_[LAST].steps
    steps["retained"].typed = later(steps["retained"].logged, 48)
    return []


def sampled_before_the_month(by: Works, all_: list[Month]) -> list[Standing]:
    """A sample of May's coal stands for June, under a seal that was used before."""
    taken = at(2026, 5, 25, 17)
    body = {"place": "belt 3", "source": "coke", "mass_kg": "2", "seal": "s 20260503",
            "taken_ns": taken, **JUNE}  # fmt: skip
    by.sign("chen", "sample-taken", "K-202606", body, later(taken, 1))
    return []


def number_of_the_year_after(by: Works, all_: list[Month]) -> list[Standing]:
    """报告编号: the number has 2027 in it, the paper is dated 2026."""
    reissued(all_[LAST], number="HT-2027-0001")
    return []


def analysis_that_does_not_close(by: Works, all_: list[Month]) -> list[Standing]:
    """Invented proximate analysis: 2 + 18 + 30 + 60 is not 100."""
    values = (("volatile", "ad", "30.00"), ("fixed-carbon", "ad", "60.00"))
    reissued(all_[LAST], values=values + all_[LAST].report.values)
    return []


def pdf_saved_anew(by: Works, all_: list[Month]) -> list[Standing]:
    """The file says of itself that it was changed eight days after it was made."""
    data, issued = all_[LAST].report.pdf(), all_[LAST].report.issued.astimezone(UTC)
    made, changed = (f"/ModDate(D:{day:%Y%m%d}" for day in (issued, issued + timedelta(days=8)))
    all_[LAST].pdf = data.replace(made.encode(), changed.encode())
    assert all_[LAST].pdf != data
    return []


Bend = Callable[[Works, list[Month]], list[Standing]]

#: case -> codes it is found by, all of them; and those that bar its result from being measured
CASES: list[tuple[Bend, str, str]] = [
    (one_batch_as_many_months,
     "S-MADE-LATE S-COMPOSITE-UNREGISTERED S-LOGGED-LATE S-MONTHS-TOGETHER",
     "S-MADE-LATE S-COMPOSITE-UNREGISTERED"),
    (laboratory_backdates, "S-LOGGED-LATE S-MONTHS-TOGETHER", ""),
    (number_and_day_edited, "S-ORDER-TYPED S-PDF-NUMBER S-PDF-DAY S-PDF-QR-DISAGREES", ""),
    (qr_code_removed, "S-PDF-QR-ABSENT", ""),
    (qr_code_of_another_report, "S-PDF-QR-DISAGREES S-PDF-QR-SEEN", ""),
    (carbon_edited, "S-PDF-VALUES S-PDF-QR-DISAGREES", ""),
    (moisture_invented, "S-MOISTURE-DAILIES", ""),
    (moisture_invented_badly, "S-BASES", ""),
    (coal_made_up_later, "S-MADE-LATE S-COMPOSITE-UNREGISTERED",
     "S-MADE-LATE S-COMPOSITE-UNREGISTERED"),
    (report_backdated, "S-REPORT-ORDER", ""),
    (report_copied_across_plants, "S-REPORT-SEEN S-FILE-SEEN S-SAME-VALUES", ""),
    (pdf_edited_after_issue, "S-PDF-REVISED", ""),
    (pdf_made_long_after, "S-PDF-DAY S-PDF-MADE S-PDF-QR-DISAGREES", ""),
    (no_retained_split, "S-NO-RETAINED", ""),
    (result_before_receipt, "S-TESTED-BEFORE-RECEIVED", ""),
    (dailies_never_registered, "S-COMPOSITE-UNREGISTERED", "S-COMPOSITE-UNREGISTERED"),
    (dailies_chosen, "S-COMPOSITE-LEFT-OUT S-COMPOSITE-WEIGHTS", ""),
    (same_values_every_month, "S-SAME-VALUES", ""),
    (result_without_a_sample, "S-RESULT-WITHOUT-SAMPLE", "S-RESULT-WITHOUT-SAMPLE"),
    (seal_broken_and_replaced, "S-SEAL-BROKEN S-SEAL-DIFFERS", ""),
    (result_withdrawn_by_the_works, "S-WITHDRAWN-BY-OTHER", ""),
    (no_receipt, "S-NO-RECEIPT", ""),
    (composite_of_another_month, "S-COMPOSITE-FOREIGN", ""),
    (registered_when_it_was_tested, "S-ORDER-LOGGED", ""),
    (said_tested_before_sent, "S-ORDER-TYPED S-TESTED-BEFORE-RECEIVED", ""),
    (retained_in_the_future, "S-TYPED-AHEAD", ""),
    (sampled_before_the_month, "S-TAKEN-OUTSIDE S-SEAL-SEEN", ""),
    (number_of_the_year_after, "S-REPORT-NUMBER-DATE", ""),
    (analysis_that_does_not_close, "S-CLOSURE", ""),
    (pdf_saved_anew, "S-PDF-CHANGED", ""),
    (result_corrected_by_the_works, "S-CORRECTED-BY-OTHER", ""),
]  # fmt: skip


def shown_by(works: Works, others: list[Standing]) -> set[str]:
    """Codes of all that is found; each has a sentence and innocent causes in both languages."""
    standing = works.standing()
    found = [*observe(standing, map(stories_of, others)), *observe_pdfs(standing, read(works))]
    for one in found:
        for language in ("zh", "en"):
            assert one.sample in one.sentence(language), one
            assert one.causes(language)
    return {one.code for one in found}


@pytest.mark.parametrize(("bend", "codes", "bars"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_falsification_is_found_by_its_codes(bend: Bend, codes: str, bars: str) -> None:
    works, bent = Works(), months()
    others = bend(works, bent)
    results = [(works.month(month), month.period) for month in bent]
    assert shown_by(works, others) == set(codes.split())
    standing = works.standing()
    barred = {code for result in results for code in may_be_measured(standing, *result)}
    assert barred == set(bars.split())


def test_every_code_has_a_case() -> None:
    found = {code for _, codes, _ in CASES for code in codes.split()}
    assert {code for code in CODES if code.startswith("S-")} == found


def moisture_forged_every_day(all_: list[Month]) -> None:
    """Each day's sample is dried a little before its oven: the month agrees with its days."""
    bent = honest(*YEAR[LAST], 7)
    all_[LAST].report = replace(bent.report, number=all_[LAST].report.number)
    for daily, other in zip(all_[LAST].dailies, bent.dailies, strict=True):
        daily.moisture, daily.tonnes = other.moisture, other.tonnes
    all_[LAST].report = replace(all_[LAST].report, issued=bent.report.issued)
    all_[LAST].steps = bent.steps


def report_forged_whole(all_: list[Month]) -> None:
    """Another PDF with lower carbon, its own QR code, right dates, uploaded by the laboratory."""
    rows = all_[LAST].report.values
    lower = [(*row[:2], f"{float(row[2]) * 0.9:.2f}") for row in rows[-2:]]
    reissued(all_[LAST], values=(*rows[:-2], *lower))


def sample_swapped_at_the_belt(all_: list[Month]) -> None:
    """Better coal is put into the bag: every paper is as if it were the belt's."""


@pytest.mark.parametrize(
    "forge", [moisture_forged_every_day, report_forged_whole, sample_swapped_at_the_belt]
)
def test_what_papers_cannot_show(forge: Callable[[list[Month]], None]) -> None:
    """Where papers agree with each other and come in time, nothing here finds it."""
    works, bent = Works(), months()
    forge(bent)
    for month in bent:
        works.month(month)
    assert shown_by(works, []) == set()
