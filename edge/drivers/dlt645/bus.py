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

from edge.drivers import shared_bus
from edge.drivers.dlt645.frame import (
    Answer,
    Frame,
    build_question,
    find_frame,
    judge_answer,
)
from edge.drivers.dlt645.wire import Endpoint, Wire
from edge.drivers.shared_bus import SilentError

#: A lost question is taken for dead after so many timeouts.
LATE_TIMEOUTS = 10


class Bus(shared_bus.Bus[Wire]):
    """One line, shared by the drivers of every meter on it."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(Wire(endpoint))
        self._quiet_until_s = 0.0
        self._in_doubt_until_s: dict[bytes, float] = {}  # address -> when its lost one is dead

    async def ask(
        self,
        member: object,
        address: bytes,
        di: int,
        timeout_s: float,
        follow_up: int | None = None,
    ) -> Answer:
        """The meter's answer, when it is one's turn.

        Raises:
            SilentError, WrongAnswerError.
        """
        return await self.in_turn(
            member, timeout_s, lambda: self._ask(address, di, timeout_s, follow_up)
        )

    async def _ask(
        self, address: bytes, di: int, timeout_s: float, follow_up: int | None
    ) -> Answer:
        if (wait_s := self._quiet_until_s - _now_s()) > 0:
            await asyncio.sleep(wait_s)
        self._wire.forget()
        answer = None
        try:
            self._wire.send(build_question(address, di, follow_up))
            async with asyncio.timeout(timeout_s):
                answer = await self._hear(address, di, follow_up)
        except OSError as error:  # TimeoutError is one
            raise SilentError(str(error) or f"no answer within {timeout_s:g} s") from None
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


#: a meter must find the line its neighbours are on
_BUSES: shared_bus.Shared[Endpoint, Bus] = shared_bus.Shared(Bus)


def bus_of(endpoint: Endpoint) -> Bus:
    """The line of an endpoint in the running loop."""
    return _BUSES.of(endpoint)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
