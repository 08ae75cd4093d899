"""Real brokers on loopback for tests: ours (nats-server, supervised) and Debian's mosquitto."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from cloud.broker import Broker
from tests.integration.edge.brokers import Broker as OtherBroker

MOSQUITTO = "mosquitto"


@contextlib.asynccontextmanager
async def running_broker(kind: str, folder: Path) -> AsyncIterator[Broker | OtherBroker]:
    """A broker of a kind: "nats-server" or "mosquitto"."""
    if kind == MOSQUITTO:
        mosquitto = OtherBroker(kind, folder)
        await asyncio.to_thread(mosquitto.start)
        try:
            yield mosquitto
        finally:
            await asyncio.to_thread(mosquitto.stop)
        return
    await asyncio.to_thread(folder.mkdir)
    broker = Broker(folder, 0)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
