"""What a report is made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloud.outputs.book import Book
from cloud.outputs.hourly import HourFold
from cloud.outputs.sealed import SealedMonth
from evidence.findings import Report


@dataclass(frozen=True)
class Checked:
    """A month with what a verifier found in its archive.

    Attributes:
        month: what is reported.
        book: as the platform takes it.
        hours: its frames, folded.
        report: the verification.
        file_name: of the archive, for the command.
        uncertainty: of its figures, where a file says how sure the meters are; else the sealed one.
    """

    month: SealedMonth
    book: Book
    hours: HourFold
    report: Report
    file_name: str
    uncertainty: Mapping[str, Any] | None = None
