"""The verifier's walk through all steps. FORMAT.md "Verifying" numbers them alike."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from evidence.archive import paths
from evidence.archive.build import spec_texts
from evidence.documents.counted import papers_that_stand
from evidence.documents.standing import Standing
from evidence.errors import EvidenceError
from evidence.findings import Report, said, shown
from evidence.kept import Kept
from evidence.keys import Certificate, Trusted
from evidence.month_state import issue_of, issues_of
from evidence.plan.declared import approved_plans, declared_but_absent
from evidence.plan.plan import PLAN_BYTES_MAX
from evidence.verifier.brought_orders import take_brought, tell_brought
from evidence.verifier.closing import ClosingCheck
from evidence.verifier.documents import DocumentCheck
from evidence.verifier.figures import FigureCheck, check_rules, period_of, read_statement
from evidence.verifier.frames import Checked, FrameCheck, Period
from evidence.verifier.identities import Identities, check_identities
from evidence.verifier.kept import KeptCheck
from evidence.verifier.key_orders import check_contradictions, check_orders
from evidence.verifier.log_check import check_log
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened, Progress, check_bag, open_archive
from evidence.verifier.stamp import check_timestamp
from evidence.verifier.told import month_of, values_of
from evidence.verifier.vouched import witnesses_line

STREAMS_TOLD_MAX = 20
_EARLIER_DOCUMENTS = (
    "Documents from before this archive's piece of the log: that none was left out of which a "
    "figure should be made, the archives of the months before show."
)
_NO_PLAN = (
    "Control plan: no approved plan of this year is here, so a source that was left out from the "
    "first day does not show."
)
_BROKEN = "Computed points after the first object that is missing or not sound."
_PASSED_OVER = "Computed points after a frame that was not used, until they begin anew."


class Onlooker(Protocol):
    """Is shown what a verification reads, so that it need not be read again; decides nothing."""

    def begin(
        self, statement: Mapping[str, Any] | None, period: Period | None, standing: Standing
    ) -> None:
        """The statement as sealed, and the documents that stand."""

    def see(self, frame: Checked) -> None:
        """A frame that is sound, in the order of its stream."""


def verify(
    file: BinaryIO,
    *,
    trust: frozenset[Trusted] | None = None,
    orders: Mapping[str, bytes] | None = None,
    kept: Sequence[Kept] = (),
    tsa: Sequence[Certificate] | None = None,
    witnesses: frozenset[bytes] | None = None,
    recompute: bool = True,
    onlooker: Onlooker | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Verify an archive.

    Args:
        file: the archive, seekable.
        trust: root keys the reviewer trusts; None leaves the identity open and says so.
        orders: name of a file -> an order about keys that the reviewer has from the root by
            another way than the archive; None leaves open what the collector did not log, and
            says so.
        kept: notes and receipts that the reviewer kept.
        tsa: certificates of time stamp authorities the reviewer trusts; None leaves the time
            stamp's authority open and says so.
        witnesses: hashes of the keys of reviewers and their organisations that the reviewer
            trusts; None leaves it open whose the keys of witnesses are and says so.
        recompute: make the figures again from the frames.
        onlooker: is shown the statement, what documents stand, and every frame that is sound.
        progress: told in a few words what is being done.

    Returns:
        All findings; never raises on a hostile archive.

    Raises:
        ScratchError: the disk refuses temporary files.
        KeyFileError: a file of `orders` is no order of the plant whose root is trusted, or one of
            `kept` no note or receipt of the plant's collector.
    """
    report = Report()
    progress("container")
    archive = open_archive(file, report)  # step 1
    if archive is None:
        report.not_checked.append("Everything in the archive: its container is not sound.")
        return report
    check_bag(archive, report, progress)  # step 2
    identities = check_identities(archive, report, trust)  # step 3
    check_orders(archive, report, identities)
    take_brought(orders, report, identities)
    check_contradictions(report, identities)
    with LogView() as log:
        check_log(archive, report, identities, log, progress)  # step 4
        _check_rest(
            archive, report, identities, log,
            kept=kept, witnesses=witnesses, recompute=recompute, onlooker=onlooker,
            progress=progress,
        )  # fmt: skip
    stamped = check_timestamp(archive, report, identities.collector, tsa, log.closed_ns)
    _say_what_was_not_checked(archive, report, stamped)
    return report


