"""The listener's decoder on lines that are clean, cut, noisy, crossed, late and malicious.

A model of a line makes the traffic: every cell of every unit has one true value, so whatever is
told wrongly shows. The CRC is pymodbus's.
"""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.modbus.plan import TABLES, Read
from edge.drivers.modbus.tap import LATE_S, Overheard, Tap
from tests.integration.drivers.rtu_line import framed

TABLE_OF = {code: table for table, (code, _) in TABLES.items()}


def question(unit: int, read: Read) -> bytes:
    return framed(struct.pack(">BBHH", unit, read.code, read.address, read.count))


def truth(unit: int, read: Read) -> list[int]:
    """The value of each cell: anything, but always the same."""
    cells = range(read.address, read.address + read.count)
    values = [(c * 40503 + unit * 30011 + read.code * 7919) & 0xFFFF for c in cells]
    return [v >> 7 & 1 for v in values] if read.code <= 2 else values


def answer(unit: int, read: Read, cells: list[int] | None = None) -> bytes:
    values = truth(unit, read) if cells is None else cells
    if read.code <= 2:
        data = bytearray(-(-read.count // 8))
        for i, bit in enumerate(values):
            data[i // 8] |= bit << (i % 8)
    else:
        data = bytearray(struct.pack(f">{len(values)}H", *values))
    return framed(bytes([unit, read.code, len(data)]) + data)


def exchange(unit: int, read: Read) -> bytes:
    return question(unit, read) + answer(unit, read)


WARM_UP = b"".join(exchange(9, Read("holding", 40, 20, ())) for _ in range(6))  # 318 bytes


def warm() -> Tap:
    """A tap that has followed the line for more than a frame's length."""
    tap = Tap()
    told = tap.feed(WARM_UP, 0.0)
    assert len(told) <= 2
    return tap


A, B = Read("holding", 0, 2, ()), Read("holding", 100, 2, ())
C = Read("input", 0, 5, ())


def pairs(told: list[Overheard]) -> list[tuple[int, Read]]:
    return [(pair.unit, pair.read) for pair in told]


def assert_true(told: list[Overheard]) -> None:
    for pair in told:
        assert pair.cells is None or list(pair.cells) == truth(pair.unit, pair.read)


# --- what is told -------------------------------------------------------------------------------


def test_the_standards_own_exchange_is_understood() -> None:
    # Application Protocol 1.1b3, 6.3: registers 108..110 are 0x022B, 0x0000, 0x0064; unit 17
    tap = warm()
    asked = framed(bytes.fromhex("11 03 00 6b 00 03"))
    got = framed(bytes.fromhex("11 03 06 02 2b 00 00 00 64"))
    assert tap.feed(asked + got, 0.0) == [Overheard(17, Read("holding", 107, 3, ()), (555, 0, 100))]


def test_nothing_is_told_before_the_run_is_longer_than_a_frame() -> None:
    tap, length, told = Tap(), 0, []
    for _ in range(40):
        told = tap.feed(exchange(1, A), 0.0)
        length += len(exchange(1, A))
        assert bool(told) == (length > 256)
    assert told == [Overheard(1, A, tuple(truth(1, A)))]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_each_reading_function_is_told(code: int) -> None:
    read = Read(TABLE_OF[code], 0x0105, 11, ())
    tap = warm()
    told = tap.feed(exchange(3, read), 0.0) + tap.settle(0.0)
    assert pairs(told) == [(3, read)]
    assert_true(told)


def test_a_refusal_is_told_as_one() -> None:
    told = warm().feed(question(1, A) + framed(bytes([1, 0x83, 2])), 0.0)
    assert told == [Overheard(1, A, None)]


def test_bytes_may_come_in_any_portions() -> None:
    stream = b"".join(exchange(u, r) for u in (1, 2) for r in (A, B, C)) * 4
    for size in (1, 2, 3, 7, 50, 1000):
        tap, told = warm(), []
        for at in range(0, len(stream), size):
            told += tap.feed(stream[at : at + size], 0.0)
        told += tap.settle(0.0)
        assert pairs(told) == [(u, r) for u in (1, 2) for r in (A, B, C)] * 4
        assert_true(told)


def test_silence_ends_the_wait_for_a_longer_frame() -> None:
    # a question at address 0x10xx could be the head of an answer of 16 bytes
    read = Read("holding", 0x1000, 1, ())
    tap = warm()
    told = tap.feed(exchange(1, read), 0.0)
    told += tap.settle(0.0)
    assert pairs(told) == [(1, read)]


WRITES = [
    "01 05 00 ac ff 00", "01 06 00 01 00 03", "01 08 00 00 a5 37", "01 10 00 01 00 02",
    "01 0f 00 13 00 0a 02 cd 01", "01 10 00 01 00 02 04 00 0a 01 02", "01 16 00 04 00 f2 00 25",
]  # fmt: skip


@pytest.mark.parametrize("head", WRITES)
def test_what_the_master_writes_breaks_nothing_and_is_not_told(head: str) -> None:
    frame = framed(bytes.fromhex(head))
    stream = exchange(1, A) + frame + exchange(1, B) + frame + frame + exchange(2, A)
    tap = warm()
    told = tap.feed(stream, 0.0) + tap.settle(0.0)
    assert pairs(told) == [(1, A), (1, B), (2, A)]
    assert_true(told)


@pytest.mark.parametrize("stray", [b"\x00", b"\xff"])
def test_one_idle_byte_between_frames_is_passed_over(stray: bytes) -> None:
    parts = [question(1, A), answer(1, A), question(2, C), answer(2, C)]
    tap = warm()
    told = tap.feed(stray + stray.join(parts), 0.0) + tap.settle(0.0)
    assert pairs(told) == [(1, A), (2, C)]
    assert_true(told)


@pytest.mark.parametrize("stray", [b"\x01", b"\x03"])
def test_one_stray_byte_between_exchanges_is_passed_over(stray: bytes) -> None:
    tap = warm()
    told = tap.feed(stray + exchange(1, A) + stray + exchange(2, C), 0.0) + tap.settle(0.0)
    assert pairs(told) == [(1, A), (2, C)]


def test_what_is_left_of_a_lost_question_is_no_idle_byte() -> None:
    """B's question is heard from its last byte on, and B's answer behind A's question."""
    left = question(1, B)[-1:]
    assert left not in (b"\x00", b"\xff")
    assert warm().feed(question(1, A) + left + answer(1, B), 0.0) == []


# --- what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        question(1, A) + answer(2, A),  # another unit's
        question(1, A) + answer(1, C),  # another function's
        question(1, A) + answer(1, Read("holding", 0, 3, ())),  # another length
        question(1, A) + question(1, C) + answer(1, A),  # not directly behind it
        answer(1, A),  # nobody asked
        question(1, A) + framed(bytes([1, 0x84, 2])),  # a refusal of another function
        question(1, A) + answer(1, A)[:-1] + b"\x00",  # spoilt
        question(1, A)[:-1] + b"\x00" + answer(1, A),  # the question spoilt
        question(1, A) + b"\x00\x00" + answer(1, A),  # something between them
        question(0, A) + question(1, C),
    ],
)
def test_what_does_not_fit_together_is_not_told(broken: bytes) -> None:
    tap = warm()
    assert tap.feed(broken, 0.0) + tap.settle(0.0) == []


def test_after_noise_nothing_is_told_for_the_length_of_a_frame() -> None:
    tap = warm()
    assert len(tap.feed(exchange(1, A), 0.0)) == 1
    assert tap.feed(b"\x55" * 5, 0.0) == []
    length = 0
    while not (told := tap.feed(exchange(1, A), 0.0)):
        length += len(exchange(1, A))
        assert length <= 256 + len(exchange(1, A))
    assert_true(told)


def test_a_frame_that_may_be_answer_or_question_is_neither() -> None:
    bits = Read("coil", 0x20, 20, ())
    # as the answer: 20 bits in 3 bytes; as a question: coils from 0x0310 on, 16 of them
    both = framed(bytes.fromhex("01 01 03 10 00 10"))
    tap = warm()
    assert tap.feed(question(1, bits) + both, 0.0) == []
    # what follows as if it had been a question is not believed either
    assert tap.feed(framed(bytes.fromhex("01 01 02 ff ff")), 0.0) == []
    # the same bits in other places make no question: 0xffff coils are more than there may be
    sure = framed(bytes.fromhex("01 01 03 10 ff ff"))
    told = tap.feed(question(2, C) + answer(2, C) + question(1, bits) + sure, LATE_S)
    assert pairs(told) == [(2, C), (1, bits)]


def test_a_conversation_inside_the_data_of_a_frame_is_not_told() -> None:
    """A device may hold anything in its registers, even what looks like other devices' answers."""
    fake = Read("holding", 0, 2, ())
    inner = (question(1, fake) + answer(1, fake, [0xDEAD, 0xBEEF])) * 14
    inner = inner[: 2 * (len(inner) // 2)][:250]
    outer = framed(bytes([7, 3, len(inner)]) + inner)
    for start in range(len(outer)):  # listening begins anywhere inside it
        tap = Tap()
        told = tap.feed(outer[start:] + WARM_UP, 0.0)
        assert all(pair.unit != 1 for pair in told)


def test_a_late_answer_is_not_told_as_another_questions() -> None:
    # A is given up by the master, which asks for B; then A's answer comes, of B's length
    tap = warm()
    assert tap.feed(question(1, A) + question(1, B) + answer(1, A), 0.0) == []
    assert tap.feed(exchange(1, B), 1.0) == []  # still nobody knows whose
    assert pairs(tap.feed(exchange(1, C), 2.0)) == [(1, C)]  # of another length: order again
    assert pairs(tap.feed(exchange(1, B), 3.0)) == [(1, B)]


def test_a_question_asked_again_may_be_answered_by_either() -> None:
    tap = warm()
    told = tap.feed(question(1, A) + question(1, A) + answer(1, A), 0.0)
    assert pairs(told) == [(1, A)]
    assert_true(told)
    assert tap.feed(question(1, B) + answer(1, A), 0.1) == []  # the second's answer, late


def test_a_doubt_is_of_one_unit_and_ends_with_time() -> None:
    tap = warm()
    assert tap.feed(question(1, A) + question(1, B) + answer(1, A), 0.0) == []
    assert pairs(tap.feed(exchange(2, A), 0.1)) == [(2, A)]
    for second in range(1, int(LATE_S)):
        assert tap.feed(exchange(1, A) + exchange(1, B), float(second)) == []
    assert pairs(tap.feed(exchange(1, A), LATE_S + 0.1)) == [(1, A)]


# --- properties ---------------------------------------------------------------------------------

reads = st.builds(
    lambda code, address, count: Read(TABLE_OF[code], address, count, ()),
    st.integers(1, 4),
    st.one_of(st.integers(0, 0xFF00), st.integers(0x0300, 0x0310)),
    st.one_of(st.integers(1, 125), st.sampled_from([1, 2, 17, 20, 24])),
)


# one frame in 65,536 can be read in two ways, and is not told
@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 247), reads), max_size=20), st.randoms())
def test_clean_traffic_is_told_and_true(
    asked: list[tuple[int, Read]], chance: random.Random
) -> None:
    stream = b"".join(exchange(unit, read) for unit, read in asked)
    tap, told, at = warm(), [], 0
    while at < len(stream):
        size = chance.choice([1, 2, 5, 8, 30, 300])
        told += tap.feed(stream[at : at + size], 0.0)
        at += size
    told += tap.settle(0.0)
    assert_true(told)
    left = iter(asked)
    assert all(pair in left for pair in pairs(told))  # in order, none twice
    if all(read.code > 2 for _, read in asked):  # else a frame may be readable in two ways
        assert pairs(told) == asked


