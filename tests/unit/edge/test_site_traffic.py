"""What a site's devices send: sums worked out by hand, and what can never be kept."""

from pathlib import Path
from typing import Any

import pytest

from edge.drivers import open_driver
from edge.site.traffic import Asked, Endpoint, endpoints_of, objections
from evidence.points import Dtype
from tests.unit.edge.drivers.specs import register, spec

SECOND_NS = 1_000_000_000


def asked(url: str, *addresses: int, name: str = "dev", every_s: float = 1, **more: Any) -> Asked:
    """A device with one float at each address, each a read of its own."""
    rows = [register(f"r{a}", Dtype.F32, address=a) for a in addresses]
    made = open_driver(spec(url, *rows, hole_limit=0, timeout_s=5.0, **more))
    return Asked(name, int(every_s * SECOND_NS), made.traffic())


def only(*devices: Asked) -> Endpoint:
    (endpoint,) = endpoints_of(devices)
    return endpoint


LINE = "modbus+rtu:///dev/ttyS0?unit={unit}&baud=9600&parity=E"


def test_a_serial_line_by_hand() -> None:
    """9600 baud 8E1: 11 bits a character. A question has 8 bytes, the answer to two registers
    5 + 4; 3.5 characters of silence before each: 8 + 9 + 7 = 24 characters, 264 bits, 27.5 ms.
    """  # noqa: D205 - one sum
    endpoint = only(asked(LINE.format(unit=1), 0, 100, every_s=2))
    assert (endpoint.first.settings, endpoint.connections) == ("9600 baud 8E1", 1)
    assert endpoint.requests_per_s == pytest.approx(1.0)
    assert endpoint.sent_bytes_per_s == pytest.approx(8.0)
    assert endpoint.answer_bytes_per_s == pytest.approx(9.0)
    assert endpoint.line_share == pytest.approx(264 / 9600)
    assert endpoint.tick_s == pytest.approx(2 * 264 / 9600)
    assert endpoint.wait_s(endpoint.tightest) == pytest.approx(1.6)


def test_a_bit_table_and_a_meter_of_dlt645_by_hand() -> None:
    """Nine coils are two bytes of data: 9 + 2 by TCP."""
    coils = [register(f"c{a}", Dtype.U8, table="coil", address=a) for a in range(9)]
    (request,) = open_driver(spec("modbus+tcp://h:1", *coils)).traffic().requests
    assert request.sent.hex() == "000000000006010100000009"
    assert (request.numbered, request.answer_bytes) == (2, 11)


def test_devices_of_an_endpoint_share_a_connection_and_the_slowest_sets_the_cap() -> None:
    url = "modbus+tcp://192.0.2.7:502?unit={}&requests_per_s={}"
    one, two = asked(url.format(1, 20), 0, 100), asked(url.format(2, 10), 0, name="two")
    endpoint = only(one, two)
    assert endpoint.connections == 1
    assert endpoint.requests_per_s == pytest.approx(3)
    assert endpoint.gap_s == pytest.approx(0.1)
    assert endpoint.tick_s == pytest.approx(0.2)  # two gaps between three questions
    assert list(objections([one, two])) == []


def test_each_opc_ua_device_has_a_connection_of_its_own() -> None:
    node = register("volt", Dtype.F32, node="ns=2;s=volt")
    made = [
        Asked(name, SECOND_NS, open_driver(spec("opc.tcp://h:1/p", node)).traffic())
        for name in ("one", "two")
    ]
    assert only(*made).connections == 2


def test_a_listener_opens_no_connection() -> None:
    word = register("word", Dtype.U16)
    url = "modbus+listen:///dev/ttyS0?unit=1&baud=9600&parity=E"
    endpoint = only(Asked("dev", SECOND_NS, open_driver(spec(url, word)).traffic()))
    assert (endpoint.connections, endpoint.requests_per_s) == (0, 0)
    assert endpoint.first.promise == "nothing is sent: the line is opened for reading only"


@pytest.mark.parametrize(("cap", "is_kept"), [(2, False), (3, False), (4, True)])
def test_a_cap_that_what_is_read_does_not_fit(cap: int, is_kept: bool) -> None:
    """Three questions a second. With a cap of 3 each next one waits a third of a second after an
    answer that has itself taken time: a little later at every tick, until it misses one.
    """  # noqa: D205 - one thought
    url = f"modbus+tcp://192.0.2.7:502?requests_per_s={cap}"
    found = list(objections([asked(url, 0, 100, 200)]))
    if is_kept:
        assert found == []
    else:
        (objection,) = found
        assert (objection.device, objection.key) == ("dev", "url")
        assert objection.reason == (
            f"requests_per_s {cap} cannot be kept: what is read on 192.0.2.7:502 is 3 requests a "
            "second; allow 4 or more, raise interval_s, or read fewer points"
        )


