"""Which HJ 212 message is of now, and what its items are worth as samples.

Pure: no I/O; "now" is a monotonic time the caller gives. What is not newer than what is held, sent
again or late is told from what is of now, because a reading says how things stand at its tick.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from edge.drivers.base import Sample
from edge.drivers.hj212.message import Message
from edge.drivers.raw import judge_of, pack
from evidence.quality import Quality
from firmware_configs.model import Register

REAL_TIME = 2011
#: A value holds for two reporting intervals, as a reading of a slower schedule does in the
#: calculation: one message may be late, a second one missing is a silence.
HOLDS_INTERVALS = 2

#: HJ 212-2017, table 8. What is not measured is not usable, whoever set it: a number set by hand
#: (S) would otherwise be added up as if an analyser had given it. Its bytes are kept.
_MARKS = {
    "N": Quality.GOOD,
    "F": Quality.DEVICE_REFUSED,  # the instrument is out of operation
    "M": Quality.MAINTENANCE,
    "S": Quality.DEVICE_REFUSED,  # set by hand
    "D": Quality.SENSOR_FAULT,
    "C": Quality.CALIBRATION,
    "T": Quality.OUT_OF_RANGE,
    "B": Quality.NOT_CONNECTED,  # the analyser does not answer the logger
}
_NUMBER = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_NO_NUMBER = frozenset({"nan", "-nan", "inf", "-inf", "+inf"})


@dataclass(frozen=True, slots=True)
class Record:
    """What one message says, and when it came.

    Attributes:
        items: name to text.
        data_ns: what the values are of, UTC nanoseconds.
        at_s: when it arrived, monotonic seconds.
    """

    items: Mapping[str, str]
    data_ns: int
    at_s: float


class Newest:
    """The newest record of each command of one logger.

    Args:
        intervals_s: command -> the interval in which the logger sends it.
    """

    def __init__(self, intervals_s: Mapping[int, float]) -> None:
        self._intervals_s = intervals_s
        self._held: dict[int, Record] = {}

    def offer(self, message: Message, now_s: float) -> str:
        """Take the message if it is of now; "" when it is held or nobody's, else why it is not."""
        interval_s = self._intervals_s.get(message.cn)
        if interval_s is None:
            return ""
        data_ns = message.data_ns
        if data_ns is None and message.cn == REAL_TIME:
            data_ns = message.qn_ns
        if data_ns is None:
            return "it has no DataTime"
        age_s = (message.qn_ns - data_ns) / 1e9
        is_near = -interval_s <= age_s <= (HOLDS_INTERVALS + 1) * interval_s
        if message.is_resend or not is_near:
            return "it was sent again later (RF=1), or its DataTime is far from its QN"
        held = self._held.get(message.cn)
        if held is not None and data_ns == held.data_ns:
            # sent twice: held already, and not younger for it
            is_same = held.items == message.items
            return "" if is_same else "it differs from the one of the same time, which stays"
        if held is not None and data_ns < held.data_ns and self._holds(held, interval_s, now_s):
            return "it is older than the newest"
        # One that is older is taken once the newest has lapsed: the logger's clock was set back.
        self._held[message.cn] = Record(message.items, data_ns, now_s)
        return ""

    def record(self, command: int) -> Record | None:
        """The newest of a command, however old."""
        return self._held.get(command)

    def current(self, command: int, now_s: float) -> Record | None:
        """The newest of a command while it holds."""
        held = self._held.get(command)
        if held is None or not self._holds(held, self._intervals_s[command], now_s):
            return None
        return held

    @staticmethod
    def _holds(held: Record, interval_s: float, now_s: float) -> bool:
        return now_s - held.at_s <= HOLDS_INTERVALS * interval_s


class Value:
    """What a register is in a record, worked out once."""

    def __init__(self, register: Register, factor: str, field: str) -> None:
        self._register = register
        self._judge = judge_of(register)
        self._name = f"{factor}-{field}"
        self._mark = f"{factor}-Flag"
        self._is_mark = field == "Flag"

    def sample(self, record: Record) -> Sample:
        """The value with its quality and the time the logger gives it."""
        text, mark = record.items.get(self._name, ""), record.items.get(self._mark, "")
        if self._is_mark:
            return self._marked(mark, record)
        # An item without a mark says nothing of its worth, which is a reservation.
        quality = _MARKS.get(mark, Quality.WRONG_ANSWER) if mark else Quality.UNCERTAIN
        raw = self._raw(text)
        if raw is None:
            if quality.usable:
                quality = _worthless(text)
        elif quality.usable and (judged := self._judge(raw)) is not Quality.GOOD:
            quality = judged
        return Sample(raw, quality, record.data_ns)

    def _marked(self, mark: str, record: Record) -> Sample:
        if len(mark) != 1 or not mark.isascii():
            quality = Quality.WRONG_ANSWER if mark else Quality.DEVICE_REFUSED
            return Sample(None, quality, record.data_ns)
        return Sample(pack(ord(mark), self._register.dtype), Quality.GOOD, record.data_ns)

    def _raw(self, text: str) -> bytes | None:
        """The number as a count of the register's decimals; None when it is none, exactly."""
        found = _NUMBER.fullmatch(text)
        if found is None:
            return None
        sign, whole, fraction = found[1], found[2], (found[3] or "").rstrip("0")
        decimals = self._register.decimals
        if len(fraction) > decimals:
            return None
        try:
            return pack(int(sign + whole + fraction.ljust(decimals, "0")), self._register.dtype)
        except (struct.error, OverflowError):
            return None


def _worthless(text: str) -> Quality:
    if not text:
        return Quality.DEVICE_REFUSED
    return Quality.NOT_A_NUMBER if text.lower() in _NO_NUMBER else Quality.WRONG_ANSWER
