"""Puts the month engine together."""

from contextlib import AsyncExitStack

from cloud.clock import Clock
from cloud.closing.months import Months
from cloud.closing.stamp import Authority
from cloud.collector.closing import Desk
from cloud.config import CloudConfig
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
) -> MonthEngine:
    """The engine, not started; `stack` closes what it keeps."""
    facts = Facts(config.state_dir)
    stack.callback(facts.close)
    authority = Authority(config.tsa_url) if config.tsa_url else None
    return MonthEngine(
        Months(desk, config.archive_dir, clock, authority),
        MonthBook(facts, sources, PlannedDocuments(plans), config.archive_dir),
        sources,
        clock,
        closing=config.months.close,
        settle_ns=config.months.settle_ns,
    )
