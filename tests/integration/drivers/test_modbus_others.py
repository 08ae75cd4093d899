"""Every type in every order, through profile and driver, from servers we did not write.

What a server holds is put there by its own language and library; the driver is told only by a
profile file, as a user writes it. A scheme that the edge has no driver for yet is not asked.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.drivers import DRIVERS, open_driver
from edge.drivers.base import DeviceSpec, ReadsSettings
from evidence.quality import Quality
from firmware_configs.profile import Profile, load_profile
from tests.integration.drivers.modbus_others import (
    libmodbus_rtu,
    libmodbus_tcp,
    modbus_serial_tcp,
)
from tests.integration.drivers.opened import numbers
from tests.unit.edge.drivers.specs import points_of

Serving = Callable[[Path, Path, Iterable[str]], AbstractContextManager[str]]

OTHERS: dict[str, tuple[str, Serving]] = {
    "libmodbus": ("modbus+tcp", libmodbus_tcp),
    "modbus-serial": ("modbus+tcp", modbus_serial_tcp),
    "libmodbus on a serial line": ("modbus+rtu", libmodbus_rtu),
}
ORDERS = {
    "ABCD": ("big", "big"),
    "CDAB": ("little", "big"),
    "BADC": ("big", "little"),
    "DCBA": ("little", "little"),
}
#: ends of each type, and numbers in which every byte is another
VALUES: dict[str, Sequence[str]] = {
    "u16": ("0", "1", "4660", "65535"),
    "i16": ("-32768", "-2", "4660", "32767"),
    "u32": ("0", "305419896", "4294967295"),
    "i32": ("-2147483648", "-50000", "305419896", "2147483647"),
    "u64": ("0", "72623859790382856", "18446744073709551615"),
    "i64": ("-9223372036854775808", "-2", "72623859790382856", "9223372036854775807"),
    "f32": ("123456", "-118.625", "0.15625", "231.25"),
    "f64": ("123456", "-118.625", "3.141592653589793", "1e300"),
    "bcd16": ("0", "7", "1234", "9999"),
    "bcd32": ("0", "12345678", "99999999"),
    "bcd64": ("0", "1234567890123456", "9999999999999999"),
}
NOTATIONS = {"ABCD": "0-based", "CDAB": "1-based", "BADC": "40001", "DCBA": "40001"}
DIGITS = {"holding": 4, "input": 3, "coil": 0, "discrete": 1}


@dataclass(frozen=True)
class Row:
    """A value in a server, and the number the driver must read."""

    name: str
    table: str
    address: int
    kind: str
    order: str
    value: str

    @property
    def line(self) -> str:
        return f"{self.table} {self.address} {self.kind} {self.order} {self.value}"


def rows_of(orders: Iterable[str], first: int = 100) -> list[Row]:
    """Each value of each type in each order, one behind the other, in both register tables."""
    rows: list[Row] = []
    at = {"holding": first, "input": first + 3}
    for order in orders:
        for kind, values in VALUES.items():
            for i, value in enumerate(values):
                table = ("holding", "input")[i % 2]
                name = f"{kind}-{order.lower()}-{i}"
                rows.append(Row(name, table, at[table], kind, order, value))
                at[table] += int(kind.strip("uifbcd")) // 16
    return rows


HEAD = """\
format = 1
vendor = "test"
model = "others"
revision = "1"
title = "A server somebody else wrote"
protocol = "modbus"
quality_level = "simulated"
source = "made for a test"
address_notation = "{notation}"
word_order = "{word_order}"
byte_order = "{byte_order}"
hole_limit = 4
"""


def written(table: str, address: int, notation: str) -> str:
    """Table and address as the notation has them, worked out apart from the loader."""
    if notation == "40001":
        digits = f"{address + 1:04}" if address < 9999 else f"{address + 1:05}"
        number = int(f"{DIGITS[table]}{digits}")
        return f"address = {number}"
    return f'table = "{table}"\naddress = {address + (1 if notation == "1-based" else 0)}'


def profile_of(
    folder: Path, rows: Iterable[Row], *, order: str = "ABCD", notation: str = "0-based",
    is_mixed: bool = False, more: str = "",
) -> Profile:  # fmt: skip
    """The rows as a profile file, loaded; mixed: each row says its own orders."""
    word_order, byte_order = ORDERS[order]
    parts = [HEAD.format(notation=notation, word_order=word_order, byte_order=byte_order)]
    for row in rows:
        parts.append(
            f'[[register]]\nname = "{row.name}"\n{written(row.table, row.address, notation)}\n'
            f'type = "{row.kind}"\nunit = "1"\nkind = "count"\nsource = "test"\n'
        )
        if row.kind.startswith("f"):
            parts.append("point_decimals = 3\n")
        if is_mixed:
            its_words, its_bytes = ORDERS[row.order]
            parts.append(f'byte_order = "{its_bytes}"\n')
            if not row.kind.endswith("16"):
                parts.append(f'word_order = "{its_words}"\n')
    path = folder / "profile.toml"
    path.write_text("\n".join([*parts, more]), encoding="utf-8")
    return load_profile(str(path))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


Served = Callable[[Iterable[str]], AbstractContextManager[str]]


@pytest.fixture(params=[name for name, (scheme, _) in OTHERS.items() if scheme in DRIVERS])
def serving(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Served:
    _, serve = OTHERS[request.param]
    return lambda lines: serve(programs, tmp_path, lines)


@pytest.mark.parametrize("order", ORDERS)
async def test_every_type_in_one_order(order: str, serving: Served, tmp_path: Path) -> None:
    rows = rows_of([order])
    profile = profile_of(tmp_path, rows, order=order, notation=NOTATIONS[order])
    with serving(row.line for row in rows) as url:
        found = await numbers(url, profile)
    assert found == {row.name: float(row.value) if row.kind[0] == "f" else int(row.value)
                     for row in rows}  # fmt: skip


async def test_a_meter_that_mixes_all_four_orders(serving: Served, tmp_path: Path) -> None:
    rows = rows_of(ORDERS)
    profile = profile_of(tmp_path, rows, is_mixed=True)
    with serving(row.line for row in rows) as url:
        found = await numbers(url, profile)
    assert len(found) == 4 * sum(len(values) for values in VALUES.values())
    assert found == {row.name: float(row.value) if row.kind[0] == "f" else int(row.value)
                     for row in rows}  # fmt: skip


FIELDS = """
[[register]]
name = "valve"
table = "holding"
address = 20
type = "u16"
bits = "0"
unit = "1"
kind = "state"
role = "state"
states = { "0" = "shut", "1" = "open" }
source = "test"

