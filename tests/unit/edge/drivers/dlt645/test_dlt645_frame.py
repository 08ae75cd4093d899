"""DL/T 645-2007 frames: published ones, broken ones, whose answer it is, and what may be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.dlt645.frame import (
    HELD_BYTES_MAX,
    Answer,
    Dlt645Error,
    Frame,
    WrongAnswerError,
    build_question,
    find_frame,
    judge_answer,
    only_reads,
    pack_address,
)

#: Verified frames: question for DI 00010000 to meter 123456789012, its answer 123456.78 kWh, and a
#: refusal "no such data"... of a data item the meter does not have.
QUESTION = bytes.fromhex("FEFEFEFE 68 129078563412 68 11 04 33333433 68 16")
ANSWER = bytes.fromhex("68 129078563412 68 91 08 33333433 AB896745 CC 16")
REFUSAL = bytes.fromhex("68 129078563412 68 D1 01 39 91 16")

ADDRESS = bytes.fromhex("129078563412")
ENERGY = 0x00010000


def raw(address: bytes, control: int, data: bytes) -> bytes:
    """A frame written from the standard's words."""
    coded = bytes((byte + 0x33) % 256 for byte in data)
    body = b"\x68" + address + b"\x68" + bytes([control, len(coded)]) + coded
    return body + bytes([sum(body) % 256]) + b"\x16"


def whole(data: bytes) -> Frame:
    frame, rest = find_frame(data)
    assert frame is not None
    assert rest == b""
    return frame


def test_the_helper_writes_the_published_frames() -> None:
    assert raw(ADDRESS, 0x91, bytes.fromhex("00000100 78563412")) == ANSWER
    assert raw(ADDRESS, 0xD1, b"\x06") == REFUSAL


def test_an_address_is_sent_lowest_digits_first() -> None:
    # the published question 68 12 90 78 56 34 12 is to the meter with 123456789012 on its plate
    assert pack_address("123456789012") == bytes.fromhex("129078563412")
    assert pack_address("000000000001") == bytes.fromhex("010000000000")


@pytest.mark.parametrize(
    "digits",
    ["", "12345678901", "1234567890123", "AAAAAAAAAAAA", "AAAAAA789012", "9" * 12, "12345678901x",
     "１２３４５６７８９０１２"],
)  # fmt: skip
def test_what_is_no_meters_address(digits: str) -> None:
    with pytest.raises(Dlt645Error):
        pack_address(digits)


def test_the_published_question() -> None:
    assert build_question(ADDRESS, ENERGY) == QUESTION


def test_a_follow_up_question() -> None:
    # C = 12H, data = DI and the frame's number
    question = build_question(ADDRESS, ENERGY, 1)
    assert question == b"\xfe" * 4 + raw(ADDRESS, 0x12, bytes.fromhex("00000100 01"))


def test_the_published_answer() -> None:
    frame = whole(ANSWER)
    assert frame == Frame(ADDRESS, 0x91, bytes.fromhex("00000100 78563412"))
    assert judge_answer(frame, ADDRESS, ENERGY) == Answer(
        bytes.fromhex("78563412"), has_more=False, refused=""
    )


def test_the_published_refusal() -> None:
    # 39 - 33 = 06: bits 1 and 2
    answer = judge_answer(whole(REFUSAL), ADDRESS, ENERGY)
    assert answer is not None
    assert answer.refused == "no such data, wrong password or not authorised (0x06)"


@pytest.mark.parametrize(
    ("error", "words"),
    [(0x01, "other error (0x01)"), (0x02, "no such data (0x02)"), (0x00, "no reason (0x00)")],
)
def test_errors_in_words(error: int, words: str) -> None:
    answer = judge_answer(whole(raw(ADDRESS, 0xD1, bytes([error]))), ADDRESS, ENERGY)
    assert answer is not None
    assert answer.refused == words


@pytest.mark.parametrize("wakes", range(6))
def test_any_number_of_wake_ups_in_front(wakes: int) -> None:
    assert whole(b"\xfe" * wakes + ANSWER).data[4:] == bytes.fromhex("78563412")


@pytest.mark.parametrize("cut", range(len(ANSWER)))
def test_a_frame_in_two_pieces(cut: int) -> None:
    frame, held = find_frame(ANSWER[:cut])
    assert frame is None
    frame, rest = find_frame(held + ANSWER[cut:])
    assert frame is not None
    assert rest == b""


def test_two_frames_in_one_piece() -> None:
    frame, rest = find_frame(ANSWER + REFUSAL)
    assert frame is not None
    assert frame.control == 0x91
    assert whole(rest).control == 0xD1


@pytest.mark.parametrize("at", range(len(ANSWER)))
def test_any_single_wrong_byte_is_found(at: int) -> None:
    bent = bytearray(ANSWER)
    bent[at] ^= 0x10
    frame, _ = find_frame(bytes(bent))
    assert frame is None or frame.address != ADDRESS
    # and a good one behind it is still found
    frame, rest = find_frame(bytes(bent) + ANSWER)
    while frame is not None and frame.address != ADDRESS:
        frame, rest = find_frame(rest)
    assert frame is not None or at == 9  # a longer length waits for its bytes
    if at == 9:
        frame, _ = find_frame(bytes(bent) + ANSWER * 30)
        assert frame is not None


