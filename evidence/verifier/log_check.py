"""Step 4: the log. Entries lead from the range before the month to the signed checkpoint."""

from dataclasses import dataclass, field
from typing import Any

from evidence import cbor, checkpoint, merkle
from evidence.archive import paths
from evidence.errors import (
    EvidenceError,
    LimitError,
    MalformedError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report
from evidence.log import Entry, Kind, decode_entry
from evidence.records import read_records
from evidence.verifier.identities import Identities
from evidence.verifier.opened import Opened

#: entries that stand for an object of a gateway's stream
STREAM_KINDS = frozenset({Kind.FRAME, Kind.CONFIG, Kind.COSIGNATURE, Kind.PLANT_CLOSE})


@dataclass
class LogView:
    """What the log says about this month.

    Attributes:
        first_index: index of the first entry in the archive.
        size: entries up to the checkpoint.
        root: the checkpoint's root.
        objects: (stream, seq) -> (SHA-256, fingerprint of the key) of accepted objects.
        close: detail of the month-close entry, None when there is none.
        statement_sha256: what that entry closes.
    """

    first_index: int = 0
    size: int = 0
    root: bytes = b""
    objects: dict[tuple[str, int], tuple[bytes, bytes | None]] = field(default_factory=dict)
    close: dict[str, Any] | None = None
    statement_sha256: bytes = b""


def check_log(archive: Opened, report: Report, identities: Identities) -> LogView:
    """Read the log, remake its root and compare with the signed checkpoint."""
    view = LogView()
    try:
        tree = _range(archive)
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_RANGE, f"{error}.")
        return view
    view.first_index = tree.size
    try:
        tree = _entries(archive, report, view, tree)
    except UnsupportedError as error:
        report.add("C-FORMAT", paths.LOG_ENTRIES, f"{error}.")
        return view
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_ENTRIES, f"{error}.")
        return view
    _checkpoint(archive, report, identities, view, tree)
    return view


def _range(archive: Opened) -> merkle.CompactRange:
    value = cbor.decode(archive.read(paths.LOG_RANGE))
    if not isinstance(value, list) or len(value) != 2 or type(value[0]) is not int:
        raise MalformedError("the log's range must be [size, hashes]")
    if not isinstance(value[1], list) or not all(isinstance(h, bytes) for h in value[1]):
        raise MalformedError("the log's range must be [size, hashes]")
    return merkle.CompactRange(value[0], tuple(value[1]))


def _entries(
    archive: Opened, report: Report, view: LogView, tree: merkle.CompactRange
) -> merkle.CompactRange:
    received = 0
    for data in read_records(archive.read(paths.LOG_ENTRIES)):
        entry = decode_entry(data)
        where = f"log entry {tree.size}"
        if entry.received_ns < received:
            report.add("E-LOG", where, "Its time of receipt is before that of the entry before it.")
        received = max(received, entry.received_ns)
        _take(report, view, entry, where)
        tree = tree.append(merkle.leaf_hash(data))
        report.counts["log_entries"] += 1
    return tree


def _take(report: Report, view: LogView, entry: Entry, where: str) -> None:
    if entry.kind in STREAM_KINDS and entry.verdict == "accepted" and entry.seq is not None:
        key = entry.stream, entry.seq
        if key in view.objects:
            report.add("E-LOG", where, f"{entry.stream} seq {entry.seq} is accepted a second time.")
        view.objects[key] = entry.sha256, entry.certificate
    elif entry.kind is Kind.MONTH_CLOSE:
        view.close, view.statement_sha256 = dict(entry.detail), entry.sha256


def _checkpoint(
    archive: Opened,
    report: Report,
    identities: Identities,
    view: LogView,
    tree: merkle.CompactRange,
) -> None:
    path = paths.LOG_CHECKPOINT
    if identities.collector is None:
        report.add("E-CHECKPOINT", path, "There is no good collector certificate to check it with.")
        return
    try:
        note = checkpoint.verify(archive.read(path).decode(), identities.collector)
    except UnknownSuiteError as error:
        report.add("C-SUITE", path, f"{error}.")
        return
    except (EvidenceError, UnicodeDecodeError) as error:
        report.add("E-CHECKPOINT", path, f"{error}.")
        return
    view.size, view.root = note.size, note.root
    if note.plant != identities.plant:
        report.add(
            "E-CHECKPOINT", path, f"It is of {note.plant}'s log, not of {identities.plant}'s."
        )
    if note.size != tree.size:
        sentence = (
            f"The checkpoint speaks of {note.size} entries; the archive leads to {tree.size}."
        )
        report.add("E-LOG-ROOT", path, sentence)
    elif note.root != tree.root():
        sentence = (
            "The entries do not give the signed root: an entry was changed, added or removed."
        )
        report.add("E-LOG-ROOT", path, sentence)
