"""From a plant's frames to the month's statement. Any thread; reads evidence, writes nothing.

The objects are folded one at a time, so memory does not grow with the month.
"""

import hashlib
import json
import logging
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.api.services import MonthRefusedError
from cloud.closing.keys import collector_keys
from cloud.closing.log import FINAL, MonthClose, PlantHistory, Span
from cloud.closing.records import MonthTime, figures_of, first_entry
from cloud.closing.seam import Seams
from cloud.closing.zone import configuration_of, zone_named
from cloud.collector.desk import PlantEvidence
from cloud.database.objects import StoredObject
from cloud.month.progress import Tell, to_nobody
from edge.calc.flags import Flag
from edge.calc.local_time import PlantDays
from evidence import cose
from evidence.configuration import Together
from evidence.errors import LimitError, MalformedError
from evidence.frame import Body, decode_body, header_of
from evidence.frame_form import check_order
from evidence.log import Kind
from evidence.log_lines import about
from evidence.recompute import Paper, Recomputation, bounded_statement, statement_bytes
from evidence.waiting import Common, Waiting

log = logging.getLogger("stackproof.cloud.months")


@dataclass(frozen=True)
class Replaces:
    """The final close that a statement amends.

    Attributes:
        statement_sha256: SHA-256 of its statement.
        reason: why, for people.
    """

    statement_sha256: bytes
    reason: str


