"""A works that samples coal every day, and its laboratory: honest months, for others to bend.

Every document is signed by its person's key and judged as the collector judges it; the log's time
is given, as no test waits for a year.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from cloud.records.papers import Papers, offer
from cloud.records.pdf.child import read_paper
from evidence.documents.document import COLLECTOR, AttachedFile, Document, encode_document
from evidence.documents.observed.observation import CHINA
from evidence.documents.observed.paper import Paper, parse_paper
from evidence.documents.standing import Standing
from tests.fraud.lab_report import LabReport
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents.papers import spki
from tests.unit.evidence.small_plant import keys, signer

LAB = "Huatan Testing 华碳检测"
#: person -> role, organisation, seed of the key
PEOPLE = {
    "wang": ("security", "works", 51), "li": ("accountant", "works", 52),
    "chen": ("operator", "works", 55), "lab": ("laboratory", LAB, 54),
    "lab2": ("laboratory", "Other Testing", 56),
}  # fmt: skip


def at(year: int, month: int, day: int, hour: float = 9.0) -> int:
    """An instant by the clocks of China, ns since 1970."""
    return int((datetime(year, month, day, tzinfo=CHINA)).timestamp() + hour * 3600) * 10**9


def later(instant_ns: int, hours: float) -> int:
    return instant_ns + int(hours * 3600) * 10**9


@dataclass
class When:
    """A step: when it says it was, and when the log had it."""

    typed: int
    logged: int


@dataclass
class Daily:
    """A sample of one day."""

    sample: str
    taken: When
    tonnes: str
    moisture: str  # total, percent
    is_registered: bool = True


@dataclass
class Month:
    """A month's composite from the heap to the report; every field may be bent.

    Attributes:
        steps: kind without "sample-" -> when; one that is not here was not made.
        report: as the laboratory issued it; `typed` what of it was typed otherwise.
        parts: of the composite; all dailies by their tonnes when None.
        pdf: what is attached; the report's own when None, nothing when empty.
    """

    sample: str
    period: tuple[int, int]
    dailies: list[Daily]
    steps: dict[str, When]
    report: LabReport
    typed: dict[str, Any] = field(default_factory=dict)
    parts: list[tuple[str, str]] | None = None
    pdf: bytes | None = None


def honest(year: int, month: int, seed: int = 0) -> Month:
    """A month with the delays that a works and a laboratory have, nothing else.

    A shift types its sample in the same day, some only after the weekend; the composite is made
    in the first days of the next month, travels one to three days, is tested within a week.
    """
    rng = random.Random(f"{year}-{month}-{seed}")
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    period = (at(year, month, 1, 0), at(following.year, following.month, 1, 0))
    dailies = []
    for i in range((following - first).days):
        taken = at(year, month, i + 1, rng.uniform(8, 16))
        hours = rng.uniform(0.1, 6) if rng.random() < 0.9 else rng.uniform(12, 62)
        dailies.append(
            Daily(
                f"D-{first + timedelta(days=i):%Y%m%d}", When(taken, later(taken, hours)),
                f"{rng.uniform(180, 260):.1f}", f"{rng.gauss(9.0, 0.8):.2f}",
            )
        )  # fmt: skip
    composed = later(max(period[1], *(one.taken.logged for one in dailies)), rng.uniform(9, 70))
    instants = {"composed": composed}
    for step, hours in (
        ("retained", (0.3, 3)), ("sent", (4, 60)), ("received", (20, 72)), ("tested", (6, 120)),
    ):  # fmt: skip
        instants[step] = later(list(instants.values())[-1], rng.uniform(*hours))
    steps = {name: When(ns, later(ns, rng.uniform(0.05, 20) if name != "composed" else 0.2))
             for name, ns in instants.items()}  # fmt: skip
    steps["retained"].logged = later(steps["composed"].logged, 2)
    steps["received"].logged = max(steps["received"].logged, later(steps["sent"].logged, 1))
    steps["tested"].logged = max(steps["tested"].logged, later(steps["received"].logged, 1))
    day = datetime.fromtimestamp(later(steps["tested"].logged, rng.uniform(10, 60)) // 10**9, CHINA)
    steps["result"] = When(0, later(int(day.timestamp()) * 10**9, rng.uniform(0.1, 90)))
    received = datetime.fromtimestamp(steps["received"].logged // 10**9, CHINA)
    number = received.timetuple().tm_yday * 9 + seed  # given to the sample when it comes
    report = LabReport(LAB, f"HT-{received.year}-{number:04}", day, _values(dailies, rng))
    return Month(f"C-{year}{month:02}", period, dailies, steps, report)


def _values(dailies: Sequence[Daily], rng: random.Random) -> tuple[tuple[str, str, str], ...]:
    """An analysis that agrees with itself: as received from air-dried, by both moistures."""
    tonnes = sum(Decimal(one.tonnes) for one in dailies)
    mean = sum(Decimal(one.tonnes) * Decimal(one.moisture) for one in dailies) / tonnes
    total = (mean + Decimal(f"{rng.gauss(-0.2, 0.3):.2f}")).quantize(Decimal("0.01"))
    dried = Decimal(f"{rng.gauss(2.1, 0.2):.2f}")
    carbon, ash = Decimal(f"{rng.gauss(62, 2):.2f}"), Decimal(f"{rng.gauss(18, 2):.2f}")
    wet = (carbon * (100 - total) / (100 - dried)).quantize(Decimal("0.01"))
    return (
        ("total-moisture", "ar", str(total)), ("moisture", "ad", str(dried)),
        ("ash", "ad", str(ash)), ("carbon", "ad", str(carbon)), ("carbon", "ar", str(wet)),
    )  # fmt: skip


@cache
def _read(data: bytes) -> Paper:
    return parse_paper(json.dumps(read_paper(data)).encode())


def read(works: "Works") -> dict[bytes, Paper]:
    """What the reader finds in all that is attached, here without a process of its own."""
    return {sha256: _read(data) for sha256, data in works.pdfs().items()}


@dataclass
class Works:
    """A plant of a collector; what is added is signed at once and judged in the order of time."""

    plant: str = "works-a"
    source: str = "anthracite"
    events: list[tuple[int, int, bytes, tuple[bytes, ...]]] = field(default_factory=list)

    def sign(
        self, person: str, kind: str, about: str, body: Mapping[str, Any], logged: int,
        *follows: bytes, files: Mapping[str, bytes] | None = None,
    ) -> bytes:  # fmt: skip
        """Sign a document that the collector gets at an instant; its hash."""
        attached = tuple(
            AttachedFile(name, "application/pdf", len(data), sm.sha256(data))
            for name, data in (files or {}).items()
        )
        key = keys().collector if person == COLLECTOR else signer(PEOPLE[person][2])
        document = Document(
            self.plant, person, logged // 10**9, kind, about, body, follows, attached
        )
        data = encode_document(document, key)
        self.events.append((logged, len(self.events), data, tuple((files or {}).values())))
        return sm.sha256(data)

    def month(self, month: Month) -> bytes:
        """All documents of a month; the hash of its result."""
        for daily in month.dailies:
            if daily.is_registered:
                self.daily(daily)
        parts = month.parts or [(one.sample, one.tonnes) for one in month.dailies]
        bodies: dict[str, tuple[str, dict[str, Any]]] = {
            "composed": ("chen", {
                "source": self.source, "from_ns": month.period[0], "to_ns": month.period[1],
                "parts": [{"sample": sample, "weight": weight} for sample, weight in parts],
            }),
            "retained": ("chen", {
                "place": "store 2", "seal": f"R{month.sample[2:]}", "until": "2028-12-31",
            }),
            "sent": ("chen", {"laboratory": LAB, "carrier": "SF Express"}),
            "received": ("lab", {"seal": f"S{month.sample[2:]}", "is_seal_whole": True}),
            "tested": ("lab", {"method": "GB/T 476"}),
        }  # fmt: skip
        for name, (person, body) in bodies.items():
            if (when := month.steps.get(name)) is not None:
                typed = {f"{name}_ns": when.typed}
                self.sign(person, f"sample-{name}", month.sample, body | typed, when.logged)
        return self.result(month)

    def daily(self, daily: Daily) -> None:
        day = daily.taken.typed - (daily.taken.typed + 8 * 3600 * 10**9) % (86_400 * 10**9)
        self.sign("chen", "sample-taken", daily.sample, {
            "source": self.source, "place": "belt 3", "taken_ns": daily.taken.typed,
            "mass_kg": "2.0", "seal": f"S{daily.sample[2:]}", "stands_for_t": daily.tonnes,
            "from_ns": day, "to_ns": day + 86_400 * 10**9,
        }, daily.taken.logged)  # fmt: skip
        self.sign("li", "sample-result", daily.sample, {
            "report": f"M{daily.sample[2:]}", "laboratory": "works laboratory",
            "report_day": f"{daily.sample[2:6]}-{daily.sample[6:8]}-{daily.sample[8:10]}",
            "values": [_row("total-moisture", "ar", daily.moisture)],
        }, later(daily.taken.logged, 5))  # fmt: skip

    def result(self, month: Month) -> bytes:
        body = {
            "report": month.report.number, "report_day": f"{month.report.issued:%Y-%m-%d}",
            "laboratory": month.report.laboratory, "accreditation": "CMA 000000",
            "values": [_row(*row) for row in month.report.values],
        }  # fmt: skip
        pdf = month.report.pdf() if month.pdf is None else month.pdf
        return self.sign(
            "lab", "sample-result", month.sample, body | month.typed,
            month.steps["result"].logged, files={f"{month.sample}.pdf": pdf} if pdf else {},
        )  # fmt: skip

    def papers(self) -> Papers:
        """All of it in the order of time, each judged as the collector does."""
        papers = Papers(self.plant, [keys().collector.public_key])
        head: tuple[bytes, ...] = ()
        start = min(event[0] for event in self.events) - 10**9
        for person, (role, organisation, seed) in PEOPLE.items():
            body = {"name": person, "organisation": organisation, "role": role, "region": "",
                    "key": spki(signer(seed))}  # fmt: skip
            document = Document(self.plant, COLLECTOR, 1, "person", person, body, head)
            data = encode_document(document, keys().collector)
            papers.take(papers.judge(offer(data, ()), len(list(papers.all())), start))
            head = (sm.sha256(data),)
        for index, (logged, _, data, files) in enumerate(sorted(self.events), len(PEOPLE)):
            papers.take(papers.judge(offer(data, files), index, logged))
        return papers

    def standing(self) -> Standing:
        return self.papers().standing

    def pdfs(self) -> dict[bytes, bytes]:
        """SHA-256 -> each file that was attached."""
        return {sm.sha256(one): one for *_, files in self.events for one in files}


def _row(name: str, basis: str, value: str) -> dict[str, str]:
    return {"name": name, "basis": basis, "value": value, "unit": "%"}


def retype(month: Month, changed: Mapping[tuple[str, str], str]) -> None:
    """Type other values than the report has, by name and basis."""
    rows = month.report.values
    month.typed["values"] = [_row(*row[:2], changed.get(row[:2], row[2])) for row in rows]


def reissued(month: Month, **changed: Any) -> None:
    """The laboratory's own report is another one."""
    month.report = replace(month.report, **changed)
