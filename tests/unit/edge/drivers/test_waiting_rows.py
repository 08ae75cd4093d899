"""Which rows one read takes: the oldest unread of each point, each once and in order."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.base import POSITION_BYTES_MAX, Sample
from edge.drivers.source_rows import Row
from edge.drivers.waiting_rows import Delivered, Key, Taken, take
from evidence import cbor
from evidence.quality import Quality


def row(*points: int, mark: int = 0) -> Row:
    """A row that gives these points; its number is in the raw bytes."""
    return Row({p: Sample(mark.to_bytes(8, "little"), Quality.GOOD, mark) for p in points})


def rows(*of: tuple[int, ...], first: int = 1) -> list[tuple[Key, Row]]:
    return [(first + i, row(*points, mark=first + i)) for i, points in enumerate(of)]


def after(all_rows: list[tuple[Key, Row]], delivered: Delivered) -> list[tuple[Key, Row]]:
    """What a source gives behind the floor."""
    floor = delivered.floor
    return [r for r in all_rows if floor is None or r[0] > floor]  # type: ignore[operator] # of one kind


def got(taken: Taken) -> dict[int, int]:
    return {p: int.from_bytes(s.raw or b"", "little") for p, s in taken.samples.items()}


def test_each_read_gives_the_oldest_unread_row_of_each_point() -> None:
    """Three rows of point 0 before the only one of point 1, which need not wait for them."""
    all_rows = rows((0,), (0,), (0,), (1,))
    first = take(all_rows, Delivered())
    assert got(first) == {0: 1, 1: 4}
    assert first.delivered == Delivered(1, (4,))
    assert first.waiting == 2
    second = take(after(all_rows, first.delivered), first.delivered)
    assert got(second) == {0: 2}
    assert second.delivered == Delivered(2, (4,))
    third = take(after(all_rows, second.delivered), second.delivered)
    assert got(third) == {0: 3}
    assert third.delivered == Delivered(4, ())
    assert third.waiting == 0


def test_nothing_new_is_nothing() -> None:
    taken = take([], Delivered(7))
    assert taken.samples == {}
    assert taken.delivered == Delivered(7)
    assert taken.waiting == 0


def test_a_row_of_two_points_waits_whole_and_what_is_behind_it_does_too() -> None:
    """Row 2 needs point 0, which row 1 has taken; row 3 must not overtake row 2 at point 1."""
    all_rows = rows((0,), (0, 1), (1,))
    first = take(all_rows, Delivered())
    assert got(first) == {0: 1}
    second = take(after(all_rows, first.delivered), first.delivered)
    assert got(second) == {0: 2, 1: 2}
    third = take(after(all_rows, second.delivered), second.delivered)
    assert got(third) == {1: 3}


def test_rows_of_other_devices_are_passed_at_once() -> None:
    taken = take([(k, Row({})) for k in range(1, 500)], Delivered())
    assert taken.delivered == Delivered(499)
    assert taken.waiting == 0


def test_unusable_rows_are_told_once_and_a_few_at_a_time() -> None:
    bad: list[tuple[Key, Row]] = [(k, Row({}, "has no time")) for k in range(1, 26)]
    told, delivered = [], Delivered()
    for _ in range(4):
        taken = take(after(bad, delivered), delivered)
        told += [key for key, _ in taken.refused]
        assert len(taken.refused) <= 10
        delivered = taken.delivered
    assert told == list(range(1, 26))
    assert delivered == Delivered(25)


def test_a_row_that_is_not_ripe_waits_and_holds_the_floor() -> None:
    """Row 10 appears after 11 did, as its transaction ended later: it must not be passed."""
    late: list[tuple[Key, Row]] = [(11, row(0, mark=11))]
    first = take(late, Delivered(9), is_ripe=lambda _: False)
    assert first.samples == {}
    assert first.delivered == Delivered(9)
    both: list[tuple[Key, Row]] = [(10, row(0, mark=10)), *late]
    second = take(both, Delivered(9), is_ripe=lambda key: key == 11)
    assert got(second) == {}, "row 11 would overtake row 10 at its point"
    third = take(both, Delivered(9))
    assert got(third) == {0: 10}
    foreign: list[tuple[Key, Row]] = [(11, Row({}))]
    assert take(foreign, Delivered(9), is_ripe=lambda _: False).delivered == Delivered(9)


def test_keys_ahead_are_bounded_and_fit_into_a_position() -> None:
    """One point has a thousand rows before all others: few of those overtake, none is lost."""
    all_rows = [*rows(*[(0,)] * 1000), *rows(*[(p,) for p in range(1, 900)], first=2**40)]
    delivered, seen = Delivered(), 0
    for _ in range(1000):
        taken = take(after(all_rows, delivered), delivered)
        delivered, seen = taken.delivered, seen + len(taken.samples)
        position = cbor.encode([1, delivered.floor, list(delivered.ahead), bytes(32), bytes(32)])
        assert len(position) <= POSITION_BYTES_MAX
    assert seen == 1000 + 899
    assert delivered == Delivered(2**40 + 898)


def test_a_deleted_row_ahead_is_forgotten_unless_more_stand_behind() -> None:
    delivered = Delivered(1, (5,))
    left: list[tuple[Key, Row]] = [(2, row(0, mark=2)), (3, row(0, mark=3))]
    assert take(left, delivered).delivered == Delivered(2)
    assert take(left, delivered, is_whole=False).delivered == Delivered(2, (5,))


SHAPES = st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=1, max_size=40)


@settings(max_examples=300)
@given(SHAPES, st.integers(1, 12))
def test_every_row_once_and_each_points_rows_in_order(shapes: list[set[int]], window: int) -> None:
    """However many rows a read sees, whatever they give."""
    all_rows: list[tuple[Key, Row]] = [
        (k, row(*shape, mark=k)) for k, shape in enumerate(shapes, start=1)
    ]
    delivered, of_point = Delivered(), defaultdict(list)
    for _ in range(len(shapes) * 2 + 2):
        seen = after(all_rows, delivered)
        taken = take(seen[:window], delivered, is_whole=len(seen) <= window)
        delivered = taken.delivered
        for point, number in got(taken).items():
            of_point[point].append(number)
    wanted = defaultdict(list)
    for key, one in all_rows:
        for point in one.samples:
            wanted[point].append(key)
    assert of_point == wanted
    assert delivered.floor == len(shapes)
    assert delivered.ahead == ()