@dataclass(frozen=True)
class Draft:
    """A month's statement before it is closed.

    Attributes:
        month, closing: what it is of.
        statement: bytes of statement.json.
        spans: stream -> its part.
        replaces: what it amends, if anything.
        late: what to do about readings before it that are in no archive; "" for none.
        unfit: which frames are not used, and why; "" for none.
        documents: how many of persons the log had when its figures were made of some of them;
            None where they are of readings alone.
    """

    month: str
    closing: str
    statement: bytes
    spans: Mapping[str, Span]
    replaces: Replaces | None
    late: str
    unfit: str = ""
    documents: int | None = None

    @property
    def unexplained(self) -> list[Flag]:
        """Flags with which it is closed for good only by a decision that says why."""
        flags = [Flag(text) for text in json.loads(self.statement)["output"]["flags"]]
        return [flag for flag in flags if flag.row is not None and flag.row.blocks_close]

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the statement."""
        return hashlib.sha256(self.statement).digest()


def draft_month(
    evidence: PlantEvidence,
    history: PlantHistory,
    month: str,
    closing: str,
    *,
    collector: bytes,
    replaces: Replaces | None,
    now_ns: int,
    tell: Tell = to_nobody,
) -> Draft:
    """The statement of a month as far as its frames and documents have come.

    Args:
        evidence: of the plant.
        history: what its log says; what is logged later is not looked at.
        month: "YYYY-MM".
        closing: "interim" or "final".
        collector: PEM of the certificate that is to seal it.
        replaces: what it amends, if anything.
        now_ns: UTC nanoseconds.
        tell: is told how far it is.

    Raises:
        MonthRefusedError: it cannot be closed; the sentence says why.
        EvidenceError: what the frames hold cannot be calculated with.
    """
    streams = evidence.streams()
    if len(streams) != 1:
        raise MonthRefusedError(
            f"{evidence.plant} has {len(streams)} gateways that have sent objects; months of "
            "exactly one can be closed by this version"
        )
    (stream,) = streams
    part = Seams(evidence, stream, month, history.closes).part()
    if closing == FINAL and now_ns < part.to_ns:
        raise MonthRefusedError(f"{month} is not over in {part.zone}; close it as interim")
    _hold_together(evidence, stream, part.first, part.stop)
    fold = _Fold(evidence, stream)
    fold.take_all(part.first, part.stop, tell)
    if fold.first_ns is None:
        told = f"; {fold.unfit}" if fold.unfit else ""
        raise MonthRefusedError(
            f"{evidence.plant} has no readings in {month} ({part.zone}){told}. If its gateway "
            "holds some (stackproof edge status there), bring them: it delivers when it reaches "
            "the broker; of a one-way site, stackproof edge export there and stackproof cloud "
            "import here. If "
            "nothing was measured, leave the month out and close the next one that has readings: "
            "its archive begins where the one before ended, and shows the gap"
        )
    bounds_ns, is_start = (part.from_ns, part.to_ns), part.first == 0
    spans = {stream: Span(part.first, part.stop - 1, fold.head)}
    papers, documents = list[Paper](), None
    if fold.needs_papers:
        keys = collector_keys(evidence, history, history.size, collector)
        time = MonthTime(month, *bounds_ns)
        papers = figures_of(evidence, keys, first_entry(evidence, spans), history.size, time)
        documents = sum(index < history.size for index in evidence.records.values())
    statement = fold.statement(bounds_ns, closing, replaces, papers, is_start=is_start)
    return Draft(month, closing, statement, spans, replaces, part.late, fold.unfit, documents)


def remake_statement(
    evidence: PlantEvidence,
    history: PlantHistory,
    close: MonthClose,
    replaces: Replaces | None,
    collector: bytes,
) -> bytes:
    """The statement of a month that was closed, from what it was made of then."""
    ((stream, span),) = close.streams.items()
    zone = zone_named(evidence, stream, span.first, span.last + 1)
    bounds_ns = PlantDays(zone).month_bounds(close.month)
    fold = _Fold(evidence, stream)
    fold.take_all(span.first, span.last + 1)
    papers = list[Paper]()
    if fold.needs_papers:
        keys = collector_keys(evidence, history, close.index, collector)
        first, time = first_entry(evidence, close.streams), MonthTime(close.month, *bounds_ns)
        papers = figures_of(evidence, keys, first, close.index, time)
    return fold.statement(bounds_ns, close.closing, replaces, papers, is_start=span.first == 0)


def configs_of(evidence: PlantEvidence, spans: Mapping[str, Span]) -> dict[bytes, bytes]:
    """SHA-256 -> configuration that a frame names or that is of the span, and each one's former."""
    found: dict[bytes, bytes] = {}
    for stream, span in spans.items():
        seqs = evidence.configs(stream)
        named = {
            header_of(cose.parse(stored.data)).cfg or b""
            for stored in evidence.objects(stream, span.first, span.last + 1)
            if stored.kind is Kind.FRAME
        }
        named |= {cfg for cfg, seq in seqs.items() if span.first <= seq <= span.last}
        for cfg in named:
            data = _object(evidence, stream, seqs[cfg])
            found[cfg] = data
            before = header_of(cose.parse(data)).cfg
            if before is None and seqs[cfg] >= span.first:  # of a new device, which knew of none
                before = next((c for c in reversed(list(seqs)) if seqs[c] < seqs[cfg]), None)
            if before is not None:
                found[before] = _object(evidence, stream, seqs[before])
    return found


def _hold_together(evidence: PlantEvidence, stream: str, first: int, stop: int) -> None:
    """LimitError when no archive holds the configurations of objects first..stop-1."""
    together, seqs = Together(), sorted(evidence.configs(stream).values())
    begin = bisect_left(seqs, first)
    for seq in seqs[max(0, begin - 2) : bisect_left(seqs, stop)]:  # the one in force, its former
        together.take(cose.parse(_object(evidence, stream, seq)).payload)


