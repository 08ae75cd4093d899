"""URLs of Modbus devices, and how long things take on a serial line."""

import pytest

from edge.drivers import open_driver
from edge.drivers.base import DeviceError
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.endpoint import Host, Line, Place, parse_place
from evidence.points import Dtype
from tests.unit.edge.drivers.specs import register, spec

WORD = register("word", Dtype.U16)


def place(url: str) -> Place:
    return parse_place(spec(url, WORD))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("modbus+tcp://meter", Place(Host("meter", 502), 1)),
        ("modbus+tcp://[::1]:1502?unit=255", Place(Host("::1", 1502), 255)),
        ("modbus+tcp://meter?unit=0", Place(Host("meter", 502), 0)),
        ("modbus+rtu-tcp://conv:4001?unit=7", Place(Host("conv", 4001, is_rtu=True), 7)),
        ("modbus+tcp://m?unit=2&requests_per_s=20", Place(Host("m", 502), 2, gap_s=0.05)),
        (
            "modbus+rtu:///dev/ttyS1?unit=1&baud=9600&parity=E&stop_bits=1",
            Place(Line("/dev/ttyS1", 9600, "E", 1), 1),
        ),
        (
            "modbus+rtu:///dev/serial/by-id/usb-FTDI_A:1-if00?unit=247&baud=115200&parity=N&stop_bits=2",
            Place(Line("/dev/serial/by-id/usb-FTDI_A:1-if00", 115200, "N", 2), 247),
        ),
        (
            "modbus+listen:///dev/ttyS1?unit=3&baud=19200&parity=O&stale_after=5",
            Place(Line("/dev/ttyS1", 19200, "O", 1), 3, stale_after=5),
        ),
    ],
)
def test_what_a_url_says(url: str, expected: Place) -> None:
    assert place(url) == expected


def test_a_place_is_written_as_people_write_it() -> None:
    assert str(place("modbus+tcp://[::1]:1502?unit=4")) == "[::1]:1502, unit 4"
    assert str(place("modbus+rtu:///dev/ttyS1?unit=4&baud=9600&parity=N")) == "/dev/ttyS1, unit 4"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("modbus+rtu:///dev/ttyS0?unit=1&parity=E", "says no baud"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9600", "says no parity"),
        ("modbus+rtu:///dev/ttyS0?baud=9600&parity=E", "says no unit"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9601&parity=E", "baud 9601 is not one of 1200 2400"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=&parity=E", "baud '' is not in 1200..115200"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9600&parity=e", "parity 'e' is not one of N E O"),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9600&parity=E&stop_bits=3", "not in 1..2"),
        ("modbus+rtu:///dev/ttyS0?unit=0&baud=9600&parity=E", "unit '0' is not in 1..247"),
        ("modbus+rtu:///dev/ttyS0?unit=248&baud=9600&parity=E", "unit '248' is not in 1..247"),
        ("modbus+rtu-tcp://conv:4001?unit=0", "unit '0' is not in 1..247"),
        ("modbus+rtu://ttyS0?unit=1&baud=9600&parity=E", "names host 'ttyS0'"),
        ("modbus+rtu://?unit=1&baud=9600&parity=E", "names no device file"),
        ("modbus+rtu:///?unit=1&baud=9600&parity=E", "names no device file"),
        ("modbus+rtu:///dev/tty%53?unit=1&baud=9600&parity=E", "names no device file"),
        ("modbus+rtu://u:secret@/dev/ttyS0?unit=1", "no user name or password"),
        ("modbus+rtu:///dev/ttyS0?unit=1&stale_after=2", "unknown option 'stale_after'"),
        ("modbus+listen:///dev/ttyS0?unit=1&requests_per_s=2", "unknown option 'requests_per_s'"),
        ("modbus+listen:///dev/ttyS0?unit=1&baud=9600&parity=E&stale_after=0", "not in 1..10000"),
        ("modbus+tcp://meter?requests_per_s=1001", "not in 0..1000"),
        ("modbus+tcp://meter?requests_per_s=0.5", "requests_per_s '0.5' is not in"),
        ("modbus+rtu-tcp://conv:4001/path?unit=1", "takes no path '/path'"),
    ],
)
def test_a_wrong_url_is_named_when_the_driver_is_made(url: str, reason: str) -> None:
    with pytest.raises(DeviceError) as caught:
        open_driver(spec(url, WORD))
    assert reason in str(caught.value)
    assert caught.value.retry is False


def test_how_long_a_byte_and_a_silence_take() -> None:
    # serial line 1.02, 2.5.1: 11 bits a byte with parity; 2.5.1.1: 3.5 bytes, 1.75 ms above 19200
    line = Line("/dev/ttyS0", 9600, "E", 1)
    assert line.byte_s == pytest.approx(11 / 9600)
    assert line.silence_s == pytest.approx(3.5 * 11 / 9600)
    assert Line("/dev/ttyS0", 9600, "N", 1).byte_s == pytest.approx(10 / 9600)
    assert Line("/dev/ttyS0", 9600, "N", 2).byte_s == pytest.approx(11 / 9600)
    assert Line("/dev/ttyS0", 115200, "E", 1).silence_s == 0.00175


def test_how_long_an_exchange_takes() -> None:
    # 8 bytes out, 5 + 250 back, two silences of 3.5: 270 bytes of 11 bits at 9600
    assert Line("/dev/ttyS0", 9600, "E", 1).exchange_s(250) == pytest.approx(270 * 11 / 9600)


def test_a_timeout_shorter_than_the_answer_takes_is_refused_when_the_driver_is_made() -> None:
    rows = [register(f"r{i}", Dtype.U16, address=i) for i in range(125)]
    url = "modbus+rtu:///dev/ttyS0?unit=1&baud=1200&parity=E"
    with pytest.raises(DeviceError, match=r"timeout_s 1 is too short: at 1200 baud") as caught:
        ModbusDriver(spec(url, *rows, timeout_s=1.0))  # 270 × 11 / 1200 = 2.48 s
    assert "an answer of 250 bytes takes 2.52 s" in str(caught.value)  # + 50 ms to begin it
    assert caught.value.retry is False
    ModbusDriver(spec(url, *rows, timeout_s=2.6))
    ModbusDriver(spec(url, *rows, timeout_s=1.0, max_registers_per_read=40))
