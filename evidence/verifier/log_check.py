"""Step 4: the log. Entries lead from the range before the month to the signed checkpoint."""

from collections import Counter

from evidence import cbor, checkpoint, merkle
from evidence.archive import paths
from evidence.errors import (
    EvidenceError,
    LimitError,
    MalformedError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report, said
from evidence.log import Entry, Kind, decode_entry
from evidence.log_details import ACCEPTED, FORK, KEPT_ASIDE, OBJECT_KINDS, check_entry
from evidence.orders import Replace
from evidence.records import records_in
from evidence.verifier.identities import Identities
from evidence.verifier.key_orders import order_fault
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened, Progress

#: a word of the log as it is told here, characters; and how many different ones are told
WORD_MAX, REASONS_MAX = 80, 1000
TOLD_EVERY = 1000  # entries


def check_log(
    archive: Opened, report: Report, identities: Identities, view: LogView, progress: Progress
) -> None:
    """Read the log into `view`, remake its root and compare with the signed checkpoint."""
    try:
        view.begin(log_range(archive))
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_RANGE, said(error))
        return
    try:
        _Entries(report, identities, view).read(archive, progress)
    except (MalformedError, LimitError) as error:
        report.add("E-LOG", paths.LOG_ENTRIES, said(error))
        return
    view.whole = True
    _checkpoint(archive, report, identities, view)


def log_range(archive: Opened) -> merkle.CompactRange:
    """The tree before the archive's piece of the log; MalformedError when it is none."""
    value = cbor.decode(archive.read(paths.LOG_RANGE))
    if not isinstance(value, list) or len(value) != 2 or type(value[0]) is not int:
        raise MalformedError("the log's range must be [size, hashes]")
    if not isinstance(value[1], list) or not all(isinstance(h, bytes) for h in value[1]):
        raise MalformedError("the log's range must be [size, hashes]")
    return merkle.CompactRange(value[0], tuple(value[1]))


class _Entries:
    """Takes the entries one after another; what was refused or kept aside is told at the end."""

    def __init__(self, report: Report, identities: Identities, view: LogView) -> None:
        self._report, self._identities, self._view = report, identities, view
        self._received = 0
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._ordered: set[bytes] = set()

    def read(self, archive: Opened, progress: Progress) -> None:
        """Read all of them; MalformedError when the file holds anything else."""
        view, report = self._view, self._report
        for data in records_in(archive.chunks(paths.LOG_ENTRIES)):
            where = f"log entry {view.tree.size}"
            if view.tree.size % TOLD_EVERY == 0:
                progress(f"log: entry {view.tree.size:,}")
            view.go_on()
            try:
                entry = decode_entry(data)
            except UnsupportedError as error:
                view.undecided = view.ends_newer = True
                report.add("C-FORMAT", where, said(error))
            else:
                if entry.received_ns < self._received:
                    sentence = "Its time of receipt is before that of the entry before it."
                    report.add("E-LOG", where, sentence)
                self._received = max(self._received, entry.received_ns)
                self._take(entry, where)
                if entry.kind is Kind.RECORD:
                    view.record(data)
            view.add(data, self._received)
            report.counts["log_entries"] += 1
        self._finish()

    def _take(self, entry: Entry, where: str) -> None:
        report, view = self._report, self._view
        try:
            check_entry(entry)
        except MalformedError as error:
            report.add(
                "E-LOG", where, f"The {entry.kind.name.lower()} entry is misformed: {error}."
            )
        if entry.kind in OBJECT_KINDS and entry.verdict == ACCEPTED and entry.seq is not None:
            if not view.accept(entry, self._received):
                sentence = f"{entry.stream} seq {entry.seq} is accepted twice or out of order."
                report.add("E-LOG", where, sentence)
        elif entry.kind is Kind.GAP:
            if not view.accept_gap(entry):
                sentence = "It does not stand directly after the frame that tells of the gap."
                report.add("E-LOG", where, sentence)
        elif entry.kind in (Kind.REVOKE, Kind.REPLACE):
            self._order(entry, where)
        elif entry.kind is Kind.REJECT:
            self._reject(entry)
        elif entry.kind is Kind.MONTH_CLOSE:
            view.close, view.statement_sha256 = dict(entry.detail), entry.sha256
            view.statement_bytes, view.closed_ns = entry.length, self._received

    def _order(self, entry: Entry, where: str) -> None:
        fault = order_fault(entry, self._identities)
        if fault:
            sentence = f"The {entry.kind.name.lower()} entry: {fault}."
            self._report.add("E-ORDER", where, sentence)
        elif entry.sha256 in self._identities.orders:
            self._ordered.add(entry.sha256)

    def _reject(self, entry: Entry) -> None:
        if entry.verdict == FORK:
            sentence = (
                "The gateway's key has signed another object for this place than the log accepted; "
                "the collector kept it aside."
            )
            where = f"{entry.stream} seq {entry.seq}"
            self._report.add("W-FORK", where, sentence)
            for name, back in (("held", 0), ("held_before", 1)):
                held = entry.detail.get(name)
                if isinstance(held, bytes) and entry.seq is not None and entry.seq >= back:
                    self._view.tell(entry.stream, entry.seq - back, held)
            return
        told = entry.detail.get("count", 1)
        key = (entry.stream[:WORD_MAX], entry.verdict[:WORD_MAX])
        if key not in self._rejected and len(self._rejected) >= REASONS_MAX:
            key = ("", "for other reasons")
        self._rejected[key] += told if type(told) is int else 1

    def _finish(self) -> None:
        for (stream, reason), count in sorted(self._rejected.items()):
            where = f"stream {stream}" if stream else "log"
            did = "kept aside" if reason in KEPT_ASIDE else "refused"
            sentence = f"The collector {did} {count} object(s): {reason}."
            self._report.add("N-REJECTED", where, sentence)
        self._accepted()
        if self._view.start.size or self._view.undecided:
            return  # the entry of an order may stand before the range
        for sha256 in sorted(set(self._identities.orders) - self._ordered):
            sentence = "The log, whole in this archive, has no entry for this order."
            self._report.add("E-ORDER", paths.order(sha256), sentence)

    def _accepted(self) -> None:
        """What orders and forks say was accepted, was, wherever in the log they stand."""
        for stream, seq in self._view.untrue():
            sentence = "The log's entry of the fork names another object than it accepted."
            self._report.add("E-LOG", f"{stream} seq {seq}", sentence)
        for place, order in self._identities.all_orders():
            if isinstance(order, Replace):
                held = self._view.entry(order.stream, order.seq)
                if held is not None and held.sha256 != order.head:
                    sentence = (
                        f"The replace order names another object at seq {order.seq} than the log."
                    )
                    self._report.add("E-ORDER", place, sentence)


def _checkpoint(
    archive: Opened,
    report: Report,
    identities: Identities,
    view: LogView,
) -> None:
    path, tree = paths.LOG_CHECKPOINT, view.tree
    if paths.COLLECTOR_CERTIFICATE in identities.foreign:
        view.size, view.root = tree.size, tree.root()
        return
    if identities.collector is None:
        report.add("E-CHECKPOINT", path, "There is no good collector certificate to check it with.")
        return
    try:
        note = checkpoint.verify(archive.read(path).decode(), identities.collector)
    except UnknownSuiteError as error:
        report.add("C-SUITE", path, said(error))
        return
    except (EvidenceError, UnicodeDecodeError) as error:
        report.add("E-CHECKPOINT", path, said(error))
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
