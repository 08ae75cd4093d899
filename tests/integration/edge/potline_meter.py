"""A Modbus device that plays a small potline, and the site of an agent that reads it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

from tests.integration.drivers.modbus_responder import Responder
from tests.unit.edge.sites import HEAD, replaced

POTS = 3

_PROFILE_HEAD = """\
format = 1
vendor = "test"
model = "pots"
revision = "1"
title = "Potline of a test"
protocol = "modbus"
quality_level = "simulated"
source = "made for a test"
address_notation = "0-based"
word_order = "big"
"""

_STATES = '{ "0" = "unknown", "1" = "producing", "5" = "bridged" }'


def _register(name: str, address: int, rest: str) -> str:
    return (
        f'[[register]]\nname = "{name}"\ntable = "holding"\naddress = {address}\n'
        f'source = "made for a test"\n{rest}\n'
    )


def write_profile(folder: Path) -> None:
    """The device's map as `pots.toml`."""
    parts = [_PROFILE_HEAD]
    parts.append(
        _register("current", 0, 'type = "u16"\ndecimals = 1\nunit = "kA"\nkind = "current"')
    )
    energy = 'type = "u32"\ndecimals = 1\nunit = "kWh"\nkind = "energy"\nrole = "totaliser"'
    parts.append(_register("energy", 2, energy))
    metal = 'type = "u32"\ndecimals = 3\nunit = "t"\nkind = "mass"\nrole = "totaliser"'
    parts.append(_register("metal", 4, metal))
    for n in range(1, POTS + 1):
        volts = 'type = "u16"\ndecimals = 2\nunit = "V"\nkind = "voltage"'
        state = f'type = "u16"\nunit = "1"\nkind = "state"\nrole = "state"\nstates = {_STATES}'
        parts += [
            _register(f"pot-{n:02}.voltage", 10 + n, volts),
            _register(f"pot-{n:02}.state", 20 + n, state),
        ]
    (folder / "pots.toml").write_text("\n".join(parts), encoding="utf-8")


_SITE = """\
[[device]]
id = "pots"
url = "{url}"
profile = "pots.toml"
provenance = "via-control-system"
interval_s = "0.2"
[[device]]
id = "gas-1"
url = "modbus+tcp://127.0.0.1:{nobody}?unit=1"
profile = "stackproof/gas-meter"
provenance = "meter-direct"
interval_s = "1"
[[potline]]
id = "line-1"
line_current = "pots.current"
pots = "1-3"
pot_voltage = "pots.pot-{{n:02}}.voltage"
pot_state = "pots.pot-{{n:02}}.state"
technology = "PFPB-M"
[potline.anode_effect]
t_start_s = "0.4"
t_end_s = "0.4"
t_merge_s = "1"
[statement.metal]
point = "pots.metal"
[statement.anode]
gross_kg_per_t = "469"
source = "typed in a test"
[[statement.auxiliary]]
kind = "electricity"
point = "pots.energy"
"""


def site_text(url: str, *, broker: str, nobody: int) -> str:
    """The site file; `nobody` is a port where the second meter should be and is not."""
    head = replaced(HEAD, {"mqtt://127.0.0.1:1883": broker})
    return head + _SITE.format(url=url, nobody=nobody)


@contextlib.asynccontextmanager
async def playing(seed: int) -> AsyncIterator[Responder]:
    """The device, with values that move and anode effects that come and go."""
    async with Responder() as device:
        task = asyncio.create_task(_play(device, random.Random(seed)))
        try:
            yield device
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _play(device: Responder, chance: random.Random) -> None:
    energy = metal = 0
    burning = dict.fromkeys(range(1, POTS + 1), 0)
    while True:
        energy, metal = energy + chance.randrange(5), metal + chance.randrange(3)
        device.words[0] = 4000 + chance.randrange(-20, 20)
        device.words[2], device.words[3] = divmod(energy, 65536)
        device.words[4], device.words[5] = divmod(metal, 65536)
        for n, left in burning.items():
            burning[n] = left - 1 if left else (chance.random() < 0.02) * chance.randrange(10, 50)
            device.words[10 + n] = (3000 if burning[n] else 420) + chance.randrange(-15, 15)
            device.words[20 + n] = 1
        await asyncio.sleep(0.05)
