"""A recording as lines of JSON, and back: strict, bounded, every mistake with its line. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from simulators.recorded.recording import (
    ANSWERS_MAX,
    BIT_TABLES,
    CELLS,
    CHARACTERS_MAX,
    MODBUS,
    OPCUA,
    ROUNDS_MAX,
    TABLES,
    Answer,
    Ask,
    Head,
    NodeValue,
    Recording,
    RecordingError,
)

FORMAT = 1
BYTES_MAX = 256 * 1024 * 1024
LINE_BYTES_MAX = 16 * 1024
_MS_MAX = 2**53
_WORD = re.compile(r"[0-9a-f]{4}", re.ASCII)
_BITS = re.compile(r"[01]{1,2000}", re.ASCII)
_STATUS = re.compile(r"[0-9a-f]{8}", re.ASCII)
_BEGAN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def head_line(head: Head) -> str:
    """The first line."""
    row: dict[str, object] = {
        "recording": FORMAT, "protocol": head.protocol, "device": head.device,
        "profile": head.profile, "began": head.began, "every_ms": head.every_ms,
    }  # fmt: skip
    if head.protocol == MODBUS:
        row["unit"] = head.unit
    else:
        row["namespaces"] = list(head.namespaces)
    return _line(row)


def answer_line(answer: Answer) -> str:
    """A line of a Modbus answer."""
    row: dict[str, object] = {"round": answer.round, "t_ms": answer.t_ms,
                              "took_ms": answer.took_ms, "ask": str(answer.ask)}  # fmt: skip
    if answer.exception is not None:
        row["exception"] = answer.exception
    elif answer.cells is None:
        row["silent"] = True
    elif answer.ask.table in BIT_TABLES:
        row["bits"] = "".join(map(str, answer.cells))
    else:
        row["words"] = " ".join(f"{word:04x}" for word in answer.cells)
    return _line(row)


def value_line(value: NodeValue) -> str:
    """A line of an OPC UA value."""
    row: dict[str, object] = {
        "round": value.round, "t_ms": value.t_ms, "took_ms": value.took_ms, "node": value.node,
        "type": value.type, "value": value.value, "status": f"{value.status:08x}",
    }  # fmt: skip
    if value.source_ms is not None:
        row["source_ms"] = value.source_ms
    return _line(row)


def read_recording(data: bytes) -> Recording:
    """The recording in a file's bytes.

    Raises:
        RecordingError: with the line and what is wrong with it.
    """
    if len(data) > BYTES_MAX:
        raise RecordingError(f"a recording has at most {BYTES_MAX} bytes")
    rows = _rows(data)
    first = next(rows, None)
    if first is None:
        raise RecordingError("it is empty")
    head = _head(first)
    answers: list[Answer] = []
    values: list[NodeValue] = []
    before = (0, 0)
    for row in rows:
        found: Answer | NodeValue
        if head.protocol == MODBUS:
            answers.append(found := _answer(row))
        else:
            values.append(found := _value(row))
        if found.round < before[0] or found.t_ms < before[1]:
            raise row.wrong("its round or t_ms is before that of a line above")
        before = found.round, found.t_ms
    if not answers and not values:
        raise RecordingError("it holds no answer")
    return Recording(head, answers, values)


def _head(row: "_Row") -> Head:
    row.whole("recording", FORMAT, FORMAT)
    protocol = row.text("protocol")
    if protocol not in {MODBUS, OPCUA}:
        raise row.wrong(f"protocol is neither {MODBUS} nor {OPCUA}")
    head = Head(
        protocol=protocol,
        device=row.text("device"),
        unit=row.whole("unit", 0, 255) if protocol == MODBUS else None,
        profile=row.text("profile"),
        began=row.text("began", _BEGAN),
        every_ms=row.whole("every_ms", 0, _MS_MAX),
        namespaces=row.texts("namespaces") if protocol == OPCUA else (),
    )
    row.finish()
    return head


def _answer(row: "_Row") -> Answer:
    place = row.place()
    parts = row.text("ask").split(" ")
    if len(parts) != 3 or parts[0] not in TABLES or not all(map(_is_number, parts[1:])):
        raise row.wrong("ask is not like 'holding 0 10'")
    ask = Ask(parts[0], int(parts[1]), int(parts[2]))
    if not 1 <= ask.count <= TABLES[ask.table] or ask.cells.stop > CELLS:
        raise row.wrong(f"ask is beyond what a question may ask: {ask}")
    cells, exception = None, None
    if row.has("exception"):
        exception = row.whole("exception", 1, 255)
    elif row.has("silent"):
        row.true("silent")
    else:
        cells = _bits(row) if ask.table in BIT_TABLES else _words(row)
        if len(cells) != ask.count:
            raise row.wrong(f"it has {len(cells)} cells of {ask.count}")
    row.finish()
    return Answer(*place, ask, cells, exception)


def _value(row: "_Row") -> NodeValue:
    place = row.place()
    status = int(row.text("status", _STATUS), 16)
    source_ms = None
    if row.has("source_ms"):
        source_ms = row.whole("source_ms", -_MS_MAX, _MS_MAX)
    value = NodeValue(
        *place, node=row.text("node"), type=row.text("type"), value=row.text("value"),
        status=status, source_ms=source_ms,
    )  # fmt: skip
    row.finish()
    return value


def _words(row: "_Row") -> tuple[int, ...]:
    words = row.text("words").split(" ")
    if not all(map(_WORD.fullmatch, words)):
        raise row.wrong("words are not four small hexadecimal digits each")
    return tuple(int(word, 16) for word in words)


def _bits(row: "_Row") -> tuple[int, ...]:
    bits = row.text("bits", _BITS)
    return tuple(map(int, bits))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


class _Row:
    """One line's object; each key is taken once, and none may be left."""

    def __init__(self, number: int, keys: dict[str, Any]) -> None:
        self._number, self._keys = number, keys

    def wrong(self, what: str) -> RecordingError:
        return RecordingError(f"line {self._number}: {what}")

    def has(self, key: str) -> bool:
        return key in self._keys

    def whole(self, key: str, low: int, high: int) -> int:
        value = self._keys.pop(key, None)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(f"{key} is no whole number in {low}..{high}")
        return value

    def text(self, key: str, form: re.Pattern[str] | None = None) -> str:
        value = self._keys.pop(key, None)
        if not isinstance(value, str) or len(value) > CHARACTERS_MAX:
            raise self.wrong(f"{key} is no text of at most {CHARACTERS_MAX} characters")
        if form is not None and not form.fullmatch(value):
            raise self.wrong(f"{key} is not of the form {form.pattern}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        listed = self._keys.pop(key, None)
        if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
            raise self.wrong(f"{key} is no list of texts")
        return tuple(listed)

    def true(self, key: str) -> None:
        if self._keys.pop(key) is not True:
            raise self.wrong(f"{key} is not true")

    def place(self) -> tuple[int, int, int]:
        return (
            self.whole("round", 0, ROUNDS_MAX), self.whole("t_ms", 0, _MS_MAX),
            self.whole("took_ms", 0, _MS_MAX),
        )  # fmt: skip

    def finish(self) -> None:
        if self._keys:
            raise self.wrong(f"unknown: {' '.join(sorted(self._keys))[:200]}")


def _line(row: dict[str, object]) -> str:
    return json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n"


def _rows(data: bytes) -> Iterator[_Row]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        if number > ANSWERS_MAX or len(line) > LINE_BYTES_MAX:
            raise RecordingError(
                f"line {number}: a recording has at most {ANSWERS_MAX} lines of at most "
                f"{LINE_BYTES_MAX} bytes"
            )
        try:
            keys = json.loads(line.decode("ascii"), object_pairs_hook=_once, parse_constant=_none)
        except (ValueError, RecursionError):
            raise RecordingError(
                f"line {number}: is no JSON object of ASCII, or has a key twice"
            ) from None
        if not isinstance(keys, dict):
            raise RecordingError(f"line {number}: is no JSON object")
        yield _Row(number, keys)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise ValueError
    return found


def _none(_: str) -> object:
    raise ValueError
