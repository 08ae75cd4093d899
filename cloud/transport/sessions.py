"""Bounds what nats-server keeps of a slice. I/O: the register's folder, by way of a thread.

Nothing in its configuration does. Whoever holds the slice has what is older dropped, of two
streams:

- `$MQTT_sess` has a record of each client id, as long as that is: tried with 2.15.1, one
  certificate that named 847 ids of 60 kB filled 48 MB in 5 s, after which nobody of the slice
  connected, past restarts. Sessions that stand go on without theirs; one that then subscribes anew
  is cut, and comes again.
- `$MQTT_msgs` has each message until every subscription of QoS 1 that fits has taken it. In a
  cluster one may be left that nobody knows of, for good: made after nats-server had refused it as
  too late, or not taken away, since no leader heard that its collector had died. Tried: 18,000
  frames 100 s after node and collector were killed; with the disk full nobody of the slice gets
  anything through. What is dropped though the collector would have taken it is sent again. That
  has its price: what waited behind it comes for nothing, and nats-server, which forgets then what
  is under way, holds back what comes next for 30 s. Tried at 200 ms between the two: of 100
  gateways after an outage 25 had got on after 250 s with one each minute, all without. So it is
  seldom.

It asks at QoS 1, which a node that is cut off from the others cannot keep: it hangs up, and the
collector goes to another one. Without, it stayed there and heard nothing (tried). A broker that no
register names is asked for nothing: some hang up on who publishes what they do not allow, and paho
would say it again on each connection.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Protocol

from cloud.errors import CarriedFileError
from cloud.transport.broker_files import PURGE_MESSAGES, PURGE_SESSIONS
from cloud.transport.register import Register
from cloud.transport.rows import remembered

#: records of one slice: more than it has gateways, less than the disk takes of the longest ids
RECORDS = 4_096
#: in which one certificate brings some hundred MB
EACH_S = 10.0
#: messages: what 32 gateways send at once after an outage, and of 25 kB 200 MB
MESSAGES = 8_192
#: once in so many times, ten minutes: 650 MB of what 500 gateways send for nobody
SELDOM = 60


class Publish(Protocol):
    """`MqttLink.publish`."""

    def __call__(self, topic: str, payload: bytes, *, kept: bool) -> bool:
        """Hand over a message."""


async def keep_few(
    register: Register | None, publish: Publish,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:  # fmt: skip
    """Have what is old dropped for ever, where a register says that the broker is a nats-server."""
    if register is None:
        return
    due = 0
    for turn in itertools.count():
        if await asyncio.to_thread(_is_nats, register):
            _keep(publish, PURGE_SESSIONS, RECORDS)
            if turn >= due and _keep(publish, PURGE_MESSAGES, MESSAGES):
                due = turn + SELDOM
        await sleep(EACH_S)


def _keep(publish: Publish, purge: str, newest: int) -> bool:
    return publish(purge.replace(".", "/"), b'{"keep":%d}' % newest, kept=False)


def _is_nats(register: Register) -> bool:
    try:
        return any(served.kind == "nats" for served in remembered(register.folder))
    except CarriedFileError:  # told elsewhere, each time brokers are looked at
        return False
