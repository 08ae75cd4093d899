"""Buckets by the column are the buckets that one by one come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.series import columns as by_column
from cloud.series.bucket import Bucket, Series, begun, bucket_of, joined
from cloud.series.bucket import Stored as Held
from cloud.series.columns import Columns, Running
from evidence.errors import LimitError

FROM_NS = 1_767_225_600_000_000_000
NAMES = tuple(Series("p", "g", f"point-{n}", "{}", 0) for n in range(3))
#: what a configuration reads together: sequences of their own that overlap
SETS = (NAMES, NAMES[:2], NAMES[1:], (NAMES[2],))
COUNTS = st.integers(-(2**62) + 1, 2**62 - 1)


@st.composite
def buckets(draw: st.DrawFn) -> Bucket:
    """One of a few readings, or of none usable."""
    worst, read = draw(st.integers(0, 255)), draw(st.lists(COUNTS, max_size=3))
    numbers = (min(read), max(read), read[-1]) if read else (0, 0, 0)
    return Bucket(FROM_NS, len(read), *numbers, sum(read), worst)


@st.composite
def pieces(draw: st.DrawFn) -> Columns:
    """What one stretch of one of the sets came to."""
    series = draw(st.sampled_from(SETS))
    made = Columns.of(FROM_NS, [(one, draw(buckets())) for one in series])
    return Columns(
        FROM_NS, series, made.count, made.low, made.high, made.last, made.total, made.worst
    )


@given(st.lists(pieces(), max_size=12))
def test_they_add_up_as_single_ones_do(given_pieces: list[Columns]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_column, "SERIES_MAX", 3)  # they are put together now and then
        check_sums(given_pieces)


def check_sums(given_pieces: list[Columns]) -> None:
    running, single = Running(FROM_NS), dict[Series, list[Bucket]]()
    for piece in given_pieces:
        running.add(piece)
        for series, bucket in piece.rows():
            single.setdefault(series, []).append(bucket)
    whole = [row for columns in running.whole() for row in columns.rows()]
    assert len(whole) == len(dict(whole))  # each series once
    assert dict(whole) == {one: joined(FROM_NS, of) for one, of in single.items()}


@given(pieces())
def test_they_are_stored_as_single_ones_are(columns: Columns) -> None:
    again = [bucket_of(Held(*fields)) for fields in columns.stored()]
    assert again == [begun(FROM_NS, bucket) for _, bucket in columns.rows()]
    assert all(type(number) is int for fields in columns.stored() for number in fields)


@pytest.mark.parametrize("shared", [(), NAMES[:1]])
def test_series_of_configurations_without_end_are_none(
    monkeypatch: pytest.MonkeyPatch, shared: tuple[Series, ...]
) -> None:
    """Each may name 20,000 points of its own: a running day had them all."""
    monkeypatch.setattr(by_column, "SERIES_MAX", 6)
    running = Running(FROM_NS)

    def add(number: int) -> None:
        every = (*shared, Series("p", "g", f"own-{number}", "{}", 0))
        one = Bucket(FROM_NS, 1, 1, 1, 1, 1, 0)
        running.add(Columns.of(FROM_NS, [(name, one) for name in every]))

    for number in range(6 - len(shared)):
        add(number)
        add(number)
    add(6)  # one more than 6: found when the next comes
    with pytest.raises(LimitError, match="more than 6 series"):
        add(7)
