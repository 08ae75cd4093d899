"""On-site sheets of the running collector's plants.

Reads the disk in the caller's thread. LookupError for what is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from cloud.drill.store import StoreSource
from cloud.records.desk import RecordDesk
from cloud.screening.desk import Screenings
from cloud.visits.sheet import Known, Meter, decoded, meters, older, retained
from evidence.documents.observed.stories import RETAINED
from evidence.documents.review import VISIT
from evidence.documents.standing import Logged


class Months(Protocol):
    """How months stand."""

    def month(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: a month's row with its checklist."""

    def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
        """JSON-ready: every month of a plant."""


class Plans(Protocol):
    """Control plans."""

    def departures(self, plant: str, month: str) -> Mapping[str, Any]:
        """Where a month departed from its plan; JSON-ready."""

    def today(self, plant: str) -> date:
        """The day it is at the plant."""


@dataclass(frozen=True)
class Sheet:
    """What a visit looks at.

    Attributes:
        meters: all of the plant, see `cloud.visits.sheet.meters`.
        samples: retained samples that must be there.
        visits: documents of visits about this month that stand.
        not_held: configurations of the month, the oldest, that were not held against its plan.
        older: those that were not looked at for changes.
    """

    meters: Sequence[Meter]
    samples: Sequence[Logged]
    visits: Sequence[Logged]
    not_held: int
    older: int


class VisitDesk:
    """Of all plants of a collector.

    Args:
        records: what persons signed.
        months: how months stand.
        plans: control plans.
        screenings: of sealed months.
    """

    def __init__(
        self, records: RecordDesk, months: Months, plans: Plans, screenings: Screenings
    ) -> None:
        self._records, self._months, self._plans = records, months, plans
        self._screenings = screenings

    def sheet(self, source: StoreSource) -> Sheet:
        """The sheet of a plant's month."""
        plant, month = source.plant, source.month
        departed = self._plans.departures(plant, month)
        looked = self._screenings.of(self._months.rows(plant), month)
        kept = None if looked is None else looked.kept
        known = Known(
            decoded(source), source.statement(),
            self._months.month(plant, month), departed["departures"] or [],
            () if kept is None else [one.result for one in kept.out],
        )  # fmt: skip
        today = self._plans.today(plant).isoformat()
        samples = retained(self._records.standing(plant, RETAINED), today)
        visits = [
            one for one in self._records.standing(plant, VISIT) if one.document.about == month
        ]
        return Sheet(
            meters(known), samples, visits, departed["not_held"], older(known.configurations)
        )