def damaged(unit: int, read: Read, chance: random.Random) -> list[bytes]:
    """One exchange as it may come over a line: lost, cut, spoilt, crossed or repeated."""
    frames = [question(unit, read), answer(unit, read)]
    match chance.randrange(7):
        case 0:  # not the question alone: see test_what_no_listener_can_know
            frames = frames[: chance.randrange(2)]
        case 1:
            frames[1] = frames[1][: chance.randrange(len(frames[1]))]
        case 2:
            frames[0] = frames[0][chance.randrange(8) :]
        case 3:
            spoilt = bytearray(frames[chance.randrange(2)])
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
            frames[1] = bytes(spoilt)
        case 4:
            frames.insert(chance.randrange(3), chance.randbytes(chance.randrange(1, 40)))
        case 5:  # two speak at once: their bits are mixed
            other = answer(unit % 247 + 1, read)
            frames[1] = bytes(a & b for a, b in zip(frames[1], other, strict=True))
        case 6:
            frames *= 2
    return frames


def disturbed(asked: list[tuple[int, Read]], chance: random.Random) -> bytes:
    """A line on which all that happens, and on which answers come late.

    As devices do, each answers in the order it was asked, and none later than eight exchanges on.
    """
    parts: list[bytes] = []
    late: dict[int, tuple[int, bytes]] = {}  # unit -> (exchange, its answer, still on the way)
    for number, (unit, read) in enumerate(asked):
        waits = late.pop(unit, None)
        kind = chance.randrange(60)  # mostly well, so that there is something to be told
        if kind < 3:
            late[unit] = (number, answer(unit, read))
            parts.append(question(unit, read))
        elif kind < 45 and waits is not None and waits[0] >= number - 8:  # always one behind
            late[unit] = (number, answer(unit, read))
            parts += [question(unit, read), waits[1]]
        elif kind > 57:
            parts += damaged(unit, read, chance)
        else:
            parts.append(exchange(unit, read))
    return b"".join(parts)


