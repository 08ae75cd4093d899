"""Which documents are looked for: by month, kind, id and state. Pure.

A document is of the month that it is about, where it is about one; else by the period or instant
that it tells, else by when it came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from evidence.documents.review import OF_MONTHS
from evidence.documents.standing import Logged

#: the moment that a document without a period tells; of several the first
_MOMENTS = ("at_ns", "taken_ns", "prepared_ns", "composed_ns", "retained_ns", "sent_ns",
            "received_ns", "tested_ns")  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """What is looked for; "" for any.

    Attributes:
        kind, about: of the document.
        state: what became of it.
        month: "YYYY-MM" that it is of.
        span: of that month, as `month_span` gives it; None for any time.
        before: log index that it is before.
    """

    kind: str = ""
    about: str = ""
    state: str = ""
    month: str = ""
    span: tuple[int, int] | None = None
    before: int = 2**63

    def fits(self, logged: Logged, state: str) -> bool:
        """Whether a document, of which this became, is looked for."""
        document = logged.document
        return (
            logged.index < self.before
            and self.kind in ("", document.kind)
            and self.about in ("", document.about)
            and self.state in ("", state)
            and (self.span is None or _touches(logged, self.month, self.span))
        )


def of_month(month: str, zone: ZoneInfo) -> Filter:
    """What is of a month "YYYY-MM" of a plant's time."""
    return Filter(month=month, span=month_span(month, zone))


def month_span(month: str, zone: ZoneInfo) -> tuple[int, int]:
    """A month "YYYY-MM" of a plant's time: from, to exclusive, ns since 1970."""
    year, number = int(month[:4]), int(month[5:])
    start = datetime(year, number, 1, tzinfo=zone)
    stop = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return int(start.timestamp()) * 10**9, int(stop.timestamp()) * 10**9


def period_of(body: Mapping[str, Any]) -> tuple[int, ...]:
    """First and last instant of what a body tells, or the one; none where it tells none.

    Args:
        body: as it is signed.
    """
    if "from_ns" in body:
        return body["from_ns"], body["to_ns"]
    return tuple(body[name] for name in _MOMENTS if name in body)[:1]


def _touches(logged: Logged, month: str, span: tuple[int, int]) -> bool:
    if logged.document.kind in OF_MONTHS:
        return logged.document.about == month
    told = period_of(logged.document.body) or (logged.received_ns,)
    if len(told) == 2:
        return told[0] < span[1] and told[1] > span[0]
    return span[0] <= told[0] < span[1]
