"""Puts the month engine together."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path

from cloud.clock import Clock
from cloud.closing.daily_stamps import DailyStamps
from cloud.closing.months import Months
from cloud.closing.stamp import Authority
from cloud.collector.closing import Desk
from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.month.archive_checks import ArchiveChecks, Stands
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.month.facts import Facts
from cloud.month.planned import PlannedDocuments
from cloud.month.sources import CollectorSources
from cloud.plan.desk import PlanDesk


def open_months(
    config: CloudConfig,
    database: Database,
    desk: Desk,
    sources: CollectorSources,
    plans: PlanDesk,
    *,
    clock: Clock,
) -> tuple[MonthEngine, Callable[[], Coroutine[None, None, None]]]:
    """The engine, and what runs beside it: its archives are verified, checkpoints stamped daily.

    Neither runs yet.
    """
    facts = Facts(database)
    roots = {one.plant: one.root.pem for one in config.plants}
    checks = ArchiveChecks(database, clock, roots)
    authority = Authority(config.tsa_url) if config.tsa_url else None
    folder = config.archive_dir
    book = MonthBook(facts, sources, PlannedDocuments(plans), folder, checks.of)
    engine = MonthEngine(
        Months(desk, folder, clock, authority),
        book,
        sources,
        clock,
        closing=config.months.close,
        settle_ns=config.months.settle_ns,
    )

    async def beside() -> None:
        async with asyncio.TaskGroup() as group:
            verified = checks.run(
                lambda: standing_archives(facts, sources.plants(), folder),
                engine.noted.changed,
                book.forget,
                lambda one: engine.noted.altered(one.plant, one.path.name),
            )
            group.create_task(verified)
            if authority is not None:
                stamps = DailyStamps(folder, authority, clock)
                group.create_task(
                    stamps.run(sources.plants, lambda plant: sources.evidence(plant).checkpoint)
                )

    return engine, beside


def standing_archives(facts: Facts, plants: Iterable[str], folder: Path) -> Iterable[Stands]:
    """Archives that no later one has replaced, the newest month first."""
    found = [
        (one.month, Stands(plant, folder / one.name, one.sha256))
        for plant in plants for one in facts.archives(plant) if not one.is_replaced
    ]  # fmt: skip
    return [stands for _, stands in sorted(found, key=lambda one: one[0], reverse=True)]
