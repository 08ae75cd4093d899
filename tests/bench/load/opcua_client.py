"""Data changes of an OPC UA subscription, taken for a while; run as a program.

    python -m tests.bench.load.opcua_client ours|bare SECONDS URL NODES

"ours" is the driver, asked for its samples once a second as the agent asks; "bare" is asyncua alone
with a handler that counts. Prints one JSON object: changes, the CPU seconds they took, and of ours
how many changes of the server never came (each value says how often it has changed).
"""

import asyncio
import json
import struct
import sys
import time
from typing import Any

from asyncua import Client

from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import OpcUaSecurity
from evidence.points import Dtype
from tests.unit.edge.drivers.specs import register, secured

NAMESPACE = "urn:stackproof:bench"
PUBLISHING_MS, SAMPLING_MS, QUEUE = 250, 100, 10  # the driver's own defaults
SETTLED_S = 2.0


class _Counted(OpcUaDriver):
    """The driver, with a count of the changes it takes."""

    count = 0

    def _note(self, index: int, value: Any) -> None:
        self.count += 1
        super()._note(index, value)


async def _ours(seconds: int, url: str, nodes: int) -> dict[str, float]:
    rows = [
        register(f"r{i}", Dtype.F32, node="ns={ns};i=" + str(i + 1), namespace=NAMESPACE)
        for i in range(nodes)
    ]
    driver = _Counted(secured(f"{url}?mode=subscribe", OpcUaSecurity(), *rows, timeout_s=10.0))
    await driver.connect()
    await asyncio.sleep(SETTLED_S)
    made, count, began_s = await _made(driver), driver.count, time.process_time()
    for _ in range(seconds):
        await asyncio.sleep(1)
        made_by_now = await _made(driver)
    cpu_s, count = time.process_time() - began_s, driver.count - count
    await driver.close()
    return {"count": count, "cpu_s": cpu_s, "lost": made_by_now - made - count}


async def _made(driver: OpcUaDriver) -> int:
    """Changes that the newest samples tell of."""
    return sum(int(struct.unpack("<f", s.raw or b"")[0]) for s in await driver.read())


class _Handler:
    def __init__(self) -> None:
        self.count = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        self.count += 1


async def _bare(seconds: int, url: str, nodes: int) -> dict[str, float]:
    handler = _Handler()
    async with Client(url, timeout=10) as client:
        index = await client.get_namespace_index(NAMESPACE)
        watched = [client.get_node(f"ns={index};i={i + 1}") for i in range(nodes)]
        subscription = await client.create_subscription(PUBLISHING_MS, handler)
        await subscription.subscribe_data_change(
            watched, queuesize=QUEUE, sampling_interval=SAMPLING_MS
        )
        await asyncio.sleep(SETTLED_S)
        count, began_s = handler.count, time.process_time()
        await asyncio.sleep(seconds)
        return {"count": handler.count - count, "cpu_s": time.process_time() - began_s}


if __name__ == "__main__":
    who, for_s, at, many = sys.argv[1:]
    take = {"ours": _ours, "bare": _bare}[who]
    print(json.dumps(asyncio.run(take(int(for_s), at, int(many)))))
