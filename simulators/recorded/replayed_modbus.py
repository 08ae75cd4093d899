"""A Modbus device played from its recording: the same answers, exceptions and silences.

A question that was asked gets what it got in the round of the moment. Any other is answered from
the cells that were seen in that round; one that holds a cell nobody saw gets what the question got
that failed there, and without such a question exception 2 (illegal address).
"""

from statistics import median

from simulators.clock import Clock
from simulators.frames import Question
from simulators.links import Link, PtyLink, TcpLink
from simulators.manner import Manner
from simulators.modbus_frames import RtuFrames, TcpFrames
from simulators.modbus_pdu import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    NOBODY_THERE,
    TABLES,
    answer_of,
    refusal,
)
from simulators.recorded.recording import Answer, Ask, Recording, Rounds
from simulators.served import ServeError


class _Round:
    """What the device said in one round."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[int, int]] = {table: {} for table in TABLES.values()}
        self.failed: dict[Ask, int | None] = {}  # exception code, None: silence

    def take(self, answer: Answer) -> None:
        ask = answer.ask
        if answer.cells is None:
            self.failed[ask] = answer.exception
        else:
            self.failed.pop(ask, None)
            self.cells[ask.table].update(zip(ask.cells, answer.cells, strict=True))

    def say(self, pdu: bytes) -> bytes | None:
        """The answer to a question; None: silence."""
        code = pdu[0]
        if code not in TABLES or len(pdu) != 5:
            return refusal(code, ILLEGAL_FUNCTION)
        ask = Ask(TABLES[code], int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big"))
        if ask in self.failed:
            return self._failed(code, self.failed[ask])
        answer = answer_of(pdu, self.cells)
        if answer == refusal(code, ILLEGAL_ADDRESS):
            for other, exception in self.failed.items():
                if other.table == ask.table and _unseen(ask, self.cells) & set(other.cells):
                    return self._failed(code, exception)
        return answer

    def _failed(self, code: int, exception: int | None) -> bytes | None:
        return None if exception is None else refusal(code, exception)


def _unseen(ask: Ask, cells: dict[str, dict[int, int]]) -> set[int]:
    return set(ask.cells) - cells[ask.table].keys()


class ReplayedModbus:
    """One device on one TCP port, or on a serial line (a pty)."""

    def __init__(
        self, recording: Recording, rounds: Rounds, *, host: str, port: int, on_pty: bool,
        as_slow: bool, clock: Clock,
    ) -> None:  # fmt: skip
        """Nothing is opened yet; `port` 0 lets the machine choose one.

        `as_slow`: each answer takes as long as the recorded ones did, by their median.
        """
        self._unit = recording.head.unit
        self._rounds, self._clock, self._is_on_line = rounds, clock, on_pty
        self._said: dict[int, _Round] = {}
        for answer in recording.answers:
            self._said.setdefault(answer.round, _Round()).take(answer)
        self._link: Link = (
            PtyLink(clock=clock, frames=RtuFrames)
            if on_pty
            else TcpLink(host, port, clock=clock, frames=TcpFrames)
        )
        took = [row.took_ms for row in recording.answers if row.cells or row.exception]
        if as_slow and took:
            self._link.behave(Manner(slow_s=median(took) / 1000))
        self._began_s = clock.elapsed_s()

    @property
    def url(self) -> str:
        """As a site file writes it; the port is the real one once started."""
        if self._is_on_line:
            return f"modbus+rtu://{self._link.place}?unit={self._unit}&baud=19200&parity=N"
        return f"modbus+tcp://{self._link.place}?unit={self._unit}"

    async def start(self) -> None:
        """Listen; the first round begins now.

        Raises:
            ServeError: the port cannot be had.
        """
        try:
            await self._link.start(self._answer)
        except OSError:
            raise ServeError(f"cannot listen on {self._link.place}; is it taken?") from None
        self._began_s = self._clock.elapsed_s()

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._link.stop()

    def _answer(self, question: Question) -> bytes | None:
        if question.unit != self._unit:
            return None if self._is_on_line else refusal(question.pdu[0], NOBODY_THERE)
        number = self._rounds.at(self._clock.elapsed_s() - self._began_s)
        return self._said[number].say(question.pdu)
