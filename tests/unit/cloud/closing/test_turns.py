"""A month that takes long keeps no other plant's month from being closed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cloud.closing.turns import AT_ONCE
from cloud.collector.desk import PlantEvidence
from tests.unit.cloud.month_examples import ARCHIVE, Desk, files, months
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import MONTH

LONG = {"closing": "final"}


class Slow:
    """A desk whose other plants' months last until `over` is set."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.over = desk, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def evidence(self, plant: str) -> PlantEvidence:
        return self._desk.evidence(sm.PLANT)

    async def look_for_keys(self, plant: str) -> Sequence[str]:
        if plant != sm.PLANT:
            await self.over.wait()
        return await self._desk.look_for_keys(plant)


async def test_a_slow_plant_keeps_no_other_from_being_closed(desk: Desk, folder: Path) -> None:
    slow = Slow(desk.deliver())
    by = months(slow, folder)  # type: ignore[arg-type] # it is a desk but for two methods
    first = asyncio.create_task(by.close("slow-1", MONTH, **LONG))
    await asyncio.wait_for(by.close(sm.PLANT, MONTH, **LONG), 60)
    assert ARCHIVE in files(folder)
    assert not first.done()
    first.cancel()


async def test_who_waits_for_other_plants_is_told_so(desk: Desk, folder: Path) -> None:
    slow = Slow(desk.deliver())
    by = months(slow, folder)  # type: ignore[arg-type] # it is a desk but for two methods
    names = [f"slow-{n}" for n in range(AT_ONCE)]
    tasks = [asyncio.create_task(by.close(name, MONTH, **LONG)) for name in [*names, sm.PLANT]]
    again = asyncio.create_task(by.close(sm.PLANT, MONTH, closing="interim"))
    await asyncio.sleep(0.1)
    rows = [by.progress.row(name, MONTH) for name in [*names, sm.PLANT]]
    assert [row and row["phase"] for row in rows] == [*["begin"] * AT_ONCE, "wait"]
    assert rows[-1]["total"] == AT_ONCE, "before it"
    for task in tasks[:AT_ONCE]:
        task.cancel()
    assert (await asyncio.wait_for(tasks[-1], 60))["closing"] == "final"
    (refused,) = await asyncio.gather(again, return_exceptions=True)
    assert "is closed for good" in str(refused), "one closing of a plant at a time"
    assert by.progress.row(sm.PLANT, MONTH) is None
