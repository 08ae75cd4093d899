"""What passes on a wire, taken apart far enough to say what is asked there; and a relay to listen.

Each reader is fed what a client sends, piece by piece, and notes what it finds. They are written
from the standards, not by the drivers. A piece that is no request of the protocol is noted as
such: it is allowed nowhere.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

from pymodbus.framer import FramerRTU

from tests.recording import RECORD

NO_REQUEST = "what is no request"


class Reader(Protocol):
    """Takes what the client of one connection sends."""

    def feed(self, data: bytes) -> None:
        """Bytes as they come."""


class Mbap:
    """Modbus TCP: transaction 2, protocol 2, length 2, unit 1, function code (1.0b, 3.1.3)."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> None:
        self._held += data
        while len(self._held) >= 8:
            protocol, length = struct.unpack(">HH", self._held[2:6])
            if protocol or not 2 <= length <= 254:
                RECORD.note("Modbus", NO_REQUEST)
                self._held = b""
                return
            if len(self._held) < 6 + length:
                return
            RECORD.note("Modbus", f"FC {self._held[7]}")
            self._held = self._held[6 + length :]


class Rtu:
    """Modbus RTU: every reading request has eight bytes; what else comes is no reading request."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> None:
        self._held += data
        while len(self._held) >= 8:
            frame, self._held = self._held[:8], self._held[8:]
            whole = FramerRTU.compute_CRC(frame[:6]).to_bytes(2, "big") == frame[6:]
            RECORD.note("Modbus", f"FC {frame[1]}" if whole else NO_REQUEST)


class Dlt645:
    """DL/T 645-2007, 5.2: 68, address 6, 68, control, length, data, sum, 16; FE stand before."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> None:
        self._held = (self._held + data).lstrip(b"\xfe")
        while len(self._held) >= 12:
            length = self._held[9] + 12
            if self._held[0] != 0x68 or self._held[7] != 0x68:
                RECORD.note("DL/T 645", NO_REQUEST)
                self._held = b""
                return
            if len(self._held) < length:
                return
            RECORD.note("DL/T 645", f"{self._held[8]:02X}H")
            self._held = self._held[length:].lstrip(b"\xfe")


class UaTcp:
    """OPC UA over TCP (Part 6, 6.7.2 and 7.1): the kind of each request, as far as it is in clear.

    Under a security policy other than None bodies are encrypted or signed, and not looked at.
    """

    def __init__(self) -> None:
        self._held = b""
        self._is_clear = True
        self._unfinished: set[int] = set()  # requests whose first chunk has been read

    def feed(self, data: bytes) -> None:
        self._held += data
        while len(self._held) >= 8:
            size = int.from_bytes(self._held[4:8], "little")
            if not 8 <= size <= 1 << 24:
                RECORD.note("OPC UA", NO_REQUEST)
                self._held = b""
                return
            if len(self._held) < size:
                return
            self._chunk(self._held[:size])
            self._held = self._held[size:]

    def _chunk(self, chunk: bytes) -> None:
        kind = chunk[:3]
        if kind == b"HEL":
            return
        if kind == b"OPN":  # channel 4, then the policy's URI with its length
            length = int.from_bytes(chunk[12:16], "little", signed=True)
            self._is_clear = chunk[16 : 16 + max(0, length)].endswith(b"#None")
            RECORD.note("OPC UA", "OpenSecureChannelRequest")
        elif kind == b"CLO":
            RECORD.note("OPC UA", "CloseSecureChannelRequest")
        elif kind != b"MSG":
            RECORD.note("OPC UA", NO_REQUEST)
        elif self._is_clear:
            self._message(chunk)

    def _message(self, chunk: bytes) -> None:
        request = int.from_bytes(chunk[20:24], "little")
        is_first = request not in self._unfinished
        (self._unfinished.add if chunk[3:4] == b"C" else self._unfinished.discard)(request)
        if is_first:
            RECORD.note("OPC UA", _type_name(chunk[24:31]))


def _type_name(body: bytes) -> str:
    """The request whose encoding's node id a body begins with (Part 6, 5.2.2.9)."""
    from asyncua.ua.object_ids import ObjectIdNames

    namespace, number = 0, -1
    if body[0] == 0:
        number = body[1]
    elif body[0] == 1:
        namespace, number = body[1], int.from_bytes(body[2:4], "little")
    elif body[0] == 2:
        namespace, number = struct.unpack("<HI", body[1:7])
    name = ObjectIdNames.get(number, "") if namespace == 0 else ""
    return name.partition("_")[0] or f"{NO_REQUEST}: type {namespace}:{number}"


class Relay:
    """A TCP port in front of a server of somebody else's; what its clients send is read along.

    Attributes:
        port: where it listens.
    """

    def __init__(self, server_port: int, reader: Callable[[], Reader], port: int = 0) -> None:
        self._server_port, self._reader = server_port, reader
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """Close the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(10)
        for one in tuple(self._sockets):
            _end(one)
        for thread in self._threads[1:]:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port), timeout=10)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.add(one)
            for source, sink, feed in (
                (client, server, self._reader().feed), (server, client, lambda _: None),
            ):  # fmt: skip
                thread = threading.Thread(target=self._pump, args=(source, sink, feed))
                self._threads.append(thread)
                thread.start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, feed: Callable[[bytes], None]
    ) -> None:
        try:
            while data := source.recv(65536):
                feed(data)
                sink.sendall(data)
        except OSError:
            pass
        finally:  # one end gone is both ends gone
            _end(source)
            _end(sink)
            self._sockets.discard(source)
            source.close()


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


_READERS: dict[str, Callable[[], Reader]] = {"modbus+tcp": Mbap, "opc.tcp": UaTcp}


@contextmanager
def relayed() -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """What puts a relay in front of each of a site's devices, by changing their "url"."""
    relays: list[Relay] = []

    def put_between(devices: list[dict[str, Any]]) -> None:
        for device in devices:
            parts = urlsplit(device["url"])
            relays.append(Relay(parts.port or 0, _READERS[parts.scheme]))
            device["url"] = parts._replace(netloc=f"127.0.0.1:{relays[-1].port}").geturl()

    try:
        yield put_between
    finally:
        for relay in relays:
            relay.stop()
