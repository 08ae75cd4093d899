"""Months: the statement from the plant's frames, its entry in the log, the sealed archive.

Closing goes: fold the frames → statement → month-close entry in the log → ask the gateways to sign
→ build and seal the archive beside the old one, then put it in its place. Folding and building
run in a worker thread, an object at a time; the log is written through the collector's desk.
"""

import asyncio
import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cloud.api.services import MonthRefusedError
from cloud.clock import Clock
from cloud.collector.desk import EvidenceDesk, PlantEvidence
from cloud.store.objects import Appended, StoredObject
from edge.calc.local_time import PlantDays
from evidence import cbor, cose
from evidence.archive.bag import seal
from evidence.archive.build import Contents, Object, build_archive
from evidence.archive.paths import SEAL
from evidence.blocks import decompress
from evidence.errors import EvidenceError
from evidence.frame import Body, decode_body, header_of
from evidence.keys import certificate_from_pem
from evidence.log import Entry, Kind
from evidence.receipt import CloseRequest
from evidence.recompute import Recomputation, published_rules, statement_bytes

log = logging.getLogger("stackproof.cloud.months")

CLOSINGS = ("interim", "final")
PLANT_SIGNATURE_S = 10.0
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)

_HOUR_NS = 3600 * 1_000_000_000


@dataclass(frozen=True)
class Span:
    """A stream's part in a month: objects first..last, the last one's hash, the last tick."""

    first: int
    last: int
    head: bytes


