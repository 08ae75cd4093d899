"""The commissioning commands on DL/T 645 meters, HJ 212 loggers and databases."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.commissioning.doctor_others import examine_by_driver
from edge.commissioning.findings import Check, State
from edge.commissioning.read import read_point
from edge.commissioning.watch import Picture, watch
from edge.site.config import load_site
from evidence.points import Dtype
from firmware_configs.model import Item
from tests.integration.drivers.dlt645_responder import METER, Meter
from tests.integration.drivers.hj212_logger import Logger
from tests.integration.drivers.pot_log import Plant
from tests.integration.edge.brokers import free_port
from tests.recording import recorded_sqlite
from tests.unit.edge.drivers.hj212_packets import MN
from tests.unit.edge.drivers.row_specs import table, table_spec
from tests.unit.edge.drivers.specs import register, spec
from tests.unit.edge.sites import HEAD, write_keys, write_site

CLOCK = SystemClock()
ITEM = Item("a05001", "Rtd", 2011)
CO2 = register("co2", Dtype.I64, table=None, address=None, decimals=2, item=ITEM)


def failures(checks: list[Check]) -> list[str]:
    return [check.layer for check in checks if check.state is State.FAILED]


def dlt_site(folder: Path, port: int) -> Path:
    write_keys(folder / "keys")
    device = f"""\
[[device]]
id = "m-1"
url = "dlt645+tcp://127.0.0.1:{port}?address={METER}"
profile = "stackproof/dlt645-meter"
provenance = "meter-direct"
ct_ratio = "1"
vt_ratio = "1"
points = ["voltage_a", "frequency"]
[statement]
"""
    return write_site(folder, HEAD + device)


class TestDlt645:
    """Asked, item by item."""

    #: 230.8 V and 50.01 Hz as BCD, lowest digits first
    ITEMS = {0x02010100: bytes.fromhex("0823"), 0x02800002: bytes.fromhex("0150")}  # noqa: RUF012 - read only

    async def test_a_point(self, tmp_path: Path) -> None:
        async with Meter(items=self.ITEMS) as meter:
            device = load_site(dlt_site(tmp_path, meter.port)).devices[0]
            look = await read_point(device.spec, device.points[0], CLOCK)
        assert look.shown is not None
        assert (look.shown.text, look.is_fine) == ("230.8 V", True)

    async def test_the_doctor(self, tmp_path: Path) -> None:
        async with Meter(items={0x02010100: self.ITEMS[0x02010100]}) as meter:
            device = load_site(dlt_site(tmp_path, meter.port)).devices[0]
            checks = await examine_by_driver(device.spec, CLOCK, 0.0)
        assert failures(checks) == ["register"]
        assert "m-1.frequency (DI 02800002" in checks[-1].sentence

    async def test_nobody_there(self, tmp_path: Path) -> None:
        device = load_site(dlt_site(tmp_path, free_port())).devices[0]
        assert failures(await examine_by_driver(device.spec, CLOCK, 0.0)) == ["tcp"]


class TestHj212:
    """Heard: it calls us, and is told nothing."""

    async def test_a_point_is_waited_for_and_never_acknowledged(self) -> None:
        port = free_port()
        logger = Logger(port, "a05001-Rtd=12.5,a05001-Flag=N")
        logger.start()
        try:
            device = spec(f"hj212://127.0.0.1:{port}?mn={MN}&answer=yes", CO2, timeout_s=0.5)
            look = await read_point(device, device.points[0], CLOCK, 10.0)
            assert look.shown is not None
            assert look.is_fine
            checks = await examine_by_driver(device, CLOCK, 10.0)
            assert failures(checks) == []
        finally:
            await logger.stop()  # fails if a byte came back

    async def test_a_logger_that_does_not_call(self) -> None:
        device = spec(f"hj212://127.0.0.1:{free_port()}?mn={MN}", CO2, timeout_s=0.5)
        checks = await examine_by_driver(device, CLOCK, 0.1)
        assert failures(checks) == ["register"]
        assert "no connection to the device" in checks[-1].sentence


class TestDatabase:
    """Rows that are delivered once stay to be delivered."""

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Iterator[Plant]:
        with recorded_sqlite():
            made = Plant(tmp_path / "pots.db")
            yield made
            made.db.close()

    async def test_what_is_read_here_is_not_taken(self, plant: Plant) -> None:
        plant.put((1, 1, 4.201, 960.5))
        device = table_spec(plant.path)
        for _ in range(2):
            look = await read_point(device, device.points[0], CLOCK)
            assert look.raw == (4201).to_bytes(8, "little")

    async def test_rows_ripen_before_they_are_shown(self, plant: Plant) -> None:
        plant.put((1, 1, 4.201, 960.5))
        device = table_spec(plant.path, source=table(settle_s=1))
        look = await read_point(device, device.points[0], CLOCK, 10.0)
        assert look.is_fine

    @pytest.mark.parametrize(
        ("rows", "state", "said"),
        [
            ([(1, 1, 4.201, None)], State.FINE, "1 of 4 points have a value"),
            ([], State.WARNING, "no new row was there; one is taken only once"),
        ],
    )
    async def test_that_nothing_is_new_is_no_failure(
        self, rows: list[tuple[int, int, float, None]], state: State, said: str, plant: Plant
    ) -> None:
        plant.put(*rows)
        check = (await examine_by_driver(table_spec(plant.path), CLOCK, 0.0))[-1]
        assert (check.layer, check.state) == ("register", state)
        assert check.sentence.startswith(said)

    async def test_a_table_that_is_not_there(self, plant: Plant) -> None:
        plant.db.execute("DROP TABLE pot_log")
        checks = await examine_by_driver(table_spec(plant.path), CLOCK, 0.0)
        assert failures(checks) == ["protocol"]

    async def test_no_file(self, tmp_path: Path) -> None:
        checks = await examine_by_driver(table_spec(tmp_path / "none.db"), CLOCK, 0.0)
        assert failures(checks) == ["protocol"]


async def test_a_meter_of_dlt645_is_watched(tmp_path: Path) -> None:
    seen: list[Picture] = []
    async with Meter(items=TestDlt645.ITEMS) as meter:
        site, stop = load_site(dlt_site(tmp_path, meter.port)), asyncio.Event()

        def show(picture: Picture) -> None:
            row = picture.devices[0].rows[1]
            if row.shown is not None and row.shown.number is not None:
                seen.append(picture)
                stop.set()

        async with asyncio.timeout(20):
            await watch(site, site.devices, CLOCK, every_s=0.1, stop=stop, show=show)
    value = seen[0].devices[0].rows[1].shown
    assert value is not None
    assert value.text == "50.01 Hz"
