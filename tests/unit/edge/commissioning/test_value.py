"""A sample as a person reads it; the scaled values are worked out by hand."""

import struct

import pytest

from edge.commissioning.value import shown, unit_of
from edge.drivers.base import Sample
from evidence.points import Dtype, Point, Quantity, Role, Scaling
from evidence.quality import Quality

NOW_NS = 1_793_534_400_000_000_000
POWER = Point(
    id="ac-1.power",
    quantity=Quantity("power", "kW"),
    dtype=Dtype.I32,
    decimals=2,
    scaling=Scaling(raw_decimals=5, ct_ratio="800/5", vt_ratio="10000/100"),
    range_min="0",
    range_max="20000",
)


def i32(number: int) -> bytes:
    return struct.pack("<i", number)


def test_scaled_by_the_ratios_of_the_installation() -> None:
    # 50000 × 10^-5 × 160 × 100 = 8000
    value = shown(POWER, Sample(i32(50_000), Quality.GOOD), NOW_NS)
    assert (value.text, value.quality) == ("8000.00 kW", Quality.GOOD)


def test_rounded_as_it_will_be_signed() -> None:
    thirds = Point(id="p", quantity=POWER.quantity, dtype=Dtype.I32, decimals=2,
                   scaling=Scaling(scale="0.005"))  # fmt: skip
    assert shown(thirds, Sample(i32(1), Quality.GOOD), NOW_NS).number == "0.01"  # half away from 0
    assert shown(thirds, Sample(i32(-1), Quality.GOOD), NOW_NS).number == "-0.01"


def test_outside_its_range_the_number_is_shown_with_the_verdict() -> None:
    value = shown(POWER, Sample(i32(-50_000), Quality.GOOD), NOW_NS)
    assert (value.text, value.verdict) == ("-8000.00 kW", "outside the allowed range")


def test_no_number_is_a_stroke_never_zero() -> None:
    value = shown(POWER, Sample(None, Quality.DEVICE_REFUSED), NOW_NS)
    assert (value.text, value.verdict) == ("-", "device refused to give a value")


def test_nan_has_no_number() -> None:
    flow = Point(id="p", quantity=POWER.quantity, dtype=Dtype.F32, decimals=2)
    sample = Sample(struct.pack("<I", 0x7FC00000), Quality.NOT_A_NUMBER)
    value = shown(flow, sample, NOW_NS)
    assert (value.number, value.quality) == (None, Quality.NOT_A_NUMBER)


def test_a_state_says_its_name() -> None:
    state = Point(id="p", quantity=Quantity("state", "1"), dtype=Dtype.U8, decimals=0,
                  role=Role.STATE, states=((0, "off"), (1, "running")))  # fmt: skip
    assert shown(state, Sample(b"\x01", Quality.GOOD), NOW_NS).text == "1 (running)"
    assert shown(state, Sample(b"\x02", Quality.GOOD), NOW_NS).text == "2"


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity("gas-flow", "Nm3/h", reference="0C-101.325kPa", moisture="dry"),
         "Nm3/h (0C-101.325kPa, dry)"),
        (Quantity("temperature", "degC"), "degC"),
    ],
)  # fmt: skip
def test_a_unit_says_what_belongs_to_it(quantity: Quantity, text: str) -> None:
    assert unit_of(quantity) == text
