"""An MQTT 3.1.1 broker that accepts connections and subscriptions and acknowledges no publish."""

import asyncio

from tests.tcp_server import TcpServer

_CONNECT, _PUBLISH, _SUBSCRIBE, _PINGREQ = 1, 3, 8, 12
_PINGRESP = b"\xd0\x00"


class DeafBroker(TcpServer):
    """Use as `async with DeafBroker(port)`; `published` counts PUBLISH packets of QoS 1.

    With `cuts` it ends the connection at the first of them, as RabbitMQ 4.0.5 does when a topic is
    forbidden; `connected` counts connections, `subscribed` subscriptions, granted ones too.
    """

    def __init__(
        self, port: int, *, connack: int = 0, suback: int = 1, cuts: bool = False, floods: int = 0,
        says: bytes = b"",
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            port: on 127.0.0.1.
            connack: return code of every connection, 5 = not authorised.
            suback: return code of every subscription from then on, 0x80 = refused.
            cuts: end the connection at the first publish of QoS 1.
            says: whatever comes behind the answer to each subscription.
            floods: begin a message of so many bytes at each subscription, and send what it can.
        """
        super().__init__()
        self.port, self._connack, self.suback = port, connack, suback
        self.published = self.connected = self.subscribed = 0
        self._cuts, self._floods, self.flooded, self._says = cuts, floods, 0, says

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (first,) = await reader.readexactly(1)
            body = await reader.readexactly(await _length(reader))
            kind, qos = first >> 4, (first >> 1) & 3
            if kind == _CONNECT:
                self.connected += 1
                writer.write(bytes([0x20, 2, 0, self._connack]))
            elif kind == _SUBSCRIBE:
                self.subscribed += 1
                writer.write(b"\x90\x04" + body[:2] + bytes([self.suback] * 2) + self._says)
                if self._floods:
                    await self._flood(writer)
            elif kind == _PINGREQ:
                writer.write(_PINGRESP)
            elif kind == _PUBLISH and qos == 1:
                self.published += 1
                if self._cuts:
                    return

    async def _flood(self, writer: asyncio.StreamWriter) -> None:
        length = bytes([self._floods >> shift & 0x7F | 0x80 for shift in (0, 7, 14)])
        writer.write(b"\x30" + length + bytes([self._floods >> 21]) + b"\x00\x01t")
        chunk = bytes(64 * 1024)
        for _ in range(self._floods // len(chunk)):
            writer.write(chunk)
            await writer.drain()
            self.flooded += len(chunk)


async def _length(reader: asyncio.StreamReader) -> int:
    """MQTT's remaining length: seven bits a byte, lowest first."""
    total, shift = 0, 0
    while True:
        (byte,) = await reader.readexactly(1)
        total |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return total
