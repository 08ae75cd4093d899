"""`stackproof edge doctor` on Modbus devices that fail in each layer: the layer, and what to do."""

import asyncio
import contextlib
import fcntl
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commissioning.field import AC_WORDS, Said, edge, site_at, with_url
from tests.integration.drivers.modbus_responder import Pdu, Question, Responder, Silence
from tests.integration.drivers.rtu_line import Converter, SerialLine, Unit
from tests.unit.edge.sites import AC, GAS, HEAD, replaced, write_keys, write_site

Checks = list[Mapping[str, Any]]

#: what the gas meter's profile reads, and words that mean 1234.5 Nm3/h and so on in ITS order
GAS_WORDS = {
    0: 0x86A0, 1: 0x0001,  # serial
    100: 0x5000, 101: 0x449A,  # flow 1234.5, low word first
    102: 0x00FA,  # 25.0 degC
    103: 0x8704, 104: 0x0001,  # 0x00018704 = 100,100 -> 100.100 kPa
}  # fmt: skip


async def doctor(site: Path, said: Said, *devices: str) -> tuple[int, Checks]:
    """Exit status, and what was found of the devices."""
    status = await edge("doctor", site, *devices, "--json")
    told = said.json()["checks"]
    return status, [c for c in told if c["subject"] not in ("broker", "this machine")]


def failures(checks: Checks) -> list[tuple[str, str]]:
    return [(check["layer"], check["sentence"]) for check in checks if check["state"] == "failed"]


@contextlib.asynccontextmanager
async def gas_meter(words: Mapping[int, int]) -> AsyncIterator[Responder]:
    async with Responder(words=dict.fromkeys(range(200), 0) | dict(words)) as device:
        yield device


def gas_site(folder: Path, device: Responder) -> Path:
    write_keys(folder / "keys")
    return write_site(folder, HEAD + with_url(GAS, device.port, was=15021) + _FUEL)


_FUEL = """\
[[statement.fuel]]
kind = "natural-gas"
point = "gas-1.volume"
flow_point = "gas-1.flow"
"""


async def test_a_healthy_meter(tmp_path: Path, meter: Responder, said: Said) -> None:
    _, checks = await doctor(site_at(tmp_path, meter), said, "ac-1")
    assert [(c["layer"], c["state"]) for c in checks] == [
        ("dns", "fine"), ("tcp", "fine"), ("unit", "fine"), ("register", "fine"), ("value", "fine"),
    ]  # fmt: skip
    assert checks[3]["sentence"] == "10 of 10 points have a value"
    assert await meter.settled() == 0


