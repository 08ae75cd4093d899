"""Documents that stand, made in few words, beside a June of Shanghai."""

from itertools import count
from typing import Any

from edge.calc.folds.papers import Paper, Papers

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
#: 2026-05-31T16:00Z and thirty days later: June in Shanghai
FROM, TO = 1_780_243_200 * 10**9, 1_782_835_200 * 10**9
JUNE = {"from_ns": FROM, "to_ns": TO}
_numbers = count(1)


def paper(kind: str, about: str, body: dict[str, Any], *, approved: bool = True) -> Paper:
    return Paper(f"{next(_numbers):064x}", kind, about, body, approved)


def taken(sample: str, *, t: str | None = None, source: str = "coal", day: int = 1) -> Paper:
    """A day's sample, and how many tonnes it stands for."""
    at = FROM + (day - 1) * DAY
    body: dict[str, Any] = {"source": source, "from_ns": at, "to_ns": at + DAY}
    return paper("sample-taken", sample, body if t is None else body | {"stands_for_t": t})


def composed(sample: str, *parts: str, source: str = "coal") -> Paper:
    rows = [{"sample": part, "weight": "1"} for part in parts]
    return paper("sample-composed", sample, {"source": source, "parts": rows, **JUNE})


def result(sample: str, *rows: str, approved: bool = True) -> Paper:
    """Rows like "ncv 24 GJ/t ad"."""
    return paper("sample-result", sample, {"values": list(map(_row, rows))}, approved=approved)


def parameter(row: str, **other: Any) -> Paper:
    return paper("parameter", "coal", {**_row(row), "origin": "supplier", **JUNE, **other})


def _row(text: str) -> dict[str, str]:
    name, value, unit, *basis = text.split(" ")
    row = {"name": name, "value": value, "unit": unit}
    return row | {"basis": basis[0]} if basis else row


def amount(kind: str, value: str, unit: str = "t", **other: Any) -> Paper:
    """An invoice, count or stock-take of coal in June."""
    time = {} if kind == "stock-take" else JUNE
    return paper(kind, "coal", {"value": value, "unit": unit, **time, **other})


def bought(value: str, part: str = "purchased", **other: Any) -> Paper:
    return amount("invoice", value, part=part, **other)


def stock(value: str, at_ns: int) -> Paper:
    return amount("stock-take", value, at_ns=at_ns)


def papers(*made: Paper) -> Papers:
    return Papers(made, (FROM, TO), (FROM, TO))
