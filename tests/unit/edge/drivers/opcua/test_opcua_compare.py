"""What a server pushes is held against what it says when it is read."""

import pytest

from edge.drivers.base import Sample
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register, spec

ROWS = [register(name, Dtype.U8, node="ns=2;s=" + name) for name in ("volt", "amp", "refused")]


def good(value: int) -> Sample:
    return Sample(bytes([value]), Quality.GOOD)


BAD = Sample(None, Quality.DEVICE_REFUSED)
LATE = Sample(None, Quality.NO_ANSWER)


@pytest.fixture
def driver() -> OpcUaDriver:
    made = OpcUaDriver(spec("opc.tcp://127.0.0.1:1/x?mode=subscribe", *ROWS))
    made._newest, made._pushed = [good(1), good(2), BAD], [0, 1]  # the third cannot be subscribed
    return made


async def look(driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch, *read: Sample) -> None:
    async def read_all() -> list[Sample]:
        return list(read)

    monkeypatch.setattr(driver, "_read_all", read_all)
    await driver._compare()


async def test_a_change_under_way_and_what_cannot_be_subscribed_are_nothing_amiss(
    driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look(driver, monkeypatch, good(1), good(3), good(9))
    driver._newest[1] = good(3)  # then it was pushed, and is about to change again
    await look(driver, monkeypatch, good(1), good(4), good(9))
    await look(driver, monkeypatch, LATE, LATE, LATE)
    await look(driver, monkeypatch, good(1), good(5), good(9))
    await look(driver, monkeypatch, good(1), good(3), good(9))  # back: what was pushed is true


@pytest.mark.parametrize("now", [good(3), BAD, Sample(b"\x02", Quality.UNCERTAIN)])
async def test_what_is_other_at_two_looks_and_was_not_pushed_is_not_watched(
    driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch, now: Sample
) -> None:
    await look(driver, monkeypatch, good(1), now, BAD)
    with pytest.raises(ConnectionError, match=r"pushes no changes of dev\.amp$"):
        await look(driver, monkeypatch, good(1), now, BAD)
    driver._apart = {}
    await look(driver, monkeypatch, good(7), now, BAD)
    with pytest.raises(ConnectionError, match=r"no changes of dev\.volt and 1 points more$"):
        await look(driver, monkeypatch, good(8), now, BAD)


async def test_it_looks_now_and_then(driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("edge.drivers.opcua.driver.monotonic", lambda: now_s)
    driver._compare_s, driver._compared_s = 30.0, 71.0
    await look(driver, monkeypatch)  # nothing was read: it would have failed
    now_s = 101.0
    await look(driver, monkeypatch, good(1), good(2), BAD)
    assert driver._compared_s == 101.0
