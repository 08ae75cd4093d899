"""Rows of a control plan on a month's checklist."""

from collections.abc import Mapping, Sequence

import pytest

from cloud.errors import StoreError
from cloud.month.expected import Expected
from cloud.month.planned import PlannedDocuments
from cloud.plan.desk import Kept
from evidence.plan.certificates import Certificate
from evidence.plan.plan import plan_of
from tests.unit.evidence.plan import examples as x


class Shelf:
    def __init__(self, kept: Kept | None) -> None:
        self._kept = kept

    def kept(self, plant: str, year: int) -> Kept:
        if self._kept is None:
            raise StoreError("the plan is not there any more")
        return self._kept if year == 2026 else Kept()

    def earlier_checks(self, plant: str, month: str) -> Mapping[str, int]:
        return {}

    def certificates(self, plant: str) -> Sequence[Certificate]:
        return []


def test_documents_stand_there_and_no_readings() -> None:
    planned = PlannedDocuments(Shelf(Kept(plan=plan_of(x.table()))))
    # no certificate is there: both meters owe one
    assert planned.expected("mini", "2026-06") == [
        Expected("ncv", "sample-result", "natural-gas", "month", "wang"),
        Expected("gas-1", "meter-certificate", "gas-1", "month", "wang"),
        Expected("scale-1", "meter-certificate", "scale-1", "month", "wang"),
        Expected("review", "internal-check", "review", "month", "li"),
    ]
    # it is quarterly
    assert "review" not in {one.about for one in planned.expected("mini", "2026-05") or ()}


def test_without_a_plan_that_a_program_reads_nobody_said_what_is_due() -> None:
    assert PlannedDocuments(Shelf(Kept(problem="torn"))).expected("mini", "2026-06") is None
    with pytest.raises(StoreError, match="not there any more"):
        PlannedDocuments(Shelf(None)).expected("mini", "2026-06")
