"""A collector that lost its slice: what it signs, says and does."""

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import update

from cloud.collector import watch
from cloud.database.schema import lease
from cloud.errors import SliceLostError
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import Gateway
from tests.unit.cloud.kept import kept_in
from tests.waiting import ENOUGH_S


async def taken_over(running: Running, root: Path, gateway: Gateway) -> None:
    """It has given a receipt; then its machine froze, and another began in a restored folder."""
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    assert running.store._lock is not None  # a server's database has none: its lease is what counts
    os.close(running.store._lock)
    running.store._lock, running.store._renewed_s = None, 0.0
    with kept_in(root).writing() as connection:
        connection.execute(update(lease).values(epoch=lease.c.epoch + 1, holder="another"))


async def ends(running: Running) -> None:
    await asyncio.wait_for(running.collector.ended.wait(), ENOUGH_S)
    assert isinstance(running.collector.defect, SliceLostError)


async def test_who_lost_the_slice_says_nothing_to_who_connects_again(
    running: Running, tmp_path: Path, gateway: Gateway
) -> None:
    """Its receipts are of a log that is not the slice's: a gateway would free what nobody holds."""
    await taken_over(running, tmp_path / "00", gateway)
    running.collector.say(running.intake.gateways()[0], "config", b"said before")
    before = list(running.link.published)
    running.collector.resend()
    await ends(running)
    assert running.link.published == before


async def test_who_lost_the_slice_receipts_nothing_that_is_sent_again(
    running: Running, tmp_path: Path, gateway: Gateway
) -> None:
    await taken_over(running, tmp_path / "00", gateway)
    running.send(*gateway.objects)
    await ends(running)
    assert running.receipted() == [0]


async def test_who_lost_the_slice_ends_though_nothing_comes(
    running: Running, tmp_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its pages would show the old log for good, and both throw each other off the broker."""
    monkeypatch.setattr(watch, "QUIET_S", 0.1)
    monkeypatch.setattr(watch, "LOOK_S", 0.1)
    await taken_over(running, tmp_path / "00", gateway)
    await ends(running)
