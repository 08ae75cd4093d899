"""What every framing of questions and answers offers to a link. Plain types, no I/O."""

from dataclasses import dataclass
from typing import Protocol


class NonsenseError(Exception):
    """Bytes that no client of the protocol sends; the connection is of no more use."""


@dataclass(frozen=True)
class Question:
    """One request.

    Attributes:
        mark: what is given back with the answer: transaction of Modbus TCP, address of DL/T 645.
        unit: Modbus, who is asked; DL/T 645: the control code.
        pdu: what is asked: Modbus function code and data; DL/T 645 data, decoded.
    """

    mark: bytes
    unit: int
    pdu: bytes


class Frames(Protocol):
    """One connection's framing."""

    def feed(self, data: bytes) -> list[Question]:
        """Bytes as they come; the questions they complete. NonsenseError for what is none."""

    def frame(self, question: Question, pdu: bytes) -> bytes:
        """The bytes of an answer."""
