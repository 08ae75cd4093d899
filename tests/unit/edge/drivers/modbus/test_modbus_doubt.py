"""After a lost question only what no late answer fits is safe to ask."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus.answers import data_bytes
from edge.drivers.modbus.doubt import LATE_S_MIN, LATE_TIMEOUTS, Doubt
from edge.drivers.modbus.plan import Read

ONE, TWO = Read("holding", 0, 1, ()), Read("holding", 100, 2, ())
OTHER_ONE = Read("holding", 7, 1, ())
INPUT_ONE = Read("input", 0, 1, ())


def test_nothing_lost_is_no_doubt() -> None:
    doubt = Doubt(1.0)
    assert not doubt.stands(0.0)
    assert doubt.is_safe(ONE)


def test_a_lost_question_forbids_its_own_length_and_function_only() -> None:
    doubt = Doubt(1.0)
    doubt.lost(ONE, 5.0)
    assert doubt.stands(5.0)
    assert not doubt.is_safe(ONE)
    assert not doubt.is_safe(OTHER_ONE)
    assert doubt.is_safe(TWO)
    assert doubt.is_safe(INPUT_ONE)
    assert doubt.quiet_until_s == 6.0


def test_bits_that_fill_the_same_bytes_are_the_same_length() -> None:
    doubt = Doubt(1.0)
    doubt.lost(Read("coil", 0, 1, ()), 0.0)
    assert not doubt.is_safe(Read("coil", 0, 8, ()))
    assert doubt.is_safe(Read("coil", 0, 9, ()))


def test_what_is_taken_for_an_answer() -> None:
    doubt = Doubt(1.0)
    two, one = b"\x03\x04\x00\x01\x00\x02", b"\x03\x02\x00\x01"
    for pdu in (two, one, b"\x83\x02", b"\x84\x02"):
        assert doubt.takes(pdu, TWO)  # no doubt: the caller says what is wrong with it
    doubt.lost(ONE, 0.0)
    assert doubt.takes(two, TWO)
    assert not doubt.takes(one, TWO)  # ONE's, late
    assert not doubt.takes(b"\x83\x02", TWO)  # ONE's or TWO's: nobody knows
    assert doubt.takes(b"\x84\x02", INPUT_ONE)  # a refusal of the other function is its own
    assert not doubt.takes(b"\x83\x02", INPUT_ONE)


def test_a_safe_answer_ends_all_doubt() -> None:
    doubt = Doubt(1.0)
    doubt.lost(ONE, 0.0)
    doubt.lost(INPUT_ONE, 1.0)
    doubt.answered()
    assert not doubt.stands(1.0)
    assert doubt.is_safe(ONE)


def test_time_ends_it_too() -> None:
    short, long = Doubt(0.1), Doubt(5.0)
    for doubt in (short, long):
        doubt.lost(ONE, 100.0)
    assert short.stands(100.0 + LATE_S_MIN - 0.01)
    assert not short.stands(100.0 + LATE_S_MIN)
    assert long.stands(100.0 + 5.0 * LATE_TIMEOUTS - 0.01)
    assert not long.stands(100.0 + 5.0 * LATE_TIMEOUTS)


READS = [
    Read(table, address, count, ())
    for table in ("holding", "input")
    for address in (0, 50)
    for count in (1, 2, 4)
]


@given(st.lists(st.tuples(st.sampled_from(READS), st.booleans(), st.booleans()), max_size=60))
def test_a_device_that_keeps_the_order_never_answers_for_another_question(
    steps: list[tuple[Read, bool, bool]],
) -> None:
    """A model of the line: a queue of answers on their way; some are late, some never come.

    The rules are those of the driver: nothing unsafe is asked, and an answer that fits by function
    and length is taken for the question's.
    """
    doubt, on_the_way = Doubt(1.0), deque[Read]()
    for read, is_late, is_dropped in steps:
        if doubt.stands(0.0) and not doubt.is_safe(read):
            continue
        if not is_dropped:
            on_the_way.append(read)
        if is_late:
            doubt.lost(read, 0.0)
            continue
        taken = None
        while on_the_way and taken is None:  # they come in order; what does not fit is passed over
            answer = on_the_way.popleft()
            if (answer.code, data_bytes(answer)) == (read.code, data_bytes(read)):
                taken = answer
        if taken is None:
            doubt.lost(read, 0.0)
        else:
            assert taken == read
            doubt.answered()
