"""The collector's sign of life: given for each turn of its thread, and for none that hangs."""

import asyncio
from concurrent.futures import Future
from pathlib import Path

import pytest

from cloud.alive import tell_alive
from cloud.beside import beside
from cloud.errors import StoreError
from evidence.service import ServiceManager
from tests.notified import manager


async def test_each_turn_is_told_and_a_hanging_thread_is_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.alive.ALIVE_S", 0.0)
    turns: asyncio.Queue[Future[None]] = asyncio.Queue()

    def turn() -> Future[None]:
        turns.put_nowait(future := Future[None]())
        return future

    with manager(tmp_path) as hearing:
        told = ServiceManager(hearing.environment)
        task = asyncio.create_task(tell_alive(told, turn, lambda: "fine"))
        for _ in range(3):
            asked = await turns.get()
            assert hearing.heard() == []  # the thread has not come round yet
            asked.set_result(None)
            await hearing.hear("WATCHDOG=1")
        ended = StoreError("the collector has ended; nothing more is logged")
        (await turns.get()).set_exception(ended)
        await task
        assert hearing.heard() == []


async def test_work_beside_that_ends_by_a_defect_is_said_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def follow() -> None:
        raise LookupError("what nobody thought of")

    said: list[str] = []

    async def serve() -> None:
        async with beside(follow()):
            for _ in range(3):
                await asyncio.sleep(0)
            said.extend(record.getMessage() for record in caplog.records if record.exc_info)

    with pytest.raises(LookupError):
        await serve()
    assert len(said) == 1
    assert "follow has ended and does nothing more" in said[0]
