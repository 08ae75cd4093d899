"""What a report is made of, and how its lines are called. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloud.outputs.book import Book
from cloud.outputs.figures import name_of
from cloud.outputs.hourly import HourFold
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.words import word, word_or
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


def line_name(month: SealedMonth, line: Mapping[str, Any], language: str) -> str:
    """A line as people call it: what, of which material, in which process unit."""
    category, kind = line["category"], line["kind"]
    zh = name_of(month.rules, category, kind)
    named = word_or(f"kind.{kind}", language, zh if language == "zh" else kind)
    parts = [word(f"category.{category}", language), named, line.get("unit", ""), _meter(line)]
    return " · ".join(filter(None, parts))


def _meter(line: Mapping[str, Any]) -> str:
    """The points its amount was read at: two lines of one coal are told apart by them."""
    amount: Mapping[str, Any] = line["parameters"].get("quantity", {})
    return str(amount.get("provenance", {}).get("frames", {}).get("point", ""))
