"""A TCP connection to a device, or to a converter with a serial line behind it. I/O."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast


class NoConnectionError(Exception):
    """There is none; the text says why."""


class Connection(asyncio.Protocol):
    """Use `connect` to make one.

    Args:
        hear: called with whatever comes in.
        lost: called once when the other side or the network has ended it, never after `close`.
        gate: everything that is sent passes it.
    """

    def __init__(
        self,
        hear: Callable[[bytes], None],
        lost: Callable[[], None],
        gate: Callable[[bytes], bytes],
    ) -> None:
        self._hear, self._lost, self._gate = hear, lost, gate
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio: it is open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Of asyncio: something came in."""
        self._hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio: it is gone."""
        if self._transport is not None:
            self._transport = None
            self._lost()

    def send(self, packet: bytes) -> None:
        """Send one question; OSError when the connection is gone."""
        if self._transport is None:
            raise OSError("the connection is closed")
        self._transport.write(self._gate(packet))

    def close(self) -> None:
        """Give the connection back; nothing more is called."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()


async def connect(
    host: str,
    port: int,
    timeout_s: float,
    *,
    hear: Callable[[bytes], None],
    lost: Callable[[], None],
    gate: Callable[[bytes], bytes],
) -> Connection:
    """Open a connection. A cancelled try leaves none.

    Raises:
        NoConnectionError: nobody accepts in time, or the host's name is not known.
    """
    made = Connection(hear, lost, gate)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(lambda: made, host, port)
    except (OSError, TimeoutError) as error:
        made.close()
        if isinstance(error, socket.gaierror):
            raise NoConnectionError(f"the name {host!r} is not known here") from None
        raise NoConnectionError("nobody accepts") from None
    except BaseException:
        made.close()
        raise
    return made
