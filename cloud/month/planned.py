"""What a month's control plan asks persons for, as the month engine reads it.

What meters give by themselves is on the checklist as readings, and no row here.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cloud.month.expected import Expected, Frequency
from cloud.plan.desk import Kept
from evidence.plan.certificates import Certificate
from evidence.plan.due import expected

#: of the plan's rows what no document answers
_WITHOUT = "readings"
#: all others are asked for once in the month
_OFTEN: dict[str, Frequency] = {"hourly": "day", "daily": "day", "batch": "batch"}


class PlanSource(Protocol):
    """Where plans and certificates are; `cloud.plan.desk.PlanDesk` is one."""

    def kept(self, plant: str, year: int) -> Kept:
        """The newest plan of a year that stands."""

    def certificates(self, plant: str) -> Sequence[Certificate]:
        """Certificates of the plant's meters that stand."""

    def earlier_checks(self, plant: str, month: str) -> Mapping[str, int]:
        """Internal checks of the months before, as `evidence.plan.checks.is_due` takes them."""


class PlannedDocuments:
    """Rows of the plants' control plans. Reads the disk. Any thread."""

    def __init__(self, plans: PlanSource) -> None:
        self._plans = plans

    def expected(self, plant: str, month: str) -> Sequence[Expected] | None:
        """What a month needs; None where the plant has no plan of its year that a program reads.

        Raises:
            StoreError: there is one, and the disk does not give it.
        """
        plan = self._plans.kept(plant, int(month[:4])).plan
        certificates = self._plans.certificates(plant)
        if plan is None:
            return None
        return [
            Expected(
                row.parameter, row.kind, row.about, _OFTEN.get(row.frequency, "month"),
                row.responsible,
            )
            for row in expected(plan, month, certificates, self._plans.earlier_checks(plant, month))
            if row.kind != _WITHOUT
        ]  # fmt: skip
