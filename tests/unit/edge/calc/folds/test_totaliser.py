"""Last good minus first good; drops make pieces and are kept."""

import numpy as np

from edge.calc.folds.totaliser import DROPS_KEPT, Drop, Totaliser

S = 10**9


def feed(totaliser: Totaliser, readings: list[int | None], first_tick: int = 0) -> list[int]:
    ticks = (np.arange(len(readings), dtype=np.int64) + first_tick) * S
    counts = np.array([r if r is not None else 0 for r in readings], dtype=np.int64)
    ok = np.array([r is not None for r in readings])
    return [int(x) for x in totaliser.feed(ticks, counts, ok)]


def test_the_difference_counts_from_the_first_good_reading() -> None:
    totaliser = Totaliser()
    assert feed(totaliser, [None, 100, 103, None, 110]) == [0, 0, 3, 3, 10]
    assert totaliser.first == (1 * S, 100)
    assert totaliser.last == (4 * S, 110)


def test_a_gap_between_calls_is_bridged_by_the_totaliser_itself() -> None:
    totaliser = Totaliser()
    feed(totaliser, [100, 101])
    assert feed(totaliser, [150], first_tick=1000) == [50]


def test_a_reset_starts_a_new_piece_and_is_kept() -> None:
    totaliser = Totaliser()
    # 990 → 999 counts 9; back to 2: unknown what passed; 2 → 7 counts 5
    assert feed(totaliser, [990, 999, 2, 7]) == [0, 9, 9, 14]
    assert totaliser.drops == [Drop(2 * S, 999, 2)]
    assert totaliser.drop_count == 1


def test_a_drop_across_calls_is_seen() -> None:
    totaliser = Totaliser()
    feed(totaliser, [500])
    assert feed(totaliser, [10, 12], first_tick=1) == [0, 2]
    assert totaliser.drops == [Drop(1 * S, 500, 10)]


def test_no_reading_is_no_total() -> None:
    totaliser = Totaliser()
    assert feed(totaliser, [None, None]) == [0, 0]
    assert totaliser.first is None
    assert totaliser.last is None


def test_one_reading_is_a_total_of_zero() -> None:
    totaliser = Totaliser()
    feed(totaliser, [77])
    assert (totaliser.total, totaliser.first) == (0, (0, 77))


def test_kept_drops_are_bounded_and_all_are_counted() -> None:
    totaliser = Totaliser()
    feed(totaliser, [5, 0] * (DROPS_KEPT + 20))
    assert len(totaliser.drops) == DROPS_KEPT
    assert totaliser.drop_count == DROPS_KEPT + 20


def test_cutting_changes_nothing() -> None:
    readings: list[int | None] = [3, 5, None, 9, 1, 1, None, 4, 4, 10]
    whole = Totaliser()
    expected = feed(whole, readings)
    for split in range(len(readings) + 1):
        parts = Totaliser()
        found = feed(parts, readings[:split]) + feed(parts, readings[split:], first_tick=split)
        assert found == expected
        assert parts.snapshot() == whole.snapshot()


def test_a_snapshot_goes_on_where_it_was() -> None:
    totaliser = Totaliser()
    feed(totaliser, [10, 4, 6])
    other = Totaliser()
    other.restore(totaliser.snapshot())
    assert feed(other, [9], first_tick=3) == feed(totaliser, [9], first_tick=3)
    assert other.snapshot() == totaliser.snapshot()


def test_a_snapshot_of_nothing_restores_to_nothing() -> None:
    other = Totaliser()
    other.restore(Totaliser().snapshot())
    assert feed(other, [5, 6]) == [0, 1]
