"""`stackproof edge doctor` on Modbus servers that others wrote: libmodbus and modbus-serial."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.integration.commissioning.field import Said, edge
from tests.integration.drivers.modbus_others import libmodbus_rtu, libmodbus_tcp, modbus_serial_tcp
from tests.unit.edge.sites import HEAD, write_keys, write_site

Served = Callable[[Path, Path, list[str]], AbstractContextManager[str]]

PROFILE = """\
format = 1
vendor = "test"
model = "flow"
revision = "1"
title = "A flow meter with its low word first"
protocol = "modbus"
quality_level = "simulated"
source = "made up for this test"
address_notation = "0-based"
word_order = "little"
byte_order = "big"
max_registers_per_read = 10
hole_limit = 0
pause_ms = 0
[[register]]
name = "flow"
table = "holding"
address = 100
type = "f32"
point_decimals = 1
unit = "t/h"
kind = "mass-flow"
range = ["0", "2000"]
source = "made up for this test"
[[register]]
name = "temperature"
table = "input"
address = {temperature}
type = "i16"
decimals = 1
unit = "degC"
kind = "temperature"
range = ["-40", "120"]
source = "made up for this test"
"""


def site_of(folder: Path, url: str, temperature: int = 10) -> Path:
    write_keys(folder / "keys")
    (folder / "flow.toml").write_text(PROFILE.format(temperature=temperature))
    device = f"""\
[[device]]
id = "flow-1"
url = "{url}"
profile = "flow.toml"
provenance = "meter-direct"
timeout_s = "2"
[statement]
"""
    return write_site(folder, HEAD + device)


async def failures(site: Path, said: Said) -> dict[str, tuple[str, str]]:
    """Point or device -> (layer, what to do)."""
    await edge("doctor", site, "flow-1", "--json")
    told = [c for c in said.json()["checks"] if c["subject"] == "flow-1"]
    return {c["sentence"].split()[0]: (c["layer"], c["todo"]) for c in told if c["todo"]}


@pytest.fixture(params=[libmodbus_tcp, libmodbus_rtu, modbus_serial_tcp])
def serve(request: pytest.FixtureRequest) -> Served:
    made: Served = request.param
    return made


LINES = ["holding 100 f32 CDAB 1234.5", "input 10 i16 ABCD 205"]


async def test_a_healthy_device(serve: Served, tmp_path: Path, said: Said) -> None:
    with serve(tmp_path, tmp_path, LINES) as url:
        site = site_of(tmp_path, url)
        assert await failures(site, said) == {}
        assert await edge("read", site, "flow-1") == 0
    assert [line.split()[1:3] for line in said.out().splitlines()] == [
        ["1234.5", "t/h"], ["20.5", "degC"],
    ]  # fmt: skip


async def test_words_the_other_way_round(serve: Served, tmp_path: Path, said: Said) -> None:
    lines = ["holding 100 f32 ABCD 1234.5", *LINES[1:]]
    with serve(tmp_path, tmp_path, lines) as url:
        found = await failures(site_of(tmp_path, url), said)
    layer, todo = found["flow-1.flow"]
    assert (list(found), layer) == (["flow-1.flow"], "value")
    assert todo.startswith('it would be 1234.5 t/h with word_order = "big", byte_order = "big"')


async def test_an_address_that_libmodbus_does_not_have(tmp_path: Path, said: Said) -> None:
    """Its tables end at 1999."""
    with libmodbus_tcp(tmp_path, tmp_path, LINES) as url:
        found = await failures(site_of(tmp_path, url, temperature=2000), said)
    layer, todo = found["flow-1.temperature"]
    assert (list(found), layer) == (["flow-1.temperature"], "register")
    assert todo.startswith("one address lower the device does answer, with 0x0000")


async def test_a_unit_that_nobody_is_on_the_line(tmp_path: Path, said: Said) -> None:
    with libmodbus_rtu(tmp_path, tmp_path, LINES) as url:
        found = await failures(site_of(tmp_path, url.replace("unit=3", "unit=4")), said)
    ((layer, todo),) = found.values()
    assert layer == "unit"
    assert "baud rate, parity" in todo
