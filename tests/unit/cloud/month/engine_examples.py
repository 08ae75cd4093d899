"""A month engine over the small plant's desk, which stands in for a whole collector."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from cloud.database.reader import PlantReader
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.month.expected import Expected
from cloud.month.facts import Facts
from cloud.records.papers import Papers
from cloud.records.replay import papers_of
from evidence.documents.document import COLLECTOR, Document, encode_document
from evidence.frame import TYP_FRAME, Body, Clock, encode_body
from evidence.log import Kind
from evidence.recompute import month_bounds
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month_examples import Desk, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH, PLANT

FROM_NS, TO_NS = month_bounds("Asia/Shanghai", MONTH)
DAY_NS = 86_400 * sm.SECOND


class Sources:
    """The desk, as the engine sees a collector.

    Attributes:
        told: (reason, sentence) of every alarm.
        missed: stream -> missing objects.
        flagged: flags that the month's statement would carry.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.told = desk, list[tuple[str, str]]()
        self.missed: dict[str, int] = {}
        self.flagged: list[str] = []

    def plants(self) -> Sequence[str]:
        return [PLANT]

    def evidence(self, plant: str) -> PlantReader:
        return self.desk.evidence(plant)

    def papers(self, plant: str) -> Papers | None:
        return papers_of(self.desk.evidence(plant), [sm.keys().collector.public_key])

    def missing(self, plant: str) -> Mapping[str, int]:
        return self.missed

    def flags(self, plant: str, month: str) -> Sequence[str]:
        return self.flagged

    async def turn(self) -> None:
        """Now."""

    async def decide(self, plant: str, month: str, body: Any, signed_s: int) -> None:
        made = Document(plant, COLLECTOR, signed_s, "month-decision", month, body)
        self.desk.paper(encode_document(made, self.desk.signer))

    async def alarm(self, plant: str, reason: str, sentence: str) -> None:
        self.told.append((reason, sentence))


class Plan:
    """A control plan with these rows; none when there are None."""

    def __init__(self, rows: Sequence[Expected] | None = None) -> None:
        self.rows = rows

    def expected(self, plant: str, month: str) -> Sequence[Expected] | None:
        return self.rows


class Works:
    """Everything under one folder; `engine` makes a new one, as a start does."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self.folder, self.desk = folder, desk
        self.sources, self.clock, self.plan = Sources(desk), ManualClock(TO_NS + DAY_NS), Plan()
        folder.mkdir(exist_ok=True)

    @property
    def archives(self) -> Path:
        return self.folder / "archives"

    def engine(self, **more: Any) -> MonthEngine:
        self.facts = Facts(kept_in(self.folder))
        self.archives.mkdir(exist_ok=True)
        book = MonthBook(self.facts, self.sources, self.plan, self.archives)
        self.months = months(self.desk, self.archives, self.clock.now_ns)
        return MonthEngine(self.months, book, self.sources, self.clock, **more)

    def made(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.archives.glob("*.tar")}


def heartbeat(desk: Desk, at_ns: int) -> None:
    """The gateway has nothing to read, and says so."""
    body = Body(at_ns, Clock("free", None, 1, bytes(16)))
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


#: (whose, which call, is the process gone after it or before it): what a closing goes through
STEPS = [
    ("facts", "order", True), ("desk", "look_for_keys", True), ("desk", "append_entry", False),
    ("desk", "append_entry", True), ("desk", "request_close", True), ("desk", "plant_close", False),
    ("desk", "plant_close", True), ("archives", "seal", False), ("archives", "seal", True),
    ("facts", "done", False), ("facts", "done", True),
]  # fmt: skip


def ending(
    works: Works, step: tuple[str, str, bool], be_gone: Callable[[], NoReturn]
) -> tuple[object, str, Callable[..., Any]]:
    """(owner, name, what stands there) so that the process is gone at a step."""
    whose, name, after = step
    owner: object = {
        "facts": works.facts, "desk": works.desk, "archives": works.months.archives,
    }[whose]  # fmt: skip
    real = getattr(owner, name)

    def ended(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        be_gone()

    async def ended_later(*given: Any, **named: Any) -> Any:
        if after:
            await real(*given, **named)
        be_gone()

    stand_in: Callable[..., Awaitable[Any] | Any] = ended_later if whose == "desk" else ended
    return owner, name, stand_in
