"""Months: closed once, amended when more has come, sealed again when a signature comes late.

Closing goes: fold the frames → statement → month-close entry in the log → ask the gateways to sign
→ build and seal the archive beside the old one, then put it in its place. What can be slow runs in
a worker thread; the log is written through the collector's desk, one month of a plant at a time.
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from cloud.api.services import MonthOwesError, MonthRefusedError
from cloud.clock import Clock
from cloud.closing.archive import ArchiveFolder, ClosedMonth, Sealed, Stamp
from cloud.closing.draft import Draft, Replaces, draft_month, remake_statement
from cloud.closing.kept import KeptArchive
from cloud.closing.log import (
    FINAL,
    MonthClose,
    PlantHistory,
    close_detail,
    month_close,
    plant_closes,
    read_history,
)
from cloud.closing.turns import ClosingTurns
from cloud.collector.desk import EvidenceDesk, PlantEvidence
from cloud.errors import LateDocumentError, StoreError, TimeStampError
from cloud.month.progress import Progress, Told
from evidence import cose
from evidence.archive.paths import STATEMENT
from evidence.errors import EvidenceError, KeyFileError
from evidence.log import Entry, Kind, decode_entry
from evidence.log_lines import about
from evidence.receipt import CloseRequest, decode_close

log = logging.getLogger("stackproof.cloud.months")

CLOSINGS = ("interim", FINAL)
PLANT_SIGNATURE_S = 10.0
REASON_MAX = 200
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)

P = ParamSpec("P")
T = TypeVar("T")


class Months:
    """Closes months of the plants of one collector.

    Attributes:
        archives: where they stand.
        progress: how far the closings are that run now.
    """

    def __init__(
        self, desk: EvidenceDesk, archive_dir: Path, clock: Clock, stamp: Stamp | None = None
    ) -> None:
        """Archives go to `archive_dir`; `stamp` gets an RFC 3161 response over a seal."""
        self._desk, self._clock = desk, clock
        self.archives = ArchiveFolder(archive_dir, stamp)
        self.progress = Progress()
        self._turns = ClosingTurns(self.progress)

    def list(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """Archives of a plant, newest month first; in a month, replaced ones after the newest."""
        self._evidence(plant)
        return self.archives.rows(plant)

    async def close(
        self, plant: str, month: str, *, closing: str, amend: bool = False, reason: str = "",
        decided: Collection[str] = (),
    ) -> Mapping[str, Any]:  # fmt: skip
        """Close and seal a month.

        Args:
            plant: plant id.
            month: "YYYY-MM" in the plant's time zone.
            closing: "interim", which may be repeated, or "final", which may not.
            amend: replace the newest final close; the statement names it.
            reason: why it is amended, 1 to `REASON_MAX` characters; "" otherwise.
            decided: flags with which somebody decided to close it, in a signed document.

        Raises:
            MonthOwesError: somebody has to explain something first.
            MonthRefusedError: it cannot be closed; the sentence says why.
        """
        _check_order(month, closing, reason, amend=amend)
        evidence = self._evidence(plant)
        async with self._turns.of(plant, month) as told:
            keys = await self._look_for_keys(plant)
            history = await _reading(plant, read_history, evidence)
            replaces = _replaces(history.newest(month), month, reason, amend=amend)
            draft = await _reading(
                plant, draft_month, evidence, history, month, closing,
                collector=self._desk.keys(plant).collector, replaces=replaces,
                now_ns=self._clock.wall_ns(), tell=told.fold,
            )  # fmt: skip
            if closing == FINAL and not amend:
                _require_explained(plant, draft, decided)
            old = await asyncio.to_thread(self.archives.kept, plant, month)
            await asyncio.to_thread(self._make_dir)  # before the close stands in the log for good
            close = await self._log_close(evidence, draft)
            closes = await self._ask_gateways(evidence, close)
            facts = await self._seal(evidence, history, close, draft.statement, closes, told=told)
        if replaces is not None:
            facts["replaces"] = _replaced_facts(plant, old, draft, replaces)
        if keys:
            facts["keys"] = keys
        if draft.late:
            log.warning("%s %s: %s", plant, month, draft.late, extra=about(plant))
            facts["late"] = draft.late
        if draft.unfit:
            log.warning("%s %s: %s", plant, month, draft.unfit, extra=about(plant))
            facts["unfit"] = draft.unfit
        return facts

    async def seal(
        self, plant: str, month: str, *, reason: str = "", reply: bytes = b""
    ) -> Mapping[str, Any]:
        """Build a closed month's archive again: same statement, with signatures that came since.

        Args:
            plant: plant id.
            month: "YYYY-MM"; its newest close is sealed.
            reason: of an amended month whose archive is lost: the reason it was amended for.
            reply: an RFC 3161 response over the archive's seal, b"" for none.

        Raises:
            MonthRefusedError: it is not closed, or its statement cannot be made again.
        """
        if not MONTH.fullmatch(month):
            raise MonthRefusedError(f"{month!r} is not a month")
        evidence = self._evidence(plant)
        async with self._turns.of(plant, month) as told:
            history = await _reading(plant, read_history, evidence)
            close = history.newest(month)
            if close is None:
                raise MonthRefusedError(f"{plant} {month} is not closed yet; close it first")
            await asyncio.to_thread(self._make_dir)
            old = await asyncio.to_thread(self.archives.kept, plant, month)
            own = self._desk.keys(plant).collector
            statement = await _reading(
                plant, _statement_again, evidence, history, close, old,
                reason=reason, collector=own,
            )  # fmt: skip
            closes = await _reading(plant, _closes_that_came, evidence, history, close)
            if len(closes) < len(close.streams) and close == history.closes[-1]:
                closes = await self._ask_gateways(evidence, close)
            return await self._seal(
                evidence, history, close, statement, closes, told=told, reply=reply
            )

    def _evidence(self, plant: str) -> PlantEvidence:
        try:
            return self._desk.evidence(plant)
        except LookupError as error:
            raise MonthRefusedError(f"{plant!r} is no plant of this collector") from error

    async def _look_for_keys(self, plant: str) -> Sequence[str]:
        """An order that lies there unread would be missing in the month, and leave no trace."""
        try:
            problems = await self._desk.look_for_keys(plant)
        except StoreError as error:
            raise MonthRefusedError(
                f"what is in the key folder cannot be logged: {error}"
            ) from error
        for problem in problems:
            log.warning("%s: %s", plant, problem, extra=about(plant))
        return list(problems)

    def _make_dir(self) -> None:
        try:
            self.archives.make()
        except OSError as error:
            raise MonthRefusedError(
                f"{self.archives.folder} cannot take archives ({error.strerror}): mend "
                "archive_dir of CLOUD.toml or the disk, then close again"
            ) from error

    async def _log_close(self, evidence: PlantEvidence, draft: Draft) -> MonthClose:
        replaced = None if draft.replaces is None else draft.replaces.statement_sha256
        entry = Entry(
            kind=Kind.MONTH_CLOSE,
            received_ns=self._clock.wall_ns(),
            epoch=0,
            stream="",
            seq=None,
            sha256=draft.sha256,
            length=len(draft.statement),
            detail=close_detail(draft.month, draft.closing, draft.spans, replaced),
        )
        try:
            appended = await self._desk.append_entry(evidence.plant, entry, draft.documents)
        except LateDocumentError as error:
            raise MonthRefusedError(
                f"{draft.month}: {error}, and it may make another figure: close it again"
            ) from error
        index = appended.index
        ((_, logged),) = evidence.entries(index, index + 1)
        return month_close(index, decode_entry(logged))

    async def _ask_gateways(self, evidence: PlantEvidence, close: MonthClose) -> dict[str, bytes]:
        """The gateways' signatures under the close; one that is away signs later (`seal`)."""
        plant = evidence.plant
        requests = {stream: _request(evidence, close, stream) for stream in close.streams}
        for stream, request in requests.items():
            try:
                await self._desk.request_close(plant, stream, request)
            except KeyFileError as error:
                raise MonthRefusedError(_not_sealed(plant, close.month, error)) from error
        answers = {
            stream: await self._desk.plant_close(request, PLANT_SIGNATURE_S)
            for stream, request in requests.items()
        }
        return {stream: data for stream, data in answers.items() if data is not None}

    async def _seal(
        self,
        evidence: PlantEvidence,
        history: PlantHistory,
        close: MonthClose,
        statement: bytes,
        closes: Mapping[str, bytes],
        *,
        told: Told,
        reply: bytes = b"",
    ) -> dict[str, Any]:
        """Build the archive, put it in place, and tell about it."""
        plant = evidence.plant
        receipts = {stream: self._desk.receipt(plant, stream) for stream in close.streams}
        month = ClosedMonth(
            evidence=evidence,
            keys=self._desk.keys(plant),
            signer=self._desk.signer,
            history=history,
            close=close,
            statement=statement,
            closes=closes,
            receipts={stream: data for stream, data in receipts.items() if data is not None},
            tell=told.pack,
        )
        try:
            sealed = await asyncio.to_thread(self._seal_now, month, reply)
        except TimeStampError as error:
            raise MonthRefusedError(
                f"the time stamp is not put in, and the archive is as it was: {error}"
            ) from error
        except (EvidenceError, StoreError, OSError) as error:
            raise MonthRefusedError(_not_sealed(plant, close.month, error)) from error
        log.info(
            "%s %s sealed (%s): %s; %s",
            plant, close.month, close.closing, sealed.path, sealed.stamping, extra=about(plant),
        )  # fmt: skip
        return {
            "plant": plant,
            "month": close.month,
            "closing": close.closing,
            "archive": str(sealed.path),
            "sha256": sealed.sha256,
            "statement_sha256": close.statement_sha256.hex(),
            "signed_by": sorted(closes),
            "time_stamped": sealed.is_stamped,
            "time_stamp": sealed.stamping,
        }

    def _seal_now(self, month: ClosedMonth, reply: bytes) -> Sealed:
        # keys may have been enrolled and orders made between the reading and the close
        history = read_history(month.evidence, month.history)
        return self.archives.seal(replace(month, history=history), reply)


