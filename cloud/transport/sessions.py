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
  gateways after an outage 25 had a receipt after 250 s with one each minute, all without. So it is
  seldom.

It asks at QoS 1, which a node that is cut off from the others cannot keep: it hangs up, and the
collector goes to another one. Without, it stayed there and heard nothing (tried). A broker that no
register names is asked at QoS 0 until it has once passed that over, and left alone where it hangs
up, as some do on whatever they do not allow: at QoS 1 paho asks again on each connection, and none
stood (tried).
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from cloud.errors import CarriedFileError
from cloud.transport.broker_files import PURGE_MESSAGES, PURGE_SESSIONS
from cloud.transport.register import Register
from cloud.transport.rows import remembered

log = logging.getLogger("stackproof.cloud.transport")

#: records of one slice: more than it has gateways, less than the disk takes of the longest ids
RECORDS = 4_096
#: in which one certificate brings some hundred MB
EACH_S = 10.0
#: times in a row that a broker of which nothing is known hung up on it, and for how long it is
#: asked nothing then
HUNG_UP_MANY, ALONE_S = 3, 3600.0
HANGS_UP = (
    "the broker hangs up, as some do on who publishes what they do not allow: it is not asked for "
    "an hour to drop what nats-server would keep for nobody. Where it is one, let this collector "
    "publish $JS.API.STREAM.PURGE.$MQTT_sess and .$MQTT_msgs"
)
#: messages: what 32 gateways send at once after an outage, and of 25 kB 200 MB
MESSAGES = 8_192
#: once in so many times, ten minutes: 650 MB of what 500 gateways send for nobody
SELDOM = 60


class Link(Protocol):
    """`MqttLink`."""

    @property
    def connections(self) -> int:
        """That there were."""

    @property
    def away_s(self) -> float | None:
        """None while one stands."""

    def publish(self, topic: str, payload: bytes, *, kept: bool, qos: int) -> bool:
        """As `MqttLink.publish`."""


async def keep_few(
    register: Register | None, link: Link,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:  # fmt: skip
    """Have what is old dropped for ever, unless the register says that no broker is a nats-server.

    Of a collector whose broker is configured elsewhere it says nothing; other brokers pass it over.
    """
    if register is None:
        return
    has_passed, hung_up = False, 0
    for turn in itertools.count():
        is_nats = await asyncio.to_thread(_is_nats, register)
        before, is_asked = link.connections, False
        if is_nats is not False:
            qos = int(is_nats or has_passed)
            is_asked = _keep(link, PURGE_SESSIONS, RECORDS, qos)
            if turn % SELDOM == 0:
                _keep(link, PURGE_MESSAGES, MESSAGES, qos)
        await sleep(EACH_S)
        if is_asked and is_nats is None:
            stands = link.connections == before and link.away_s is None
            has_passed, hung_up = has_passed or stands, 0 if stands else hung_up + 1
        if hung_up == HUNG_UP_MANY and not has_passed:
            log.warning(HANGS_UP)
            await sleep(ALONE_S)
            hung_up = 0


def _keep(link: Link, purge: str, newest: int, qos: int) -> bool:
    return link.publish(purge.replace(".", "/"), b'{"keep":%d}' % newest, kept=False, qos=qos)


def _is_nats(register: Register) -> bool | None:
    """Whether the register names one; None where it names no broker."""
    try:
        found = remembered(register.folder)
    except CarriedFileError:  # told elsewhere, each time brokers are looked at
        return False
    return any(served.kind == "nats" for served in found) if found else None
