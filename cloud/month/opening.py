"""Puts the month engine together."""

from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from cloud.clock import Clock
from cloud.closing.months import Months
from cloud.closing.stamp import Authority
from cloud.collector.closing import Desk
from cloud.config import CloudConfig
from cloud.month.archive_checks import ArchiveChecks
from cloud.month.book import MonthBook
from cloud.month.engine import MonthEngine
from cloud.month.facts import Facts
from cloud.month.planned import PlannedDocuments
from cloud.month.sources import CollectorSources
from cloud.plan.desk import PlanDesk


def open_months(
    config: CloudConfig,
    desk: Desk,
    sources: CollectorSources,
    plans: PlanDesk,
    *,
    clock: Clock,
    stack: AsyncExitStack,
) -> tuple[MonthEngine, Callable[[], Coroutine[None, None, None]]]:
    """The engine, and what verifies its archives; neither runs yet, `stack` closes their files."""
    facts = Facts(config.state_dir)
    stack.callback(facts.close)
    checks = ArchiveChecks(config.state_dir, clock)
    stack.callback(checks.close)
    authority = Authority(config.tsa_url) if config.tsa_url else None
    folder = config.archive_dir
    engine = MonthEngine(
        Months(desk, folder, clock, authority),
        MonthBook(facts, sources, PlannedDocuments(plans), folder, checks.of),
        sources,
        clock,
        closing=config.months.close,
        settle_ns=config.months.settle_ns,
    )
    return engine, lambda: checks.run(
        lambda: standing_archives(facts, sources.plants(), folder), engine.archives_changed
    )


def standing_archives(
    facts: Facts, plants: Iterable[str], folder: Path
) -> Iterable[tuple[Path, str]]:
    """Path and SHA-256 of archives that no later one has replaced, the newest month first."""
    found = [one for plant in plants for one in facts.archives(plant) if not one.is_replaced]
    newest_first = sorted(found, key=lambda one: one.month, reverse=True)
    return [(folder / one.name, one.sha256) for one in newest_first]
