"""What works beside the collector does not die unheard."""

import asyncio

import pytest

from cloud.beside import beside


async def test_work_that_dies_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    async def work() -> None:
        raise RuntimeError("no such plant")

    async def collector() -> None:
        async with beside(work()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            told.extend(one.getMessage() for one in caplog.records)

    with pytest.raises(RuntimeError):
        await collector()
    assert len(told) == 1
    assert "work has ended" in told[0]
