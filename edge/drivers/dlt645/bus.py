"""The meters on one line take turns: one question is out at a time, and late answers are told.

An answer carries the meter's address and the data item, so it can hardly be taken for another's.
What carries less is met so:
- after a question was given up, nothing is asked on the line for one more timeout, and what is
  heard meanwhile is thrown away;
- an error names no data item: while a lost question of the same meter may still be answered, an
  error is passed over, and the question counts as not answered. A value ends that doubt: what an
  error still on its way could then do is refuse one reading, never make one.
"""

import asyncio

from edge.drivers.dlt645.frame import (
    Answer,
    Frame,
    build_question,
    find_frame,
    judge_answer,
)
from edge.drivers.dlt645.wire import Endpoint, Wire
from edge.drivers.shared import Shared

#: A lost question is taken for dead after so many timeouts.
LATE_TIMEOUTS = 10


class SilentError(Exception):
    """No answer: in time, or because there is no line."""


class Bus:
    """One line, shared by the drivers of every meter on it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._wire = Wire(endpoint)
        self._members: set[object] = set()
        self._turn = asyncio.Lock()  # first come, first served
        self._asking: object | None = None
        self._quiet_until_s = 0.0
        self._in_doubt_until_s: dict[bytes, float] = {}  # address -> when its lost one is dead

    @property
    def is_open(self) -> bool:
        """True while there is a line, as far as is known."""
        return self._wire.is_open

    def join(self, member: object) -> None:
        """A meter's driver needs the line from now on."""
        self._members.add(member)

    def leave(self, member: object) -> None:
        """It does not any more; its question under way fails, the last one closes the line."""
        self._members.discard(member)
        if not self._members or self._asking is member:
            self._wire.close()

    async def open(self, timeout_s: float) -> None:
        """See to it that the line is open.

        Raises:
            OSError, TimeoutError: it cannot be opened, or not in time.
        """
        async with self._turn:
            await self._open(timeout_s)

    async def ask(
        self,
        member: object,
        address: bytes,
        di: int,
        timeout_s: float,
        follow_up: int | None = None,
    ) -> Answer:
        """The meter's answer.

        Raises:
            SilentError, WrongAnswerError.
        """
        async with self._turn:
            if member not in self._members:
                raise SilentError("the line was closed")
            self._asking = member
            try:
                return await self._ask(address, di, timeout_s, follow_up)
            except TimeoutError:
                raise SilentError(f"no answer within {timeout_s:g} s") from None
            except OSError as error:
                raise SilentError(error.strerror or str(error)) from None
            finally:
                self._asking = None

    async def _ask(
        self, address: bytes, di: int, timeout_s: float, follow_up: int | None
    ) -> Answer:
        await self._open(timeout_s)
        if (wait_s := self._quiet_until_s - _now_s()) > 0:
            await asyncio.sleep(wait_s)
        self._wire.forget()
        answer = None
        try:
            self._wire.send(build_question(address, di, follow_up))
            async with asyncio.timeout(timeout_s):
                answer = await self._hear(address, di, follow_up)
        finally:
            if answer is None:  # given up, also by a cancel
                self._quiet_until_s = _now_s() + timeout_s
                self._in_doubt_until_s[address] = _now_s() + LATE_TIMEOUTS * timeout_s
        if not answer.refused:
            self._in_doubt_until_s.pop(address, None)
        return answer

    async def _hear(self, address: bytes, di: int, follow_up: int | None) -> Answer:
        held = b""
        while True:
            held += await self._wire.more()
            frame: Frame | None
            while True:
                frame, held = find_frame(held)
                if frame is None:
                    break
                answer = judge_answer(frame, address, di, follow_up)
                if answer is not None and not (answer.refused and self._is_in_doubt(address)):
                    return answer

    def _is_in_doubt(self, address: bytes) -> bool:
        return _now_s() < self._in_doubt_until_s.get(address, 0.0)

    async def _open(self, timeout_s: float) -> None:
        if self._wire.is_open:
            return
        async with asyncio.timeout(timeout_s):
            await self._wire.open()
        if not self._members:  # everybody left meanwhile
            self._wire.close()


#: a meter must find the line its neighbours are on
_BUSES: Shared[Endpoint, Bus] = Shared(Bus)


def bus_of(endpoint: Endpoint) -> Bus:
    """The line of an endpoint in the running loop."""
    return _BUSES.of(endpoint)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
