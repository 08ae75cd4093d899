"""What the web side needs from the rest of the collector: protocols, and one bundle of them.

The routes know nothing of files, brokers or frames; tests put plain objects here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO, Protocol

from cloud.accounts.desks import Accounts
from cloud.accounts.roles import Principal
from cloud.alarms.desk import AlarmDesk
from cloud.api.disks import Disks
from cloud.brought.desk import BroughtArchives
from cloud.clock import Clock
from cloud.collector.desk import PlantEvidence
from cloud.collector.plant import KeyNews
from cloud.drill.desk import DrillDesk
from cloud.live.hub import LiveHub
from cloud.live.normal import NormalBand
from cloud.outputs.maker import PaperMaker
from cloud.records.desk import Wanted
from cloud.records.findings import READ_S
from cloud.records.laboratory import Laboratory
from cloud.records.listing import Filter
from cloud.review.openings import Openings
from cloud.screening.desk import Screenings
from cloud.series.desk import SeriesDesk
from cloud.shift.desk import ShiftDesk
from cloud.transport.desk import BrokerDesk
from cloud.visits.desk import VisitDesk
from evidence.cose import Unsigned
from evidence.documents.document import AttachedFile, Document
from evidence.keys import Signer


class MonthRefusedError(Exception):
    """A month cannot be closed now (or not again); the sentence says why and what to do."""


class MonthOwesError(MonthRefusedError):
    """Likewise: somebody has to explain something first, or to decide that it is closed as it is.

    Attributes:
        flags: of the statement, those that nobody has explained.
    """

    def __init__(self, sentence: str, flags: Sequence[str]) -> None:
        super().__init__(sentence)
        self.flags = flags


class MonthService(Protocol):
    """Months of evidence: listing, closing, sealing."""

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """Archives of a plant, newest month first; in a month, replaced ones after the newest.

        Raises:
            MonthRefusedError: it is no plant of this collector.
        """

    async def close(
        self,
        plant: str,
        month: str,
        *,
        closing: str,
        amend: bool = False,
        reason: str = "",
        by: str,
    ) -> Mapping[str, Any]:
        """Close and seal a month.

        Args:
            plant: plant id.
            month: "YYYY-MM" in the plant's time zone.
            closing: "interim" or "final".
            amend: replace the final close that stands.
            reason: why, when `amend`, or when something is owed.
            by: whose order it is.

        Returns:
            JSON-ready facts of the sealed archive.

        Raises:
            MonthRefusedError: it cannot be closed.
        """

    async def seal(
        self, plant: str, month: str, *, reason: str = "", reply: bytes = b""
    ) -> Mapping[str, Any]:
        """Build a closed month's archive again, with signatures that came since.

        Args:
            plant: plant id.
            month: "YYYY-MM" in the plant's time zone.
            reason: of an amended month whose archive is lost: why it was amended.
            reply: an RFC 3161 response over the archive's seal, b"" for none.

        Returns:
            JSON-ready facts of the sealed archive.

        Raises:
            MonthRefusedError: it cannot be made.
        """

    async def begin(self, plant: str, month: str, *, amend: bool, reason: str, by: str) -> None:
        """Order a closing for good and do not wait for it; MonthRefusedError when it may not be."""

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: every month of a plant, newest first, with its state. Any thread."""

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: a month's row with its checklist; None for one the plant has not."""


class StreamStatus(Protocol):
    """State of every gateway's stream at the collector."""

    def status(self) -> Sequence[Mapping[str, Any]]:
        """JSON-ready rows.

        plant, gateway, next_seq, receipted_seq, frames, readings, refused, missing, alarms;
        confirmed_size: log entries the newest object names, so confirmed at the plant.
        """

    def served(self) -> Sequence[str]:
        """Ids of the plants that are served, sorted."""

    def amiss(self) -> Mapping[str, Mapping[str, str]]:
        """Plant -> reason -> sentence about what keeps the whole plant from going on.

        Reasons: "clock", "not-written", "not-served", "damaged", "hangs".
        """

    def hangs(self) -> str:
        """That the logs of all plants do not go on, as their disk hangs; "" while they do."""

    def strangers(self) -> Mapping[str, int]:
        """Reason -> how many objects came for plants that are not served here."""


class BrokerLink(Protocol):
    """The collector's connection to its broker."""

    @property
    def away_s(self) -> float | None:
        """For how long it has had none, s; None while the broker is there."""


class EvidenceSource(Protocol):
    """Committed evidence of every plant, and the key that signs for its log."""

    @property
    def signer(self) -> Signer:
        """The collector's key."""

    def evidence(self, plant: str) -> PlantEvidence:
        """A plant's evidence; LookupError for a plant this collector does not hold."""


