"""What nats-server is asked to drop, and how often; that it does: `tests/integration/tls`."""

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

import pytest

from cloud.transport.register import Register
from cloud.transport.rows import Served, remember
from cloud.transport.sessions import keep_few
from tests.unit.cloud.transport.test_transport import folder_in

SESSIONS, MESSAGES = (f"$JS/API/STREAM/PURGE/$MQTT_{stream}" for stream in ("sess", "msgs"))


class Link:
    """What was published, as (topic, payload, QoS), at a broker that may hang up on that."""

    def __init__(self, *, hangs_up: bool = False) -> None:
        self.said, self.hangs_up = Counter[tuple[str, bytes, int]](), hangs_up
        self.connections, self.away_s = 1, None

    def publish(self, topic: str, payload: bytes, *, kept: bool, qos: int) -> bool:
        assert not kept, "nobody is to find it later"
        self.said[topic, payload, qos] += 1
        self.connections += self.hangs_up
        return True


async def asked(register: Register | None, turns: int, link: Link | None = None) -> list[float]:
    """For how long it slept, so many turns."""
    link, slept = link or Link(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == turns:
            raise asyncio.CancelledError

    with contextlib.suppress(asyncio.CancelledError):
        await keep_few(register, link, sleep)
        assert register is None
    return slept


@pytest.mark.parametrize("kinds", [(), ("nats",), ("mosquitto", "nats")])
async def test_records_each_ten_seconds_and_messages_each_ten_minutes(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    """Where no broker is named too: it may be configured elsewhere."""
    folder = folder_in(tmp_path)
    for kind in kinds:
        remember([folder], Served(kind, kind, kind, "127.0.0.1", 8883))
    link, at_0 = Link(), int(not kinds)
    assert await asked(Register(folder, None), 121, link) == [10] * 121
    said = {(SESSIONS, b'{"keep":4096}', 1): 121 - at_0, (MESSAGES, b'{"keep":8192}', 1): 3 - at_0}
    if not kinds:  # which may hang up on it, and paho says again what is not acknowledged
        said |= {(SESSIONS, b'{"keep":4096}', 0): 1, (MESSAGES, b'{"keep":8192}', 0): 1}
    assert link.said == said


async def test_a_broker_that_hangs_up_on_it_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Tried: the collector was thrown off each second, for good."""
    link = Link(hangs_up=True)
    assert await asked(Register(folder_in(tmp_path), None), 8, link) == [10] * 3 + [3600] + [
        10
    ] * 3 + [3600]
    assert {qos for _, _, qos in link.said} == {0}
    assert "the broker hangs up" in caplog.text


async def test_mosquitto_is_asked_for_nothing(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    remember([folder], Served("mosquitto", "out", "out", "127.0.0.1", 8883))
    link = Link()
    assert await asked(Register(folder, None), 2, link) == [10, 10]
    assert not await asked(None, 1, link)
    assert not link.said
