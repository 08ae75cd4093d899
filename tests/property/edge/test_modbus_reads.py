"""For any map of a meter: what is asked is exactly what the map needs, and decodes the same.

The planner is held to three statements made here anew, in the plainest way: the cells read are the
cells wanted and allowed holes; no plan with fewer reads exists; and a value cut out of a shared
answer is the value that is got by asking for it alone.
"""

import struct
from functools import lru_cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.base import Sample
from edge.drivers.modbus.decode import Value, decode_bits, decode_words
from edge.drivers.modbus.plan import Cut, Read, Slot, plan_reads
from evidence.points import Dtype
from firmware_configs.model import Bits, Register
from tests.unit.edge.drivers.specs import register

REGISTERS, BIT_CELLS = ("holding", "input"), ("coil", "discrete")
ORDERS = st.tuples(st.sampled_from(("big", "little")), st.sampled_from(("big", "little")))
PLAIN = tuple(dtype for dtype in Dtype if dtype.size > 1)
HOLDERS = (Dtype.U16, Dtype.U32, Dtype.U64)
#: near each other, so that values touch, overlap and leave holes; and at the end of the space
ADDRESSES = st.one_of(st.integers(0, 300), st.integers(65_400, 65_532))


@st.composite
def rows(draw: st.DrawFn) -> Register:
    """A row of a profile: a plain number, BCD, a bit field, or a bit of a bit table."""
    address = draw(ADDRESSES)
    kind = draw(st.sampled_from(("plain", "bcd", "bits", "coil")))
    if kind == "coil":
        table = draw(st.sampled_from(BIT_CELLS))
        return register("r", Dtype.U8, table=table, address=address)
    table, orders = draw(st.sampled_from(REGISTERS)), draw(ORDERS)
    if kind == "plain":
        dtype = draw(st.sampled_from(PLAIN))
        return register("r", dtype, table=table, address=address, orders=orders)
    holder = draw(st.sampled_from(HOLDERS))
    if kind == "bcd":
        return register("r", holder, table=table, address=address, orders=orders, is_bcd=True)
    low = draw(st.integers(0, 8 * holder.size - 1))
    high = draw(st.integers(low, min(low + 31, 8 * holder.size - 1)))
    bits = Bits(holder, low, high)
    return register("r", Dtype.U32, table=table, address=address, orders=orders, bits=bits)


maps = st.lists(rows(), min_size=1, max_size=60)
caps = st.integers(4, 125)
holes = st.integers(0, 30)


def slots_of(found: list[Register]) -> list[Slot]:
    return [
        Slot(str(row.table), row.address or 0, row.words, index) for index, row in enumerate(found)
    ]


@st.composite
def neighbours(draw: st.DrawFn) -> list[Slot]:
    """Slots of one table that follow each other without sharing a cell."""
    at, slots = draw(st.integers(0, 5)), []
    for index in range(draw(st.integers(1, 12))):
        size = draw(st.sampled_from((1, 2, 4)))
        slots.append(Slot("holding", at, size, index))
        at += size + draw(st.integers(0, 6))
    return slots


cuts = st.frozensets(st.tuples(st.just("holding"), st.integers(0, 80)), max_size=4)


@given(neighbours(), st.integers(4, 20), st.integers(0, 6), cuts)
def test_no_plan_has_fewer_reads(
    slots: list[Slot], cap: int, hole: int, cut: frozenset[Cut]
) -> None:
    """Against every way to divide the values, in address order, into allowed reads."""

    def may_share(part: tuple[Slot, ...]) -> bool:
        start, end = part[0].address, part[-1].end
        gaps = [b.address - a.end for a, b in pairwise(part)]
        crossed = any(start < at < end for _, at in cut)
        return len(part) == 1 or (end - start <= cap and max(gaps) <= hole and not crossed)

    @lru_cache
    def fewest(first: int) -> int:
        if first == len(slots):
            return 0
        ends = range(first + 1, len(slots) + 1)
        return min(1 + fewest(end) for end in ends if may_share(tuple(slots[first:end])))

    planned = plan_reads(slots, registers_max=cap, hole_limit=hole, cuts=cut)
    assert len(planned) == fewest(0)


def answered(read: Read, found: list[Register], memory: bytes) -> dict[int, Sample]:
    """What the driver makes of one read of a device whose cells hold `memory`, over and over."""
    places = [(slot.address - read.address, Value.of(found[slot.index])) for slot in read.slots]
    cells = [memory[cell % len(memory)] for cell in range(read.address, read.address + read.count)]
    if read.table in BIT_CELLS:
        samples = decode_bits([bool(cell & 1) for cell in cells], places)
    else:
        words = [cell << 8 | (cell * 7 + 3) & 0xFF for cell in cells]
        samples = decode_words(words, places)
    return {slot.index: sample for slot, sample in zip(read.slots, samples, strict=True)}


@settings(max_examples=200)
@given(maps, caps, holes, st.binary(min_size=64, max_size=64))
def test_a_shared_answer_gives_each_point_what_asking_alone_gives(
    found: list[Register], cap: int, hole: int, memory: bytes
) -> None:
    together: dict[int, Sample] = {}
    for read in plan_reads(slots_of(found), registers_max=cap, hole_limit=hole):
        samples = answered(read, found, memory)
        assert not samples.keys() & together.keys()
        together |= samples
    assert together.keys() == set(range(len(found)))
    for slot in slots_of(found):
        alone = answered(Read(slot.table, slot.address, slot.size, (slot,)), found, memory)
        assert together[slot.index] == alone[slot.index]


@given(st.lists(st.integers(0, 15), min_size=16, max_size=16, unique=True), st.integers(0, 0xFFFF))
def test_the_bits_of_one_register_together_are_the_register(order: list[int], word: int) -> None:
    """Sixteen points of one bit each, in any order, are one read of one register."""
    found = [register("r", Dtype.U8, address=7, bits=Bits(Dtype.U16, bit, bit)) for bit in order]
    (read,) = plan_reads(slots_of(found))
    assert (read.address, read.count) == (7, 1)
    samples = decode_words([word], [(0, Value.of(found[slot.index])) for slot in read.slots])
    bits = {order[slot.index]: sample.raw for slot, sample in zip(read.slots, samples, strict=True)}
    assert [bits[bit] for bit in range(16)] == [
        struct.pack("B", int(digit)) for digit in reversed(f"{word:016b}")
    ]
