"""The sealed archive of a month that the log says is closed: built aside, then put in place.

The same log, keys and signatures give the same bytes. What could be signed in more than one way
(a P-256 seal, the receipt of the moment, a time stamp) is taken over from an archive of the same
close, where one stands there and the signature is good. Blocking file I/O; any thread.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cloud.closing.draft import configs_of
from cloud.closing.explained import explanations_of
from cloud.closing.kept import NAME, KeptArchive, file_sha256, keep_beside, read_kept
from cloud.closing.keys import earlier_collectors, gateway_certificates, orders
from cloud.closing.log import FINAL, MonthClose, PlantHistory, Span
from cloud.closing.records import MonthTime, first_entry, records_of
from cloud.closing.stamp import check_reply, may_be_kept
from cloud.closing.zone import zone_named
from cloud.collector.desk import PlantEvidence, PlantKeys
from cloud.database.objects import StoredObject
from cloud.disk import sync_names
from cloud.errors import StoreError, TimeStampError
from cloud.month.progress import Tell, to_nobody
from edge.calc.local_time import PlantDays
from evidence import checkpoint
from evidence.archive.bag import Sealed as SealedOver
from evidence.archive.bag import check_seal, seal
from evidence.archive.build import Contents, Object, build_archive
from evidence.archive.paths import LOG_CHECKPOINT, SEAL, TIMESTAMP, TIMESTAMP_SEAL, hour_text
from evidence.errors import EvidenceError
from evidence.keys import Signer, certificate_from_pem, public_key
from evidence.log import Kind
from evidence.log_lines import about
from evidence.receipt import decode_receipt
from evidence.recompute import published_rules
from evidence.time_zones import time_zone

log = logging.getLogger("stackproof.cloud.months")

NO_AUTHORITY = "no time stamping authority is named in CLOUD.toml"

#: of the disk; evidence is often on the same one
FREE_BYTES_MIN = 256 * 1024 * 1024

_HOUR_NS = 3600 * 1_000_000_000

Stamp = Callable[[bytes], bytes]


@dataclass(frozen=True)
class ClosedMonth:
    """What an archive is made of.

    Attributes:
        evidence, keys, signer: the plant's evidence and certificates, and the collector's key.
        history: what the log says.
        close: the entry that closes the month.
        statement: bytes of statement.json; their hash is the entry's.
        closes: stream -> the gateway's signed close, where there is one.
        receipts: stream -> newest receipt.
        tell: how far it is put together.
    """

    evidence: PlantEvidence
    keys: PlantKeys
    signer: Signer
    history: PlantHistory
    close: MonthClose
    statement: bytes
    closes: Mapping[str, bytes] = field(default_factory=dict)
    receipts: Mapping[str, bytes] = field(default_factory=dict)
    tell: Tell = to_nobody

    @property
    def root(self) -> bytes:
        """Root of the log that ends with the close."""
        return self.evidence.compact_range(self.close.index + 1).root()


@dataclass(frozen=True)
class Sealed:
    """An archive that was put in place.

    Attributes:
        path: the archive.
        sha256: hex, of the file.
        is_stamped: it holds a time stamp.
        stamping: a sentence about the time stamp.
    """

    path: Path
    sha256: str
    is_stamped: bool
    stamping: str


class ArchiveFolder:
    """The folder of sealed months.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path, stamp: Stamp | None = None) -> None:
        """Archives go to `folder`, one file a plant-month; `stamp` asks for a time stamp."""
        self.folder, self._stamp = folder, stamp

    def make(self) -> None:
        """Make the folder; OSError when the disk refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def names(self) -> dict[str, list[str]]:
        """Plant -> names of its archives, of all plants: one look at the folder.

        Raises:
            StoreError: it cannot be listed.
        """
        found: dict[str, list[str]] = {}
        try:
            paths = sorted(self.folder.glob("*.tar"))
        except OSError as error:
            raise StoreError(f"archives cannot be listed: {error.strerror}") from error
        for path in paths:
            if (match := NAME.fullmatch(path.name)) is not None:
                found.setdefault(match[1], []).append(path.name)
        return found

    def month_of(self, name: str) -> tuple[str, bool]:
        """(month, was it replaced) of an archive that `names` has."""
        match = NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no archive's name")
        return match[2], match[3] is not None

    def rows(self, plant: str) -> list[dict[str, Any]]:
        """JSON-ready facts of every archive of a plant, newest month first, replaced ones last."""
        found: list[dict[str, Any]] = []
        for name in self.names().get(plant, ()):
            path, (month, is_replaced) = self.folder / name, self.month_of(name)
            row = {"plant": plant, "month": month, "archive": str(path)}
            size = path.stat().st_size
            found.append({**row, "bytes": size, "replaced": is_replaced})
        found.sort(key=lambda row: (row["month"], not row["replaced"]), reverse=True)
        return found

    def path(self, plant: str, month: str) -> Path:
        """Where a month's archive stands."""
        return self.folder / f"{plant}-{month}.tar"

    def kept(self, plant: str, month: str) -> KeptArchive | None:
        """The archive that stands there, None when there is none that can be read."""
        return read_kept(self.path(plant, month))

    def statement(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """The statement of the archive that stands there; None likewise."""
        kept = self.kept(plant, month)
        return None if kept is None else kept.statement

    def seal(self, month: ClosedMonth, reply: bytes = b"") -> Sealed:
        """Build a month's archive and put it in place; one of another final close is kept aside.

        Args:
            month: what it is made of.
            reply: an RFC 3161 response over the seal that stands there, b"" for none.

        Raises:
            TimeStampError: `reply` is not over the seal; the archive is as it was.
            StoreError, OSError: the disk disagrees or refuses.
            EvidenceError: something on it is damaged.
        """
        target = self.path(month.evidence.plant, month.close.month)
        old = read_kept(target)
        same = old if old is not None and _is_of_this_close(old, month) else None
        stamping = _Sealing(month.signer, same, self._stamp, reply)
        staging = self.folder / f".closing-{month.evidence.plant}"
        if staging.exists():  # a build of this plant that was killed; `Months` runs one of it
            shutil.rmtree(staging)
        staging.mkdir()
        try:
            packed, bag = staging / "archive", staging / "bag"
            with packed.open("wb") as file:
                build_archive(
                    _contents(month, same), file, staging=bag, seal=stamping.seals,
                    room=self._check_room,
                )  # fmt: skip
                file.flush()
                os.fsync(file.fileno())
            self._keep_replaced(target, old, month)
            packed.replace(target)
            sync_names(self.folder)
        finally:
            shutil.rmtree(staging)
        return Sealed(target, file_sha256(target), stamping.is_stamped, stamping.sentence)

    def _check_room(self, staged: int) -> None:
        """For the archive, as large again: a disk that it fills takes no readings."""
        free = shutil.disk_usage(self.folder).free
        if free < staged + FREE_BYTES_MIN:
            told = f"{free >> 20} MiB are left, {FREE_BYTES_MIN >> 20} of them for readings"
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {told}")

    def _keep_replaced(self, target: Path, old: KeptArchive | None, month: ClosedMonth) -> None:
        """A second name for what stands there, before its first one is reused.

        Not for an interim archive, nor for one of this close. Where it is of a log that is lost,
        nothing else may be left of that one, and the statement may be the same as here.
        """
        if not target.exists():
            return
        statement, why = month.close.replaces, ""
        if old is None:
            why = "it cannot be read"
        elif old.closing != FINAL:
            return
        elif not _is_of_this_log(old, month):
            statement, why = None, "it was sealed of a log that is not the one here"
        elif old.sha256 == month.close.statement_sha256:
            return
        else:
            statement = old.sha256
        kept = keep_beside(target, statement)
        if why:
            of = about(month.evidence.plant)
            log.warning("%s: %s; kept as %s", target.name, why, kept.name, extra=of)


class _Sealing:
    """Makes what goes under seal/: the seal, and a time stamp over it where one can be had."""

    def __init__(
        self, signer: Signer, old: KeptArchive | None, stamp: Stamp | None, reply: bytes
    ) -> None:
        self.is_stamped, self.sentence = False, NO_AUTHORITY
        self._signer, self._stamp, self._reply = signer, stamp, reply
        self._old = {} if old is None else old.files

    def seals(self, tag_manifest_sha256: bytes) -> Mapping[str, bytes]:
        """The files under "seal/" that the collector adds."""
        sealed, stamp = self._old.get(SEAL, b""), self._old.get(TIMESTAMP)
        try:
            check_seal(sealed, tag_manifest_sha256, self._signer.public_key)
        except EvidenceError:  # of another state of the bag, or of another key
            sealed, stamp = seal(tag_manifest_sha256, self._signer), None
        if self._reply:
            check_reply(stamp := self._reply, sealed)
            self.is_stamped, self.sentence = True, "the time stamp given is in"
        elif stamp is not None and self._seal_had(stamp) and may_be_kept(stamp, sealed):
            self.is_stamped, self.sentence = True, "the time stamp it had is kept"
        else:
            stamp = None if self._stamp is None else self._ask(self._stamp, sealed)
        if stamp is None:
            return {SEAL: sealed}
        digest = hashlib.sha256(stamp).digest()
        over = self._seal_had(stamp) or seal(digest, self._signer, SealedOver.STAMP)
        return {SEAL: sealed, TIMESTAMP: stamp, TIMESTAMP_SEAL: over}

    def _seal_had(self, stamp: bytes) -> bytes:
        """The seal over this time stamp that the old archive holds; b"" when it holds none."""
        digest, kept = hashlib.sha256(stamp).digest(), self._old.get(TIMESTAMP_SEAL, b"")
        try:
            check_seal(kept, digest, self._signer.public_key, SealedOver.STAMP)
        except EvidenceError:
            return b""
        return kept

    def _ask(self, stamp: Stamp, sealed: bytes) -> bytes | None:
        try:
            data = stamp(sealed)
        except TimeStampError as error:
            self.sentence = f"sealed without a time stamp: {error}"
            return None
        self.is_stamped, self.sentence = True, "the authority's time stamp is in"
        return data


def _contents(month: ClosedMonth, old: KeptArchive | None) -> Contents:
    evidence, close = month.evidence, month.close
    first_index = first_entry(evidence, close.streams)
    stream, span = next(iter(close.streams.items()))
    zone = zone_named(evidence, stream, span.first, span.last + 1)
    closed_at = datetime.fromtimestamp(close.received_ns // 10**9, time_zone(zone))
    earlier = [
        certificate_from_pem(pem)
        for pem in earlier_collectors(evidence, month.history, close.index, month.keys.collector)
    ]
    collector = certificate_from_pem(month.keys.collector)
    time = MonthTime(close.month, *PlantDays(zone).month_bounds(close.month))
    keys = [public_key(certificate) for certificate in (collector, *earlier)]
    return Contents(
        plant=evidence.plant,
        month=close.month,
        closing=close.closing,
        statement=month.statement,
        rules=published_rules(json.loads(month.statement)["input"]["rule_set"]),
        objects=_objects(evidence, close.streams, month.tell),
        configs=explanations_of(evidence, close) | configs_of(evidence, close.streams),
        root=certificate_from_pem(month.keys.root),
        collector=collector,
        gateways=[
            (gateway, certificate_from_pem(pem))
            for gateway, pem in gateway_certificates(evidence, month.history, close)
        ],
        earlier=earlier,
        log_range=evidence.compact_range(first_index),
        log_entries=(data for _, data in evidence.entries(first_index, close.index + 1)),
        checkpoint=_checkpoint(month, old),
        closed_on=closed_at.strftime("%Y-%m-%d"),
        receipts=_receipts(month, old),
        closes=month.closes,
        orders=orders(evidence, month.history, close, month.closes),
        replaces="" if close.replaces is None else close.replaces.hex(),
        records=records_of(evidence, keys, first_index, close.index + 1, time),
    )


def _is_of_this_close(old: KeptArchive, month: ClosedMonth) -> bool:
    """After a restore the same statement may have been closed in a log that is lost."""
    if old.sha256 != month.close.statement_sha256:
        return False
    try:
        return checkpoint.verify(_note(old), month.signer.public_key) == _wanted(month)
    except EvidenceError:
        return False


def _is_of_this_log(old: KeptArchive, month: ClosedMonth) -> bool:
    """The log that it was sealed with is the beginning of the one here."""
    evidence = month.evidence
    try:
        noted, _ = checkpoint.parse(_note(old))
    except EvidenceError:
        return False
    is_here = noted.plant == evidence.plant and noted.size <= evidence.size
    return is_here and evidence.compact_range(noted.size).root() == noted.root


def _note(old: KeptArchive) -> str:
    return old.files.get(LOG_CHECKPOINT, b"").decode("utf-8", "replace")


def _wanted(month: ClosedMonth) -> checkpoint.Checkpoint:
    return checkpoint.Checkpoint(month.evidence.plant, month.close.index + 1, month.root)


def _checkpoint(month: ClosedMonth, old: KeptArchive | None) -> str:
    """The signed note over the log up to the close."""
    if old is not None:
        return _note(old)
    return checkpoint.sign(_wanted(month), month.signer, month.signer.public_key)


def _receipts(month: ClosedMonth, old: KeptArchive | None) -> dict[str, bytes]:
    """The receipts of when the month was closed where they are kept, otherwise the newest."""
    found = {s: data for s, data in month.receipts.items() if s in month.close.streams}
    for stream in month.close.streams if old is not None else ():
        kept = old.receipt(stream) if old is not None else None
        with suppress(EvidenceError):
            decode_receipt(kept or b"", month.signer.public_key)
            found[stream] = kept or b""
    return found


def _objects(evidence: PlantEvidence, spans: Mapping[str, Span], tell: Tell) -> Iterator[Object]:
    """All objects of the period, each with the hour it is filed under.

    What comes before the first frame (a first configuration, the close of the month before) is
    filed with that frame. It may be gigabytes, and none of it is held.
    """
    done, total = 0, sum(span.last + 1 - span.first for span in spans.values())
    for stream, span in sorted(spans.items()):
        begin_ns = _first_frame_ns(evidence.objects(stream, span.first, span.last + 1))
        for stored in evidence.objects(stream, span.first, span.last + 1):
            tell(done := done + 1, total)
            hour = hour_text(max(stored.at_ns, begin_ns) // _HOUR_NS)
            yield Object(stream, hour, stored.data)


def _first_frame_ns(objects: Iterator[StoredObject]) -> int:
    """t0 of the first frame; a month has one, as its statement is made of readings."""
    return next((stored.at_ns for stored in objects if stored.kind is Kind.FRAME), 0)