def _check_rest(
    archive: Opened,
    report: Report,
    identities: Identities,
    log: LogView,
    *,
    kept: Sequence[Kept],
    witnesses: frozenset[bytes] | None,
    recompute: bool,
    onlooker: Onlooker | None,
    progress: Progress,
) -> None:
    """Steps 5 to 8: all that is looked up in the log."""
    statement = read_statement(archive, report)
    period = period_of(statement, report) if statement is not None else None
    documents = DocumentCheck(archive, report, identities, log, witnesses)
    documents.check()
    if onlooker is not None:
        onlooker.begin(statement, period, documents.standing)
    figures = _figures(archive, report, statement, period, recompute=recompute)
    is_final = statement is not None and statement["input"].get("closing") == "final"
    frames = FrameCheck(archive, report, identities, log, period, is_final=is_final)
    for frame in frames.frames():  # step 5
        counts = report.counts
        progress(f"{frame.stream}: frame {counts['frames']:,}, reading {counts['readings']:,}")
        if onlooker is not None and not frame.is_unfit:
            onlooker.see(frame)
        if figures is not None and not frames.undecided:
            figures.feed(frame, broken=frames.broken)
    if figures is not None:
        progress("figures")
        papers = None if documents.undecided else papers_that_stand(documents.standing)
        figures.finish(papers, complete=not frames.undecided)  # step 6
        if figures.needs_papers and log.start.size:
            report.not_checked.append(_EARLIER_DOCUMENTS)
        report.not_checked += [_BROKEN] * frames.broken + [_PASSED_OVER] * figures.passed_over
    if statement is not None:
        report.month, report.values = month_of(statement), values_of(statement)
        _notes(report, statement, simulated=frames.simulated)
        for flag in _planned(archive, report, documents, statement):
            report.add_issue(issue_of(flag))
    try:
        closing = ClosingCheck(archive, report, identities=identities, log=log, frames=frames)
        closing.check(statement)  # step 7
    except EvidenceError as error:
        report.add("E-SEAL", "archive", said(error))
    KeptCheck(report, identities, log, frames.anchors.before).check(kept)  # step 8
    tell_brought(report, identities)
    _say_what_is_not_here(report, log, frames)


def _figures(
    archive: Opened,
    report: Report,
    statement: Mapping[str, Any] | None,
    period: Period | None,
    *,
    recompute: bool,
) -> FigureCheck | None:
    """What compares the figures, None when they stay unchecked; the rules are always compared."""
    if statement is not None:
        check_rules(archive, report, statement)
    if statement is None or not recompute:
        report.not_checked.append("The figures: they were not recomputed from the readings.")
        return None
    report.recomputed = True
    return FigureCheck(report, statement, period)


def _notes(report: Report, statement: Mapping[str, Any], *, simulated: bool) -> None:
    given, output = statement["input"], statement["output"]
    if given.get("closing") == "interim":
        sentence = "The period was not over when this was closed: an interim archive."
        report.add("N-INTERIM", "statement", sentence)
    if statement["simulated"] or simulated:
        report.add("N-SIMULATED", "statement", "These readings come from a simulated plant.")
    for issue in issues_of(given, output):
        report.add_issue(issue)


def _planned(
    archive: Opened, report: Report, documents: DocumentCheck, statement: Mapping[str, Any]
) -> Iterator[str]:
    """Flags of what the year's approved control plan declares and the statement lacks."""
    year = str(statement["input"]["month"])[:4]
    plans = [] if documents.undecided else approved_plans(documents.standing, year)
    if not plans:
        report.not_checked.append(_NO_PLAN)
    for sha256 in plans:
        path = paths.record_file(sha256)
        if path in archive and archive.size(path) <= PLAN_BYTES_MAX:
            plan = archive.read(path)
            yield from declared_but_absent(plan, statement["input"], statement["output"])


def _say_what_is_not_here(report: Report, log: LogView, frames: FrameCheck) -> None:
    """Gateways of which the log accepted objects, and the archive says nothing."""
    others = log.streams().keys() - frames.streams.keys()
    for stream in sorted(others)[:STREAMS_TOLD_MAX]:
        objects = log.streams()[stream]
        report.not_checked.append(
            f"Gateway {shown(stream)}: the log here accepted {objects:,} objects of it, and none "
            "is in this archive."
        )


def _say_what_was_not_checked(archive: Opened, report: Report, stamped: datetime | None) -> None:
    for path, text in spec_texts().items():
        if path in archive and not archive.holds(path, text):
            report.not_checked.append(
                f"{path}: it is not this program's text; whether what it says is true was not "
                "looked at."
            )
    report.not_checked += [
        witnesses_line(report, stamped),
        "The meters themselves: a signature proves what was read, not that the meter was right.",
    ]
