"""Months of many plants at one collector: the engine's looks, the event loop meanwhile, the pages.

    ./run bench many_plants [--plants N] [--json]

Each plant has a year of small months: facts as the reader leaves them, a sealed archive for each
closed month, and the documents of a year. No reading is counted, so what is left is what grows with
plants. It is measured with a quarter, a half and all of them: what is linear takes the same for a
plant each time. "held" is the longest time in which the event loop took no turn, by the clock: a
busy machine makes it long; "of its own" is what its thread had of a processor in one turn.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cloud.accounts.roles import VISITOR
from cloud.api.month_pages import months_page
from cloud.closing.months import Months
from cloud.errors import StoreError
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.month.facts import Facts
from cloud.records.papers import Judged, Papers
from evidence.documents.document import Document
from evidence.documents.standing import Logged
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.kept import kept_in
from tests.unit.cloud.month.month_facts import NOW_NS, NoCollector, Planned, back, close, fill

PLANTS, MONTHS, OPEN, TICK_S = 1_500, 12, 2, 0.002
DAY_NS = 86_400 * 10**9


class Quiet:
    """A plant's log that was counted."""

    def __init__(self, plant: str, size: int) -> None:
        self.plant, self.size = plant, size

    def streams(self) -> Sequence[str]:
        return ()

    def hash_at(self, stream: str, seq: int) -> bytes:
        return bytes(32)


class Works(NoCollector):
    """Plants that are all alike, with one set of papers."""

    def __init__(self, plants: Sequence[str], facts: Facts) -> None:
        super().__init__(plants)
        self._facts, self._papers = facts, papers()

    def evidence(self, plant: str) -> Any:
        return Quiet(plant, self._facts.log_size(plant))

    def papers(self, plant: str) -> Papers:
        return self._papers

    async def decide(self, plant: str, month: str, body: Any, signed_s: int) -> None:
        raise StoreError("nothing is logged here")


class Desk:
    """What `Months` asks before it lists."""

    def evidence(self, plant: str) -> str:
        return plant


def papers() -> Papers:
    """A year of documents: an invoice a month, a result a day."""
    found = Papers("works", [])
    for n in range(365):
        at_ns = NOW_NS - n * DAY_NS
        body = {"from_ns": at_ns - DAY_NS, "to_ns": at_ns}
        kind = "sample-result" if n % 30 else "invoice"
        document = Document("works", "li", at_ns // 10**9, kind, "anthracite", body, ())
        logged: Any = Logged(n, at_ns, n.to_bytes(32, "big"), document, None)
        found.take(Judged(None, logged, None, found.people))  # type: ignore[arg-type] # nobody signed
    return found


def make(folder: Path, plants: Sequence[str]) -> Facts:
    """Facts and archives of every plant; the newest months are open."""
    facts, months = Facts(kept_in(folder)), list(back(MONTHS))
    (folder / "archives").mkdir()
    for plant in plants:
        fill(facts, plant, months, devices=3, points=12)
        for index, month in enumerate(months[:-OPEN]):
            close(facts, plant, month, index)
            (folder / "archives" / f"{plant}-{month}.tar").write_bytes(b"")
    return facts


async def held(work: Callable[[], Awaitable[None]]) -> tuple[float, float, float, float]:
    """(seconds by the clock, of CPU, milliseconds that the loop stood still, that it worked)."""
    longest, most, is_over = 0.0, 0.0, False

    async def watch() -> None:
        nonlocal longest, most
        while not is_over:
            began_s, own_s = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK_S)
            longest = max(longest, time.monotonic() - began_s - TICK_S)
            most = max(most, time.thread_time() - own_s)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    began_s, cpu_s = time.monotonic(), time.process_time()
    await work()
    took_s, cpu_s, is_over = time.monotonic() - began_s, time.process_time() - cpu_s, True
    await watching
    return took_s, cpu_s, longest * 1000, most * 1000


async def measure(count: int) -> dict[str, Any]:
    """Everything, of so many plants."""
    plants = [f"works-{n:04}" for n in range(count)]
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
        folder = Path(name)
        facts, clock = make(folder, plants), ManualClock(NOW_NS)
        sources: Any = Works(plants, facts)
        book = MonthBook(facts, sources, Planned(), folder / "archives")
        desk: Any = Desk()
        engine = MonthEngine(Months(desk, folder / "archives", clock), book, sources, clock)
        found: dict[str, Any] = {"plants": count}
        for look in ("first", "next", "judging"):
            if look == "judging":
                clock.now_ns += 60 * 10**9
            found[look] = await held(engine.look)
        await _pages(engine, plants, found)
        return found


async def _pages(engine: MonthEngine, plants: Sequence[str], found: dict[str, Any]) -> None:
    given: Any = SimpleNamespace(
        months=engine, plants_of=lambda _: plants, is_simulated=lambda _: False
    )

    async def table() -> None:
        await asyncio.to_thread(months_page, given, VISITOR, "en")

    async def month() -> None:
        await asyncio.to_thread(engine.month, plants[-1], "2026-10")

    async def order() -> None:
        await engine.begin(plants[-1], "2026-10", amend=False, reason="the desk is none", by="li")

    for name, work in (
        ("table", table),
        ("table_again", table),
        ("month", month),
        ("order", order),
    ):
        found[name] = await held(work)
    await engine.idle()


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench many_plants")
    parser.add_argument("--plants", type=int, default=PLANTS, help="at most (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(argv)
    logging.getLogger("stackproof").setLevel(logging.CRITICAL)  # the archives here are empty files
    for part in (4, 2, 1):
        found = asyncio.run(measure(args.plants // part))
        print(json.dumps(found) if args.json else _text(found), flush=True)
    return 0


def _text(of: dict[str, Any]) -> str:
    steps = {name: of[name] for name in of if name != "plants"}
    told = (
        f"{name} {wall_s:.2f} s ({cpu_s:.2f} s of CPU; held {held_ms:.0f} ms, of its own "
        f"{own_ms:.0f})"
        for name, (wall_s, cpu_s, held_ms, own_ms) in steps.items()
    )
    return f"{of['plants']:,} plants: {', '.join(told)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
