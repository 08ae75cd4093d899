"""The HJ 212 listener over real TCP: links cut, packets split and joined, strangers, floods."""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.hj212 import listener as listening
from edge.drivers.hj212.driver import Hj212Driver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Item, Register
from tests.integration.drivers.hj212_logger import Logger
from tests.ports import free_port
from tests.unit.edge.drivers.hj212_packets import MN, packet, rtd, segment, stamp
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

OTHER_MN = "010000A8900016F000169DC1"
CO2 = "a05001-Rtd=12.5,a05001-Flag=N"


def row(name: str, factor: str, field: str = "Rtd", command: int = 2011) -> Register:
    item = Item(factor, field, command)
    return register(name, Dtype.I64, table=None, address=None, decimals=2, item=item)


def device(port: int, *rows: Register, mn: str = MN, options: str = "&rtd_s=1") -> DeviceSpec:
    url = f"hj212://127.0.0.1:{port}?mn={mn}{options}"
    return spec(url, *(rows or (row("co2", "a05001"),)), timeout_s=0.5)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest_asyncio.fixture
async def logger(port: int) -> AsyncIterator[Logger]:
    made = Logger(port)
    made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def driver(port: int) -> AsyncIterator[Hj212Driver]:
    made = Hj212Driver(device(port))
    yield made
    await made.close()
    assert listening._LISTENERS == {}


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = ENOUGH_S) -> None:
    for _ in range(int(seconds / 0.01)):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that in time")


async def first(driver: Hj212Driver) -> Sample:
    return (await driver.read())[0]


async def gives(driver: Hj212Driver, raw: int) -> None:
    """Until the first point reads so."""

    async def does() -> bool:
        sample = await first(driver)
        return sample.raw == struct.pack("<q", raw) and sample.quality is Quality.GOOD

    await until(does)


async def linked(driver: Hj212Driver, logger: Logger) -> None:
    connecting = asyncio.create_task(driver.connect())
    await logger.connected()
    await logger.send(logger.message(CO2))
    await connecting
    await gives(driver, 1250)


async def test_a_logger_is_heard(driver: Hj212Driver, logger: Logger) -> None:
    await linked(driver, logger)
    sample = await first(driver)
    # 08:00:00 at +08:00 on 2026-06-01
    assert sample == Sample(struct.pack("<q", 1250), Quality.GOOD, 1_780_272_000 * 10**9)
    assert logger.heard == b""  # not a byte leaves the edge


async def test_an_open_port_is_all_the_connection_there_is(driver: Hj212Driver) -> None:
    began = time.monotonic()
    await driver.connect()
    assert 0.4 < time.monotonic() - began < 30  # a moment for the logger, and no error
    assert await driver.read() == [Sample(None, Quality.NOT_CONNECTED)]


async def test_connected_is_who_has_said_something(driver: Hj212Driver, logger: Logger) -> None:
    await driver.connect()
    await logger.connected()
    assert (await first(driver)).quality is Quality.NOT_CONNECTED  # may be anybody
    heartbeat = segment("", cn=9015)
    await logger.send(packet(heartbeat))

    async def is_there() -> bool:
        return (await first(driver)).quality is Quality.NO_ANSWER

    await until(is_there)


async def test_a_split_message(driver: Hj212Driver, logger: Logger) -> None:
    await linked(driver, logger)
    parts = [
        packet(segment(content, second=9, flag=6, extra=f"PNUM=2;PNO={number};"))
        for number, content in ((1, f"DataTime={stamp(9)}"), (2, "a05001-Rtd=7.25,a05001-Flag=N"))
    ]
    await logger.send(parts[1])
    await asyncio.sleep(0.05)
    assert (await first(driver)).raw == struct.pack("<q", 1250)
    await logger.send(parts[0])
    await gives(driver, 725)


async def test_a_link_cut_in_the_middle_of_a_packet(driver: Hj212Driver, logger: Logger) -> None:
    await linked(driver, logger)
    for round_ in range(20):
        message = logger.message(f"a05001-Rtd={round_}.5,a05001-Flag=N")
        await logger.send(message[: 10 + 4 * round_])
        logger.hang_up()
        assert await logger.settled() == 0 or logger.connections > round_ + 1
        await logger.connected()
        await logger.send(message)
        await gives(driver, round_ * 100 + 50)
    assert logger.connections == 21


async def test_broken_packets_are_told_once_and_the_good_one_counts(
    driver: Hj212Driver, logger: Logger, caplog: pytest.LogCaptureFixture
) -> None:
    await linked(driver, logger)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            broken = logger.message("a05001-Rtd=99.00,a05001-Flag=N", pw="hunter2")
            await logger.send(broken[:-6] + b"0000\r\n")
        await logger.send(logger.message("a05001-Rtd=5.00,a05001-Flag=N"))
        await gives(driver, 500)
    told = [r.getMessage() for r in caplog.records if "packets" in r.getMessage()]
    assert len(told) == 1
    assert "one from 127.0.0.1 has a checksum that does not fit its bytes" in told[0]
    assert "hunter2" not in caplog.text


