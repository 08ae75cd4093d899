"""Reads and verifies an archive for its report. File I/O; takes as long as `stackproof verify`."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cloud.accumulated.accuracy_file import read_accuracy_file
from cloud.outputs.book import Book, book_of
from cloud.outputs.errors import OutputError
from cloud.outputs.hourly import HourFold, month_days, points_of
from cloud.outputs.layout import Layout, sector_layout
from cloud.outputs.ledger import Ledger, ledgers_of
from cloud.outputs.reported import Checked
from cloud.outputs.sealed import SealedMonth, frames_of, opened, read_sealed
from edge.calc.errors import InputError
from edge.calc.statements.accuracy import with_accuracy
from edge.calc.statements.statement import compute
from evidence.errors import EvidenceError
from evidence.findings import Report
from evidence.keys import Trusted
from evidence.recompute import instant_ns
from evidence.verifier.run import verify

#: an archive of which it takes longer to read the frames twice than to start a process
APART_BYTES_MIN = 16 * 1024 * 1024


def read_book(archives: Sequence[Path], layout: Layout | None) -> Book:
    """The workbook of some archives; by the layout of their sector where none is given."""
    months = [read_sealed(path) for path in archives]
    return book_of(months, layout or sector_layout(months[0].rules.sector))


def read_hours(path: Path, month: SealedMonth) -> HourFold:
    """The frames of an archive, folded hour by hour."""
    days = month_days(str(month.plant["time_zone"]), month.month)
    fold = HourFold(points_of(month.output, month.given), days)
    with opened(path) as archive:
        try:
            for config, body in frames_of(archive):
                fold.feed(config, body)
        except EvidenceError as error:
            raise OutputError(f"{path}: a frame cannot be read: {error}") from error
    return fold


def read_checked(
    path: Path,
    layout: Layout | None,
    trust: frozenset[Trusted] | None,
    accuracy: Path | None = None,
) -> Checked:
    """A month, its frames and its verification, for the report.

    Args:
        path: the archive.
        layout: of the workbook; None for that of its sector.
        trust: root keys the reader trusts, as for `verify`.
        accuracy: a file that says how sure meters and factors are (docs/uncertainty.md).
    """
    book = read_book([path], layout)
    if path.stat().st_size < APART_BYTES_MIN:
        report, hours = _verified(path, trust), read_hours(path, book.months[0])
    else:  # both read every frame: one core each
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            reading = apart.submit(_hours_of, path)
            report = _verified(path, trust)
            hours = reading.result()
    return Checked(
        month=book.months[0],
        book=book,
        hours=hours,
        report=report,
        file_name=path.name,
        uncertainty=None if accuracy is None else _uncertainty(book.months[0], accuracy),
    )


def _verified(path: Path, trust: frozenset[Trusted] | None) -> Report:
    with path.open("rb") as file:
        return verify(file, trust=trust)


def _hours_of(path: Path) -> HourFold:
    """In the process beside."""
    hours = read_hours(path, read_sealed(path))
    hours.finish()
    return hours


def _uncertainty(month: SealedMonth, accuracy: Path) -> Mapping[str, Any] | None:
    try:
        made = compute(with_accuracy(month.given, read_accuracy_file(accuracy)))
    except InputError as error:
        raise OutputError(f"{accuracy}: {'; '.join(error.problems)}") from error
    found: Mapping[str, Any] | None = made.get("uncertainty")
    return found


def read_ledgers(path: Path) -> tuple[SealedMonth, list[Ledger]]:
    """A month and its ledgers."""
    month = read_sealed(path)
    period = month.given["period"]
    from_ns, to_ns = instant_ns(period["from"]), instant_ns(period["to"])
    return month, ledgers_of(month, read_hours(path, month), from_ns, to_ns)