@dataclass(frozen=True)
class Draft:
    """A month's statement before it is closed.

    Attributes:
        plant, month, closing: what it is of.
        closed_on: date of closing in the plant's time zone, "YYYY-MM-DD".
        statement: bytes of statement.json.
        rule_set: id of the rule set it was made by.
        spans: stream -> its part.
        configs: SHA-256 -> configuration object that a frame names.
    """

    plant: str
    month: str
    closing: str
    closed_on: str
    statement: bytes
    rule_set: str
    spans: Mapping[str, Span]
    configs: Mapping[bytes, bytes]

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the statement."""
        return hashlib.sha256(self.statement).digest()


class Months:
    """Closes months of the plants of one collector."""

    def __init__(self, desk: EvidenceDesk, archive_dir: Path, clock: Clock) -> None:
        """Archives go to `archive_dir`, one file a plant-month."""
        self._desk, self._dir, self._clock = desk, archive_dir, clock
        self._closing = asyncio.Lock()

    def list(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """Sealed archives of a plant, newest month first."""
        self._evidence(plant)
        found = []
        for path in sorted(self._dir.glob(f"{plant}-????-??.tar"), reverse=True):
            month = path.stem[len(plant) + 1 :]
            if MONTH.fullmatch(month):
                size = path.stat().st_size
                found.append({"plant": plant, "month": month, "archive": str(path), "bytes": size})
        return found

    async def close(self, plant: str, month: str, *, closing: str) -> Mapping[str, Any]:
        """Close and seal a month; an interim close may be repeated, a final one may not.

        Raises:
            MonthRefusedError: it cannot be closed; the sentence says why.
        """
        if closing not in CLOSINGS or not MONTH.fullmatch(month):
            raise MonthRefusedError(
                f'{month!r} {closing!r} is not a month and "interim" or "final"'
            )
        evidence = self._evidence(plant)
        async with self._closing:
            try:
                draft = await asyncio.to_thread(self._draft, evidence, month, closing)
            except EvidenceError as error:
                raise MonthRefusedError(f"{plant} {month} cannot be closed: {error}") from error
            await asyncio.to_thread(self._make_dir)  # before the close stands in the log for good
            appended = await self._log_close(draft)
            closes = await self._ask_gateways(draft, appended)
            path = await asyncio.to_thread(self._build, evidence, draft, appended, closes)
        log.info("%s %s closed (%s): %s", plant, month, closing, path)
        return {
            "plant": plant,
            "month": month,
            "closing": closing,
            "archive": str(path),
            "sha256": await asyncio.to_thread(_sha256, path),
            "statement_sha256": draft.sha256.hex(),
            "signed_by": sorted(closes),
        }

    def _evidence(self, plant: str) -> PlantEvidence:
        try:
            return self._desk.evidence(plant)
        except LookupError as error:
            raise MonthRefusedError(f"{plant!r} is no plant of this collector") from error

    # -- statement ------------------------------------------------------------------------------

    def _draft(self, evidence: PlantEvidence, month: str, closing: str) -> Draft:
        streams = evidence.streams()
        if len(streams) != 1:
            raise MonthRefusedError(
                f"{evidence.plant} has {len(streams)} gateways with readings; months of exactly "
                "one can be closed by this version"
            )
        (stream,) = streams
        configs = evidence.configs(stream)
        if not configs:
            raise MonthRefusedError(f"{evidence.plant} has no signed configuration yet")
        newest = _config(next(evidence.objects(stream, max(configs.values()))).data)
        days = PlantDays(newest["plant"]["time_zone"])
        from_ns, to_ns = days.month_bounds(month)
        if closing == "final" and self._clock.wall_ns() < to_ns:
            raise MonthRefusedError(
                f"{month} is not over in {newest['plant']['time_zone']}; close it as interim"
            )
        first, stop = evidence.span(stream, from_ns, to_ns)
        if first == stop:
            raise MonthRefusedError(f"{evidence.plant} has no readings in {month}")
        fold = _Fold(evidence, stream, configs)
        for stored in evidence.objects(stream, first, stop):
            fold.take(stored)
        if fold.first_ns is None:
            raise MonthRefusedError(f"{evidence.plant} has no readings in {month}")
        period = (max(from_ns, fold.first_ns) if first == 0 else from_ns, to_ns)
        if closing == "interim":
            period = period[0], min(to_ns, fold.end_ns)
        statement = fold.recomputation.statement(period[0], period[1], closing)
        zone = ZoneInfo(newest["plant"]["time_zone"])
        today = datetime.fromtimestamp(self._clock.wall_ns() // 10**9, zone)
        return Draft(
            plant=evidence.plant,
            month=month,
            closing=closing,
            closed_on=today.strftime("%Y-%m-%d"),
            statement=statement_bytes(statement),
            rule_set=statement["input"]["rule_set"],
            spans={stream: Span(first, stop - 1, fold.head)},
            configs=fold.config_objects,
        )

    def _make_dir(self) -> None:
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MonthRefusedError(
                f"{self._dir} cannot take archives ({error.strerror}): mend archive_dir of "
                "CLOUD.toml or the disk, then close again"
            ) from error

    # -- closing --------------------------------------------------------------------------------

    async def _log_close(self, draft: Draft) -> Appended:
        detail = {
            "month": draft.month,
            "closing": draft.closing,
            "streams": {s: [span.first, span.last, span.head] for s, span in draft.spans.items()},
        }
        return await self._desk.append_entry(
            draft.plant,
            Entry(
                kind=Kind.MONTH_CLOSE,
                received_ns=self._clock.wall_ns(),
                epoch=0,
                stream="",
                seq=None,
                sha256=draft.sha256,
                length=len(draft.statement),
                detail=detail,
            ),
        )

    async def _ask_gateways(self, draft: Draft, appended: Appended) -> Mapping[str, bytes]:
        """The gateways' signatures under the close; a gateway that is away signs later."""
        for stream, span in draft.spans.items():
            request = CloseRequest(
                plant=draft.plant,
                stream=stream,
                month=draft.month,
                closing=draft.closing,
                statement_sha256=draft.sha256,
                seq=span.last,
                head=span.head,
                log_size=appended.index + 1,
                log_root=appended.root,
            )
            await self._desk.request_close(draft.plant, stream, request)
        answers = {
            stream: await self._desk.plant_close(
                draft.plant, stream, draft.sha256, PLANT_SIGNATURE_S
            )
            for stream in draft.spans
        }
        return {stream: data for stream, data in answers.items() if data is not None}

    def _build(
        self,
        evidence: PlantEvidence,
        draft: Draft,
        appended: Appended,
        closes: Mapping[str, bytes],
    ) -> Path:
        plant, keys = draft.plant, self._desk.keys(draft.plant)
        first_index = _first_index(evidence, draft.spans)
        entries = evidence.entries(first_index, appended.index + 1)
        receipts = {s: self._desk.receipt(plant, s) for s in draft.spans}
        contents = Contents(
            plant=plant,
            month=draft.month,
            closing=draft.closing,
            statement=draft.statement,
            rule_set=draft.rule_set,
            rules=published_rules(draft.rule_set),
            objects=_objects(evidence, draft.spans),
            configs=draft.configs,
            root=certificate_from_pem(keys.root),
            collector=certificate_from_pem(keys.collector),
            gateways=[
                (gateway, certificate_from_pem(pem))
                for (gateway, _), pem in sorted(keys.gateways.items())
                if gateway in draft.spans
            ],
            log_range=evidence.compact_range(first_index),
            log_entries=(data for _, data in entries),
            checkpoint=appended.checkpoint,
            closed_on=draft.closed_on,
            receipts={s: data for s, data in receipts.items() if data is not None},
            closes=closes,
        )
        target = self._dir / f"{contents.name}.tar"
        staging = Path(tempfile.mkdtemp(prefix=".closing-", dir=self._dir))
        try:
            packed = staging / "archive"
            with packed.open("wb") as file:
                build_archive(
                    contents,
                    file,
                    staging=staging / "bag",
                    seal=lambda digest: {SEAL: seal(digest, self._desk.signer)},
                )
                file.flush()
                os.fsync(file.fileno())
            packed.replace(target)
        finally:
            shutil.rmtree(staging)
        return target


