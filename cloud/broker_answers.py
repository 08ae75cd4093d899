"""Asks a broker, again and again, whether it still keeps a message. I/O: connections to it.

A broker that runs and takes connections may keep nothing any more: nats-server 2.15.1 goes round
without end over a message that it does not find in its store, now and then after a retained message
on a topic of more than 65,523 bytes (its records count a name in 16 bits), and each receipt waits
for that.
"""

import asyncio
from collections.abc import Callable

#: between two questions; with no answer for so long it keeps nothing any more
ASK_S, SILENT_S = 2.0, 10.0

#: MQTT 3.1.1, 3.1 and 3.3: a clean session without a name; "stackproof/answers", retained, QoS 1
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"
_PUBLISH = b"\x33\x17\x00\x12stackproof/answers\x00\x011"
_DISCONNECT = b"\xe0\x00"
#: 3.2 and 3.4 are of four bytes both
_ANSWER_BYTES = 4


async def until_silent(
    host: str, port: int, *, silent_s: float, kept: Callable[[], None] = lambda: None
) -> None:
    """Come back when the broker has not answered for so long, and not before.

    Each question has a connection of its own: after a full disk nats-server answered on those that
    it had, and hung up on new ones for ever. As many in a row as fit into that time are silence.

    Args:
        host: where it listens, without TLS and accounts.
        port: of MQTT there.
        silent_s: seconds, at least 1.
        kept: is called whenever it has answered.

    Raises:
        OSError: it is not there.
    """
    hung_up = 0
    while hung_up < silent_s / ASK_S:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            for question in (_CONNECT, _PUBLISH):
                writer.write(question)
                if not await _answered(reader, silent_s):
                    return
            writer.write(_DISCONNECT)
            hung_up = 0
            kept()
        except (EOFError, ConnectionError):
            hung_up += 1
        finally:
            writer.close()
        await asyncio.sleep(ASK_S)


async def _answered(reader: asyncio.StreamReader, silent_s: float) -> bool:
    """Second by second: where this process stood still, the answer has come meanwhile."""
    answer = asyncio.create_task(reader.readexactly(_ANSWER_BYTES))
    try:
        for _ in range(round(silent_s)):
            if (await asyncio.wait({answer}, timeout=1.0))[0]:
                answer.result()
                return True
        return False
    finally:
        answer.cancel()
