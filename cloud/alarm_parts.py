"""Alarms, shifts and the ways to people elsewhere, put together for the collector's process."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from cloud.accumulated.desk import Accumulations
from cloud.alarms.core import Happening
from cloud.alarms.desk import AlarmDesk, KeyRows, MonthRows
from cloud.alarms.outbox import Outbox
from cloud.alarms.store import AlarmStore
from cloud.clock import Clock
from cloud.collector.desk import EvidenceDesk
from cloud.config import CloudConfig
from cloud.database.engine import Database
from cloud.live.hub import LiveHub
from cloud.shift.desk import ShiftDesk
from cloud.shift.store import ShiftStore


@dataclass(frozen=True)
class AlarmParts:
    """What runs beside the collector."""

    alarms: AlarmDesk
    shifts: ShiftDesk
    outboxes: Sequence[Outbox]

    def work(self) -> list[Coroutine[None, None, None]]:
        """Each for ever; cancel it to end."""
        sending = [outbox.run() for outbox in self.outboxes]
        return [self.alarms.run(), self.shifts.run(), *sending]


def alarm_parts(  # noqa: PLR0917 - the composition root calls it by names
    config: CloudConfig,
    database: Database,
    hub: LiveHub,
    months: MonthRows,
    keys: KeyRows,
    evidence: EvidenceDesk,
    accumulated: Accumulations,
    clock: Clock,
    broker_away_s: Callable[[], float | None],
    broker_ends: Callable[[], Mapping[str, int]],
    is_broker_behind: Callable[[], bool],
    broker_unkept_s: Callable[[], float | None],
) -> AlarmParts:
    """None of it runs yet."""
    said = config.alarms
    outboxes = [
        Outbox(one, clock, lambda plant: hub.clock_of(plant).key, priority=said.priority)
        for one in said.channels
    ]

    def tell(found: Sequence[Happening]) -> None:
        for outbox in outboxes:
            outbox.put(found)

    rules = {plant: own.rules for plant, own in said.plants.items()}
    shifts = {plant: own.shifts for plant, own in said.plants.items()}
    alarms = AlarmDesk(
        AlarmStore(database), hub, months, keys, evidence.evidence, clock, rules, tell,
        broker_away_s, broker_ends, config.collector_ends, is_broker_behind,
        [one.plant for one in config.plants], broker_unkept_s, accumulated,
    )  # fmt: skip
    desk = ShiftDesk(ShiftStore(database), hub, alarms, months, accumulated, clock, shifts)
    return AlarmParts(alarms, desk, outboxes)