class _Fold:
    """Folds a stream's objects of one month into a statement."""

    def __init__(self, evidence: PlantEvidence, stream: str, configs: Mapping[bytes, int]) -> None:
        self.recomputation = Recomputation()
        self.config_objects: dict[bytes, bytes] = {}
        self.first_ns: int | None = None
        self.end_ns = 0
        self.head = b""
        self._evidence, self._stream, self._configs = evidence, stream, configs

    def take(self, stored: StoredObject) -> None:
        """One object, in order."""
        self.head = stored.sha256
        if stored.kind is not Kind.FRAME:
            return
        envelope = cose.parse(stored.data)
        cfg = header_of(envelope).cfg or b""
        if cfg not in self.config_objects:
            seq = self._configs[cfg]
            self.config_objects[cfg] = next(self._evidence.objects(self._stream, seq)).data
        self.recomputation.configure(cfg, _config(self.config_objects[cfg]))
        body = decode_body(envelope.payload)
        for sentence in self.recomputation.feed(body):
            log.error("%s seq %d: computed point differs: %s", self._stream, stored.seq, sentence)
        self._note_times(body)

    def _note_times(self, body: Body) -> None:
        if body.sections and self.first_ns is None:
            self.first_ns = min(section.first_ns for section in body.sections)
        for section in body.sections:
            self.end_ns = max(self.end_ns, section.first_ns + section.step_ns * section.ticks)


def _objects(evidence: PlantEvidence, spans: Mapping[str, Span]) -> Iterator[Object]:
    """All objects of the period, each with the hour it is filed under.

    What comes before a stream's first frame (its first configuration) is filed with that frame.
    """
    for stream, span in sorted(spans.items()):
        waiting: list[StoredObject] = []
        for stored in evidence.objects(stream, span.first, span.last + 1):
            waiting.append(stored)
            if stored.at_ns:
                yield from (Object(stream, _hour(stored.at_ns), o.data) for o in waiting)
                waiting.clear()


def _hour(at_ns: int) -> str:
    utc = datetime.fromtimestamp(at_ns // _HOUR_NS * 3600, ZoneInfo("UTC"))
    return utc.strftime("%Y-%m-%d/%H")


def _first_index(evidence: PlantEvidence, spans: Mapping[str, Span]) -> int:
    """Where the month begins in the log: the first entry when a stream begins in it."""
    firsts = []
    for stream, span in spans.items():
        if span.first == 0:
            return 0
        firsts.append(next(evidence.objects(stream, span.first)).log_index)
    return min(firsts)


def _config(data: bytes) -> dict[str, Any]:
    return dict(cbor.decode(decompress(cose.parse(data).payload)))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
