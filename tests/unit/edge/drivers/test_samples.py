"""A read's samples as arrays: what goes in comes out, and what does not fit is refused."""

import numpy as np
import pytest

from edge.drivers.base import Sample
from edge.drivers.samples import NO_TIME, Samples
from evidence.quality import Quality

SIZES = (2, 8, 1, 4)
GIVEN = [
    Sample(b"\x34\x12", Quality.GOOD, 5),
    Sample(bytes(range(8)), Quality.UNCERTAIN),
    Sample(None, Quality.NO_ANSWER),
    Sample(b"\x00\x00\xc0\x7f", Quality.NOT_A_NUMBER, -7),
]


def test_samples_come_back_as_they_were() -> None:
    made = Samples.of(SIZES, GIVEN)
    assert made == GIVEN
    assert (made[0], made[-1], made[1:3], len(made)) == (GIVEN[0], GIVEN[3], GIVEN[1:3], 4)
    assert made != GIVEN[:3]
    with pytest.raises(IndexError):
        made[4]


def test_the_arrays_hold_little_endian_numbers_and_zeros() -> None:
    made = Samples.of(SIZES, GIVEN)
    assert made.raw.tobytes().hex(" ", 8) == (
        "3412000000000000 0001020304050607 0000000000000000 0000c07f00000000"
    )
    assert made.has_raw.tolist() == [True, True, False, True]
    assert made.quality.tolist() == [q.quality for q in GIVEN]
    assert made.source_ns is not None
    assert made.source_ns.tolist() == [5, NO_TIME, NO_TIME, -7]


def test_without_any_source_time_there_is_no_array_of_them() -> None:
    assert Samples.of((2,), [Sample(b"\0\0", Quality.GOOD)]).source_ns is None


def test_it_begins_without_a_value_and_each_is_put_in_its_place() -> None:
    made = Samples(SIZES, Quality.NOT_CONNECTED)
    assert made == [Sample(None, Quality.NOT_CONNECTED)] * 4
    made.put(1, GIVEN[1])
    assert made[1] == GIVEN[1]
    made.put(1, Sample(None, Quality.NO_ANSWER))
    assert made[1] == Sample(None, Quality.NO_ANSWER)
    assert not np.any(made.raw)


@pytest.mark.parametrize("samples", [GIVEN[:3], [*GIVEN, GIVEN[0]]])
def test_another_number_of_samples_is_refused(samples: list[Sample]) -> None:
    with pytest.raises(ValueError, match="samples for 4 points"):
        Samples.of(SIZES, samples)


@pytest.mark.parametrize("raw", [b"", b"\0", b"\0\0\0", bytes(9)])
def test_a_number_of_another_length_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="bytes for a number of 2"):
        Samples.of((2,), [Sample(raw, Quality.GOOD)])