async def test_silence_is_stale_and_never_the_last_good_value(
    driver: Hj212Driver, logger: Logger
) -> None:
    await linked(driver, logger)
    began = time.monotonic()
    source = (await first(driver)).source_ns

    async def is_stale() -> bool:
        sample = await first(driver)
        assert sample.quality in (Quality.GOOD, Quality.STALE)
        assert (sample.raw is None) == (sample.quality is Quality.STALE)
        return sample == Sample(None, Quality.STALE, source)

    await until(is_stale)
    assert time.monotonic() - began < 20  # two intervals of one second, and a busy machine
    await logger.send(logger.message("a05001-Rtd=5.00,a05001-Flag=N"))
    await gives(driver, 500)


async def test_sent_again_for_want_of_an_answer_is_no_new_value(
    driver: Hj212Driver, logger: Logger
) -> None:
    await linked(driver, logger)
    again = packet(rtd(CO2))
    for _ in range(15):
        await logger.send(again)
        await asyncio.sleep(0.15)
    assert (await first(driver)).quality is Quality.STALE


async def test_another_logger_on_the_port_is_told_and_left(
    driver: Hj212Driver, logger: Logger, caplog: pytest.LogCaptureFixture
) -> None:
    await linked(driver, logger)
    await logger.send(packet(rtd("a05001-Rtd=99.00,a05001-Flag=N", second=50, mn=OTHER_MN)))
    await logger.send(logger.message("a05001-Rtd=5.00,a05001-Flag=N"))
    await gives(driver, 500)
    assert "has an MN nobody wants" in caplog.text
    assert OTHER_MN not in caplog.text


async def test_two_loggers_on_one_port(port: int, logger: Logger) -> None:
    second_logger = Logger(port, "a05001-Rtd=2.00,a05001-Flag=N", mn=OTHER_MN)
    logger.values = "a05001-Rtd=1.00,a05001-Flag=N"
    second_logger.start()
    one, two = Hj212Driver(device(port)), Hj212Driver(device(port, mn=OTHER_MN))
    await asyncio.gather(one.connect(), two.connect())
    await gives(one, 100)
    await gives(two, 200)
    before = logger.connections
    await one.close()

    async def was_cut() -> bool:
        return logger.connections > before

    await until(was_cut)  # its logger learns it; it calls again, as the port is open
    assert second_logger.connections == 1
    await two.connect()
    await gives(two, 200)
    await one.connect()
    await gives(one, 100)
    await two.close()
    await one.close()
    assert await logger.settled() == await second_logger.settled() == 0
    assert listening._LISTENERS == {}
    await second_logger.stop()


async def test_one_mn_twice_on_a_port_is_a_mistake(port: int) -> None:
    one, two = Hj212Driver(device(port)), Hj212Driver(device(port))
    await one.connect()
    with pytest.raises(DeviceError, match="device dev already takes MN") as caught:
        await two.connect()
    assert caught.value.retry is False
    await one.close()
    await two.connect()
    await two.close()


