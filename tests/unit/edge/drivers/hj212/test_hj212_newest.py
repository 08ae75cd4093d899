"""Which message is of now, marks to qualities, decimal text to exact bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.base import Sample
from edge.drivers.hj212.message import Message, parse_segment
from edge.drivers.hj212.newest import Newest, Record, Value
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Item
from tests.unit.edge.drivers.hj212_packets import rtd, segment, stamp
from tests.unit.edge.drivers.specs import register

RTD_S, MINUTES_S = 30.0, 600.0


def newest() -> Newest:
    return Newest({2011: RTD_S, 2051: MINUTES_S})


def message(
    second: float, value: str = "1", *, extra: str = "", sent: float | None = None
) -> Message:
    text = segment(
        f"DataTime={stamp(second)};a05001-Rtd={value},a05001-Flag=N",
        second=second if sent is None else sent,
        extra=extra,
    )
    return parse_segment(text.encode())


def value_of(newest_: Newest, now_s: float) -> str | None:
    record = newest_.current(2011, now_s)
    return record.items["a05001-Rtd"] if record else None


def test_the_newest_is_given_while_it_holds() -> None:
    held = newest()
    assert held.current(2011, 0.0) is None
    assert held.offer(message(0, "1"), 100.0) == ""
    assert held.offer(message(30, "2"), 130.0) == ""
    assert value_of(held, 130.0) == "2"
    assert value_of(held, 190.0) == "2"  # two intervals
    assert value_of(held, 190.1) is None  # never the last good one beyond that
    assert held.record(2011) is not None  # but its time is known


def test_each_command_has_its_own_interval() -> None:
    held = newest()
    held.offer(message(0), 0.0)
    minutes = segment(f"DataTime={stamp(0)};a05001-Avg=3", cn=2051, second=605)
    assert held.offer(parse_segment(minutes.encode()), 0.0) == ""
    assert held.current(2011, 61.0) is None
    assert held.current(2051, 1200.0) is not None
    assert held.current(2051, 1200.1) is None


def test_a_message_nobody_wants_is_nothing() -> None:
    held = newest()
    runtime = segment(f"DataTime={stamp(0)};SB1-RT=1", cn=2041)
    assert held.offer(parse_segment(runtime.encode()), 0.0) == ""
    assert held.record(2041) is None


def test_sent_twice_is_not_younger_for_it() -> None:
    # a logger that waits for an answer it does not get sends the same again and again
    held = newest()
    held.offer(message(0), 0.0)
    for now_s in (20.0, 40.0, 59.0):
        assert held.offer(message(0), now_s) == ""
    assert value_of(held, 60.0) == "1"
    assert value_of(held, 61.0) is None
    assert held.offer(message(0), 62.0) == ""
    assert value_of(held, 62.0) is None


def test_another_value_for_the_same_time_is_told_and_left() -> None:
    held = newest()
    held.offer(message(0, "1"), 0.0)
    assert "differs from the one of the same time" in held.offer(message(0, "2"), 1.0)
    assert value_of(held, 1.0) == "1"


def test_a_resend_is_not_of_now() -> None:
    held = newest()
    assert "RF=1" in held.offer(message(0, extra="RF=1;"), 0.0)
    assert held.record(2011) is None


def test_what_was_sent_long_after_its_time_is_not_of_now() -> None:
    held = newest()
    assert "far from its QN" in held.offer(message(0, sent=3 * RTD_S + 1), 0.0)
    assert held.offer(message(0, sent=3 * RTD_S - 1), 0.0) == ""


def test_what_is_of_later_than_it_was_sent_is_not_of_now() -> None:
    held = newest()
    assert "far from its QN" in held.offer(message(RTD_S + 1, sent=0), 0.0)
    assert held.offer(message(RTD_S, sent=0), 0.0) == ""


def test_an_older_one_is_left_while_the_newest_holds() -> None:
    held = newest()
    held.offer(message(60, "2"), 60.0)
    assert "older than the newest" in held.offer(message(30, "1"), 61.0)
    assert value_of(held, 61.0) == "2"


def test_after_the_newest_has_lapsed_the_loggers_clock_may_have_been_set_back() -> None:
    held = newest()
    held.offer(message(3600, "2"), 0.0)
    assert held.offer(message(0, "1"), 60.1) == ""
    assert value_of(held, 60.1) == "1"


def test_without_data_time_a_real_time_message_is_of_its_qn() -> None:
    held = newest()
    bare = parse_segment(segment("a05001-Rtd=1", second=7).encode())
    assert held.offer(bare, 0.0) == ""
    record = held.record(2011)
    assert record is not None
    assert record.data_ns == bare.qn_ns


def test_without_data_time_an_average_is_of_nothing() -> None:
    bare = parse_segment(segment("a05001-Avg=1", cn=2051).encode())
    assert newest().offer(bare, 0.0) == "it has no DataTime"


# ---------------------------------------------------------------- values


def sample(
    text: str | None,
    mark: str | None = "N",
    *,
    dtype: Dtype = Dtype.I64,
    decimals: int = 2,
    field: str = "Rtd",
    invalid: tuple[int, ...] = (),
) -> Sample:
    item = Item("a05001", field, 2011)
    row = register("co2", dtype, table=None, address=None, decimals=decimals, item=item,
                   invalid=invalid)  # fmt: skip
    items = {"a05001-Flag": mark, "a05001-Rtd": text}
    given = {name: text for name, text in items.items() if text is not None}
    return Value(row, item.factor, item.field).sample(Record(given, 42, 0.0))


def i64(number: int) -> bytes:
    return struct.pack("<q", number)


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("12.5", 1250), ("12.50", 1250), ("12.500000", 1250), ("12", 1200), ("-0.01", -1),
        ("+3.1", 310), ("0", 0), ("007.25", 725), ("-00999.000", -99900),
    ],
)  # fmt: skip
def test_decimal_text_is_kept_exactly(text: str, raw: int) -> None:
    assert sample(text) == Sample(i64(raw), Quality.GOOD, 42)


@pytest.mark.parametrize(
    "text", ["12.505", "1e3", "1,5", "12.", ".5", "0x10", "--1", "１２", "9" * 19, "N/A", "1 2"]
)
def test_what_is_no_number_of_so_many_decimals_is_a_wrong_answer(text: str) -> None:
    assert sample(text) == Sample(None, Quality.WRONG_ANSWER, 42)


def test_what_the_type_cannot_hold_is_a_wrong_answer() -> None:
    assert sample("655.35", dtype=Dtype.U16).quality is Quality.GOOD
    assert sample("655.36", dtype=Dtype.U16) == Sample(None, Quality.WRONG_ANSWER, 42)
    assert sample("-1", dtype=Dtype.U16) == Sample(None, Quality.WRONG_ANSWER, 42)


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-Inf"])
def test_no_number(text: str) -> None:
    assert sample(text) == Sample(None, Quality.NOT_A_NUMBER, 42)


def test_the_loggers_own_no_value() -> None:
    assert sample("-999.00", invalid=(-99900,)) == Sample(i64(-99900), Quality.SENTINEL, 42)


#: HJ 212-2017, table 8
MARKS = {
    "N": Quality.GOOD, "F": Quality.DEVICE_REFUSED, "M": Quality.MAINTENANCE,
    "S": Quality.DEVICE_REFUSED, "D": Quality.SENSOR_FAULT, "C": Quality.CALIBRATION,
    "T": Quality.OUT_OF_RANGE, "B": Quality.NOT_CONNECTED,
}  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_marks(mark: str) -> None:
    assert sample("12.5", mark) == Sample(i64(1250), MARKS[mark], 42)


@pytest.mark.parametrize("mark", [m for m in MARKS if m != "N"])
def test_only_what_was_measured_is_usable(mark: str) -> None:
    assert not sample("12.5", mark).quality.usable
    assert sample("", mark) == Sample(None, MARKS[mark], 42)  # the mark says why there is none


def test_a_mark_nobody_knows_is_a_wrong_answer() -> None:
    for mark in ("X", "n", "NN", "\xd6"):
        assert sample("12.5", mark) == Sample(i64(1250), Quality.WRONG_ANSWER, 42)


def test_without_a_mark_there_is_a_reservation() -> None:
    assert sample("12.5", None) == Sample(i64(1250), Quality.UNCERTAIN, 42)
    assert sample("-1", None, invalid=(-100,)).quality is Quality.SENTINEL


def test_an_item_that_is_not_sent_is_refused() -> None:
    assert sample(None, None) == Sample(None, Quality.DEVICE_REFUSED, 42)
    assert sample(None, "N") == Sample(None, Quality.DEVICE_REFUSED, 42)


def test_the_mark_itself_can_be_a_point() -> None:
    def read(mark: str | None) -> Sample:
        return sample("1", mark, dtype=Dtype.U8, decimals=0, field="Flag")

    assert read("M") == Sample(b"M", Quality.GOOD, 42)
    assert read("") == Sample(None, Quality.DEVICE_REFUSED, 42)
    assert read(None) == Sample(None, Quality.DEVICE_REFUSED, 42)
    assert read("NN") == Sample(None, Quality.WRONG_ANSWER, 42)
    assert read("\xd6") == Sample(None, Quality.WRONG_ANSWER, 42)


@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_any_number_of_enough_decimals_comes_through(count: int, decimals: int) -> None:
    whole, fraction = divmod(abs(count), 10**decimals)
    text = f"{'-' if count < 0 else ''}{whole}"
    if decimals:
        text += f".{fraction:0{decimals}d}"
    assert sample(text, decimals=decimals) == Sample(i64(count), Quality.GOOD, 42)


def test_a_message_and_its_values_fit() -> None:
    held = newest()
    held.offer(parse_segment(rtd("a05001-Rtd=12.5,a05001-Flag=N").encode()), 0.0)
    record = held.current(2011, 1.0)
    assert record is not None
    item = Item("a05001", "Rtd", 2011)
    row = register("co2", Dtype.U32, table=None, address=None, decimals=4, item=item)
    # 08:00:00 at +08:00 on 2026-06-01 is 2026-06-01T00:00:00Z = 1780272000
    assert Value(row, "a05001", "Rtd").sample(record) == Sample(
        struct.pack("<I", 125_000), Quality.GOOD, 1_780_272_000 * 10**9
    )
