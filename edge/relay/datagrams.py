"""The relay's UDP port. I/O: one socket that is only ever read.

What is complete waits for the disk in memory, within a bound; what is lost with the process, or for
want of room, comes again with the next repetition or is named missing.
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter

from edge.clock import Clock
from edge.one_way.datagram import LossCount, Reassembly, parse_fragment
from edge.relay.intake import RelayIntake
from edge.relay.outer import Outer
from evidence.errors import EvidenceError

log = logging.getLogger("stackproof.relay")

KEEP_S = 0.1
WAITING_BYTES_MAX = 32 * 1024 * 1024
SOCKET_BYTES = 8 * 1024 * 1024  # the system may give less: net.core.rmem_max


class RelayDatagrams(asyncio.DatagramProtocol):
    """Takes datagrams in, from when its address can be had: a cable or DHCP may come later.

    Attributes:
        counts: `datagrams` that came, `noise` that were none of ours, `busy` objects dropped
            because the disk was behind.
        reassembly: what is not complete yet.
        loss: of the sender's numbers.
        turns: of its work, counted by who asks for `step`.
    """

    NAME = "UDP"

    def __init__(self, intake: RelayIntake, clock: Clock, at: tuple[str, int]) -> None:
        self._intake, self._clock, self._at = intake, clock, at
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: list[Outer] = []
        self._bytes = self._gone = self.turns = 0
        self.reassembly, self.loss = Reassembly(), LossCount()
        self.counts: Counter[str] = Counter()

    async def open(self) -> None:
        """Begin to listen; OSError when the address cannot be had, and each step tries again."""
        host, port = self._at
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        port_socket = socket.socket(family, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        try:
            port_socket.bind((host, port))
        except OSError as error:
            port_socket.close()
            raise OSError(f"UDP {host}:{port} cannot be had: {error.strerror}") from error
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=port_socket)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One datagram, whoever sent it."""
        self.counts["datagrams"] += 1
        try:
            fragment = parse_fragment(data)
        except EvidenceError:
            self.counts["noise"] += 1
            return
        self.loss.note(fragment)
        whole = self.reassembly.take(fragment)
        outer = None if whole is None else self._intake.admit(whole)
        if outer is None:
            return
        if self._bytes + len(outer.data) > WAITING_BYTES_MAX:
            self.counts["busy"] += 1
            return
        self._waiting.append(outer)
        self._bytes += len(outer.data)

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()

    async def step(self) -> None:
        """Bring what is complete to disk.

        Raises:
            OSError: the address cannot be had; it is tried again with the next step.
            SpoolError: what came is dropped, and comes again.
        """
        if self._transport is None:
            await self.open()
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        full = 0
        if waiting:
            full = await self._intake.keep(waiting, self._clock.monotonic_ns() / 1e9)
        if self._gone != self._intake.gone:  # by whatever came, files too
            self._gone = self._intake.gone
            self.reassembly.forget()
        elif not full:  # else repetitions are looked at again
            for outer in waiting:
                self.reassembly.remember(outer.sha256)

    def error_received(self, exc: Exception) -> None:
        """The system's word about the socket; nothing was lost by it."""
        log.warning("UDP: %s", exc)
