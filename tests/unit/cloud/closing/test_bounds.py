"""A month that no verifier would read is refused before its close is logged; none is held."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloud.api.services import MonthRefusedError
from cloud.closing.archive import _objects
from cloud.closing.log import Span, read_history
from evidence.log import Kind
from tests.unit.cloud.month_examples import ARCHIVE, Desk, files, months
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


async def test_nothing_that_a_gateway_may_sign_without_end_is_held(
    desk: Desk, folder: Path
) -> None:
    """What comes before a month's first frame goes into the archive one by one; closes stay."""
    desk.deliver()
    await months(desk, folder).close(sm.PLANT, MONTH, closing="interim")
    done = list[int]()
    objects = _objects(desk.reader, {sm.STREAM: Span(0, 5, b"")}, lambda one, _: done.append(one))
    next(objects)
    assert done == [1], "the configuration is not held until the first frame comes"
    assert [one.hour for one in objects] == ["2026-06-15/04"] * 2 + ["2026-06-15/05"] * 3
    others = [entry.kind for _, entry in read_history(desk.reader).others]
    assert others == [Kind.ENROL] * 3, "and no close of the gateway"


async def test_an_archive_leaves_the_disk_room_for_readings(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence is often on the same disk; what was written of the archive is taken away.

    There is room for the readings alone: not for papers, log and certificates beside them.
    """
    desk.deliver()
    by = months(desk, folder)
    readings = sum(len(one.data) for one in desk.reader.objects(sm.STREAM))
    left = SimpleNamespace(free=256 * 2**20 + readings)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: left)
        says = "archive could not be made: .*256 MiB are left, 256 of them for readings"
        with pytest.raises(MonthRefusedError, match=says):
            await by.close(sm.PLANT, MONTH, closing="final")
    assert files(folder) == {}
    await by.seal(sm.PLANT, MONTH)
    assert list(files(folder)) == [ARCHIVE]
