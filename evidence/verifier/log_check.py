"""Step 4: the log. Entries lead from the range before the month to the signed checkpoint."""

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
from evidence.records import records_in
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened

#: entries that stand for an object of a gateway's stream
STREAM_KINDS = frozenset({Kind.FRAME, Kind.CONFIG, Kind.COSIGNATURE, Kind.PLANT_CLOSE})


def check_log(archive: Opened, report: Report, identities: Identities) -> LogView:
    """Read the log, remake its root and compare with the signed checkpoint."""
    view = LogView()
    try:
        view.tree = merkle.Tree(_range(archive))
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_RANGE, f"{error}.")
        return view
    try:
        _entries(archive, report, view)
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_ENTRIES, f"{error}.")
        return view
    _checkpoint(archive, report, identities, view)
    return view


def _range(archive: Opened) -> merkle.CompactRange:
    value = cbor.decode(archive.read(paths.LOG_RANGE))
    if not isinstance(value, list) or len(value) != 2 or type(value[0]) is not int:
        raise MalformedError("the log's range must be [size, hashes]")
    if not isinstance(value[1], list) or not all(isinstance(h, bytes) for h in value[1]):
        raise MalformedError("the log's range must be [size, hashes]")
    return merkle.CompactRange(value[0], tuple(value[1]))


def _entries(archive: Opened, report: Report, view: LogView) -> None:
    received = 0
    for data in records_in(archive.chunks(paths.LOG_ENTRIES)):
        where = f"log entry {view.tree.size}"
        view.close = None  # the closing entry is the last one
        try:
            entry = decode_entry(data)
        except UnsupportedError as error:
            view.undecided = True
            report.add("C-FORMAT", where, f"{error}.")
        else:
            if entry.received_ns < received:
                sentence = "Its time of receipt is before that of the entry before it."
                report.add("E-LOG", where, sentence)
            received = max(received, entry.received_ns)
            _take(report, view, entry, where)
        view.add(data, received)
        report.counts["log_entries"] += 1


def _take(report: Report, view: LogView, entry: Entry, where: str) -> None:
    if entry.kind in STREAM_KINDS and entry.verdict == "accepted" and entry.seq is not None:
        if not view.accept(entry):
            sentence = f"{entry.stream} seq {entry.seq} is accepted a second time."
            report.add("E-LOG", where, sentence)
    elif entry.kind is Kind.GAP:
        view.accept_gap(entry)
    elif entry.kind is Kind.MONTH_CLOSE:
        view.close, view.statement_sha256 = dict(entry.detail), entry.sha256


def _checkpoint(
    archive: Opened,
    report: Report,
    identities: Identities,
    view: LogView,
) -> None:
    path, tree = paths.LOG_CHECKPOINT, view.tree
    if paths.COLLECTOR_CERTIFICATE in identities.foreign:
        view.undecided, view.size, view.root = True, tree.size, tree.root_at(tree.size)
        return
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
    elif note.root != tree.root_at(tree.size):
        sentence = (
            "The entries do not give the signed root: an entry was changed, added or removed."
        )
        report.add("E-LOG-ROOT", path, sentence)