def test_the_least_cap_on_a_line_leaves_room_for_the_line_itself() -> None:
    """Ten questions a second are 27.5 % of the line (27.5 ms each): 10 / 0.725 = 13.8."""
    addresses = range(0, 1000, 100)
    url = LINE.format(unit=1) + "&requests_per_s={}"
    (objection,) = objections([asked(url.format(13), *addresses)])
    assert "allow 14 or more" in objection.reason
    ((device, key, reason),) = objections([asked(url.format(14), *addresses)])
    # it fits the second now (0.275 s and ten gaps of 71 ms), but not what the agent waits of it
    assert (device, key) == ("dev", "interval_s")
    assert reason == (
        "a read of it, in turn with what else is read on /dev/ttyS0, takes at least 0.92 s by "
        "requests_per_s 14 and the line's speed, and the agent waits 0.80 s for it (interval_s, "
        "less 0.2 of the site's shortest): raise interval_s, or read fewer points"
    )


def test_a_line_that_is_too_slow_for_what_is_read() -> None:
    """Forty questions of 27.5 ms are 1.1 s each second, however they are spread over devices."""
    devices = [asked(LINE.format(unit=u), *range(0, 2000, 100), name=f"meter-{u}") for u in (1, 2)]
    (objection,) = objections(devices)
    assert objection.key == "interval_s"
    assert "/dev/ttyS0 would be busy 110% of its time: raise interval_s or baud" in objection.reason


def test_a_slow_device_beside_a_fast_one_has_its_own_interval() -> None:
    """Forty questions of 27.5 ms are 1.1 s: too long for a site of one second, not for a minute's
    schedule in it, of which a fifth of that second is the disk's.
    """  # noqa: D205 - one thought
    fast = asked("modbus+tcp://192.0.2.7:502", 0, name="fast")
    slow = asked(LINE.format(unit=1), *range(0, 4000, 100), name="slow", every_s=60)
    assert list(objections([fast, slow])) == []
    line = endpoints_of([fast, slow])[1]
    assert (line.tick_s, line.wait_s(slow)) == (pytest.approx(1.1), pytest.approx(59.8))
    (objection,) = objections([asked(LINE.format(unit=1), *range(0, 3000, 100), every_s=1)])
    assert "takes at least 0.82 s by the line's speed" in objection.reason


def test_devices_of_several_intervals_take_turns_on_a_line() -> None:
    """Twenty questions of 27.5 ms each second are 0.55 s of it. Beside them a unit asked twice a
    minute for thirty takes a turn between each two: in a second in which it has them all the quick
    one needs 20 turns of both, 1.1 s, and does not get them. With ten: 20 + 10 turns, 0.825 s. With
    nine: 0.7975 s.
    """  # noqa: D205 - one sum
    quick = asked(LINE.format(unit=1), *range(0, 2000, 100), name="quick")
    for count, takes_s in ((30, 1.1), (10, 0.825), (9, 0.7975)):
        slow = asked(LINE.format(unit=2), *range(0, 100 * count, 100), name="slow", every_s=30)
        line = only(quick, slow)
        assert line.takes_s(quick) == pytest.approx(takes_s)
        found = [(o.device, o.key) for o in objections([quick, slow])]
        assert found == ([("quick", "interval_s")] if takes_s > 0.8 else [])
        # the quick one is asked in each of the seconds that the slow one may take
        assert line.takes_s(slow) == pytest.approx(2 * count * 0.0275)


def test_pauses_of_a_device_do_not_add_up_over_devices() -> None:
    url = "modbus+tcp://192.0.2.7:502?unit={}"
    devices = [asked(url.format(u), 0, 100, 200, name=f"m{u}", pause_ms=300) for u in (1, 2, 3)]
    assert only(*devices).tick_s == pytest.approx(0.6)
    assert list(objections(devices)) == []
    (objection,) = objections([asked(url.format(1), 0, 100, 200, 300, pause_ms=300)])
    assert "takes at least 0.90 s by pause_ms 300, and the agent waits 0.80 s" in objection.reason


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        (
            LINE.format(unit=1),
            "modbus+rtu:///dev/ttyS0?unit=2&baud=19200&parity=E",
            "/dev/ttyS0 is used as Modbus RTU, 19200 baud 8E1 here and as Modbus RTU, 9600 baud "
            "8E1 by one; it is opened once and can be one of them only",
        ),
        (
            LINE.format(unit=1),
            "modbus+listen:///dev/ttyS0?unit=2&baud=9600&parity=E",
            "/dev/ttyS0 is used as Modbus RTU, listening, 9600 baud 8E1 here",
        ),
        (
            "modbus+tcp://192.0.2.7:502",
            "modbus+rtu-tcp://192.0.2.7:502?unit=1",
            "192.0.2.7:502 is used as Modbus RTU here and as Modbus TCP by one",
        ),
    ],
)
def test_one_line_or_port_used_in_two_ways(one: str, two: str, says: str) -> None:
    (objection,) = objections([asked(one, 0, name="one"), asked(two, 0, name="two")])
    assert (objection.device, objection.key) == ("two", "url")
    assert objection.reason.startswith(says)


def test_a_folder_and_a_database_have_no_wire(tmp_path: Path) -> None:
    from tests.unit.edge.drivers.row_specs import column, files, row_spec

    source = files(columns=("at", "a"), time="at", name="")
    made = open_driver(row_spec(f"folder://{tmp_path}", source, column("a", "a", Dtype.F32)))
    endpoint = only(Asked("dev", SECOND_NS, made.traffic()))
    assert (endpoint.connections, endpoint.requests_per_s) == (0, 0)
    assert "files opened for reading" in endpoint.first.promise
