"""What attached PDFs say, against what was typed and signed beside them. Pure.

Only reports of laboratories are held to their PDFs. A scan has no text: then dates of the file and
QR codes are all that can be compared, and that is said.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from evidence.documents.document import AttachedFile
from evidence.documents.observed.limits import LIMITS
from evidence.documents.observed.numbers import as_written, number_of
from evidence.documents.observed.observation import CHINA, DAY, Observation
from evidence.documents.observed.observe import ordered
from evidence.documents.observed.paper import Paper, instant_of
from evidence.documents.observed.reports import Reported, elsewhere, reported
from evidence.documents.observed.stories import stories_of
from evidence.documents.standing import Standing

PDF = "application/pdf"
#: fewer characters than this are a stamp's or a scanner's, not a report's
_TEXT_MIN = 50
#: so many others of a laboratory must have what one lacks
_OTHERS_MIN = 2
#: values of fewer digits are found in any code
_DIGITS_MIN = 3
_SHOWN_MAX = 80
_NUMBER = re.compile(r"(?<![0-9.])[0-9]{1,30}(?:\.[0-9]{1,15})?(?![0-9])")
_DAYS = re.compile(
    r"(20[0-9]{2})(?:[-/.年]([01]?[0-9])[-/.月]([0-3]?[0-9])|([01][0-9])([0-3][0-9]))"
)


@dataclass(frozen=True)
class Attached:
    """A report's PDF and what was read of it.

    Attributes:
        result: the report.
        file: its name and hash.
        paper: what was read.
    """

    result: Reported
    file: AttachedFile
    paper: Paper

    def saw(self, code: str, **facts: str) -> Observation:
        """An observation about it."""
        facts |= {"file": self.file.name, "report": self.result.report}
        return self.result.story.saw(code, self.result.step, **facts)

    @property
    def codes(self) -> str:
        """Contents of all its QR codes."""
        return "\n".join(code for page in self.paper.codes for code in page)


def pdfs_of(standing: Standing) -> list[AttachedFile]:
    """PDFs that are attached to standing results, each once."""
    found = {
        file.sha256: file
        for one in reported(stories_of(standing).values())
        for file in one.step.document.files
        if file.media_type == PDF
    }
    return list(found.values())


def observe_pdfs(standing: Standing, papers: Mapping[bytes, Paper]) -> list[Observation]:
    """What the PDFs of a plant's results show.

    Args:
        standing: the plant's documents.
        papers: SHA-256 of a file -> what was read of it; one that is not here was not looked at.

    Returns:
        Observations, and notes (N-…) of what could not be compared.
    """
    found = list[Observation]()
    laboratories: dict[str, list[Attached]] = defaultdict(list)
    for result in reported(stories_of(standing).values()):
        for file in result.step.document.files:
            if file.media_type != PDF or file.sha256 not in papers:
                continue
            one = Attached(result, file, papers[file.sha256])
            if one.paper.unread:
                found.append(one.saw("N-PDF-UNREAD", reason=one.paper.unread))
                continue
            laboratories[result.laboratory].append(one)
            found += [*_text(one), *_dates(one), *_revisions(one)]
    for attached in laboratories.values():
        for one in attached:
            found += _codes(one, [other for other in attached if other is not one])
    return ordered(found)


def _text(one: Attached) -> Iterator[Observation]:
    text = one.paper.text
    if len("".join(text.split())) < _TEXT_MIN:
        yield one.saw("N-PDF-NO-TEXT")
        return
    if not _has_number(one, text):
        yield one.saw("S-PDF-NUMBER", found=_listed(_alike(one.result.report, text)))
    if not _has_day(one, text):
        days = sorted({day.isoformat() for day in _days_in(text)})
        yield one.saw("S-PDF-DAY", day=one.result.day.isoformat(), found=_listed(days))
    missing = [
        f"{row['name']} {row['value']} {row['unit']}"
        for row in one.result.step.document.body["values"]
        if abs(Decimal(row["value"])) not in _numbers_in(text)
    ]
    if missing:
        yield one.saw("S-PDF-VALUES", values=_listed(missing))


def _has_number(one: Attached, text: str) -> bool:
    return as_written(one.result.report) in as_written(text)


def _has_day(one: Attached, text: str) -> bool:
    return one.result.day in _days_in(text)


def _has_value(one: Attached, text: str) -> bool:
    """One of its values: a code has no room for all."""
    numbers, rows = _numbers_in(text), one.result.step.document.body["values"]
    values = [row["value"] for row in rows if sum(map(str.isdigit, row["value"])) >= _DIGITS_MIN]
    return any(abs(Decimal(value)) in numbers for value in values)


def _alike(report: str, text: str) -> list[str]:
    """What in a text has the form of a report's number."""
    parts = re.split(r"([0-9]+)", report)
    form = "".join(
        rf"[0-9]{{{len(part)}}}" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    if not number_of(report).groups:
        return []
    return sorted(set(re.findall(rf"(?<![0-9A-Za-z]){form}(?![0-9])", text)))


def _days_in(text: str) -> set[date]:
    found = set[date]()
    for year, *rest in _DAYS.findall("".join(text.split())):
        month, day = (part for part in rest if part)
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue  # digits that look like a day, and are none
    return found


def _numbers_in(text: str) -> set[Decimal]:
    return {Decimal(number) for number in _NUMBER.findall(text.replace(",", ""))}


def _dates(one: Attached) -> Iterator[Observation]:
    made, changed = instant_of(one.paper.made), instant_of(one.paper.changed)
    producer = one.paper.producer or "?"
    if made is not None:
        late = made.astimezone(CHINA).date() - one.result.day
        after_log_s = made.timestamp() - one.result.step.log_ns / 10**9
        if not -LIMITS.pdf_early_days <= late.days <= LIMITS.pdf_late_days or (
            after_log_s > DAY / 10**9
        ):
            day = one.result.day.isoformat()
            yield one.saw("S-PDF-MADE", day=day, made=_shown(made), producer=producer)
    later = timedelta(microseconds=LIMITS.pdf_changed_ns // 1_000)
    if made is not None and changed is not None and changed - made > later:
        facts = {"made": _shown(made), "changed": _shown(changed), "producer": producer}
        yield one.saw("S-PDF-CHANGED", **facts)


def _shown(instant: datetime) -> str:
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _revisions(one: Attached) -> Iterator[Observation]:
    appended, signed = one.paper.revisions - 1, one.paper.signatures
    if appended > signed:
        yield one.saw("S-PDF-REVISED", count=str(appended), signed=str(signed))


def _codes(one: Attached, others: Sequence[Attached]) -> Iterator[Observation]:
    """QR codes, against the report's own words and the laboratory's other reports."""
    with_code = [other for other in others if other.codes]
    if not one.codes:
        if len(with_code) == len(others) >= _OTHERS_MIN:
            yield one.saw("S-PDF-QR-ABSENT", count=str(len(others)))
        return
    qr = _listed([one.codes])
    what = _disagrees(one, with_code)
    if what:
        yield one.saw("S-PDF-QR-DISAGREES", qr=qr, what=what)
    vary = len({other.codes for other in (one, *with_code)}) > 1
    for other in with_code:
        if vary and other.codes == one.codes and elsewhere(one.result, other.result):
            yield one.saw("S-PDF-QR-SEEN", other=f"{other.result.story.sample}")
            break


def _disagrees(one: Attached, others: Sequence[Attached]) -> str:
    """What of a report its QR code contradicts, or lacks though all others have it; "" if none."""
    if _alike(one.result.report, one.codes) and not _has_number(one, one.codes):
        return "number"
    has = {"number": _has_number, "day": _has_day, "values": _has_value}
    if len(others) < _OTHERS_MIN:
        return ""
    for what, is_in in has.items():
        if not is_in(one, one.codes) and all(is_in(other, other.codes) for other in others):
            return what
    return ""


def _listed(found: Sequence[str]) -> str:
    text = ", ".join(" ".join(one.split()) for one in found) or "—"
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
