"""A Modbus TCP device of a few lines that can misbehave as told, independent of any library.

It answers reads out of `words` (a word that is not set is its own address), refuses what is in
`illegal`, and records every question and connection. `twist` may replace an answer.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.recording import RECORD
from tests.tcp_server import TcpServer


@dataclass(frozen=True)
class Question:
    """One request as it came over the wire."""

    transaction: int
    unit: int
    code: int
    address: int
    count: int
    connection: int

    @property
    def span(self) -> tuple[int, int]:
        return self.address, self.count


class Silence:
    """Answer nothing."""


class Hangup:
    """Close the connection instead of answering."""


@dataclass(frozen=True)
class Late:
    """Send the true answer, but only after `delay_s`."""

    delay_s: float


@dataclass(frozen=True)
class Pieces:
    """Send these bytes, a moment apart, instead of the packet."""

    pieces: tuple[bytes, ...]


@dataclass(frozen=True)
class Pdu:
    """Send this PDU (function code and data) in a correct packet."""

    pdu: bytes


Twist = Silence | Hangup | Late | Pieces | Pdu | None


@dataclass
class Responder(TcpServer):
    """Use as `async with Responder() as device`; `device.url` is where it listens."""

    words: dict[int, int] = field(default_factory=dict)
    bits: set[int] = field(default_factory=set)
    illegal: set[int] = field(default_factory=set)
    twist: Callable[[Question], Twist] = lambda _: None
    questions: list[Question] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"modbus+tcp://127.0.0.1:{self.port}?unit=1"

    @property
    def spans(self) -> list[tuple[int, int]]:
        """(address, count) of every question so far."""
        return [q.span for q in self.questions]

    def true_answer(self, question: Question) -> bytes:
        """The PDU a well-behaved device sends."""
        cells = range(question.address, question.address + question.count)
        if self.illegal.intersection(cells):
            return bytes([question.code | 0x80, 2])
        if question.code in (1, 2):
            packed = bytearray(-(-question.count // 8))
            for i, cell in enumerate(cells):
                packed[i // 8] |= (cell in self.bits) << (i % 8)
            return bytes([question.code, len(packed)]) + packed
        words = [self.words.get(cell, cell) for cell in cells]
        return bytes([question.code, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = self.connections
        while True:
            head = await reader.readexactly(7)
            transaction, _, length, unit = struct.unpack(">HHHB", head)
            pdu = await reader.readexactly(length - 1)
            RECORD.note("Modbus", f"FC {pdu[0]}")
            address, count = struct.unpack(">HH", pdu[1:5])
            question = Question(transaction, unit, pdu[0], address, count, mine)
            self.questions.append(question)
            if not self._reply(question, writer):
                return

    def _reply(self, question: Question, writer: asyncio.StreamWriter) -> bool:
        twist = self.twist(question)
        packet = _packet(question, self.true_answer(question))
        if isinstance(twist, Hangup):
            return False
        if isinstance(twist, Late):
            self.later(_spread(writer, (b"", packet), twist.delay_s))
        elif isinstance(twist, Pieces):
            self.later(_spread(writer, twist.pieces, 0.02))
        elif isinstance(twist, Pdu):
            writer.write(_packet(question, twist.pdu))
        elif twist is None:
            writer.write(packet)
        return True


async def _spread(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], gap_s: float) -> None:
    for number, piece in enumerate(pieces):
        await asyncio.sleep(gap_s if number else 0)
        if not writer.is_closing():
            writer.write(piece)


def _packet(question: Question, pdu: bytes) -> bytes:
    head = struct.pack(">HHHB", question.transaction, 0, len(pdu) + 1, question.unit)
    return head + pdu
