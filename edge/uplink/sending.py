"""What an agent and a relay send by: `machine` decides, `mqtt` carries as much as the link holds.

Objects are read a few at a time, when there is room for them. When the machine goes back, what was
asked for before is dropped: it is asked for anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from edge.clock import Clock
from edge.errors import EdgeError
from edge.quiet import Quiet
from edge.uplink.machine import Machine, Send
from edge.uplink.mqtt import MqttUplink

AT_ONCE = 16  # objects read together, at most 1 MiB each
WAIT_MAX = 1_000  # of what was asked for and waits, as for a broker that acknowledges nothing

#: objects from one seq to another, both included, in order; none: there is nothing to be sent now
Read = Callable[[int, int], Awaitable[Sequence[tuple[int, bytes]]]]


class Sending:
    """One stream's.

    Attributes:
        machine: what is sent, and what is under receipt.
        sent: objects handed to the broker, repetitions too.
    """

    def __init__(
        self, name: str, read: Read, clock: Clock, log: logging.Logger,
        of: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Prepare; where something fails a person reads `name`, `of` are its line's fields."""
        self.machine, self.sent = Machine(), 0
        self._name, self._read, self._clock, self._log, self._of = name, read, clock, log, of
        self._order, self._quiet = asyncio.Lock(), Quiet()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = 0

    def now_s(self) -> float:
        """Of the monotonic clock."""
        return self._clock.monotonic_ns() / 1e9

    def send_all(self, uplink: MqttUplink | None, sends: Sequence[Send]) -> None:
        """What the machine has just asked for; it never asks without a transport.

        What is too much to wait is dropped: the machine asks again while there is no receipt.
        """
        for send in sends:
            if uplink is not None and len(self._tasks) < WAIT_MAX:
                self.spawn(self._send(uplink, send, self._era))

    async def _send(self, uplink: MqttUplink, send: Send, era: int) -> None:
        async with self._order:
            for first in range(send.first, send.last + 1, AT_ONCE):
                found = await self._read(first, min(first + AT_ONCE - 1, send.last))
                if not found:
                    return
                for seq, data in found:
                    await uplink.room()
                    if not self.machine.online or era != self._era:
                        return
                    if seq <= self.machine.receipted:
                        continue
                    if not uplink.send_object(data):
                        self.machine.refused(seq)
                        self._refused += 1
                        return
                    self.sent += 1

    @property
    def _era(self) -> int:
        """Another one when what was asked for before is asked for anew."""
        return self.machine.resends + self._refused

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; what it fails by is said, once a minute of a kind."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End all of it."""
        self.machine.disconnected()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, EdgeError):
                self._log.error("%s: %s", self._name, error, exc_info=error, extra=self._of)
            elif self._quiet.may(type(error).__name__, self.now_s()):
                self._log.error("%s: %s", self._name, error, extra=self._of)
