"""Which mistake explains a value that cannot be true; every number is worked out by hand."""

import struct
from dataclasses import replace

import pytest

from edge.commissioning.plausible import explanations, is_odd, upside_down
from edge.drivers.base import BoundPoint, Sample
from edge.drivers.modbus.decode import Value, decode_words
from evidence.points import Dtype, Point, Quantity, Scaling
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register

FLOW = Quantity("mass-flow", "t/h")


def bound(
    dtype: Dtype, orders: tuple[str, str] = ("big", "big"), *, high: str | None = "2000",
    scaling: Scaling | None = None,
) -> BoundPoint:  # fmt: skip
    point = Point(id="m.flow", quantity=FLOW, dtype=dtype, decimals=1,
                  scaling=scaling or Scaling(), range_min=None if high is None else "0",
                  range_max=high)  # fmt: skip
    return BoundPoint(point, register("flow", dtype, orders=orders))


def found(
    of: BoundPoint, words: list[int], beside: dict[int, list[int]] | None = None
) -> list[tuple[str, str]]:
    return [(one.number, one.mend) for one in explanations(of, words, beside or {})]


#: 1234.5 as IEEE 754 is 0x449A5000; these are its words in the order that is no profile's default
SWAPPED = [0x5000, 0x449A]


def test_swapped_words_of_a_float_are_named() -> None:
    # 0x5000449A is 8.6e9: outside 0..2000
    row = bound(Dtype.F32)
    (sample,) = decode_words(SWAPPED, [(0, Value.of(row.register))])
    assert is_odd(row.point, sample)
    assert found(row, SWAPPED) == [
        ("1234.5 t/h", 'word_order = "little", byte_order = "big" (CDAB)')
    ]


def test_swapped_words_of_an_integer_are_named() -> None:
    # 1500 is 0x05DC: as 0x05DC0000 it is 98,304,000
    assert found(bound(Dtype.U32), [0x05DC, 0x0000])[0] == (
        "1500.0 t/h",
        'word_order = "little", byte_order = "big" (CDAB)',
    )


def test_swapped_bytes_of_one_word() -> None:
    assert found(bound(Dtype.U16), [0xDC05]) == [("1500.0 t/h", 'byte_order = "little" (BA)')]


def test_an_address_that_is_one_off() -> None:
    # the float stands one register lower: its second word is read as the first
    row = bound(Dtype.F32)
    said = found(row, [0x5000, 0x0000], {-1: [0x449A, 0x5000], 1: [0, 0]})
    off = [number for number, mend in said if mend.startswith("the address one lower")]
    assert off == ["1234.5 t/h"]
    assert not any("one higher" in mend for _, mend in said)  # zeros explain nothing


def test_a_ratio_that_is_there_twice() -> None:
    # 900 t/h as the meter reports it, times a ratio of 160 that it has applied already: 144000
    row = bound(Dtype.U16, scaling=Scaling(ct_ratio="800/5"))
    numbers = dict(found(row, [900]))
    assert numbers["900.0 t/h"].startswith('ct_ratio = "1" instead of "800/5"')


def test_a_ratio_with_its_secondary_side_first() -> None:
    points = [bound(Dtype.U16, scaling=Scaling(ct_ratio=ratio)).point
              for ratio in ("400/5", "1", "1/1", "5/400")]  # fmt: skip
    assert upside_down(points) == {"ct_ratio": "5/400"}
    assert upside_down([bound(Dtype.U16).point]) == {}


def test_nothing_fits_and_nothing_is_said() -> None:
    assert found(bound(Dtype.I16, high="10"), [0x7FFF]) == []


def test_a_bit_has_no_order() -> None:
    row = bound(Dtype.U8)
    assert found(replace(row, register=replace(row.register, table="coil")), [1]) == []


@pytest.mark.parametrize(
    ("number", "odd"),
    [(0.0, False), (1234.5, False), (-40.0, False), (2.3e-39, True), (6e22, True)],
)
def test_a_float_without_a_range_is_odd_where_no_meter_is(number: float, *, odd: bool) -> None:
    row = bound(Dtype.F32, high=None)
    sample = Sample(struct.pack("<f", number), Quality.GOOD)
    assert is_odd(row.point, sample) is odd


def test_what_has_no_value_is_not_odd_but_nan_is() -> None:
    row = bound(Dtype.F32, high=None)
    assert not is_odd(row.point, Sample(None, Quality.DEVICE_REFUSED))
    nan = Sample(struct.pack("<I", 0x7FC00000), Quality.NOT_A_NUMBER)
    assert is_odd(row.point, nan)
