"""What nats-server is asked to drop, and how often; that it does: `tests/integration/tls`."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from cloud.transport.register import Register
from cloud.transport.rows import Served, remember
from cloud.transport.sessions import keep_few
from tests.unit.cloud.transport.test_transport import folder_in

SESSIONS, MESSAGES = (f"$JS/API/STREAM/PURGE/$MQTT_{stream}" for stream in ("sess", "msgs"))


async def asked(register: Register | None, turns: int, away: int = 0) -> Counter[tuple[str, bytes]]:
    """What was handed over in so many turns; the broker is away in the first ones."""
    said, left = Counter[tuple[str, bytes]](), iter(range(turns - 1))

    def publish(topic: str, payload: bytes, *, kept: bool) -> bool:
        assert not kept, "nobody is to find it later"
        said[topic, payload] += 1
        return said[topic, payload] > away

    async def sleep(seconds: float) -> None:
        assert seconds == 10
        if next(left, None) is None:
            raise asyncio.CancelledError

    try:
        await keep_few(register, publish, sleep)
    except asyncio.CancelledError:
        return said
    assert register is None
    return said


@pytest.mark.parametrize("kinds", [("nats",), ("mosquitto", "nats")])
async def test_records_each_ten_seconds_and_messages_each_ten_minutes(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    folder = folder_in(tmp_path)
    for kind in kinds:
        remember([folder], Served(kind, kind, kind, "127.0.0.1", 8883))
    for away, tried in ((0, 3), (2, 4)):  # at turns 0, 60, 120, or 0, 1, 2, 62
        said = await asked(Register(folder, None), 121, away)
        assert said == {(SESSIONS, b'{"keep":4096}'): 121, (MESSAGES, b'{"keep":8192}'): tried}


async def test_mosquitto_and_whom_no_register_names_are_asked_for_nothing(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    assert not await asked(Register(folder, None), 2)
    remember([folder], Served("mosquitto", "out", "out", "127.0.0.1", 8883))
    assert not await asked(Register(folder, None), 2)
    assert not await asked(None, 1)
