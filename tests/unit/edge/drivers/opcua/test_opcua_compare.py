"""What a server pushes is held against what it says when it is read."""

import asyncio

import pytest
from asyncua.ua.uaerrors import UaError

from edge.drivers.base import Sample
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import OpcUaSecurity
from edge.drivers.opcua.session import Session
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


def test_a_change_under_way_and_what_cannot_be_subscribed_are_nothing_amiss(
    driver: OpcUaDriver,
) -> None:
    assert not driver._found([good(1), good(3), good(9)])
    driver._newest[1] = good(3)  # then it was pushed, and is about to change again
    assert not driver._found([good(1), good(4), good(9)])
    assert not driver._found([LATE, LATE, LATE])
    assert not driver._found([good(1), good(5), good(9)])
    assert not driver._found([good(1), good(3), good(9)])  # back: what was pushed is true


@pytest.mark.parametrize("now", [good(3), BAD, Sample(b"\x02", Quality.UNCERTAIN)])
def test_what_is_other_at_two_looks_and_was_not_pushed_is_not_watched(
    driver: OpcUaDriver, now: Sample
) -> None:
    assert not driver._found([good(1), now, BAD])
    assert driver._found([good(1), now, BAD]).endswith("pushes no changes of dev.amp")
    driver._apart = {}
    assert not driver._found([good(7), now, BAD])
    assert driver._found([good(8), now, BAD]).endswith("of dev.volt and 1 points more")


async def test_it_looks_now_and_then_and_no_read_waits_for_it(
    driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes seconds to tell all its values was late by that at each look."""
    session = Session("opc.tcp://127.0.0.1:1/x", OpcUaSecurity(), 1.0)
    now_s, ends = 100.0, list[asyncio.Future[list[Sample]]]()

    async def read_all(most: int) -> list[Sample]:
        assert most == 100
        ends.append(asyncio.get_running_loop().create_future())
        return await ends[-1]

    async def reads() -> None:
        for _ in range(3):
            driver._compare_in_time(session)
            await asyncio.sleep(0)

    monkeypatch.setattr("edge.drivers.opcua.driver.monotonic", lambda: now_s)
    monkeypatch.setattr(driver, "_read_all", read_all)
    driver._compare_s, driver._compared_s = 30.0, 71.0
    await reads()
    assert not ends
    for failed, lost in ((TimeoutError(), ""), (None, ""), (UaError("no"), "no")):
        now_s += 30.0
        await reads()
        now_s += 9.0  # so long it lasts
        if failed is None:
            ends[-1].set_result([good(1), good(2), BAD])
        else:
            ends[-1].set_exception(failed)
        await reads()
        assert (driver._compared_s, session.lost) == (now_s, lost)
    assert len(ends) == 3
    now_s += 30.0
    await reads()
    await driver._drop()
    await asyncio.sleep(0)
    assert ends[-1].cancelled()
