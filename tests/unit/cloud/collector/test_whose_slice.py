"""A collector that lost its slice, or whose folders are away: what it signs, says and does."""

import asyncio
from pathlib import Path

import pytest

from cloud.collector import watch
from cloud.errors import SliceLostError
from tests.unit.cloud.collector.running import RECEIPTS, Running
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, Gateway
from tests.waiting import ENOUGH_S


async def taken_over(running: Running, root: Path, gateway: Gateway) -> None:
    """It has given a receipt; then its machine froze, and another began in a restored folder."""
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    (root / "lock").write_text("another\n")


async def ends(running: Running) -> None:
    await asyncio.wait_for(running.collector.ended.wait(), ENOUGH_S)
    assert isinstance(running.collector.defect, SliceLostError)
    with pytest.raises(SliceLostError):
        running.store.close()


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


async def test_while_the_slices_folder_is_away_no_receipt_is_given(
    running: Running, tmp_path: Path, gateway: Gateway
) -> None:
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    (tmp_path / "00").rename(tmp_path / "away")
    running.collector.resend()
    await asyncio.sleep(0.3)
    assert len(running.link.on(RECEIPTS)) == 1
    (tmp_path / "away").rename(tmp_path / "00")
    await running.until(lambda: running.receipted() == [0, 0])


async def test_a_plants_folder_that_is_away_costs_that_plant_alone(
    running: Running, tmp_path: Path, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """What commits and keys are read from is gone: it is tried again, and the collector goes on."""
    running.send(gateway.config())
    await running.until(lambda: running.receipted() == [0])
    (tmp_path / "00/mini").rename(tmp_path / "away")
    data = gateway.frame(T0_NS + SECOND_NS)
    running.send(data)
    await running.until(lambda: "mini" in running.collector.amiss())
    assert "is not as this collector left it" in running.collector.amiss()["mini"]["not-served"]
    assert not (tmp_path / "00/mini").exists()
    (tmp_path / "away").rename(tmp_path / "00/mini")
    await running.until(lambda: "plant mini is served again" in caplog.text)
    running.send(data)
    await running.until(lambda: running.receipted() == [0, 1])
    assert running.collector.defect is None
