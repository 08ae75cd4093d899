"""A month that no verifier would read is refused before its close is logged."""

from pathlib import Path

import pytest

from cloud.api.services import MonthRefusedError
from tests.unit.cloud.month_examples import Desk, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH


async def test_a_month_of_more_configurations_than_an_archive_holds_is_refused(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.deliver()
    monkeypatch.setattr("evidence.configuration.TOGETHER_ITEMS_MAX", 500)
    size = desk.reader.size
    with pytest.raises(MonthRefusedError, match="the configurations of this month are together"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    assert desk.reader.size == size, "before the close is logged"


async def test_a_statement_that_nobody_could_read_is_not_signed(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidence.recompute.STATEMENT_SIGNS_MAX", 100)
    desk.deliver()
    size = desk.reader.size
    with pytest.raises(MonthRefusedError, match="larger than any verifier reads"):
        await months(desk, folder).close(sm.PLANT, MONTH, closing="final")
    assert desk.reader.size == size, "before the close is logged"
