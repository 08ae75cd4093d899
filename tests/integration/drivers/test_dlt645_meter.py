"""The DL/T 645 driver against somebody else's meter (PyPI dlt645), over TCP and a serial line."""

import contextlib
import fcntl
import os
import selectors
import struct
import termios
import threading
import tty
from collections.abc import Iterator, Sequence

import pytest
from dlt645 import MeterServerService

from edge.drivers import open_driver
from edge.drivers.base import BoundPoint, DeviceError, DeviceSpec, Sample
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import load_profile
from tests.integration.drivers.opened import opened
from tests.ports import free_port
from tests.recorded_wires import Dlt645, Relay
from tests.unit.edge.drivers.specs import bound

METER = "123456789012"
PROFILE = load_profile("stackproof/dlt645-meter")

#: register of the shipped profile -> (what is put into the meter, the raw number due)
VALUES = {
    "energy_import": (123456.78, 12_345_678),
    "energy_export": (0.01, 1),
    "voltage_a": (230.8, 2308),
    "voltage_b": (0.0, 0),
    "voltage_c": (799.9, 7999),
    "current_a": (-0.001, -1),
    "current_b": (123.456, 123_456),
    "current_c": (-799.999, -799_999),
    "power": (-12.3456, -123_456),
    "frequency": (50.01, 5001),
}


def set_values(server: MeterServerService) -> None:
    # the library takes the address as it stands on the wire
    server.set_address(bytearray.fromhex("129078563412"))
    for row in PROFILE.registers:
        assert row.identifier is not None
        put = server.set_00 if row.identifier.di < 0x02000000 else server.set_02
        assert put(row.identifier.di, VALUES[row.name][0])


def site_device(url: str, timeout_s: float = 2.0) -> DeviceSpec:
    points = tuple(BoundPoint(bound(row).point, row) for row in PROFILE.registers)
    return DeviceSpec("dev", url, PROFILE, points, timeout_s)


def numbers(samples: Sequence[Sample]) -> dict[str, int]:
    found = {}
    for row, sample in zip(PROFILE.registers, samples, strict=True):
        assert sample.quality is Quality.GOOD, row.name
        assert sample.raw is not None
        code = {Dtype.U16: "<H", Dtype.U32: "<I", Dtype.I32: "<i"}[row.dtype]
        (found[row.name],) = struct.unpack(code, sample.raw)
    return found


@pytest.fixture
def tcp_meter() -> Iterator[int]:
    port = free_port()
    server = MeterServerService.new_tcp_server("127.0.0.1", port, 1.0)
    set_values(server)
    assert server.start()
    relay = Relay(port, Dlt645)
    yield relay.port
    relay.stop()
    server.stop()


@pytest.fixture
def serial_meter() -> Iterator[str]:
    """A meter on one end of a line made of two ptys; the path of the other end."""
    ends = [os.openpty() for _ in range(2)]
    for pair in ends:
        tty.setraw(pair[1])
    (meter_master, meter_end), (our_master, our_end) = ends
    server = MeterServerService.new_rtu_server(os.ttyname(meter_end), 8, 1, 2400, "N", 1.0)
    set_values(server)
    assert server.start()
    with _joined(meter_master, our_master):
        yield os.ttyname(our_end)
        server.stop()
    for fd in (meter_master, meter_end, our_master, our_end):
        os.close(fd)


@contextlib.contextmanager
def _joined(one: int, other: int) -> Iterator[None]:
    """What is written to the one pty's master comes out of the other's, both ways."""
    stop_read, stop_write = os.pipe()
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        selector.register(stop_read, selectors.EVENT_READ, None)

        record = Dlt645()

        def pump() -> None:
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    with contextlib.suppress(OSError):
                        data = os.read(key.fd, 4096)
                        if key.fd == other:  # what comes out of our end
                            record.feed(data)
                        os.write(key.data, data)

        thread = threading.Thread(target=pump)
        thread.start()
        yield
        os.write(stop_write, b"x")
        thread.join(5)
    os.close(stop_read)
    os.close(stop_write)


async def test_every_register_of_the_shipped_profile_reads_true_over_tcp(tcp_meter: int) -> None:
    driver = open_driver(site_device(f"dlt645+tcp://127.0.0.1:{tcp_meter}?address={METER}"))
    await driver.connect()
    for _ in range(3):
        assert numbers(await driver.read()) == {name: raw for name, (_, raw) in VALUES.items()}
    await driver.close()


async def test_every_register_of_the_shipped_profile_reads_true_on_a_serial_line(
    serial_meter: str,
) -> None:
    # a pty has no parity; on a real line it is even
    url = f"dlt645+serial://{serial_meter}?address={METER}&baud=2400&parity=N"
    async with opened(open_driver(site_device(url))) as driver:
        for _ in range(2):
            assert numbers(await driver.read()) == {name: raw for name, (_, raw) in VALUES.items()}


async def test_another_meters_address_gives_no_value(tcp_meter: int) -> None:
    # a real meter stays silent; this one refuses in the other's name
    driver = open_driver(
        site_device(f"dlt645+tcp://127.0.0.1:{tcp_meter}?address=123456789013", timeout_s=0.3)
    )
    await driver.connect()
    assert {(s.raw, s.quality) for s in await driver.read()} == {(None, Quality.DEVICE_REFUSED)}
    await driver.close()


async def test_the_line_is_given_back(serial_meter: str) -> None:
    url = f"dlt645+serial://{serial_meter}?address={METER}&parity=N"
    driver = open_driver(site_device(url))
    for _ in range(5):
        await driver.connect()
        await driver.read()
        with pytest.raises(OSError, match="temporarily unavailable"), _locked(serial_meter):
            pass
        await driver.close()
        with _locked(serial_meter):
            pass


@contextlib.contextmanager
def _locked(path: str) -> Iterator[int]:
    """The line, as another program has it."""
    fd = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield fd
    finally:
        os.close(fd)


async def test_a_line_another_program_has(serial_meter: str) -> None:
    driver = open_driver(site_device(f"dlt645+serial://{serial_meter}?address={METER}&parity=N"))
    with (
        _locked(serial_meter),
        pytest.raises(DeviceError, match="in use by another program") as caught,
    ):
        await driver.connect()
    assert caught.value.retry is True
    await driver.connect()
    await driver.close()


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/null", "no serial line"), ("/dev/no-such-tty", "No such file")]
)
async def test_what_is_no_line(path: str, reason: str) -> None:
    driver = open_driver(site_device(f"dlt645+serial://{path}?address={METER}"))
    with pytest.raises(DeviceError, match=reason):
        await driver.connect()


async def test_a_line_is_set_as_the_url_says(serial_meter: str) -> None:
    url = f"dlt645+serial://{serial_meter}?address={METER}&baud=9600&parity=N"
    async with opened(open_driver(site_device(url))):
        fd = os.open(serial_meter, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            _, output, flags, local, speed, _, _ = termios.tcgetattr(fd)
        finally:
            os.close(fd)
        assert speed == termios.B9600
        assert flags & termios.CSIZE == termios.CS8
        assert (output, local) == (0, 0)


async def test_a_line_that_cannot_do_the_parity_is_refused(serial_meter: str) -> None:
    url = f"dlt645+serial://{serial_meter}?address={METER}&baud=9600&parity=E"
    with pytest.raises(DeviceError, match="cannot be set to 9600 baud, parity E"):
        await open_driver(site_device(url)).connect()