def test_what_no_listener_can_know() -> None:
    """A's answer and B's question go unheard, to the byte: what is left is an honest exchange."""
    unheard = question(1, A) + answer(1, B)
    assert warm().feed(unheard, 0.0) == [Overheard(1, A, tuple(truth(1, B)))]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([A, B, C, Read("coil", 3, 20, ()),
             Read("discrete", 0x0300, 24, ()), Read("holding", 0x0200, 1, ())])),
             min_size=60, max_size=200),
    st.randoms(),
)  # fmt: skip
def test_whatever_happens_on_the_line_nothing_told_is_wrong(
    asked: list[tuple[int, Read]], chance: random.Random
) -> None:
    tap = warm()
    stream = disturbed(asked, chance)
    told, at, now_s = [], 0, 0.0
    while at < len(stream):
        size = chance.randrange(1, 60)
        told += tap.feed(stream[at : at + size], now_s)
        at, now_s = at + size, now_s + size / 960
    told += tap.settle(now_s)
    assert_true(told)


def test_the_model_of_a_bad_line_leaves_something_to_be_told() -> None:
    chance, told = random.Random(7), 0
    reads_there = [A, B, C, Read("coil", 3, 20, ()), Read("holding", 0x0200, 1, ())]
    for _ in range(30):
        asked = [(chance.randrange(1, 5), chance.choice(reads_there)) for _ in range(150)]
        tap = warm()
        told += len(tap.feed(disturbed(asked, chance), 0.0) + tap.settle(0.0))
    assert told > 30 * 150 / 4


@given(st.binary(max_size=2000), st.randoms())
def test_noise_alone_tells_nothing(noise: bytes, chance: random.Random) -> None:
    tap, at = Tap(), 0
    while at < len(noise):
        size = chance.randrange(1, 100)
        assert tap.feed(noise[at : at + size], 0.0) == []
        at += size
    assert tap.settle(0.0) == []


def test_memory_stays_bounded_whatever_comes() -> None:
    chance, tap = random.Random(1), Tap()
    for _ in range(300):
        tap.feed(chance.randbytes(997), 0.0)
        assert len(tap._bytes) <= 256