def test_a_start_byte_in_noise_hides_no_frame_behind_it() -> None:
    for noise in (b"\x68", b"\x68\x68", b"\x68" * 7, b"\x68" + b"\0" * 6 + b"\x68\x91\xff"):
        assert find_frame(noise + ANSWER)[0] is not None


def test_what_is_held_is_bounded() -> None:
    held = b""
    for _ in range(100):
        frame, held = find_frame(held + b"\x68" * 200)
        assert frame is None
        assert len(held) <= HELD_BYTES_MAX
    assert find_frame(b"\xfe" * 100) == (None, b"")


@pytest.mark.parametrize(
    "frame",
    [
        raw(bytes.fromhex("139078563412"), 0x91, bytes.fromhex("00000100 78563412")),  # a neighbour
        raw(b"\xaa" * 6, 0x91, bytes.fromhex("00000100 78563412")),
        raw(ADDRESS, 0x91, bytes.fromhex("00000200 78563412")),  # another data item
        raw(ADDRESS, 0x91, b""),
        raw(ADDRESS, 0x91, b"\x00\x00"),
        raw(ADDRESS, 0x11, bytes.fromhex("00000100")),  # our own question, heard back
        raw(ADDRESS, 0x92, bytes.fromhex("00000100 78563412 01")),  # a follow-up nobody asked for
        raw(ADDRESS, 0x93, ADDRESS),
        raw(ADDRESS, 0x94, b""),  # somebody else has written
        raw(ADDRESS, 0xD4, b"\x02"),
    ],
)
def test_what_belongs_to_another_question_is_passed_over(frame: bytes) -> None:
    assert judge_answer(whole(frame), ADDRESS, ENERGY) is None


def test_more_to_come() -> None:
    answer = judge_answer(
        whole(raw(ADDRESS, 0xB1, bytes.fromhex("00000100 7856"))), ADDRESS, ENERGY
    )
    assert answer == Answer(bytes.fromhex("7856"), has_more=True, refused="")


def test_a_follow_up_carries_its_number_last() -> None:
    frame = whole(raw(ADDRESS, 0x92, bytes.fromhex("00000100 3412 01")))
    assert judge_answer(frame, ADDRESS, ENERGY, 1) == Answer(
        bytes.fromhex("3412"), has_more=False, refused=""
    )
    assert judge_answer(frame, ADDRESS, ENERGY, 2) is None
    assert judge_answer(frame, ADDRESS, ENERGY) is None


@pytest.mark.parametrize(
    ("frame", "follow_up"),
    [
        (raw(ADDRESS, 0xD1, b""), None),
        (raw(ADDRESS, 0xD1, b"\x02\x00"), None),
        (raw(ADDRESS, 0x92, bytes.fromhex("00000100")), 1),
    ],
)
def test_answers_of_no_form(frame: bytes, follow_up: int | None) -> None:
    with pytest.raises(WrongAnswerError):
        judge_answer(whole(frame), ADDRESS, ENERGY, follow_up)


@pytest.mark.parametrize("control", [c for c in range(256) if c not in (0x11, 0x12)])
def test_the_gate_stops_every_other_control_code(control: int) -> None:
    with pytest.raises(RuntimeError, match="must never leave the edge"):
        only_reads(b"\xfe" * 4 + raw(ADDRESS, control, bytes.fromhex("00000100")))


@pytest.mark.parametrize("address", [b"\xaa" * 6, b"\x99" * 6, bytes.fromhex("12907856AAAA")])
def test_the_gate_stops_what_is_for_any_or_all_meters(address: bytes) -> None:
    with pytest.raises(RuntimeError, match="to any or all meters must never leave the edge"):
        only_reads(b"\xfe" * 4 + raw(address, 0x11, bytes.fromhex("00000100")))


@pytest.mark.parametrize(
    "sent",
    [b"", b"\xfe" * 4, QUESTION[4:], b"\xfe" + QUESTION, QUESTION + QUESTION, QUESTION + b"\x00",
     QUESTION[:-1], b"\x00" + QUESTION, b"\x68" * 4 + QUESTION[4:]],
)  # fmt: skip
def test_the_gate_stops_what_is_not_one_question(sent: bytes) -> None:
    with pytest.raises(RuntimeError, match="leave the edge"):
        only_reads(sent)


def test_the_gate_lets_questions_pass_unchanged() -> None:
    for sent in (QUESTION, build_question(ADDRESS, ENERGY, 255)):
        assert only_reads(sent) == sent


@given(
    st.binary(min_size=6, max_size=6), st.integers(0, 255), st.binary(max_size=255),
    st.binary(max_size=20).filter(lambda noise: b"\x68" not in noise),
)  # fmt: skip
def test_any_frame_is_found_behind_noise(
    address: bytes, control: int, data: bytes, noise: bytes
) -> None:
    assert whole(noise + raw(address, control, data)) == Frame(address, control, data)
