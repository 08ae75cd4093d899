"""A site of two meters of a few lines on loopback, and the commands as a person types them."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.edge.brokers import free_port
from tests.unit.edge.sites import METERS, replaced, write_keys, write_site

#: the vectors of the simulated AC meter's profile, worked out by hand there
AC_WORDS = {
    0x00: 0x0001, 0x01: 0x86A0,  # serial 100000
    0x10: 0x1694, 0x11: 0x1694, 0x12: 0x1694,  # 57.80 V secondary
    0x13: 0x0BB8, 0x14: 0x0BB8, 0x15: 0x0BB8,  # 3.000 A secondary
    0x16: 0x1388,  # 50.00 Hz
    0x18: 0x0000, 0x19: 0xC350,  # 0.50000 kW secondary
    0xBB8: 0x0098, 0xBB9: 0x9680,  # 100.00000 kWh secondary
}  # fmt: skip


def with_url(text: str, port: int, *, was: int = 15020, unit: int = 1) -> str:
    """A site text whose AC meter (15020) or gas meter (15021) answers at another port."""
    return replaced(text, {f"127.0.0.1:{was}?unit=1": f"127.0.0.1:{port}?unit={unit}"})


def site_at(folder: Path, ac: Responder, *, text: str = METERS) -> Path:
    """A site file whose AC meter is this one; its gas meter and its broker are nowhere."""
    write_keys(folder / "keys")
    nowhere = {"127.0.0.1:15021": f"127.0.0.1:{free_port()}", ":1883": f":{free_port()}"}
    return write_site(folder, replaced(with_url(text, ac.port), nowhere))


async def edge(*arguments: object) -> int:
    """Exit status of `stackproof edge …`, run beside the test's own servers."""
    return await asyncio.to_thread(main, [str(argument) for argument in arguments])


class Said:
    """What a command printed since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def both(self) -> tuple[str, str]:
        out, err = self._capsys.readouterr()
        return out, err

    def out(self) -> str:
        return self.both()[0]

    def json(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = json.loads(self.out())
        return told
