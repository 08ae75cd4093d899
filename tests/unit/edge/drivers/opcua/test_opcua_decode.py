"""Status codes, values and times of OPC UA to samples. Codes are those of OPC UA Part 6, A.2."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np  # an independent reader of the same bytes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.base import Sample
from edge.drivers.opcua.decode import Value, decode_value, exact_bytes, source_ns, status_quality
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register

GOOD, UNCERTAIN, BAD = 0x00000000, 0x40000000, 0x80000000
BAD_SENSOR_FAILURE = 0x808C0000


@pytest.mark.parametrize(
    ("status", "quality"),
    [
        (GOOD, Quality.GOOD),
        (0x00000400, Quality.GOOD),  # Good with the info-type flag
        (
            0x00000480,
            Quality.GOOD,
        ),  # Good with overflow: samples lost from the queue, this one good
        (0x002F0000, Quality.GOOD),  # GoodOverload
        (0x00960000, Quality.UNCERTAIN),  # GoodLocalOverride: forced by hand
        (UNCERTAIN, Quality.UNCERTAIN),
        (0x408F0000, Quality.UNCERTAIN),  # UncertainNoCommunicationLastUsableValue
        (0x40930000, Quality.UNCERTAIN),  # UncertainSensorNotAccurate
        (BAD, Quality.DEVICE_REFUSED),
        (0x80310000, Quality.NOT_CONNECTED),  # BadNoCommunication
        (0x808A0000, Quality.NOT_CONNECTED),  # BadNotConnected
        (0x808B0000, Quality.SENSOR_FAULT),  # BadDeviceFailure
        (BAD_SENSOR_FAILURE, Quality.SENSOR_FAULT),
        (0x808C0480, Quality.SENSOR_FAULT),  # BadSensorFailure with flags
        (0x80340000, Quality.DEVICE_REFUSED),  # BadNodeIdUnknown
        (0x80320000, Quality.DEVICE_REFUSED),  # BadWaitingForInitialData
        (0x803A0000, Quality.DEVICE_REFUSED),  # BadNotReadable
        (0xC0000000, Quality.DEVICE_REFUSED),  # reserved severity 11 counts as Bad
        (0xFFFFFFFF, Quality.DEVICE_REFUSED),
    ],
)
def test_status_to_quality(status: int, quality: Quality) -> None:
    assert status_quality(status) is quality


@given(st.integers(0, 0xFFFFFFFF))
def test_no_bad_status_is_ever_usable(status: int) -> None:
    assert status_quality(status).usable == (status < BAD)


@pytest.mark.parametrize(
    ("value", "dtype", "raw"),
    [
        (4.2, Dtype.F64, "cdcccccccccc1040"),  # 0x4010CCCCCCCCCCCD
        (4.25, Dtype.F32, "00008840"),  # 1.0625 × 2^2: 0x40880000, exact
        (4.2, Dtype.F32, None),  # no float32 is 4.2 as a double
        (4.199999809265137, Dtype.F32, "66668640"),  # the float32 nearest to 4.2, widened
        (1e39, Dtype.F32, None),  # beyond float32
        (5, Dtype.U8, "05"),
        (256, Dtype.U8, None),
        (-1, Dtype.U8, None),
        (-128, Dtype.I8, "80"),
        (-129, Dtype.I8, None),
        (70000, Dtype.U16, None),
        (70000, Dtype.U32, "70110100"),  # 0x00011170
        (2**64 - 1, Dtype.U64, "ffffffffffffffff"),
        (2**64 - 1, Dtype.I64, None),
        (-(2**63), Dtype.I64, "0000000000000080"),
        (5.0, Dtype.U32, "05000000"),  # a whole double is that number
        (5.5, Dtype.U32, None),
        (-5.0, Dtype.U32, None),
        (1e300, Dtype.U64, None),
        (2**24 + 1, Dtype.F32, None),  # 16777217 has no float32
        (2**24, Dtype.F32, "0000804b"),  # 2^24: 0x4B800000
        (2**53 + 1, Dtype.F64, None),
        (2**53, Dtype.F64, "0000000000004043"),  # exponent 1023 + 53 = 0x434
        (10**400, Dtype.F64, None),  # too large for any float
        (True, Dtype.U8, "01"),
        (False, Dtype.U16, "0000"),
        (math.inf, Dtype.F32, "0000807f"),
        (-0.0, Dtype.F64, "0000000000000080"),
        (None, Dtype.F32, None),
        ("4.2", Dtype.F32, None),
        ([4.25], Dtype.F32, None),
        (b"\x00\x00\x88\x40", Dtype.F32, None),
    ],
)
def test_values_fit_exactly_or_not_at_all(value: object, dtype: Dtype, raw: str | None) -> None:
    made = exact_bytes(value, dtype)
    assert (made.hex() if made is not None else None) == raw


@given(st.integers(-(2**70), 2**70) | st.floats(), st.sampled_from(list(Dtype)))
def test_what_fits_reads_back_as_the_same_number(value: float, dtype: Dtype) -> None:
    raw = exact_bytes(value, dtype)
    if raw is None:
        return
    assert len(raw) == dtype.size
    if dtype.is_float:
        back = np.frombuffer(raw, dtype.numpy_name)[0]
        assert back == value or (math.isnan(value) and math.isnan(back))
    else:
        assert int.from_bytes(raw, "little", signed=dtype.name.startswith("I")) == value


def sample(
    value: object, status: int, dtype: Dtype = Dtype.F32, invalid: tuple[int, ...] = ()
) -> Sample:
    row = register("r", dtype, node="ns=2;s=r", invalid=invalid)
    return decode_value(value, Value.of(row), status=status, source_time=None)


@pytest.mark.parametrize(
    ("value", "status", "quality", "has_raw"),
    [
        (4.25, GOOD, Quality.GOOD, True),
        (4.25, UNCERTAIN, Quality.UNCERTAIN, True),
        (4.25, BAD_SENSOR_FAILURE, Quality.SENSOR_FAULT, True),  # kept, marked unusable
        (None, BAD_SENSOR_FAILURE, Quality.SENSOR_FAULT, False),
        ("x", BAD, Quality.DEVICE_REFUSED, False),
        (None, GOOD, Quality.WRONG_ANSWER, False),  # "good", but nothing there
        (4.2, GOOD, Quality.WRONG_ANSWER, False),  # would have to be rounded
        (4.2, UNCERTAIN, Quality.WRONG_ANSWER, False),
        (math.nan, GOOD, Quality.NOT_A_NUMBER, True),
        (math.nan, UNCERTAIN, Quality.NOT_A_NUMBER, True),
        (math.inf, GOOD, Quality.NOT_A_NUMBER, True),
        (-9999.0, GOOD, Quality.SENTINEL, True),
        (-9999.0, UNCERTAIN, Quality.SENTINEL, True),
    ],
)
def test_the_worst_of_status_and_value_counts(
    value: object, status: int, quality: Quality, has_raw: bool
) -> None:
    made = sample(value, status, invalid=(-9999,))
    assert made.quality is quality
    assert (made.raw is not None) == has_raw


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_nan_for_an_integer_is_no_number_and_has_no_bytes(value: float) -> None:
    made = sample(value, GOOD, Dtype.U32)
    assert (made.raw, made.quality) == (None, Quality.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("when", "ns"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC), 1_000_005_000),
        (datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC), 1_793_534_400_123_456_000),
        (datetime(2000, 1, 1, tzinfo=UTC), 946_684_800_000_000_000),  # `date -ud 2000-01-01 +%s`
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), -1000),
        (datetime(1601, 1, 1, tzinfo=UTC), None),  # OPC UA's zero
        (None, None),
    ],
)
def test_source_times(when: datetime | None, ns: int | None) -> None:
    assert source_ns(when) == ns


def test_the_source_time_goes_with_the_sample() -> None:
    row = register("r", Dtype.F32, node="ns=2;s=r")
    when = datetime(2000, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    made = decode_value(4.25, Value.of(row), status=GOOD, source_time=when)
    assert made.source_ns == 946_684_800_000_000_000
