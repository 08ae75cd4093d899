"""Whether a Modbus value can be true, and which mistake would explain one that cannot. Pure.

A value outside its range, or a float that no meter shows, is taken again as it would stand if one
thing were otherwise: byte or word order, address, transformer ratio. What then fits is named;
whether it is right only the meter's own display can say.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from edge.commissioning.orders import ORDERS, ORDERS_OF_ONE, letters
from edge.commissioning.value import number_of, shown
from edge.drivers.base import BoundPoint, Sample
from edge.drivers.modbus.answers import Cells
from edge.drivers.modbus.decode import Value, decode_words
from edge.drivers.raw import unpack
from evidence.points import Point, exact
from evidence.quality import Quality
from firmware_configs.model import REGISTER_TABLES

#: no engineering value of a meter is nearer to 0 without being it, nor further from it
FLOAT_MIN, FLOAT_MAX = 1e-9, 1e15


@dataclass(frozen=True)
class Explanation:
    """One mistake that would explain a value.

    Attributes:
        number: what the value would be, with its unit.
        mend: what to write.
    """

    number: str
    mend: str


def is_odd(point: Point, sample: Sample) -> bool:
    """The sample cannot be true: outside its range, no number, or a float no meter shows."""
    quality = shown(point, sample, 0).quality
    if quality in (Quality.OUT_OF_RANGE, Quality.NOT_A_NUMBER):
        return True
    if sample.raw is None or not point.dtype.is_float or not quality.usable:
        return False
    number = abs(unpack(sample.raw, point.dtype))
    return not math.isfinite(number) or number > FLOAT_MAX or 0 < number < FLOAT_MIN


def explanations(
    bound: BoundPoint, cells: Cells, beside: Mapping[int, Cells]
) -> Iterator[Explanation]:
    """Mistakes that would explain an odd value, the likeliest first.

    Args:
        bound: the point.
        cells: its registers as they came.
        beside: -1 and 1: the same number of registers at the address one lower and one higher.
    """
    register = bound.register
    if register.table not in REGISTER_TABLES:
        return
    orders = ORDERS_OF_ONE if register.words == 1 else ORDERS
    for word_order, byte_order in orders:
        if (word_order, byte_order) == (register.word_order, register.byte_order):
            continue
        other = replace(register, word_order=word_order, byte_order=byte_order)
        if number := _if_true(replace(bound, register=other), cells):
            yield Explanation(number, _order_said(register.words, word_order, byte_order))
    for offset, there in beside.items():
        if number := _if_true(bound, there):
            where = "lower" if offset < 0 else "higher"
            yield Explanation(
                number,
                f"the address one {where} ({(register.address or 0) + offset:#06x} on the wire): "
                "check address_notation and whether the manual counts from 0 or 1",
            )
    yield from _without_ratios(bound, cells)


def upside_down(points: Iterable[Point]) -> dict[str, str]:
    """Transformer ratios below 1, by name: a plate names the primary side first, which is more."""
    return {
        name: ratio
        for point in points
        for name in ("ct_ratio", "vt_ratio")
        if (ratio := getattr(point.scaling, name)) is not None and exact(ratio) < 1
    }


def _order_said(words: int, word_order: str, byte_order: str) -> str:
    said = f'word_order = "{word_order}", ' if words > 1 else ""
    return f'{said}byte_order = "{byte_order}" ({letters(words, word_order, byte_order)})'


def _without_ratios(bound: BoundPoint, cells: Cells) -> Iterator[Explanation]:
    """A ratio that is already in what the meter reports, or in the row's scale."""
    scaling = bound.point.scaling
    without = (
        ("ct_ratio", scaling.ct_ratio, replace(scaling, ct_ratio=None)),
        ("vt_ratio", scaling.vt_ratio, replace(scaling, vt_ratio=None)),
    )
    for name, ratio, other in without:
        if ratio is None:
            continue
        point = replace(bound.point, scaling=other)
        if number := _if_true(replace(bound, point=point), cells):
            yield Explanation(
                number,
                f'{name} = "1" instead of "{ratio}": the meter may report primary values, or the '
                "ratio stand in the row's scale as well",
            )


def _if_true(bound: BoundPoint, cells: Cells) -> str:
    """The value with its unit if it could be true and is not nothing; else ""."""
    (sample,) = decode_words(cells, [(0, Value.of(bound.register))])
    if sample.raw is None or sample.quality is not Quality.GOOD or is_odd(bound.point, sample):
        return ""
    number = number_of(bound.point, sample.raw)
    if number is None or not number.strip("-0."):
        return ""  # 0 is in most ranges, and registers that hold nothing are 0
    return f"{number} {bound.point.quantity.unit}"
