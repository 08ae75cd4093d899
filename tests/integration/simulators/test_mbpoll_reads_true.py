"""mbpoll (C, libmodbus) reads our meters true: every type in every order, every profile there is.

It is asked as a person would, and shows 16-bit words in hexadecimal; what they mean is worked out
here from the letters of the order, apart from simulator and driver. Of 32-bit numbers in the two
orders it knows, its own reading is taken as well.
"""

import asyncio
import math
import re
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from edge.commissioning.orders import letters
from edge.drivers.base import Sample
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register, list_profiles, load_profile
from simulators.modbus_meter import ModbusMeter
from tests.integration.drivers.test_modbus_others import ORDERS, Row, profile_of, rows_of
from tests.integration.simulators.test_drivers_read_true import resolution, value_of
from tests.integration.simulators.test_real_devices_served import RATIOS, bound, value_at

pytestmark = [pytest.mark.asyncio, pytest.mark.needs("mbpoll")]

#: table -> what mbpoll calls it, and words in hexadecimal of it
TABLES = {"coil": "0", "discrete": "1", "input": "3:hex", "holding": "4:hex"}
LINE = re.compile(r"\[(\d+)\]:\s+(\S+)")
PROTOCOLS = {name: load_profile(name).protocol for name in list_profiles()}
MODBUS = [name for name in list_profiles() if PROTOCOLS[name] == "modbus"]


class Place(NamedTuple):
    """A row, as mbpoll is asked for it."""

    table: str
    address: int
    words: int


@asynccontextmanager
async def served(
    profile: Profile, readings: Mapping[str, float | Decimal], ratios: Mapping[str, str]
) -> AsyncIterator[int]:
    """The port of a meter that shows these."""
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios=ratios)
    await meter.start()
    try:
        await meter.publish(readings, 0)
        yield int(meter.url.partition("?")[0].rpartition(":")[2])
    finally:
        await meter.stop()


async def mbpoll(port: int, form: str, addresses: Sequence[int], *more: str) -> list[str]:
    """What it prints of each address, counted from 0 as on the wire; a question for each."""
    listed = ",".join(map(str, addresses))
    command = ["-m", "tcp", "-p", str(port), "-0", "-r", listed, "-t", form, "-1", "-q",
               "-o", "5", *more, "127.0.0.1"]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "mbpoll", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out = (await process.communicate())[0].decode()
    assert process.returncode == 0, out
    said = LINE.findall(out)
    assert [int(address) for address, _ in said] == list(addresses)
    return [text for _, text in said]


async def cells(port: int, places: Sequence[Place]) -> dict[Place, list[int]]:
    """What stands at each place."""
    shown: dict[tuple[str, int], int] = {}
    for table, form in TABLES.items():
        wanted = {p.address + at for p in places if p.table == table for at in range(p.words)}
        if wanted:
            said = await mbpoll(port, form, sorted(wanted))
            shown |= {
                (table, at): int(text, 16) for at, text in zip(sorted(wanted), said, strict=True)
            }
    return {p: [shown[p.table, p.address + at] for at in range(p.words)] for p in places}


def number(words: Sequence[int], kind: str, order: str) -> int | float:
    """Words as a number: byte by byte in the order of the letters, A the most significant."""
    data = b"".join(word.to_bytes(2, "big") for word in words)
    ordered = bytes(data[order.index(letter)] for letter in "ABCDEFGH"[: len(data)])
    if kind.startswith("bcd"):
        return int(ordered.hex())
    if kind.startswith("f"):
        return float(struct.unpack({"f32": ">f", "f64": ">d"}[kind], ordered)[0])
    return int.from_bytes(ordered, "big", signed=kind.startswith("i"))


def row_letters(row: Row) -> str:
    words = int(row.kind.strip("uifbcd")) // 16
    return letters(words, *ORDERS[row.order])


async def test_every_type_in_every_order(tmp_path: Path) -> None:
    rows = [row for row in rows_of(ORDERS) if row.address < 9000]
    profile = profile_of(tmp_path, rows, is_mixed=True)
    readings = {row.name: Decimal(row.value) for row in rows}
    places = {row.name: Place(row.table, row.address, len(row_letters(row)) // 2) for row in rows}
    async with served(profile, readings, {}) as port:
        found = await cells(port, list(places.values()))
        for order, more in (("ABCD", ["-B"]), ("CDAB", [])):
            for row in rows:
                if row.order == order and row.kind in {"i32", "f32"}:
                    form = f"{TABLES[row.table][0]}:{'int' if row.kind == 'i32' else 'float'}"
                    (said,) = await mbpoll(port, form, [row.address], *more)
                    assert float(said) == float(row.value), row
    assert {(row.kind, row.order) for row in rows} == {
        (kind, order) for kind in ("u16", "i16", "bcd16", "u32", "i32", "f32", "bcd32", "u64",
                                   "i64", "f64", "bcd64") for order in ORDERS
    }  # fmt: skip
    for row in rows:
        read = number(found[places[row.name]], row.kind, row_letters(row))
        assert read == (float(row.value) if row.kind.startswith("f") else int(row.value)), row


def taken(register: Register, words: Sequence[int]) -> int | float:
    if register.table in {"coil", "discrete"}:
        return words[0]
    kind = register.type_name
    if register.bits is not None:
        kind = register.holder.name.lower()
    order = letters(len(words), register.word_order, register.byte_order)
    raw = number(words, kind, order)
    if register.bits is None:
        return raw
    return int(raw) >> register.bits.low & (1 << register.bits.width) - 1


@pytest.mark.parametrize("name", MODBUS)
async def test_every_profile(name: str) -> None:
    profile = load_profile(name)
    ratios = RATIOS if profile.reports == "secondary" else {}
    readings = {register.name: value_at(register) for register in profile.registers}
    places = {r.name: Place(str(r.table), int(r.address or 0), r.words) for r in profile.registers}
    async with served(profile, readings, ratios) as port:
        found = await cells(port, list(places.values()))
    for register in profile.registers:
        raw = taken(register, found[places[register.name]])
        point = bound(register, ratios).point
        if isinstance(raw, float):
            data = struct.pack("<f" if register.dtype.size == 4 else "<d", raw)
        else:
            data = raw.to_bytes(register.dtype.size, "little", signed=raw < 0)
        value = float(value_of(Sample(data, Quality.GOOD), point))
        assert math.isclose(value, value_at(register), rel_tol=1e-6, abs_tol=resolution(point)), (
            register.name
        )


async def test_no_profile_is_left_out() -> None:
    """Of Modbus all are served above, of OPC UA in test_node_opcua_reads_true.py."""
    others = {name for name, kind in PROTOCOLS.items() if kind not in {"modbus", "opcua"}}
    assert others == {
        "stackproof/dlt645-meter", "stackproof/cems-logger",  # test_sim_serve.py
        "stackproof/pot-effects",  # test_effect_table.py
    }  # fmt: skip