async def test_a_port_that_is_taken(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        driver = Hj212Driver(device(port))
        with pytest.raises(DeviceError, match="cannot listen") as caught:
            await driver.connect()
        assert caught.value.retry is True
    assert listening._LISTENERS == {}
    await driver.connect()
    await driver.close()


async def test_who_may_send(port: int, logger: Logger, caplog: pytest.LogCaptureFixture) -> None:
    driver = Hj212Driver(device(port, options="&rtd_s=1&from=192.0.2.7"))
    logger.values = CO2
    await driver.connect()

    async def is_told() -> bool:
        return "one from 127.0.0.1 was closed: it is not in from=" in caplog.text

    await until(is_told)
    assert (await first(driver)).quality is Quality.NOT_CONNECTED
    await driver.close()
    driver = Hj212Driver(device(port, options="&rtd_s=1&from=192.0.2.7,127.0.0.1"))
    await driver.connect()
    await gives(driver, 1250)
    await driver.close()


async def test_each_device_believes_its_own_peers(
    port: int, logger: Logger, caplog: pytest.LogCaptureFixture
) -> None:
    one = Hj212Driver(device(port, options="&rtd_s=1&from=127.0.0.1"))
    two = Hj212Driver(device(port, mn=OTHER_MN, options="&rtd_s=1&from=127.0.0.2"))
    await asyncio.gather(one.connect(), two.connect())
    await logger.connected()
    await logger.send(packet(rtd(CO2, second=5, mn=OTHER_MN)), logger.message(CO2))
    await gives(one, 1250)
    assert (await first(two)).quality is Quality.NOT_CONNECTED
    assert "one comes from 127.0.0.1, not in from=" in caplog.text
    await one.close()
    await two.close()


async def test_who_speaks_keeps_his_connection(
    driver: Hj212Driver, logger: Logger, port: int
) -> None:
    await linked(driver, logger)
    idle = []
    for _ in range(12):
        idle.append(await asyncio.open_connection("127.0.0.1", port))
        idle[-1][1].write(b"#")  # who only makes a noise is no logger that is newer
        await asyncio.sleep(0.02)
    await logger.send(logger.message(CO2))
    assert logger.connections == 1
    for _, writer in idle:
        writer.transport.abort()


async def test_connections_are_bounded_and_the_silent_ones_give_way(
    driver: Hj212Driver, logger: Logger, port: int
) -> None:
    await driver.connect()
    many = (asyncio.open_connection("127.0.0.1", port) for _ in range(60))
    idle = await asyncio.gather(*many)  # several in one turn of the loop

    async def is_heard() -> bool:
        await logger.connected()  # again, where it gave way before it spoke
        with contextlib.suppress(ConnectionError):
            await logger.send(logger.message(CO2))
        await asyncio.sleep(0.2)
        return (await first(driver)).quality is not Quality.NOT_CONNECTED

    await until(is_heard)
    await gives(driver, 1250)
    open_ones = sum(len(found._connections) for found in listening._LISTENERS.values())
    assert open_ones <= listening.CONNECTIONS_MAX
    for _, writer in idle:
        writer.transport.abort()


async def test_who_sends_without_end_is_read_slowly(
    driver: Hj212Driver, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets that are whole and say nothing took all the time there was."""
    monkeypatch.setattr(listening, "_PAUSE_S", 10 * ENOUGH_S)
    fed = []
    monkeypatch.setattr(listening.Listener, "_feed", lambda *of: fed.append(len(of[2])))
    await driver.connect()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(packet("") * 5_000)  # 60 kB

    async def is_fed() -> bool:
        return bool(fed)

    await until(is_fed)
    await asyncio.sleep(0.1)
    assert sum(fed) <= 4096
    writer.transport.abort()


async def test_who_sends_no_hj212_is_closed(driver: Hj212Driver, port: int) -> None:
    await driver.connect()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for _ in range(200):
            writer.write(b"##9999 GET / HTTP/1.1\r\n" * 100)
            await writer.drain()
            await asyncio.sleep(0)

    async def is_closed() -> bool:
        return reader.at_eof() or reader.exception() is not None

    await until(is_closed)
    writer.transport.abort()


async def test_answers_only_when_told_to(port: int, logger: Logger) -> None:
    driver = Hj212Driver(device(port, options="&rtd_s=1&answer=yes"))
    logger.may_hear = True
    await linked(driver, logger)
    assert logger.heard == b""  # Flag did not ask
    await logger.send(
        logger.message("a05001-Rtd=5.00,a05001-Flag=N", flag=9, milli=7),
        packet(segment("", cn=9015, flag=5, second=70)),
        packet(segment("PolId=a05001", cn=3020, flag=5, second=71)),  # not ours to answer
        packet(rtd(CO2, second=72, flag=5, mn=OTHER_MN)),
    )
    await gives(driver, 500)
    due = packet(f"QN={stamp(1)}007;ST=91;CN=9014;PW=123456;MN={MN};Flag=8;CP=&&&&") + packet(
        f"QN={stamp(70)}223;ST=91;CN=9013;PW=123456;MN={MN};Flag=4;CP=&&&&"
    )

    async def answered() -> bool:
        return len(logger.heard) >= len(due)

    await until(answered)
    await asyncio.sleep(0.05)
    assert bytes(logger.heard) == due
    await driver.close()


async def test_averages_come_from_their_own_message(port: int, logger: Logger) -> None:
    rows = [row("now", "a05001"), row("mean", "a05001", "Avg", 2051)]
    driver = Hj212Driver(device(port, *rows, options="&rtd_s=1&minutes_s=60"))
    await linked(driver, logger)
    assert (await driver.read())[1] == Sample(None, Quality.NO_ANSWER)
    minutes = segment(
        f"DataTime={stamp(0)};a05001-Min=1.00,a05001-Avg=2.00,a05001-Max=3.00,a05001-Flag=N",
        cn=2051, second=65,
    )  # fmt: skip
    await logger.send(packet(minutes))

    async def has_mean() -> bool:
        return (await driver.read())[1].raw == struct.pack("<q", 200)

    await until(has_mean)
    await asyncio.sleep(2.1)
    now, mean = await driver.read()
    assert (now.quality, mean.quality) == (Quality.STALE, Quality.GOOD)
    await driver.close()
