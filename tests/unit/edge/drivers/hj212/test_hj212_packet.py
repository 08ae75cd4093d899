"""HJ 212 framing: published packets, broken ones, streams cut anywhere; what may be sent."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.hj212.packet import (
    SEGMENT_BYTES_MAX,
    Hj212Error,
    Splitter,
    build_ack,
    build_packet,
    crc,
    only_acks,
)
from tests.unit.edge.drivers.hj212_packets import MN, checksum, packet, rtd, segment

#: HJ 212-2017, appendix A; HJ 212-2025, A.1, page 32 of its PDF: as printed, CR LF added.
PRINTED_2017 = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&1C80\r\n"
)
PRINTED_2025 = (
    b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;"
    b"CP=&&&&2200\r\n"
)
PRINTED = [PRINTED_2017, PRINTED_2025]


def fed(*pieces: bytes) -> list[bytes | Hj212Error]:
    splitter = Splitter()
    return [found for piece in pieces for found in splitter.feed(piece)]


def segments(*pieces: bytes) -> list[bytes]:
    return [found for found in fed(*pieces) if isinstance(found, bytes)]


def errors(*pieces: bytes) -> list[str]:
    return [str(found) for found in fed(*pieces) if isinstance(found, Hj212Error)]


@pytest.mark.parametrize("printed", PRINTED)
def test_the_published_packets_are_taken(printed: bytes) -> None:
    assert fed(printed) == [printed[6:-6]]


@pytest.mark.parametrize("printed", PRINTED)
def test_the_published_packets_are_built(printed: bytes) -> None:
    assert build_packet(printed[6:-6]) == printed


def test_a_platform_that_computes_the_modbus_checksum_is_refused() -> None:
    # 0759 is what a known mock platform, which uses the Modbus CRC, puts behind the first packet
    assert errors(PRINTED_2017.replace(b"1C80", b"0759")) == [
        "has a checksum that does not fit its bytes"
    ]


@given(st.binary(max_size=200))
def test_the_checksum_is_that_of_the_standards_loop(data: bytes) -> None:
    assert f"{crc(data):04X}" == checksum(data)


def test_a_checksum_in_small_letters_is_taken() -> None:
    assert segments(PRINTED_2017.replace(b"1C80", b"1c80")) == [PRINTED_2017[6:-6]]


def test_two_packets_in_one_piece() -> None:
    assert segments(PRINTED_2017 + PRINTED_2025) == [p[6:-6] for p in PRINTED]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_a_packet_in_many_pieces(size: int) -> None:
    stream = PRINTED_2017 + PRINTED_2025
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert segments(*pieces) == [p[6:-6] for p in PRINTED]


def test_noise_between_packets_is_passed_over() -> None:
    assert segments(b"\x00#noise#", PRINTED_2017, b"\r\n\r\n", b"#", PRINTED_2025) == [
        p[6:-6] for p in PRINTED
    ]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (b"##01O1" + PRINTED_2017[6:], "no length of 0 to 4096"),
        (b"##9999" + PRINTED_2017[6:], "no length of 0 to 4096"),
        (b"##-001" + PRINTED_2017[6:], "no length of 0 to 4096"),
        (b"##0100" + PRINTED_2017[6:], "no checksum and line end where"),
        (PRINTED_2017.replace(b"1C80", b"1C8G"), "no checksum and line end where"),
        (PRINTED_2017.replace(b"\r\n", b"\n\n"), "no checksum and line end where"),
        (PRINTED_2017.replace(b"RtdInterval=30", b"RtdInterval=31"), "checksum that does not fit"),
    ],
)
def test_a_broken_packet_is_told_and_the_next_one_taken(broken: bytes, sentence: str) -> None:
    found = fed(broken + PRINTED_2025)
    assert found[-1] == PRINTED_2025[6:-6]
    assert sentence in str(found[0])


def test_a_packet_that_is_cut_is_lost_and_the_one_behind_it_is_not() -> None:
    # its length reaches into the next packet; more must come before that shows
    assert segments(PRINTED_2017[:60], PRINTED_2025, PRINTED_2025) == [PRINTED_2025[6:-6]] * 2


def test_a_length_that_is_too_great_holds_nothing_up() -> None:
    assert segments(b"##4097", PRINTED_2025) == [PRINTED_2025[6:-6]]
    longest = b"x" * SEGMENT_BYTES_MAX
    assert segments(packet(longest)) == [longest]


def test_encrypted_content_is_named() -> None:
    # HJ 212-2025: the content of CP is SM4, the checksum that of the plain text
    plain = segment("DataTime=20260601080000;a05001-Rtd=12.5", flag=8)
    hidden = Random(212).randbytes(32)
    head, _, _ = plain.encode().partition(b"DataTime")
    sent = f"##{len(plain):04d}".encode() + (head + hidden)[: len(plain)]
    sent += b"&&".rjust(len(plain) - len(sent) + 6, b"\x01") + checksum(plain.encode()).encode()
    (sentence,) = errors(sent + b"\r\n")
    assert "encrypted (HJ 212-2025, SM4)" in sentence
    assert "plain text" in sentence


def test_no_sentence_holds_the_password() -> None:
    text = rtd("a05001-Rtd=1", pw="hunter2")
    for told in errors(packet(text)[:-4] + b"00\r\n", b"##00x" + text.encode(), PRINTED_2025):
        assert "hunter2" not in told


def test_what_is_held_is_bounded() -> None:
    splitter = Splitter()
    for _ in range(200):
        list(splitter.feed(b"##4096" + b"x" * 4090))
    assert len(splitter._held) <= SEGMENT_BYTES_MAX + 12 + 4096
    assert splitter.junk > 100_000


def test_a_whole_packet_ends_the_junk() -> None:
    splitter = Splitter()
    list(splitter.feed(b"noise" * 100))
    assert splitter.junk == 500
    assert list(splitter.feed(PRINTED_2017)) == [PRINTED_2017[6:-6]]
    assert splitter.junk == 0


@given(st.lists(st.binary(max_size=60), max_size=6), st.integers(1, 40))
def test_segments_of_any_bytes_come_through_however_they_are_cut(
    parts: list[bytes], size: int
) -> None:
    stream = b"".join(packet(part) for part in parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert fed(*pieces) == parts


def test_an_acknowledgement_as_the_standard_writes_it() -> None:
    # HJ 212-2017, appendix C: QN as received, ST=91, CN=9014, Flag with the version alone
    ack = build_ack("9014", qn="20260601080000223", pw="123456", mn=MN, version=1)
    assert ack == packet(f"QN=20260601080000223;ST=91;CN=9014;PW=123456;MN={MN};Flag=4;CP=&&&&")


def test_an_acknowledgement_of_2025_says_so() -> None:
    assert b";Flag=8;" in build_ack("9013", qn="2" * 17, pw="", mn=MN, version=2)


@pytest.mark.parametrize(
    "text",
    [
        rtd("a05001-Rtd=1"),
        segment("", cn=9014),  # of ST 31
        segment("", cn=1072).replace("ST=31", "ST=91"),  # sets the logger's clock
        segment("SystemTime=20260601080000", cn=9014).replace("ST=31", "ST=91"),
        segment("", cn=9014).replace("ST=31", "ST=91") + ";CP=&&&&",
        "",
    ],
)
def test_the_gate_stops_what_is_no_acknowledgement(text: str) -> None:
    with pytest.raises(RuntimeError, match="must ever leave the edge"):
        only_acks(packet(text))


def test_the_gate_stops_every_other_command() -> None:
    for command in range(10_000):
        if command not in (9013, 9014):
            with pytest.raises(RuntimeError):
                build_ack(f"{command:04d}", qn="2" * 17, pw="123456", mn=MN, version=1)


def test_the_gate_stops_two_in_one_and_what_hangs_on() -> None:
    ack = build_ack("9014", qn="2" * 17, pw="123456", mn=MN, version=1)
    for sent in (ack + ack, ack + b"x", b"x" + ack, ack[:-1]):
        with pytest.raises(RuntimeError):
            only_acks(sent)