class Keys(Protocol):
    """Keys and refusals. LookupError for a plant this collector does not hold."""

    async def reload(self, plant: str) -> KeyNews:
        """Take in new certificates and orders; StoreError when the disk refuses."""

    def stream(self, plant: str, gateway: str) -> Mapping[str, Any]:
        """JSON-ready: where a stream stands and which keys it has."""

    def quarantine(self, plant: str) -> Mapping[str, Any]:
        """JSON-ready: what was refused and what is kept aside. Reads the disk."""


class Records(Protocol):
    """Documents of persons; `cloud.records.desk.RecordDesk` says more.

    LookupError for a plant this collector does not hold, EvidenceError for what is refused,
    StoreError where the disk refuses or disagrees.
    """

    async def take(self, plant: str, data: bytes, files: Sequence[bytes]) -> Mapping[str, Any]:
        """Take a document with its files; JSON-ready, its row."""

    async def enrol(
        self, plant: str, person: str, body: Mapping[str, Any], signed_s: int
    ) -> Mapping[str, Any]:
        """Enrol a person in the collector's own name; JSON-ready, the document's row."""

    def prepare(self, plant: str, wanted: Wanted, signed_s: int) -> Unsigned:
        """A document for a key that signs elsewhere."""

    def laboratory(self, plant: str, person: str) -> Laboratory | None:
        """The laboratory that a person of the plant's list is of, None for all others."""

    def may_bring(self, plant: str, document: Document) -> bool:
        """May its signer bring in a document? Of a laboratory: only what is of its samples."""

    def findings(
        self, plant: str, sees: Callable[[str], bool], month: str = "", read_s: float = READ_S
    ) -> Mapping[str, Any]:
        """What documents of samples show, JSON-ready, beside those of other plants one sees."""

    def rows(
        self, plant: str, kind: str, about: str, first: int, count: int,
        *, only: Laboratory | None = None,
    ) -> Sequence[Any]:  # fmt: skip
        """JSON-ready documents in the log's order; "" for any kind or about."""

    def newest(
        self, plant: str, wanted: Filter, count: int, only: Laboratory | None = None
    ) -> Sequence[Any]:
        """JSON-ready documents that are looked for and seen, the newest first."""

    def abouts(self, plant: str, kinds: Collection[str]) -> Sequence[str]:
        """What documents of these kinds were about, sorted."""

    def one(
        self, plant: str, sha256: bytes, only: Laboratory | None = None
    ) -> Mapping[str, Any] | None:
        """A document's row, with who wrote it; None when there is none."""

    def reviews(self, plant: str, month: str) -> Sequence[Any]:
        """JSON-ready: questions, answers and decisions about a month, in the log's order."""

    def reviews_in_brief(self, plant: str) -> Sequence[Any]:
        """Those of all months without the lists in them; of what was not opened, how many."""

    def count(self, plant: str) -> int:
        """How many documents a plant has."""

    def __hash__(self) -> int:
        """By identity: what is made of documents is kept beside whose they are."""

    def with_file(self, plant: str, sha256: bytes) -> Sequence[Any]:
        """JSON-ready documents that a file is attached to, in the log's order."""

    def persons(self, plant: str, *, are_ended: bool = False) -> Sequence[Any]:
        """JSON-ready: every key that may sign now, and maybe ended ones, with whose it is."""

    async def certify(self, plant: str, by: bytes, data: bytes, signed_s: int) -> Any:  # noqa: ANN401 - JSON
        """Lay a list in the log by which somebody vouches for persons; b"": the plant's root."""

    def document(self, plant: str, sha256: bytes, only: Laboratory | None = None) -> bytes | None:
        """A document, verbatim; None when there is none to see. Reads the disk."""

    def file(
        self, plant: str, sha256: bytes, only: Laboratory | None = None
    ) -> tuple[AttachedFile, bytes] | None:
        """An attached file and its bytes; None when there is none to see. Reads the disk."""


class Accumulated(Protocol):
    """Figures of this hour, day and month so far."""

    def of(self, plant: str) -> Mapping[str, Any]:
        """JSON-ready; LookupError for a plant this collector does not hold."""


class Plans(Protocol):
    """Control plans; `cloud.plan.desk.PlanDesk` says more. Reads the disk.

    LookupError for a plant this collector does not hold, StoreError where the disk disagrees.
    """

    def plan(self, plant: str, year: int) -> Mapping[str, Any]:
        """A year's plan with what stands beside it; JSON-ready."""

    def departures(self, plant: str, month: str) -> Mapping[str, Any]:
        """Where a month departed from its plan; JSON-ready."""

    def today(self, plant: str) -> date:
        """The day it is at the plant."""


