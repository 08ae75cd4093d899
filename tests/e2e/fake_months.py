"""Months of the fake plant: one open, one that waits, one late, one sealed, one amended."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cloud.api.services import MonthRefusedError
from cloud.month.book import MonthBook
from cloud.month.facts import Facts
from tests.e2e.fake_plant import PLANT
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month.month_facts import (
    NOW_NS,
    NoCollector,
    Planned,
    back,
    close,
    fill,
    found,
)


def verdict_of(sha256: str) -> Mapping[str, Any] | None:
    """Of four archives one passed, one lacks clinker, one failed, one was not verified yet."""
    which = int(sha256[:2], 16) % 4
    if which == 3:
        return None
    flags = ("no-clinker", "silent:gas-1.co2") if which == 1 else ()
    return found(*flags, code="E-FILE-HASH" if which == 2 else "", at_ns=NOW_NS)


class FakeMonths:
    """Facts of half a year, and nothing behind them."""

    def __init__(self) -> None:
        facts = Facts(kept_in(Path(mkdtemp())))
        fill(facts, PLANT, list(back(6)), devices=12, points=500, dead="2026-07")
        close(facts, PLANT, "2026-06", 10)
        close(facts, PLANT, "2026-09", 12)
        first = close(facts, PLANT, "2026-08", 11)
        close(facts, PLANT, "2026-08", 13, first)
        self._book = MonthBook(facts, NoCollector([PLANT]), Planned(), Path("archives"), verdict_of)
        self._begun: dict[str, int] = {}

    def archives(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return []

    async def close(self, plant: str, month: str, **order: Any) -> Mapping[str, Any]:
        return {"plant": plant, "month": month, **order}

    async def seal(self, plant: str, month: str, **order: Any) -> Mapping[str, Any]:
        return {"plant": plant, "month": month, **order}

    async def begin(self, plant: str, month: str, *, amend: bool, reason: str, by: str) -> None:
        if not reason:
            raise MonthRefusedError("something is owed")
        self._begun[month] = 0

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        return self._book.rows(plant, NOW_NS)

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        row = self._book.month(plant, month, NOW_NS)
        if row is None:
            return None
        progress = None
        if month in self._begun:
            progress = {"phase": "fold", "done": 120_000, "total": 259_200, "percent": 46}
        return {**row, "progress": progress, "refused": "", "counting": ""}