async def test_a_name_nobody_knows(
    tmp_path: Path, meter: Responder, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    site = site_at(tmp_path, meter)
    site.write_text(replaced(site.read_text(), {f"127.0.0.1:{meter.port}": "meter-7.plant:502"}))
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    status, checks = await doctor(site, said, "ac-1")
    assert status == 1
    assert failures(checks) == [
        ("dns", "the name 'meter-7.plant' is not known here: Name or service not known")
    ]
    assert "IP address" in checks[0]["todo"]


async def test_a_closed_port(tmp_path: Path, meter: Responder, said: Said) -> None:
    site = site_at(tmp_path, meter)
    await meter.stop()
    status, checks = await doctor(site, said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert (layer, "nobody listens on that port" in sentence) == ("tcp", True)


async def test_a_host_with_several_addresses(tmp_path: Path, meter: Responder, said: Said) -> None:
    """Localhost is often ::1 too, where nobody listens."""
    site = site_at(tmp_path, meter)
    name = {f"127.0.0.1:{meter.port}": f"localhost:{meter.port}"}
    site.write_text(replaced(site.read_text(), name))
    _, checks = await doctor(site, said, "ac-1")
    assert failures(checks) == []
    await meter.stop()
    _, checks = await doctor(site, said, "ac-1")
    ((layer, sentence),) = failures(checks)
    assert (layer, "nobody listens on that port" in sentence) == ("tcp", True)


async def test_a_port_that_never_accepts(tmp_path: Path, said: Said) -> None:
    """A full backlog drops what comes: as a firewall does."""
    with socket.socket() as full, contextlib.ExitStack() as held:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        write_keys(tmp_path / "keys")
        text = HEAD + with_url(AC, full.getsockname()[1]) + 'timeout_s = "0.3"\n' + _POWER
        status, checks = await doctor(write_site(tmp_path, text), said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert (layer, "nothing comes back within 0.3 s" in sentence) == ("tcp", True)


_POWER = """\
[[statement.auxiliary]]
kind = "electricity"
point = "ac-1.energy_import"
power_point = "ac-1.power"
"""


async def test_a_silent_listener(tmp_path: Path, meter: Responder, said: Said) -> None:
    meter.twist = lambda _: Silence()
    status, checks = await doctor(site_at(tmp_path, meter), said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert layer == "protocol"
    assert "answers no Modbus question, not as unit 1 nor as 255, 0" in sentence
    assert "modbus+rtu-tcp://" in checks[-1]["todo"]


async def test_a_wrong_unit_id(tmp_path: Path, meter: Responder, said: Said) -> None:
    meter.twist = lambda asked: None if asked.unit == 1 else Silence()
    site = site_at(tmp_path, meter)
    site.write_text(replaced(site.read_text(), {"?unit=1": "?unit=7"}))
    status, checks = await doctor(site, said, "ac-1")
    assert status == 1
    assert failures(checks) == [("unit", "unit 7 does not answer, unit 1 does")]
    assert checks[-1]["todo"].startswith("write ?unit=1 in the device's url")


async def test_a_gateway_that_has_nobody_behind_it(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    meter.twist = lambda asked: Pdu(bytes([asked.code | 0x80, 11]))
    status, checks = await doctor(site_at(tmp_path, meter), said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert layer == "unit"
    assert "gateway target device failed to respond (11)" in sentence


async def test_an_illegal_address_and_where_it_would_be(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    meter.illegal = {0x18}
    status, checks = await doctor(site_at(tmp_path, meter), said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert layer == "register"
    assert sentence.startswith("ac-1.power (holding 0x0018 x 2): refused: illegal data address (2)")
    (bad,) = (check for check in checks if check["state"] == "failed")
    assert bad["todo"].startswith("one address higher the device does answer, with 0xC350 0x001A")
    assert "9 of 10 points have a value" in [check["sentence"] for check in checks]


async def test_the_wrong_table(tmp_path: Path, meter: Responder, said: Said) -> None:
    def only_input(asked: Question) -> Pdu | None:
        return None if asked.code == 4 else Pdu(bytes([asked.code | 0x80, 1]))

    meter.twist = only_input
    _, checks = await doctor(site_at(tmp_path, meter), said, "ac-1")
    todo = next(check["todo"] for check in checks if check["layer"] == "register")
    assert todo.startswith("in table input the device does answer")


async def test_a_gas_meter_whose_words_come_the_other_way_round(tmp_path: Path, said: Said) -> None:
    """The profile has the low word first; this device sends the high word first."""
    swapped = GAS_WORDS | {100: 0x449A, 101: 0x5000, 103: 0x0001, 104: 0x8704}
    async with gas_meter(swapped) as device:
        status, checks = await doctor(gas_site(tmp_path, device), said, "gas-1")
    assert status == 1
    found = {check["sentence"].split()[0]: check for check in checks if check["state"] == "failed"}
    assert {check["layer"] for check in found.values()} == {"value"}
    assert 'it would be 1234.500 Nm3/h with word_order = "big"' in found["gas-1.flow"]["todo"]
    assert 'it would be 100.100 kPa with word_order = "big"' in found["gas-1.pressure"]["todo"]


async def test_an_address_one_off(tmp_path: Path, said: Said) -> None:
    shifted = {address - 1: word for address, word in GAS_WORDS.items() if address > 1}
    async with gas_meter(shifted) as device:
        status, checks = await doctor(gas_site(tmp_path, device), said, "gas-1")
    assert status == 1
    todo = next(c["todo"] for c in checks if c["sentence"].startswith("gas-1.flow"))
    assert "1234.500 Nm3/h with the address one lower (0x0063 on the wire)" in todo


RATED = """\
format = 1
vendor = "test"
model = "rated"
revision = "1"
title = "A meter that reports primary amperes"
protocol = "modbus"
quality_level = "simulated"
source = "made up for this test"
address_notation = "0-based"
word_order = "big"
byte_order = "big"
max_registers_per_read = 10
hole_limit = 0
pause_ms = 0
reports = "secondary"
[[register]]
name = "current"
table = "holding"
address = 0
type = "u16"
point_decimals = 1
unit = "A"
kind = "current"
applies = ["ct_ratio"]
range = ["0", "1000"]
source = "made up for this test"
"""


async def test_a_current_ratio_that_is_counted_twice(tmp_path: Path, said: Said) -> None:
    """The meter knows its transformer, and the site file multiplies once more."""
    (tmp_path / "rated.toml").write_text(RATED)
    write_keys(tmp_path / "keys")
    async with Responder(words={0: 640, 1: 0}) as device:  # 640 A primary; × 160 is 102,400
        changes = {'"stackproof/ac-meter"': '"rated.toml"', 'vt_ratio = "10000/100"\n': ""}
        text = HEAD + replaced(with_url(AC, device.port), changes) + "[statement]\n"
        status, checks = await doctor(write_site(tmp_path, text), said, "ac-1")
    assert status == 1
    ((layer, sentence),) = failures(checks)
    assert (layer, sentence) == ("value", "ac-1.current is 102400.0 A (0x0280, range 0 to 1000)")
    assert 'it would be 640.0 A with ct_ratio = "1" instead of "800/5"' in checks[-1]["todo"]


async def test_two_devices_at_once_and_one_of_them_gone(
    tmp_path: Path, meter: Responder, said: Said
) -> None:
    status = await edge("doctor", site_at(tmp_path, meter))
    text = said.out()
    assert status == 1
    assert "\nac-1\n  dns         fine     127.0.0.1 is an address\n" in text
    assert text.splitlines()[-1].startswith("fails: broker at tcp, gas-1 at tcp")


async def test_devices_behind_a_converter_that_has_one_connection(
    tmp_path: Path, said: Said
) -> None:
    """One after another, each over one connection; one that is away costs the others nothing."""
    words = dict(AC_WORDS)
    async with Converter(u1=Unit(words=words), u3=Unit(words=words)) as converter:
        tables = ""
        for unit in (1, 2, 3):
            url = converter.url(unit)
            names = {'"ac-1"': f'"ac-{unit}"', "modbus+tcp://127.0.0.1:15020?unit=1": url}
            tables += replaced(AC, names) + 'timeout_s = "0.5"\n'
        write_keys(tmp_path / "keys")
        site = write_site(tmp_path, HEAD + tables + _POWER)
        most: list[int] = []
        watching = asyncio.create_task(_count(converter, most))
        status, checks = await doctor(site, said)
        watching.cancel()
        assert converter.connections == 3
    assert status == 1
    assert max(most) == 1
    assert [(c["subject"], c["layer"]) for c in checks if c["state"] == "failed"] == [
        ("ac-2", "unit")
    ]


async def _count(converter: Converter, most: list[int]) -> None:
    while True:
        most.append(converter.open_connections)
        await asyncio.sleep(0.001)


class TestASerialLine:
    """Device file, line, unit."""

    def site(self, folder: Path, path: object, unit: int = 3) -> Path:
        write_keys(folder / "keys")
        url = f"modbus+rtu://{path}?unit={unit}&baud=19200&parity=N"
        text = HEAD + replaced(AC, {"modbus+tcp://127.0.0.1:15020?unit=1": url}) + _POWER
        return write_site(folder, replaced(text, {"vt_ratio": 'timeout_s = "0.6"\nvt_ratio'}))

    async def test_no_such_file(self, tmp_path: Path, said: Said) -> None:
        status, checks = await doctor(self.site(tmp_path, "/dev/serial/by-id/none"), said, "ac-1")
        assert status == 1
        ((layer, sentence),) = failures(checks)
        assert (layer, sentence) == (
            "permission",
            "/dev/serial/by-id/none: No such file or directory",
        )

    async def test_no_serial_line(self, tmp_path: Path, said: Said) -> None:
        (tmp_path / "line").write_text("")
        _, checks = await doctor(self.site(tmp_path, tmp_path / "line"), said, "ac-1")
        assert failures(checks) == [("permission", f"{tmp_path / 'line'} is no serial line")]

    async def test_a_line_that_another_program_holds(self, tmp_path: Path, said: Said) -> None:
        async with SerialLine(tmp_path, u3=Unit()) as line:
            with line.pty.path.open("rb", buffering=0) as held:  # as the agent does
                fcntl.flock(held, fcntl.LOCK_EX)
                site = self.site(tmp_path, line.pty.path)
                _, checks = await doctor(site, said, "ac-1")
        ((layer, sentence),) = failures(checks)
        assert (layer, "in use by another program" in sentence) == ("permission", True)
        assert checks[-1]["todo"].startswith("end the program that holds the line")

    async def test_nobody_with_that_unit(self, tmp_path: Path, said: Said) -> None:
        async with SerialLine(tmp_path, u3=Unit(words=dict(AC_WORDS))) as line:
            site = self.site(tmp_path, line.pty.path, unit=4)
            status, checks = await doctor(site, said, "ac-1")
        assert status == 1
        ((layer, sentence),) = failures(checks)
        assert layer == "unit"
        assert sentence.startswith("nobody answers as unit 4")

    async def test_a_healthy_one(self, tmp_path: Path, said: Said) -> None:
        async with SerialLine(tmp_path, u3=Unit(words=dict(AC_WORDS))) as line:
            _, checks = await doctor(self.site(tmp_path, line.pty.path), said, "ac-1")
        assert failures(checks) == []