[[register]]
name = "step"
table = "holding"
address = 20
type = "u16"
bits = "4-9"
unit = "1"
kind = "count"
source = "test"

[[register]]
name = "alarms"
table = "holding"
address = 22
type = "u32"
bits = "12-28"
word_order = "little"
unit = "1"
kind = "count"
source = "test"

[[register]]
name = "pump"
table = "coil"
address = 17
type = "u8"
unit = "1"
kind = "count"
source = "test"

[[register]]
name = "door"
table = "discrete"
address = 9
type = "u8"
unit = "1"
kind = "count"
source = "test"

[[register]]
name = "spoilt"
table = "holding"
address = 24
type = "bcd16"
unit = "1"
kind = "count"
source = "test"
"""


async def test_bits_and_bit_fields(serving: Served, tmp_path: Path) -> None:
    # 42609 = 0xA671 = 1010 0110 0111 0001: bit 0 is 1, bits 4 to 9 are 10 0111 = 39
    # 305419896 = 0x12345678 = 0001 0010 0011 0100 0101 0110 0111 1000 (bit 31 first):
    # bits 12 to 28 are 1 0010 0011 0100 0101 = 0x12345 = 74565
    lines = ["holding 20 u16 ABCD 42609", "holding 22 u32 CDAB 305419896", "coil 17 bit ABCD 1",
             "discrete 8 bit ABCD 1", "discrete 10 bit ABCD 1",
             "holding 24 u16 ABCD 4779"]  # 0x12AB is no decimal number  # fmt: skip
    profile = profile_of(tmp_path, [], more=FIELDS)
    with serving(lines) as url:
        found = await numbers(url, profile)
    assert found == {"valve": 1, "step": 39, "alarms": 74565, "pump": 1, "door": 0,
                     "spoilt": Quality.NOT_A_NUMBER}  # fmt: skip


SERIAL = """
[[setting]]
means = "serial"
table = "input"
address = 40
type = "text"
length = 6
byte_order = "{}"
source = "test"
"""


@pytest.mark.parametrize(("order", "byte_order"), [("ABCD", "big"), ("BADC", "little")])
async def test_a_serial_number(
    order: str, byte_order: str, serving: Served, tmp_path: Path
) -> None:
    """Asked for as a setting, from servers we did not write; one beyond their end is refused."""
    rows = [Row("r0", "input", 0, "u16", "ABCD", "7")]
    beyond = SERIAL.format("big").replace("address = 40", "address = 2100\nname = 'beyond'")
    profile = profile_of(tmp_path, rows, more=SERIAL.format(byte_order) + beyond)
    with serving([f"input 40 text {order} SN-2026-07A", *(row.line for row in rows)]) as url:
        driver = open_driver(DeviceSpec("dev", url, profile, points_of(profile), 2.0))
        assert isinstance(driver, ReadsSettings)
        await driver.connect()
        try:
            first = await driver.read()
            found = [await driver.read_setting(setting) for setting in profile.settings]
            again = await driver.read()
        finally:
            await driver.close()
    assert found == ["SN-2026-07A", Quality.DEVICE_REFUSED]
    assert first == again
    assert [sample.quality for sample in again] == [Quality.GOOD]


async def test_an_address_that_is_not_there_costs_one_point(
    serving: Served, tmp_path: Path
) -> None:
    """The servers end at 1999: they refuse a read that goes beyond, and the points before it."""
    rows = [Row(f"r{i}", "holding", 1990 + i, "u16", "ABCD", str(i)) for i in range(11)]
    profile = profile_of(tmp_path, rows)
    with serving(row.line for row in rows[:10]) as url:
        found = await numbers(url, profile)
    assert list(found.values()) == [*range(10), Quality.DEVICE_REFUSED]
