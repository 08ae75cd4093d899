"""Bounds what nats-server keeps of sessions. I/O: the register's folder, by way of a thread.

Its stream `$MQTT_sess` has a record of each client id, as long as that is, and no bound: tried with
2.15.1, one certificate that named 847 ids of 60 kB filled 48 MB in 5 s, after which nobody of the
slice connected, past restarts. Nothing in its configuration changes that. So whoever holds the
slice has the oldest records dropped. Sessions that stand go on without theirs; one that then
subscribes anew is cut, and comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from cloud.errors import CarriedFileError
from cloud.transport.broker_files import PURGE
from cloud.transport.register import Register
from cloud.transport.rows import remembered

#: records of one slice: more than it has gateways, less than the disk takes of the longest ids
RECORDS = 4_096
#: in which one certificate brings some hundred MB
EACH_S = 10.0


class Publish(Protocol):
    """`MqttLink.publish`."""

    def __call__(self, topic: str, payload: bytes, *, kept: bool) -> bool:
        """Hand over a message."""


async def keep_few(
    register: Register | None, publish: Publish,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:  # fmt: skip
    """Have old records dropped for ever, where a register says that the broker is a nats-server."""
    while register is not None:
        if await asyncio.to_thread(_is_nats, register):
            publish(PURGE.replace(".", "/"), b'{"keep":%d}' % RECORDS, kept=False)
        await sleep(EACH_S)


def _is_nats(register: Register) -> bool:
    try:
        return any(served.kind == "nats" for served in remembered(register.folder))
    except CarriedFileError:  # told elsewhere, each time brokers are looked at
        return False