class _Fold:
    """Folds a stream's objects of one month into a statement."""

    def __init__(self, evidence: PlantEvidence, stream: str) -> None:
        self.first_ns: int | None = None
        self.head = b""
        self._end_ns = self._last_ns = 0
        self._evidence, self._stream = evidence, stream
        self._seqs = evidence.configs(stream)
        self._configs: dict[bytes, Mapping[str, Any]] = {}
        self._recomputation, self._waiting = Recomputation(), Waiting()
        self._unfit, self._first_unfit = 0, ""

    def take_all(self, first: int, stop: int, tell: Tell = to_nobody) -> None:
        """Objects first..stop-1; none when they are equal."""
        for stored in self._evidence.objects(self._stream, first, stop):
            self._take(stored)
            tell(stored.seq + 1 - first, stop - first)
        self._calculate()

    def _take(self, stored: StoredObject) -> None:
        self.head = stored.sha256
        if stored.kind is not Kind.FRAME:
            return
        envelope = cose.parse(stored.data)
        cfg = header_of(envelope).cfg or b""
        if cfg not in self._configs:
            self._configs[cfg] = configuration_of(
                _object(self._evidence, self._stream, self._seqs[cfg])
            )
        body, common = decode_body(envelope.payload), Common(self._stream, cfg)
        if not self._waiting.takes(common, body):
            self._calculate()
        try:
            self._recomputation.configure(cfg, self._configs[cfg])
        except MalformedError as error:
            raise MonthRefusedError(
                f"{self._stream} seq {stored.seq} is read by a configuration that this month "
                f"cannot be calculated with ({error}); the months after it are closed without it"
            ) from error
        try:
            self._recomputation.check(body)
            check_order(body, self._last_ns)
        except MalformedError as error:  # the verifier passes it over, too, and names it
            self._calculate()
            self._recomputation.pass_over(body)
            self._unfit += 1
            self._first_unfit = self._first_unfit or f"seq {stored.seq}: {error}"
            return
        self._waiting.add(common, body, f"{self._stream} seq {stored.seq}")
        self._note_times(body)

    @property
    def needs_papers(self) -> bool:
        """What persons signed makes figures of it."""
        return self._recomputation.needs_papers

    @property
    def unfit(self) -> str:
        """Which frames are not used, and why; "" for none."""
        if not self._unfit:
            return ""
        return (
            f"{self._unfit} frames of {self._stream} do not fit their configuration, or the frames "
            "before them, and are not used; their time counts as without readings (W-UNFIT). The "
            f"first is {self._first_unfit}"
        )

    def _calculate(self) -> None:
        """With the frames that wait."""
        waiting, self._waiting = self._waiting, Waiting()
        for where, sentence in waiting.calculate(self._recomputation) if waiting.bodies else ():
            of = about(self._evidence.plant, self._stream)
            log.error("%s: computed point differs: %s", where, sentence, extra=of)

    def _note_times(self, body: Body) -> None:
        if body.sections and self.first_ns is None:
            self.first_ns = min(section.first_ns for section in body.sections)
        for section in body.sections:
            self._end_ns = max(self._end_ns, section.first_ns + section.step_ns * section.ticks)
            self._last_ns = max(self._last_ns, section.last_ns)

    def statement(
        self,
        bounds_ns: tuple[int, int],
        closing: str,
        replaces: Replaces | None,
        papers: Sequence[Paper],
        *,
        is_start: bool,
    ) -> bytes:
        """Bytes of statement.json; MonthRefusedError when nobody could read them.

        Args:
            bounds_ns: first instant of the month and of the next one.
            closing: "interim" or "final".
            replaces: what it amends, if anything.
            papers: documents that stand.
            is_start: the stream begins in this month.
        """
        from_ns, to_ns = bounds_ns
        if is_start:
            from_ns = max(from_ns, self.first_ns or 0)
        if closing != FINAL:
            to_ns = min(to_ns, self._end_ns)
        statement = self._recomputation.statement(from_ns, to_ns, closing, papers)
        if replaces is not None:
            sha256 = replaces.statement_sha256.hex()
            statement["replaces"] = {"statement_sha256": sha256, "reason": replaces.reason}
        try:
            return bounded_statement(statement_bytes(statement))
        except LimitError as error:
            raise MonthRefusedError(
                f"the statement is larger than any verifier reads ({error}); "
                "make parts of the plant plants of their own"
            ) from error


def _object(evidence: PlantEvidence, stream: str, seq: int) -> bytes:
    return next(evidence.objects(stream, seq, seq + 1)).data
