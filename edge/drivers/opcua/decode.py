"""OPC UA values, status codes and times to samples.

Pure: no I/O, no OPC UA library; status codes are the 32-bit numbers of OPC UA Part 6, annex A
(`Opc.Ua.StatusCodes.csv`); severity and flags are as in Part 4, 7.39.1.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge.drivers.base import Sample
from edge.drivers.raw import judge_of, pack, unpack
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = datetime(
    1601, 1, 1, tzinfo=UTC
)  # an OPC UA DateTime of 0: "not given" (Part 6, 5.2.2.5)

_CODE_BITS = 0xFFFF0000  # severity and sub-code; the low half holds flags such as "overflow"
_SEVERITY_SHIFT = 30

_NAMED: dict[int, Quality] = {
    0x80310000: Quality.NOT_CONNECTED,  # BadNoCommunication
    0x808A0000: Quality.NOT_CONNECTED,  # BadNotConnected
    0x808B0000: Quality.SENSOR_FAULT,  # BadDeviceFailure
    0x808C0000: Quality.SENSOR_FAULT,  # BadSensorFailure
    # GoodLocalOverride, "the value has been overridden": somebody forced it by hand. A person's
    # number is not a measurement without reserve.
    0x00960000: Quality.UNCERTAIN,
}


@dataclass(frozen=True, slots=True)
class Value:
    """What decoding needs to know of a register, worked out once.

    Attributes:
        dtype: the number type the point is declared in.
        judge: raw bytes to quality.
    """

    dtype: Dtype
    judge: Callable[[bytes], Quality]

    @classmethod
    def of(cls, register: Register) -> "Value":
        """The value of a register row."""
        return cls(register.dtype, judge_of(register))


def status_quality(status: int) -> Quality:
    """The quality a status code stands for, the value aside.

    Args:
        status: the 32-bit StatusCode.
    """
    named = _NAMED.get(status & _CODE_BITS)
    if named is not None:
        return named
    severity = status >> _SEVERITY_SHIFT
    if severity == 0:
        return Quality.GOOD
    # 10 is Bad; 11 is reserved and "shall be treated as Bad" (Part 4, 7.39.1)
    return Quality.UNCERTAIN if severity == 1 else Quality.DEVICE_REFUSED


def is_unknown_node(status: int) -> bool:
    """The 32-bit StatusCode says that the server has no such node (BadNodeIdUnknown)."""
    return status & _CODE_BITS == 0x80340000


def decode_value(
    content: object, value: Value, *, status: int, source_time: datetime | None
) -> Sample:
    """One node's answer as a sample.

    Args:
        content: the variant's content: bool, int or float; anything else (None, text, array) has
            no number.
        value: the point's value.
        status: the 32-bit StatusCode.
        source_time: SourceTimestamp, aware UTC, or None.

    Returns:
        A sample whose raw bytes are the value itself or None, never a rounded one. A value that
        the declared dtype cannot hold exactly is WRONG_ANSWER.
    """
    raw = exact_bytes(content, value.dtype)
    quality = status_quality(status)
    if quality.usable and raw is None:
        lost = isinstance(content, float) and not math.isfinite(content)
        quality = Quality.NOT_A_NUMBER if lost else Quality.WRONG_ANSWER
    elif quality.usable and raw is not None:
        judged = value.judge(raw)
        quality = quality if judged is Quality.GOOD else judged
    return Sample(raw, quality, source_ns(source_time))


def exact_bytes(value: object, dtype: Dtype) -> bytes | None:
    """The value in the dtype's bytes, little-endian; None when it does not fit exactly.

    A NaN fits a float type (its payload as far as the type holds it).
    """
    if not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not dtype.is_float:
        if not value.is_integer():
            return None
        value = int(value)
    try:
        raw = pack(value, dtype)
    except (struct.error, OverflowError):
        return None
    return raw if unpack(raw, dtype) == value or value != value else None  # noqa: PLR0124 - NaN


def operation_limit(content: object, most: int) -> int:
    """How many nodes one request may name: the server's OperationLimit, `most` when it has none.

    Args:
        content: what the server says; 0 or nothing is no limit of its own (Part 5, 6.3.11).
        most: our own limit.
    """
    return min(most, content) if isinstance(content, int) and content > 0 else most


def source_ns(source_time: datetime | None) -> int | None:
    """UTC nanoseconds since 1970 of a source time; None when the server gave none.

    OPC UA counts 100 ns; what reaches here is whole microseconds.
    """
    if source_time is None or source_time <= _NO_TIME:
        return None
    return (source_time - _EPOCH) // timedelta(microseconds=1) * 1000
