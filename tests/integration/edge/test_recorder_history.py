"""What the readings before say outlives the process: by the frame's snapshot and the open ticks."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.disk import Disk
from edge.drivers.base import Sample
from edge.errors import SpoolError
from edge.pipeline import assemble
from edge.recorder import Recorder
from edge.spool import Spool
from evidence.quality import Quality
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.sites import METERS, config_of, replaced, site_of
from tests.unit.edge.stream_rig import opened
from tests.unit.edge.ticks import one_read

S = 10**9
T0 = 1_795_574_700 * S
RATIOS = 'vt_ratio = "10000/100"\n'
RULES = '[device.rules.frequency]\njump = "1"\nstuck_after_s = "4"\n'
GOOD, STUCK, JUMPED, BACK = 0, 20, 21, 22


class Gateway:
    """A spool, and one recorder after another on it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spool.sqlite"
        site = site_of(folder, replaced(METERS, {RATIOS: RATIOS + RULES}))
        self.config: dict[str, Any] = config_of(site)
        self.disk = Disk()
        self.spool: Spool | None = None

    async def start(self) -> Recorder:
        """A new process; of the one before nothing is left but its files."""
        if self.spool is not None:
            await self.disk.run(self.spool.close)
        self.spool, stream = await self.disk.run(opened, self.path)
        recorder = Recorder(stream, self.disk, ShiftedClock(), lambda _: None)
        await recorder.take_over(self.config, T0)
        return recorder


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    if made.spool is not None:
        await made.disk.run(made.spool.close)
    made.disk.close()


async def read(recorder: Recorder, second: int, hertz: float) -> int:
    """One instant with this frequency; its quality as it was committed."""
    layout, tick_ns = recorder.layout, T0 + second * S
    raw = struct.pack("<H", round(hertz * 100))
    samples = {"ac-1.frequency": Sample(raw, Quality.GOOD)}
    (tick,) = await recorder.commit(
        [assemble(layout, 0, tick_ns, one_read(layout, samples), {})], tick_ns
    )
    group, row = layout.place["ac-1.frequency"]
    return int(tick.rows[group].quality[row])


@pytest.mark.parametrize("closed_after", [None, 0, 1, 2])
async def test_a_restart_goes_on(gateway: Gateway, closed_after: int | None) -> None:
    """Killed in the middle of a spike, whether its ticks were in a frame or still open."""
    recorder = await gateway.start()
    for second, (hertz, code) in enumerate([(50, GOOD), (50, GOOD), (53, JUMPED)]):
        assert await read(recorder, second, hertz) == code
        if second == closed_after:
            await recorder.close_frame()
    recorder = await gateway.start()
    assert await read(recorder, 3, 50) == BACK
    assert [await read(recorder, second, 50) for second in (4, 5, 6)] == [GOOD] * 3
    recorder = await gateway.start()
    assert await read(recorder, 7, 50) == STUCK, "since second 3, over a second restart"


async def test_a_silence_of_more_than_two_intervals_ends_it(gateway: Gateway) -> None:
    recorder = await gateway.start()
    assert [await read(recorder, s, 50) for s in range(5)] == [GOOD] * 4 + [STUCK]
    recorder = await gateway.start()
    assert await read(recorder, 7, 53) == GOOD
    assert [await read(recorder, s, 53) for s in (8, 9, 10, 11)] == [GOOD] * 3 + [STUCK]


async def test_another_configuration_begins_anew(gateway: Gateway) -> None:
    recorder = await gateway.start()
    assert [await read(recorder, s, 50) for s in range(5)] == [GOOD] * 4 + [STUCK]
    gateway.config = {**gateway.config, "software": "stackproof another"}
    recorder = await gateway.start()
    assert await read(recorder, 5, 53) == GOOD


async def test_a_tick_that_the_disk_refused_is_not_known(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = await gateway.start()
    assert await read(recorder, 0, 50) == GOOD

    def refuse(*_: object) -> None:
        raise SpoolError("disk I/O error")

    with monkeypatch.context() as refusing:
        refusing.setattr(Spool, "commit_ticks", refuse)
        with pytest.raises(SpoolError) as caught:
            await read(recorder, 1, 53)
    await recorder.fall_back(caught.value)
    assert await read(recorder, 2, 50) == GOOD, "what was never kept was no spike"
