"""A recording: what a device was asked and what it answered, round after round. Pure types.

`RECORDING.md` is the format; `simulators.recorded.text` reads and writes it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

#: table -> most cells one question may ask for (Modbus Application Protocol 1.1b3, 6.1 to 6.4)
TABLES = {"coil": 2000, "discrete": 2000, "holding": 125, "input": 125}
BIT_TABLES = ("coil", "discrete")
CELLS = 65536

#: bounds of a recording
ROUNDS_MAX, ANSWERS_MAX, CHARACTERS_MAX = 100_000, 2_000_000, 2000

MODBUS, OPCUA = "modbus", "opcua"


class RecordingError(Exception):
    """A recording that cannot be made, read or played; the sentence says where and why."""


@dataclass(frozen=True)
class Ask:
    """A reading question to a Modbus device: `count` cells of a table from an address on."""

    table: str
    address: int
    count: int

    def __str__(self) -> str:
        return f"{self.table} {self.address} {self.count}"

    @property
    def cells(self) -> range:
        """The addresses it asks for."""
        return range(self.address, self.address + self.count)


@dataclass(frozen=True)
class Answer:
    """What a Modbus device said to a question.

    Attributes:
        round: counts from 0.
        t_ms: milliseconds since the recording began, when it was asked.
        took_ms: milliseconds until the answer, or until it was given up.
        ask: the question.
        cells: the values of the cells, or None.
        exception: the exception code, or None; neither of both: it was silent.
    """

    round: int
    t_ms: int
    took_ms: int
    ask: Ask
    cells: tuple[int, ...] | None = None
    exception: int | None = None


@dataclass(frozen=True)
class NodeValue:
    """What an OPC UA server said of a node.

    Attributes:
        round, t_ms, took_ms: as of an answer.
        node: node id in the server's own namespace numbers.
        type: name of the variant type, "" without a value.
        value: the value as text, "" without one.
        status: status code.
        source_ms: source time, milliseconds since the recording began (mostly below zero or just
            above), or None.
    """

    round: int
    t_ms: int
    took_ms: int
    node: str
    type: str
    value: str
    status: int
    source_ms: int | None


@dataclass(frozen=True)
class Head:
    """What is recorded.

    Attributes:
        protocol: MODBUS or OPCUA.
        device: its URL.
        unit: Modbus unit id, or None.
        profile: the profile it was asked by, "" when by ranges or by browsing.
        began: UTC, ISO 8601.
        every_ms: between the beginnings of two rounds.
        namespaces: OPC UA, the server's namespace array.
    """

    protocol: str
    device: str
    unit: int | None
    profile: str
    began: str
    every_ms: int
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """All of it; answers in the order they came, of the head's protocol, at least one."""

    head: Head
    answers: Sequence[Answer] = ()
    values: Sequence[NodeValue] = ()


class Rounds:
    """Which round a moment falls into."""

    def __init__(self, recording: Recording, *, speed: int, is_looped: bool) -> None:
        rows: Sequence[Answer | NodeValue] = recording.answers or recording.values
        begins: dict[int, int] = {}
        for row in rows:
            begins.setdefault(row.round, row.t_ms)
        self._numbers, self._begins_ms = list(begins), list(begins.values())
        self._length_ms = self._begins_ms[-1] - self._begins_ms[0] + recording.head.every_ms
        self._speed, self._is_looped = speed, is_looped

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._numbers)

    def at(self, elapsed_s: float) -> int:
        """The round that is shown so many seconds after the play began; the last one stays."""
        t_ms = int(elapsed_s * 1000 * self._speed)
        if self._is_looped:
            t_ms %= max(1, self._length_ms)
        return self._numbers[max(0, bisect_right(self._begins_ms, t_ms + self._begins_ms[0]) - 1)]