def _require_explained(plant: str, draft: Draft, decided: Collection[str]) -> None:
    if flags := [flag for flag in draft.unexplained if flag.text not in decided]:
        told = " ".join(flag.sentence("en") for flag in flags[:5])
        raise MonthOwesError(
            f"{plant} {draft.month} is not explained: {told} To close it as it is, give --reason "
            "TEXT",
            [flag.text for flag in flags],
        )


def _not_sealed(plant: str, month: str, error: Exception) -> str:
    return (
        f"{plant} {month} is closed in the log, and its archive could not be made: {error}; "
        "mend that, then: stackproof cloud month seal"
    )


def _check_order(month: str, closing: str, reason: str, *, amend: bool) -> None:
    if closing not in CLOSINGS or not MONTH.fullmatch(month):
        raise MonthRefusedError(f'{month!r} {closing!r} is not a month and "interim" or "final"')
    if amend and closing != FINAL:
        raise MonthRefusedError("what replaces a final close is final too: amend without interim")
    if amend and not 1 <= len(reason) <= REASON_MAX:
        raise MonthRefusedError(
            f"an amended month says why, in 1 to {REASON_MAX} characters: give --reason"
        )
    if reason and not amend:
        raise MonthRefusedError("a reason belongs to --amend")


def _replaces(
    newest: MonthClose | None, month: str, reason: str, *, amend: bool
) -> Replaces | None:
    """What the new close replaces.

    Raises:
        MonthRefusedError: closed for good and not to be amended, or the other way round.
    """
    is_final = newest is not None and newest.closing == FINAL
    if amend and (newest is None or not is_final):
        raise MonthRefusedError(f"{month} has no final close to amend; close it without --amend")
    if newest is not None and is_final and not amend:
        raise MonthRefusedError(
            f"{month} is closed for good (statement {newest.statement_sha256.hex()[:12]}); to "
            "replace it by one with what has come since, close it with --amend --reason TEXT"
        )
    return Replaces(newest.statement_sha256, reason) if newest is not None and amend else None


