"""Reviews of many plants at one collector: the list that waits, and plants side by side.

    ./run bench many_reviews [--plants N] [--json]

Plants, months and documents as `many_plants` has them, with a question, an answer and a decision of
each level a month. Archives are empty files here: reading a statement, once each, is not measured.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cloud.accounts.roles import ROLES, Principal
from cloud.api.review_across import across_of
from cloud.api.reviewed import queue
from cloud.closing.months import Months
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.records.desk import RecordDesk
from cloud.records.papers import Judged, Papers
from evidence.documents.document import Document
from evidence.documents.standing import Logged
from tests.bench import many_plants
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.month.month_facts import NOW_NS, Planned, back

WHO = Principal("guo", ROLES["reviewer"], region="")


def papers() -> Papers:
    """A year of documents, a result a day, and each month's review."""
    found, number = Papers("works", []), 10_000
    for n in range(365):
        at_ns = NOW_NS - n * many_plants.DAY_NS
        body = {"report": f"R-{n}", "laboratory": "Lab", "report_day": "2026-01-01",
                "from_ns": at_ns, "to_ns": at_ns + 1}  # fmt: skip
        _take(found, n, "sample-result", f"S-{n}", body)
    for month in back(many_plants.MONTHS):
        asked = _take(found, number, "review-question", month, {"answer_by": "2026-12-01"})
        _take(found, number + 1, "review-answer", month, {}, asked)
        for step, level in enumerate(("city", "province", "nation")):
            opened = [{"item": f"document/{item}", "first_ns": NOW_NS} for item in range(200)]
            body = {
                "level": level,
                "decision": "approve",
                "archive_sha256": bytes(32),
                "statement_sha256": bytes(32),
                "openings": "recorded",
                "opened": opened,
            }
            _take(found, number + 2 + step, "review-decision", month, body)
        number += 5
    return found


def _take(found: Papers, number: int, kind: str, about: str, body: Any, *follows: bytes) -> bytes:
    document = Document("works", "guo", 0, kind, about, body, follows)
    logged: Any = Logged(number, NOW_NS, number.to_bytes(32, "big"), document, None)
    found.take(Judged(None, logged, None, found.people))  # type: ignore[arg-type] # nobody signed
    return bytes(logged.sha256)


def measure(count: int) -> dict[str, Any]:
    """Seconds of each, the first time and again."""
    plants = [f"works-{n:04}" for n in range(count)]
    with tempfile.TemporaryDirectory(prefix="stackproof-bench-") as name:
        folder = Path(name)
        facts, clock = many_plants.make(folder, plants), ManualClock(NOW_NS)
        sources: Any = many_plants.Works(plants, facts)
        book = MonthBook(facts, sources, Planned(), folder / "archives")
        none: Any = many_plants.Desk()
        engine = MonthEngine(Months(none, folder / "archives", clock), book, sources, clock)
        given = _given(plants, engine, clock)
        for plant in plants:  # rows of months are of many_plants
            engine.rows(plant)
        found: dict[str, Any] = {"plants": count}
        found["queue"] = [_took(lambda: queue(given, WHO)) for _ in range(2)]
        queued, month = queue(given, WHO), list(back(many_plants.MONTHS))[-3]
        found["months"] = len(queued)
        found["across"] = [_took(lambda: across_of(given, queued, month)) for _ in range(2)]
        return found


def _given(plants: Sequence[str], engine: MonthEngine, clock: ManualClock) -> Any:
    """What pages ask: months, and one set of documents for all plants."""
    intake: Any = SimpleNamespace(plants=SimpleNamespace(require=lambda plant: None))
    nothing: Any = None
    desk, held = RecordDesk(nothing, intake, nothing), papers()
    desk._known = dict.fromkeys(plants, held)
    return SimpleNamespace(plants_of=lambda who: plants, records=desk, months=engine, clock=clock)


def _took(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return round(time.process_time() - began_s, 2)


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench many_reviews")
    parser.add_argument("--plants", type=int, default=many_plants.PLANTS, help="(%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(argv)
    logging.getLogger("stackproof").setLevel(logging.CRITICAL)  # the archives here are empty files
    found = measure(args.plants)
    if args.json:
        print(json.dumps(found))
        return 0
    print(f"{found['plants']:,} plants, {found['months']:,} months: seconds of CPU, then again")
    for name in ("queue", "across"):
        print(name, *found[name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