class OneWay(Protocol):
    """Files of sites without a way back. LookupError for a plant this collector does not hold."""

    def incoming(self) -> BinaryIO:
        """A file to put an exported spool into; it is gone when it is closed."""

    def put(self, file: BinaryIO, data: bytes) -> None:
        """Add to such a file; OSError where it must leave room. Blocking."""

    async def take(self, file: BinaryIO) -> Mapping[str, Any]:
        """Take in an exported spool; JSON-ready: what became of it.

        Raises:
            EvidenceError: it is none, or was altered.
            StoreError: the disk refused.
        """

    async def receipts(self, plant: str) -> tuple[bytes, Mapping[str, str]]:
        """A receipt file of a plant's streams, and gateway -> why its receipt is withheld."""


@dataclass(frozen=True)
class Services:
    """Everything the web side is given.

    Attributes:
        hub: live state.
        clock: the collector's wall clock.
        months: months of evidence.
        streams: state of the streams.
        evidence: what is committed.
        keys: keys and refusals.
        one_way: files of sites without a way back.
        accounts: persons and who may see what.
        records: documents of persons.
        accumulated: this hour, day and month so far.
        plans: control plans.
        openings: what reviewers opened of months.
        drill: from a month's lines to one reading.
        visits: on-site sheets.
        screenings: of sealed months, as far as they are made.
        brought: archives that people bring to be verified.
        transport: certificates of the broker.
        series: what points said over time.
        alarms: what needs somebody's action.
        shifts: sheets of shifts, and handing over.
        broker: the connection to it.
        token: bearer token of programs on the collector's machine; at least 16 characters.
        papers: makes reports and workbooks.
        broker_ends: name -> end of what broker and collector show each other, UTC ns.
        collector_ends: plant -> end of the certificate by which the collector signs, UTC ns.
        hosts: names besides the loopback names that may stand in a Host header.
        normal: plant -> what its people call normal for its emission.
        disks: those that the collector writes on.
        scrub: how far each plant's evidence was walked.
        broker_unkept_s: for how long the broker has kept nothing that it took; None while it does,
            and of one that is not ours.
    """

    hub: LiveHub
    clock: Clock
    months: MonthService
    streams: StreamStatus
    evidence: EvidenceSource
    keys: Keys
    one_way: OneWay
    accounts: Accounts
    records: Records
    accumulated: Accumulated
    plans: Plans
    openings: Openings
    drill: DrillDesk
    visits: VisitDesk
    screenings: Screenings
    brought: BroughtArchives
    transport: BrokerDesk
    series: SeriesDesk
    alarms: AlarmDesk
    shifts: ShiftDesk
    broker: BrokerLink
    token: str = field(repr=False)
    papers: PaperMaker = field(default_factory=PaperMaker)
    broker_ends: Callable[[], Mapping[str, int]] = dict
    collector_ends: Mapping[str, int] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    normal: Mapping[str, Sequence[NormalBand]] = field(default_factory=dict)
    disks: Disks = field(default_factory=Disks)
    broker_unkept_s: Callable[[], float | None] = lambda: None
    scrub: Callable[[], Sequence[Mapping[str, Any]]] = tuple

    def __post_init__(self) -> None:
        if len(self.token) < 16:
            raise ValueError("the bearer token needs at least 16 characters")

    def is_simulated(self, plant: str) -> bool:
        """Does a simulator play it; False also for one whose configuration is not known."""
        return plant in self.hub.plants() and bool(self.hub.facts(plant)["simulated"])

    def plants_of(self, who: Principal) -> list[str]:
        """Plants whose configuration is known and that somebody is for, sorted."""
        return [plant for plant in self.hub.plants() if self.accounts.sees(who, plant)]

    def others_of(self, who: Principal) -> dict[str, list[str]]:
        """Plants that somebody is for and whose configuration is not known.

        With the reasons why they do not go on (`StreamStatus.amiss`); none of those that wait for
        their first configuration.
        """
        amiss, known = self.streams.amiss(), {*self.hub.plants()}
        others = sorted({*self.streams.served(), *amiss} - known)
        return {one: [*amiss.get(one, ())] for one in others if self.accounts.sees(who, one)}

    def all_plants_of(self, who: Principal) -> list[str]:
        """Plants that somebody is for, sorted, also those whose configuration is not known."""
        return sorted([*self.plants_of(who), *self.others_of(who)])