def _replaced_facts(
    plant: str, old: KeptArchive | None, draft: Draft, replaces: Replaces
) -> dict[str, Any]:
    """What an amended close says of the one before; same_figures is None when that one is lost."""
    same = None
    if old is not None and old.sha256 == replaces.statement_sha256:
        same = old.statement["output"] == json.loads(draft.statement)["output"]
    if same:
        log.warning(
            "%s %s is amended and its figures are the same as before", plant, draft.month,
            extra=about(plant),
        )  # fmt: skip
    return {
        "statement_sha256": replaces.statement_sha256.hex(),
        "reason": replaces.reason,
        "same_figures": same,
    }


def _statement_again(
    evidence: PlantEvidence,
    history: PlantHistory,
    close: MonthClose,
    old: KeptArchive | None,
    *,
    reason: str,
    collector: bytes,
) -> bytes:
    """The statement that the log closed: from the archive that stands there, or made again."""
    if old is not None and old.sha256 == close.statement_sha256:
        return old.files[STATEMENT]
    replaces = None if close.replaces is None else Replaces(close.replaces, reason)
    statement = remake_statement(evidence, history, close, replaces, collector)
    if hashlib.sha256(statement).digest() != close.statement_sha256:
        why = "give the --reason it was amended for" if replaces else "keep its archive"
        raise MonthRefusedError(
            f"{evidence.plant} {close.month}: the archive of this close is not there, and its "
            f"statement cannot be made again by this program: {why}"
        )
    return statement


def _closes_that_came(
    evidence: PlantEvidence, history: PlantHistory, close: MonthClose
) -> dict[str, bytes]:
    """Stream -> the gateway's signed close of this statement, of those that are in the log."""
    requests = {stream: _request(evidence, close, stream) for stream in close.streams}
    found: dict[str, bytes] = {}
    for stream, seq in plant_closes(evidence, close.index + 1, history.size):
        data = next(evidence.objects(stream, seq, seq + 1)).data
        if decode_close(cose.parse(data).payload) == requests.get(stream):
            found[stream] = data
    return found


def _request(evidence: PlantEvidence, close: MonthClose, stream: str) -> CloseRequest:
    """What a gateway is asked to sign: this statement, in this log."""
    size, span = close.index + 1, close.streams[stream]
    return CloseRequest(
        evidence.plant, stream, close.month, close.closing, close.statement_sha256,
        span.last, span.head, size, evidence.compact_range(size).root(),
    )  # fmt: skip


async def _reading(plant: str, read: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Run in a worker thread; what is wrong with the evidence is a refusal with a sentence."""
    try:
        return await asyncio.to_thread(read, *given, **named)
    except (EvidenceError, StoreError) as error:
        raise MonthRefusedError(f"the month cannot be made: {error}") from error
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        # the gateway signed something that nobody thought of: its month waits, the rest goes on
        log.exception("%s: a month cannot be made of what is in the log", plant, extra=about(plant))
        raise MonthRefusedError(
            f"the month cannot be made of what the gateway signed ({error!r}): the trace is in "
            "the collector's log; amend the month when the program or the configuration is mended"
        ) from error
