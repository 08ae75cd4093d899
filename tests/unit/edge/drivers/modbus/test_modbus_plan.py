"""The planner: reads cover exactly the map, never split a value, never exceed the device."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus.plan import (
    Cut,
    Read,
    Slot,
    halves,
    plan_reads,
    spanning,
)

SIZES = (1, 2, 4)


def holding(*places: tuple[int, int]) -> list[Slot]:
    return [Slot("holding", address, size, i) for i, (address, size) in enumerate(places)]


def spans(reads: tuple[Read, ...]) -> list[tuple[str, int, int]]:
    return [(r.table, r.address, r.count) for r in reads]


def test_a_hole_is_bridged_up_to_the_limit_and_no_further() -> None:
    slots = holding((0, 1), (9, 1))  # cells 1..8 are unused: a hole of 8
    assert spans(plan_reads(slots, hole_limit=8)) == [("holding", 0, 10)]
    assert spans(plan_reads(slots, hole_limit=7)) == [("holding", 0, 1), ("holding", 9, 1)]


def test_tables_never_mix_and_keep_their_function_codes() -> None:
    slots = [Slot(t, 0, 1, i) for i, t in enumerate(("input", "coil", "holding", "discrete"))]
    reads = plan_reads(slots)
    assert [(r.table, r.code) for r in reads] == [
        ("coil", 1),
        ("discrete", 2),
        ("holding", 3),
        ("input", 4),
    ]


def test_bits_are_sixteen_to_the_register() -> None:
    slots = [Slot("coil", i, 1, i) for i in range(2100)]
    assert spans(plan_reads(slots)) == [("coil", 0, 2000), ("coil", 2000, 100)]
    assert spans(plan_reads(slots[:33], registers_max=2)) == [("coil", 0, 32), ("coil", 32, 1)]


def test_points_on_the_same_register_share_it() -> None:
    slots = holding((10, 1), (10, 1), (10, 2))
    (read,) = plan_reads(slots)
    assert (read.address, read.count) == (10, 2)
    assert sorted(s.index for s in read.slots) == [0, 1, 2]


def test_the_last_address_can_be_read() -> None:
    assert spans(plan_reads(holding((0xFFFE, 2)))) == [("holding", 0xFFFE, 2)]


def test_no_points_are_no_reads() -> None:
    assert plan_reads([]) == ()


@pytest.mark.parametrize(
    ("slot", "reason"),
    [
        (Slot("holding", 0xFFFF, 2, 0), "beyond the last address"),
        (Slot("holding", -1, 1, 0), "beyond the last address"),
        (Slot("holding", 0, 0, 0), "value of 0 cells"),
        (Slot("holding", 0, 126, 0), "does not fit into a read of at most 125"),
        (Slot("files", 0, 1, 0), "unknown table 'files'; known: coil discrete holding input"),
    ],
)
def test_a_slot_that_cannot_be_read_is_refused(slot: Slot, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        plan_reads([slot])


@pytest.mark.parametrize(("most", "hole"), [(0, 0), (126, 0), (125, -1)])
def test_impossible_limits_are_refused(most: int, hole: int) -> None:
    with pytest.raises(ValueError, match="not in 1"):
        plan_reads([], registers_max=most, hole_limit=hole)


def test_a_cut_in_another_table_does_not_matter() -> None:
    assert len(plan_reads(holding((0, 1), (1, 1)), cuts=frozenset({("input", 1)}))) == 1


def test_a_value_inside_another_ends_nothing_early() -> None:
    slots = holding((0, 4), (1, 1), (5, 1))  # one cell is unused: 4
    assert spans(plan_reads(slots, hole_limit=1)) == [("holding", 0, 6)]
    cuts = frozenset({("holding", 3)})
    assert spans(plan_reads(slots[:2], cuts=cuts)) == [("holding", 0, 4), ("holding", 1, 1)]


def test_two_cuts_shut_a_refused_register_in() -> None:
    slots = holding((0, 1), (1, 1), (2, 1))
    cuts = frozenset({("holding", 1), ("holding", 2)})
    assert spans(plan_reads(slots, cuts=cuts)) == [
        ("holding", 0, 1),
        ("holding", 1, 1),
        ("holding", 2, 1),
    ]
    left_out = [slots[0], slots[2]]  # and nothing bridges the hole where it was
    assert len(plan_reads(left_out, cuts=cuts, hole_limit=8)) == 2


def test_halves_share_the_slots_and_shed_the_hole_between_them() -> None:
    read = spanning(holding((0, 2), (2, 2), (10, 2)))
    parts = halves(read)
    assert parts is not None
    assert spans(parts) == [("holding", 0, 2), ("holding", 2, 10)]
    again = halves(parts[1])
    assert again is not None
    assert spans(again) == [("holding", 2, 2), ("holding", 10, 2)]


def test_a_single_value_has_no_halves_however_many_points_it_feeds() -> None:
    assert halves(spanning(holding((5, 2)))) is None
    assert halves(spanning(holding((5, 2), (5, 2)))) is None


# --- what must hold for every map -----------------------------------------------------------

slot_places = st.tuples(
    st.sampled_from(("holding", "input", "coil", "discrete")),
    st.integers(0, 400),
    st.sampled_from(SIZES),
)
maps = st.lists(slot_places, max_size=80).map(
    lambda rows: [Slot(t, a, s, i) for i, (t, a, s) in enumerate(rows)]
)
limits = st.integers(max(SIZES), 125)
holes = st.integers(0, 20)
cut_sets = st.frozensets(
    st.tuples(st.sampled_from(("holding", "input")), st.integers(0, 404)), max_size=8
)


def cells_wanted(slots: list[Slot]) -> set[tuple[str, int]]:
    return {(s.table, at) for s in slots for at in range(s.address, s.end)}


@given(maps, limits, holes, cut_sets)
def test_planned_reads_cover_exactly_the_map(
    slots: list[Slot], most: int, hole: int, cuts: frozenset[Cut]
) -> None:
    reads = plan_reads(slots, registers_max=most, hole_limit=hole, cuts=cuts)
    # every point is in exactly one read, and whole in it
    assert sorted(s.index for r in reads for s in r.slots) == list(range(len(slots)))
    for read in reads:
        for slot in read.slots:
            assert slot.table == read.table
            assert read.address <= slot.address
            assert slot.end <= read.address + read.count
    # nothing is read that nobody wants, but for holes no longer than allowed
    wanted = cells_wanted(slots)
    for read in reads:
        run = 0
        for at in range(read.address, read.address + read.count):
            run = 0 if (read.table, at) in wanted else run + 1
            assert run <= hole
        assert (read.table, read.address) in wanted
        assert (read.table, read.address + read.count - 1) in wanted
        # no read is longer than the device allows
        assert read.count <= most * (16 if read.table in ("coil", "discrete") else 1)


@given(maps, limits, holes, cut_sets)
def test_a_read_crosses_a_cut_only_inside_one_value(
    slots: list[Slot], most: int, hole: int, cuts: frozenset[Cut]
) -> None:
    for read in plan_reads(slots, registers_max=most, hole_limit=hole, cuts=cuts):
        crossed = [
            at for table, at in cuts
            if table == read.table and read.address < at < read.address + read.count
        ]  # fmt: skip
        first = read.slots[0]
        alone = all(s.address == first.address for s in read.slots)
        assert not crossed or alone


@given(maps, limits, holes, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_the_points(
    slots: list[Slot], most: int, hole: int, random: Random
) -> None:
    shuffled = list(slots)
    random.shuffle(shuffled)
    plan = plan_reads(slots, registers_max=most, hole_limit=hole)
    assert plan == plan_reads(shuffled, registers_max=most, hole_limit=hole)
    assert all((a.table, a.address) <= (b.table, b.address) for a, b in pairwise(plan))


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(SIZES)), min_size=1, max_size=40))
def test_halving_down_to_single_values_loses_no_point(places: list[tuple[int, int]]) -> None:
    waiting, leaves = [spanning(sorted(holding(*places)))], []
    for _ in range(4 * len(places)):
        if not waiting:
            break
        read = waiting.pop()
        parts = halves(read)
        if parts is None:
            leaves.append(read)
        else:
            waiting += parts
    assert not waiting
    assert sorted(s.index for r in leaves for s in r.slots) == list(range(len(places)))
    assert all(len({(s.address, s.size) for s in r.slots}) == 1 for r in leaves)
